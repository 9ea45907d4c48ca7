"""The live service on a disk that gets full, while an application runs: it is told its
plans all the same, what happened is logged once, the log stays readable; with room again
nothing that was decided is missing from the log, if need be after --resume.
DFOPT_ONLINE_LONG=1: the disk is full for a minute."""
import json
import os
import subprocess
import time

import online  # first: it finds harness
import harness
from harness import Case, DecisionLog, main
from online import App, Service, wait_until
from test_kills import POLICY

DEADLINE_S = 60
DISK_BYTES = 2 << 20
FULL_S = 60 if online.LONG else 1


class Disk(Case):
    def setUp(self):
        super().setUp()
        self.at = online.held_endpoints(self)
        self.policy = self.write("policy.json", json.dumps(POLICY))
        self.disk = self.path("disk")
        os.mkdir(self.disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}",
                                  "tmpfs", self.disk], stderr=subprocess.DEVNULL)
        if mounted.returncode:
            self.skipTest("cannot mount a small tmpfs here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk])
        self.log, self.ballast = (os.path.join(self.disk, n) for n in ("log.h5", "ballast"))

    def start(self, how, flush_s):
        self.service = Service(
            "--policy", self.policy, how, self.log, "--log-flush-interval", flush_s,
            "--record", self.path("record"), "--log-level", "info", "--linger", "0.1",
            at=self.at)
        self.addCleanup(self.service.kill)
        self.service.listening()

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as f:
            try:
                while f.write(bytes(4096)) == 4096:
                    pass
            except OSError:
                return
        raise AssertionError("the disk is not full")

    def logged(self, what):
        return [json.loads(line) for line in self.service.so_far().splitlines()
                if f'"optimizer.output.{what}"' in line]

    def full_and_back(self, flush_s, what):
        """The service at its end; `what` is logged when the disk is full."""
        self.start("--decision-log", flush_s)
        self.app = App(self.path("app"), "node1", self.at, findings=True)
        self.addCleanup(self.app.kill)
        self.app.wait_for_plans(self.service)
        self.fill()
        wait_until(lambda: self.logged(what), DEADLINE_S, "it is logged")
        room = time.monotonic() + FULL_S
        while time.monotonic() < room:
            self.app.wait_for_plans(self.service)
        waits = self.logged("delayed")
        os.unlink(self.ballast)
        self.app.wait_for_plans(self.service)
        if waits:
            wait_until(lambda: self.logged("recovered"), DEADLINE_S, "the journal is back")
        r = self.service.stop()
        last = {}
        for s in r.events:
            event = s["event"].removeprefix("optimizer.output.")
            if event in ("failed", "delayed", "recovered"):
                self.assertNotEqual(last.get(s["output"]), event, f"{event} again")
                last[s["output"]] = event
        for logged in r.named("optimizer.output." + what):
            self.assertIn("No space left", logged["error"])
        return r

    def go_on(self):
        self.start("--resume", "0.5")
        self.app.wait_for_plans(self.service)
        self.assertEqual(self.service.stop().code, 0)

    def assert_nothing_missing(self, runs):
        """What the application got is in the log, as it got it; the log is that of a
        replay of what came in."""
        self.assertEqual(self.app.finish(), 0)
        with DecisionLog(self.log) as d:
            self.assertEqual((d.complete, d.rows("runs")), (1, runs))
            kept = dict(zip(d.plan_ids("plans"), zip(
                d.strings("plans", "knob"), d.column("plans", "new_int"))))
        got = {p[1]: ("app." + p[2], int(p[3])) for p in self.app.lines("plan")}
        self.assertGreater(len(got), 10)
        self.assertEqual({i: kept.get(i) for i in got}, got)
        self.run_ok(["--findings-file", self.path("record"), "--policy", self.policy,
                     "--decision-log", self.path("replay.h5")])
        if harness.Config.log_program:
            self.dfopt_log("check")
            here = self.dfopt_log("dump", *harness.DECIDED)
            there = self.dfopt_log("dump", *harness.DECIDED, log=self.path("replay.h5"))
            run = next(iter(got))[-9:].encode()  # in the ids of a live run
            self.assertEqual(here.replace(run, b""), there)

    def dfopt_log(self, *args, log=None):
        r = harness.run([*args, log or self.log], program=harness.Config.log_program)
        self.assertEqual(r.code, 0, r.brief)
        return r.out

    def test_full_under_the_log(self):
        """It is given up; the journal goes on, and waits while it cannot."""
        r = self.full_and_back("0.05", "failed")
        self.assertEqual(r.code, 1, r.brief)
        self.assertEqual([s["output"] for s in r.named("optimizer.output.failed")],
                         ["decision log"])
        with DecisionLog(self.log) as d:
            self.assertEqual(d.complete, 0)
        self.go_on()
        self.assert_nothing_missing(2)

    def test_full_under_the_journal(self):
        """No flush comes between: the journal is what grows."""
        r = self.full_and_back("600", "delayed")
        failed = r.named("optimizer.output.failed")
        if not online.LONG:  # in a minute a chunk of the log gets full
            self.assertEqual(failed, [])
        self.assertEqual(r.code, int(bool(failed)), r.brief)
        if failed:
            self.go_on()
        self.assert_nothing_missing(1 + len(failed))


if __name__ == "__main__":
    main()
