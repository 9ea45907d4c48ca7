#!/usr/bin/env python3
"""Draws demo.svg: a run of jobs/demo.sh, its throughput and its two knobs by window.

usage: demo.py loader.jsonl [demo.svg]

loader.jsonl is what jobs/demo.sh leaves in the current directory. Needs matplotlib.
"""
import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "demo"  # the same file from the same figures
from matplotlib import pyplot  # noqa: E402

KNOBS = (("read_threads", "#1f5fa8"), ("prefetch_size", "#c2571a"))


def windows(path):
    with open(path, encoding="utf-8") as f:
        events = [json.loads(line) for line in f]
    return [e for e in events if e["event"] == "window"]


def changes(ws, knob):
    """(window, value) wherever the value is another one than in the window before."""
    values = [w[knob] for w in ws]
    return [(w["window"], v) for w, v, last in zip(ws, values, [None] + values) if v != last]


def rate_of(ws):
    return sum(w["samples"] for w in ws) / sum(w["seconds"] for w in ws)


def draw_rate(axes, ws):
    first = min(w for knob, _ in KNOBS for w, _ in changes(ws, knob)[1:])
    before = rate_of([w for w in ws if w["window"] < first])
    after = rate_of(ws[-5:])
    axes.step([w["window"] for w in ws], [w["samples_per_second"] for w in ws], where="mid",
              color="#333333")
    axes.set_ylabel("samples/s")
    axes.set_ylim(0, 1.25 * max(w["samples_per_second"] for w in ws))
    axes.text(0.7, before + 0.1 * after, f"before: {before:,.0f}", fontsize=9, va="bottom")
    axes.text(ws[-1]["window"], after * 1.15, f"after: {after:,.0f}", fontsize=9, ha="right")


def draw_knobs(axes, ws):
    for knob, color in KNOBS:
        axes.step([w["window"] for w in ws], [w[knob] for w in ws], where="mid", color=color)
        for window, value in changes(ws, knob):
            axes.text(window - 0.4, value * 1.12, str(value), color=color, fontsize=8)
        axes.text(ws[-1]["window"] + 0.6, ws[-1][knob], knob, color=color, fontsize=9,
                  va="center")
    axes.set_yscale("log", base=2)
    axes.set_ylim(0.8, 1.6 * max(w[knob] for w in ws for knob, _ in KNOBS))
    axes.set_yticks([1, 4, 16], ["1", "4", "16"])
    axes.set_ylabel("value")
    axes.set_xlabel("window (half a second)")


def main():
    ws = windows(sys.argv[1])
    figure, (rate, knobs) = pyplot.subplots(2, 1, sharex=True, figsize=(7.2, 3.6))
    draw_rate(rate, ws)
    draw_knobs(knobs, ws)
    knobs.set_xlim(0.3, ws[-1]["window"] + 5)
    knobs.set_xticks([1, *range(5, ws[-1]["window"] + 1, 5)])
    for axes in (rate, knobs):
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(sys.argv[2] if len(sys.argv) > 2 else "demo.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
