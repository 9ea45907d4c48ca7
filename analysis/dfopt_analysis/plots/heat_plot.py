"""The verdict heat map: node against window."""
from typing import Any, List, Tuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from ..gates import GROUPS, Heat
from ..reader import Array
from ..windows import Frame
from .gates_plot import room_above, group_handles
from .style import Look, counts_axis, figure, label, node_name, settings, window_axis


def _runs(row: Array) -> List[Tuple[int, int, int]]:
    """(start, stop, value) of stretches of equal values."""
    edges = np.flatnonzero(np.diff(row)) + 1
    starts = [0, *edges.tolist()]
    stops = [*edges.tolist(), len(row)]
    return [(a, b, int(row[a])) for a, b in zip(starts, stops)]


def _cells(ax: Any, grid: Array, frame: Frame, look: Look) -> None:
    """One path for each colour, so that the picture stays small."""
    axis = frame.axis
    corners: List[List[Tuple[float, float]]] = [[] for _ in GROUPS]
    for y, row in enumerate(grid):
        for start, stop, group in _runs(row):
            if group < 0:
                continue
            left = axis.first + (start - 0.5) * axis.width
            right = axis.first + (stop - 0.5) * axis.width
            corners[group] += [(left, y - 0.45), (right, y - 0.45),
                               (right, y + 0.45), (left, y + 0.45), (left, y - 0.45)]
    kinds = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    for points, colour in zip(corners, look.groups()):
        if points:
            path = Path(points, kinds * (len(points) // 5))
            ax.add_patch(PathPatch(path, facecolor=colour, linewidth=0))


def _all_nodes(ax: Any, heat: Heat, frame: Frame, look: Look) -> None:
    """Verdicts of all nodes, stacked."""
    base = np.zeros(frame.axis.bins)
    edges = frame.axis.first + (np.arange(frame.axis.bins + 1) - 0.5) * frame.axis.width
    for counts, colour in zip(heat.groups, look.groups()):
        if counts.any():
            ax.stairs(base + counts, edges, baseline=base, fill=True, color=colour,
                      linewidth=0)
        base = base + counts
    ax.set_ylim(0, max(base.max(), 1) * 1.05)
    ax.locator_params(axis="y", nbins=4)
    counts_axis(ax.yaxis)
    ax.set_ylabel("verdicts")


def heat_map(heat: Heat, frame: Frame, look: Look, most: int) -> Figure:
    """Above: verdicts of all nodes. Below: each window of the nodes with most plans:
    planned, or else the most frequent group of verdicts."""
    rows = heat.top(most)
    lines = 5 if look.phone else 2
    with matplotlib.rc_context(settings(look)):
        low = 0.35 + max(len(rows), 1) * (0.19 if look.phone else 0.2)
        fig = figure(look, 2.3 + low + 0.17 * lines)
        top, ax = fig.subplots(2, 1, sharex=True, height_ratios=[1.35, low])
        _all_nodes(top, heat, frame, look)
        top.set_title("all nodes")
        _cells(ax, heat.main(rows), frame, look)
        ax.set_yticks(range(len(rows)))
        ax.set_yticklabels([label(node_name(frame.nodes[r]), 16) for r in rows])
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.grid(visible=False)
        there = int((heat.looked > 0).sum())
        ax.set_title("each node: planned, or most frequent" if len(rows) == there
                     else f"the {len(rows)} of {there} with most plans")
        window_axis(ax, frame.axis)
        fig.legend(handles=group_handles(look), loc="upper center",
                   ncol=2 if look.phone else 5)
        room_above(fig, look, lines)
        return fig
