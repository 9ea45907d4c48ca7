"""The pause of a change of workers in the course of an epoch, against ending the DataLoader
and making another one for the rest. By hand, on an idle machine.

usage: torch_resize.py [REPEATS]
prints: for each number of workers the longest wait for a batch, in milliseconds: median, and
in how many of the pairs it is at most half"""
import statistics
import sys
import time

import torch
from torch.utils.data import DataLoader, Dataset, Subset

from dfopt_client._segments import Settings
from dfopt_client.torch import TunableLoader

REPEATS = int(sys.argv[1]) if len(sys.argv) > 1 else 10
BATCH, PREFETCH, BEFORE, AFTER = 16, 2, 10, 24
STEP_S = 0.06  # the loader keeps up: what is waited for is the change


class Samples(Dataset):
    def __len__(self):
        return BATCH * (BEFORE + AFTER + 40)

    def __getitem__(self, i):
        time.sleep(0.003)
        return torch.zeros(64)


def take(batches, n):
    """The longest wait of n batches."""
    longest = 0.0
    for _ in range(n):
        begin = time.perf_counter()
        next(batches)
        longest = max(longest, time.perf_counter() - begin)
        time.sleep(STEP_S)
    return longest


def resized(workers):
    loader = TunableLoader(Samples(), batch_size=BATCH, num_workers=workers,
                           prefetch_factor=PREFETCH, optimizer=None)
    run = iter(loader)
    take(run, BEFORE)
    begin = time.perf_counter()
    loader._epoch().resize(Settings(workers, PREFETCH + 1))
    return max(time.perf_counter() - begin, take(run, AFTER))


def rebuilt(workers):
    dataset = Samples()
    given = {"batch_size": BATCH, "num_workers": workers}
    run = iter(DataLoader(dataset, prefetch_factor=PREFETCH, **given))
    take(run, BEFORE)
    begin = time.perf_counter()
    del run
    rest = Subset(dataset, range(BATCH * BEFORE, len(dataset)))
    run = iter(DataLoader(rest, prefetch_factor=PREFETCH + 1, **given))
    next(run)
    first = time.perf_counter() - begin
    time.sleep(STEP_S)
    return max(first, take(run, AFTER))


torch.set_num_threads(1)
for n in (1, 2, 4, 8):
    pairs = [(resized(n) * 1e3, rebuilt(n) * 1e3) for _ in range(REPEATS)]
    ours, theirs = (statistics.median(p[i] for p in pairs) for i in (0, 1))
    print(f"{n} workers: changed {ours:.0f} ms, rebuilt {theirs:.0f} ms, {ours / theirs:.0%}; "
          f"{sum(a <= b / 2 for a, b in pairs)} of {len(pairs)} at most half", flush=True)
