#!/usr/bin/env python3
"""By hand, on an idle machine: the best hints of a grid for tests/mpiio/strided.c, and
what dfopt-mpi makes of it from a harmful start.

    tests/mpiio/grid.py --build build/release [--io romio321|ompio] [--folder WHERE]
        [--request-us 1000] [--mb-per-s 20] [--opens 15] [--runs 3] [--stay-open]
        [--plot FILE.svg]

With --stay-open the tuned runs open the file once, and each window ends with a view.
With --request-us=0 the storage is that of the folder, as it is. Prints the grid, each
setting's median of MB/s from open to close, then each run: every open, its hints, and
the setting that it ended with against the best of the grid, both measured again, one
after the other. Between two opens the program pauses, as one that computes does; no
open waits for a plan."""
import argparse
import itertools
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KNOBS = HERE.parents[1] / "src" / "mpiio" / "knobs"
RANKS, BLOCKS, REPEATS, PAUSE_MS = 4, 512, 5, 150
LINE = re.compile(r"^\d+ ([\d.]+)((?: \w+=\S+)*)$", re.M)
GRIDS = {
    "romio321": {"romio_cb_write": ("disable", "enable"),
                 "romio_ds_write": ("disable", "enable"),
                 "cb_nodes": (1, 2, 4), "cb_buffer_size": (65536, 1048576, 16777216)},
    "ompio": {"collective_buffering": ("true", "false"), "cb_nodes": (1, 2, 4),
              "cb_buffer_size": (65536, 1048576, 33554432)}}
HARMFUL = {"romio321": {"romio_cb_write": "disable", "romio_ds_write": "disable"},
           "ompio": {"collective_buffering": "true"}}
STREAMS = {"address": "FINDINGS", "plans-address": "PLANS", "registry-address": "REGISTRY",
           "acks-address": "ACKS", "objectives-address": "OBJECTIVES"}


def strided(o, opens, pause_ms, hints, preload=(), env=None, stay_open=False):
    """[(MB/s, {hint: value})] of a run."""
    preload = [*preload, *([o.slow] if o.request_us else [])]
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "--allow-run-as-root",
               "-n", str(RANKS), "--mca", "io", o.io]
    if preload:
        command += ["-x", "LD_PRELOAD=" + ":".join(map(str, preload))]
    command += [o.strided, *(["-k"] if stay_open else []), "data", str(BLOCKS), str(opens), str(pause_ms)]
    command += [f"{name}={value}" for name, value in hints.items()]
    out = subprocess.run(command, cwd=o.where, check=True, text=True, timeout=200,
                         stdout=subprocess.PIPE,
                         env={**os.environ, **(env or {}),
                              "SLOW_REQUEST_US": str(o.request_us),
                              "SLOW_MB_PER_S": str(o.mb_per_s)}).stdout
    if "0 times a rank had other hints, 0 ranks read wrong data" not in out:
        sys.exit(out)
    return [(float(rate), dict(h.split("=", 1) for h in hints.split()))
            for rate, hints in LINE.findall(out)]


def measure(o, hints):
    fixed = {"cb_config_list": "*:*"} if o.io == "romio321" else {}
    rates = [rate for rate, _ in strided(o, REPEATS + 1, 0, {**fixed, **hints})]
    return statistics.median(rates[1:])  # the first makes the file


def in_words(hints):
    return " ".join(f"{name}={value}" for name, value in hints.items())


def grid(o):
    found = []
    axes = GRIDS[o.io]
    for values in itertools.product(*axes.values()):
        hints = dict(zip(axes, values))
        if (hints.get("romio_cb_write") == "disable" or
                hints.get("collective_buffering") == "true") and (
                    hints["cb_nodes"] > 1 or hints["cb_buffer_size"] > 65536):
            continue  # without aggregation these do not matter
        found.append((measure(o, hints), hints))
        print(f"{found[-1][0]:8.1f} MB/s  {in_words(hints)}", flush=True)
    return max(found, key=lambda f: f[0])


def tuned(o):
    env = {}
    knobs = json.loads((KNOBS / f"{o.io.replace('321', '')}.json").read_text())
    (o.where / "knobs.json").write_text(json.dumps(knobs))
    options = ["--transport=zmq", "--bind", "--log-level=error",
               f"--policy={KNOBS / 'policy.json'}", "--decision-log=log.h5"]
    for option, name in STREAMS.items():
        env["DFOPT_CLIENT_" + name] = f"ipc://{o.where}/{name}"
        options.append(f"--{option}=ipc://{o.where}/{name}")
    env["DFOPT_MPIIO_KNOBS"] = str(o.where / "knobs.json")
    env["DFOPT_MPIIO_REPORT"] = str(o.where / "report.jsonl")
    (o.where / "report.jsonl").unlink(missing_ok=True)
    service = subprocess.Popen([o.service, *options], cwd=o.where)
    try:
        run = strided(o, o.opens, PAUSE_MS, HARMFUL[o.io], [o.library], env, o.stay_open)
    finally:
        service.terminate()
        service.wait()
    if not o.stay_open:
        return run
    lines = (o.where / "report.jsonl").read_text(encoding="utf-8").splitlines()
    return [(w["mb_per_s"], {**HARMFUL[o.io], **{name: value for name, value in
             w["hints"].items() if name != "cb_config_list"}})
            for w in map(json.loads, lines)]


def plot(path, run, best, title):
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    axes.axhline(best, color="0.6", linestyle="--", label="best of the grid")
    axes.plot(range(1, len(run) + 1), [rate for rate, _ in run], marker="o", label="tuned")
    axes.set(xlabel="open", ylabel="MB/s from open to close", title=title, ylim=(0, None))
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--io", choices=sorted(GRIDS), default="romio321")
    parser.add_argument("--folder")
    parser.add_argument("--request-us", type=int, default=1000)
    parser.add_argument("--mb-per-s", type=int, default=20)
    parser.add_argument("--opens", type=int, default=15)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--stay-open", action="store_true")
    parser.add_argument("--plot")
    o = parser.parse_args()
    build = o.build.resolve()
    o.strided, o.service = build / "tests/mpiio_strided", build / "bin/dfopt-mpi"
    o.library = build / "src/mpiio/libdfopt_mpiio.so"
    o.slow = build / "tests/libmpiio_slow_storage.so"
    o.where = pathlib.Path(tempfile.mkdtemp(prefix="dfopt-grid-", dir=o.folder))
    try:
        best, hints = grid(o)
        print(f"best of the grid: {best:.1f} MB/s, {in_words(hints)}")
        for number in range(1, o.runs + 1):
            run = tuned(o)
            for i, (rate, now) in enumerate(run, 1):
                print(f"run {number} open {i:2}: {rate:7.1f} MB/s  {in_words(now)}")
            at_end, again = measure(o, run[-1][1]), measure(o, hints)
            print(f"run {number}: ends with a setting of {at_end:.1f} MB/s; the best of the "
                  f"grid has {again:.1f} now: {at_end / again:.0%}", flush=True)
        if o.plot:
            plot(o.plot, run, best, f"4 ranks, strided 4 kB blocks, {o.io}")
    finally:
        shutil.rmtree(o.where, ignore_errors=True)


if __name__ == "__main__":
    main()
