"""An application that waits at a boundary for what its finding brings has the plan, or the
answer that there is none, long before its time is up; nobody else gets that answer, and
what is decided is the same as in a replay, which knows of no answers."""
import json
import os
import time

import zmq

import online  # first: it finds harness
import dfopt_client as d
from harness import Case, DecisionLog, Running, main, wait_until

ROUNDS = 200 if online.LONG else 12
DEADLINE_S = 60
WAIT_S = 60.0  # what no boundary may take
ANY = "tcp://127.0.0.1:*"
OFTEN = {"switches": {"effect": "severity"},
         "responses": {"*": {"cooldown_windows": 0, "effectiveness_threshold": 0}}}


class Answers(Case):
    def serve(self, pattern, ranks):
        self.file = self.path("endpoints.json")
        self.record, self.plans = self.path("record.jsonl"), self.path("plans.jsonl")
        self.policy = self.write("often.json", json.dumps(OFTEN))
        self.service = Running(
            ["--transport", "zmq", "--address", ANY, "--bind", "--plans-address", ANY,
             "--applications-address", ANY, "--plans-pattern", pattern, "--idle-timeout",
             "never", "--policy", self.policy, "--decision-log", self.path("log.h5"),
             "--endpoints-file", self.file, "--record", self.record, "--plans-file",
             self.plans, "--log-level", "debug"], ranks=ranks)
        self.addCleanup(self.service.kill)
        wait_until(lambda: os.path.exists(self.file) or
                   self.service.process.poll() is not None, DEADLINE_S, "the service listens")
        with open(self.file, encoding="utf-8") as f:
            self.at = json.load(f)
        self.window = self.clients = self.applied = 0
        self.delivered = {}  # ids of plans by client

    def client(self, node):
        c = d.Client("app", function="load", hostname=node, endpoints_file=self.file)
        c.declare("size", default=1, range=(1, 10**9), scope="node", responds_to={
            "grow": {"step": 1, "min_persistence": 1, "apply_when": "now"}})
        c.start()
        self.addCleanup(c.close)
        self.clients += 1
        self.delivered[c] = []
        self.wait_for('"optimizer.registry.received"', self.clients)
        return c

    def wait_for(self, text, n):
        wait_until(lambda: self.service.so_far().count(text) >= n, DEADLINE_S,
                   f"{n} {text}")

    def find(self, client, tag):
        """A window of the client's, with a finding."""
        self.window += 1
        client.objective(self.window, 1.0)
        client.finding("small_io", self.window, 1.0, tags=[tag], persistence=3)

    def at_boundary(self, client):
        before = time.monotonic()
        plans = client.at_boundary("now", wait=WAIT_S)
        self.assertLess(time.monotonic() - before, WAIT_S, client.stats())
        for p in plans:
            client.ack(p)
        self.applied += len(plans)
        self.delivered[client] += [p.plan_id for p in plans]
        self.wait_for('"outcome":"applied"', self.applied)
        return len(plans)

    def finish(self):
        """Ends the service; its recording gives the same plans."""
        with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
            socket.connect(self.at["findings"])
            socket.send_multipart([b'{"name":"end"}', b"{}"])
            r = self.service.finish()
        self.assertEqual(r.code, 0, r.brief)
        self.run_ok(["--findings-file", self.record, "--policy", self.policy, "--acks",
                     "explicit", "--plans-file", self.path("again.jsonl")])
        with DecisionLog(self.path("log.h5")) as log:
            run = str(log.file.attrs["run_id"])
        self.assertEqual(self.read(self.plans).replace(b"_" + run.encode(), b""),
                         self.read(self.path("again.jsonl")))
        self.assertNotIn(b'"answer"', self.read(self.record))

    def test_one(self):
        for pattern in ("push", "pub"):
            for ranks in (1, 4):
                with self.subTest(pattern=pattern, ranks=ranks):
                    self.serve(pattern, ranks)
                    c = self.client("n1")
                    dice, brought = online.dice(), 0
                    for _ in range(ROUNDS):
                        more = dice.random() < 0.5
                        self.find(c, "grow" if more else "other")
                        self.assertEqual(self.at_boundary(c), more)
                        self.assertEqual(self.at_boundary(c), 0)  # nothing is outstanding
                        brought += more
                    s = c.stats()
                    self.assertGreater(s.answers_received, 0)
                    self.assertEqual((s.plans_delivered, s.plans_malformed), (brought, 0))
                    c.stop(DEADLINE_S)
                    self.finish()

    def test_several(self):
        """Each on a node of its own, beside one that asks nothing and one that waits for
        what others find."""
        self.serve("pub", 4)
        context = zmq.Context()
        self.addCleanup(context.destroy, linger=0)
        old = context.socket(zmq.SUB)
        for topic in ("n0", "*"):
            old.subscribe(topic)
        old.connect(self.at["plans"])
        clients = [self.client(f"n{i}") for i in range(4)]
        silent = self.client("n4")

        def subscribed():
            self.find(clients[0], "grow")
            return self.at_boundary(clients[0]) and old.poll(100)
        wait_until(subscribed, DEADLINE_S, "a plan of n0 for the other subscriber")
        dice = online.dice()
        for _ in range(ROUNDS // 4):
            more = [dice.random() < 0.5 for _ in clients]
            for c, tag in zip(clients, more):
                self.find(c, "grow" if tag else "other")
            self.assertEqual([self.at_boundary(c) for c in clients], more)
        self.assertEqual(silent.at_boundary("now", wait=0.1), [])
        self.find(clients[0], "grow")
        self.assertEqual(self.at_boundary(clients[0]), 1)
        self.assertEqual(silent.stats().answers_received, 0)
        got, want = [], self.delivered[clients[0]]

        def ids():
            if old.poll(100):
                got.append(old.recv_multipart())
            return [json.loads(body).get("plan_id") for _, _, body in got]
        wait_until(lambda: want[-1] in ids(), DEADLINE_S, "plans of n0")
        self.assertEqual({(topic, json.loads(meta)["type"]) for topic, meta, _ in got},
                         {(b"n0", "action_plan")})
        self.assertEqual(ids(), want[want.index(ids()[0]):])
        self.assertEqual(old.poll(0), 0)
        for c in (*clients, silent):
            c.stop(DEADLINE_S)
        self.finish()

    def test_nobody_answers(self):
        """The finding reaches no service: the wait lasts as long as it may."""
        self.serve("push", 1)
        c = d.Client("app", function="load", endpoints_file=self.file,
                     findings_endpoint="tcp://127.0.0.1:9")
        c.declare("size", default=1)
        c.start()
        self.addCleanup(c.close)
        self.find(c, "grow")
        before = time.monotonic()
        self.assertEqual(c.at_boundary("now", wait=0.3), [])
        self.assertGreater(time.monotonic() - before, 0.29)


if __name__ == "__main__":
    main()
