#!/usr/bin/env python3
"""The planner against tests/spec/model.py: plans, ids, rows, outcomes and final state, with one planner and with several that share
the nodes.

    planner_differential.py --driver build/dev/tests/planner_driver --logs 300 --plants --cases

Sources: generated logs (every option of gen_findings.py; open and closed loops) under several policies each; the closed loops of
plants.py; the hand-written cases of cases.py.  Any difference is reported with the command that repeats it, and the program exits with 1.
"""
import argparse
import copy
import json
import math
import os
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor

SPEC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "spec")
sys.path.insert(0, SPEC)
import cases    # noqa: E402
import model    # noqa: E402
import plants   # noqa: E402
import score    # noqa: E402
from rules.site import Site    # noqa: E402

VERSION_1 = {"effect": "severity", "scope": "carry", "registration": "carry", "unmatched_ack": "ignore"}
DIRECTIONS = ("increase", "decrease", "set", "release", "trade")
# name, --upstream, switches, are the policy's budgets, guards and so on kept
POLICIES = [
    ("default", False, {}, True), ("upstream", True, {}, True), ("version1", False, VERSION_1, True), ("trend", False, {"effect": "trend"}, True),
    ("severity", False, {"effect": "severity"}, True), ("carry", False, {"scope": "carry"}, True), ("plain", False, {}, False),
    ("upstream+control", True, {"effect": "objective"}, True), ("upstream+new", True, {"scope": "interpret", "registration": "interpret", "unmatched_ack": "adopt"}, True),
    ("knob_node", False, {"ack_match": "knob_node", "reject": "upstream"}, True), ("append", False, {"reregister": "append", "strict_direction": False}, True),
    ("loose", False, {"strict_types": False, "enum_step": "upstream"}, True), ("no_global", False, {"global_overrides_nodes": False, "global_exempt": False}, True),
    ("registration_carry", False, {"registration": "carry"}, True), ("late_suppression", False, {"suppress_before_registration": False, "reject_cooldown": False}, True),
    ("timeouts", False, {"effect": "severity", "pending_timeout_windows": 3, "suppression_ttl_windows": 4, "ack_window": "none"}, True)]


def canon(v):
    """Told apart: true and 1, 1 and 1.0."""
    if isinstance(v, bool):
        return ("b", v)
    if isinstance(v, int):
        return ("i", v)
    if isinstance(v, float):
        return ("f", repr(v))
    if isinstance(v, dict):
        return {k: canon(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [canon(x) for x in v]
    return v


def column(v):
    """A number of a row is a real in the log, and nothing else is one."""
    if not isinstance(v, (int, float)) or isinstance(v, float) and math.isnan(v):
        return None
    return float(v)


def row_of(d):
    reals = ("value", "threshold", "base", "now", "noise")
    return {k: canon(column(v) if k in reals else v) for k, v in d.items()}


def final_of(f):
    f = copy.deepcopy(f)
    sites = f.pop("sites", None)
    out = {k: sorted((canon(x) for x in v), key=str) if isinstance(v, list) else canon(v) for k, v in f.items()}
    if sites is not None:
        for s in sites.values():
            s["backoffs"] = sorted(([k, d if d in DIRECTIONS else "unknown", *r] for k, d, *r in s["backoffs"]), key=str)
            for m in (s["trial"] or {}).get("moves", {}).values():
                m[3] = m[3] if m[3] in DIRECTIONS else "unknown"
        out["sites"] = {n: c for n, c in ((n, canon(s)) for n, s in sites.items()) if c != BLANK}
    return out


BLANK = canon(json.loads(json.dumps(Site(argparse.Namespace(generation=0, job_change=(0, -1))).state())))


def expected(path, policy, parts, assumed):
    """What the model says, one object a line, as the driver says it."""
    p, i, out = model.Planner(policy, assumed, **parts), -1, []
    for line in open(path, "rb"):
        if not line.strip():
            continue
        i += 1
        try:
            rec = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            rec = None
        if not isinstance(rec, dict):
            out.append(dict(event=i, tag=None, knob_id=None, node="", verdict="invalid", position=0))
            continue
        stream, body = (rec["stream"], rec.get("body")) if "stream" in rec else ("finding", rec)
        ev, relay, say = model.decide(p, stream, body, i)
        plans, rows = ev.sorted()
        if say:
            out.append(dict(event=i, **say))
        if relay:
            out.append(dict(event=i, relay=relay))
        out += [dict(event=i, position=x[0], plan=x[3]) for x in plans]
        out += [dict(**x[3], position=x[0]) for x in rows]
    return json.loads(json.dumps(out + [dict(final=p.final(True))]))


def line_of(d):
    return row_of(d) if "verdict" in d else dict(final=final_of(d["final"])) if "final" in d else canon(d)


def differing(a, b):
    """What of a is not in b."""
    if isinstance(a, dict) and isinstance(b, dict):
        return {k: differing(v, b.get(k)) for k, v in a.items() if v != b.get(k)}
    return a


def first_difference(want, got):
    for i in range(max(len(want), len(got))):
        a, b = want[i] if i < len(want) else None, got[i] if i < len(got) else None
        if a is None or b is None:
            return a, b
        x, y = line_of(dict(a)), line_of(dict(b))
        if "verdict" in a and "verdict" in b:      # the model leaves columns of older verdicts out
            y = {k: v for k, v in y.items() if k in x or k not in ("value", "threshold")}
        if x != y:
            if "final" in x and "final" in y:
                a, b = differing(x["final"], y["final"]), differing(y["final"], x["final"])
            return a, b
    return None


def run_driver(driver, log, policy, upstream, assumed, planners):
    args = [driver, log, "--policy", policy, "--planners", str(planners)] + ["--upstream"] * upstream + ["--assumed"] * assumed
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600)
    if done.returncode:
        return args, done.stderr
    return args, [json.loads(x) for x in done.stdout.splitlines()]


def compare(driver, log, given, upstream, assumed, planners, d, what):
    """(lines, plans) compared; exits with a report if they differ."""
    name = os.path.join(d, "policy.json")
    json.dump(given, open(name, "w"))
    policy, parts = model.load_policy(json.dumps(given), upstream)
    want = expected(log, policy, parts, assumed)
    for n in planners:
        args, got = run_driver(driver, log, name, upstream, assumed, n)
        diff = (got, None) if isinstance(got, str) else first_difference(want, got)
        if diff:
            return "DIFF %s, %d planners: %s\n policy %s\n model   %s\n planner %s" % (
                what, n, " ".join(args), json.dumps(given), *(json.dumps(x)[:3000] for x in diff))
    return len(want), sum("plan" in x for x in want)


def generate(seed, d, operators):
    """(path, policy file) of a generated log; the choices follow from the seed. operators: a small one, with many commands."""
    r = random.Random(seed)
    log, pol = os.path.join(d, "log.jsonl"), os.path.join(d, "drawn.json")
    more = ["--everything"] if r.random() < .8 else []
    if operators:
        more += ["--control-rate", ".6"]
    elif r.random() < .5:
        more += ["--control-rate", str(r.choice((.1, .3, .6)))]
    if r.random() < .3:
        more.append("--hard")
    if r.random() < .4:
        more.append("--current-severity")
    if seed % 4 == 1:
        more += ["--host-forms", str(r.choice((.02, .3, .8)))]
    subprocess.run([sys.executable, os.path.join(SPEC, "gen_findings.py"), "--nodes", str(r.choice((1, 3, 8))), "--windows", str(r.choice((5, 12) if operators else (12, 24, 48, 72))),
                    "--seed", str(seed), "--global-rate", str(r.choice((0, .1, .3))), "--global-plan-rate", str(r.choice((0, .2))),
                    "--nan-rate", str(r.choice((0, .05))), "--acks", r.choice(("none", "context", "full", "mixed")),
                    "--view", r.choice(("window", "window", "epoch", "host_hash")), *more, "--policy-out", pol, "-o", log],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return log, pol


def close_loop(log, given, upstream, assumed, d, r):
    """The log with acks of the plans that the model makes."""
    shape = r.choice((["--close-loop", "1"], ["--close-loop", "2", "--ack-shape", "context"], ["--close-loop", "1", "--reject-every", "7"],
                      ["--close-loop", "3", "--ack-shape", "context", "--reject-every", "4"]))
    exact = os.path.join(d, "exact.jsonl")
    subprocess.run([sys.executable, os.path.join(SPEC, "model.py"), log, "--policy", json.dumps(given), *shape, *["--upstream"] * upstream, "--emit-log", exact,
                    "-o", os.devnull], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return exact


def one_log(job):
    driver, seed, n_policies, planners, operators = job
    lines = plans = 0
    with tempfile.TemporaryDirectory() as d:
        log, drawn = generate(seed, d, operators)
        r = random.Random(seed + 1)
        first = POLICIES[:2] + r.sample(POLICIES[2:], len(POLICIES) - 2)
        for name, upstream, switches, keep in first[:n_policies]:
            given = json.load(open(drawn)) if keep else {}
            given["switches"] = {**given.get("switches", {}), **switches}
            assumed = r.random() < .1
            source = log if assumed or r.random() < .3 else close_loop(log, given, upstream, assumed, d, r)
            got = compare(driver, source, given, upstream, assumed, planners, d, "log %d, %s%s" % (seed, name, ", assumed acks" * assumed))
            if isinstance(got, str):
                return got + "\n repeat: --first %d --logs 1 --policies %d%s" % (seed, n_policies, " --operators" * operators)
            lines, plans = lines + got[0], plans + got[1]
    return lines, plans


def one_plant(job):
    driver, name, scope, mode, planners = job
    sc, log = score.scenario("main", name, scope), []
    plants.Loop(sc, 3, score.Ours(sc, model.DEFAULT, {"effect": mode}), log=log).run()
    given = {k: sc.policy[k] for k in ("responses", "budgets", "guards") if k in sc.policy}
    given["switches"] = {"effect": mode}
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "log.jsonl")
        with open(path, "w", encoding="utf-8") as out:
            out.writelines(json.dumps(x) + "\n" for x in log)
        return compare(driver, path, given, False, False, planners, d, "loop %s, %s, %s" % (name, scope, mode))


def one_case(job):
    driver, index, planners = job
    name, given, upstream, assumed, records = list(cases.cases())[index]
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "log.jsonl")
        with open(path, "w", encoding="utf-8") as out:
            out.writelines(json.dumps(dict(stream=s, body=b)) + "\n" for s, b in records)
        return compare(driver, path, given, upstream, assumed, planners, d, "case " + name)


def play(name, work, jobs, parallel):
    lines = plans = failed = 0
    with ProcessPoolExecutor(parallel) as pool:
        for got in pool.map(work, jobs):
            if isinstance(got, str):
                print(got, flush=True)
                failed += 1
            else:
                lines, plans = lines + got[0], plans + got[1]
    print("%s: %d compared, %d differ; %d lines, %d plans" % (name, len(jobs), failed, lines, plans), flush=True)
    return failed


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ap.add_argument("--driver", required=True, help="planner_driver")
    ap.add_argument("--logs", type=int, default=0, help="number of generated logs")
    ap.add_argument("--first", type=int, default=0, help="seed of the first log")
    ap.add_argument("--operators", action="store_true", help="small logs, each with many commands of an operator")
    ap.add_argument("--policies", type=int, default=4, help="policies for each log; the first two are the presets")
    ap.add_argument("--planners", default="1,3", help="numbers of planners")
    ap.add_argument("--plants", action="store_true", help="all closed loops of plants.py")
    ap.add_argument("--cases", action="store_true", help="the cases of cases.py")
    ap.add_argument("--jobs", type=int, default=2)
    a = ap.parse_args()
    planners = [int(n) for n in a.planners.split(",")]
    failed = 0
    if a.logs:
        failed += play("logs", one_log, [(a.driver, a.first + i, a.policies, planners, a.operators) for i in range(a.logs)], a.jobs)
    if a.cases:
        failed += play("cases", one_case, [(a.driver, i, planners) for i in range(len(list(cases.cases())))], a.jobs)
    if a.plants:
        names = [sc.name for sc in plants.scenarios()]
        failed += play("loops", one_plant, [(a.driver, n, scope, mode, planners) for n in names for scope in ("node", "job") for mode in ("objective", "trend")], a.jobs)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
