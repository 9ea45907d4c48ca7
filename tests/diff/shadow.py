#!/usr/bin/env python3
"""What the shadow says is what would be planned.

    shadow.py --logs 50

Two planners of the specification get the same generated events without acks. One is in the shadow from the start. The other
plans, and each plan is rejected at once, behind its event. Compared is every row of every event: position, tag, knob, node and
verdict, value and threshold where the row has them; `planned`, `trade` and `release` of the one stand for `would_plan` of the
other, and so do the new and old value of each plan. No plan may leave the shadow. planner_differential.py holds the program's
planner to the same specification, shadow and all. Left out are restarts and new processes: a guard may then take back a value
that the application has raised itself, which in the shadow nothing does.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

SPEC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "spec")
sys.path.insert(0, SPEC)
import model    # noqa: E402

PLANS = ("planned", "trade", "release")


def generate(seed, d):
    log, policy = os.path.join(d, "log.jsonl"), os.path.join(d, "policy.json")
    subprocess.run([sys.executable, os.path.join(SPEC, "gen_findings.py"), "--nodes", str(1 + seed % 7), "--windows", "60", "--seed", str(seed),
                    "--objective-rate", ".8", "--node-knobs", ".5", "--pressure", ".05", "--job-view", ".3", "--global-rate", ".1",
                    *(["--current-severity"] if seed % 2 else []), "--policy-out", policy, "-o", log], check=True, stderr=subprocess.DEVNULL)
    return log, json.load(open(policy))


def seen(row, plans):
    position, _, _, r = row
    verdict = "would_plan" if r["verdict"] in PLANS else r["verdict"]
    values = plans.get(position) or {k: r[k] for k in ("value", "threshold") if k in r}
    return position, verdict, r["tag"], r["knob_id"], r["node"], tuple(sorted(values.items()))


def rows_of(ev):
    plans, rows = ev.sorted()
    by_position = {p[0]: dict(value=p[3]["new_value"], threshold=p[3]["old_value"]) for p in plans}
    return [seen(r, by_position) for r in rows], [p[3] for p in plans]


def check(seed, effect):
    """(findings, plans that would be made); exits where they differ."""
    with tempfile.TemporaryDirectory() as d:
        log, given = generate(seed, d)
        given["switches"] = {**given.get("switches", {}), "effect": effect, "approval_windows": 0}
        make = lambda: (lambda p, parts: model.Planner(p, False, **parts))(*model.load_policy(json.dumps(given)))   # noqa: E731
        shadow, auto, n, would = make(), make(), 0, 0
        shadow.operator.command({"action": "mode", "mode": "shadow"}, model.Event(0))
        for i, line in enumerate(open(log, encoding="utf-8"), 1):
            record = json.loads(line)
            dark, _, _ = model.decide(shadow, record["stream"], record["body"], i)
            light, _, _ = model.decide(auto, record["stream"], record["body"], i)
            (dark_rows, left), (rows, plans) = rows_of(dark), rows_of(light)
            if left or dark_rows != rows:
                first = next((x for x in zip(dark_rows, rows) if x[0] != x[1]), (dark_rows[-1:], rows[-1:]))
                sys.exit("seed %d, effect %s, event %d: %d plans left\n shadow %s\n auto   %s" % (seed, effect, i, len(left), *first))
            for plan in plans:
                auto.ack(dict(plan_id=plan["plan_id"], knob_id=plan["knob_id"], status="rejected", old_value=None, new_value=None,
                              target_nodes=plan["target_nodes"]), model.Event(i))
            n, would = n + (record["stream"] == "finding"), would + len(plans)
        return n, would


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ap.add_argument("--logs", type=int, default=10)
    ap.add_argument("--first", type=int, default=1)
    a = ap.parse_args()
    findings = would = 0
    for seed in range(a.first, a.first + a.logs):
        for effect in ("objective", "trend", "severity"):
            n, plans = check(seed, effect)
            findings, would = findings + n, would + plans
    if not would:
        sys.exit("no plan was made: nothing is compared")
    print("%d logs, %d findings, %d would be planned: all as planned and rejected; 0 left" % (a.logs * 3, findings, would))


if __name__ == "__main__":
    main()
