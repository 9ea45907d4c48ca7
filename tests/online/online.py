"""For the tests of the live service: dfopt-mpi with ZMQ, and application processes.

Each test is short in ctest; DFOPT_ONLINE_LONG=1 in the environment makes it long."""
import contextlib
import json
import os
import random
import signal
import subprocess
import sys

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, "cli"))
import harness  # noqa: E402
from harness import Running, wait_until  # noqa: E402,F401

APP = os.environ.get("DFOPT_ONLINE_APP", "")
LONG = os.environ.get("DFOPT_ONLINE_LONG", "") == "1"
STREAMS = ("findings", "plans", "registrations", "acks")
ANYWHERE = dict.fromkeys(STREAMS, "tcp://127.0.0.1:*")


def held_endpoints(test):
    """Endpoints by stream, for a service that goes and comes again: meanwhile nobody else
    may be where the application looks for it."""
    return {stream: test.hold_port() for stream in STREAMS}


def dice():
    """Randomness that a failure names: DFOPT_ONLINE_SEED repeats it."""
    seed = int(os.environ.get("DFOPT_ONLINE_SEED") or random.SystemRandom().getrandbits(32))
    print(f"DFOPT_ONLINE_SEED={seed}", file=sys.stderr)
    return random.Random(seed)


class Service(Running):
    """dfopt-mpi, listening; `at` holds its endpoints by stream."""

    def __init__(self, *args, at=None, ranks=None):
        want = at or ANYWHERE
        super().__init__(
            ["--transport", "zmq", "--address", want["findings"], "--bind",
             "--plans-address", want["plans"], "--registry-address",
             want["registrations"], "--acks-address", want["acks"],
             "--idle-timeout", "never", *args], ranks=ranks)
        self.at = None

    def listening(self):
        """Waits until it is; returns itself."""
        def look():
            for line in self.so_far().splitlines():
                if '"optimizer.listening"' in line:
                    return json.loads(line)
            if self.process.poll() is not None:
                raise AssertionError(f"the service ended:\n{self.so_far()}")
            return None
        self.at = {s: wait_until(look, 60, "the service listens")[s] for s in STREAMS}
        return self

    def stop(self):
        """Ends it as a diagnoser does. Returns the Result."""
        with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
            socket.connect(self.at["findings"])
            socket.send_multipart([b'{"name":"end"}', b"{}"])
            return self.finish()


class Started:
    """A command in a session of its own."""

    def __init__(self, command, env, err):
        self.err = err.name
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL,
                                        stderr=err, start_new_session=True)

    def so_far(self):
        with open(self.err, encoding="utf-8", errors="replace") as f:
            return f.read()

    def kill(self):
        for pid in harness.session_processes(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


class App:
    """A process of online_app. Its output goes to a file."""

    def __init__(self, path, host, at, pattern="pull", findings=False):
        argv = [APP, host, pattern, at["plans"], at["registrations"], at["acks"]]
        self.host, self.path = host, path
        with open(path, "ab") as out:
            self.process = subprocess.Popen(
                argv + ([at["findings"]] if findings else []), stdin=subprocess.PIPE,
                stdout=out, stderr=subprocess.STDOUT,
                env=harness.environment(APP, None))

    def lines(self, first_word):
        """The whole lines so far that begin with the word, split."""
        with open(self.path, encoding="utf-8", errors="replace") as f:
            whole = f.read().rpartition("\n")[0].splitlines()
        return [line.split() for line in whole if line.split()[:1] == [first_word]]

    def plans(self):
        """Ids of the plans so far. A service that resumes sends those of its journal
        again: the same id, the same plan."""
        return {p[1] for p in self.lines("plan")}

    def wait_for_plans(self, service, n=3):
        """Until n more have come than now: the loop works."""
        before = len(self.plans())
        wait_until(lambda: len(self.plans()) >= before + n, 60,
                   f"{n} plans of {self.host}:\n{service.so_far()[-2000:]}")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def finish(self):
        """Ends it in order. Returns its exit code."""
        self.process.stdin.close()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the application {self.host} did not end")
