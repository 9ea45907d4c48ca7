#!/usr/bin/env python3
"""Draws the time series of jobs/monitoring/dashboard.json as a picture, without Grafana:
its queries, answered by a running Prometheus, drawn by matplotlib.

    /usr/bin/python3 tests/bench/dashboard.py http://127.0.0.1:9090 BEGIN END -o picture.svg

BEGIN and END are seconds since 1970. Panels without data are left out.
"""
import argparse
import json
import math
import os
import re
import urllib.parse
import urllib.request

import matplotlib
matplotlib.use("svg")
from matplotlib import pyplot as plt  # noqa: E402

DASHBOARD = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir,
                         "jobs", "monitoring", "dashboard.json")
COLUMNS = 3
SERIES = 8  # of a panel; more make no picture
UNITS = {"s": ("ms", 1e3), "bytes": ("MiB", 1 / 2**20)}


def step_of(begin, end):
    return max(1, (end - begin) / 400)


def ask(url, query, begin, end):
    query = query.replace("$__rate_interval", "20s").replace("$instance", ".*")
    args = urllib.parse.urlencode({"query": query, "start": begin, "end": end,
                                   "step": step_of(begin, end)})
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{args}", timeout=60) as r:
        return json.load(r)["data"]["result"]


def name_of(target, labels):
    form = target.get("legendFormat", "")
    return re.sub(r"{{\s*(\w+)\s*}}", lambda m: labels.get(m[1], ""), form) or \
        labels.get("__name__", "")


def broken(points, most):
    """The points, with a break where there was nothing for a while."""
    for i, (at, value) in enumerate(points):
        if i and at - points[i - 1][0] > most:
            yield (at, math.nan)
        yield (at, value)


def lines_of(url, panel, begin, end):
    """(name, seconds since BEGIN, values) of each series that is not zero all the time."""
    for target in panel["targets"]:
        for series in ask(url, target["expr"], begin, end):
            points = [(float(t) - begin, float(v)) for t, v in series["values"]]
            points = [p for p in points if math.isfinite(p[1])]
            if any(v for _, v in points):
                yield (name_of(target, series["metric"]),
                       *zip(*broken(points, 3 * step_of(begin, end))))


def draw(axes, panel, lines):
    unit, factor = UNITS.get(panel.get("fieldConfig", {}).get("defaults", {}).get("unit"), ("", 1))
    lines.sort(key=lambda x: -max(v for v in x[2] if not math.isnan(v)))
    for name, at, values in lines[:SERIES]:
        axes.plot([t / 60 for t in at], [v * factor for v in values], label=name, linewidth=1.2)
    axes.set_title(panel["title"] + (f" [{unit}]" if unit else ""), fontsize=9, loc="left")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=6, loc="lower right", framealpha=0.8)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("url", help="of a Prometheus")
    p.add_argument("begin", type=float)
    p.add_argument("end", type=float)
    p.add_argument("-o", "--output", required=True)
    p.add_argument("--without", nargs="*", default=[], help="titles to leave out")
    o = p.parse_args()
    plt.rcParams["svg.hashsalt"] = "dfopt"
    with open(DASHBOARD, encoding="utf-8") as f:
        panels = [x for x in json.load(f)["panels"]
                  if x["type"] == "timeseries" and x["title"] not in o.without]
    shown = [(x, list(lines_of(o.url, x, o.begin, o.end))) for x in panels]
    shown = [(x, lines) for x, lines in shown if lines]
    rows = -(-len(shown) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(4 * COLUMNS, 2.4 * rows), squeeze=False)
    for ax in axes.flat[len(shown):]:
        ax.set_visible(False)
    for ax, (panel, lines) in zip(axes.flat, shown):
        draw(ax, panel, lines)
    for ax in axes[-1]:
        ax.set_xlabel("minutes", fontsize=7)
    figure.tight_layout()
    figure.savefig(o.output, metadata={"Date": None})


if __name__ == "__main__":
    main()
