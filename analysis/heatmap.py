#!/usr/bin/python3
"""Verdicts by node and window: what the planner said where and when. A cell is
`planned` if a plan was made, or else the most frequent group of verdicts.
Prints a table, or writes a picture (-o) or CSV (--csv)."""
import argparse
import sys

from dfopt_analysis import cli


def main(args: argparse.Namespace) -> int:
    import pandas as pd

    from dfopt_analysis import gates
    from dfopt_analysis.plots import heat_plot
    from dfopt_analysis.windows import survey
    log = cli.open_log(args)
    frame = survey(log, args.windows, 90 if args.width == "phone" else 240)
    heat = gates.heat(log, frame, args.knob)
    cli.tell_notes(log)
    rows, names = heat.top(args.top), [*gates.GROUPS, "-"]
    table = pd.DataFrame([[names[c] for c in row] for row in heat.main(rows)],
                         index=pd.Index([frame.nodes[r] for r in rows], name="node"),
                         columns=frame.axis.starts)
    totals = pd.DataFrame(heat.cells[rows].sum(axis=1), columns=list(gates.GROUPS),
                          index=table.index)
    return cli.deliver(args, table, lambda: heat_plot.heat_map(
        heat, frame, cli.look(args), args.top), totals.to_string())


if __name__ == "__main__":
    p = cli.parser(__doc__,
                   "heatmap.py decisions.h5 --knob dlio.read_threads -o heat.svg")
    cli.add_log(p)
    p.add_argument("--knob", help="show only verdicts about KNOB")
    cli.add_windows(p)
    p.add_argument("--top", metavar="N", type=cli.positive, default=32,
                   help="show the N nodes with most plans (default 32)")
    cli.add_picture(p)
    sys.exit(cli.run(p, main))
