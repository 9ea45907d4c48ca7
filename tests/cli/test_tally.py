"""Acks of several processes for one plan: the first one counts, the others are tallied."""
import json

import harness
from harness import (Case, Config, RANKS, event, finding, knob, lines, registration,
                     response)
from harness.records import plan_id

PLAN = plan_id(2)
WHY = "out of memory"


def ack(status, instance=None, value=None, reason="", plan=PLAN):
    body = {"plan_id": plan, "knob_id": "app.batch", "status": status, "reason": reason,
            "target_nodes": []}
    if instance is not None:
        body["instance"] = instance
    if value is not None:
        body["new_value"] = value
    return event("ack", body)


def log_of(*acks):
    k = knob("app.batch", scope="job", bigger_batch=response(step=4))
    asks = finding(5, None, severity_score=0.9, persistence=5, trend_direction="stable",
                   opportunity_tags=["bigger_batch"])
    return [event("registration", registration(k)),
            event("ack", {"plan_id": "none"}), event("finding", asks), *acks]


class Tally(Case):
    def log(self, *args):
        r = harness.run(args, program=Config.log_program)
        self.assertEqual(r.code, 0, r.brief)
        return r.out.decode()

    def replay(self, records, name="log.h5", ranks=None, how="--decision-log"):
        return self.run_ok(
            ["--findings-file", self.write("in.jsonl", lines(records)), how,
             self.path(name), "--plans-file", self.path("plans")], ranks=ranks)

    def tallies(self, name="log.h5"):
        rows = self.log("dump", "--kind", "ack", self.path(name)).splitlines()
        return [(json.loads(r)["tally"], json.loads(r)["instance"]) for r in rows][1:]

    def test_words(self):
        acks = [ack("applied", i) for i in "abc"] + [ack("rejected", "d", reason=WHY)]
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.replay(log_of(*acks), ranks=ranks)
                self.assertEqual(r.done["acks_contradict"], 1)
                told = [e for e in r.events if e["event"] == "optimizer.ack.contradicts"]
                self.assertEqual([(e["plan_id"], e["knob_id"], e["status"], e["reason"],
                                   e["instance"], e["applied"], e["rejected"],
                                   e["processes"]) for e in told],
                                 [(PLAN, "app.batch", "rejected", WHY, "d", 3, 1, 4)])
                self.assertIn("comm=", told[0]["note"])
                self.assertEqual(self.tallies(), [("first", "a"), ("agrees", "b"),
                                                  ("agrees", "c"), ("contradicts", "d")])
                said = f"applied by 3 of 4 processes, rejected by 1: {WHY}"
                self.assertIn(said, self.log("plans", self.path("log.h5")))
                self.assertIn(said, self.log("why", "--all", "--knob", "app.batch",
                                             self.path("log.h5")))
        plan, = self.log("plans", "--json", self.path("log.h5")).splitlines()
        self.assertEqual(json.loads(plan)["processes"],
                         {"applied": 3, "rejected": 1, "other": 0, "contradict": 1,
                          "reason": WHY})

    def test_what_contradicts(self):
        cases = (
            ("another value", [ack("applied", "a", 8), ack("applied", "b", 9)],
             ["first", "contradicts"], "applied by 2 of 2 processes, with other values by 1"),
            ("the same value", [ack("applied", "a", 8), ack("applied", "b", 8.0)],
             ["first", "agrees"], "applied by 2 of 2 processes"),
            ("no value is the planned one", [ack("applied", "a", 8), ack("applied", "b")],
             ["first", "agrees"], "applied by 2 of 2 processes"),
            ("rejected by the first", [ack("rejected", "a", reason="no"), ack("applied", "b")],
             ["first", "contradicts"], "applied by 1 of 2 processes, rejected by 1"),
            ("one that thinks it over", [ack("applied", "a"), ack("deferred", "b"),
                                         ack("applied", "b")],
             ["first", "agrees", "repeats"], "applied by 2 of 2 processes"),
            ("the first thinks it over", [ack("deferred", "a"), ack("applied", "a"),
                                          ack("rejected", "b", reason="no")],
             ["first", "repeats", "contradicts"],
             "applied by 1 of 2 processes, rejected by 1: no"),
            ("without instances", [ack("applied"), ack("applied"), ack("rejected")],
             ["first", "agrees", "contradicts"],
             "applied by 2 of 3 processes, rejected by 1"),
            ("one process only", [ack("applied", "a"), ack("applied", "a")],
             ["first", "repeats"], None),
            ("another plan", [ack("applied", "a"), ack("rejected", "b", plan=plan_id(9, 9))],
             ["first", "none"], None))
        for name, acks, want, words in cases:
            with self.subTest(name):
                self.replay(log_of(*acks))
                self.assertEqual([t for t, _ in self.tallies()], want)
                text = self.log("plans", self.path("log.h5"))
                if words:
                    self.assertIn("; " + words + "\n", text)
                else:
                    self.assertNotIn("processes", text)

    def test_a_warning_for_each_plan(self):
        acks = [ack("applied", "a")] + [ack("rejected", i, reason=WHY) for i in "bcdef"]
        r = self.replay(log_of(*acks))
        self.assertEqual(r.done["acks_contradict"], 5)
        self.assertEqual(len([e for e in r.events
                              if e["event"] == "optimizer.ack.contradicts"]), 1)

    def test_resumed(self):
        whole = log_of(ack("applied", "a"), ack("applied", "b"), ack("rejected", "c"))
        self.replay(whole, "whole.h5")
        for cut in range(3, len(whole)):
            self.replay(whole[:cut], f"{cut}.h5")
            self.replay(whole, f"{cut}.h5", how="--resume")
            self.assertEqual(self.tallies(f"{cut}.h5"), self.tallies("whole.h5"), cut)


if __name__ == "__main__":
    harness.main()
