#!/usr/bin/env python3
"""What takes longer than a test may, run by hand against a broker of its own.

usage: soak.py --program DFOPT_MPI --peer PEER [--bedrock BEDROCK] WHAT ...

  session RANKS [NODES WINDOWS]  a synthetic job at so many ranks: nothing is lost or
                    comes twice, and the replay of the recording makes the same plans
  speed RANKS [COUNT]  events a second beside a bare consumer of the same broker
  idle RANKS [SECONDS]   share of a core that each process takes with nothing to do
  restart TIMES [COUNT]  SIGTERM at random moments, and started again
  kill TIMES [CHUNK]  kill -9 after each chunk of findings, and --resume; the partitions
                    are of the type `legacy`, which survives that

Prints a line of JSON; exit code 0 if it is as it should be.
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time

import broker as mofka
from broker import Broker, harness, without_identity

TOPICS = {"finding": "findings", "registration": "registry", "ack": "acks"}
GENERATOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "spec",
                         "gen_findings.py")


class Soak(harness.Case):
    def runTest(self):
        pass


def service(case, b, name, *more, idle=3):
    return ["--transport", "mofka", "--group-file", b.group_file, "--input-topic",
            "findings", "--output-topic", "plans", "--registry-topic", "registry",
            "--acks-topic", "acks", "--idle-timeout", str(idle), "--decision-log",
            case.path(name + ".h5"), "--log-level", "info", *more]


def generate(case, nodes, windows):
    out = case.path("log")
    subprocess.run([sys.executable, GENERATOR, "--nodes", str(nodes), "--windows",
                    str(windows), "--seed", "7", "--global-rate", ".2", "--acks", "full",
                    "-o", out], check=True)
    with open(out) as f:
        return [json.loads(line) for line in f]


def start_broker(case, partitions=2, legacy=False):
    b = Broker(legacy=legacy)
    case.addCleanup(b.stop)
    b.create("findings", partitions=partitions)
    b.create("plans", "registry", "acks")
    return b


def session(case, ranks, nodes=256, windows=100):
    b, log = start_broker(case), generate(case, nodes, windows)
    running = harness.Running(
        service(case, b, "run", "--record", case.path("record"), "--plans-file",
                case.path("plans"), idle=5 if ranks < 8 else 30), ranks=ranks)
    case.addCleanup(running.kill)
    harness.wait_until(lambda: "optimizer.stream.start" in running.so_far(), 120, "start")
    started = time.monotonic()
    b.push_session(log, TOPICS)
    r = running.finish(900)
    seconds = time.monotonic() - started
    assert r.code == 0, r.brief
    done = r.named("optimizer.stream.done")[0]
    with open(case.path("record")) as f:
        came = [json.loads(line) for line in f]

    def bodies(events, stream):
        return sorted(json.dumps(e["body"]) for e in events if e["stream"] == stream)
    same = all(bodies(log, s) == bodies(came, s) for s in TOPICS)
    again = harness.run(["--findings-file", case.path("record"), "--plans-file",
                         case.path("again"), "--log-level", "error"], timeout=600)
    plans = case.read("plans")
    pulled = [json.dumps(p[3]) for p in b.pull("plans", quiet_ms=3000)]
    wanted = [json.dumps(json.loads(p)) for p in plans.splitlines()]
    return {"ranks": ranks, "findings": done["findings"], "acks": done["acks"],
            "registrations": done["registrations"], "plans": done["plan_count"],
            "acks_unmatched": done["acks_unmatched"], "seconds": round(seconds, 1),
            "each_event_once": same,
            "replay_equal": again.code == 0 and case.read("again") ==
            without_identity(plans),
            "plans_read_back_equal": sorted(pulled) == sorted(wanted)}


def speed(case, ranks, count=100000):
    """Both read what waits in the topic; the service to the last verdict."""
    b = start_broker(case, 1)
    log = generate(case, 256, max(1, count // 256))
    findings = [e["body"] for e in log if e["stream"] == "finding"][:count]
    b.push("findings", findings)
    rates = {"bare": [], "service": []}
    for n in range(3):
        bare = json.loads(b.peer("drain", "findings", f"bare{n}", len(findings), 1024,
                                 timeout=300))
        rates["bare"].append(bare["per_second"])
        running = harness.Running(
            service(case, b, f"s{n}", "--consumer-name", f"s{n}", "--no-registry",
                    "--plans-file", "/dev/null", "--record", case.path("record")),
            ranks=ranks)
        case.addCleanup(running.kill)
        harness.wait_until(lambda: "stream.start" in running.so_far(), 60, "start")
        begun = time.monotonic()
        size = 0
        while running.process.poll() is None: # done when the recording stops growing
            now = os.path.getsize(case.path("record"))
            if now != size:
                size, last = now, time.monotonic()
            time.sleep(0.01)
        r = running.finish()
        assert r.code == 0 and r.named("optimizer.stream.done")[0]["findings"] == len(
            findings), r.brief
        rates["service"].append(round(len(findings) / (last - begun)))
    middle = {k: sorted(v)[1] for k, v in rates.items()}
    return {"ranks": ranks, "events": len(findings), **rates,
            "ratio": round(middle["service"] / middle["bare"], 2)}


def idle(case, ranks, seconds=60):
    b = start_broker(case)
    running = harness.Running(service(case, b, "idle", idle=0), ranks=ranks)
    case.addCleanup(running.kill)
    harness.wait_until(lambda: "stream.start" in running.so_far(), 60, "start")
    b.push("findings", [harness.finding(1, "n1")])
    harness.wait_until(lambda: True, 1, "")
    time.sleep(2)

    def cpu():
        ticks = {}
        for pid in harness.session_processes(running.sid):
            with open(f"/proc/{pid}/stat") as f:
                head, _, rest = f.read().rpartition(")")
            if "dfopt" in head:
                ticks[pid] = sum(map(int, rest.split()[11:13]))
        return ticks
    before = cpu()
    time.sleep(seconds)
    after = cpu()
    hz = os.sysconf("SC_CLK_TCK") * seconds
    running.kill()
    return {"ranks": ranks, "seconds": seconds, "percent_of_a_core": sorted(
        (round(100 * (after[p] - before[p]) / hz, 2) for p in before), reverse=True)}


def restart(case, times, count=100000):
    b, rng = start_broker(case), random.Random(1)
    log = generate(case, 256, max(1, count // 256))
    b.push_session([e for e in log if e["stream"] != "finding"], TOPICS)
    findings = [e["body"] for e in log if e["stream"] == "finding"][:count]
    for i, f in enumerate(findings):
        f["summary"] = str(i)
    b.push("findings", findings)
    came, runs = [], 0
    while runs < times + 1:
        last = runs == times
        path = case.path(f"record{runs}")
        running = harness.Running(
            service(case, b, f"r{runs}", "--record", path, "--plans-file", "/dev/null",
                    idle=3 if last else 0))
        case.addCleanup(running.kill)
        harness.wait_until(lambda: "stream.start" in running.so_far(), 60, "start")
        if not last:
            time.sleep(rng.random() * 0.3)
            running.process.send_signal(signal.SIGTERM)
        r = running.finish(120)
        assert r.code == 0, r.brief
        with open(path) as f:
            came += [int(json.loads(line)["body"]["summary"]) for line in f
                     if '"stream":"finding"' in line[:40]]
        runs += 1
    return {"restarts": times, "findings": len(findings), "decided": len(came),
            "lost": len(set(range(len(findings))) - set(came)),
            "twice": len(came) - len(set(came))}


def quiet(path, seconds):
    """Waits until a file has not grown for so long."""
    size, since = -1, time.monotonic()
    while time.monotonic() - since < seconds:
        now = os.path.getsize(path)
        if now != size:
            size, since = now, time.monotonic()
        time.sleep(0.01)


def origins_of(log, prefix):
    """{origin: [(first, behind the last)]} of what the log has events of."""
    begins = [int(s) for s in log.column("origins", "seq")]
    ends = begins[1:] + [int(log.last["next_seq"])]
    runs = {}
    for name, first, n in zip(
            log.strings("origins", "origin"), map(int, log.column("origins", "offset")),
            (e - b for b, e in zip(begins, ends))):
        if name.startswith(prefix):
            runs.setdefault(name, []).append((first, first + n))
    return runs


def kill(case, times, chunk=1000):
    """Windows are the numbers of the findings, so the log tells each. A broker that is
    sending to a client when that is killed aborts (Mofka 0.9.1, on na+sm and ofi+tcp):
    so each chunk has come when the service is killed, but not all is flushed and
    acknowledged."""
    b, rng = start_broker(case, legacy=True), random.Random(1)
    b.push("registry", [harness.loader_registration()], "registration")
    how, count = "--decision-log", 0
    for n in range(times + 1):
        last = n == times
        args = service(case, b, "log", "--record", case.path(f"record{n}"),
                       "--log-flush-interval", rng.choice(("0.2", "5")),
                       idle=3 if last else 0)
        args[args.index("--decision-log")] = how
        how = "--resume"
        running = harness.Running(args)
        case.addCleanup(running.kill)
        harness.wait_until(lambda: "stream.start" in running.so_far()
                           or running.process.poll() is not None, 60, "start")
        if running.process.poll() is not None:
            raise AssertionError(f"run {n}, broker {b.process.poll()}: "
                                 f"{b.logged()[-1500:]} {running.finish().brief}")
        b.push("findings", [harness.finding(count + i, "n1") for i in range(chunk)])
        count += chunk
        if not last:
            quiet(case.path(f"record{n}"), 0.1 + 0.4 * rng.random())
            running.kill()
            mofka.remove_traces()
    r = running.finish(120)
    assert r.code == 0, r.brief
    done = r.named("optimizer.stream.done")[0]
    with harness.DecisionLog(case.path("log.h5")) as log:
        windows = [int(w) for w in log.column("findings", "window")]
        runs = origins_of(log, "mofka:findings/")
    numbers = [(o, i) for o, spans in runs.items() for a, e in spans for i in range(a, e)]
    return {"kills": times, "findings": count, "decided": len(windows),
            "lost": len(set(range(count)) - set(windows)),
            "twice": len(windows) - len(set(windows)),
            "origins": {o.split("@")[0]: len(spans) for o, spans in runs.items()},
            "origins_lost": count - len(set(numbers)),
            "origins_twice": len(numbers) - len(set(numbers)),
            "last_run": {k: done[k] for k in ("records", "findings", "recognised")}}


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", required=True)
    p.add_argument("--peer", required=True)
    p.add_argument("--bedrock", default=mofka.BEDROCK)
    p.add_argument("what", choices=["session", "speed", "idle", "restart", "kill"])
    p.add_argument("numbers", type=int, nargs="*")
    a = p.parse_args()
    harness.Config.program, mofka.PEER, mofka.BEDROCK = a.program, a.peer, a.bedrock
    case = Soak()
    case.setUp()
    try:
        out = globals()[a.what](case, *a.numbers)
    finally:
        case.doCleanups()
    print(json.dumps(out))
    bad = (any(out.get(k) for k in ("lost", "twice", "origins_lost", "origins_twice"))
           or not out.get("each_event_once", True)
           or not out.get("replay_equal", True) or out.get("ratio", 1) < 0.7)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
