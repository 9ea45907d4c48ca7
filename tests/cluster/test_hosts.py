#!/usr/bin/env python3
"""Four ranks on four hosts with TCP between them, and a host that is cut off."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))
import harness  # noqa: E402
import hosts  # noqa: E402
from harness import DecisionLog, wait_until  # noqa: E402

RUN_S = 120
NOTICED_S = 20  # a host that is gone, with the settings below
KEEPALIVE = ["--mca", "oob_tcp_keepalive_time", "2", "--mca", "oob_tcp_keepalive_intvl",
             "1", "--mca", "oob_tcp_keepalive_probes", "2"]
COLUMNS = ("seq", "knob", "verdict", "value", "threshold")


def setUpModule():
    reason = hosts.missing()
    if not reason and harness.is_sanitized(harness.Config.program):
        reason = "the programs are sanitized"
    if reason:
        raise unittest.SkipTest(reason)


class FourHosts(harness.Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        self.hosts = hosts.Hosts(4, self.folder)
        self.addCleanup(self.hosts.close)

    def recording(self, nodes, windows):
        path = self.write("session.jsonl", harness.lines(harness.session(nodes, windows)))
        self.run_ok(["--findings-file", path, "--plans-file", self.path("alone.jsonl"),
                     "--final-state", self.path("alone.json"),
                     "--decision-log", self.path("alone.h5")])
        self.assertGreater(len(self.read("alone.jsonl")), 1000)
        return path

    def args(self, path, *more):
        return ["--findings-file", path, "--plans-file", self.path("plans.jsonl"),
                "--final-state", self.path("state.json"), "--log-level", "warning", *more]

    def as_alone(self):
        """Plans, state and verdicts are those of one rank, to the byte."""
        self.assertEqual(self.read("plans.jsonl"), self.read("alone.jsonl"))
        self.assertEqual(self.read("state.json"), self.read("alone.json"))
        with DecisionLog(self.path("log.h5")) as a, DecisionLog(self.path("alone.h5")) as b:
            self.assertEqual(a.complete, 1)
            for name in COLUMNS:
                self.assertEqual(a.column("verdicts", name).tobytes(),
                                 b.column("verdicts", name).tobytes(), name)

    def test_exact(self):
        path = self.recording(32, 60)
        for readers in ("all", "one"):
            with self.subTest(readers=readers):
                self.run_ok(self.args(path, "--readers", readers, "--decision-log",
                                      self.path("log.h5")),
                            wrapper=self.hosts.mpirun(), timeout=RUN_S)
                self.as_alone()

    def test_a_host_is_cut_off(self):
        path, log = self.recording(40, 800), self.path("log.h5")
        # many small batches, so that there is a midway
        small = ["--read-bytes", "4096", "--log-flush-interval", "0.2"]
        running = harness.Running(self.args(path, *small, "--decision-log", log),
                                  wrapper=self.hosts.mpirun(*KEEPALIVE))
        self.addCleanup(running.kill)
        wait_until(lambda: os.path.exists(log) and os.path.getsize(log) > 200_000,
                   RUN_S, "rows of the log")
        self.hosts.cut_off(3)
        r = running.finish(NOTICED_S)
        self.assertNotEqual(r.code, 0)
        self.assertIn("lost communication", r.text)
        self.assertIn(hosts.SUBNET + "3", r.text)
        wait_until(lambda: not self.hosts.processes(), NOTICED_S,
                   "the end of all processes, also on the host that was cut off")
        self.is_a_beginning(log)
        # on the hosts that are left
        self.run_ok(self.args(path, "--resume", log),
                    wrapper=self.hosts.mpirun(on=(1, 2, 4)), timeout=RUN_S)
        self.as_alone()

    def is_a_beginning(self, log):
        check = harness.run(["check", log], program=harness.Config.log_program)
        self.assertEqual(check.other_lines, [], check.text)
        with DecisionLog(log) as a, DecisionLog(self.path("alone.h5")) as b:
            n = a.rows("verdicts")
            self.assertGreater(n, 100)
            self.assertLess(n, b.rows("verdicts"))
            for name in COLUMNS:
                self.assertEqual(a.column("verdicts", name).tobytes(),
                                 b.column("verdicts", name)[:n].tobytes(), name)


if __name__ == "__main__":
    harness.main()
