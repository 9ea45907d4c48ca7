"""An application that is killed at any moment, and restarted at once with other values:
the next plan starts from the value that the new process has, and no knob is blocked."""
import json
import os
import subprocess
import sys

import zmq

import online  # first: it finds harness
from harness import Case, DecisionLog, Running, finding, main, wait_until

ROUNDS = 200 if online.LONG else 12
DEADLINE_S = 60
ANY = "tcp://127.0.0.1:*"
APPLICATION = """
import sys
import dfopt_client as d

file, value = sys.argv[1], int(sys.argv[2])
c = d.Client("app", function="load", endpoints_file=file)
c.declare("size", default=1, range=(1, 10**9), current=value, responds_to={
    "grow": {"step": 1, "min_persistence": 1, "apply_when": "window_boundary"}})
c.start()
while True:
    for p in c.at_boundary("window_boundary", wait=0.5):
        print(p.plan_id, p.old_value, value, flush=True)
        value = p.new_value
        c.ack(p)
"""


class Restarts(Case):
    def setUp(self):
        super().setUp()
        file = self.path("endpoints.json")
        often = self.write("often.json", '{"switches": {"effect": "severity"}, "responses": '
                                         '{"*": {"cooldown_windows": 0, '
                                         '"effectiveness_threshold": 0}}}')
        self.service = Running(
            ["--transport", "zmq", "--address", ANY, "--bind", "--plans-address", ANY,
             "--applications-address", ANY, "--idle-timeout", "never", "--policy", often,
             "--decision-log", self.path("log.h5"), "--endpoints-file", file,
             "--plans-file", self.path("plans.jsonl")], ranks=2)
        self.addCleanup(self.service.kill)
        wait_until(lambda: os.path.exists(file) or self.service.process.poll() is not None,
                   DEADLINE_S, "the service listens")
        with open(file, encoding="utf-8") as f:
            at = json.load(f)
        context = zmq.Context()
        self.findings = context.socket(zmq.PUSH)
        self.addCleanup(context.destroy, linger=0)
        self.addCleanup(self.findings.close, linger=0)
        self.findings.connect(at["findings"])
        self.file, self.window = file, 0

    def start(self, value):
        with open(self.path(f"app-{value}"), "wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-c", APPLICATION, self.file, str(value)], stdout=out)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def ask(self):
        self.window += 1
        f = finding(self.window, None, opportunity_tags=["grow"], severity_score=1.0)
        self.findings.send_multipart([b"{}", json.dumps(f).encode()])

    def applied(self, value):
        """What the process told of the plans that it has applied: (event, old, own value)."""
        with open(self.path(f"app-{value}"), encoding="utf-8") as f:
            whole = f.read().rpartition("\n")[0].splitlines()
        return [(int(plan[5:21], 16) >> 16, int(old), int(own))
                for plan, old, own in map(str.split, whole)]

    def test_killed_at_any_moment(self):
        moment = online.dice()
        values = [1000 * (i + 1) for i in range(ROUNDS + 1)]
        process = self.start(values[0])
        for i, value in enumerate(values):
            wanted = moment.randrange(1, 4)

            def gets_on(value=value, wanted=wanted):
                self.ask()
                own = [old == now for _, old, now in self.applied(value)]
                return sum(own) >= wanted  # others were in flight to the process before
            wait_until(gets_on, DEADLINE_S, f"plans of process {i}", every_s=0.002)
            for _ in range(moment.randrange(20)):
                self.ask()
            process.kill()
            if i < ROUNDS:
                process = self.start(values[i + 1])
        self.findings.send_multipart([b'{"name":"end"}', b"{}"])
        r = self.service.finish()
        self.assertEqual(r.code, 0, r.brief)
        self.check(values)

    def check(self, values):
        """A plan that was in flight to the process before is of no process's value: it was
        made before this one registered."""
        with DecisionLog(self.path("log.h5")) as log:
            ends = [int(end) for end in log.column("registrations", "body_ends")]
            rows = [json.loads(log.file["registrations/body_bytes"][a:b].tobytes())
                    for a, b in zip([0, *ends], ends)]
            at = log.column("registrations", "seq")
        registered = {}  # by instance, in the order of the processes
        for seq, row in zip(at, rows):
            registered.setdefault(row["instance"], int(seq))
        self.assertEqual(len(registered), len(values))
        right, old = 0, 0
        for value, since in zip(values, registered.values()):
            applied = self.applied(value)
            own = [a for a in applied if a[0] > since]
            old += len(applied) - len(own)
            self.assertTrue(own, f"process {value} got no plan of its own: {applied}")
            self.assertEqual([a[1] for a in own], [a[2] for a in own],
                             f"process {value}: {applied}")
            right += 1
        print(f"{right} of {len(values)} processes: every plan starts from the value that they "
              f"had; {old} plans were still in flight to the one before", file=sys.stderr)


if __name__ == "__main__":
    main()
