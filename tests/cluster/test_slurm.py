#!/usr/bin/env python3
"""The batch scripts of jobs/slurm, on a Slurm of this test's own."""
import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))
import harness  # noqa: E402
from harness import DecisionLog, wait_until  # noqa: E402
from slurm import ENDED  # noqa: E402
from slurm_jobs import (JOB_S, LIMIT_S, SCRIPTS, SRUN, Jobs,  # noqa: E402
                        skip_without_slurm)

SCRAPE = """
import json, os, urllib.request
with open(os.environ["DFOPT_TARGETS"] + "/" + os.environ["SLURM_JOB_ID"] + ".json") as f:
    (target,) = json.load(f)
assert target["labels"] == {"job_id": os.environ["SLURM_JOB_ID"]}, target
(address,) = target["targets"]
with urllib.request.urlopen("http://" + address + "/metrics", timeout=30) as r:
    print(r.read().decode())
"""


def setUpModule():
    skip_without_slurm()


class Scripts(Jobs):
    talk = '--findings-connect --plans-pattern="$DFOPT_CLIENT_PLANS_PATTERN"'

    def recording(self, nodes, windows):
        path = self.write("session.jsonl", harness.lines(harness.session(nodes, windows)))
        self.run_ok(["--findings-file", path, "--plans-file", self.path("alone.jsonl")])
        self.assertGreater(len(self.read("alone.jsonl")), 1000)
        return path

    # ---- replay ----

    def test_replay(self):
        path = self.recording(8, 40)
        for settings in ({}, SRUN):
            job = self.submit("replay.sbatch", "--findings-file", path, **settings)
            self.ends_with(job, "COMPLETED", "0:0")
            self.assertEqual(self.read(os.path.join(job, "plans.jsonl")),
                             self.read("alone.jsonl"))
            self.assertEqual(self.complete(job), 1)

    def is_again(self, job):
        return "in the queue again" in self.output(job)

    def test_a_stopped_replay_goes_on(self):
        for windows in (800, 1600, 3200):  # more if it was at its end before the signal
            path = self.recording(40, windows)
            # many small batches, so that there is something to stop
            job = self.submit("replay.sbatch", "--findings-file", path, "--read-bytes",
                              "4096", "--log-level", "warning", DFOPT_REQUEUE="yes")
            log = self.path(job, "decisions.h5")
            wait_until(lambda f=log: os.path.exists(f) and os.path.getsize(f) > 200_000,
                       JOB_S, "rows of the log")
            self.slurm.ask("scancel", "--batch", "--signal=USR1", job)
            if wait_until(lambda j=job: self.is_again(j) or self.slurm.state(j)[0] in ENDED,
                          JOB_S, "the job in the queue again") and self.is_again(job):
                break
        with DecisionLog(log) as first:
            self.assertEqual(first.complete, 1)
            stopped_at = first.rows("verdicts")
        self.ends_with(job, "COMPLETED", "0:0")
        self.assertEqual(self.read(os.path.join(job, "plans.jsonl")),
                         self.read("alone.jsonl"))
        with DecisionLog(log) as whole:
            self.assertEqual(whole.complete, 1)
            self.assertLess(stopped_at, whole.rows("verdicts"))
        self.assertIn("dfopt-mpi ended with 3", self.output(job))

    # ---- sweep ----

    def test_sweep(self):
        path = self.recording(4, 30)
        sweep = self.write("sweep.json", json.dumps(
            {"grid": {"responses.*.min_severity": [0.3, 0.5, 0.7]}}))
        job = self.submit("sweep.sbatch", "--sweep", sweep, "--findings-file", path,
                          "--acks", "assumed")
        self.ends_with(job, "COMPLETED", "0:0")
        shown = subprocess.run(
            [harness.Config.log_program, "sweep", self.path(job, "sweep.h5")],
            stdout=subprocess.PIPE, timeout=60, check=True, universal_newlines=True)
        self.assertIn("min_severity", shown.stdout)

    # ---- the service ----

    def test_service_beside_an_application(self):
        for settings in ({}, {**SRUN, "DFOPT_SERVICE_NODES": "0"}):
            job = self.submit("online.sbatch", "sh", self.application(12), tasks=8,
                              DFOPT_RANKS="3", **settings)
            self.ends_with(job, "COMPLETED", "0:0")
            self.assertGreater(self.applied(job), 1, self.output(job))

    def test_metrics(self):
        """Beside the application, where the target file of Prometheus says."""
        scrape = self.write("scrape.py", SCRAPE)
        job = self.submit("online.sbatch", sys.executable, scrape, tasks=8,
                          DFOPT_METRICS="127.0.0.1:0", DFOPT_TARGETS=self.path("targets"))
        self.ends_with(job, "COMPLETED", "0:0")
        self.assertIn("dfopt_events_total{", self.output(job))
        self.assertEqual(os.listdir(self.path("targets")), [])

    def test_the_application_of_the_manual(self):
        manual = os.path.join(SCRIPTS, "..", "README.md")
        with open(manual, encoding="utf-8") as f:
            (line,) = [x.strip() for x in f if x.startswith("    exec srun ")]
        self.write("train.sh", line + "\n")
        os.chmod(self.write("train", '#!/bin/sh\n>"ran.$SLURM_PROCID"\n'), 0o755)
        job = self.submit("online.sbatch", "sh", "train.sh", tasks=16,
                          options=["-D", self.folder])
        self.ends_with(job, "COMPLETED", "0:0")
        self.assertEqual(len(glob.glob(self.path("ran.*"))), 8, self.output(job))

    def test_a_stopped_service_goes_on(self):
        """The first run would take hours, the second, after the requeue, seconds."""
        first = self.application(100000, "first.sh")
        second = self.application(8, "second.sh")
        job = self.submit("online.sbatch", "sh", "-c",
                          f'test -n "$SLURM_RESTART_COUNT" && exec sh {second}; '
                          f"exec sh {first}", tasks=8, DFOPT_REQUEUE="yes", **SRUN)
        wait_until(lambda: "optimizer.plan\"" in self.output(job), JOB_S, "a plan")
        self.slurm.ask("scancel", "--batch", "--signal=USR1", job, check=True)
        self.ends_with(job, "COMPLETED", "0:0")
        self.assertIn("in the queue again", self.output(job))
        with DecisionLog(self.path(job, "decisions.h5")) as log:
            self.assertEqual(log.complete, 1)
            self.assertEqual(log.rows("runs"), 2)
            self.assertEqual(self.started(log), 2)

    def test_cancelled(self):
        job = self.submit("online.sbatch", "sh", self.application(100000), tasks=8,
                          DFOPT_REQUEUE="yes", **SRUN)
        wait_until(lambda: "optimizer.plan\"" in self.output(job), JOB_S, "a plan")
        self.slurm.ask("scancel", job, check=True)
        wait_until(lambda: "dfopt-mpi ended with" in self.output(job), JOB_S, "its end")
        self.assertEqual(self.slurm.wait_for(job, JOB_S)[0], "CANCELLED")
        self.assertEqual(self.complete(job), 1, self.output(job))

    def test_the_application_fails(self):
        job = self.submit("online.sbatch", "sh", "-c", "exit 5", tasks=8)
        self.ends_with(job, "FAILED", "5:0")
        self.assertEqual(self.complete(job), 1)

    def test_time_limit(self):
        job = self.submit("online.sbatch", "sh", self.application(100000), tasks=8,
                          options=["--time=2", "--signal=B:USR1@40"], **SRUN)
        self.ends_with(job, "FAILED", "3:0", LIMIT_S)
        logged = self.output(job)
        self.assertIn("SIGUSR1: SIGUSR1 to the application", logged)
        self.assertIn("the application ended with 3", logged)
        self.assertIn("dfopt-mpi ended with 0", logged)
        self.assertGreater(self.applied(job), 1, logged)

    # ---- what goes wrong ----

    def test_mistakes(self):
        for logged, script, args, settings in (
                ("no dfopt-mpi in DFOPT_BIN ('/nowhere') or on PATH", "online.sbatch",
                 ["true"], {"DFOPT_BIN": "/nowhere"}),
                ("which application?", "online.sbatch", [], {}),
                ("leave none of dfopt0,dfopt1", "online.sbatch", ["true"],
                 {"DFOPT_SERVICE_NODES": "2"}),
                ("not 'mpiexec'", "replay.sbatch", ["--findings-file", "x"],
                 {"DFOPT_LAUNCHER": "mpiexec"}),
                ("not 'mpiexec'", "online.sbatch", ["true"],
                 {"DFOPT_LAUNCHER": "mpiexec"}),
                ("unrecognized option '--nonsense'", "online.sbatch", ["true"],
                 {"DFOPT_OPTIONS": "--nonsense"})):
            with self.subTest(logged):
                job = self.submit(script, *args, tasks=8, **settings)
                state, code = self.slurm.wait_for(job, JOB_S)
                self.assertEqual(state, "FAILED", self.output(job))
                self.assertNotEqual(code, "0:0")
                self.assertIn(logged, self.output(job))


if __name__ == "__main__":
    harness.main()
