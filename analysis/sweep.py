#!/usr/bin/python3
"""A sweep (dfopt-mpi --sweep): every variant by two metrics, those that no other
beats in both, and the second metric for the values of each parameter.
Prints the variants that none beats, or writes a picture (-o) or all as CSV (--csv)."""
import argparse
import sys

from dfopt_analysis import cli


def main(args: argparse.Namespace) -> int:
    from dfopt_analysis import sweep
    from dfopt_analysis.plots import sweep_plot
    made = sweep.load(args.sweep)
    front = sweep.pareto(made, args.x, args.y)
    table = made.settings.join(made.metrics)
    table.index.name = "variant"
    shown = made.settings.join(made.metrics[[args.x, args.y]]).loc[front]
    return cli.deliver(args, table, lambda: sweep_plot.sweep(
        made, cli.look(args), args.x, args.y, args.top), shown.to_string())


if __name__ == "__main__":
    p = cli.parser(__doc__,
                   "sweep.py sweep.h5 -x plans -y episodes_planned -o sweep.svg")
    p.add_argument("sweep", metavar="SWEEP.h5", help="the output of a sweep")
    p.add_argument("-x", metavar="METRIC", default="plans",
                   help="plot METRIC first (default plans)")
    p.add_argument("-y", metavar="METRIC", default="episodes_planned",
                   help="plot it against METRIC (default episodes_planned)")
    p.add_argument("--top", metavar="N", type=cli.positive, default=6,
                   help="show N parameters (default 6)")
    cli.add_picture(p)
    sys.exit(cli.run(p, main))
