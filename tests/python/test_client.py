#!/usr/bin/env python3
"""The class over the C client, against a real ZMQ peer."""
import ctypes
import json
import os
import subprocess
import threading
import unittest

import dfopt_client as d
import zmq
from dfopt_client import _library
from peer import HOST, Optimizer, PeerTest, wait_until


class Layout(unittest.TestCase):
    def test_structures_are_those_of_the_header(self):
        told = json.loads(subprocess.run([os.environ["DFOPT_LAYOUT_PROGRAM"]], check=True,
                                         stdout=subprocess.PIPE, timeout=60).stdout)
        self.assertEqual(set(told), set(_library.STRUCTURES))
        for name, members in told.items():
            mirrored = _library.STRUCTURES[name]
            self.assertEqual(ctypes.sizeof(mirrored), members.pop(""), name)
            for member, offset in members.items():
                self.assertEqual(getattr(mirrored, member).offset, offset,
                                 f"{name}.{member}")

    def test_version(self):
        library = _library.library()
        self.assertEqual(library.dfopt_client_version().decode(), d.__version__)


class Bad(unittest.TestCase):
    """Errors are exceptions that name what is wrong."""

    def expect(self, kind, text, call, *args, **kwargs):
        with self.assertRaises(kind) as caught:
            call(*args, **kwargs)
        self.assertIn(text, str(caught.exception))
        self.assertIsInstance(caught.exception, d.Error)

    def test_options(self):
        for text, options in (
                ("app_namespace", {"app_namespace": ""}),
                ("plans_pattern", {"plans_pattern": "push"}),
                ("curve_secret_key", {"curve_server_key": "x" * 40}),
                ("transport", {"transport": "pigeon"})):
            self.expect(ValueError, text, d.Client, **{"app_namespace": "app", **options})

    def test_endpoints(self):
        self.expect(d.ArgumentError, "pigeon", d.Client("app", acks_endpoint="pigeon").start)
        taken = Optimizer()
        self.addCleanup(taken.close)
        at = taken.endpoints["plans"]
        self.expect(OSError, at, d.Client("app", plans_endpoint=at, plans_bind=True).start)

    def test_knobs(self):
        c = d.Client("app", function="load")
        for text, knob in (
                ("default", {"default": None, "type": int}),
                ("default_value", {"default": 2.5, "type": int}),
                ("type", {"default": [], "type": list}),
                ("range", {"default": 1, "range": (1,)}),
                ("lo, hi", {"default": 1, "range": (4, "x")}),
                ("values", {"default": 1, "values": ["x"]}),
                ("longer than", {"default": "x" * 256}),
                ("64 bits", {"default": 2**63}),
                ("step", {"default": 1, "responds_to": {"t": {"step": "x"}}}),
                ("direction is 'up'", {"default": 1, "responds_to": {"t": {"direction": "up"}}}),
                ("min_severity", {"default": 1, "responds_to": {"t": {"min_severity": "x"}}}),
        ):
            self.expect(ValueError, "knob", c.declare, "bad", **knob)
            self.expect(ValueError, text, c.declare, "bad", **knob)
        c.declare("a", default=1)
        self.expect(RuntimeError, "app.a", c.declare, "a", default=1)
        self.expect(ValueError, "save", c.register, "save")
        self.expect(ValueError, "app.x", c.current, "app.x")
        self.expect(ValueError, "app.a", c.set_current, "app.a", "text")

    def test_plans(self):
        c = d.Client("app", function="load")
        c.declare("a", default=1)
        for text, plan in (("new_value", {"plan_id": "p", "knob_id": "app.a"}),
                           ("app.x", {"plan_id": "p", "knob_id": "app.x", "new_value": 1}),
                           ("plan p", {"plan_id": "p", "knob_id": "app.a", "new_value": {1}})):
            self.expect(ValueError, text, c.enqueue, plan)
        plan = d.ActionPlan("p", "app.a", "load", 1, 2)
        self.expect(ValueError, "status is 'done'", c.ack, plan, "done")
        self.expect(ValueError, "app.a", c.ack, plan, "applied", "text")
        plan.knob_id = "app.x"
        self.expect(ValueError, "app.x", c.ack, plan)

    def test_closed(self):
        c = d.Client("app", function="load", acks_endpoint="tcp://127.0.0.1:1")
        c.declare("a", default=1)
        c.start()
        self.expect(RuntimeError, "running", c.start)
        c.close()
        c.close()
        self.assertEqual(c.at_boundary(), [])
        self.expect(RuntimeError, "closed", c.stats)
        self.expect(RuntimeError, "closed", c.current, "app.a")


class Messages(PeerTest):
    def client(self, **options):
        c = d.Client("app", function="load", hostname=HOST,
                     **{**self.peer.client_options(), **options})
        self.addCleanup(c.close)
        return c

    def test_registration(self):
        c = self.client()
        c.declare("a", default=2, range=(1, 16), current=3, responds_to={
            "prefetch": {"direction": "decrease", "step": 2, "cooldown_windows": 4},
            "mode": d.KnobResponse("set", set_to=True, step_mode="evidence")})
        c.declare("b", default=8, type=float, range=(0.5, 8), scope="node")
        c.declare("c", default="posix", values=["posix", "mmap"], id="io.engine")
        c.declare("d", default=True)
        c.start()
        meta, body = self.peer.receive("registry")
        self.assertEqual(meta, {"type": "knob_registration", "namespace": "app",
                                "function": "load"})
        self.assertEqual(body["current_values"], {"a": 3, "b": 8, "c": "posix", "d": True})
        self.assertEqual(body["node"], HOST)
        instance = body["instance"]
        self.assertTrue(instance.startswith(f"{HOST}:{os.getpid()}:"), instance)
        knobs = body["knobs"]
        self.assertEqual(knobs["a"], {
            "id": "app.a", "default": 2, "type": "int", "range": [1, 16], "values": None,
            "scope": "job", "target_function": "load", "responds_to": {
                "prefetch": {
                    "direction": "decrease", "step": 2, "step_mode": "add", "set_to": None,
                    "min_severity": 0.5, "min_persistence": 2, "cooldown_windows": 4,
                    "apply_when": "epoch_boundary", "effectiveness_threshold": 0.1},
                "mode": {
                    "direction": "set", "step": None, "step_mode": "evidence",
                    "set_to": True, "min_severity": 0.5, "min_persistence": 2,
                    "cooldown_windows": 3, "apply_when": "epoch_boundary",
                    "effectiveness_threshold": 0.1}}})
        self.assertEqual((knobs["b"]["type"], knobs["b"]["range"], knobs["b"]["scope"]),
                         ("float", [0.5, 8], "node"))
        self.assertEqual((knobs["c"]["id"], knobs["c"]["values"], knobs["d"]["default"]),
                         ("io.engine", ["posix", "mmap"], True))

    def test_leaving(self):
        c = self.client()
        c.declare("a", default=2)
        c.start()
        body = self.peer.receive("registry")[1]
        wait_until(lambda: c.stats().registrations_sent)
        c.stop()
        self.assertEqual(self.peer.receive("registry", leaving=True), [
            {"type": "knob_registration", "namespace": "app", "function": "load"},
            {"namespace": "app", "function_name": "load", "node": HOST,
             "instance": body["instance"], "unregister": True}])

    def test_odd_knobs(self):
        """Taken, as DFOptimizer does, but told."""
        c = self.client()
        for name, text, knob in (
                ("a", "lower bound", {"default": 2, "range": (16, 1)}),
                ("b", "default", {"default": 2, "range": (3, 4)}),
                ("c", "duplicate values ignored: 1", {"default": 2, "values": [1, 2, 2.0, 4], "type": float}),
                ("d", "direction", {"default": 2, "responds_to": {"t": {"step": -1}}})):
            with self.assertWarnsRegex(d.KnobWarning, f"knob {name}: .*{text}"):
                c.declare(name, **knob)

    def test_scalars_of_numpy(self):
        try:
            import numpy as np
        except ImportError:
            self.skipTest("there is no numpy")
        c = self.client()
        c.declare("i", default=np.int64(2), range=(np.int32(1), np.uint8(16)))
        c.declare("f", default=np.float32(0.5), range=np.array([0.25, 8]))
        c.declare("g", default=np.float64(0.5), values=np.array([0.25, 0.5]))
        c.declare("b", default=np.bool_(True))
        c.declare("t", default=1, type=np.int64)
        c.declare("u", default=1, type=np.float32, current=np.array(3.0))
        c.declare("s", default=np.str_("x"), type=str)
        c.set_current("app.i", np.int16(3))
        c.start()
        body = self.peer.receive("registry")[1]
        self.assertEqual(body["current_values"], {"i": 3, "f": 0.5, "g": 0.5, "b": True,
                                                  "t": 1, "u": 3.0, "s": "x"})
        self.assertEqual({n: k["type"] for n, k in body["knobs"].items()}, {
            "i": "int", "f": "float", "g": "float", "b": "bool", "t": "int", "u": "float",
            "s": "str"})
        self.assertEqual(body["knobs"]["i"]["range"], [1, 16])
        c.enqueue({"plan_id": "p", "knob_id": "app.i", "new_value": np.int64(7)})
        (p,) = c.at_boundary()
        c.ack(p, value=np.int64(7))
        self.assertEqual(self.peer.ack()["new_value"], 7)
        for call in (lambda: c.declare("x", default=np.array([1, 2]), type=int),
                     lambda: c.declare("x", default=1j, type=float),
                     lambda: c.set_current("app.i", np.complex64(1))):
            with self.assertRaisesRegex(d.ArgumentError, "ndarray|complex|int"):
                call()

    def test_one_id_one_function(self):
        c = self.client()
        c.declare("num_workers", default=2, function="train_loader")
        with self.assertRaisesRegex(d.StateError, "app.val_loader.num_workers"):
            c.declare("num_workers", default=2, function="val_loader")
        c.declare("num_workers", default=2, function="val_loader",
                  id="app.val_loader.num_workers")

    def test_plan_and_ack(self):
        c = self.client()
        c.declare("a", default=2, range=(1, 16))
        c.start()
        self.peer.send(new_value=99, severity=0.75, window_index=7, rationale="wäits",
                       finding_type="fetch", opportunity_tag="prefetch",
                       target_nodes=["node0", HOST])
        wait_until(lambda: c.stats().plans_pending)
        self.assertEqual(c.at_boundary("next_window"), [])
        (p,) = c.at_boundary("window_boundary")
        self.assertEqual(p, d.ActionPlan(
            "p1", "app.a", "load", 2, 16, "window_boundary", "wäits", "fetch", 0.75, "prefetch",
            7, [HOST], "a", True))
        c.ack(p, "deferred", reason="bäsy", window_index=8)
        metadata, body = self.peer.receive("acks")
        self.assertTrue(body.pop("instance").startswith(HOST + ":"))
        self.assertEqual([metadata, body], [
            {"type": "action_ack", "plan_id": "p1"},
            {"plan_id": "p1", "knob_id": "app.a", "status": "deferred", "old_value": 2,
             "new_value": None, "reason": "bäsy", "window_index": 8, "target_nodes": [HOST]}])
        c.ack(p)
        told = self.peer.ack()
        self.assertEqual((told["status"], told["old_value"], told["new_value"]),
                         ("applied", 2, 16))
        self.assertEqual(c.current("app.a"), 16)
        c.set_current("app.a", 5)
        self.assertEqual(c.current("app.a"), 5)
        self.assertTrue(c.stop())
        self.assertEqual(c.stats().acks_sent, 2)

    def test_kinds_of_values(self):
        c = self.client()
        for name, default in (("i", 1), ("f", 1.0), ("s", "x"), ("b", False)):
            c.declare(name, default=default)
        for name, value in (("i", 2**62), ("f", 0.1), ("s", "é\n"), ("b", True)):
            c.enqueue({"plan_id": name, "knob_id": f"app.{name}", "new_value": value})
        got = [p.new_value for p in c.at_boundary()]
        self.assertEqual(got, [2**62, 0.1, "é\n", True])
        self.assertEqual([type(x) for x in got], [int, float, str, bool])

    def test_more_plans_than_are_taken_at_once(self):
        c = self.client()
        for i in range(40):
            c.declare(f"k{i}", default=0)
            c.enqueue({"plan_id": f"p{i}", "knob_id": f"app.k{i}", "new_value": i})
        self.assertEqual([p.new_value for p in c.at_boundary()], list(range(40)))

    def test_threads(self):
        """Every plan is handed over once, to one of them."""
        c = self.client()
        c.declare("a", default=0)
        seen, done = [], threading.Event()

        def take():
            while not done.is_set():
                seen.extend(p.plan_id for p in c.at_boundary())

        threads = [threading.Thread(target=take) for _ in range(4)]
        for t in threads:
            t.start()
        for i in range(100):
            c.enqueue({"plan_id": str(i), "knob_id": "app.a", "new_value": i})
            wait_until(lambda i=i: len(seen) > i)
        done.set()
        for t in threads:
            t.join()
        self.assertEqual(seen, [str(i) for i in range(100)])

    def test_published(self):
        peer = Optimizer(zmq.PUB)
        self.addCleanup(peer.close)
        c = self.client(plans_endpoint=peer.endpoints["plans"], plans_pattern="sub")
        c.declare("a", default=2)
        c.declare("b", default=2)
        c.start()

        def subscribed():
            peer.send(topic="*", knob_id="nobody.x")
            return c.stats().plans_received

        wait_until(subscribed)
        peer.send(topic=HOST + "7", plan_id="other")
        peer.send(topic=HOST, plan_id="mine")
        peer.send(topic="*", plan_id="all", knob_id="app.b")
        wait_until(lambda: c.stats().plans_pending == 2)
        self.assertEqual([p.plan_id for p in c.at_boundary()], ["mine", "all"])


if __name__ == "__main__":
    unittest.main()
