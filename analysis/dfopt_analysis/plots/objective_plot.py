"""The objective by window with plans marked on it, and gains by knob with intervals."""
from typing import Any, List, Optional

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..objective import Claim, Course
from ..windows import Axis
from .gates_plot import room_above
from .style import Look, figure, label, settings, window_axis

FATES = (("kept", "applied", "^"), ("taken back", "rejected", "v"),
         ("no outcome", "soft", "o"))
MANY = 60  # from so many gains on a knob is drawn as quantiles, not as points


def _plans(ax: Any, plans: pd.DataFrame, axis: Axis, look: Look) -> List[Any]:
    """How many plans of each bin were kept and taken back, as bars."""
    handles, base = [], np.zeros(axis.bins)
    edges = axis.first + (np.arange(axis.bins + 1) - 0.5) * axis.width
    inside = plans[plans["window"].between(axis.first, axis.last)]
    for fate, role, _ in FATES:
        mine = inside[inside["fate"] == fate]["window"].to_numpy(dtype=np.int64)
        if not len(mine):
            continue
        counts = np.bincount(axis.place(mine), minlength=axis.bins)
        ax.stairs(base + counts, edges, baseline=base, fill=True, color=look[role],
                  linewidth=0)
        base = base + counts
        handles.append(Patch(color=look[role], label=f"plans: {fate}"))
    ax.set_ylim(0, max(base.max(initial=0) * 1.15, 1))
    ax.locator_params(axis="y", nbins=2, integer=True)
    ax.set_ylabel("plans")
    return handles


def _marks(ax: Any, plans: pd.DataFrame, made: Course, look: Look) -> None:
    """A mark on the line for each window in which plans were kept or taken back."""
    at = made.table.index.to_numpy()
    heights = made.table["median" if made.nodes else "value"].to_numpy()
    for fate, role, marker in FATES[:2]:
        windows = np.unique(plans[plans["fate"] == fate]["window"].to_numpy())
        windows = windows[(windows >= at[0]) & (windows <= at[-1])]
        ax.scatter(windows, np.interp(windows, at, heights), s=34, marker=marker,
                   color=look[role], linewidth=0, zorder=4)


def _claim(ax: Any, found: Claim, made: Course, look: Look) -> None:
    """The two medians of the claim, over the windows that they are of."""
    at = made.table.index.to_numpy()
    first = len(at) - found.now_n
    start = int(np.searchsorted(at, found.first_plan, side="right"))
    for low, high, height in ((at[start - found.base_n], at[start - 1], found.base),
                              (at[first], at[-1], found.now)):
        ax.plot([low - 0.5, high + 0.5], [height, height], color=look["severity"],
                linewidth=2.2, zorder=5)


def course(made: Course, plans: pd.DataFrame, found: Optional[Claim], look: Look
           ) -> Figure:
    """plans: columns window and fate (kept, taken back, no outcome). found: the claim
    about these windows."""
    at = made.table.index.to_numpy()
    bins = 80 if look.phone else 200
    axis = Axis.over(int(at[0]), int(at[-1]), bins)
    with matplotlib.rc_context(settings(look)):
        fig = figure(look, 3.6 if look.phone else 3.5)
        top, low = fig.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        handles: List[Any] = []
        if made.nodes:
            top.fill_between(at, made.table["low"], made.table["high"], linewidth=0,
                             color=look["value"], alpha=0.25)
            top.plot(at, made.table["median"], color=look["value"])
            handles += [Line2D([], [], color=look["value"], label="median of nodes"),
                        Patch(color=look["value"], alpha=0.25, label="25–75 %")]
        else:
            top.plot(at, made.table["value"], color=look["value"])
            handles.append(Line2D([], [], color=look["value"], label="objective"))
        _marks(top, plans, made, look)
        if found is not None:
            _claim(top, found, made, look)
            handles.append(Line2D([], [], color=look["severity"], linewidth=2.2,
                                  label="before and at the end"))
        top.set_ylabel("objective")
        top.set_title(made.wish)
        top.margins(y=0.12)
        handles += _plans(low, plans, axis, look)
        window_axis(low, axis)
        fig.align_ylabels()
        columns = 2 if look.phone else 6
        fig.legend(handles=handles, loc="upper center", ncol=columns)
        room_above(fig, look, -(-len(handles) // columns))
        return fig


# ---- gains ----

def _knob_gains(ax: Any, y: int, mine: pd.DataFrame, look: Look) -> None:
    if len(mine) >= MANY:
        q = np.quantile(mine["gain"], (0.1, 0.25, 0.75, 0.9))
        ax.barh(y, q[3] - q[0], left=q[0], height=0.3, color=look["value"], alpha=0.35)
        ax.barh(y, q[2] - q[1], left=q[1], height=0.56, color=look["value"], alpha=0.7)
        return
    ordered = mine.sort_values("gain", kind="stable")
    heights = y + (np.arange(len(ordered)) - (len(ordered) - 1) / 2) * min(
        0.1, 0.7 / max(len(ordered), 1))
    for (_, row), height in zip(ordered.iterrows(), heights):
        colour = look["applied" if row["kept"] == 1 else "rejected"]
        if row["error"] == row["error"]:
            ax.plot([row["gain"] - 2 * row["error"], row["gain"] + 2 * row["error"]],
                    [height, height], color=colour, linewidth=0.8, alpha=0.7)
        ax.scatter([row["gain"]], [height], s=17, zorder=3, edgecolor=colour,
                   facecolor=colour if row["certain"] == 1 else look["paper"],
                   linewidth=1)


def gains(rows: pd.DataFrame, knobs: List[str], look: Look) -> Figure:
    """Gains of the objective of each plan that was judged by it, a row for each of
    knobs, with two standard errors. rows: columns knob, gain, error, kept, certain."""
    rows = rows[rows["gain"].notna()]
    with matplotlib.rc_context(settings(look)):
        fig = figure(look, 1.4 + (0.62 if look.phone else 0.55) * max(len(knobs), 1))
        ax = fig.add_subplot()
        low, high = -0.05, 0.05
        for y, knob in enumerate(knobs):
            mine = rows[rows["knob"] == knob]
            _knob_gains(ax, y, mine, look)
            if len(mine):
                room = 2 * mine["error"].fillna(0)
                ends = pd.concat([mine["gain"] - room, mine["gain"] + room])
                ends = ends if len(mine) < MANY else mine["gain"].quantile([0.1, 0.9])
                low, high = min(low, float(ends.min())), max(high, float(ends.max()))
        ax.axvline(0, color=look["soft"], linewidth=1)
        ax.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        ax.xaxis.set_major_formatter(lambda v, _: f"{100 * v:+.0f} %" if v else "0")
        ax.locator_params(axis="x", nbins=4 if look.phone else 9)
        ax.set_yticks(range(len(knobs)))
        ax.set_yticklabels([f"{label(k, 17 if look.phone else 28)}  "
                            f"n={int((rows['knob'] == k).sum())}" for k in knobs])
        ax.set_ylim(len(knobs) - 0.4, -0.6)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel("gain of the objective; right is better")
        handles = _gain_handles(rows, knobs, look)
        columns = 2 if look.phone else 5
        fig.legend(handles=handles, loc="upper center", ncol=columns)
        room_above(fig, look, -(-len(handles) // columns))
        return fig


def _gain_handles(rows: pd.DataFrame, knobs: List[str], look: Look) -> List[Any]:
    counts = [int((rows["knob"] == k).sum()) for k in knobs]
    made: List[Any] = []
    if any(0 < n < MANY for n in counts):
        for fate, role, _ in FATES[:2]:
            made.append(Line2D([], [], linestyle="", marker="o", color=look[role],
                               markersize=4, label=fate))
        made += [Line2D([], [], linestyle="", marker="o", markersize=4.5,
                        color=look["soft"], label="certain"),
                 Line2D([], [], linestyle="", marker="o", markersize=4.5,
                        markerfacecolor=look["paper"], color=look["soft"],
                        label="not certain"),
                 Line2D([], [], color=look["soft"], linewidth=0.9,
                        label="± 2 standard errors")]
    if any(n >= MANY for n in counts):
        made.append(Patch(color=look["value"], alpha=0.6, label="25–75 %, 10–90 %"))
    return made
