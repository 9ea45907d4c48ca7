"""The service is lost, and the application's knob goes back to its registered value: at
its next boundary, once the lease is over, and not before. Killed, stopped, and only busy."""
import json
import os
import signal
import sys
import time

import zmq

import online  # first: it finds harness
import harness
from harness import Case, finding, main, wait_until
from online import Service, Started
from test_kills import free_ports

LEASE_MS = 1500
POLICY = '{"switches": {"effect": "severity"}, "responses": {"*": {"cooldown_windows": 1000}}}'
APPLICATION = """
import sys
import time
import dfopt_client as d

plans, registry, acks, lease_ms = sys.argv[1:]

@d.tunable(knobs={"size": d.knob(default=1, range=(1, 64), on_lost="restore", responds_to={
    "grow": {"step": 5, "min_persistence": 1, "apply_when": "window_boundary"}})})
def load(size):
    return size

context = d.optimizer_context(
    "app", zmq_plans_endpoint=plans, zmq_registry_endpoint=registry, zmq_acks_endpoint=acks,
    hostname="n1", lease_ms=int(lease_ms))
said = None
while True:
    now = load(size=2, _apply_at="window_boundary")
    stats = context.client.stats()
    tell = (now, stats.connections, stats.optimizers_lost)
    if tell != said:
        print("state", *tell, file=sys.stderr, flush=True)
    said = tell
    time.sleep(0.005)
"""


class Lost(Case):
    def setUp(self):
        super().setUp()
        self.at, self.window = free_ports(online.dice()), 0
        self.start()
        env = harness.environment(sys.executable, {
            k: os.environ[k] for k in ("PYTHONPATH", "DFOPT_CLIENT_LIBRARY")})
        err = open(self.path("app"), "wb")
        self.addCleanup(err.close)
        self.app = Started([sys.executable, "-c", APPLICATION, self.at["plans"],
                            self.at["registrations"], self.at["acks"], str(LEASE_MS)],
                           env, err)
        self.addCleanup(self.app.kill)
        self.context = zmq.Context()
        self.addCleanup(self.context.destroy, linger=0)

    def start(self):
        self.service = Service("--policy", self.write("policy.json", POLICY), "--linger",
                               "0.1", at=self.at)
        self.addCleanup(self.service.kill)
        self.service.listening()

    def states(self):
        """(value, connections, times lost), each time that one has changed."""
        lines = self.app.so_far().rpartition("\n")[0].splitlines()
        return [tuple(map(int, x.split()[1:])) for x in lines if x.startswith("state ")]

    def wait_for(self, value, connections, lost):
        want = (value, connections, lost)
        wait_until(lambda: want in self.states(), 60, f"{want} of {self.app.so_far()}")

    def findings(self):
        socket = self.context.socket(zmq.PUSH)
        socket.connect(self.at["findings"])
        return socket

    def ask(self, socket):
        self.window += 1
        socket.send_multipart([b"{}", json.dumps(finding(
            self.window, "n1", opportunity_tags=["grow"])).encode()])

    def is_tuned(self, *state):
        return any(now[0] > 2 and now[1:] == state for now in self.states())

    def tune(self, *state):
        """Findings until a plan is applied."""
        with self.findings() as socket:
            def gets_on():
                self.ask(socket)
                return self.is_tuned(*state)
            wait_until(gets_on, 60, f"a plan, {state}", every_s=0.05)

    def test_lost(self):
        self.wait_for(2, 1, 0)
        for i, end in enumerate((signal.SIGKILL, signal.SIGTERM)):
            with self.subTest(end=end.name):
                self.tune(i + 1, i)
                self.service.process.send_signal(end)
                self.service.process.wait(60)
                self.wait_for(2, i + 1, i + 1)
                self.start()
                self.wait_for(2, i + 2, i + 1)

    def test_busy(self):
        """A service that has more to do than it can is alive."""
        self.tune(1, 0)
        until = time.monotonic() + 4 * LEASE_MS / 1000
        with self.findings() as socket:
            while time.monotonic() < until:
                self.ask(socket)
        self.assertTrue(self.is_tuned(1, 0))
        self.assertEqual(self.states()[-1][1:], (1, 0))


if __name__ == "__main__":
    main()
