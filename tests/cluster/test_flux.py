#!/usr/bin/env python3
"""The batch scripts of jobs/flux, in a Flux instance of this test's own."""
import os
import shutil
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))
import harness  # noqa: E402
from harness import DecisionLog  # noqa: E402

JOBS = os.path.join(HERE, "..", "..", "jobs")
# one rank, without MPI's help: which MPI a Flux can start is the site's affair
SETTINGS = {"DFOPT_LAUNCHER": "none", "DFOPT_INTERFACE": "lo", "DFOPT_JOBS": JOBS,
            "DFOPT_SERVICE_NODES": "0"}


def setUpModule():
    if not shutil.which("flux"):
        raise unittest.SkipTest("not installed: flux")


class Scripts(harness.Case):
    def batch(self, script, *args):
        """Runs it to its end in a new instance; returns the folder of its results."""
        env = {**os.environ, **SETTINGS, "DFOPT_RESULTS": self.path("results"),
               "DFOPT_BIN": os.path.dirname(harness.Config.program)}
        r = subprocess.run(
            ["flux", "start", "sh", "-c", 'flux job attach "$(flux batch "$@")"', "sh",
             "-n1", "--output=job.out", os.path.join(JOBS, "flux", script), *args],
            cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=120, check=False, universal_newlines=True)
        logged = r.stdout + self.read("job.out").decode()
        self.assertEqual(r.returncode, 0, logged)
        (job,) = os.listdir(self.path("results"))
        return self.path("results", job)

    def test_replay(self):
        path = self.write("session.jsonl", harness.lines(harness.session(8, 40)))
        self.run_ok(["--findings-file", path, "--plans-file", self.path("alone.jsonl")])
        results = self.batch("replay.sh", "--findings-file", path)
        with open(os.path.join(results, "plans.jsonl"), "rb") as f:
            self.assertEqual(f.read(), self.read("alone.jsonl"))

    def test_service(self):
        results = self.batch("online.sh", "sh", "-c", 'test -n "$DFOPT_CLIENT_PLANS"')
        with DecisionLog(os.path.join(results, "decisions.h5")) as log:
            self.assertEqual(log.complete, 1)


if __name__ == "__main__":
    harness.main()
