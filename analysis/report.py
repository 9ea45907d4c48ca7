#!/usr/bin/python3
"""Writes a page about a run: summary, plots, and a table of plans that sorts and
filters, each with its reason. One HTML file; it loads nothing, works from a disk or
in a mail, and is readable on a phone."""
import argparse
import sys

from dfopt_analysis import cli


def main(args: argparse.Namespace) -> int:
    from dfopt_analysis import page
    log = cli.open_log(args)
    other = cli.open_log(args, args.compare) if args.compare else None
    options = page.Options(args.knobs, args.plans, args.nodes, args.horizon,
                           args.windows, other)
    text = page.build(log, options)
    for each in (log, other):
        if each is not None:
            cli.tell_notes(each)
    cli.write_text(args.output, text)
    return 0


if __name__ == "__main__":
    p = cli.parser(__doc__, "report.py decisions.h5 -o report.html")
    cli.add_log(p)
    p.add_argument("-o", "--output", metavar="FILE", required=True,
                   help="write the page to FILE; - is standard output")
    p.add_argument("--compare", metavar="OTHER.h5",
                   help="add a section that compares with this log")
    p.add_argument("--knobs", metavar="N", type=cli.positive, default=6,
                   help="draw timelines of the N knobs with most plans (default 6)")
    p.add_argument("--nodes", metavar="N", type=cli.positive, default=4,
                   help="show the N nodes with most plans in each timeline (default 4)")
    p.add_argument("--plans", metavar="N", type=cli.positive, default=1000,
                   help="list the N most severe plans (default 1000)")
    p.add_argument("--horizon", metavar="N", type=cli.positive, default=5,
                   help="compare N windows before and after a plan (default 5)")
    cli.add_windows(p)
    sys.exit(cli.run(p, main))
