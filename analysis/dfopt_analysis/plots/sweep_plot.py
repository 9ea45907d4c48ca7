"""A sweep: what each variant scored in two metrics, and what its parameters do."""
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..sweep import MORE_IS_BETTER, Sweep, pareto, varied
from .gates_plot import room_above
from .style import Look, figure, label, settings

MOST_POINTS, MOST_GROUPS = 4000, 12


def _named(metric: str) -> str:
    better = "more" if metric in MORE_IS_BETTER else "less"
    return f"{metric} ({better} is better)"


def _points(ax: Any, sweep: Sweep, one: str, two: str, look: Look) -> None:
    a, b = sweep.metric(one), sweep.metric(two)
    step = max(1, len(a) // MOST_POINTS)
    ax.scatter(a[::step], b[::step], s=10, color=look["value"], alpha=0.35, linewidth=0)
    front = pareto(sweep, one, two)
    ax.plot(a[front], b[front], color=look["severity"], marker="o", markersize=4,
            linewidth=1.2)
    ax.scatter(a[:1], b[:1], s=60, marker="D", color=look["plan"], zorder=4)
    ax.set_xlabel(_named(one))
    ax.set_ylabel(_named(two))


def _groups(sweep: Sweep, parameter: str, values: Any) -> pd.DataFrame:
    """Quantiles of a metric for each value, or for groups of like size."""
    number, setting = sweep.numbers[parameter], sweep.settings[parameter]
    keep = setting != ""
    plain = number[keep].notna().all() and not setting.isin(["true", "false"]).any()
    key = number if plain else setting
    if key is number and number.nunique() > MOST_GROUPS:
        key = pd.qcut(number, MOST_GROUPS, duplicates="drop").map(lambda i: i.mid)
        key = key.astype(float).map(lambda v: float(f"{v:.3g}"))
    grouped = pd.Series(values)[keep].groupby(key[keep])
    return grouped.quantile([0.1, 0.25, 0.5, 0.75, 0.9]).unstack()


def _parameter(ax: Any, sweep: Sweep, parameter: str, metric: str, look: Look) -> None:
    table = _groups(sweep, parameter, sweep.metric(metric))
    x = np.arange(len(table))
    for low, high, alpha, width in ((0.1, 0.9, 0.35, 0.3), (0.25, 0.75, 0.75, 0.6)):
        ax.bar(x, table[high] - table[low], bottom=table[low], width=width,
               color=look["value"], alpha=alpha)
    ax.plot(x, table[0.5], color=look["ink"], linewidth=1.2, marker="_", markersize=9)
    every = max(1, -(-len(x) // 6))
    ax.set_xticks(x[::every])
    ax.set_xticklabels([label(v if isinstance(v, str) else f"{v:g}", 9)
                        for v in table.index[::every]])
    ax.grid(axis="x", visible=False)
    ax.locator_params(axis="y", nbins=4)
    ax.set_title(label(parameter, 40))


def sweep(made: Sweep, look: Look, one: str, two: str, most: int = 6) -> Figure:
    """Above: every variant, and those that none beats in both metrics. Below: the
    second metric for the values of each parameter."""
    shown = varied(made)[:most]
    columns = 1 if look.phone else 2
    bands = -(-len(shown) // columns)
    with matplotlib.rc_context(settings(look)):
        fig = figure(look, 3.6 + 1.55 * bands)
        parts: Any = fig.subfigures(1 + bands, 1, squeeze=False,
                                    height_ratios=[3.4] + [1.55] * bands)[:, 0]
        _points(parts[0].subplots(), made, one, two, look)
        for band in range(bands):
            axes = parts[band + 1].subplots(1, columns, squeeze=False)[0]
            for i, ax in enumerate(axes):
                if band * columns + i < len(shown):
                    _parameter(ax, made, shown[band * columns + i], two, look)
                else:
                    ax.set_axis_off()
            axes[0].set_ylabel(label(two, 18))
        handles = [Line2D([], [], linestyle="", marker=m, color=look[r], label=n)
                   for m, r, n in ((".", "value", "variant"),
                                   ("D", "plan", "variant 0"),
                                   ("o", "severity", "none better in both"))]
        fig.legend(handles=handles, loc="upper center", ncol=2 if look.phone else 3)
        room_above(fig, look, 2 if look.phone else 1)
        return fig
