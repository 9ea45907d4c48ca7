"""A Mofka service on this machine for a test, and what its peers do."""
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import harness  # noqa: E402

BEDROCK = os.environ.get("DFOPT_BEDROCK", "bedrock")
PEER = os.environ.get("DFOPT_MOFKA_PEER", "")
METADATA = {"finding": "diagnosis_finding", "registration": "knob_registration",
            "ack": "action_ack", "global_plan": "action_plan",
            "objective": "objective", "control": "operator_command"}
QUICK = {"progress_spindown_msec": 0, "progress_timeout_ub_msec": 5}


# What partitions of the type `legacy` need: a database for the metadata of events, and a
# store for their data.
LEGACY_LIBRARY = "libwarabi-bedrock-module.so"
LEGACY_PROVIDERS = [
    {"name": "metadata", "provider_id": 3, "type": "yokan", "tags": ["mofka:metadata"],
     "config": {"database": {"type": "map"}}},
    {"name": "data", "provider_id": 4, "type": "warabi", "tags": ["mofka:data"],
     "config": {"target": {"type": "memory", "config": {}}}}]


def configuration(group_file, legacy):
    return {
        "libraries": ["libflock-bedrock-module.so", "libyokan-bedrock-module.so",
                      *([LEGACY_LIBRARY] if legacy else []),
                      "libmofka-bedrock-module.so"],
        "margo": QUICK,
        "providers": [
            {"name": "master", "provider_id": 1, "type": "yokan",
             "tags": ["mofka:master"], "config": {"database": {"type": "map"}}},
            {"name": "group", "provider_id": 2, "type": "flock",
             "config": {"bootstrap": "self", "file": group_file,
                        "group": {"type": "static"}}},
            *(LEGACY_PROVIDERS if legacy else [])]}


def remove_traces():
    """A process on na+sm that was killed leaves files behind, by its number; a later
    one of that number could not start."""
    for path in glob.glob("/dev/shm/na_sm-*-*") + glob.glob("/tmp/na_sm-*-*"):
        pid = path.split("-")[1]
        if not os.path.exists(f"/proc/{pid}"):
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(FileNotFoundError): # another test was faster
                    os.unlink(path)


def without_identity(plans):
    """The bytes of a live run's plans, with ids as a replay makes them."""
    return re.sub(rb'"(plan_[0-9a-f]{16})_[0-9a-f]{8}"', rb'"\1"', plans)


class Broker:
    """A bedrock process with its group file. Killed at the end."""

    def __init__(self, protocol="na+sm", legacy=False):
        self.folder = tempfile.TemporaryDirectory(prefix="dfopt-mofka-")
        self.group_file = os.path.join(self.folder.name, "group.json")
        config = os.path.join(self.folder.name, "config.json")
        with open(config, "w") as f:
            json.dump(configuration(self.group_file, legacy), f)
        self.kind = ["legacy"] if legacy else []
        self.log = open(os.path.join(self.folder.name, "log"), "wb")
        self.process = subprocess.Popen(
            [BEDROCK, protocol, "-c", config], stdout=self.log, stderr=self.log,
            stdin=subprocess.DEVNULL, start_new_session=True, env=self.environment())
        harness.wait_until(self.is_up, 60, "a broker")

    @staticmethod
    def environment():
        return {**os.environ, "IPATH_NO_BACKTRACE": "1", "FI_TCP_IFACE": "lo",
                "HG_LOG_LEVEL": "none"}

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("the broker has ended: " + self.logged()[-2000:])
        try:
            with open(self.group_file) as f:
                return bool(json.load(f)["members"])
        except (OSError, ValueError):
            return False

    def logged(self):
        with open(self.log.name) as f:
            return f.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.kill()
        remove_traces()
        self.log.close()
        self.folder.cleanup()

    # ---- peers ----

    def peer(self, *args, lines=(), timeout=60):
        """Runs a peer; its standard output."""
        r = subprocess.run([PEER, self.group_file, *map(str, args)],
                           input="".join(lines).encode("utf-8", "surrogateescape"), env=self.environment(),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=timeout)
        if r.returncode:
            raise AssertionError(f"peer {args}: code {r.returncode}: {r.stderr[-500:]}")
        return r.stdout.decode()

    def create(self, *topics, partitions=1):
        for topic in topics:
            self.peer("create", topic, partitions, *self.kind)

    def push(self, topic, bodies, stream="finding"):
        self.push_events(topic, [({"type": METADATA[stream]}, b) for b in bodies])

    def push_events(self, topic, events):
        """(metadata, body) each; a body may be text or bytes, and is sent as it is."""
        def text(body):
            return (body if isinstance(body, str) else
                    body.decode("utf-8", "surrogateescape") if isinstance(body, bytes) else
                    json.dumps(body))
        self.peer("push", topic, lines=[
            json.dumps(m) + "\t" + text(b) + "\n" for m, b in events])

    def push_session(self, log, topics):
        """The events of an event log, to the topic of each stream."""
        for stream in ("registration", "ack", "global_plan", "finding"):
            bodies = [e["body"] for e in log if e["stream"] == stream]
            if bodies and topics.get(stream):
                self.push(topics[stream], bodies, stream)

    def pull(self, topic, name="test", count=0, quiet_ms=1000, acknowledge=False):
        """[(partition, id, metadata, body)] in the order in which they came, without what
        services tell one another."""
        out = self.peer("pull", topic, name, count, quiet_ms,
                        *(["ack"] if acknowledge else []))
        events = []
        for line in out.splitlines():
            head, body = line.split("\t", 1)
            partition, number, metadata = head.split(" ", 2)
            events.append((int(partition), int(number), json.loads(metadata),
                           json.loads(body)))
        return [e for e in events if not (isinstance(e[2], dict) and
                                          e[2].get("type") == "dfopt_presence")]
