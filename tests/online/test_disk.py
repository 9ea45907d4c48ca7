"""The live service on a disk that gets full, while an application runs: it is told its
plans all the same, what failed is said once, the log stays readable, and with room
again --resume goes on."""
import json
import os
import subprocess

import online  # first: it finds harness
import harness
from harness import Case, DecisionLog, main
from online import App, Service, wait_until
from test_kills import POLICY, free_ports

DEADLINE_S = 60
DISK_BYTES = 2 << 20


class Disk(Case):
    def setUp(self):
        super().setUp()
        self.at = free_ports(online.dice())
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
        self.service = Service("--policy", self.policy, how, self.log,
                               "--log-flush-interval", flush_s, "--log-level", "info",
                               "--linger", "0.1", at=self.at)
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

    def wait_for_plans(self):
        before = len(self.app.lines("plan"))
        wait_until(lambda: len(self.app.lines("plan")) >= before + 3, DEADLINE_S,
                   f"plans:\n{self.service.so_far()[-2000:]}")

    def failed(self):
        return [json.loads(line) for line in self.service.so_far().splitlines()
                if '"optimizer.output.failed"' in line]

    def full_and_back(self, flush_s, outputs):
        self.start("--decision-log", flush_s)
        self.app = App(self.path("app"), "node1", self.at, findings=True)
        self.addCleanup(self.app.kill)
        self.wait_for_plans()
        self.fill()
        wait_until(self.failed, DEADLINE_S, "the failure is said")
        self.wait_for_plans()
        os.unlink(self.ballast)
        self.wait_for_plans()  # an output that was given up stays so
        r = self.service.stop()
        self.assertEqual(r.code, 1, r.brief)
        said = r.named("optimizer.output.failed")
        self.assertLessEqual({s["output"] for s in said}, outputs)
        self.assertEqual(len(said), len({s["output"] for s in said}), "said again")
        self.assertIn("No space left", said[0]["error"])
        with DecisionLog(self.log) as d:
            self.assertEqual(d.complete, 0)
        self.start("--resume", "0.5")
        self.wait_for_plans()
        self.assertEqual(self.service.stop().code, 0)
        with DecisionLog(self.log) as d:
            self.assertEqual((d.complete, d.rows("runs")), (1, 2))
        if harness.Config.log_program:
            checked = harness.run(["check", self.log],
                                  program=harness.Config.log_program)
            self.assertEqual(checked.code, 0, checked.brief)
        self.assertEqual(self.app.finish(), 0)

    def test_full_under_the_log(self):
        self.full_and_back("0.05", {"decision log", "journal"})

    def test_full_under_the_journal(self):
        """No flush comes between: the journal is what grows."""
        self.full_and_back("600", {"journal", "decision log"})


if __name__ == "__main__":
    main()
