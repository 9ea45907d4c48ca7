"""TunableLoader on torch_train.py, against every static setting of a grid. By hand, on an idle
machine; each command takes at most four minutes.

With DFOPT_WAIT_MS=0 samples are all decoding: two workers are what two cores can use.

usage: torch_loader.py --bin BUILD/bin COMMAND, where COMMAND is
  grid [FILE]          samples/s of each setting; the results go to FILE
  tuned FILE [RUNS]    runs that dfopt-mpi tunes, against the best of FILE
  upstream FILE [RUNS] the same under DFOptimizer's rules (--compat upstream)
  picture FILE OUT.svg one tuned run, drawn beside the best of FILE
  idle [RUNS]          a loop that computes: tuned and untuned, in turn"""
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


def train(*arguments, env=None):
    """What torch_train.py prints: samples/s by second, and the report or None."""
    run = subprocess.run(["/usr/bin/python3", "-W", "ignore",
                          os.path.join(HERE, "torch_train.py"), *map(str, arguments)],
                         stdout=subprocess.PIPE, env={**os.environ, **(env or {})},
                         check=True, timeout=200)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    told = next((line for line in lines if "report" in line), None)
    return [line["rate"] for line in lines if "rate" in line], told


def tuned(bin_, seconds, step_ms, *options):
    with tempfile.TemporaryDirectory() as d:
        at = {name: f"ipc://{d}/{name}" for name in
              ("findings", "plans", "registry", "acks", "objectives")}
        service = subprocess.Popen(
            [os.path.join(bin_, "dfopt-mpi"), "--transport", "zmq", "--address",
             at["findings"], "--bind", *(x for name in list(at)[1:] for x in (
                 f"--{name}-address", at[name])), "--log-level", "error", *options])
        env = {f"DFOPT_CLIENT_{name.upper()}": where for name, where in at.items()}
        try:
            return train(seconds, step_ms, env={**env, "DFOPT_CLIENT_FINDINGS_END": "1"})
        finally:
            try:
                service.wait(20)
            except subprocess.TimeoutExpired:
                service.kill()
                raise


def grid(args):
    rates = {}
    for workers in WORKERS:
        for prefetch in PREFETCH:
            found, _ = train(6, STEP_MS, workers, prefetch)
            rates[f"{workers} {prefetch}"] = statistics.mean(found[2:])
            print(f"workers {workers}, prefetch {prefetch}: "
                  f"{rates[f'{workers} {prefetch}']:.0f} samples/s", flush=True)
    best = max(rates, key=rates.get)
    print(f"best: workers, prefetch {best}: {rates[best]:.0f} samples/s")
    if args:
        with open(args[0], "w", encoding="utf-8") as f:
            json.dump(rates, f)


def near(rates, workers, prefetch):
    """The grid's samples/s for a setting, or for the next below it, and its share of the
    best: what others ran on the machine meanwhile is not in it."""
    workers = max(w for w in WORKERS if w <= workers)
    prefetch = max(p for p in PREFETCH if p <= max(prefetch, min(PREFETCH)))
    rate = rates[f"{workers} {prefetch}"]
    return f"the grid has {rate:.0f} ({rate / max(rates.values()):.1%})"


def against(bin_, args, *options):
    with open(args[0], encoding="utf-8") as f:
        rates = json.load(f)
    best = max(rates.values())
    for run in range(int(args[1]) if len(args) > 1 else 5):
        _, told = tuned(bin_, 30, STEP_MS, *options)
        end = statistics.mean(told["rates"][SETTLED:])
        print(told["report"])
        print(f"run {run + 1}: {end:.0f} of {best:.0f} samples/s, {end / best:.1%}; "
              f"{near(rates, *told['then'])} with what it had after {SETTLED} windows; changes "
              f"in windows {sorted(set(told['moves']))}; at most "
              f"{max(told['memory']):.0%} of the memory budget", flush=True)


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


def picture(bin_, args):
    with open(args[0], encoding="utf-8") as f:
        best = max(json.load(f).values())
    _, told = tuned(bin_, 30, STEP_MS)
    draw(told, best, args[1])
    print(told["report"])


def idle(bin_, args):
    ratios = []
    for _ in range(int(args[0]) if args else 5):
        with_it, told = tuned(bin_, 14, IDLE_STEP_MS)
        without, _ = train(14, IDLE_STEP_MS, 1, 2)
        ratios.append(statistics.mean(with_it[2:]) / statistics.mean(without[2:]))
        print(f"tuned / untuned: {ratios[-1]:.4f}; changes: {len(told['moves'])}", flush=True)
    print(f"median {statistics.median(ratios):.4f}, worst {min(ratios):.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("command", choices=("grid", "tuned", "upstream", "picture", "idle"))
    parser.add_argument("rest", nargs="*")
    args = parser.parse_args()
    os.environ.setdefault("PYTHONPATH", os.path.join(TOP, "src/client/python"))
    begin = time.monotonic()
    if args.command == "grid":
        grid(args.rest)
    elif args.command == "picture":
        picture(args.bin, args.rest)
    elif args.command == "idle":
        idle(args.bin, args.rest)
    else:
        against(args.bin, args.rest,
                *(("--compat", "upstream") if args.command == "upstream" else ()))
    print(f"{time.monotonic() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
