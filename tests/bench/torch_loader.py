"""TunableLoader on torch_train.py, against every static setting of a grid. By hand; each
command takes at most five minutes. A tuned run is compared with a DataLoader in the same
process, epoch by epoch in turn, so what others do on the machine meets both.

With DFOPT_WAIT_MS=0 samples are all decoding, and two workers are what two cores can use;
with 3 they all wait for storage.

usage: torch_loader.py --bin BUILD/bin [--policy FILE] COMMAND, where COMMAND is
  grid [FILE]          samples/s of each setting; the results go to FILE
  tuned FILE [RUNS]    runs that dfopt-mpi tunes, against the best of FILE
  upstream FILE [RUNS] the same under DFOptimizer's rules (--compat upstream)
  picture FILE OUT.svg one tuned run, drawn beside the best of FILE
  idle [RUNS]          a loop that computes: tuned, and untuned with the start values
FILE of --policy (default: the one that is installed for PyTorch) is for the tuned runs."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
WORKERS, PREFETCH = (1, 2, 3, 4, 6, 8), (2, 4, 8)
STEP_MS, IDLE_STEP_MS = 4, 60
SETTLED = 15  # windows
PAIRS = 12  # of epochs
GRID_S, PICTURE_S = 6, 60


def train(*arguments, env=None):
    """What torch_train.py prints: its lines, and the report or None."""
    run = subprocess.run(["/usr/bin/python3", "-W", "ignore",
                          os.path.join(HERE, "torch_train.py"), *map(str, arguments)],
                         stdout=subprocess.PIPE, env={**os.environ, **(env or {})},
                         check=True, timeout=200)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    told = next((line for line in lines if "report" in line), None)
    return lines, told


def mean_rate(lines):
    """samples/s of the seconds, but for the first two."""
    return statistics.mean([line["rate"] for line in lines if "rate" in line][2:])


def tuned(bin_, arguments, *options):
    """What torch_train.py prints, and its report, while dfopt-mpi tunes it."""
    with tempfile.TemporaryDirectory() as d:
        at = {name: f"ipc://{d}/{name}" for name in
              ("findings", "plans", "registry", "acks", "objectives")}
        service = subprocess.Popen(
            [os.path.join(bin_, "dfopt-mpi"), "--transport", "zmq", "--address",
             at["findings"], "--bind", *(x for name in list(at)[1:] for x in (
                 f"--{name}-address", at[name])), "--log-level", "error", *options])
        env = {f"DFOPT_CLIENT_{name.upper()}": where for name, where in at.items()}
        try:
            return train(*arguments, env={**env, "DFOPT_CLIENT_FINDINGS_END": "1"})
        finally:
            try:
                service.wait(20)
            except subprocess.TimeoutExpired:
                service.kill()
                raise


def named(setting):
    """As in the results of grid: "8 2"."""
    workers, prefetch = setting.split()
    return f"{workers} workers, prefetch {prefetch}"


def grid(args):
    rates = {}
    for workers in WORKERS:
        for prefetch in PREFETCH:
            rates[f"{workers} {prefetch}"] = mean_rate(
                train(GRID_S, STEP_MS, workers, prefetch)[0])
            print(f"workers {workers}, prefetch {prefetch}: "
                  f"{rates[f'{workers} {prefetch}']:.0f} samples/s", flush=True)
    best = max(rates, key=rates.get)
    print(f"best: {named(best)}: {rates[best]:.0f} samples/s")
    if args:
        with open(args[0], "w", encoding="utf-8") as f:
            json.dump(rates, f)


def pairs(bin_, seconds, step_ms, workers, prefetch, n, *options):
    """A tuned run, then n pairs of epochs, in turn: [tuned / static], and what it told."""
    lines, told = tuned(bin_, (seconds, step_ms, workers, prefetch, n), *options)
    return [pair["tuned"] / pair["static"] for pair in lines if "static" in pair], \
        statistics.median(p["tuned"] for p in lines if "static" in p), told


def against(bin_, args, *options):
    with open(args[0], encoding="utf-8") as f:
        rates = json.load(f)
    best = max(rates, key=rates.get)
    os.environ["DFOPT_SAMPLES"] = "2048"
    for run in range(int(args[1]) if len(args) > 1 else 5):
        ratios, rate, told = pairs(bin_, SETTLED + 2, STEP_MS, *best.split(), PAIRS, *options)
        late = sorted({w for w in told["moves"] if w > SETTLED})
        print(told["report"])
        print(f"run {run + 1}: {rate:.0f} samples/s, {statistics.median(ratios):.1%} of "
              f"{named(best)} (pairs {min(ratios):.1%} to {max(ratios):.1%}); "
              f"{told['then']} after {SETTLED} windows, of {len(told['rates'])}; changes "
              f"in windows {sorted(set(told['moves']))}, {len(late)} of them later; at most "
              f"{max(told['memory']):.1%} of the memory budget", flush=True)


def draw(told, best, out):
    """samples/s of a run's windows, and where settings changed."""
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "torch"  # the same file from the same figures
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(7.2, 3))
    axes.step(range(1, len(told["rates"]) + 1), told["rates"], where="mid", color="#1f5fa8")
    axes.axhline(best, color="#777777", linestyle="--", linewidth=1)
    for window, (workers, prefetch) in told["settings"].items():
        axes.annotate(f"{workers} x {prefetch}", (int(window), 0.03), fontsize=8, rotation=90,
                      xycoords=("data", "axes fraction"), ha="center")
        axes.axvline(int(window) - 0.5, color="#cccccc", linewidth=0.8, zorder=0)
    axes.set_xlabel("window of a second (workers x prefetch where they changed)")
    axes.set_ylabel("samples/s")
    axes.set_ylim(0, best * 1.35)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(out, metadata={"Date": None})


def picture(bin_, args, *options):
    with open(args[0], encoding="utf-8") as f:
        best = max(json.load(f).values())
    _, told = tuned(bin_, (PICTURE_S, STEP_MS), *options)
    draw(told, best, args[1])
    print(told["report"])


def idle(bin_, args, *options):
    medians = []
    os.environ["DFOPT_SAMPLES"] = "320"
    for _ in range(int(args[0]) if args else 5):
        ratios, rate, told = pairs(bin_, 3, IDLE_STEP_MS, 1, 2, PAIRS, *options)
        medians.append(statistics.median(ratios))
        print(f"tuned / untuned: {medians[-1]:.4f} (pairs {min(ratios):.4f} to "
              f"{max(ratios):.4f}), {rate:.0f} samples/s; changes: {len(told['moves'])}",
              flush=True)
    print(f"median {statistics.median(medians):.4f}, worst {min(medians):.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--policy", default=os.path.join(TOP, "src/client/python/policy.json"))
    parser.add_argument("command", choices=("grid", "tuned", "upstream", "picture", "idle"))
    parser.add_argument("rest", nargs="*")
    args = parser.parse_args()
    os.environ.setdefault("PYTHONPATH", os.path.join(TOP, "src/client/python"))
    os.environ.setdefault("DFOPT_CLIENT_LIBRARY", os.path.abspath(
        os.path.join(args.bin, os.pardir, "src/client/libdfopt_client.so")))
    begin = time.monotonic()
    policy = ("--policy", args.policy)
    if args.command == "grid":
        grid(args.rest)
    elif args.command == "picture":
        picture(args.bin, args.rest, *policy)
    elif args.command == "idle":
        idle(args.bin, args.rest, *policy)
    else:
        against(args.bin, args.rest,
                *(("--compat", "upstream") if args.command == "upstream" else policy))
    print(f"{time.monotonic() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
