#!/usr/bin/python3
"""What differs between two runs: verdicts by gate, plans by knob, values at the end,
severity by window, and the first plans that differ (matched by their ids, which hold
the number of the event). Prints a summary, or writes a picture (-o) or the plans
that differ as CSV (--csv)."""
import argparse
import sys
from typing import Any

from dfopt_analysis import cli


def plan_line(row: Any) -> str:
    side = "b" if row["where"] == "only in b" else "a"
    knob, node, old, new = (row[f"{n}_{side}"] for n in ("knob", "node", "old", "new"))
    said = (f"  {row['where']:<9}  {row['plan_id']}  window {row['window_' + side]:g}  "
            f"{knob} on {node or 'the whole job'}: {old} -> {new}")
    if row["where"] == "differs":
        said += f"; in b {row['knob_b']}: {row['old_b']} -> {row['new_b']}"
    return said


def text_of(made: Any, first: int) -> str:
    import pandas as pd
    parts = [pd.DataFrame(made.facts, columns=["", "a", "b"]).to_string(index=False),
             "\nverdicts (share)\n" + made.verdicts[
                 (made.verdicts > 0).any(axis=1)].to_string(
                     float_format=lambda s: f"{100 * s:.1f}%"),
             "\nknobs (values of the whole job)\n" + made.knobs.to_string(),
             f"\nplans: {made.same} the same, {len(made.plans)} differ"]
    parts += [plan_line(row) for row in made.plans.head(first).to_dict("records")]
    if len(made.plans) > first:
        parts.append(f"  ... and {len(made.plans) - first} more (--csv has all)")
    return "\n".join(parts)


def main(args: argparse.Namespace) -> int:
    from dfopt_analysis.compare import compare
    from dfopt_analysis.plots import compare_plot
    a, b = cli.open_log(args, args.a), cli.open_log(args, args.b)
    made = compare(a, b)
    cli.tell_notes(a)
    cli.tell_notes(b)
    return cli.deliver(args, made.plans, lambda: compare_plot.compare(
        made, cli.look(args), args.top), text_of(made, args.first), index=False)


if __name__ == "__main__":
    p = cli.parser(__doc__, "compare.py monday.h5 tuesday.h5 -o compare.svg")
    p.add_argument("a", metavar="A.h5", help="a decision log")
    p.add_argument("b", metavar="B.h5", help="the decision log to compare it with")
    cli.add_version(p)
    p.add_argument("--first", metavar="N", type=cli.positive, default=10,
                   help="print the first N plans that differ (default 10)")
    p.add_argument("--top", metavar="N", type=cli.positive, default=12,
                   help="draw the N knobs with most plans (default 12)")
    cli.add_picture(p)
    sys.exit(cli.run(p, main))
