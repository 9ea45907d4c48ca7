#!/usr/bin/env python3
"""The live service over Mofka, against a real broker: what goes in comes out, once,
in any number of partitions, on any number of ranks, over restarts."""
import json
import os
import signal

from broker import harness, without_identity
from service import DONE, TOPICS, Service


class Flow(Service):
    # ---- what goes in comes out ----

    def check_session(self, partitions, ranks):
        b = self.broker(partitions)
        log = harness.session(6, 12, global_plans=False)
        b.push_session(log, TOPICS)
        _, done = self.run_service(self.args(b), ranks=ranks)
        for stream, field in (("finding", "findings"), ("ack", "acks"),
                              ("registration", "registrations")):
            sent = [e["body"] for e in log if e["stream"] == stream]
            self.assertEqual(done[field], len(sent))
            came = [e["body"] for e in self.records() if e["stream"] == stream]
            self.assertCountEqual(map(json.dumps, came), map(json.dumps, sent))
        plans = [json.loads(x) for x in self.read("run.plans").splitlines()]
        self.assertGreater(len(plans), 10)
        pulled = b.pull("plans")
        self.assertCountEqual(map(json.dumps, plans),
                              [json.dumps(p[3]) for p in pulled])
        for _, _, metadata, body in pulled:
            self.assertEqual(metadata["type"], "action_plan")
            self.assertEqual(metadata["plan_id"], body["plan_id"])
            self.assertEqual(metadata.get("target_nodes", []), body["target_nodes"])
        for knob in {p["knob_id"] for p in plans}: # those of a knob are in order
            self.assertEqual([p["plan_id"] for p in plans if p["knob_id"] == knob],
                             [p[3]["plan_id"] for p in pulled
                              if p[3]["knob_id"] == knob])
        self.replayed_the_same()
        live = self.read("run.plans")
        self.assertEqual(self.read("run.again"), without_identity(live))
        self.assertNotEqual(live, without_identity(live))

    def test_session_alone(self):
        self.check_session(1, None)

    def test_session_on_four_ranks_from_three_partitions(self):
        self.check_session(3, 4)

    def test_events_of_a_partition_stay_in_order(self):
        b = self.broker(3)
        b.push("findings", [harness.finding(i, "n1") for i in range(3000)])
        self.run_service(self.args(b))
        came = [e["body"]["window_index"] for e in self.records()]
        self.assertEqual(sorted(came), list(range(3000)))
        for p in range(3): # the peer sends to each in turn
            self.assertEqual([w for w in came if w % 3 == p], list(range(p, 3000, 3)))

    def test_a_program_on_path_finds_its_module(self):
        """It is given its own name without a folder then."""
        r = self.run_ok(["--transport", "mofka", "--group-file", "/none"], 2, wrapper=[
            "sh", "-c", 'PATH=$(dirname "$0"):$PATH && exec dfopt-mpi "$@"'])
        self.assertIn("group file '/none'", r.text)

    # ---- what is no finding ----

    def test_objectives(self):
        """They are taken, journalled and recorded, and judge the trials."""
        b = self.broker(more=["objectives"])
        b.push("registry", [harness.loader_registration()], "registration")
        running = self.start(self.args(b, "--objectives-topic", "objectives",
                                       "--log-flush-interval", "3600",
                                       "--idle-timeout", "never"))
        sent = [{"node": "n1", "window_index": w, "value": 100.0 + w % 2}
                for w in range(40)]
        for w, objective in enumerate(sent):
            if w % 4 == 0:
                b.push("objectives", sent[w:w + 4], "objective")
                b.push("findings", [harness.finding(w + 3, "n1")])

        def journalled():
            lines = self.read("run.h5.journal").splitlines()
            return [json.loads(x)["body"] for x in lines if b'"objective"' in x]
        harness.wait_until(lambda: len(journalled()) == len(sent), 60, "objectives")
        self.assertEqual(journalled(), sent)
        running.process.send_signal(signal.SIGTERM)
        r = running.finish()
        self.assertEqual(r.code, 0, r.brief)
        self.assertEqual(r.named(DONE)[0]["objectives"], len(sent))
        came = [e["body"] for e in self.records() if e["stream"] == "objective"]
        self.assertEqual(came, sent)
        with harness.DecisionLog(self.path("run.h5")) as log:
            self.assertEqual(log.column("objectives", "value").tolist(),
                             [o["value"] for o in sent])
            self.assertGreater(log.rows("outcomes"), 0)
        self.replayed_the_same()

    def test_stop_sentinels_are_passed_over(self):
        b = self.broker()
        b.push_events("findings", [({"name": "end"}, {}), ({"type": "stop"}, {}),
                                   ({"type": "diagnosis_finding"},
                                    harness.finding(1, "n1"))])
        _, done = self.run_service(self.args(b))
        self.assertEqual((done["findings"], done["records"]), (1, 1))

    def test_unusable_events_are_counted(self):
        b = self.broker()
        b.push_events("findings", [({}, "{broken"), ({}, ""), ({}, "x" * 3000000),
                                   ([1, 2], harness.finding(1, "n1"))])
        r, done = self.run_service(self.args(b))
        self.assertEqual((done["findings"], done["invalid"]), (1, 3))
        logged = [(e["file"], e["line"], e["stream"], e["error"])
                  for e in r.named("optimizer.record.invalid")]
        self.assertEqual([x[1:3] for x in logged], [(n, "finding") for n in range(3)])
        for origin, *_ in logged:
            self.assertRegex(origin, r"^mofka:findings/0@[0-9a-f-]{36}$")
        self.assertEqual([(x["origin"], x["line"], x["stream"], x["reason"])
                          for x in self.rejects("run")], logged)

    # ---- acknowledging ----

    def test_goes_on_where_it_left_off(self):
        b = self.broker(2)
        for part in range(3):
            name = f"part{part}"
            bodies = [harness.finding(100 * part + i, "n1") for i in range(100)]
            b.push("findings", bodies)
            self.run_service(self.args(b, name=name))
            came = sorted(e["body"]["window_index"] for e in self.records(name))
            self.assertEqual(came, [f["window_index"] for f in bodies])
        self.run_service(self.args(b, "--consumer-name", "another", name="all"))
        self.assertEqual(len(self.records("all")), 300)

    def test_registrations_are_read_again(self):
        b = self.broker()
        b.push("registry", [harness.loader_registration()], "registration")
        for name in ("one", "two"):
            b.push("findings", [harness.finding(1, "n1")])
            _, done = self.run_service(self.args(b, name=name))
            self.assertEqual((done["registrations"], done["findings"]), (1, 1))
            self.assertGreater(done["plan_count"], 0)

    def check_stopped(self, ranks):
        """SIGTERM while events come: each is decided once, here or by the next."""
        b = self.broker(2)
        b.push("findings", [harness.finding(i, "n1") for i in range(6000)])
        came, n = [], 0
        while len(came) < 6000:
            name = f"part{n}"
            n += 1
            self.assertLess(n, 40)
            running = self.start(self.args(b, "--batch-events", "64",
                                           "--log-flush-interval", "0", name=name),
                                 ranks=ranks)
            wanted = (len(came) + 1500) // 2 if n < 4 else 6000
            harness.wait_until(
                lambda: os.path.getsize(self.path(name + ".jsonl")) > wanted * 300
                or running.process.poll() is not None, 60, "records")
            if running.process.poll() is None:
                os.kill(harness.rank_process(running.sid, 0) if ranks
                        else running.process.pid, signal.SIGTERM)
            r = running.finish()
            self.assertEqual(r.code, 0, r.brief)
            came += [e["body"]["window_index"] for e in self.records(name)]
        self.assertGreater(n, 1)
        self.assertEqual(sorted(came), list(range(6000)))

    def test_stopped_and_started_alone(self):
        self.check_stopped(None)

    def test_stopped_and_started_on_four_ranks(self):
        self.check_stopped(4)


if __name__ == "__main__":
    harness.main()
