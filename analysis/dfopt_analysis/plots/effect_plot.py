"""What became of severity and fetch share after the plans of each knob, and of the
objective where the planner judged by it."""
from typing import Any, List, Tuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..reader import Array
from .gates_plot import room_above
from .style import Look, figure, label, settings

MANY = 60  # from so many plans on a knob is drawn as quantiles, not as points


def _differences(table: pd.DataFrame, what: str) -> Array:
    """After minus before; of the objective the gain."""
    found: Array = (table["gain"] if what == "gain" else
                    table[f"{what}_after"] - table[f"{what}_before"]).to_numpy(float)
    return found[~np.isnan(found)]


def _spread(n: int) -> Array:
    """Heights that keep points apart, the same at each run."""
    found: Array = ((np.arange(n) * 0.618034) % 1.0 - 0.5) * 0.5
    return found


def _row(ax: Any, y: int, values: Array, colour: str, look: Look) -> None:
    if not len(values):
        return
    if len(values) < MANY:
        ax.scatter(values, y + _spread(len(values)), s=13, color=colour, alpha=0.65,
                   linewidth=0, zorder=3)
    else:
        q = np.quantile(values, (0.1, 0.25, 0.75, 0.9))
        ax.barh(y, q[3] - q[0], left=q[0], height=0.3, color=colour, alpha=0.35)
        ax.barh(y, q[2] - q[1], left=q[1], height=0.56, color=colour, alpha=0.75)
    median = float(np.median(values))
    ax.plot([median, median], [y - 0.36, y + 0.36], color=look["ink"], linewidth=2,
            zorder=4)


def _panel(ax: Any, table: pd.DataFrame, knobs: Any, what: str, colour: str,
           look: Look) -> None:
    low, high = -0.05, 0.05
    for y, knob in enumerate(knobs):
        values = _differences(table[table["knob"] == knob], what)
        _row(ax, y, values, colour, look)
        if len(values):
            ends = values if len(values) < MANY else np.quantile(values, (0.1, 0.9))
            low, high = min(low, float(ends.min())), max(high, float(ends.max()))
    ax.axvline(0, color=look["soft"], linewidth=1)
    if what != "gain":
        low, high = min(low, -high), max(high, -low)
    ax.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    ax.locator_params(axis="x", nbins=5)
    ax.set_ylim(len(knobs) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)


def _names(ax: Any, table: pd.DataFrame, knobs: Any, what: str, room: int) -> None:
    """Knobs, each with how many of its plans could be compared."""
    counts = [len(_differences(table[table["knob"] == k], what)) for k in knobs]
    ax.set_yticks(range(len(knobs)))
    ax.set_yticklabels([f"{label(k, room)}  n={n}" if room else f"n={n}"
                        for k, n in zip(knobs, counts)])


def _handles(table: pd.DataFrame, knobs: Any, look: Look, horizon: int) -> List[Any]:
    counts = [len(_differences(table[table["knob"] == k], w))
              for k in knobs for w, _, _ in _panels(table)]
    made: List[Any] = []
    if any(0 < n < MANY for n in counts):
        made.append(Line2D([], [], linestyle="", marker="o", color=look["soft"],
                           markersize=4, label=f"a plan (±{horizon} windows)"))
    if any(n >= MANY for n in counts):
        made.append(Patch(color=look["soft"], alpha=0.6,
                          label=f"25–75 %, 10–90 % (±{horizon} windows)"))
    return made + [Line2D([], [], color=look["ink"], linewidth=2, label="median")]


def _panels(table: pd.DataFrame) -> List[Tuple[str, str, str]]:
    """(what, colour, title) of each panel."""
    made = [("severity", "severity", "severity (0..1)"),
            ("fetch", "value", "share of time in fetch")]
    if table["gain"].notna().any():
        made.insert(0, ("gain", "applied", "objective (gain)"))
    return made


def effect(table: pd.DataFrame, summary: pd.DataFrame, look: Look, horizon: int,
           most: int = 12) -> Figure:
    """Differences, after minus before, a row for each knob with most plans."""
    knobs, panels = list(summary.index[:most]), _panels(table)
    rows = max(len(knobs), 1)
    with matplotlib.rc_context(settings(look)):
        if look.phone:
            fig = figure(look, 0.5 + len(panels) * (0.9 + 0.3 * rows))
            axes = fig.subplots(len(panels), 1)
        else:
            fig = figure(look, 1.25 + 0.33 * rows)
            axes = fig.subplots(1, len(panels))
        for ax, (what, role, title) in zip(axes, panels):
            _panel(ax, table, knobs, what, look[role], look)
            wide = ax is axes[0]
            _names(ax, table, knobs, what, 17 if look.phone else 26 if wide else 0)
            ax.set_title(title)
            ax.set_xlabel("share of base; right is better" if what == "gain" else
                          "after − before; left is better")
        handles = _handles(table, knobs, look, horizon)
        fig.legend(handles=handles, loc="upper center", ncol=1 if look.phone else 3)
        room_above(fig, look, len(handles) if look.phone else 1)
        return fig
