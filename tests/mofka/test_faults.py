#!/usr/bin/env python3
"""What is wrong is reported within seconds, and nothing hangs: files, topics, brokers."""
import os
import signal
import time

from broker import Broker, harness

LOGGED = "optimizer.config.invalid"


class Faults(harness.Case):
    def broker(self, protocol="na+sm", legacy=False):
        b = Broker(protocol, legacy)
        self.addCleanup(b.stop)
        b.create("findings", "plans", "registry", "acks", "plans2")
        return b

    def args(self, group_file, *more, timeout="3"):
        return ["--transport", "mofka", "--group-file", group_file,
                "--input-topic", "findings", "--output-topic", "plans",
                "--registry-topic", "registry", "--acks-topic", "acks",
                "--broker-timeout", timeout, "--log-flush-interval", "0",
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
        self.refused(self.args(self.path("missing")), "missing", "cannot read it")
        for name, content, text in (
                ("text", "no json", "not JSON"), ("list", "[]", "not a JSON object"),
                ("empty", "{}", "no members"),
                ("nothing", '{"members":[{"x":1}]}', "no address"),
                ("old", content, "no process")):
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
        self.refused(self.args(b.group_file), "no answer")

    # ---- two services ----

    def serve(self, b, *more):
        running = harness.Running(self.args(b.group_file, *more))
        self.addCleanup(running.kill)
        harness.wait_until(lambda: "optimizer.stream.start" in running.so_far(), 60,
                           "a service")
        return running

    def test_two_services_of_one_name(self):
        """Each is told of the other, once, and by both, also if one has dots in the topic
        where the broker has underscores."""
        for protocol in "na+sm", "ofi+tcp":
            with self.subTest(protocol):
                b = self.broker(protocol)
                b.create("job_findings")
                both = [self.serve(b, "--plans-file", self.path(f"{i}.plans"), "--record",
                                   self.path(f"{i}.jsonl"), "--input-topic", topic)
                        for i, topic in enumerate(("job.findings", "job_findings"))]
                for mine, other in (both, both[::-1]):
                    text = f"process {other.process.pid} on "
                    harness.wait_until(lambda: text in mine.so_far(), 10, text)
                for running in both:
                    running.process.send_signal(signal.SIGTERM)
                for running in both:
                    notes = running.finish().named("optimizer.transport.note")
                    told = [n["note"] for n in notes if "--consumer-name" in n["note"]]
                    self.assertEqual(len(told), 1, told)
                    self.assertIn("reads 'job_findings' as consumer "
                                  "'dfopt-mpi.job_findings'", told[0])

    def test_services_one_after_the_other_or_of_other_names(self):
        """One that has ended, or was killed, is no other service."""
        b = self.broker(legacy=True) # where a killed one does not wedge the topic
        for number in signal.SIGTERM, signal.SIGKILL, signal.SIGTERM:
            running = self.serve(b)
            other = self.serve(b, "--consumer-name", "shadow", "--output-topic",
                               "plans2", "--plans-file", self.path("2.plans"),
                               "--record", self.path("2.jsonl"))
            b.push("findings", [harness.finding(1, "n1")])
            for r in running, other: # it has read what came before the finding
                harness.wait_until(lambda: '"no_knobs":1' in r.so_far() or
                                   os.path.getsize(self.path(
                                       "2.jsonl" if r is other else "record")) > 50, 60,
                                   "a finding")
            running.process.send_signal(number)
            other.process.send_signal(signal.SIGTERM)
            for r in running, other:
                self.assertNotIn("--consumer-name", r.finish().text)

    # ---- while it runs ----

    def begin(self, b, ranks=None, timeout="3"):
        """A service that has decided something, and is now idle."""
        running = harness.Running(self.args(b.group_file, timeout=timeout), ranks=ranks)
        self.addCleanup(running.kill)
        b.push("registry", [harness.loader_registration()], "registration")
        harness.wait_until(lambda: "optimizer.registry.received" in running.so_far(),
                           20, "a registration")
        b.push("findings", [harness.finding(1, "n1")])
        harness.wait_until(lambda: '"optimizer.plan"' in running.so_far(), 60, "a plan")
        return running

    def ends(self, running, pattern, within):
        """It notices at an exchange of one kind or another."""
        started = time.monotonic()
        r = running.finish()
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
                self.ends(running, "no process|accepted nothing", 6)

    def test_the_whole_end_is_bounded(self):
        """With the default patience, 10 s: until it is reported, and some 2 s more."""
        for protocol in "na+sm", "ofi+tcp":
            for kill in True, False:
                with self.subTest(protocol=protocol, kill=kill):
                    b = self.broker(protocol)
                    running = self.begin(b, timeout="10")
                    if kill:
                        b.kill()
                    else:
                        b.process.send_signal(signal.SIGSTOP)
                    quick = kill and protocol == "na+sm"
                    self.ends(running, "no process|accepted nothing|no answer",
                              6 if quick else 16)

    def test_broker_hangs(self):
        b = self.broker()
        running = self.begin(b)
        b.process.send_signal(signal.SIGSTOP)
        self.ends(running, "no answer|accepted nothing", 12)

    def test_broker_hangs_as_the_service_ends(self):
        b = self.broker()
        running = self.begin(b)
        b.process.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        running.finish()
        self.assertLess(time.monotonic() - started, 15)

    def test_broker_is_killed_as_events_come(self):
        b = self.broker()
        b.push("findings", [harness.finding(i, f"n{i % 5}") for i in range(20000)])
        running = harness.Running(self.args(b.group_file))
        self.addCleanup(running.kill)
        harness.wait_until(lambda: os.path.exists(self.path("record")) and
                           os.path.getsize(self.path("record")) > 100000, 60,
                           "records")
        b.kill()
        self.ends(running, "no process|accepted nothing", 6)


if __name__ == "__main__":
    harness.main()
