#!/usr/bin/env python3
"""knob, tunable and optimizer_context, against a real ZMQ peer."""
import logging
import os
import unittest

import dfopt_client as d
from dfopt_client import context as context_module
from peer import PeerTest, wait_until

logging.getLogger("dfopt_client").setLevel(logging.CRITICAL)


class ContextTest(PeerTest):
    """One context a process: each test begins without one."""

    def setUp(self):
        super().setUp()
        context_module._functions.clear()
        context_module._global_context = None
        self.addCleanup(self.forget)

    @staticmethod
    def forget():
        if context_module._global_context is not None:
            context_module._global_context.stop()
        context_module._global_context = None

    def context(self, **options):
        return d.optimizer_context(namespace="app", **{**self.peer.context_options(),
                                                       **options})

    def pending(self, n=1):
        client = context_module._global_context.client
        wait_until(lambda: client.stats().plans_pending == n)


class Tunable(ContextTest):
    def make(self, error=None, **kwargs):
        self.seen = seen = []

        def load(*args, **kw):
            """Reads."""
            seen.append((args, kw))
            if error:
                raise error
            return "loaded"

        load.__qualname__ = "load"
        knobs = {"a": d.knob(default=2, range=(1, 16), responds_to={
            "prefetch": {"direction": "increase", "step": 2}})}
        return d.tunable(knobs={**knobs, **kwargs})(load)

    def test_without_a_context(self):
        load = self.make()
        self.assertEqual(load(1, a=3, _apply_at="window_boundary"), "loaded")
        self.assertEqual(self.seen, [((1,), {"a": 3})])
        self.assertEqual((load.__name__, load.__doc__), ("load", "Reads."))

    def test_without_an_endpoint(self):
        context = d.optimizer_context(namespace="app", group_file="/nonexistent")
        self.assertTrue(context._noop)
        load = self.make()
        self.assertEqual(load(a=3, _apply_at="now"), "loaded")
        self.assertEqual(context.drain_actions_for("load"), [])
        context.ack_action(d.ActionPlan("p", "app.a", "load", 1, 2), 1, 2)
        context.stop()
        self.assertIs(d.optimizer_context(), context)

    def test_registered_by_the_first_call(self):
        load = self.make()
        self.context()
        self.assertTrue(self.peer.is_silent("registry"))
        load(a=3, other=1)
        body = self.peer.receive("registry")[1]
        self.assertEqual((body["namespace"], body["function_name"], body["current_values"]),
                         ("app", "load", {"a": 3}))
        self.assertEqual(body["knobs"]["a"]["responds_to"]["prefetch"]["step"], 2)
        load(a=4)
        self.assertTrue(self.peer.is_silent("registry"))

    def test_applied(self):
        load = self.make()
        self.context()
        load(a=3)
        self.peer.send(old_value=3, new_value=99)
        self.pending()
        load(a=3, _apply_at="next_window")
        self.assertEqual(self.seen[-1], ((), {"a": 3}))
        self.assertTrue(self.peer.is_silent("acks"))
        self.assertEqual(load("x", a=3, _apply_at="window_boundary"), "loaded")
        self.assertEqual(self.seen[-1], (("x",), {"a": 16}))
        told = self.peer.ack()
        self.assertEqual((told["status"], told["old_value"], told["new_value"]),
                         ("applied", 3, 16))
        load(a=3)
        self.assertEqual(self.seen[-1], ((), {"a": 16}))  # it stays in force

    def test_plans_before_the_first_call_wait_for_it(self):
        for late in (False, True):  # decorated before the context is there, and after
            with self.subTest(late=late):
                self.forget()
                self.new_peer()
                context_module._functions.clear()
                if late:
                    self.context()
                load = self.make()
                if not late:
                    self.context()
                self.peer.send(new_value=5)
                self.pending()
                load(a=2)
                self.assertEqual(self.seen, [((), {"a": 5})])
                self.assertEqual(self.peer.ack()["new_value"], 5)

    def test_latest_wins(self):
        load = self.make()
        self.context()
        self.peer.send(plan_id="p1", new_value=5)
        self.peer.send(plan_id="p2", new_value=6)
        wait_until(lambda: context_module._global_context.client.stats().plans_replaced)
        load(a=2)
        self.assertEqual(self.seen, [((), {"a": 6})])
        self.assertEqual(self.peer.ack()["plan_id"], "p2")
        self.assertTrue(self.peer.is_silent("acks"))

    def test_rejected(self):
        load = self.make()
        context = self.context()
        for call, plan, reason in (
                (lambda: load(3), {}, "not given by keyword"),
                (lambda: load(a=2), {"knob_id": "app.b"}, "has not declared this knob")):
            before = context.client.stats().plans_received
            self.peer.send(**plan)
            wait_until(lambda b=before: context.client.stats().plans_received > b)
            self.assertEqual(call(), "loaded")
            told = self.peer.ack()
            self.assertEqual((told["status"], told["new_value"]), ("rejected", None))
            self.assertIn(reason, told["reason"])

    def test_the_function_raises(self):
        load = self.make(error=KeyError("x"))
        self.context()
        self.peer.send()
        self.pending()
        with self.assertRaises(KeyError):
            load(a=2)
        told = self.peer.ack()
        self.assertEqual((told["status"], told["old_value"], told["new_value"]),
                         ("rejected", 2, None))
        self.assertIn("KeyError", told["reason"])

    def test_bad_knobs(self):
        for text, spec in (("knob b", {"type": int}), ("knob b", d.knob(1, type=list))):
            with self.assertRaises(d.ArgumentError) as caught:
                self.make(b=spec)
            self.assertIn(text, str(caught.exception))
        self.context()
        for spec in (d.knob("x"), d.knob(1, range=(1, "x")), d.knob(1, responds_to={
                "t": {"direction": "up"}})):
            with self.assertRaises(d.ArgumentError) as caught:
                self.make(b=spec)
            self.assertIn("app.b", str(caught.exception))

    def test_bad_endpoint(self):
        with self.assertRaises(d.ArgumentError) as caught:
            self.context(zmq_acks_endpoint="tcp://")
        self.assertIn("tcp://", str(caught.exception))
        self.assertIsNone(context_module._global_context)

    def test_two_of_a_name(self):
        self.context()
        first = self.make()
        seen = self.seen
        second = self.make(a=d.knob(default=5))
        self.peer.send(new_value=99)
        self.pending()
        first(a=2)
        self.assertEqual(seen, [((), {"a": 16})])  # the first declaration counts
        second(a=2)

    def test_environment(self):
        """A script that knows of nothing but plans, or of nothing at all."""
        names = {"PLANS": "plans", "REGISTRY": "registry", "ACKS": "acks"}
        for name, endpoint in names.items():
            os.environ[f"DFOPT_CLIENT_{name}"] = self.peer.endpoints[endpoint]
            self.addCleanup(os.environ.pop, f"DFOPT_CLIENT_{name}")
        d.optimizer_context("app", group_file="/nonexistent")
        load = self.make()
        load(a=2)
        self.peer.receive("registry")
        self.peer.send()
        self.pending()
        load(a=2)
        self.assertEqual(self.peer.ack()["status"], "applied")


class Context(ContextTest):
    """What scripts of DFOptimizer's do with a context themselves."""

    def test_by_hand(self):
        context = d.OptimizerContext(namespace="app", **self.peer.context_options())
        self.addCleanup(context.stop)
        knobs = {"a": d.KnobDef("app.a", 2, int, (1, 16), target_function="load")}
        context.start()
        context.register_knobs("load", knobs, {"a": 4, "unknown": 1})
        self.peer.registered({"a": 4})
        context.enqueue_action(d.ActionPlan("p", "app.a", "load", 2, 7))
        self.assertEqual(context.drain_actions_for("load", at="window_boundary"), [])
        (plan,) = context.drain_actions_for("load")
        context.ack_action(plan, 4, plan.new_value)
        told = self.peer.ack()
        self.assertEqual((told["old_value"], told["new_value"]), (4, 7))
        context.ack_action(plan, 7, None, status="rejected")
        self.assertEqual(self.peer.ack()["status"], "rejected")
        context.register_knobs("load", knobs, {"a": None})  # nothing that can be told
        self.peer.registered({"a": 7})

    def test_a_function_registered_by_hand(self):
        @d.tunable(knobs={"a": d.knob(default=2)})
        def load(a):
            return a

        context = self.context()
        load._tunable_register(context, current_values={"a": 3})
        body = self.peer.receive("registry")[1]
        self.assertEqual(body["function_name"], load._tunable_func_name)
        self.assertEqual(body["current_values"], {"a": 3})
        self.assertEqual(load._tunable_knobs["a"].id, "app.a")
        load(a=2)
        self.assertTrue(self.peer.is_silent("registry"))

    def test_one_a_process(self):
        context = self.context()
        self.assertIs(d.optimizer_context(namespace="other"), context)


if __name__ == "__main__":
    unittest.main()
