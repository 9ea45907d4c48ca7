#!/usr/bin/env python3
"""jobs/slurm/online.sbatch over Mofka: a broker, the service and an application in one
job, on a Slurm of this test's own."""
import os
import shutil
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cluster"))
import broker  # noqa: E402
from broker import harness  # noqa: E402
from harness import DecisionLog, wait_until  # noqa: E402
from slurm_jobs import JOB_S, LIMIT_S, SRUN, Jobs, skip_without_slurm  # noqa: E402

MOFKA_PATH = "%s:%s" % (os.path.dirname(broker.BEDROCK), os.environ.get("PATH", ""))
COMMAND = "sh %s na+sm" % os.path.join(HERE, "..", "..", "jobs", "broker.sh")
TOPICS = {"DFOPT_FINDINGS_TOPIC": "findings", "DFOPT_PLANS_TOPIC": "plans",
          "DFOPT_REGISTRY_TOPIC": "registry", "DFOPT_ACKS_TOPIC": "acks"}
OWN_BROKER = {"DFOPT_BROKER_COMMAND": COMMAND, "PATH": MOFKA_PATH}
FOREVER = 100000  # windows: hours


def setUpModule():
    skip_without_slurm()
    for program in ("bedrock", "bedrock-shutdown", "diaspora-ctl"):
        if not shutil.which(program, path=MOFKA_PATH):
            raise unittest.SkipTest("not installed: %s" % program)


class OverMofka(Jobs):
    talk = '--group-file="$DFOPT_CLIENT_GROUP_FILE"'

    def setUp(self):
        super().setUp()
        self.addCleanup(broker.remove_traces)

    def online(self, *command, **settings):
        env = {**broker.Broker.environment(), "DFOPT_TRANSPORT": "mofka", **settings}
        mine = {k: env[k] for k in env if os.environ.get(k) != env[k]}
        return self.submit("online.sbatch", *command, tasks=8, **mine)

    def has_plan(self, job):
        wait_until(lambda: "optimizer.plan\"" in self.output(job)
                   or "ended with" in self.output(job), JOB_S, "a plan")
        self.assertNotIn("ended with", self.output(job))

    def test_a_broker_of_its_own(self):
        """Also with the defaults' topics, and beside the application."""
        for settings in ({"DFOPT_RANKS": "3", **TOPICS},
                         {**SRUN, "DFOPT_SERVICE_NODES": "0"}):
            job = self.online("sh", self.application(12), **OWN_BROKER, **settings)
            self.ends_with(job, "COMPLETED", "0:0")
            logged = self.output(job)
            self.assertGreater(self.applied(job), 1, logged)
            self.assertIn("dfopt-mpi ended with 0", logged)
            self.assertIn("the broker ended with 0", logged)

    def test_a_broker_that_is_there(self):
        """It outlives the job, and its group file comes after the job has begun."""
        b = broker.Broker()
        self.addCleanup(b.stop)
        b.create(*TOPICS.values())
        late = self.path("late.json")
        job = self.online("sh", self.application(12), DFOPT_GROUP_FILE=late, **TOPICS)
        wait_until(lambda: "results in" in self.output(job), JOB_S, "the job")
        shutil.copy(b.group_file, late + ".part")
        os.rename(late + ".part", late)
        self.ends_with(job, "COMPLETED", "0:0")
        self.assertGreater(self.applied(job), 1, self.output(job))
        self.assertTrue(b.is_up())
        self.assertTrue(b.pull("plans"))

    def test_a_stopped_service_goes_on(self):
        """After the requeue with another broker, whose topics are empty."""
        first = self.application(FOREVER, "first.sh")
        second = self.application(8, "second.sh")
        job = self.online("sh", "-c",
                          f'test -n "$SLURM_RESTART_COUNT" && exec sh {second}; '
                          f"exec sh {first}", DFOPT_REQUEUE="yes", **SRUN, **OWN_BROKER)
        self.has_plan(job)
        self.slurm.ask("scancel", "--batch", "--signal=USR1", job, check=True)
        self.ends_with(job, "COMPLETED", "0:0")
        self.assertIn("in the queue again", self.output(job))
        with DecisionLog(self.path(job, "decisions.h5")) as log:
            self.assertEqual(log.complete, 1)
            self.assertEqual(log.rows("runs"), 2)
            self.assertEqual(self.started(log), 2)

    def test_cancelled(self):
        """Slurm tells all at once; the broker stays until the service has ended."""
        job = self.online("sh", self.application(FOREVER), **SRUN, **OWN_BROKER)
        self.has_plan(job)
        self.slurm.ask("scancel", job, check=True)
        self.assertEqual(self.slurm.wait_for(job, JOB_S)[0], "CANCELLED")
        wait_until(lambda: "the broker ended with" in self.output(job)
                   or not self.slurm.ask("squeue", "-h", "-j", job).strip(), JOB_S,
                   "its end")
        self.assertIn("dfopt-mpi ended with 0", self.output(job))
        self.assertIn("the broker ended with 0", self.output(job))
        self.assertEqual(self.complete(job), 1, self.output(job))

    def test_time_limit(self):
        job = self.submit("online.sbatch", "sh", self.application(FOREVER), tasks=8,
                          options=["--time=2", "--signal=B:USR1@40"],
                          DFOPT_TRANSPORT="mofka", **SRUN, **OWN_BROKER)
        self.ends_with(job, "FAILED", "3:0", LIMIT_S)
        logged = self.output(job)
        for line in ("SIGUSR1: SIGUSR1 to the application",
                     "the application ended with 3", "dfopt-mpi ended with 0",
                     "the broker ended with 0"):
            self.assertIn(line, logged)
        self.assertGreater(self.applied(job), 1, logged)

    def test_mistakes(self):
        for logged, settings in (
                ("needs DFOPT_GROUP_FILE or DFOPT_BROKER_COMMAND", {}),
                ("/none did not start within 1 s",
                 {"DFOPT_GROUP_FILE": "/none", "DFOPT_START_S": "1"}),
                ("usage: MOFKA_GROUP_FILE=FILE",
                 {"DFOPT_BROKER_COMMAND": COMMAND + " and more"}),
                ("bedrock has ended",
                 {**OWN_BROKER,
                  "DFOPT_BROKER_COMMAND": COMMAND.replace("na+sm", "na+none")}),
                ("DFOPT_TRANSPORT is zmq or mofka, not 'udp'",
                 {"DFOPT_TRANSPORT": "udp"}),
                ("no such topic", {**OWN_BROKER, "DFOPT_OPTIONS": "--input-topic x"})):
            with self.subTest(logged):
                job = self.online("true", **settings)
                state, code = self.slurm.wait_for(job, JOB_S)
                self.assertEqual((state, code), ("FAILED", "1:0"), self.output(job))
                self.assertIn(logged, self.output(job))


if __name__ == "__main__":
    harness.main()
