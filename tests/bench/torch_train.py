"""A training script as its user writes it, for torch_loader.py: a map data set whose samples
cost 3 ms, two of them waiting for storage and one decoding, and a step that computes
elsewhere. The line of the loader is the only one that being tuned changes.

DFOPT_WAIT_MS (2) is what a sample waits for storage; the rest of its 3 ms it decodes.
DFOPT_SAMPLES (8192) are the samples of an epoch.

usage: torch_train.py SECONDS STEP_MS                            (TunableLoader)
       torch_train.py SECONDS STEP_MS WORKERS PREFETCH           (torch's DataLoader)
       torch_train.py SECONDS STEP_MS WORKERS PREFETCH PAIRS     (both: TunableLoader for
           SECONDS, then PAIRS times an epoch with it and one with DataLoader, in turn)
prints: lines of JSON: samples/s of each second, or of an epoch of each; at the end the
report, if there is one"""
import json
import os
import sys
import time

import torch
from torch.utils.data import DataLoader, Dataset

from dfopt_client.torch import TunableLoader, auto

SECONDS, STEP_S = float(sys.argv[1]), float(sys.argv[2]) * 1e-3
STATIC = tuple(map(int, sys.argv[3:5]))
PAIRS = int(sys.argv[5]) if len(sys.argv) > 5 else 0
WAIT_S = float(os.environ.get("DFOPT_WAIT_MS", "2")) * 1e-3
DECODE_S = 0.003 - WAIT_S
SAMPLES = int(os.environ.get("DFOPT_SAMPLES", "8192"))


class Samples(Dataset):
    def __len__(self):
        return SAMPLES

    def __getitem__(self, i):
        time.sleep(WAIT_S)
        image = torch.zeros(64)
        end = time.thread_time() + DECODE_S
        while time.thread_time() < end:
            image.add_(1)
        return image


def for_a_time(batches_of):
    begin = last = time.monotonic()
    done = 0
    while last < begin + SECONDS:
        for batch in batches_of:
            time.sleep(STEP_S)  # an accelerator computes
            done += len(batch)
            now = time.monotonic()
            if now >= last + 1:
                print(json.dumps({"second": round(now - begin), "rate": done / (now - last)}),
                      flush=True)
                last, done = now, 0
                if now >= begin + SECONDS:
                    break


def epoch(batches_of):
    begin = time.monotonic()
    for _ in batches_of:
        time.sleep(STEP_S)
    return SAMPLES / (time.monotonic() - begin)


torch.set_num_threads(1)
loader = static = None
if STATIC:
    static = DataLoader(Samples(), batch_size=16, shuffle=True, num_workers=STATIC[0],
                        prefetch_factor=STATIC[1])
if PAIRS or not STATIC:
    loader = TunableLoader(Samples(), batch_size=16, shuffle=True,
                           num_workers=auto(1, max=8), prefetch_factor=auto(2, max=8))
for_a_time(loader or static)
for pair in range(PAIRS):
    order = (loader, static) if pair % 2 else (static, loader)  # neither is always first
    rates = {which is static: epoch(which) for which in order}
    print(json.dumps({"tuned": rates[False], "static": rates[True]}), flush=True)
if loader is not None:
    tuner = loader._tuner
    print(json.dumps({
        "report": loader.tuning_report(),
        "moves": [c.window for c in tuner.changes] if tuner else [],
        "settings": {w.number: (w.workers, w.prefetch) for w in tuner.windows
                     if w.changed or w.number == 1} if tuner else {},
        "then": [(w.workers, w.prefetch) for w in tuner.windows][:15][-1] if tuner else [],
        "rates": [w.rate for w in tuner.windows] if tuner else [],
        "memory": [w.memory for w in tuner.windows] if tuner else []}))
