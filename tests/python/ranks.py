#!/usr/bin/env python3
"""Ranks that share a context, as tests/python/test_together.py starts them.

usage: ranks.py mpi|torch STEPS

Plans come in at rank 0 at any time. Rank 0 prints how many steps had ranks with
different values; exit code 1: there were any, or no plan was both kept and given up.
"""
import itertools
import os
import sys
import threading
import time

import dfopt_client as d
from dfopt_client import context as context_module

HOW, STEPS = sys.argv[1], int(sys.argv[2])


@d.tunable(knobs={"size": d.knob(default=2, range=(1, 1000))})
def load(size):
    return size


def connect():
    """The comm, the number of ranks, and a function that gathers a list at rank 0."""
    if HOW == "mpi":
        from mpi4py import MPI
        comm = MPI.COMM_WORLD.Dup()
        return comm, comm.Get_size(), lambda values: comm.gather(values, root=0)
    import dfopt_client.torch
    import torch.distributed as dist
    dist.init_process_group("gloo", init_method="file://" + os.environ["TEST_STORE"],
                            rank=int(os.environ["RANK"]),
                            world_size=int(os.environ["WORLD_SIZE"]))

    def gather(values):
        lists = [None] * dist.get_world_size()
        dist.all_gather_object(lists, values)
        return lists

    return dfopt_client.torch.process_group(), dist.get_world_size(), gather


def file_plans(context, done, filed, steps):
    """Plans come at any moment, but within the steps, and not all at once."""
    for i in itertools.count(1):
        while i > len(steps) // 10 + 2 and not done.is_set():
            time.sleep(0.0001)
        if done.is_set():
            return
        for name, function in (("size", "load"), ("by_hand", "by_hand")):
            context.enqueue_action(d.ActionPlan(f"p{i}", f"app.{name}", function, 2,
                                                2 + i % 61))
        filed.append(i)
        time.sleep(0.0005)


def by_hand(context, value, rank, ranks):
    """A step of a knob whose plans a rank, now another, cannot always apply."""
    outcomes = []
    for plan in context.drain_actions_for("by_hand"):
        fails = plan.new_value % 3 == 0 and plan.new_value % ranks == rank
        kept = context.ack_action(plan, value, plan.new_value,
                                  "rejected" if fails else "applied",
                                  "no memory" if fails else "")
        value = plan.new_value if kept else value
        outcomes.append(kept)
    return value, outcomes


def main():
    comm, ranks, gather = connect()
    context = d.optimizer_context("app", comm=comm,
                                  zmq_acks_endpoint=os.environ["TEST_ENDPOINT"])
    rank = context._group.rank
    assert (context.client is None) == (rank != 0)
    assert context_module._global_context is context
    context.register_knobs("by_hand", {"by_hand": d.KnobDef("app.by_hand", 2, int)})
    done, filed = threading.Event(), []
    values, outcomes, value = [], [], 2
    if rank == 0:
        filer = threading.Thread(target=file_plans, args=(context, done, filed, values))
        filer.start()
    for step in range(STEPS):
        while rank == 0 and len(filed) < step // 10:
            time.sleep(0.0001)
        value, told = by_hand(context, value, rank, ranks)
        outcomes += told
        values.append((load(size=2), value))
    done.set()
    everything = gather((values, outcomes))
    if rank != 0:
        return 0
    filer.join()
    different = sum(len(set(step)) > 1 for step in zip(*(v for v, _ in everything)))
    changes = len(set(values))
    print(f"{STEPS} steps, {changes} values, {outcomes.count(True)} kept, "
          f"{outcomes.count(False)} given up: {different} steps differ", flush=True)
    same = context.client.current("app.by_hand", "by_hand") == value
    context.stop(0)
    alike = all(o == outcomes for _, o in everything)
    return int(bool(different) or not alike or changes < 2 or not same or
               len(set(outcomes)) < 2)


if __name__ == "__main__":
    sys.exit(main())
