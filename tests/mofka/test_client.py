#!/usr/bin/env python3
"""An application over Mofka: the library's Python binding, and a service of ours."""
import json
import os
import signal
import subprocess
import sys

from broker import Broker, harness

TOPICS = ("plans", "registry", "acks")

# Applies whatever comes, and says so; ends at the end of its standard input.
APPLICATION = """
import logging, sys, threading, dfopt_client as d
logging.basicConfig(level=logging.INFO)
group, topics, hostname = sys.argv[1], sys.argv[2].split(","), sys.argv[3]
if group:
    context = d.OptimizerContext("app", group_file=group, topic_plans=topics[0],
        topic_registry=topics[1], topic_acks=topics[2], hostname=hostname)
else:
    context = d.OptimizerContext("app", group_file="/none", hostname=hostname)
context.start()
knob = d.KnobDef(id="app.prefetch", default=2, type=int, range=(1, 64),
    responds_to={"dataloader_prefetch": d.KnobResponse(step=2, step_mode="add", min_persistence=1,
                                                    effectiveness_threshold=0)})
context.register_knobs("app.loader", {"prefetch": knob}, {"prefetch": 2})
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
while not over.wait(0.02):
    for plan in context.drain_actions_for("app.loader"):
        context.ack_action(plan, plan.old_value, plan.new_value)
        print(plan.knob_id, plan.old_value, plan.new_value, flush=True)
context.stop()
"""


class Application(harness.Case):
    def begin(self, b, hostname="n1", group_file=None, **env):
        group_file = b.group_file if group_file is None else group_file
        p = subprocess.Popen(
            [sys.executable, "-c", APPLICATION, group_file, ",".join(TOPICS), hostname],
            stdin=subprocess.PIPE, stdout=open(self.path("app." + hostname), "wb"),
            stderr=open(self.path("app.err"), "ab"), env={**b.environment(), **env})
        self.addCleanup(p.kill)
        return p

    def applied(self, hostname="n1"):
        return self.read("app." + hostname).decode().split("\n")[:-1]

    def wait_applied(self, n, hostname="n1"):
        try:
            harness.wait_until(lambda: len(self.applied(hostname)) >= n, 60,
                               f"{n} plans applied")
        except AssertionError as e:
            raise AssertionError(f"{e}; the application said: "
                                 f"{self.read('app.err')[-1500:]}")

    def end(self, p):
        p.stdin.close()
        self.assertEqual(p.wait(60), 0, self.read("app.err")[-1500:])

    def service(self, b):
        """It does not wait for an objective before the next step."""
        policy = self.write("policy.json", '{"switches":{"effect":"severity"}}')
        running = harness.Running(
            ["--transport", "mofka", "--group-file", b.group_file, "--input-topic",
             "findings", "--output-topic", "plans", "--registry-topic", "registry",
             "--acks-topic", "acks", "--decision-log", self.path("log.h5"),
             "--policy", policy])
        self.addCleanup(running.kill)
        harness.wait_until(lambda: "optimizer.stream.start" in running.so_far(), 60,
                           "a service")
        return running

    def broker(self):
        b = Broker()
        self.addCleanup(b.stop)
        return b

    def test_plans_are_applied_and_acknowledged(self):
        b = self.broker()
        b.create("findings", *TOPICS)
        service = self.service(b)
        app = self.begin(b)
        harness.wait_until(lambda: "optimizer.registry.received" in service.so_far(), 60,
                           "a registration")
        for n in range(1, 4): # one after the other, so each has to be acknowledged
            b.push("findings", [harness.finding(10 * n, None,
                                                opportunity_tags=["dataloader_prefetch"])])
            self.wait_applied(n)
            harness.wait_until(lambda: len(b.pull("acks", f"t{n}", quiet_ms=300)) == n,
                               10, "acks")
        steps = [tuple(map(int, line.split()[1:])) for line in self.applied()]
        self.assertEqual([2] + [new for _, new in steps[:-1]], [old for old, _ in steps])
        self.end(app)
        service.process.send_signal(signal.SIGTERM)
        r = service.finish()
        done = r.named("optimizer.stream.done")[0]
        self.assertEqual((done["plan_count"], done["acks"], done["acks_unmatched"]),
                         (3, 3, 0))

    def test_the_environment_says_where(self):
        b = self.broker()
        b.create("findings", *TOPICS)
        service = self.service(b)
        app = self.begin(b, group_file="", DFOPT_CLIENT_GROUP_FILE=b.group_file, **{
            "DFOPT_CLIENT_" + topic.upper(): topic for topic in TOPICS})
        harness.wait_until(lambda: "optimizer.registry.received" in service.so_far(), 60,
                           "a registration")
        b.push("findings", [harness.finding(1, None)])
        self.wait_applied(1)
        self.end(app)
        self.assertEqual(len(b.pull("acks")), 1)

    def test_before_the_broker(self):
        """It waits for one, and runs on without."""
        b = self.broker()
        app = self.begin(b) # topics are missing as yet
        b.create("findings", *TOPICS)
        service = self.service(b)
        harness.wait_until(lambda: "optimizer.registry.received" in service.so_far(), 60,
                           "a registration")
        b.kill()
        self.end(app)

    def test_copies_go_to_the_global_optimizer(self):
        b, g = self.broker(), self.broker()
        b.create("findings", *TOPICS)
        g.create("all_registry", "all_acks")
        service = self.service(b)
        app = self.begin(b, INFRA_CXI_GROUP=g.group_file,
                         DFOPTIMIZER_GLOBAL_REGISTRY_TOPIC="all_registry",
                         DFOPTIMIZER_GLOBAL_ACKS_TOPIC="all_acks")
        harness.wait_until(lambda: "optimizer.registry.received" in service.so_far(), 60,
                           "a registration")
        b.push("findings", [harness.finding(1, None)])
        self.wait_applied(1)
        self.end(app)
        for topic in ("registry", "acks"):
            here = [json.dumps(e[2:]) for e in b.pull(topic)]
            there = [json.dumps(e[2:]) for e in g.pull("all_" + topic)]
            # the application has registered and, at its end, left
            self.assertEqual(len(here), 2 if topic == "registry" else 1,
                             (topic, self.read("app.err")))
            self.assertEqual(here, there)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    harness.main()
