#!/usr/bin/env python3
"""The loop, closed over Mofka: the demonstration's loader and a service, which know each
other by topics alone."""
from broker import Broker, harness
from demo_story import Story, by_event

PLANS, REGISTRY, ACKS = TOPICS = ("plans", "registry", "acks")


class Loop(Story):
    def loader(self, *args, code=0):
        return self.run_ok([f"--make-data={self.path('data')}", "--hostname=node7", *args],
                           code, program=harness.Config.demo_program, timeout=120)

    def mofka(self, group_file):
        return ["--transport=mofka", f"--group-file={group_file}", "--findings=findings",
                f"--plans={PLANS}", f"--registry={REGISTRY}", f"--acks={ACKS}"]

    def run_loop(self, ranks):
        b = Broker()
        self.addCleanup(b.stop)
        b.create("findings", *TOPICS)
        service = harness.Running(
            ["--transport", "mofka", "--group-file", b.group_file, "--input-topic",
             "findings", "--output-topic", PLANS, "--registry-topic", REGISTRY,
             "--acks-topic", ACKS, "--idle-timeout", "5", "--decision-log",
             self.path("log.h5")], ranks=ranks)
        self.addCleanup(service.kill)
        harness.wait_until(lambda: "optimizer.stream.start" in service.so_far(), 60,
                           "a service")
        r = self.loader(*self.mofka(b.group_file), "--window-ms=100",
                        "--wait-optimizer=60", f"--json={self.path('loader.jsonl')}")
        self.assertIn(b"optimizer: connected; findings at topic findings", r.out)
        r = service.finish()
        self.assertEqual(r.code, 0, r.text)
        b.stop()
        return by_event(self.path("loader.jsonl"))

    def check_loop(self, ranks):
        report = self.assert_closes(lambda: self.run_loop(ranks))
        self.assert_same_story(self.path("log.h5"), report)

    def test_alone(self):
        self.check_loop(None)

    def test_on_four_ranks(self):
        self.check_loop(4)

    def test_a_topic_that_is_missing(self):
        b = Broker()
        self.addCleanup(b.stop)
        r = self.loader(*self.mofka(b.group_file), "--windows=1", code=1)
        self.assertIn("topic 'findings'", r.text)
        self.assertIn("no such topic", r.text)

    def test_a_broker_that_ends_does_not_hold_up_the_loader(self):
        b = Broker()
        self.addCleanup(b.stop)
        b.create("findings", *TOPICS)
        running = harness.Running(
            [f"--make-data={self.path('data')}", *self.mofka(b.group_file),
             "--window-ms=100", "--windows=30"], program=harness.Config.demo_program)
        self.addCleanup(running.kill)
        harness.wait_until(lambda: b.pull("findings", "look", quiet_ms=100), 60,
                           "findings")
        b.kill()
        r = running.finish()
        self.assertEqual(r.code, 0, r.text)
        self.assertIn(b"no record lost or duplicated", r.out)

    def test_options_that_do_not_fit(self):
        for args, wrong in (
                (["--transport=mofka"], "needs --group-file"),
                (["--group-file=g"], "--group-file is for --transport=mofka"),
                (["--transport=udp"], "--transport takes one of zmq, mofka, not 'udp'"),
                ([*self.mofka("g"), "--stop-optimizer"], "--stop-optimizer is for"),
                ([*self.mofka("g"), "--findings-connect"], "--findings-connect is for")):
            with self.subTest(args=args):
                self.assertIn(wrong, self.loader(*args, code=2).text)


if __name__ == "__main__":
    harness.main()
