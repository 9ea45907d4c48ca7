"""What the tests of the batch scripts share: a Slurm for a class of tests, jobs in it,
and what they leave."""
import json
import os
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))
import harness  # noqa: E402
import slurm  # noqa: E402
from harness import DecisionLog  # noqa: E402

SCRIPTS = os.path.join(HERE, "..", "..", "jobs", "slurm")
JOB_S = 120
LIMIT_S = 240  # Slurm looks at time limits every 30 s, and signals up to 60 s early

# Two nodes that are one host: ranks must not believe that they share memory.
MPI = {"OMPI_MCA_btl": "tcp,self", "OMPI_MCA_btl_tcp_if_include": "lo",
       "OMPI_MCA_oob_tcp_if_include": "lo", "OMPI_MCA_hwloc_base_binding_policy": "none",
       "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
SRUN = {"DFOPT_LAUNCHER": "srun", "DFOPT_LAUNCHER_OPTIONS": "--mpi=pmix"}

# An application: the loader, on the nodes that are for it. srun passes SIGUSR1 on to all
# processes of a task, but kills them at SIGTERM.
APPLICATION = """\
exec srun --exact -N "$DFOPT_APP_NNODES" -n 1 -w "$DFOPT_APP_NODES" \\
    sh -c 'trap "kill \\$!" USR1 TERM
           (trap "" USR1; exec "$@") &
           while kill -0 $! 2>/dev/null; do wait $!; code=$?; done
           exit $code' sh {loader} \\
    --make-data={folder}/data --files=4 --latency=2 --windows={windows} \\
    --window-ms=200 --transport="$DFOPT_TRANSPORT" {talk} \\
    --findings="$DFOPT_FINDINGS" --plans="$DFOPT_CLIENT_PLANS" \\
    --registry="$DFOPT_CLIENT_REGISTRY" --acks="$DFOPT_CLIENT_ACKS" \\
    --wait-optimizer=20 --json={folder}/loader.jsonl
"""


def skip_without_slurm():
    reason = slurm.missing()
    if not reason and harness.is_sanitized(harness.Config.program):
        reason = "the programs are sanitized"
    if reason:
        raise unittest.SkipTest(reason)


class Jobs(harness.Case):
    talk = ""  # options of the loader that are of one transport

    @classmethod
    def setUpClass(cls):
        cls.cluster_folder = tempfile.mkdtemp(prefix="dfopt-slurm-")
        cls.addClassCleanup(shutil.rmtree, cls.cluster_folder, True)
        os.chmod(cls.cluster_folder, 0o755)  # munged asks for that
        cls.slurm = slurm.Slurm(cls.cluster_folder)
        cls.addClassCleanup(cls.slurm.stop)

    def submit(self, script, *args, options=(), tasks=4, **settings):
        env = {**MPI, "DFOPT_BIN": os.path.dirname(harness.Config.program),
               "DFOPT_RESULTS": self.folder, "DFOPT_INTERFACE": "lo",
               "DFOPT_APP_SIGNAL": "USR1", **settings}
        return self.slurm.submit(
            ["-N2", "-n", str(tasks), "-o", self.path("%j.out"), *options],
            os.path.join(SCRIPTS, script), *args, env=env)

    def output(self, job):
        """What the job, a broker and the service have printed so far."""
        text = ""
        for name in (job + ".out", job + "/broker.log", job + "/optimizer.log"):
            if os.path.exists(self.path(name)):
                text += self.read(name).decode("utf-8", "replace")[-8000:]
        return text

    def ends_with(self, job, state, code, seconds=JOB_S):
        try:
            got = self.slurm.wait_for(job, seconds)
        except AssertionError as e:
            self.fail("%s\n%s" % (e, self.output(job)))
        self.assertEqual(got, (state, code), self.output(job))

    def complete(self, job):
        with DecisionLog(self.path(job, "decisions.h5")) as log:
            return log.complete

    def started(self, log):
        """How many registrations there are; processes that leave are not among them."""
        return sum(not json.loads(body).get("unregister") for body in log.bodies())

    def application(self, windows, name="application.sh"):
        return self.write(name, APPLICATION.format(
            loader=harness.Config.demo_program, folder=self.folder, windows=windows,
            talk=self.talk))

    def applied(self, job):
        """How often a plan was acknowledged as applied, by the log."""
        with DecisionLog(self.path(job, "decisions.h5")) as log:
            self.assertEqual(log.complete, 1)
            return log.names("acks", "status").count("applied")
