#!/usr/bin/env python3
"""Measures dfopt-mpi: what it does in a second, beside what its parts could.

Builds the release if needed, makes its inputs in a temporary directory, prints one
table, and writes everything as JSON. docs/performance.md says what the rows mean.
"""
import argparse
import atexit
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import online
import stages
import table
from table import BASE_NODES, KNOBS, SWEEP, SWEEP_FINDINGS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = ("dfopt-mpi", "dfopt-log", "bench_gen", "bench_limits", "bench_rank", "bench_boundary",
            "bench_latency")
DLIO = {"DFOPTIMIZER_BOOTSTRAP_DLIO": "1", "DLIO_KNOB_MAX_THREADS": "8"}  # two knobs
# Open MPI passes large frames on in parts, as where processes may not read each other
IN_PARTS = {"OMPI_MCA_btl_vader_single_copy_mechanism": "none"}


class BenchError(Exception):
    pass


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, limit=900, errors=None, **more):
    """Runs a command to its end; its standard output (errors=STDOUT: and error)."""
    out = b""
    with tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=errors or err, start_new_session=True,
                                   **more)
        try:
            out, _ = process.communicate(timeout=limit)
            why = f"exit code {process.returncode}" if process.returncode else None
        except BaseException as e:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if not isinstance(e, subprocess.TimeoutExpired):
                raise
            why = f"not done after {limit} s"
        if why:
            err.seek(0)
            told = (err.read() or out or b"").decode(errors="replace")
            raise BenchError(f"{' '.join(command)}\n{why}\n{told[-4000:]}")
    return out.decode()


# ---------------------------------------------------------------- build and machine

def build(directory):
    cache = os.path.join(directory, "CMakeCache.txt")
    if not os.path.exists(cache):
        say(f"configuring {directory}")
        run(["cmake", "-S", ROOT, "-B", directory, "-DCMAKE_BUILD_TYPE=Release"])
    else: # jobs/demo.sh makes one without these programs
        run(["cmake", "-S", ROOT, "-B", directory, "-DDFOPT_TESTS=ON"])
    with open(cache, encoding="utf-8") as f:
        settings = dict(line.strip().split("=", 1) for line in f
                        if ":" in line.split("=")[0] and "=" in line)
    if settings.get("CMAKE_BUILD_TYPE:STRING") != "Release" \
            or settings.get("DFOPT_SANITIZE:BOOL") == "ON":
        raise BenchError(f"{directory} holds no release build: give another --build")
    say(f"building {directory}")
    run(["cmake", "--build", directory, "--parallel", str(os.cpu_count()), "--target", *PROGRAMS],
        limit=1800, errors=subprocess.STDOUT)
    found = {}
    for folder in ("bin", "tests/bench"):
        for name in PROGRAMS:
            path = os.path.join(directory, folder, name)
            if os.path.exists(path):
                found[name] = path
    return found, settings.get("CMAKE_C_COMPILER:FILEPATH", settings.get("CMAKE_C_COMPILER:STRING", "cc"))


def first_line(command):
    try:
        return run(command, limit=60).splitlines()[0]
    except (BenchError, OSError, IndexError):
        return "unknown"


def machine(programs, compiler):
    facts = {"cores": len(os.sched_getaffinity(0)), "cpu": "unknown", "memory_gib": 0}
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                facts["cpu"] = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo", encoding="utf-8") as f:
        facts["memory_gib"] = round(int(f.readline().split()[1]) / 2**20, 1)
    facts["kernel"] = platform.release()
    facts["compiler"] = first_line([compiler, "--version"])
    facts["mpi"] = first_line(["mpirun", "--version"])
    facts["program"] = first_line([programs["dfopt-mpi"], "--version"])
    facts["commit"] = first_line(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"])
    facts["python"] = platform.python_version()
    facts["load_at_start"] = os.getloadavg()[0]
    return facts


# ---------------------------------------------------------------- runs of the program

class Bench:
    def __init__(self, programs, directory, repeats):
        self.programs, self.directory, self.repeats = programs, directory, repeats
        self.serial, self.starts = 0, {}
        self.env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1",
                        OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        for name in list(self.env):
            if name.startswith(("DFOPTIMIZER_", "DLIO_KNOB_")):
                del self.env[name]
        self.one = self.generate("one", findings=1)
        self.registry = {k: self.make_registry(k) for k in (2, KNOBS, 50, 200)}

    def path(self, name):
        return os.path.join(self.directory, name)

    def generate(self, name, **options):
        path = self.path(f"{name}.jsonl")
        options.setdefault("nodes", BASE_NODES)
        run([self.programs["bench_gen"], "--output", path]
            + [x for k, v in options.items() for x in (f"--{k}", str(v))])
        return path

    def make_registry(self, knobs):
        path = self.path(f"knobs_{knobs}.json")
        run([self.programs["bench_gen"], "--findings", "0", "--knobs", str(knobs),
             "--registry", path, "--output", os.devnull])
        return path

    def once(self, inputs, ranks, log, knobs=KNOBS, fifo=None, options=(), env=None):
        """One run: seconds by the clock and of processors, and each rank's memory."""
        self.serial += 1
        prefix = self.path(f"rank{self.serial}")
        h5, pipe = self.path("log.h5"), self.path(f"pipe{self.serial}")
        feeder = None
        command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks),
                   self.programs["bench_rank"], prefix, self.programs["dfopt-mpi"],
                   "--no-progress", "--log-level", "warning", *options]
        if knobs:
            command += ["--registry-file", self.registry[knobs]]
        if fifo:
            os.mkfifo(pipe)
            inputs = [pipe]
            feeder = subprocess.Popen([self.programs["bench_gen"], "--findings", str(fifo),
                                       "--nodes", str(BASE_NODES), "--output", pipe])
        for path in inputs:
            command += ["--findings-file", path]
        if log is not None:
            command += ["--decision-log", h5, "--log-compression", str(log)]
        try:
            run(command, env=dict(self.env, **(env or {})))
        finally:
            if feeder:
                if feeder.poll() is None:
                    feeder.kill()
                feeder.wait()
                os.unlink(pipe)
        result = {"wall": 0.0, "cpu": 0.0, "cpu_rank_0": 0.0, "peak_kib": [0] * ranks}
        for rank in range(ranks):
            with open(f"{prefix}.{rank}", encoding="utf-8") as f:
                used = json.load(f)
            os.unlink(f"{prefix}.{rank}")
            result["wall"] = max(result["wall"], used["wall"])
            result["cpu"] += used["user"] + used["system"]
            if rank == 0:
                result["cpu_rank_0"] = result["cpu"]
            result["peak_kib"][rank] = used["peak_kib"]
        if log is not None:
            result["log_bytes"] = os.path.getsize(h5)
        return result

    def best(self, cases, repeats=None):
        """The best of several runs of each case, which take turns, so that all meet the
        same noise. A case: findings, and the arguments of once."""
        best = [{} for _ in cases]
        starts = [self.start(c) for c in cases]
        for _ in range(repeats or self.repeats):
            for at, case in enumerate(cases):
                got = self.once(**{k: v for k, v in case.items() if k != "findings"})
                for name, value in got.items():
                    known = best[at].get(name, value)
                    best[at][name] = [max(x) for x in zip(known, value)] \
                        if name == "peak_kib" else min(known, value)
        for at, case in enumerate(cases):
            b, s, n = best[at], starts[at], case["findings"]
            b.update(findings=n, ranks=case["ranks"], log=case["log"], start=s,
                     in_parts=case.get("env") is IN_PARTS,
                     rate_wall=n / max(b["wall"] - s["wall"], 1e-9),
                     rate_cpu=n / max(b["cpu"] - s["cpu"], 1e-9))
            b["share_rank_0"] = (b["cpu_rank_0"] - s["cpu_rank_0"]) / max(b["cpu"] - s["cpu"], 1e-9)
            if case["log"] is not None:
                b["log_bytes_per_finding"] = (b["log_bytes"] - s["log_bytes"]) / n
        return best

    def start(self, case):
        """What starting and ending costs: the same with an input of one finding."""
        key = (case["ranks"], case["log"], bool(case.get("options")))
        if key not in self.starts:
            some = [self.once(inputs=[self.one],
                              **{k: v for k, v in case.items()
                                 if k not in ("findings", "inputs", "fifo")})
                    for _ in range(max(self.repeats, 5))]
            self.starts[key] = {name: min(x[name] for x in some)
                                for name in ("wall", "cpu", "cpu_rank_0", "log_bytes")
                                if name in some[0]}
        return self.starts[key]

    def log_rows(self):
        """Findings and verdicts in the last log, of the base input and 10 knobs."""
        told = json.loads(run([self.programs["dfopt-log"], "summary", "--json",
                               self.path("log.h5")]))
        return told["findings"], sum(told["verdicts"].values()), told["hdf5_version"]


# ---------------------------------------------------------------- the parts of the suite

def limits(bench, base, repeats):
    out = run([bench.programs["bench_limits"], base, str(repeats), "2", str(KNOBS), "50", "200"])
    parts = {}
    for line in out.splitlines():
        part = json.loads(line)
        part["rate_wall"], part["rate_cpu"] = (part["findings"] / part[x] for x in ("wall", "cpu"))
        name = part["part"]
        parts[f"{name}_{part['knobs']}" if name.startswith("planner") else name] = part
    return parts


def ranks_and_logs(bench, base, n, most):
    cases = [dict(findings=n, inputs=[base], ranks=ranks, log=log)
             for ranks in (1, 2, 4) if ranks <= most for log in (None, 0, 1)]
    if most >= 2:
        cases.append(dict(findings=n, inputs=[base], ranks=2, log=1, env=IN_PARTS))
    best = bench.best(cases)
    findings, verdicts, hdf5 = bench.log_rows()
    for b in best:
        if b["log"] is not None:
            b["log_bytes_per_row"] = b["log_bytes_per_finding"] * n / (findings + verdicts)
    return best, {"findings": findings, "verdicts": verdicts, "hdf5": hdf5}


def by_nodes(bench, n, counts):
    cases, paths = [], []
    for nodes in counts:
        paths.append(bench.generate(f"nodes_{nodes}", findings=n, nodes=nodes))
        cases.append(dict(findings=n, inputs=[paths[-1]], ranks=1, log=1))
    best = bench.best(cases)
    for path in paths:
        os.unlink(path)
    return dict(zip(counts, best))


def by_knobs(bench, base, n, counts):
    return dict(zip(counts, bench.best([dict(findings=n, inputs=[base], ranks=1, log=1, knobs=k)
                                        for k in counts])))


def by_length(bench, lengths, base, base_n):
    """Files, whose windows go on growing, and a FIFO, which one rank reads."""
    files, pipes = {}, {}
    for n in lengths:
        size = 1000 * n
        if shutil.disk_usage(bench.directory).free < 2 * size:
            say(f"skipped: a file of {n} findings, no room in {bench.directory}")
            continue
        path = base if n == base_n else bench.generate(f"length_{n}", findings=n)
        few = 2 if n > 2 * base_n else None
        cases = [dict(findings=n, inputs=[path], ranks=r, log=1) for r in (1, 2)]
        files[n] = dict(zip((1, 2), bench.best(cases, few)))
        if path != base:
            os.unlink(path)
    for n in lengths:
        pipes[n] = bench.best([dict(findings=n, inputs=[], fifo=n, ranks=1, log=1)],
                              2 if n > 2 * base_n else None)[0]
    return files, pipes


def boundary(bench, repeats):
    """What an application pays at a boundary with nothing pending: the best run."""
    return min((json.loads(run([bench.programs["bench_boundary"]])) for _ in range(repeats)),
               key=lambda x: x["median_ns"])


def head(source, target, n):
    with open(source, "rb") as f, open(target, "wb") as out:
        for _, line in zip(range(n), f):
            out.write(line)


def sweeps(bench, base, most):
    """Whole runs, their start and end included. A decision is a finding of a variant."""
    some, sweep = bench.path("sweep_in.jsonl"), bench.path("sweep.json")
    head(base, some, SWEEP_FINDINGS)
    with open(sweep, "w", encoding="utf-8") as f:
        json.dump(SWEEP, f)
    n = SWEEP["sample"]["n"] * SWEEP_FINDINGS
    found = []
    for ranks in (r for r in (1, 2) if r <= most):
        for knobs in (2, KNOBS):
            options = ("--sweep", sweep, "--sweep-output", bench.path("sweep.h5"))
            runs = [bench.once([some], ranks, None, knobs if knobs == KNOBS else None,
                               options=options, env=DLIO if knobs == 2 else None)
                    for _ in range(bench.repeats)]
            wall, cpu = (min(r[x] for r in runs) for x in ("wall", "cpu"))
            found.append({"ranks": ranks, "knobs": knobs, "rate_wall": n / wall,
                          "rate_cpu": n / cpu, "rate_core": n / wall / ranks,
                          "peak_kib": runs[0]["peak_kib"]})
    os.unlink(some)
    return found


def upstream(bench, main, base, n):
    """DFOptimizer's own replay of the same findings with the same knobs."""
    some = bench.path("upstream.jsonl")
    head(base, some, n)
    plans = {}

    def once(path):
        prefix, logged = bench.path("upstream"), bench.path("upstream.err")
        with open(logged, "wb") as err:
            done = subprocess.run(
                [bench.programs["bench_rank"], prefix, sys.executable, main, "--transport",
                 "file", "--findings-file", path], stdin=subprocess.DEVNULL, stdout=err,
                stderr=err, env=dict(bench.env, **DLIO), timeout=900, check=False)
        with open(logged, "rb") as f:
            lines = f.read().splitlines()
        if done.returncode:
            raise BenchError(f"{main}: exit code {done.returncode}\n"
                             + b"\n".join(lines[-20:]).decode(errors="replace"))
        plans["upstream"] = json.loads(lines[-1]).get("plan_count")
        with open(f"{prefix}.0", encoding="utf-8") as f:
            used = json.load(f)
        return {"wall": used["wall"], "cpu": used["user"] + used["system"]}

    start = [once(bench.one) for _ in range(3)]
    whole = [once(some) for _ in range(3)]
    took = {k: min(x[k] for x in whole) - min(x[k] for x in start) for k in ("wall", "cpu")}
    theirs = {"findings": n, "rate_wall": n / took["wall"], "rate_cpu": n / took["cpu"]}
    ours = bench.best([dict(findings=n, inputs=[some], ranks=1, log=1, knobs=None, env=DLIO,
                            options=("--compat", "upstream"))], max(bench.repeats, 7))[0]
    told = json.loads(run([bench.programs["dfopt-log"], "summary", "--json",
                           bench.path("log.h5")]))
    if told["plans"] != plans["upstream"]:
        raise BenchError(f"{told['plans']} plans, but DFOptimizer makes {plans['upstream']}")
    os.unlink(some)
    return {"upstream": theirs, "dfopt": ours, "plans": told["plans"]}


# ---------------------------------------------------------------- the run

def options():
    p = argparse.ArgumentParser(prog="run.sh", description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("--quick", action="store_true", help="smaller inputs: three minutes")
    p.add_argument("--build", default=os.path.join(ROOT, "build", "release"), metavar="DIR",
                   help="a release build; made there if there is none (default build/release)")
    p.add_argument("--output", metavar="FILE.json", help="default: bench.json in the build")
    p.add_argument("--repeats", type=int, metavar="N", help="runs of each (default 5; quick 3)")
    p.add_argument("--upstream-main", metavar="PATH",
                   help="main.py of a checkout of DFOptimizer, to compare with")
    return p.parse_args()


def measure(o, programs, compiler, directory):
    n = 200_000 if o.quick else 1_000_000
    repeats = o.repeats or (3 if o.quick else 5)
    bench = Bench(programs, directory, repeats)
    result = {"machine": machine(programs, compiler), "quick": o.quick, "repeats": repeats}
    began = time.monotonic()

    def step(text):
        say(f"{time.monotonic() - began:6.1f} s  {text}")

    step("making the input")
    base = bench.generate("base", findings=n)
    result["base"] = {"findings": n, "nodes": BASE_NODES, "knobs": KNOBS,
                      "bytes_per_finding": os.path.getsize(base) / n}
    step("limits")
    result["limits"] = limits(bench, base, repeats)
    step("boundary")
    result["boundary"] = boundary(bench, repeats)
    step("live service")
    result["latency"] = online.latency(programs, directory, (1, 4),
                                       ((10, 50), (1000, 2000)) if o.quick
                                       else ((10, 300), (1000, 10_000)))
    result["idle"] = online.idle(programs, directory, 4, 5 if o.quick else 60)
    step("ranks and logs")
    result["runs"], result["rows"] = ranks_and_logs(bench, base, n, 4)
    step("nodes")
    result["nodes"] = by_nodes(bench, n, (10, 100, 10_000) if o.quick
                               else (10, 100, 1000, 10_000, 100_000))
    step("knobs")
    result["knobs"] = by_knobs(bench, base, n, (2, 10, 50, 200))
    step("length")
    result["files"], result["pipes"] = by_length(
        bench, (10**5, 10**6) if o.quick else (10**5, 10**6, 10**7), base, n)
    step("sweeps")
    result["sweeps"] = sweeps(bench, base, result["machine"]["cores"])
    if o.upstream_main:
        step("DFOptimizer")
        result["upstream"] = upstream(bench, o.upstream_main, base, 20_000 if o.quick else SWEEP_FINDINGS)
    step("profile")
    result["profile"] = stages.profile(
        [programs["dfopt-mpi"], "--no-progress", "--log-level", "warning", "--findings-file", base,
         "--registry-file", bench.registry[KNOBS], "--decision-log", bench.path("log.h5")],
        bench.path("perf.data"), bench.env)
    if not result["profile"]:
        say("no profile: perf is missing, or may not be used")
    step("done")
    result["machine"]["load_at_end"] = os.getloadavg()[0]
    result["must_show"] = [dict(zip(("what", "least", "wall", "cpu", "by"), r))
                           for r in table.ratios(result)]
    return result


def main():
    o = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        programs, compiler = build(os.path.abspath(o.build))
        directory = tempfile.mkdtemp(prefix="dfopt-bench-")
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        result = measure(o, programs, compiler, directory)
    except (BenchError, OSError, subprocess.SubprocessError) as e:
        sys.exit(f"run.sh: {e}")
    table.show(result)
    output = o.output or os.path.join(o.build, "bench.json")
    with open(output, "w", encoding="utf-8") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    print(f"\nas JSON: {output}")


if __name__ == "__main__":
    main()
