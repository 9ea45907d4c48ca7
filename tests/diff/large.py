#!/usr/bin/env python3
"""Decides one large generated log at few and at many ranks, and holds the outputs' bytes together.

usage: large.py --program build/release/bin/dfopt-mpi --log-program build/release/bin/dfopt-log

The log of a preset has at least --findings findings. That of the preset default has objectives, registrations of
every node and a policy with budgets and guards; its acks answer the plans of the specification, and the plans must
be those. That of the preset upstream has none of these: there, every registration lets a knob answer to its tags
once more, so that thousands of them make millions of verdicts a window. Plans, final state and the dump of the
decision log must be the same bytes at every count of --ranks (default 1 and 64). Exits 1 if they are not.
"""
import argparse
import os
import shutil
import sys
import tempfile

import differential as diff


def options():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ap.add_argument("--program", required=True, help="dfopt-mpi")
    ap.add_argument("--log-program", required=True, help="dfopt-log")
    ap.add_argument("--mpirun", default="mpirun")
    ap.add_argument("--ranks", type=diff.numbers, default=[1, 64], metavar="N,N,...")
    ap.add_argument("--findings", type=int, default=100000)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--presets", type=lambda s: s.split(","), default=["default", "upstream"],
                    metavar="NAME,...")
    ap.add_argument("--seconds", type=int, default=600, help="bound of one run")
    ap.add_argument("--workdir", help="made if need be; default: a temporary folder")
    ap.add_argument("--program-options", default="", help="further options of the program, such as --readers=one")
    ap.add_argument("--keep", action="store_true", help="keep the files")
    return ap.parse_args()


def log_options(preset, policy):
    if preset == "upstream":
        return ["--acks", "mixed"]
    return ["--everything", "--policy-out", policy]


def make_log(a, preset, log, policy):
    """Writes the log, its policy and the right plans; more windows until it is large enough. Returns its number
    of findings."""
    windows = max(10, a.findings // (200 * 4))
    while True:
        diff.run(diff.spec_command(
            "gen_findings.py", "--nodes", "200", "--windows", str(windows), "--seed", str(a.seed), "--nan-rate", ".01",
            "--global-rate", ".2", "--global-plan-rate", ".3", "--current-severity", *log_options(preset, policy),
            "-o", log), 600)
        with open(log, "rb") as fh:
            findings = sum(line.startswith(b'{"stream": "finding"') for line in fh)
        if findings >= a.findings:
            break
        windows = windows * a.findings // max(findings, 1) + 1
    if preset != "upstream":
        os.rename(log, log + ".open")
        diff.run(diff.spec_command("model.py", log + ".open", "--policy", policy, "--close-loop", "1",
                                   "--emit-log", log, "-o", log + ".expected"), 1200)
    return findings


def decide(a, preset, log, policy, folder):
    """Decides the log at all counts of ranks. Returns the number of plans."""
    flags = ["--compat", "upstream"] if preset == "upstream" else ["--policy", policy]
    first = None
    for ranks in a.ranks:
        got = diff.run_program(a, ranks, a.program_options, log, flags + ["--acks", "explicit"], folder)
        if first is None:
            first = got
        else:
            diff.compare_runs(first, "%d ranks" % a.ranks[0], got, "%d ranks" % ranks)
    plans = first["plans"].count(b"\n")
    if not plans:
        raise diff.Different("no plan at all: nothing was compared")
    if preset != "upstream":
        diff.compare_rows("plan", diff.split_expected(diff.read(log + ".expected"))[0], diff.lines(first["plans"]))
    return plans


def main():
    a = options()
    folder = os.path.abspath(a.workdir) if a.workdir else tempfile.mkdtemp(prefix="dfopt-large-")
    os.makedirs(folder, exist_ok=True)
    a.program, a.log_program = os.path.abspath(a.program), os.path.abspath(a.log_program)
    try:
        log, policy = os.path.join(folder, "log.jsonl"), os.path.join(folder, "policy.json")
        for preset in a.presets:
            findings = make_log(a, preset, log, policy)
            plans = decide(a, preset, log, policy, folder)
            print("%s: %d findings, %d plans, %s ranks: none differ"
                  % (preset, findings, plans, " and ".join(map(str, a.ranks))))
    except (diff.Different, diff.Broken) as e:
        print("DIFFERENT: %s" % e)
        return 1
    finally:
        if not a.keep and not a.workdir:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
