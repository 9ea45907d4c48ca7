#!/usr/bin/python3
"""Show the effect of each plan: mean severity and share of time in fetch in the windows
before and after it, and how many windows those are; where the planner judged plans,
whether it kept them and the gain in the objective.
Prints a summary by knob, or writes a picture (-o) or every plan as CSV (--csv)."""
import argparse
import sys

from dfopt_analysis import cli

COLUMNS = ["window", "plan_id", "knob", "node", "old", "new", "ack", "effect",
           "finding_type", "tag", "severity_before", "severity_after",
           "windows_before", "windows_after", "fetch_before", "fetch_after",
           "fetch_windows_before", "fetch_windows_after", "others", "outcome", "kept",
           "gain", "gain_error", "certain", "rationale"]


def main(args: argparse.Namespace) -> int:
    from dfopt_analysis import LogError, effect
    from dfopt_analysis.plots import effect_plot
    from dfopt_analysis.windows import survey
    log = cli.open_log(args)
    if not log.file.rows("plans"):
        raise LogError(f"{log.run.path}: the log holds no plans")
    table = effect.effects(log, survey(log, args.windows), args.horizon)
    if args.knob is not None:
        table = table[table["knob"] == args.knob]
    if not len(table):
        raise LogError(f"{log.run.path}: there are no such plans")
    cli.tell_notes(log)
    if effect.never_falls(log):
        print(f"note: {effect.PEAKS}", file=sys.stderr)
    summary = effect.by_knob(table)
    return cli.deliver(args, table[COLUMNS], lambda: effect_plot.effect(
        table, summary, cli.look(args), args.horizon, args.top),
        summary.to_string(float_format="{:+.3f}".format), index=False)


if __name__ == "__main__":
    p = cli.parser(__doc__, "effect.py decisions.h5 --csv plans.csv")
    cli.add_log(p)
    p.add_argument("--horizon", metavar="N", type=cli.positive, default=5,
                   help="compare N windows before and after (default 5)")
    p.add_argument("--knob", help="show only plans for KNOB")
    cli.add_windows(p)
    p.add_argument("--top", metavar="N", type=cli.positive, default=12,
                   help="draw the N knobs with most plans (default 12)")
    cli.add_picture(p)
    sys.exit(cli.run(p, main))
