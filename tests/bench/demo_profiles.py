#!/usr/bin/env python3
"""Tunes the real demo loader on each storage profile, and compares it with the best static setting.

usage: demo_profiles.py [--build build/release] [--profiles latency,memory] [--windows 40] [--keep DIR]

The best is that of a grid over all values of both knobs. The loader reports its objective, and its findings have
DFDiagnoser's habits (--diagnosis=peak). `share` is the median of the last five windows as a share of the best,
`until` the window from which on the median of three is at 95 % of it; for `step`, windows behind the change, and the
best is that of the profile behind it. By hand, on a machine with nothing else to do: a profile takes about
two minutes. Prints a table, and a line of JSON for each run.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROFILES = ("latency", "bandwidth", "contention", "memory", "step")
STREAMS = ("plans", "registry", "acks", "objectives")
METHODS = {
    "default": [],
    "severity": ["--policy", '{"switches": {"effect": "severity"}}'],
    "upstream": ["--compat", "upstream"],
}
FRACTION = .95


def options():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ap.add_argument("--build", default=os.path.join(TOP, "build", "release"))
    ap.add_argument("--profiles", type=lambda s: s.split(","), default=PROFILES, metavar="NAME,...")
    ap.add_argument("--methods", type=lambda s: s.split(","), default=tuple(METHODS), metavar="NAME,...")
    ap.add_argument("--windows", type=int, default=40)
    ap.add_argument("--window-ms", type=int, default=250)
    ap.add_argument("--max-threads", type=int, default=12)
    ap.add_argument("--max-prefetch", type=int, default=16)
    ap.add_argument("--grid-ms", type=int, default=100, help="a window of the grid")
    ap.add_argument("--grid-windows", type=int, default=3, help="windows of a setting of the grid; their median counts")
    ap.add_argument("--keep", metavar="DIR", help="keep the files there")
    return ap.parse_args()


def loader(a, work, profile, *more):
    return [os.path.join(a.build, "bin", "dfopt-demo-loader"), "--make-data=" + os.path.join(work, "data"),
            "--threads=1", "--prefetch=1", "--latency=2", "--diagnosis=peak", "--storage=" + profile,
            "--max-threads=%d" % a.max_threads, "--max-prefetch=%d" % a.max_prefetch, *more]


def rows(path, kind):
    with open(path) as fh:
        return [r for r in map(json.loads, fh) if r.get("event", r.get("kind")) == kind]


def best(a, work, profile):
    """The best static setting, and its neighbours' noise: the whole grid."""
    out = os.path.join(work, profile + ".grid.jsonl")
    subprocess.run(loader(a, work, profile, "--optimizer=off", "--grid=full", "--window-ms=%d" % a.grid_ms,
                          "--grid-windows=%d" % a.grid_windows, "--json=" + out),
                   check=True, stdout=subprocess.DEVNULL, timeout=900)
    return rows(out, "best")[-1]


def start(a, work, method, name):
    log = os.path.join(work, name + ".log")
    more = []
    for option in METHODS[method]:
        if option.startswith("{"):
            path = os.path.join(work, method + ".json")
            with open(path, "w") as fh:
                fh.write(option)
            option = path
        more.append(option)
    args = [os.path.join(a.build, "bin", "dfopt-mpi"), "--transport", "zmq", "--bind", "--idle-timeout", "30",
            "--decision-log", os.path.join(work, name + ".h5")]
    for option in ("address", "plans-address", "registry-address", "acks-address", "objectives-address"):
        args += ["--" + option, "tcp://127.0.0.1:*"]
    with open(log, "wb") as fh:
        service = subprocess.Popen(args + more, stderr=fh)
    for _ in range(300):
        with open(log) as fh:
            listening = [json.loads(line) for line in fh if '"optimizer.listening"' in line]
        if listening:
            return service, listening[0]
        if service.poll() is not None:
            break
        time.sleep(.1)
    sys.exit("dfopt-mpi did not start: see " + log)


def tune(a, work, profile, method):
    name = "%s.%s" % (profile, method)
    out = os.path.join(work, name + ".jsonl")
    service, at = start(a, work, method, name)
    try:
        ends = ["--findings=" + at["findings"], "--findings-connect", "--plans=" + at["plans"],
                "--registry=" + at["registrations"], "--acks=" + at["acks"], "--objectives=" + at["objectives"]]
        subprocess.run(loader(a, work, profile, *ends, "--wait-optimizer=20", "--stop-optimizer",
                              "--window-ms=%d" % a.window_ms, "--windows=%d" % a.windows, "--json=" + out),
                       check=True, stdout=subprocess.DEVNULL, timeout=300)
        service.wait(30)
    finally:
        if service.poll() is None:
            service.terminate()
            service.wait()
    return rows(out, "window"), rows(out, "plan")


def until(rates, target):
    for i in range(len(rates) - 2):
        if statistics.median(rates[i:i + 3]) >= target:
            return i + 1
    return None


def settings(windows):
    """The settings of the last five windows, each once."""
    seen = []
    for w in windows[-5:]:
        s = "%dx%d" % (w["read_threads"], w["prefetch_size"])
        if s not in seen:
            seen.append(s)
    return " ".join(seen)


def main():
    a = options()
    work = a.keep or tempfile.mkdtemp(prefix="dfopt-profiles-")
    os.makedirs(work, exist_ok=True)
    print("%-11s %-22s %-9s %6s %6s %6s  %s" % ("profile", "best of the grid", "method", "share", "until", "plans",
                                                "threads x prefetch at the end"))
    for profile in a.profiles:
        change = a.windows // 2 if profile == "step" else 0
        top = best(a, work, "contention" if profile == "step" else profile)
        rate = top["best_samples_per_second"]
        for method in a.methods:
            windows, plans = tune(a, work, profile, method)
            rates = [w["samples_per_second"] for w in windows]
            share = statistics.median(rates[-5:]) / rate
            when = until(rates[change:], FRACTION * rate)
            print("%-11s %5.0f/s at %2d x %-2d     %-9s %5.0f%% %6s %6d  %s" % (
                profile, rate, top["read_threads"], top["prefetch_size"], method, 100 * share, when or "never",
                len(plans), settings(windows)), flush=True)
            print(json.dumps({"profile": profile, "method": method, "best": rate, "share": round(share, 4),
                              "until": when, "shares": [round(r / rate, 3) for r in rates]}), file=sys.stderr)
    if not a.keep:
        subprocess.run(["rm", "-r", work], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
