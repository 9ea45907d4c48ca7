#!/usr/bin/env python3
"""What the shadow says is what would be planned.

    shadow.py --logs 50
    shadow.py --logs 50 --program dfopt-mpi --log-program dfopt-log

Two planners of the specification get the same generated events without acks. One is in the shadow from the start. The other
plans, and each plan is rejected at once, behind its event. Compared is every row of every event: position, tag, knob, node and
verdict, value and threshold where the row has them; `planned`, `trade` and `release` of the one stand for `would_plan` of the
other, and so do the new and old value of each plan. No plan may leave the shadow. planner_differential.py holds the program's
planner to the same specification, shadow and all. Left out are restarts and new processes: a guard may then take back a value
that the application has raised itself, which in the shadow nothing does.

With --program two replays by the program are compared as well: of the log behind a command `mode shadow`, and of the log with an ack
`rejected` behind each event that made plans, a record for each plan. Compared are the same, from their decision logs, record of
the log by record; rows of the acks are left out. No plan may be in the plans file of the first.
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


# ------------------------------------------------------------------ the program

REJECTED = dict(status="rejected", old_value=None, new_value=None)


def with_acks(lines, auto):
    """(records, {event: record of the log}): behind each that makes plans, their acks."""
    records, origin = [], {}
    for i, line in enumerate(lines):
        record = json.loads(line)
        origin[len(records)] = i
        ev, _, _ = model.decide(auto, record["stream"], record["body"], len(records))
        records.append(record)
        for _, _, _, plan in ev.sorted()[0]:
            body = dict(REJECTED, plan_id=plan["plan_id"], knob_id=plan["knob_id"], target_nodes=plan["target_nodes"])
            model.decide(auto, "ack", body, len(records))
            records.append(dict(stream="ack", body=body))
    return records, origin


def real(v):
    """As it stands in a row of a verdict."""
    return float(v) if isinstance(v, (int, float)) else None


def replay(a, d, records, name):
    """(rows with the values of their plans, plans) of the program."""
    log, out, plans = (os.path.join(d, name + x) for x in (".jsonl", ".h5", ".plans"))
    with open(log, "w", encoding="utf-8") as fh:
        fh.writelines(json.dumps(r) + "\n" for r in records)
    subprocess.run([a.program, "--transport", "file", "--findings-file", log, "--policy", os.path.join(d, "given.json"), "--acks", "explicit", "--decision-log", out,
                    "--plans-file", plans, "--log-level", "error"], check=True, timeout=120)
    dump = subprocess.run([a.log_program, "dump", "--kind", "verdict", "--kind", "plan", out], stdout=subprocess.PIPE, check=True, timeout=120).stdout
    rows, made = [], {}
    for r in map(json.loads, dump.splitlines()):
        if r["kind"] == "plan":
            made[r["seq"], r["position"]] = real(r["new"]), real(r["old"])
        else:
            rows.append(r)
    return [(r["seq"], r["position"], "would_plan" if r["verdict"] in PLANS else r["verdict"], r["tag"], r["knob"], r["node"],
             *made.get((r["seq"], r["position"]), (r["value"], r["threshold"]))) for r in rows], open(plans, "rb").read()


def check_program(a, seed, effect):
    """Plans that would be made; exits where the two replays differ."""
    with tempfile.TemporaryDirectory() as d:
        log, given = generate(seed, d)
        given["switches"] = {**given.get("switches", {}), "effect": effect, "approval_windows": 0}
        json.dump(given, open(os.path.join(d, "given.json"), "w"))
        lines, (policy, parts) = open(log, encoding="utf-8").readlines(), model.load_policy(json.dumps(given))
        records, origin = with_acks(lines, model.Planner(policy, False, **parts))
        dark, left = replay(a, d, [dict(stream="control", body={"action": "mode", "mode": "shadow"}), *map(json.loads, lines)], "dark")
        light, plans = replay(a, d, records, "light")
        one, two = [(r[0] - 1, *r[1:]) for r in dark], [(origin[r[0]], *r[1:]) for r in light if r[0] in origin]
        if left or one != two:
            sys.exit("seed %d, effect %s: %d bytes of plans left\n %s" % (seed, effect, len(left), next((x for x in zip(one, two) if x[0] != x[1]), (len(one), len(two)))))
        return plans.count(b"\n")


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ap.add_argument("--logs", type=int, default=10)
    ap.add_argument("--first", type=int, default=1)
    ap.add_argument("--program", help="dfopt-mpi")
    ap.add_argument("--log-program", help="dfopt-log")
    a = ap.parse_args()
    findings = would = replayed = 0
    for seed in range(a.first, a.first + a.logs):
        for effect in ("objective", "trend", "severity"):
            n, plans = check(seed, effect)
            findings, would = findings + n, would + plans
            replayed += check_program(a, seed, effect) if a.program else 0
    if not would:
        sys.exit("no plan was made: nothing is compared")
    if a.program and not replayed:
        sys.exit("the program made no plan: nothing is compared")
    print("%d logs, %d findings, %d would be planned: all as planned and rejected; 0 left%s"
          % (a.logs * 3, findings, would, "; by the program %d" % replayed if a.program else ""))


if __name__ == "__main__":
    main()
