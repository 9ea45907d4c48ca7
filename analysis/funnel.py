#!/usr/bin/python3
"""How far decisions came: how many (finding, tag, knob) reached each gate of the
planner, and how many stopped there. With --by-knob, groups of gates for each knob.
Prints a table, or writes a picture (-o) or CSV (--csv)."""
import argparse
import sys

from dfopt_analysis import cli


def main(args: argparse.Namespace) -> int:
    from dfopt_analysis import LogError, gates
    from dfopt_analysis.plots import gates_plot
    log = cli.open_log(args)
    counts = gates.funnel(log, args.node)
    if args.knob is not None:
        if args.knob not in counts:
            raise LogError(f"{log.run.path}: no verdict is about a knob {args.knob!r}")
        counts = counts[[args.knob]]
    cli.tell_notes(log)
    if args.by_knob:
        groups = gates.by_knob(counts, args.top)
        return cli.deliver(args, groups.T, lambda: gates_plot.by_knob(
            groups, cli.look(args)))
    steps = gates.steps(counts)
    shown = steps.assign(share=(100 * steps["share"]).map("{:.1f}%".format))
    return cli.deliver(args, steps, lambda: gates_plot.funnel(steps, cli.look(args)),
                       shown.to_string())


if __name__ == "__main__":
    p = cli.parser(__doc__, "funnel.py decisions.h5 -o funnel.svg")
    cli.add_log(p)
    p.add_argument("--knob", help="show only KNOB")
    p.add_argument("--node", help="show only NODE; '' is the whole job")
    p.add_argument("--by-knob", action="store_true",
                   help="group verdicts by knob")
    p.add_argument("--top", metavar="N", type=cli.positive, default=12,
                   help="show the N knobs with most verdicts (default 12)")
    cli.add_picture(p)
    sys.exit(cli.run(p, main))
