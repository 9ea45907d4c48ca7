#!/usr/bin/env python3
"""What a script measures: its windows as objectives and findings."""
import os
import threading
import time
import unittest
import warnings

import dfopt_client as d
import zmq
from peer import DEADLINE_S, HOST, PeerTest
from test_together import Meeting


class Measured(PeerTest):
    def setUp(self):
        super().setUp()
        self.endpoints = {}
        for name in ("objectives", "findings"):
            socket = self.peer.context.socket(zmq.PULL)
            self.peer.sockets[name] = socket
            port = socket.bind_to_random_port("tcp://127.0.0.1")
            self.endpoints[f"{name}_endpoint"] = f"tcp://127.0.0.1:{port}"

    def client(self, **more):
        client = d.Client("app", hostname=HOST, **self.endpoints, **more)
        client.start()
        self.addCleanup(client.close)
        return client

    def take(self, name):
        return self.peer.receive(name)[1]

    def test_windows(self):
        client = self.client()
        client.window(1, 100, 2, fetch=0.75, compute=0.25, memory=0.5)
        client.window(2, 100, 2, fetch=0.75, compute=0.25, changed=True)
        client.window(3, 100, 2, 0.25, 0.75)
        objective = self.take("objectives")
        self.assertEqual((objective["node"], objective["value"], objective["metrics"]),
                         (HOST, 50.0, {"fetch_frac": 0.75, "compute_frac": 0.25,
                                       "mem_frac": 0.5}))
        self.assertEqual([self.take("objectives")["window_index"] for _ in range(2)], [2, 3])
        found = [self.take("findings") for _ in range(2)]
        self.assertEqual([(f["window_index"], f["finding_type"], f["persistence"])
                          for f in found],
                         [(1, "fetch_pressure", 1), (3, "fetch_pressure", 2)])
        self.assertAlmostEqual(found[0]["severity_score"], .65 / .9)
        self.assertEqual(client.stats().findings_sent, 2)

    def test_the_spread_of_reads(self):
        client = self.client()
        client.window(1, 100, 2, fetch=0.15, compute=0.85, read_spread=25)
        finding = self.take("findings")
        self.assertEqual(
            (finding["finding_type"], finding["severity_score"],
             finding["opportunity_tags"], finding["key_metrics"]["pread_latency_spread"]),
            ("read_contention", 0.5, ["reader_contention"], 25.0))
        measure = d.Measure(client, window=0)
        measure.compute()
        time.sleep(1e-6)
        self.assertTrue(measure.end(read_spread=45))
        found = self.take("findings"), self.take("findings")
        self.assertEqual([f["severity_score"] for f in found
                          if f["finding_type"] == "read_contention"], [1.0])

    def test_own_findings(self):
        client = self.client(reports="job")
        client.finding("small_writes", 4, 0.5, tags=["larger_writes"], suppresses=["a", "b"],
                       persistence=2, trend="stable", metrics={"bytes": 512})
        finding = self.take("findings")
        self.assertEqual(
            {k: finding[k] for k in ("finding_type", "scope", "window_index", "persistence",
                                     "opportunity_tags", "suppresses_tags", "key_metrics")},
            {"finding_type": "small_writes", "scope": "job:window", "window_index": 4,
             "persistence": 2, "opportunity_tags": ["larger_writes"],
             "suppresses_tags": ["a", "b"], "key_metrics": {"bytes": 512.0}})

    def test_refused(self):
        client = self.client()
        for call in (lambda: client.window(1, 1, 0), lambda: client.window(1, -1, 1),
                     lambda: client.window(1, 1, float("nan")),
                     lambda: client.window(1, "many", 1),
                     lambda: client.finding("", 1, 0.5), lambda: client.finding("a", 1, 2),
                     lambda: client.finding("a", 1, 0.5, metrics={"m": float("inf")})):
            with self.assertRaises(d.ArgumentError):
                call()

    def test_measure(self):
        measure = d.Measure(self.client(), window=0.01)
        until = time.monotonic() + DEADLINE_S
        measure.fetch()
        self.assertEqual(measure.window_index, 1)
        while not measure.end(workers=1, memory=0.5):
            measure.add(2)
            self.assertLess(time.monotonic(), until)
        objective, finding = self.take("objectives"), self.take("findings")
        self.assertGreater(objective["value"], 0)
        self.assertEqual(objective["metrics"],
                         {"fetch_frac": 1.0, "compute_frac": 0.0, "mem_frac": 0.5})
        self.assertEqual(finding["severity_score"], 1.0)
        measure.compute()
        while not measure.close(9):
            self.assertLess(time.monotonic(), until)
        self.assertEqual(self.take("objectives")["window_index"], 9)
        self.assertEqual(measure.window_index, 10)
        measure.other()

    def test_nobody(self):
        for reporter in (None, d.OptimizerContext("app")):
            measure = d.Measure(reporter, window=0)
            measure.add(1)
            time.sleep(1e-6)
            self.assertTrue(measure.end())

    def test_together(self):
        """Windows of several processes end at the same iteration; the longest times count."""
        meeting = Meeting(3)
        client, ended = self.client(), {}

        class Reporter:
            def __init__(self, rank):
                self._group = rank
                self.client = client if rank.rank == 0 else None

        def run(rank):
            measure = d.Measure(Reporter(rank), window=0.02)
            for i in range(60):
                measure.fetch() if rank.rank == 2 else measure.compute()
                time.sleep(0.002)
                measure.add(1)
                if measure.end():
                    ended.setdefault(rank.rank, []).append(i)

        threads = [threading.Thread(target=run, args=(r,)) for r in meeting.ranks]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(ended[0], ended[1])
        self.assertEqual(ended[0], ended[2])
        self.assertEqual(ended[0][0], 9)
        self.assertGreater(len(ended[0]), 2)
        objective = self.take("objectives")
        self.assertGreater(objective["metrics"]["fetch_frac"], 0)  # of rank 2 alone
        self.assertGreater(objective["metrics"]["compute_frac"], 0)

    def test_context(self):
        """By the environment; the end of findings is the last message."""
        for name, endpoint in self.endpoints.items():
            variable = f"DFOPT_CLIENT_{name.split('_', maxsplit=1)[0].upper()}"
            os.environ[variable] = endpoint
            self.addCleanup(os.environ.pop, variable)
        os.environ["DFOPT_CLIENT_FINDINGS_END"] = "1"
        self.addCleanup(os.environ.pop, "DFOPT_CLIENT_FINDINGS_END")
        context = d.OptimizerContext("app", hostname=HOST,
                                     zmq_registry_endpoint=self.peer.endpoints["registry"])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            context.start()
            context.register_knobs("load", {"a": d.KnobDef("app.a", 1, int)})
        self.peer.receive("registry")
        context.window(1, 10, 1, 0.5, 0.5)
        context.stop(DEADLINE_S)
        self.assertEqual(self.take("findings")["scope"], f"node:{HOST}:window")
        self.assertEqual(self.peer.receive("findings"), [{"name": "end"}, {}])


if __name__ == "__main__":
    unittest.main()
