#!/usr/bin/env python3
"""A global optimizer over Mofka: its plans, how often, and who passes them on."""
import json
import signal
import socket

from broker import Broker, harness

HOST = socket.gethostname()


def plan(number, *nodes, **over):
    return {"plan_id": f"global_{number}", "knob_id": "app.prefetch",
            "target_function": "app.loader", "old_value": 2, "new_value": 3 + number,
            "apply_when": "next_window", "target_nodes": list(nodes), **over}


class Global(harness.Case):
    def broker(self, *topics):
        b = Broker()
        self.addCleanup(b.stop)
        b.create(*topics)
        return b

    def args(self, b, *more):
        return ["--transport", "mofka", "--group-file", b.group_file, "--input-topic",
                "findings", "--output-topic", "plans", "--registry-topic", "registry",
                "--acks-topic", "acks", "--idle-timeout", "1", "--acks", "assumed",
                *more]

    def check_relay(self, *more, ranks=None):
        here = self.broker("findings", "plans", "registry", "acks")
        there = self.broker("global_plans")
        here.push("registry", [harness.loader_registration()], "registration")
        here.push("findings", [harness.finding(1, "n1")])
        there.push("global_plans", [plan(1), plan(2, HOST), plan(3, "elsewhere")],
                   "global_plan")
        r = self.run_ok(self.args(here, "--global-group-file", there.group_file, *more),
                        ranks=ranks)
        done = r.named("optimizer.stream.done")[0]
        ids = [e[3]["plan_id"] for e in here.pull("plans")]
        relayed = [i for i in ids if i.startswith("global_")]
        self.assertEqual(relayed, ["global_1", "global_2"])
        return done, len(ids) - len(relayed)

    def test_relay_beside_own_plans(self):
        done, own = self.check_relay(ranks=4)
        self.assertEqual((done["relayed"], done["findings"]), (2, 1))
        self.assertGreater(own, 0)

    def test_relay_only(self):
        done, own = self.check_relay("--relay-only")
        self.assertEqual((done["relayed"], done["findings"], own), (2, 0, 0))

    def test_relay_for_another_host(self):
        here = self.broker("plans")
        there = self.broker("global_plans")
        there.push("global_plans", [plan(2, HOST), plan(3, "elsewhere")], "global_plan")
        knobs = self.write("knobs", json.dumps([harness.loader_registration()]))
        self.run_ok(self.args(here, "--global-group-file", there.group_file,
                              "--relay-only", "--no-registry", "--registry-file", knobs,
                              "--relay-hostname", "elsewhere"))
        self.assertEqual([e[3]["plan_id"] for e in here.pull("plans")], ["global_3"])

    def test_fanout(self):
        b = self.broker("findings", "global_plans", "registry", "acks")
        b.push("registry", [harness.loader_registration()], "registration")
        b.push("findings", [harness.finding(1, None)])
        r = self.run_ok([*self.args(b), "--output-topic", "global_plans"],
                        env={"DFOPTIMIZER_GLOBAL_PLAN_FANOUT": "3"})
        n = r.named("optimizer.stream.done")[0]["plan_count"]
        ids = [e[3]["plan_id"] for e in b.pull("global_plans")]
        self.assertGreater(n, 0)
        self.assertEqual(len(ids), 3 * n)
        self.assertEqual(len(set(ids)), n)

    def test_acks_of_plans_that_were_sent_twice(self):
        """A relay passes each on once; acknowledged, it is that of a plan in flight."""
        there = self.broker("findings", "global_plans", "registry", "acks")
        here = self.broker("plans", "registry", "acks")
        for b in here, there:
            b.push("registry", [harness.loader_registration()], "registration")
        there.push("findings", [harness.finding(1, None)])
        above = harness.Running(
            ["--transport", "mofka", "--group-file", there.group_file, "--input-topic",
             "findings", "--output-topic", "global_plans", "--registry-topic", "registry",
             "--acks-topic", "acks", "--log-level", "debug"],
            env={"DFOPTIMIZER_GLOBAL_PLAN_FANOUT": "2"})
        self.addCleanup(above.kill)
        harness.wait_until(lambda: '"optimizer.plan"' in above.so_far(), 60, "a plan")
        sent = [e[3] for e in there.pull("global_plans")]
        plans = {p["plan_id"]: p for p in sent}
        self.assertEqual(len(sent), 2 * len(plans))

        r = self.run_ok(self.args(here, "--global-group-file", there.group_file,
                                  "--relay-only"))
        self.assertEqual(r.named("optimizer.stream.done")[0]["relayed"], len(plans))
        self.assertEqual([e[3]["plan_id"] for e in here.pull("plans")], list(plans))

        there.push("acks", [{"plan_id": p["plan_id"], "knob_id": p["knob_id"],
                             "status": "applied", "new_value": p["new_value"]}
                            for p in plans.values()], "ack")
        received = '"optimizer.ack.received"'
        harness.wait_until(lambda: above.so_far().count(received) == len(plans), 60, "acks")
        above.process.send_signal(signal.SIGTERM)
        r = above.finish()
        outcomes = [e["outcome"] for e in r.named("optimizer.ack.received")]
        self.assertEqual(outcomes, ["applied"] * len(plans))


if __name__ == "__main__":
    harness.main()
