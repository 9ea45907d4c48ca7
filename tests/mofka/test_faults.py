#!/usr/bin/env python3
"""What is wrong is reported within seconds, and nothing hangs: files, topics, brokers."""
import os
import signal
import time

from broker import Broker, harness

LOGGED = "optimizer.config.invalid"


class Faults(harness.Case):
    def broker(self):
        b = Broker()
        self.addCleanup(b.stop)
        b.create("findings", "plans", "registry", "acks")
        return b

    def args(self, group_file, *more):
        return ["--transport", "mofka", "--group-file", group_file,
                "--input-topic", "findings", "--output-topic", "plans",
                "--registry-topic", "registry", "--acks-topic", "acks",
                "--broker-timeout", "3", "--log-flush-interval", "0",
                "--plans-file", self.path("plans"), "--record", self.path("record"),
                *more]

    def refused(self, args, *texts, within=8, ranks=None):
        started = time.monotonic()
        r = harness.run(args, ranks=ranks)
        took = time.monotonic() - started
        self.assertEqual(r.code, 2, r.brief)
        logged = r.named(LOGGED)
        self.assertEqual(len(logged), 1, r.brief)
        for text in texts:
            self.assertIn(text, logged[0]["error"])
        self.assertLess(took, within)
        print(f"{took:.1f} s: {logged[0]['error']}")

    # ---- before it runs ----

    def test_group_files(self):
        gone = Broker()
        with open(gone.group_file) as f:
            content = f.read()
        gone.stop()
        self.refused(self.args(self.path("missing")), "missing", "cannot be read")
        for name, content, text in (
                ("text", "no json", "not JSON"), ("list", "[]", "not a JSON object"),
                ("empty", "{}", "no members"),
                ("nothing", '{"members":[{"x":1}]}', "no address"),
                ("old", content, "there is no process")):
            with self.subTest(name):
                self.refused(self.args(self.write(name, content)), name, text)

    def test_group_file_of_a_broker_that_is_gone_over_tcp(self):
        b = Broker("ofi+tcp")
        self.addCleanup(b.stop)
        b.kill()
        self.refused(self.args(b.group_file), b.group_file)

    def test_topics(self):
        b = self.broker()
        for option in ("input", "output", "registry", "acks"):
            with self.subTest(option):
                self.refused(self.args(b.group_file, f"--{option}-topic=absent"),
                             "'absent'", "no such topic")
        self.refused(self.args(b.group_file, "--input-topic=absent"), "'absent'",
                     ranks=4)
        self.refused(self.args(b.group_file, "--global-group-file", b.group_file),
                     "'global_plans'", "no such topic")

    def test_broker_that_does_not_answer_at_the_start(self):
        b = self.broker()
        b.process.send_signal(signal.SIGSTOP)
        self.refused(self.args(b.group_file), "does not answer")

    # ---- while it runs ----

    def begin(self, b, ranks=None):
        """A service that has decided something, and is now idle."""
        running = harness.Running(self.args(b.group_file), ranks=ranks)
        self.addCleanup(running.kill)
        b.push("registry", [harness.loader_registration()], "registration")
        harness.wait_until(lambda: "optimizer.registry.received" in running.so_far(),
                           20, "a registration")
        b.push("findings", [harness.finding(1, "n1")])
        harness.wait_until(lambda: '"optimizer.plan"' in running.so_far(), 20, "a plan")
        return running

    def ends(self, running, pattern, within):
        """It notices at an exchange of one kind or another."""
        started = time.monotonic()
        r = running.finish(30)
        took = time.monotonic() - started
        self.assertEqual(r.code, 1, r.brief)
        logged = r.named("optimizer.input.failed") + r.named("optimizer.failed")
        self.assertTrue(logged, r.brief)
        self.assertRegex(logged[0]["error"], pattern)
        self.assertLess(took, within)
        print(f"{took:.1f} s: {logged[0]['error']}")

    def test_broker_is_killed(self):
        for ranks in (None, 4):
            with self.subTest(ranks=ranks):
                b = self.broker()
                running = self.begin(b, ranks)
                b.kill()
                self.ends(running, "there is no process|takes nothing", 6)

    def test_broker_hangs(self):
        b = self.broker()
        running = self.begin(b)
        b.process.send_signal(signal.SIGSTOP)
        self.ends(running, "does not answer|takes nothing", 12)

    def test_broker_hangs_as_the_service_ends(self):
        b = self.broker()
        running = self.begin(b)
        b.process.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        running.finish(30)
        self.assertLess(time.monotonic() - started, 15)

    def test_broker_is_killed_as_events_come(self):
        b = self.broker()
        b.push("findings", [harness.finding(i, f"n{i % 5}") for i in range(20000)])
        running = harness.Running(self.args(b.group_file))
        self.addCleanup(running.kill)
        harness.wait_until(lambda: os.path.exists(self.path("record")) and
                           os.path.getsize(self.path("record")) > 100000, 20,
                           "records")
        b.kill()
        self.ends(running, "there is no process|takes nothing", 6)


if __name__ == "__main__":
    harness.main()
