"""Two runs side by side: verdicts by gate, plans by knob, severity by window."""
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..compare import Comparison
from .gates_plot import room_above
from .style import Look, counts_axis, figure, label, settings

ROLES = ("value", "severity")
MARKERS = ("o", "D")


def _pairs(ax: Any, table: pd.DataFrame, look: Look, room: int) -> None:
    """A row for each entry: where a stands, where b stands, and a line between."""
    a, b = table.iloc[:, 0].to_numpy(float), table.iloc[:, 1].to_numpy(float)
    ax.hlines(range(len(table)), a, b, color=look["soft"], linewidth=1.4)
    for values, role, marker, size in zip((a, b), ROLES, MARKERS, (46, 20)):
        ax.scatter(values, range(len(table)), s=size, color=look[role], marker=marker,
                   zorder=3, linewidth=0)
    ax.set_yticks(range(len(table)))
    ax.set_yticklabels([label(n, room) for n in table.index])
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.set_xlim(left=0 - 0.02 * max(np.nanmax([a, b], initial=1e-9), 1e-9))
    ax.locator_params(axis="x", nbins=5)


def _severities(ax: Any, made: Comparison, look: Look) -> None:
    for (frame, medians), role, style in zip(made.severity, ROLES, ("-", (0, (4, 2)))):
        axis = frame.axis
        edges = axis.first + (np.arange(axis.bins + 1) - 0.5) * axis.width
        ax.stairs(medians, edges, baseline=None, color=look[role], linewidth=1.6,
                  linestyle=style)
    ax.set_ylim(0, 1.05)
    ax.set_ylabel("median severity")
    ax.set_xlabel("window")


def compare(made: Comparison, look: Look, most: int = 12) -> Figure:
    """All three panels; on a phone one under the other."""
    verdicts = 100 * made.verdicts[(made.verdicts.fillna(0) > 0).any(axis=1)]
    knobs = made.knobs[["plans_a", "plans_b"]]
    knobs = knobs.loc[knobs.sum(axis=1).sort_values(
        ascending=False, kind="stable").index[:most]]
    rows = 0.26 * max(len(verdicts), 1), 0.26 * max(len(knobs), 1)
    with matplotlib.rc_context(settings(look)):
        if look.phone:
            fig = figure(look, 3.4 + sum(rows) + 1.0)
            one, two, three = fig.subplots(3, 1, height_ratios=[*rows, 2.0])
        else:
            fig = figure(look, 3.6 + max(rows))
            axes = fig.subplot_mosaic([["one", "two"], ["three", "three"]],
                                      height_ratios=[max(rows), 2.0])
            one, two, three = (axes[n] for n in ("one", "two", "three"))
        _pairs(one, verdicts, look, 24)
        one.set_xlabel("share of verdicts (%)")
        _pairs(two, knobs, look, 17 if look.phone else 24)
        two.set_xlabel("plans")
        counts_axis(two.xaxis)
        _severities(three, made, look)
        handles = [Line2D([], [], color=look[r], marker=m, markersize=5,
                          linestyle=s, label=n)
                   for r, m, s, n in zip(ROLES, MARKERS, ("-", (0, (4, 2))),
                                         ("a (first file)", "b (second file)"))]
        fig.legend(handles=handles, loc="upper center", ncol=2)
        room_above(fig, look, 1)
        return fig
