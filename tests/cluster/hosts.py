"""Hosts for real on one machine: network namespaces with names of their own, joined by
a bridge in one more namespace; Open MPI starts its daemons by an rsh agent of ours and
has only TCP between them. Nothing of it touches the machine's own network."""
import os
import shutil
import signal
import subprocess
import time

PROGRAMS = ("ip", "unshare", "mpirun")
SUBNET = "10.213.77."
AGENT = """\
#!/bin/sh
# usage: agent ADDRESS COMMAND...: as rsh, on the host of that address
host=${{1##*.}}
shift
exec ip netns exec {prefix}h"$host" unshare --uts sh -c \\
    'hostname "$1" && shift && exec sh -c "$*"' agent dfopt-h"$host" "$@"
"""


def _ip(*args):
    subprocess.run(["ip", *args], check=True, timeout=60, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


def missing():
    """Why there can be no such hosts here, or nothing."""
    lacking = [p for p in PROGRAMS if not shutil.which(p)]
    if lacking:
        return "not installed: %s" % ", ".join(lacking)
    if os.geteuid():
        return "network namespaces need root"
    name = "dfopt-try-%d" % os.getpid()
    try:
        _ip("netns", "add", name)
        try:
            _ip("-n", name, "link", "add", "try0", "type", "veth", "peer",
                "name", "try1")
            _ip("-n", name, "link", "add", "try2", "type", "bridge")
        finally:
            _ip("netns", "del", name)
    except subprocess.CalledProcessError as e:
        return "no network namespaces: %s" % e.stderr.decode().strip()
    return ""


class Hosts:
    """So many hosts, numbered from 1; close() ends what runs there and removes them."""

    def __init__(self, count, folder):
        self.prefix = "dfopt-%d-" % os.getpid()
        self.namespaces = []
        self.agent = os.path.join(folder, "agent")
        with open(self.agent, "w", encoding="utf-8") as f:
            f.write(AGENT.format(prefix=self.prefix))
        os.chmod(self.agent, 0o755)
        try:
            self._join(count)
        except BaseException:
            self.close()
            raise

    def _namespace(self, name):
        name = self.prefix + name
        _ip("netns", "add", name)
        self.namespaces.append(name)
        _ip("-n", name, "link", "set", "lo", "up")
        return name

    def _join(self, count):
        self.switch = self._namespace("switch")
        _ip("-n", self.switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self.switch, "link", "set", "bridge", "up")
        for number in range(1, count + 1):
            host = self._namespace("h%d" % number)
            port = "port%d" % number
            _ip("-n", host, "link", "add", "net0", "type", "veth", "peer", "name", port,
                "netns", self.switch)
            _ip("-n", host, "addr", "add", "%s%d/24" % (SUBNET, number), "dev", "net0")
            _ip("-n", host, "link", "set", "net0", "up")
            _ip("-n", self.switch, "link", "set", port, "master", "bridge")
            _ip("-n", self.switch, "link", "set", port, "up")

    def mpirun(self, *options, on=(1, 2, 3, 4)):
        """The command that runs what follows on these hosts, a rank each."""
        at = ",".join("%s%d:1" % (SUBNET, n) for n in on)
        return ["ip", "netns", "exec", self.prefix + "h1", "unshare", "--uts",
                "sh", "-c", 'hostname dfopt-h1 && exec "$@"', "sh",
                "mpirun", "--allow-run-as-root",
                "--host", at, "-n", str(len(on)), "--bind-to", "none",
                "--mca", "plm_rsh_agent", self.agent, "--mca", "btl", "tcp,self",
                "--mca", "pml", "ob1", *options]

    def cut_off(self, number):
        """The port of the switch goes down: packets to and from the host are lost."""
        _ip("-n", self.switch, "link", "set", "port%d" % number, "down")

    def processes(self):
        """Those that are on these hosts."""
        found = []
        for name in self.namespaces:
            out = subprocess.run(["ip", "netns", "pids", name], stdout=subprocess.PIPE,
                                 timeout=60, check=False).stdout
            found += map(int, out.split())
        return found

    def close(self):
        end = time.monotonic() + 30
        while (left := self.processes()) and time.monotonic() < end:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
        for name in reversed(self.namespaces):
            _ip("netns", "del", name)
        self.namespaces.clear()
