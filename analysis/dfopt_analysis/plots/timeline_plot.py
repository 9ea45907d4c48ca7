"""What one knob was set to, with severities under it and plans and acks marked."""
from typing import Any, List, Optional, Tuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..reader import Array
from ..timeline import Timeline
from ..windows import quantiles
from .gates_plot import room_above
from .style import Look, counts_axis, figure, label, node_name, settings, window_axis

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
MARKS = {"plan": ("plan", "^"), "global plan": ("plan", "D"),
         "applied": ("applied", "o"), "rejected": ("rejected", "X"),
         "cleared": ("other", "s"), "timed out": ("other", "P")}
ACKS = ("applied", "rejected", "cleared")
SIZES = {"plan": 48, "applied": 12, "rejected": 34}  # a dot in the triangle of its plan


def _edges(line: Timeline) -> Array:
    axis = line.frame.axis
    found: Array = axis.first + (np.arange(axis.bins + 1) - 0.5) * axis.width
    return found


def _steps(ax: Any, line: Timeline, row: Array, **more: Any) -> None:
    ax.stairs(row, _edges(line), baseline=None, **more)


def _bands(ax: Any, line: Timeline, grid: Array, colour: str) -> Array:
    """Quantiles over the nodes: 10 to 90 %, 25 to 75 %, and the median."""
    q: Array = quantiles(grid, SHARES)
    edges = _edges(line)
    for low, high, alpha in ((0, 4, 0.18), (1, 3, 0.3)):
        a, b = (np.append(q[i], q[i][-1]) for i in (low, high))
        ax.fill_between(edges, a, b, step="post", color=colour, alpha=alpha,
                        linewidth=0)
    _steps(ax, line, q[2], color=colour, linewidth=1.8)
    return q


def _value_axis(ax: Any, line: Timeline, shown: Array) -> None:
    """Scales the axis to the values that are shown."""
    if line.levels:
        ax.set_yticks(range(len(line.levels)))
        ax.set_yticklabels([label(n.lower() if n in ("True", "False") else n, 12)
                            for n in line.levels])
        ax.set_ylim(-0.4, len(line.levels) - 0.6)
        return
    known = shown[~np.isnan(shown)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    room = (high - low) * 0.14 or max(abs(high) * 0.1, 0.5)
    ax.set_ylim(low - room, high + room)
    ax.locator_params(axis="y", nbins=4)
    if max(abs(low), abs(high)) >= 10000:
        ax.ticklabel_format(axis="y", style="sci", scilimits=(-3, 4))


def _severity_axis(ax: Any, line: Timeline, look: Look, named: bool) -> None:
    ax.set_ylim(0, 1.05)
    ax.set_yticks([0, 0.5, 1])
    if line.limit is not None:
        ax.axhline(line.limit, color=look["soft"], linewidth=0.9, linestyle=(0, (4, 3)))
    if named:
        ax.set_ylabel("severity")


def _marks(ax: Any, line: Timeline, events: pd.DataFrame, look: Look) -> None:
    for cause, (role, marker) in MARKS.items():
        mine = events[events["cause"] == cause]
        heights = [line.number(v) for v in mine["value"]]
        ax.scatter(mine["window"], heights, s=SIZES.get(cause, 24), marker=marker,
                   zorder=3, facecolor=look[role], linewidth=0)


def _one_node(axes: Tuple[Any, Any], line: Timeline, row: int, look: Look,
              named: bool) -> None:
    top, low = axes
    name = line.frame.nodes[row]
    _steps(top, line, line.value[row], color=look["value"], linewidth=1.6)
    events = line.events[line.events["node"] == name]
    _marks(top, line, events, look)
    marked = [line.number(v) for v in events["value"]]
    _value_axis(top, line, np.concatenate([line.value[row], marked]))
    top.set_title(label(node_name(name)))
    low.stairs(np.nan_to_num(line.severity[row]), _edges(line), fill=True,
               color=look["severity"], alpha=0.55, linewidth=0)
    _severity_axis(low, line, look, named)
    if named:
        top.set_ylabel("value")


def _every_node(axes: Tuple[Any, Any, Any], line: Timeline, look: Look) -> None:
    top, count, low = axes
    rows = [i for i, n in enumerate(line.frame.nodes) if n] or [0]
    _value_axis(top, line, _bands(top, line, line.value[rows], look["value"]))
    top.set_ylabel("value")
    top.set_title(f"all {len(rows)} nodes: median, 25–75 %, 10–90 %")
    _plan_counts(count, line, look)
    _bands(low, line, line.severity[rows], look["severity"])
    _severity_axis(low, line, look, True)


def _plan_counts(ax: Any, line: Timeline, look: Look) -> None:
    axis = line.frame.axis
    inside = line.events[line.events["window"].between(axis.first, axis.last)]
    edges, base = _edges(line), np.zeros(axis.bins)
    for role, causes in (("plan", ["plan", "global plan"]), ("rejected", ["rejected"])):
        mine = inside[inside["cause"].isin(causes)]["window"].to_numpy(dtype=np.int64)
        counts = np.bincount(axis.place(mine), minlength=axis.bins)
        if counts.any() or role == "plan":
            ax.stairs(counts, edges, fill=True, color=look[role], linewidth=0)
        base = np.maximum(base, counts)
    ax.set_ylim(0, max(base.max() * 1.15, 1))
    ax.locator_params(axis="y", nbins=2, integer=True)
    counts_axis(ax.yaxis)
    ax.set_ylabel("plans")


def _handles(look: Look, line: Timeline) -> List[Any]:
    seen = set(line.events["cause"])
    made: List[Any] = [Line2D([], [], color=look["value"], label="value"),
                       Patch(color=look["severity"], alpha=0.55,
                             label="worst severity")]
    if line.limit is not None:
        made.append(Line2D([], [], color=look["soft"], linewidth=0.9,
                           linestyle=(0, (4, 3)), label=f"min_severity {line.limit:g}"))
    for cause, (role, marker) in MARKS.items():
        if cause in seen:
            made.append(Line2D(
                [], [], linestyle="", marker=marker, markersize=5,
                color=look[role],
                label=f"ack: {cause}" if cause in ACKS else cause))
    return made


def timeline(line: Timeline, look: Look, most: int = 6,
             only: Optional[str] = None) -> Figure:
    """The knob for all nodes as bands, then for the nodes with most plans; with
    `only`, or where there is one node, for that one alone."""
    if only is not None:
        rows, together = [line.frame.nodes.index(only)], False
    else:
        rows = line.busiest(most)
        together = len([n for n in line.frame.nodes if n]) > 1
        if not together and not rows:
            rows = [len(line.frame.nodes) - 1]
    columns = 1 if look.phone or len(rows) < 2 else 3 if len(rows) > 4 else 2
    bands = -(-len(rows) // columns)
    handles = _handles(look, line)
    lines = -(-len(handles) // (2 if look.phone else 7))
    height = (2.9 if together else 0) + bands * 1.75 + 0.25 + 0.2 * lines
    with matplotlib.rc_context(settings(look)):
        fig = figure(look, height)
        parts: Any = fig.subfigures(1 + bands if together else bands, 1, squeeze=False,
                                    height_ratios=[2.9] * together + [1.75] * bands)
        parts = parts[:, 0]
        if together:
            axes = parts[0].subplots(3, 1, sharex=True, height_ratios=[2.2, 0.8, 1.3])
            _every_node(axes, line, look)
            window_axis(axes[-1], line.frame.axis, named=not bands)
            parts[0].align_ylabels()
        for band in range(bands):
            mine = rows[band * columns:(band + 1) * columns]
            _band(parts[band + together], line, mine, columns, look,
                  band == bands - 1)
        fig.legend(handles=handles, loc="upper center", ncol=2 if look.phone else 7)
        room_above(fig, look, lines)
        return fig


def _band(part: Any, line: Timeline, rows: List[int], columns: int, look: Look,
          last: bool) -> None:
    axes = part.subplots(2, columns, sharex=True, height_ratios=[2.2, 1],
                         squeeze=False)
    for column in range(columns):
        if column >= len(rows):
            axes[0][column].set_axis_off()
            axes[1][column].set_axis_off()
            continue
        _one_node((axes[0][column], axes[1][column]), line, rows[column], look,
                  column == 0)
        window_axis(axes[1][column], line.frame.axis, named=last)
    part.align_ylabels()
