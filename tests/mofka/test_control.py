#!/usr/bin/env python3
"""Commands of an operator out of a topic: decided in their order, journalled, recorded,
replayed; those that cannot be used are counted and named."""
import json
import os
import signal

from broker import harness
from service import DONE, Service

PLANNER = {"switches": {"effect": "severity"}}
RESPONSE = harness.response(min_persistence=1, cooldown_windows=1)


class Commands(Service):
    def setUp(self):
        super().setUp()
        self.window = 0
        self.policy = self.write("policy.json", json.dumps(PLANNER))

    def begin(self, *more, ranks=None, **kind):
        self.b = self.broker(more=["commands"], **kind)
        self.b.push("registry", [dict(harness.registration(
            harness.knob("app.prefetch", reader_parallelism=RESPONSE)), node="n1")],
                    "registration")
        self.running = self.serve(*more, ranks=ranks)

    def serve(self, *more, ranks=None):
        return self.start(self.args(self.b, "--control-topic", "commands", "--policy",
                                    self.policy, "--idle-timeout", "never", *more),
                          ranks=ranks)

    def recorded(self, text):
        return self.read("run.jsonl").count(text)

    def command(self, **body):
        """Returns what became of it."""
        before = self.running.so_far().count('"optimizer.control"')
        self.b.push("commands", [body], "control")
        harness.wait_until(
            lambda: self.running.so_far().count('"optimizer.control"') > before, 20, body)
        lines = [json.loads(x) for x in self.running.so_far().splitlines()
                 if '"optimizer.control"' in x]
        self.assertEqual(lines[-1]["action"], body["action"])
        return lines[-1]["outcome"]

    def find(self, n):
        """A finding; it makes n plans, which are acknowledged."""
        self.window += 1
        before = len(self.plans())
        seen = self.recorded(b'"finding_type"')
        self.b.push("findings", [harness.finding(
            self.window, "n1", opportunity_tags=["reader_parallelism"])])
        harness.wait_until(lambda: self.recorded(b'"finding_type"') > seen, 60, "a finding")
        self.command(action="thaw") # behind it
        for p in self.wait_for_plans(before + n)[before:]:
            self.acknowledge(p)

    def acknowledge(self, p):
        self.b.push("acks", [{"plan_id": p["plan_id"], "knob_id": p["knob_id"],
                              "status": "applied", "new_value": p["new_value"],
                              "target_nodes": p["target_nodes"]}], "ack")

    def wait_for_plans(self, n):
        harness.wait_until(lambda: len(self.plans()) >= n, 60, "plans")
        self.assertEqual(len(self.plans()), n)
        return self.plans()

    def plans(self):
        return [json.loads(x) for x in self.read("run.plans").splitlines()]

    def end(self, number=signal.SIGTERM):
        os.kill(harness.rank_process(self.running.sid, 0)
                if self.ranks else self.running.process.pid, number)
        return self.running.finish()

    def drive(self, ranks):
        self.ranks = ranks
        self.begin(ranks=ranks)
        self.assertEqual(self.command(action="mode", mode="shadow"), "done")
        self.find(0)
        self.assertEqual(self.command(action="mode", mode="auto"), "done")
        self.find(1)
        self.assertEqual(self.command(action="set", knob_id="app.prefetch", value=9,
                                      node="n1", by="ann"), "done")
        self.assertEqual(self.command(action="set", knob_id="nobody", value=9),
                         "unknown_knob")
        self.assertEqual(self.wait_for_plans(2)[-1]["new_value"], 9)
        r = self.end()
        self.assertEqual(r.code, 0, r.brief)
        commands = [e["body"] for e in self.records() if e["stream"] == "control"]
        self.assertEqual([c["action"] for c in commands],
                         ["mode", "thaw", "mode", "thaw", "set", "set"])
        self.assertEqual(commands[4]["by"], "ann")
        self.replayed_the_same("run", "--policy", self.policy)

    def test_drive(self):
        self.drive(None)

    def test_drive_on_three_ranks(self):
        self.drive(3)

    def test_those_that_cannot_be_used(self):
        self.ranks = None
        self.begin()
        wrong = ['{"action":"frosty"}', '{"action":"thaw","until":3}', "{broken",
                 '{"request":"status"}', json.dumps(harness.finding(1, "n1"))]
        self.b.push_events("commands", [({}, x) for x in wrong])
        self.assertEqual(self.command(action="thaw"), "done")
        r = self.end()
        done = r.named(DONE)[0]
        self.assertEqual((done["invalid"], done["records"]), (len(wrong), len(wrong) + 2))
        logged = r.named("optimizer.record.invalid")
        self.assertEqual([(e["line"], e["stream"]) for e in logged],
                         [(n, "control") for n in range(len(wrong))])
        for e in logged:
            self.assertRegex(e["file"], r"^mofka:commands/0@[0-9a-f-]{36}$")
        self.assertEqual([(x["origin"], x["line"], x["stream"], x["reason"])
                          for x in self.rejects("run")],
                         [(e["file"], e["line"], e["stream"], e["error"]) for e in logged])
        self.replayed_the_same("run", "--policy", self.policy)

    def test_resumed_after_a_crash(self):
        """Commands count once: of the journal, not again of the topic."""
        self.ranks = None
        self.begin("--log-flush-interval", "3600", legacy=True)
        self.assertEqual(self.command(action="set", knob_id="app.prefetch", value=7,
                                      node="n1"), "done")
        self.assertEqual(self.command(action="mode", mode="shadow"), "done")
        self.acknowledge(self.b.pull("plans", count=1, quiet_ms=20000)[0][3])
        self.end(signal.SIGKILL)
        args = self.args(self.b, "--control-topic", "commands", "--policy", self.policy,
                         "--idle-timeout", "1")
        args[args.index("--decision-log")] = "--resume"
        self.b.push("findings", [harness.finding(
            1, "n1", opportunity_tags=["reader_parallelism"])])
        r, done = self.run_service(args)
        self.assertIn(done["recognised"], (3, 4), r.brief) # 4: the ack, too
        self.assertEqual([p["new_value"] for p in self.plans()], [7])
        with harness.DecisionLog(self.path("run.h5")) as log:
            self.assertEqual(log.rows("controls"), 2)
            self.assertIn("would_plan", log.names("verdicts", "verdict"))

    def test_the_topic_must_exist_and_be_no_output(self):
        self.b = self.broker()
        r = self.run_ok(self.args(self.b, "--control-topic", "site.commands"), 2)
        for text in ("--control-topic", "'site.commands'", "'site_commands'"):
            self.assertIn(text, r.named("optimizer.config.invalid")[0]["error"])
        r = self.run_ok(self.args(self.b, "--control-topic", "plans"), 2)
        self.assertIn("--output-topic and --control-topic are the same", r.text)


if __name__ == "__main__":
    harness.main()
