"""Debian's Slurm on this machine alone: munged, slurmctld and two slurmd, on loopback,
with keys, state and ports of their own. Every process is ended by its number."""
import os
import shutil
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))
from harness import hold_port, wait_until  # noqa: E402

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "srun", "mpirun")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
NODES = ("dfopt0", "dfopt1")
CORES = 8
UP_S = 60
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY",
         "PREEMPTED", "BOOT_FAIL", "DEADLINE")

CONFIG = """\
ClusterName=dfopt
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
TmpFS={folder}/tmp-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=1,sched_interval=1
ReturnToService=2
KillWait=20
{nodes}PartitionName=all Nodes=ALL Default=YES MaxTime=60 State=UP
"""
NODE = ("NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}"
        " CPUs={cores} Boards=1 SocketsPerBoard=1 CoresPerSocket={cores} ThreadsPerCore=1\n")


def missing():
    """Why there can be no Slurm here, or nothing."""
    lacking = [p for p in PROGRAMS if not shutil.which(p, path=PATH)]
    if lacking:
        return "not installed: %s (jobs/packages.sh cluster)" % ", ".join(lacking)
    return "" if os.geteuid() == 0 else "slurmd needs root"


class Slurm:
    """A cluster of two nodes in folder; stop() ends it."""

    def __init__(self, folder):
        self.folder = folder
        self.processes, self.held = [], ()
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("SLURM_", "SBATCH_", "DFOPT", "OMPI_",
                                         "PMIX_"))}
        self.env.update(PATH=PATH, SLURM_CONF=self.path("slurm.conf"), LC_ALL="C")
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def _start(self):
        for name in ("munge", "state", *("tmp-" + n for n in NODES)):
            os.mkdir(self.path(name), 0o755)
        with open(self.path("munge", "key"), "wb") as f:
            os.fchmod(f.fileno(), 0o400)
            f.write(os.urandom(1024))
        self._write_config()
        self._run("munged", "--foreground", "--force", *(
            "--%s=%s" % (o, self.path("munge", n)) for o, n in (
                ("key-file", "key"), ("socket", "socket"), ("pid-file", "pid"),
                ("log-file", "log"), ("seed-file", "seed"))))
        wait_until(lambda: os.path.exists(self.path("munge", "socket")), UP_S, "munged")
        self._run("slurmctld", "-D")
        for name in NODES:
            self._run("slurmd", "-D", "-N", name)
        wait_until(self._ready, UP_S, "two idle nodes; see %s" % self.path("*.log"))

    def _write_config(self):
        self.held, ports = zip(*(hold_port() for _ in range(1 + len(NODES))))
        host = socket.gethostname().split(".")[0]
        nodes = "".join(NODE.format(name=n, host=host, port=p, cores=CORES)
                        for n, p in zip(NODES, ports[1:]))
        with open(self.path("slurm.conf"), "w", encoding="utf-8") as f:
            f.write(CONFIG.format(ports=ports, folder=self.folder, nodes=nodes))
        with open(self.path("cgroup.conf"), "w", encoding="utf-8") as f:
            f.write("CgroupAutomount=no\n")

    def _run(self, program, *args):
        with open(self.path(program + ".out"), "ab") as out:
            self.processes.append(subprocess.Popen(
                [program, *args], env=self.env, cwd=self.folder, stdout=out, stderr=out,
                stdin=subprocess.DEVNULL))

    def _ready(self):
        for p in self.processes:
            if p.poll() is not None:
                raise AssertionError("%s ended with %d; see %s"
                                     % (p.args[0], p.returncode, self.folder))
        idle = self.ask("sinfo", "-h", "-t", "idle", "-o", "%D").strip()
        return idle == str(len(NODES))

    def ask(self, *command, check=False, env=None):
        r = subprocess.run(command, env={**self.env, **(env or {})}, cwd=self.folder,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                           universal_newlines=True)
        if check and r.returncode:
            raise AssertionError("%s: %s" % (" ".join(command), r.stdout))
        return r.stdout

    def submit(self, options, script, *args, env=None):
        """sbatch; returns the number of the job."""
        out = self.ask("sbatch", "--parsable", *options, script, *args, check=True,
                       env=env)
        return out.strip().splitlines()[-1]

    def state(self, job):
        """(state, exit code) of a job."""
        fields = dict(f.partition("=")[::2] for f in
                      self.ask("scontrol", "show", "job", job, "-o").split(" "))
        return fields.get("JobState"), fields.get("ExitCode")

    def wait_for(self, job, seconds):
        """The state and exit code that a job ends with."""
        def ended():
            state = self.state(job)
            return state[0] in ENDED and state
        return wait_until(ended, seconds, "the end of job %s" % job)

    def stop(self):
        """Jobs first, then the daemons in reverse order."""
        if len(self.processes) > 1:
            self.ask("scancel", "--state=RUNNING", "--state=PENDING", "-u", "root")
            end = time.monotonic() + 20
            while time.monotonic() < end and self.ask("squeue", "-h").strip():
                time.sleep(0.1)
        for p in reversed(self.processes):
            p.terminate()
            try:
                p.wait(30)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.processes.clear()
        for held in self.held:
            held.close()
