"""The service is lost, and the application's knob goes back to its registered value: at
its next boundary, once the lease is over. Killed, stopped, and only busy."""
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

LEASE_MS = 1000
COOLDOWN = 1000
POLICY = json.dumps({"switches": {"effect": "severity"},
                     "responses": {"*": {"cooldown_windows": COOLDOWN}}})
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
        self.at, self.window = online.held_endpoints(self), 0
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

    def wait_for(self, condition, what):
        """For a condition of the last state; returns that state. A machine that stands still
        for longer than the lease loses the service, too: then there are more states."""
        def look():
            states = self.states()
            return states[-1] if states and condition(*states[-1]) else None
        return wait_until(look, 60, f"{what}: {self.app.so_far()}")

    def findings(self):
        socket = self.context.socket(zmq.PUSH)
        socket.connect(self.at["findings"])
        return socket

    def ask(self, socket, windows=1):
        self.window += windows
        socket.send_multipart([b"{}", json.dumps(finding(
            self.window, "n1", opportunity_tags=["grow"])).encode()])

    def tune(self):
        """Findings until a plan is in force; returns the state."""
        with self.findings() as socket:
            def is_tuned(value, connections, lost):
                self.ask(socket, COOLDOWN + 1)
                return value > 2
            return self.wait_for(is_tuned, "a plan")

    def test_lost(self):
        self.wait_for(lambda value, connections, lost: value == 2 and connections > 0, "begin")
        for end in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(end=end.name):
                before = self.tune()
                self.service.process.send_signal(end)
                self.service.process.wait(60)
                after = self.wait_for(lambda value, _, lost, old=before[2]:
                                      value == 2 and lost > old, "lost")
                self.start()
                self.wait_for(lambda _, connections, __, old=after[1]: connections > old, "back")

    def test_busy(self):
        """A service that has more to do than it can is alive."""
        def is_alive():
            self.tune()
            known = len(self.states())
            until = time.monotonic() + 4 * LEASE_MS / 1000
            with self.findings() as socket:
                while time.monotonic() < until:
                    self.ask(socket)
            states = {s[1:] for s in self.states()[known - 1:]}
            return len(states) == 1
        wait_until(is_alive, 60, "four leases with the same service")


if __name__ == "__main__":
    main()
