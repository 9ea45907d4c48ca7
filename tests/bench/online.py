"""The live service, measured: how long a finding takes to become a plan, beside what the
sockets alone take, and what an idle service costs. Used by bench.py; by itself:

    /usr/bin/python3 tests/bench/online.py --build build/release [--seconds 60]

With --metrics TURNS: two services, one of which is scraped once a second, measured in turns,
on 10,000 nodes more each time.
"""
import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

KNOB = {"namespace": "app", "function_name": "app.load", "knobs": {
    "prefetch": {"id": "app.prefetch", "default": 2, "type": "int", "range": [1, 1000],
                 "scope": "node", "responds_to": {"dataloader_prefetch": {
                     "direction": "increase", "step": 1, "min_persistence": 2}}}}}
START_S = 60
MANY_NODES = 10_000
WARM_UP = 100  # findings that bench_latency sends first


def programs_of(build):
    return {"dfopt-mpi": os.path.join(build, "bin", "dfopt-mpi"),
            "bench_latency": os.path.join(build, "tests", "bench", "bench_latency")}


def environment():
    keep = {k: v for k, v in os.environ.items()
            if not k.startswith(("DFOPTIMIZER_", "DLIO_KNOB_"))}
    return dict(keep, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def children(pid):
    """Processes below pid, itself included."""
    found = [pid]
    for at in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{at}/task"):
                with open(f"/proc/{at}/task/{task}/children", encoding="ascii") as f:
                    found += [int(x) for x in f.read().split()]
    return found


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rank_0(process):
    for pid in children(process.pid):
        with open(f"/proc/{pid}/environ", "rb") as f:
            if b"OMPI_COMM_WORLD_RANK=0\0" in f.read():
                return pid
    raise RuntimeError("there is no rank 0")


def deciding_ns(process):
    """Processor time that the deciding thread of rank 0 has used."""
    pid = rank_0(process)
    with open(f"/proc/{pid}/task/{pid}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0])


@contextlib.contextmanager
def service(program, ranks, directory, log, *options):
    """A running service: its process and its endpoints by stream."""
    registry = os.path.join(directory, "knob.json")
    with open(registry, "w", encoding="utf-8") as f:
        json.dump([KNOB], f)
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), program,
               "--transport", "zmq", "--address", "tcp://127.0.0.1:*", "--bind",
               "--plans-address", "tcp://127.0.0.1:*", "--registry-file", registry,
               "--idle-timeout", "never", *options]
    if log:
        command += ["--decision-log", os.path.join(directory, f"online{ranks}.h5")]
    logged = os.path.join(directory, f"online{ranks}.err")
    with open(logged, "wb") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=err,
                                   stdout=subprocess.DEVNULL, env=environment(),
                                   start_new_session=True)
    try:
        yield process, wait_for_endpoints(process, logged)
        process.send_signal(signal.SIGUSR1)  # mpirun passes it on
        if process.wait(30) != 0:
            raise RuntimeError(f"the service ended with exit code {process.returncode}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_endpoints(process, logged):
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with open(logged, encoding="utf-8") as f:
            for line in f:
                if line.startswith("{") and "optimizer.listening" in line and line.endswith("\n"):
                    return json.loads(line)
        time.sleep(0.02)
    with open(logged, encoding="utf-8", errors="replace") as f:
        raise RuntimeError("the service did not start:\n" + f.read()[-2000:])


def measure(bench_latency, *arguments):
    out = subprocess.run([bench_latency, *map(str, arguments)], stdout=subprocess.PIPE,
                         timeout=1800, check=False)
    got = json.loads(out.stdout)
    if got["lost"]:
        raise RuntimeError(f"{got['lost']} of {got['findings']} findings led to no plan")
    return got


def latency(programs, directory, ranks, loads):
    """Each load: (findings a second, how many). The echo and the services take turns."""
    rows = []
    cases = [(n, log) for n in ranks for log in (False, True)]
    for rate, count in loads:
        rows.append(dict(measure(programs["bench_latency"], "--echo", rate, count), what="echo"))
        for n, log in cases:
            with service(programs["dfopt-mpi"], n, directory, log) as (_, at):
                got = measure(programs["bench_latency"], at["findings"], at["plans"], rate, count)
            rows.append(dict(got, what="dfopt-mpi", ranks=n, log=log))
    return rows


def idle(programs, directory, ranks, seconds):
    """CPU of each rank, as a share of a core, of a service that nothing comes to."""
    with service(programs["dfopt-mpi"], ranks, directory, True) as (process, _):
        time.sleep(2)
        pids = [p for p in children(process.pid)
                if os.path.realpath(f"/proc/{p}/exe").endswith("dfopt-mpi")]
        before = [cpu_s(p) for p in pids]
        time.sleep(seconds)
        return [(cpu_s(p) - b) / seconds for p, b in zip(pids, before)]


def listening(directory, ranks):
    with open(os.path.join(directory, f"online{ranks}.err"), encoding="utf-8") as f:
        return [json.loads(line)["address"] for line in f
                if "optimizer.metrics.listening" in line][0]


@contextlib.contextmanager
def scraped(address):
    """Scrapes once a second; gives a list of how long each took, in seconds."""
    took, done = [], threading.Event()

    def scrape():
        while not done.wait(1):
            start = time.monotonic()
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as r:
                r.read()
            took.append(time.monotonic() - start)
    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield took
    finally:
        done.set()
        thread.join()


def with_metrics(programs, directory, ranks, turns):
    """p99 and processor time of a finding by service, lists of a value a turn, and how long
    the scrapes took. A busy machine blurs the first, not the second."""
    folders = [os.path.join(directory, name) for name in ("without", "with")]
    for folder in folders:
        os.mkdir(folder)
    p99, cpu = {"without": [], "with": []}, {"without": [], "with": []}
    with service(programs["dfopt-mpi"], ranks, folders[0], True) as (one, plain), \
            service(programs["dfopt-mpi"], ranks, folders[1], True, "--metrics-address",
                    "127.0.0.1:0") as (two, watched), \
            scraped(listening(folders[1], ranks)) as took:
        for i in range(turns + 1):
            order = [("without", one, plain), ("with", two, watched)]
            for name, process, at in order if i % 2 else order[::-1]:
                before = deciding_ns(process)
                got = measure(programs["bench_latency"], at["findings"], at["plans"], 1000,
                              MANY_NODES - WARM_UP, MANY_NODES, MANY_NODES * i)
                if i:  # the first is to warm up
                    p99[name].append(got["p99_us"])
                    cpu[name].append((deciding_ns(process) - before) / 1e3 / MANY_NODES)
                    print(f"{name:8} p50 {got['p50_us']:8.0f} us  p99 {got['p99_us']:8.0f} us  "
                          f"cpu {cpu[name][-1]:6.1f} us a finding", flush=True)
    return p99, cpu, took


def report_metrics(p99, cpu, took):
    for what, values in (("p99", p99), ("processor time of a finding", cpu)):
        ratios = [w / o for w, o in zip(values["with"], values["without"])]
        print(f"{what} without metrics {statistics.median(values['without']):.1f} us, with "
              f"{statistics.median(values['with']):.1f} us (medians of {len(ratios)} turns); "
              f"ratio {statistics.median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}")
    print(f"{len(took)} scrapes: median {statistics.median(took) * 1e3:.1f} ms, largest "
          f"{max(took) * 1e3:.1f} ms")


def title(row):
    if row["what"] == "echo":
        return "sockets alone (echo)"
    return f"{row['ranks']} rank{'s' * (row['ranks'] > 1)}, " + ("log" if row["log"] else "no log")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("--build", default="build/release", help="a release build")
    p.add_argument("--seconds", type=int, default=60, help="of idling (default 60)")
    p.add_argument("--findings", type=int, default=10_000, help="at 1,000/s (default 10000)")
    p.add_argument("--light", type=int, default=300, help="at 10/s (default 300)")
    p.add_argument("--ranks", type=int, nargs="+", default=[1, 4])
    p.add_argument("--metrics", type=int, metavar="TURNS", help="compare with metrics")
    o = p.parse_args()
    programs = programs_of(os.path.abspath(o.build))
    with tempfile.TemporaryDirectory(prefix="dfopt-online-") as directory:
        if o.metrics:
            report_metrics(*with_metrics(programs, directory, o.ranks[0], o.metrics))
            return 0
        for row in latency(programs, directory, o.ranks, ((10, o.light), (1000, o.findings))):
            print(f"{row['rate']:6g}/s  {title(row):24} p50 {row['p50_us']:8.0f} us  "
                  f"p99 {row['p99_us']:8.0f} us  max {row['max_us']:8.0f} us  "
                  f"lost {row['lost']}", flush=True)
        if o.seconds:
            shares = idle(programs, directory, max(o.ranks), o.seconds)
            print(f"idle {o.seconds} s, {max(o.ranks)} ranks: "
                  + " ".join(f"{100 * s:.2f} %" for s in shares) + " of a core")
    return 0


if __name__ == "__main__":
    sys.exit(main())
