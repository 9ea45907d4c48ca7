#!/usr/bin/env python3
"""Holds dfopt-mpi against the executable specification on event logs.

usage: differential.py --program build/dev/bin/dfopt-mpi --log-program build/dev/bin/dfopt-log

The specification (tests/spec/model.py) says which plans, verdicts, outcomes of trials and final state are
right for a log of logs.py; the program is run at every rank count of --ranks, with every set of --program-options,
and must give the same, and the same bytes every time. Stops at the first difference, prints the seed and the command
lines, and exits 1.

    differential.py ... --first-seed 57 --logs 1 --keep       # one log again, its files kept
    differential.py ... --first-seed 57 --logs 1 --shrink     # and the fewest lines that still differ

A standard library is all it needs.
"""
import argparse
import collections
import concurrent.futures
import json
import math
import os
import shlex
import shutil
import sys
import tempfile
import threading
import time

from logs import Broken, case_of, run, spec_command, written_cases

PLAN_KEYS = ["plan_id", "knob_id", "target_function", "old_value", "new_value", "apply_when", "rationale",
             "finding_type", "severity", "opportunity_tag", "window_index", "target_nodes"]
STATE_KEYS = ["current_values", "node_values", "pending", "suppressions", "cooldown"]
ENDINGS = ("improved", "neutral", "worse", "inconclusive", "void", "restart", "guard", "withdrawn")     # of a move
MOVES = ("planned", "trade", "rollback", "release", "approved", "set", "restored")
NOT_JUDGED = ("rollback", "set", "restored")
JUDGED = ("base", "base_n", "now", "now_n", "noise")    # of a verdict by the objective


class Different(Exception):
    """The program and the specification, or two runs of the program, do not agree."""


# ------------------------------------------------------------------ commands

def program_command(a, ranks, options, log, flags, outputs):
    command = [a.program, "--transport", "file", "--findings-file", log] + flags + [
        "--plans-file", outputs["plans"], "--final-state", outputs["final"], "--decision-log", outputs["log"],
        "--log-level", "warning"] + shlex.split(options)
    if ranks == 1:
        return command
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    return [a.mpirun, "-n", str(ranks), "--oversubscribe"] + root + command


def run_program(a, ranks, options, log, flags, folder):
    """Runs the program and the dump of its log. Returns the bytes of each output by name."""
    outputs = {k: os.path.join(folder, "%s.%d%s" % (k, ranks, suffix))
               for k, suffix in (("plans", ".jsonl"), ("final", ".json"), ("log", ".h5"), ("dump", ".jsonl"))}
    for path in outputs.values():
        if os.path.exists(path):
            os.unlink(path)
    run(program_command(a, ranks, options, log, flags, outputs), a.seconds)
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


def real(v):
    """A number of a row is a real in the log; what is none, or not finite, is null there."""
    return float(v) if isinstance(v, (int, float)) and math.isfinite(v) else None


def verdict_of_model(d):
    """[what every verdict has, value and threshold if the specification says them]"""
    row = dict(seq=d["event"], position=d["position"], tag=d["tag"], knob=d["knob_id"], node=d["node"], verdict=d["verdict"])
    row.update({k: real(d[k]) for k in ("value", "threshold") if k in d})
    return row


def outcome_of_model(d):
    """What became of a move, by the row of its verdict."""
    row = dict(seq=d["event"], position=d["position"], knob=d["knob_id"], node=d["node"], verdict=d["verdict"])
    row.update({k: d.get(k) or 0 if k.endswith("_n") else real(d.get(k)) for k in JUDGED})
    if "plan_id" in d:
        row["plan_id"] = d["plan_id"]
    return row


def split_expected(data):
    """(plans, verdicts, outcomes, what came of commands, final state) as the specification says them."""
    plans, verdicts, outcomes, controls, final, last = [], [], [], [], None, {}
    for d in lines(data):
        if "final" in d:
            final = d["final"]
        elif "plan" in d or "relay" in d:
            plans.append(d.get("plan") or d.get("relay"))
        elif "control" in d:
            controls.append(dict(seq=d["event"], outcome=d["control"]))
        elif "verdict" in d:
            verdicts.append(verdict_of_model(d))
            at = d["knob_id"], d["node"]
            if d["verdict"] in MOVES:
                last[at] = d["verdict"]
            # what becomes of the way back is no outcome: that of the move was told (a guard leaves it alone)
            if d["verdict"] in ENDINGS and (d["verdict"] in ("withdrawn", "guard") or last.get(at) not in NOT_JUDGED):
                outcomes.append(outcome_of_model(d))
    return plans, verdicts, outcomes, controls, final


def row_like(want, row):
    """The columns of a row of the dump that the specification speaks of."""
    return {k: (row.get(k) or "") if k == "node" else real(row.get(k)) if type(w) is float else row.get(k)
            for k, w in want.items()}


def compare_dump(verdicts, outcomes, controls, dump):
    rows = {"verdict": [], "outcome": [], "control": []}
    for d in lines(dump):
        if d.get("kind") in rows:
            rows[d["kind"]].append(d)
    compare_rows("verdict", verdicts, [row_like(w, d) for w, d in pairs(verdicts, rows["verdict"])])
    compare_rows("outcome", outcomes, [row_like(w, d) for w, d in pairs(outcomes, rows["outcome"])])
    compare_rows("control", controls, [row_like(w, d) for w, d in pairs(controls, rows["control"])])


def pairs(want, got):
    """Each row with its like; rows beyond the last that is wanted are taken as they are."""
    return [(want[i] if i < len(want) else d, d) for i, d in enumerate(got)]


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
    """Returns how often each verdict came."""
    plans, verdicts, outcomes, controls, final = split_expected(expected)
    got_plans = lines(got["plans"])
    compare_rows("plan", plans, got_plans)
    for p in got_plans:
        if list(p) != PLAN_KEYS:
            raise Different("keys of plan %s: %s" % (p["plan_id"], list(p)))
    compare_final(final, json.loads(got["final"]))
    compare_dump(verdicts, outcomes, controls, got["dump"])
    return collections.Counter(v["verdict"] for v in verdicts) + collections.Counter({"plans": len(plans), "commands": len(controls)})


def without_ranks(dump):
    """The dump without the lines that say how many ranks ran."""
    return [line for line in dump.split(b"\n") if b'"ranks"' not in line]


def compare_runs(first, first_name, other, other_name):
    for name in ("plans", "final", "dump"):
        x, y = (without_ranks(d) if name == "dump" else d.split(b"\n") for d in (first[name], other[name]))
        if x == y:
            continue
        at = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
        show = [(v[at] if at < len(v) else b"(no such line)").decode("utf-8", "replace") for v in (x, y)]
        raise Different("%s, line %d\n  %s: %s\n  %s: %s"
                        % (name, at + 1, first_name, show[0], other_name, show[1]))


# ------------------------------------------------------------------ one log

def expect(case, log, folder):
    path = os.path.join(folder, "expected.jsonl")
    run(spec_command("model.py", log, *case.model_flags(folder), "--decisions", "--positions", "--outcomes", "-o", path), 300)
    return read(path)


def check_log(a, case, log, folder):
    """Decides one log in every way. Returns how often each verdict came; raises where something differs."""
    expected, flags, first, counts = expect(case, log, folder), case.program_flags(folder), None, None
    for ranks, options in ((r, o) for o in a.program_options for r in a.ranks):
        got, name = run_program(a, ranks, options, log, flags, folder), "%d ranks %s" % (ranks, options)
        if first is None:
            first, first_name, counts = got, name, compare_to_spec(expected, got)
        else:
            compare_runs(first, first_name, got, name)
    return counts


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
    text = [case.name + (" (upstream)" if case.upstream else "")]
    text.append("  " + shlex.join(spec_command("model.py", log, *case.model_flags(folder), "--decisions")))
    for ranks, options in ((r, o) for o in a.program_options for r in a.ranks):
        text.append("  " + shlex.join(program_command(a, ranks, options, log, case.program_flags(folder), outputs)))
    return "\n".join(text)


def one_log(a, seed, stop):
    """Returns the counts, or None if another log stopped it; raises Different with all that helps."""
    if stop.is_set():
        return None
    case, folder = case_of(seed, a.presets, a.operators), os.path.join(a.workdir, "seed%d" % seed)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    log = os.path.join(folder, "log.jsonl")
    try:
        log = case.write(folder)
        counts = check_log(a, case, log, folder)
    except (Different, Broken, ValueError, KeyError, OSError) as e:
        if stop.is_set():
            return None
        if not a.go_on:
            stop.set()
        text = "seed %d, %s\n%s: %s" % (seed, explain(a, case, log, folder), type(e).__name__, e)
        if a.shrink and isinstance(e, (Different, Broken)):
            small, rows = shrink(a, case, log, folder)
            text += "\n%d lines still differ: %s\n%s" % (len(rows), small, b"".join(rows[-8:]).decode("utf-8", "replace"))
        elif not a.keep:
            text += "\n(--keep keeps the files, --shrink makes them few)"
        raise Different(text) from None
    with open(log, "rb") as fh:
        for line in fh:
            counts["findings"] += line.startswith(b'{"stream": "finding"')
            counts["objectives"] += line.startswith(b'{"stream": "objective"')
    if not a.keep:
        shutil.rmtree(folder)
    return counts


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
    ap.add_argument("--program-options", action="append",
                    help="further options of the program, such as --readers=one; may be repeated: a run with each")
    ap.add_argument("--operators", action="store_true", help="small logs, each with many commands of an operator")
    ap.add_argument("--cases", action="store_true", help="the hand-written cases first")
    ap.add_argument("--go-on", action="store_true", help="do not stop at the first difference")
    ap.add_argument("--shrink", action="store_true", help="find the fewest lines that still differ")
    return ap.parse_args()


def every_log(a):
    """Runs all logs. Returns (logs, counts, differences)."""
    stop, began, logged = threading.Event(), time.monotonic(), time.monotonic()
    seeds = (written_cases() if a.cases else []) + list(range(a.first_seed, a.first_seed + a.logs))
    done, total, different = 0, collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        waiting = {pool.submit(one_log, a, s, stop) for s in seeds}
        while waiting:
            ready, waiting = concurrent.futures.wait(waiting, 1, concurrent.futures.FIRST_COMPLETED)
            for f in ready:
                try:
                    counts = f.result()
                    done, total = done + (counts is not None), total + (counts or collections.Counter())
                except Different as e:
                    print("DIFFERENT: %s" % e, flush=True)
                    different.append(e)
                except BaseException:
                    stop.set()      # the logs that wait are not begun
                    raise
            if time.monotonic() - logged > 10:
                logged = time.monotonic()
                print("%d of %d logs, %d findings, %d plans, %.0f s"
                      % (done, len(seeds), total["findings"], total["plans"], logged - began), file=sys.stderr, flush=True)
    return done, total, different


def summary(a, done, total):
    head = {k: total.pop(k, 0) for k in ("findings", "objectives", "plans")}
    ways = len(a.ranks) * len(a.program_options)
    return "%d logs, %d runs, %d findings, %d objectives, %d plans: none differ\nverdicts: %s" % (
        done, done * ways, head["findings"], head["objectives"], head["plans"],
        ", ".join("%s %d" % x for x in sorted(total.items(), key=lambda x: -x[1])))


def main():
    a = options()
    a.program_options = a.program_options or [""]
    made = None
    if not a.workdir:
        a.workdir = made = tempfile.mkdtemp(prefix="dfopt-diff-")
    os.makedirs(a.workdir, exist_ok=True)
    a.program, a.log_program, a.workdir = map(os.path.abspath, (a.program, a.log_program, a.workdir))
    different = True
    try:
        done, total, different = every_log(a)
        if not different:
            print(summary(a, done, total))
    finally:
        if made and not a.keep and not (different and a.shrink):
            shutil.rmtree(made, ignore_errors=True)
        elif made:
            print("files in %s" % made, file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
