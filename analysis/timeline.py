#!/usr/bin/python3
"""Show the value of a knob, window by window: quantiles over all nodes, and the nodes
with most plans; below it the worst severity that the knob responds to. Plans and acks
are marked. Prints every change, or writes a picture (-o) or CSV."""
import argparse
import sys

from dfopt_analysis import cli


def main(args: argparse.Namespace) -> int:
    from dfopt_analysis import LogError
    from dfopt_analysis.plots import timeline_plot
    from dfopt_analysis.timeline import moved_knobs, timelines
    from dfopt_analysis.windows import survey
    log = cli.open_log(args)
    moved = moved_knobs(log)
    if args.knob is None and not len(moved):
        raise LogError(f"{log.run.path}: the log holds no plans; give --knob")
    knob = args.knob if args.knob is not None else str(moved.index[0])
    frame = survey(log, args.windows)
    if args.node is not None and args.node not in frame.nodes:
        raise LogError(f"{log.run.path}: no finding is about a node {args.node!r}")
    line = timelines(log, frame, [knob])[0]
    cli.tell_notes(log)
    events = line.events
    if args.windows:
        events = events[events["window"].between(*args.windows)]
    if args.node is not None:
        events = events[events["node"].isin([args.node, ""])]
    return cli.deliver(args, events, lambda: timeline_plot.timeline(
        line, cli.look(args), args.top, args.node), index=False)


if __name__ == "__main__":
    p = cli.parser(__doc__,
                   "timeline.py decisions.h5 --knob dlio.read_threads -o knob.svg")
    cli.add_log(p)
    p.add_argument("--knob", help="show KNOB (default: the one with most plans)")
    p.add_argument("--node", help="show only NODE")
    cli.add_windows(p)
    p.add_argument("--top", metavar="N", type=cli.positive, default=6,
                   help="show the N nodes with most plans (default 6)")
    cli.add_picture(p)
    sys.exit(cli.run(p, main))
