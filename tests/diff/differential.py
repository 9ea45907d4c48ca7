#!/usr/bin/env python3
"""Holds dfopt-mpi against the executable specification on generated event logs.

usage: differential.py --program build/dev/bin/dfopt-mpi --log-program build/dev/bin/dfopt-log

Each log is a function of its seed: its size, oddities, acks, preset, policy and broken lines. The
specification (tests/spec/model.py) says which plans, verdicts and final state are right; the program
is run at every rank count of --ranks and must say the same, and the same bytes at every count.
Stops at the first difference, says the seed and the command lines, and exits 1.

    differential.py ... --first-seed 57 --logs 1 --keep       # one log again, its files kept
    differential.py ... --first-seed 57 --logs 1 --shrink     # and the fewest lines that still differ

A standard library is all it needs.
"""
import argparse
import concurrent.futures
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

SPEC = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "spec")
PLAN_KEYS = ["plan_id", "knob_id", "target_function", "old_value", "new_value", "apply_when", "rationale",
             "finding_type", "severity", "opportunity_tag", "window_index", "target_nodes"]
STATE_KEYS = ["current_values", "node_values", "pending", "suppressions", "cooldown"]
CHOICES = dict(ack_match=("plan_id", "knob_node"), ack_window=("seen", "none"), reject=("previous", "upstream"),
               reregister=("replace", "append"), enum_step=("neighbour", "upstream"))
BOOLEANS = ("reject_cooldown", "global_exempt", "strict_direction", "strict_types", "global_overrides_nodes",
            "suppress_before_registration", "evidence_probe")
WINDOWS = ("pending_timeout_windows", "suppression_ttl_windows")
TAGS = ("reader_parallelism", "dataloader_prefetch", "small_io_reduction", "metadata_reduction", "rank_balance")
KNOBS = ("dlio.read_threads", "stormer.num_workers", "site.read_size", "site.cache_ratio", "bare")
BROKEN = (b'{"stream": "finding", "body": {"severity_score": 1\n', b"\n", b"  \t\n", b"5\n", b"null\n", b"[1, 2]\n",
          b'{"finding_type": "x", "scope": "node:tuolumne1001", "severity_score": 1e999}\n', b"not JSON\n", b'"text"\n')


class Different(Exception):
    """The program and the specification, or two runs of the program, do not agree."""


class Broken(Exception):
    """A command failed, or did not end in its time."""


# ------------------------------------------------------------------ what a seed stands for

def random_policy(rnd):
    on = {}
    for name, choices in CHOICES.items():
        if rnd.random() < .3:
            on[name] = rnd.choice(choices)
    for name in BOOLEANS:
        if rnd.random() < .3:
            on[name] = rnd.random() < .5
    for name in WINDOWS:
        if rnd.random() < .5:
            on[name] = rnd.randint(0, 12)
    responses = {}
    for key in ["*"] + ["tag:" + t for t in TAGS] + ["knob:" + k for k in KNOBS]:
        if rnd.random() > .25:
            continue
        r = {}
        for field, value in (("min_severity", round(rnd.random(), 2)), ("min_persistence", rnd.randint(0, 6)),
                             ("cooldown_windows", rnd.randint(0, 8)), ("step", rnd.choice((1, 3, 0.5, 2.0, 16, 0))),
                             ("step_mode", rnd.choice(("add", "multiply", "evidence"))),
                             ("effectiveness_threshold", round(rnd.uniform(-.2, .6), 2)),
                             ("direction", rnd.choice(("increase", "decrease"))),
                             ("apply_when", rnd.choice(("next_window", "epoch_boundary", "window_boundary")))):
            if rnd.random() < .3:
                r[field] = value
        responses[key] = r
    return {"switches": on, "responses": responses}


class Case:
    """Everything about one log that follows from its seed."""

    def __init__(self, seed, presets):
        rnd = random.Random("log %d" % seed)
        self.seed, self.preset = seed, presets[seed % len(presets)]
        self.gen = ["--seed", str(seed), "--nodes", str(int(65 ** rnd.random())),
                    "--windows", str(rnd.randint(5, 40)),
                    "--nan-rate", "%.3f" % rnd.choice((0, rnd.uniform(0, .05), rnd.uniform(0, .5))),
                    "--global-rate", "%.2f" % rnd.uniform(0, .6), "--clear-rate", "%.2f" % rnd.random(),
                    "--global-plan-rate", "%.2f" % rnd.choice((0, rnd.random())),
                    "--view", rnd.choice(("window", "window", "epoch", "host_hash"))]
        self.gen += [flag for flag, share in (("--hard", .5), ("--current-severity", .5), ("--summary", .25))
                     if rnd.random() < share]
        acks = rnd.choice(("none", "context", "full", "mixed", "loop", "loop", "loop", "loop"))
        self.loop = []
        if acks == "loop":
            self.loop = ["--close-loop", str(rnd.randint(1, 4)), "--ack-shape", rnd.choice(("full", "context")),
                         "--reject-every", str(rnd.choice((0, 0, 3, 7, 20)))]
        else:
            self.gen += ["--acks", acks, "--ack-lag", str(rnd.randint(1, 3)),
                         "--ack-reject", "%.2f" % rnd.uniform(0, .3), "--ack-dup", "%.2f" % rnd.uniform(0, .3)]
        self.assumed = self.preset == "default" and rnd.random() < .25
        self.policy = random_policy(rnd) if rnd.random() < .35 else None
        self.hostname = "tuolumne1001" if rnd.random() < .25 else ""
        self.broken = rnd.randint(1, 12) if rnd.random() < .3 else 0
        self.rnd = rnd

    def model_flags(self, folder):
        flags = ["--upstream"] if self.preset == "upstream" else []
        flags += ["--acks", "assumed"] if self.assumed else []
        flags += ["--policy", os.path.join(folder, "policy.json")] if self.policy else []
        return flags + (["--relay-hostname", self.hostname] if self.hostname else [])

    def program_flags(self, folder):
        flags = ["--acks", "assumed" if self.assumed else "explicit"]
        flags += ["--compat", "upstream"] if self.preset == "upstream" else []
        flags += ["--policy", os.path.join(folder, "policy.json")] if self.policy else []
        return flags + (["--relay-hostname", self.hostname] if self.hostname else [])


# ------------------------------------------------------------------ commands

def run(command, seconds, stdout=None):
    """Runs a command in a process group of its own; kills the group when its time is up."""
    p = subprocess.Popen(command, stdout=stdout or subprocess.DEVNULL, stderr=subprocess.PIPE,
                         stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        _, err = p.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        p.communicate()
        raise Broken("no end after %d s: %s" % (seconds, shlex.join(command)))
    if p.returncode != 0:
        logged = err.decode("utf-8", "replace")[-2000:]
        raise Broken("exit code %d: %s\n%s" % (p.returncode, shlex.join(command), logged))


def spec_command(name, *args):
    return [sys.executable, os.path.join(SPEC, name)] + list(args)


def program_command(a, ranks, log, flags, outputs):
    command = [a.program, "--transport", "file", "--findings-file", log] + flags + [
        "--plans-file", outputs["plans"], "--final-state", outputs["final"], "--decision-log", outputs["log"],
        "--log-level", "warning"] + shlex.split(a.program_options)
    if ranks == 1:
        return command
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    return [a.mpirun, "-n", str(ranks), "--oversubscribe"] + root + command


def run_program(a, ranks, log, flags, folder):
    """Runs the program and the dump of its log. Returns the bytes of each output by name."""
    outputs = {k: os.path.join(folder, "%s.%d%s" % (k, ranks, suffix))
               for k, suffix in (("plans", ".jsonl"), ("final", ".json"), ("log", ".h5"), ("dump", ".jsonl"))}
    for path in outputs.values():
        if os.path.exists(path):
            os.unlink(path)
    run(program_command(a, ranks, log, flags, outputs), a.seconds)
    with open(outputs["dump"], "wb") as out:
        run([a.log_program, "dump", outputs["log"]], a.seconds, out)
    return {k: read(outputs[k]) for k in ("plans", "final", "dump")}


def read(path):
    with open(path, "rb") as fh:
        return fh.read()


# ------------------------------------------------------------------ comparing

def canon(v):
    """The same for two values only if they agree in kind too: 8 is not 8.0, nor true 1."""
    if isinstance(v, bool) or v is None or isinstance(v, str):
        return v if isinstance(v, str) else repr(v) + "\0"
    if isinstance(v, (int, float)):
        return (type(v).__name__, repr(v))
    if isinstance(v, dict):
        return {k: canon(x) for k, x in v.items()}
    return [canon(x) for x in v]


def lines(data):
    return [json.loads(line) for line in data.decode("utf-8").split("\n") if line.strip()]


def split_expected(data):
    plans, verdicts, final = [], [], None
    for d in lines(data):
        if "final" in d:
            final = d["final"]
        elif "plan" in d or "relay" in d:
            plans.append(d.get("plan") or d.get("relay"))
        elif "verdict" in d:
            verdicts.append([d["event"], d["tag"], d["knob_id"], d["node"], d["verdict"]])
    return plans, verdicts, final


def verdict_of(row):
    """A verdict's row of the dump in the specification's words."""
    return [row["seq"], row.get("tag"), row.get("knob"), row.get("node") or "", row["verdict"]]


def compare_rows(what, want, got):
    for i, (w, g) in enumerate(zip(want, got)):
        if canon(w) != canon(g):
            raise Different("%s %d\n  want %s\n  got  %s" % (what, i, json.dumps(w), json.dumps(g)))
    if len(want) != len(got):
        at = min(len(want), len(got))
        rest = json.dumps((want if len(want) > at else got)[at])
        raise Different("%s: want %d, got %d; the first without its like:\n  %s"
                        % (what, len(want), len(got), rest))


def compare_final(want, got):
    if list(got) != STATE_KEYS:
        raise Different("keys of the final state\n  want %s\n  got  %s" % (STATE_KEYS, list(got)))
    if list(want["current_values"]) != list(got["current_values"]):
        raise Different("order of current_values\n  want %s\n  got  %s"
                        % (list(want["current_values"]), list(got["current_values"])))
    for key in STATE_KEYS:
        w, g = want[key], got[key]
        if isinstance(w, dict):
            w, g = [[k, v] for k, v in w.items()], [[k, v] for k, v in g.items()]
        compare_rows("final state, entry of %s" % key, w, g)


def compare_to_spec(expected, got):
    plans, verdicts, final = split_expected(expected)
    got_plans = lines(got["plans"])
    compare_rows("plan", plans, got_plans)
    for p in got_plans:
        if list(p) != PLAN_KEYS:
            raise Different("keys of plan %s: %s" % (p["plan_id"], list(p)))
    compare_final(final, json.loads(got["final"]))
    compare_rows("verdict", verdicts, [verdict_of(d) for d in lines(got["dump"]) if d.get("kind") == "verdict"])
    return len(plans)


def without_ranks(dump):
    """The dump without the lines that say how many ranks ran."""
    return [line for line in dump.split(b"\n") if b'"ranks"' not in line]


def compare_runs(first, ranks_first, other, ranks_other):
    for name in ("plans", "final", "dump"):
        x, y = (without_ranks(d) if name == "dump" else d.split(b"\n") for d in (first[name], other[name]))
        if x == y:
            continue
        at = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
        show = [(v[at] if at < len(v) else b"(no such line)").decode("utf-8", "replace") for v in (x, y)]
        raise Different("%s, line %d\n  %d ranks: %s\n  %d ranks: %s"
                        % (name, at + 1, ranks_first, show[0], ranks_other, show[1]))


# ------------------------------------------------------------------ one log

def make_log(case, folder):
    """Writes the event log and what is right for it. Returns the path of the log."""
    log = os.path.join(folder, "log.jsonl")
    if case.policy:
        with open(os.path.join(folder, "policy.json"), "w", encoding="utf-8") as fh:
            json.dump(case.policy, fh)
    run(spec_command("gen_findings.py", *case.gen, "-o", log), 120)
    if case.broken:
        with open(log, "rb") as fh:
            rows = fh.readlines()
        for _ in range(case.broken):
            rows.insert(case.rnd.randint(1, len(rows)), case.rnd.choice(BROKEN))
        with open(log, "wb") as fh:
            fh.writelines(rows)
    if case.loop:
        exact = os.path.join(folder, "exact.jsonl")
        run(spec_command("model.py", log, *case.model_flags(folder), *case.loop, "--emit-log", exact, "-o", os.devnull),
            300)
        log = exact
    return log


def expect(case, log, folder):
    path = os.path.join(folder, "expected.jsonl")
    run(spec_command("model.py", log, *case.model_flags(folder), "--decisions", "-o", path), 300)
    return read(path)


def check_log(a, case, log, folder):
    """Decides one log in every way. Returns the number of plans; raises where something differs."""
    expected = expect(case, log, folder)
    flags, first, plans = case.program_flags(folder), None, 0
    for ranks in a.ranks:
        got = run_program(a, ranks, log, flags, folder)
        if first is None:
            first, plans = got, compare_to_spec(expected, got)
        else:
            compare_runs(first, a.ranks[0], got, ranks)
    return plans


def shrink(a, case, log, folder):
    """The fewest lines found by bisection with which something still differs."""
    with open(log, "rb") as fh:
        rows = fh.readlines()
    small = os.path.join(folder, "small.jsonl")

    def differs(some):
        with open(small, "wb") as fh:
            fh.writelines(some)
        try:
            check_log(a, case, small, folder)
        except (Different, Broken):
            return True
        return False

    size = max(1, len(rows) // 2)
    while True:
        at, removed = 0, False
        while at < len(rows) and len(rows) > 1:
            rest = rows[:at] + rows[at + size:]
            if rest and differs(rest):
                rows, removed = rest, True
            else:
                at += size
        if size == 1 and not removed:
            break
        size = max(1, size // 2)
    differs(rows)
    return small, rows


def explain(a, case, log, folder):
    outputs = {"plans": "plans.jsonl", "final": "final.json", "log": "decisions.h5"}
    text = ["seed %d (%s)" % (case.seed, case.preset), "  " + shlex.join(spec_command("gen_findings.py", *case.gen))]
    if case.loop:
        loop = spec_command("model.py", "LOG", *case.model_flags(folder), *case.loop, "--emit-log", "EXACT")
        text.append("  " + shlex.join(loop))
    text.append("  " + shlex.join(spec_command("model.py", log, *case.model_flags(folder), "--decisions")))
    for ranks in a.ranks:
        text.append("  " + shlex.join(program_command(a, ranks, log, case.program_flags(folder), outputs)))
    return "\n".join(text)


def one_log(a, seed, stop):
    """Returns (findings, plans), or None if another log stopped it; raises Different with all that helps."""
    if stop.is_set():
        return None
    case, folder = Case(seed, a.presets), os.path.join(a.workdir, "seed%d" % seed)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    log = os.path.join(folder, "log.jsonl")
    try:
        log = make_log(case, folder)
        plans = check_log(a, case, log, folder)
    except (Different, Broken, ValueError, KeyError, OSError) as e:
        if stop.is_set():
            return None
        stop.set()
        text = "%s\n%s: %s" % (explain(a, case, log, folder), type(e).__name__, e)
        if a.shrink and isinstance(e, (Different, Broken)):
            small, rows = shrink(a, case, log, folder)
            text += "\n%d lines still differ: %s\n%s" % (len(rows), small, b"".join(rows[-8:]).decode("utf-8", "replace"))
        elif not a.keep:
            text += "\n(--keep keeps the files, --shrink makes them few)"
        raise Different(text) from None
    findings = sum(b'"stream": "finding"' in line for line in read(log).splitlines())
    if not a.keep:
        shutil.rmtree(folder)
    return findings, plans


# ------------------------------------------------------------------ all

def numbers(text):
    return [int(x) for x in text.split(",")]


def options():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ap.add_argument("--program", required=True, help="dfopt-mpi")
    ap.add_argument("--log-program", required=True, help="dfopt-log")
    ap.add_argument("--mpirun", default="mpirun")
    ap.add_argument("--logs", type=int, default=300)
    ap.add_argument("--first-seed", type=int, default=1)
    ap.add_argument("--ranks", type=numbers, default=[1, 2, 4, 7], metavar="N,N,...")
    ap.add_argument("--presets", type=lambda s: s.split(","), default=["default", "upstream"], metavar="NAME,...")
    ap.add_argument("--jobs", type=int, default=1, help="logs at a time")
    ap.add_argument("--seconds", type=int, default=120, help="bound of one run")
    ap.add_argument("--workdir", help="made if need be; default: a temporary folder")
    ap.add_argument("--keep", action="store_true", help="keep the files of every log")
    ap.add_argument("--program-options", default="", help="further options of the program, such as --readers=one")
    ap.add_argument("--shrink", action="store_true", help="find the fewest lines that still differ")
    return ap.parse_args()


def every_log(a):
    """Runs all logs. Returns (logs, findings, plans)."""
    stop, began, logged = threading.Event(), time.monotonic(), time.monotonic()
    done = findings = plans = 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        waiting = {pool.submit(one_log, a, s, stop) for s in range(a.first_seed, a.first_seed + a.logs)}
        while waiting:
            try:
                ready, waiting = concurrent.futures.wait(waiting, 1, concurrent.futures.FIRST_COMPLETED)
                for f in ready:
                    if f.result():
                        more = f.result()
                        done, findings, plans = done + 1, findings + more[0], plans + more[1]
            except BaseException:
                stop.set()      # the logs that wait are not begun
                raise
            if time.monotonic() - logged > 10:
                logged = time.monotonic()
                print("%d of %d logs, %d findings, %d plans, %.0f s"
                      % (done, a.logs, findings, plans, logged - began), file=sys.stderr, flush=True)
    return done, findings, plans


def main():
    a = options()
    made = None
    if not a.workdir:
        a.workdir = made = tempfile.mkdtemp(prefix="dfopt-diff-")
    os.makedirs(a.workdir, exist_ok=True)
    a.program, a.log_program, a.workdir = map(os.path.abspath, (a.program, a.log_program, a.workdir))
    failed = True
    try:
        done, findings, plans = every_log(a)
        failed = False
        print("%d logs, %d runs, %d findings, %d plans: none differ" % (done, done * len(a.ranks), findings, plans))
    except Different as e:
        print("DIFFERENT: %s" % e)
        return 1
    finally:
        if made and not a.keep and not (failed and a.shrink):
            shutil.rmtree(made, ignore_errors=True)
        elif made:
            print("files in %s" % made, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
