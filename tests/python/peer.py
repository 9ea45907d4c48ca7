"""For the tests of the Python binding: an optimizer made of bare pyzmq sockets on
127.0.0.1. Every wait has a deadline."""
import json
import locale
import os
import signal
import subprocess
import sys
import time
import unittest

import zmq

DEADLINE_S = 60
if "DFOPT_TEST_LOCALE" in os.environ:  # tests/unit/client/locales.py
    locale.setlocale(locale.LC_ALL, os.environ["DFOPT_TEST_LOCALE"])
HOST = "node1"


def wait_until(condition, what="the condition"):
    until = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not come about in {DEADLINE_S} s")
        time.sleep(0.001)


class Optimizer:
    """Sends plans, and takes registrations and acks."""

    def __init__(self, plans=zmq.PUSH):
        self.context = zmq.Context()
        self.sockets = {}
        self.endpoints = {}
        for name, kind in (("plans", plans), ("registry", zmq.PULL), ("acks", zmq.PULL)):
            socket = self.context.socket(kind)
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.SNDTIMEO, DEADLINE_S * 1000)
            port = socket.bind_to_random_port("tcp://127.0.0.1")
            self.sockets[name], self.endpoints[name] = socket, f"tcp://127.0.0.1:{port}"

    def client_options(self):
        return {f"{name}_endpoint": at for name, at in self.endpoints.items()}

    def context_options(self):
        return {f"zmq_{name}_endpoint": at for name, at in self.endpoints.items()}

    def send(self, topic=None, **plan):
        body = {"plan_id": "p1", "knob_id": "app.a", "target_function": "load",
                "old_value": 2, "new_value": 4, "apply_when": "window_boundary", **plan}
        parts = [json.dumps({"type": "action_plan"}), json.dumps(body)]
        if topic is not None:
            parts.insert(0, topic)
        self.sockets["plans"].send_multipart([p.encode() for p in parts])

    def receive(self, name, leaving=False):
        """Metadata and body of the next registration or ack; of a client that leaves only
        if it is asked for."""
        while True:
            if not self.sockets[name].poll(DEADLINE_S * 1000):
                raise AssertionError(f"no {name} in {DEADLINE_S} s")
            parts = [json.loads(part) for part in self.sockets[name].recv_multipart()]
            if leaving or not parts[1].get("unregister"):
                return parts

    def registered(self, values):
        """Waits for a registration with these values. Older ones may come before it, once more
        if the connection was made late."""
        told = None
        while told != values:
            try:
                told = self.receive("registry")[1]["current_values"]
            except AssertionError as e:
                raise AssertionError(f"the last registration had {told}, not {values}") from e

    def ack(self):
        return self.receive("acks")[1]

    def is_silent(self, name, ms=50):
        return not self.sockets[name].poll(ms)

    def close(self):
        for socket in self.sockets.values():
            socket.close()
        self.context.term()


class PeerTest(unittest.TestCase):
    """A test with an optimizer."""

    def setUp(self):
        self.new_peer()

    def new_peer(self):
        """What was sent to the one before may be lost with its connections."""
        self.peer = Optimizer()
        self.addCleanup(self.peer.close)


def run_script(script, *arguments, meanwhile=None, **environment):
    """Runs a text as a script of its own, to its end: its standard output. meanwhile
    is called while it runs."""
    with subprocess.Popen([sys.executable, "-X", "faulthandler", "-c", script, *arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, **environment},
                          universal_newlines=True, start_new_session=True) as process:
        try:
            if meanwhile:
                meanwhile()
            out, err = process.communicate(timeout=DEADLINE_S)
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)  # its children, too
            except ProcessLookupError:
                pass
    if process.returncode:
        raise AssertionError(f"exit code {process.returncode}:\n{out}\n{err}")
    return out
