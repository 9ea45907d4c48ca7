"""For the tests of libdfopt_mpiio: mpirun with it before a program, and an optimizer made
of bare pyzmq sockets. Every wait has a deadline."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import zmq

DEADLINE_S = 60
HERE = pathlib.Path(__file__).resolve().parent
KNOBS = HERE.parents[1] / "src" / "mpiio" / "knobs"
LIBRARY = os.environ["DFOPT_MPIIO_LIBRARY"]
STRIDED = os.environ["DFOPT_MPIIO_STRIDED"]
EVERY = os.environ["DFOPT_MPIIO_EVERY"]
REFUSE = os.environ["DFOPT_MPIIO_REFUSE"]
SLOW = os.environ["DFOPT_MPIIO_SLOW"]
FIRST = os.environ.get("DFOPT_MPIIO_FIRST")
OPEN_LINE = re.compile(r"^(\d+) ([\d.]+)((?: \w+=\S+)*)$", re.M)
STREAMS = ("registry", "acks", "objectives", "findings")


def knobs(**members):
    """Knobs whose plans are waited for, so that each open has its own."""
    response = {"min_severity": 0, "min_persistence": 1, "cooldown_windows": 0}
    return {"wait_ms": DEADLINE_S * 1000, "connect_ms": 60000, "min_bytes": 1000, "knobs": {
        "cb_nodes": {"type": "int", "default": 1, "values": [1, 2, 3, 4, 8],
                     "responds_to": {"io_aggregators": response}},
        "romio_cb_write": {"type": "str", "default": "automatic",
                           "values": ["disable", "automatic", "enable"],
                           "responds_to": {"collective_write": {
                               **response, "direction": "set", "set_to": "enable"}}},
        "cb_buffer_size": {"type": "int", "default": 16777216, "range": [4096, 1 << 30],
                           "responds_to": {"io_buffer_size": {**response, "step": 4096}}}},
            **members}


class Optimizer:
    """Sends plans, and takes what applications send."""

    def __init__(self):
        self.context = zmq.Context()
        self.sockets, self.environment = {}, {}
        for name in ("plans", *STREAMS):
            kind = zmq.PUSH if name == "plans" else zmq.PULL
            socket = self.context.socket(kind)
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.SNDTIMEO, DEADLINE_S * 1000)
            port = socket.bind_to_random_port("tcp://127.0.0.1")
            self.sockets[name] = socket
            self.environment["DFOPT_CLIENT_" + name.upper()] = f"tcp://127.0.0.1:{port}"

    def plan(self, number, knob, value, at="epoch_boundary"):
        body = {"plan_id": f"plan_{number:016x}", "knob_id": "mpiio." + knob,
                "target_function": "MPI_File_open", "old_value": None, "new_value": value,
                "apply_when": at}
        self.sockets["plans"].send_multipart(
            [json.dumps({"type": "action_plan"}).encode(), json.dumps(body).encode()])

    def receive(self, name):
        if not self.sockets[name].poll(DEADLINE_S * 1000):
            raise AssertionError(f"no {name} in {DEADLINE_S} s")
        return json.loads(self.sockets[name].recv_multipart()[1])

    def received(self, name):
        """All that is there by now."""
        found = []
        while self.sockets[name].poll(0):
            found.append(json.loads(self.sockets[name].recv_multipart()[1]))
        return found

    def close(self):
        """May be closed before the test ends."""
        for socket in self.sockets.values():
            socket.close()
        self.sockets = {}
        self.context.term()


class MpiTest(unittest.TestCase):
    """Tests with a folder, which may start jobs."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dfopt-mpiio-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def optimizer(self):
        o = Optimizer()
        self.addCleanup(o.close)
        return o

    def knob_file(self, content):
        path = self.folder / "knobs.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content),
                        encoding="utf-8")
        return {"DFOPT_MPIIO_KNOBS": str(path)}

    def command(self, program, *args, ranks=4, io="romio321", preload=(), contexts=None):
        """contexts: [(ranks, {variables})]: parts of one job."""
        mpirun = ["mpirun", "--oversubscribe", "--bind-to", "none", "--mca", "io", io]
        if os.geteuid() == 0:
            mpirun.insert(1, "--allow-run-as-root")
        before = ":".join([*([FIRST] if FIRST and preload else []), *preload])
        parts = []
        for n, variables in contexts or [(ranks, {})]:
            if before:
                variables = {"LD_PRELOAD": before, **variables}
            part = ["-n", str(n)]
            for name, value in variables.items():
                part += ["-x", f"{name}={value}"]
            parts.append([*part, str(program), *map(str, args)])
        out = mpirun + parts[0]
        for part in parts[1:]:
            out += [":", *part]
        return out

    def start(self, command, env=None):
        inherited = {k: v for k, v in os.environ.items()
                     if not k.startswith(("DFOPT_", "OMPI_COMM_", "PMIX_"))}
        job = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, cwd=self.folder,
                               env={**inherited, **(env or {})})
        self.addCleanup(self.end, job)
        return job

    @staticmethod
    def end(job):
        if job.poll() is None:
            job.kill()
        job.communicate()

    def finish(self, job, code=0):
        out, err = job.communicate(timeout=DEADLINE_S)
        self.assertEqual(job.returncode, code, out + err)
        return out, err

    def run_strided(self, opens, *hints, env=None, blocks=64, preload=(LIBRARY,), keep=False,
                    **more):
        """keep: one open, and views."""
        command = self.command(STRIDED, *(["-k"] if keep else []), "data", blocks, opens, 0,
                               *hints, preload=preload, **more)
        return self.start(command, env)


def opens(out):
    """[(MB/s, {hint: value})] of what strided prints."""
    return [(float(rate), dict(h.split("=", 1) for h in hints.split()))
            for _, rate, hints in OPEN_LINE.findall(out)]
