#!/usr/bin/env python3
"""A context of several processes, over threads, MPI and torch.distributed; and what is
told of contexts that do nothing, or not what was meant."""
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

import dfopt_client as d
from dfopt_client import context as context_module
from dfopt_client import groups
from peer import DEADLINE_S, Optimizer, run_script
from test_tunable import ContextTest

HERE = os.path.dirname(os.path.abspath(__file__))
sanitized = "DFOPT_SANITIZED" in os.environ


class Meeting:
    """Threads as ranks."""

    def __init__(self, ranks):
        self.barrier = threading.Barrier(ranks, timeout=DEADLINE_S)
        self.ranks = [_Rank(self, i) for i in range(ranks)]
        self.data = None
        self.values = {}
        self.broadcasts = []


class _Rank:
    def __init__(self, meeting, rank):
        self.meeting, self.rank = meeting, rank

    def broadcast(self, data):
        if self.rank == 0:
            self.meeting.data = bytes(data)
            self.meeting.broadcasts.append(len(data))
        self.meeting.barrier.wait()
        data[:] = self.meeting.data
        self.meeting.barrier.wait()

    def maximum(self, values):
        self.meeting.values[self.rank] = values
        self.meeting.barrier.wait()
        most = [max(v) for v in zip(*self.meeting.values.values())]
        self.meeting.barrier.wait()
        return most


class Together(ContextTest):
    def everywhere(self, meeting, run):
        """Runs it as each rank: what each returned."""
        results = {}

        def call(rank):
            results[rank.rank] = run(rank)

        threads = [threading.Thread(target=call, args=(r,)) for r in meeting.ranks]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return [results[r.rank] for r in meeting.ranks]

    def test_boundaries_and_acks(self):
        meeting = Meeting(3)
        knobs = {"a": d.KnobDef("app.a", 2, int, (1, 16), target_function="load")}

        def run(rank):
            context = d.OptimizerContext("app", comm=rank, **self.peer.context_options())
            context.start()
            context.declare_knobs("load", knobs)
            got = [context.drain_actions_for("load")]
            if rank.rank == 0:
                context.enqueue_action(d.ActionPlan("p1", "app.a", "load", 2, 99))
            (plan,) = context.drain_actions_for("load")
            got.append((plan.new_value, plan.parameter, plan.clamped))
            got.append(context.ack_action(plan, 2, 16))
            if rank.rank == 0:
                context.enqueue_action(d.ActionPlan("p2", "app.a", "load", 2, 5))
            (plan,) = context.drain_actions_for("load")
            got.append(context.ack_action(plan, 16, 5) if rank.rank == 0 else
                       context.ack_action(plan, 16, None, "rejected", f"nö {rank.rank}"))
            context.stop()
            return got

        self.assertEqual(self.everywhere(meeting, run),
                         [[[], (16, "a", True), True, False]] * 3)
        self.assertEqual(meeting.broadcasts[0], groups.HEAD_BYTES)  # and nothing more
        self.assertEqual(meeting.broadcasts[1], groups.HEAD_BYTES)
        told = [self.peer.ack() for _ in range(2)]
        self.assertEqual([(t["status"], t["new_value"], t["reason"]) for t in told],
                         [("applied", 16, ""), ("rejected", None, "rank 2: nö 2")])

    def test_an_argument_that_one_rank_does_not_give(self):
        """Its plan is given up, and the others' answers do not get into disorder."""
        own = threading.local()

        class OfThread:
            """The context of the rank that asks."""

            def __getattr__(self, name):
                return getattr(own.context, name)

            _noop = False

        knobs = {name: d.knob(default=2, range=(1, 64)) for name in "ab"}
        collective = threading.Barrier(2, timeout=DEADLINE_S)  # the application's own

        def run(rank):
            def load(**given):
                collective.wait()
                return given

            own.context = d.OptimizerContext("app", comm=rank, **self.peer.context_options())
            with lock:
                context_module._functions.clear()
                context_module._global_context = None
                tuned = d.tunable(knobs=knobs)(load)
                own.context.declare_knobs(tuned._tunable.func_name,
                                          tuned._tunable.knob_defs("app"))
                context_module._global_context = OfThread()
            rank.meeting.barrier.wait()
            own.context.start()
            if rank.rank == 0:
                for name in "ab":
                    own.context.enqueue_action(d.ActionPlan(
                        name, f"app.{name}", tuned._tunable.func_name, 2, 5))
            given = {"b": 2} if rank.rank else {"a": 2, "b": 2}
            tuned(**given)
            kept = tuned(**given)
            own.context.stop()
            return kept

        lock = threading.Lock()
        self.addCleanup(setattr, context_module, "_global_context", None)
        self.assertEqual(self.everywhere(Meeting(2), run), [{"a": 2, "b": 5}, {"b": 5}])
        told = {t["plan_id"]: (t["status"], t["reason"])
                for t in (self.peer.ack() for _ in range(2))}
        self.assertEqual(told, {"a": ("rejected", "rank 1: the parameter was not given by "
                                      "keyword"), "b": ("applied", "")})

    def test_what_fails_at_one_fails_at_all(self):
        def run(rank):
            try:
                context_module._make_together("app", {"comm": rank,
                                                      "zmq_acks_endpoint": "pigeon"})
            except d.Error as e:
                return str(e)

        told = self.everywhere(Meeting(2), run)
        self.assertTrue(all("pigeon" in text for text in told), told)

    def test_no_comm(self):
        with self.assertRaisesRegex(d.ArgumentError, "comm must be .*, not 3 .int."):
            self.context(comm=3)

    def test_reasons(self):
        for text in ("", "x", "äöü" * 60, "a\0b"):
            told = self.everywhere(Meeting(2), lambda rank, text=text: groups.agree(
                rank, text if rank.rank else None))
            self.assertEqual(told[0], told[1])
            self.assertFalse(told[0][0])
            self.assertTrue(text.encode()[:138].decode(errors="ignore") in told[0][1])


@unittest.skipIf(sanitized, "mpirun and torch start interpreters of their own")
class Ranks(unittest.TestCase):
    def run_ranks(self, command, **environment):
        peer = Optimizer()
        self.addCleanup(peer.close)
        done = subprocess.run(
            ["timeout", "-k", "5", str(2 * DEADLINE_S), *command], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
            env={**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1",
                 "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1",
                 "TEST_ENDPOINT": peer.endpoints["acks"], **environment})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(" 0 steps differ", done.stdout)

    @unittest.skipUnless(importlib.util.find_spec("mpi4py") and shutil.which("mpirun"),
                         "there is no mpi4py, or no mpirun")
    def test_mpi4py(self):
        self.run_ranks(["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "6",
                        sys.executable, os.path.join(HERE, "ranks.py"), "mpi", "500"])

    @unittest.skipUnless(importlib.util.find_spec("torch"), "there is no torch")
    def test_torch(self):
        with tempfile.TemporaryDirectory() as folder:
            script = ("for RANK in 1 2; do export RANK; \"$@\" & done; "
                      "RANK=0 \"$@\"; status=$?; wait; exit $status")
            self.run_ranks(["sh", "-c", script, "ranks", sys.executable,
                            os.path.join(HERE, "ranks.py"), "torch", "300"], WORLD_SIZE="3",
                           TEST_STORE=os.path.join(folder, "store"))


class Told(ContextTest):
    def lines(self, run):
        """What is warned of meanwhile."""
        with self.assertLogs("dfopt_client", "WARNING") as logs:
            run()
        return [r.getMessage() for r in logs.records]

    def test_a_second_context(self):
        self.context()
        (line,) = self.lines(lambda: d.optimizer_context(
            "app", **{**self.peer.context_options(),
                      "zmq_plans_endpoint": "tcp://127.0.0.1:1"}))
        self.assertIn("zmq_plans_endpoint", line)
        with self.assertNoLogs("dfopt_client", "WARNING"):
            self.context()
            d.optimizer_context()

    def test_boundaries_that_nobody_asks_for(self):
        def load(a, b):
            return a

        knobs = {name: d.knob(default=2, responds_to={"t": {"apply_when": when}})
                 for name, when in (("a", "window_boundary"), ("b", "epoch_boundary"))}
        tuned = d.tunable(knobs=knobs)(load)
        self.context()
        tuned(a=2, b=2)
        (line,) = self.lines(lambda: [tuned(a=2, b=2) for _ in range(3)])
        self.assertIn("app.a", line)
        self.assertIn("window_boundary", line)

    def test_parameters_that_are_none(self):
        def load(a, **more):
            return a

        def save(a):
            return a

        for func, knobs, text in ((save, {"size": d.knob(default=2)}, "no such parameter"),
                                  (load, {"size": d.knob(default=2)}, "without size=")):
            self.forget()
            context_module._functions.clear()
            tuned = d.tunable(knobs=knobs)(func)
            self.context()
            tuned(a=2)
            (line,) = self.lines(lambda tuned=tuned: [tuned(a=2) for _ in range(3)])
            self.assertIn("size", line)
            self.assertIn(text, line)

    @unittest.skipIf(sanitized, "the child of a sanitized program cannot allocate")
    def test_workers(self):
        out = run_script("""
import logging, multiprocessing, os, sys
import dfopt_client as d
logging.basicConfig(stream=sys.stdout, format="%(message)s")

@d.tunable(knobs={"a": d.knob(default=2)})
def load(a):
    return a

def work(in_worker):
    context = d.optimizer_context("app", zmq_acks_endpoint="tcp://127.0.0.1:1",
                                  in_worker=in_worker)
    print(context.client is None, load(a=3), flush=True)
    context.stop(0)

if __name__ == "__main__":
    for in_worker in (False, True):
        p = multiprocessing.get_context("fork").Process(target=work, args=(in_worker,))
        p.start()
        p.join()
        assert p.exitcode == 0
""")
        lines = out.splitlines()
        self.assertEqual(len(lines), 3, out)
        self.assertIn("worker process", lines[0])
        self.assertEqual(lines[1:], ["True 3", "False 3"])

    def test_objectives(self):
        context = self.context(zmq_objectives_endpoint=self.peer.endpoints["registry"],
                               reports="both", hostname="node1")
        context.objective(3, 813.5, metrics={"mem_frac": 0.5})
        context.objective(4, 2, goal="min", reports="job")
        wanted = [("node1", 3, 813.5, "max", {"mem_frac": 0.5}),
                  ("", 3, 813.5, "max", {"mem_frac": 0.5}), ("", 4, 2.0, "min", {})]
        for node, window, value, goal, metrics in wanted:
            meta, body = self.peer.receive("registry")
            self.assertEqual(meta, {"type": "objective", "node": node})
            self.assertEqual(body, {"node": node, "window_index": window, "value": value,
                                    "goal": goal, "metrics": metrics})
        for text, arguments in (("not finite", (1, float("nan"))), ("goal", (1, 1, "most")),
                                ("window 1", (1, "x"))):
            with self.assertRaisesRegex(d.ArgumentError, text):
                context.objective(*arguments)

    def test_waiting(self):
        context = self.context()
        knobs = {"a": d.KnobDef("app.a", 2, int, target_function="load")}
        context.declare_knobs("load", knobs)
        timer = threading.Timer(0.05, lambda: self.peer.send(new_value=7))
        timer.start()
        self.addCleanup(timer.join)
        (plan,) = context.drain_actions_for("load", "window_boundary", wait=DEADLINE_S)
        self.assertEqual(plan.new_value, 7)


if __name__ == "__main__":
    unittest.main()
