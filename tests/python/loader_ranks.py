#!/usr/bin/env python3
"""Ranks of torch.distributed whose loaders change together, as test_tuning.py starts them.

usage: loader_ranks.py STEPS

Plans come in at rank 0 at any time. Rank 0 prints at how many steps ranks had loaders of
different sizes; exit code 1: there were any, or hardly a plan was applied."""
import os
import random
import sys
import threading
import time

import loaders  # noqa: F401  ends here if there is no torch
import torch.distributed as dist
from dfopt_client import ActionPlan
from dfopt_client.torch import TunableLoader, auto
from loaders import Content
from torch.utils.data import DistributedSampler

STEPS, BATCH = int(sys.argv[1]), 4


def file_plans(context, done, steps, filed):
    """One every six steps, which wait for it."""
    dice = random.Random(4)
    n = 0
    while not done.wait(0.001):
        if len(steps) < 6 * n:
            continue
        n += 1
        name, most = dice.choice((("num_workers", 3), ("prefetch_factor", 6)))
        context.enqueue_action(ActionPlan(
            f"p{n}", f"app.loader.{name}", "TunableLoader.loader", 1, dice.randint(1, most),
            "window_boundary"))
        filed.append(n)


def main():
    rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    dist.init_process_group("gloo", init_method="file://" + os.environ["TEST_STORE"],
                            rank=rank, world_size=ranks)
    dataset = Content(BATCH * ranks * STEPS // 4)
    sampler = DistributedSampler(dataset, ranks, rank)
    loader = TunableLoader(dataset, batch_size=BATCH, sampler=sampler, window=0.001,
                           num_workers=auto(1, max=3), prefetch_factor=auto(2, max=6))
    done, sizes, seen, filed = threading.Event(), [], [], []
    if rank == 0:
        filing = threading.Thread(target=file_plans,
                                  args=(loader._tuner.context, done, sizes, filed))
        filing.start()
    for epoch in range(4):
        sampler.set_epoch(epoch)
        numbers = []
        for batch in loader:
            sizes.append((loader._epoch()._settings.workers, loader.num_workers,
                          loader.prefetch_factor))
            numbers += batch[0].tolist()
            time.sleep(0.001)
            while rank == 0 and len(filed) < len(sizes) // 6:
                time.sleep(0.001)
        seen.append(numbers == list(iter(sampler)))
    done.set()
    every = [None] * ranks
    dist.all_gather_object(every, (sizes, seen))
    if rank != 0:
        return 0
    filing.join()
    lists = [s for s, _ in every]
    differ = sum(len(set(at)) > 1 for at in zip(*lists))
    changes = sum(a != b for a, b in zip(sizes, sizes[1:]))
    print(f"{ranks} ranks, {len(sizes)} steps, {changes} changes, {differ} steps differ")
    right = all(all(seen) for _, seen in every)
    return 0 if right and differ == 0 and changes > 3 and len({*map(len, lists)}) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
