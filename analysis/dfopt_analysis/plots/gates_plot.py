"""Pictures of the gates: the funnel, and the groups of verdicts by knob."""
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..gates import GROUPS
from .style import Look, count_text, counts_axis, figure, label, settings


def _colour(look: Look, verdict: str) -> str:
    for colour, members in zip(look.groups(), GROUPS.values()):
        if verdict in members:
            return colour
    return look["soft"]


def funnel(steps: pd.DataFrame, look: Look) -> Figure:
    """How many (finding, tag, knob) reached each gate, and how many stopped there."""
    with matplotlib.rc_context(settings(look)):
        fig = figure(look, 0.9 + (0.34 if look.phone else 0.3) * len(steps))
        ax = fig.add_subplot()
        for y, (name, row) in enumerate(steps.iterrows()):
            stopped = row["reached"] if name == "planned" else row["stopped"]
            ax.barh(y, row["reached"], color=look["grid"], height=0.74)
            ax.barh(y, stopped, left=row["reached"] - stopped,
                    color=_colour(look, str(name)), height=0.74)
            ax.annotate(_said(row, look), (row["reached"], y), (4, 0),
                        textcoords="offset points", va="center",
                        fontsize=7 if look.phone else 8)
        ax.set_yticks(range(len(steps)))
        ax.set_yticklabels([str(n) for n in steps.index])
        ax.set_ylim(len(steps) - 0.4, -0.6)
        ax.set_xlim(0, steps["reached"].max() * (1.42 if look.phone else 1.5) or 1)
        ax.grid(visible=False)
        ax.locator_params(axis="x", nbins=4 if look.phone else 7)
        counts_axis(ax.xaxis)
        ax.set_xlabel("(finding, tag, knob) that came so far")
        return fig


def _said(row: Any, look: Look) -> str:
    share = f"{100 * row['share']:.1f}%"
    if look.phone:
        return f"{count_text(row['stopped'])}, {share}"
    return f"{count_text(row['stopped'])} ({share}): {row['meaning']}"


def group_handles(look: Look) -> Any:
    return [Patch(color=c, label=n) for n, c in zip(GROUPS, look.groups())]


def by_knob(table: pd.DataFrame, look: Look) -> Figure:
    """Share of each group of verdicts, a bar for each knob (gates.by_knob)."""
    rows = len(table.columns)
    with matplotlib.rc_context(settings(look)):
        fig = figure(look, (1.75 if look.phone else 1.2) + 0.3 * rows)
        ax = fig.add_subplot()
        total = table.sum().clip(lower=1)
        left = pd.Series(0.0, index=table.columns)
        for group, colour in zip(table.index, look.groups()):
            share = 100 * table.loc[group] / total
            ax.barh(range(rows), share, left=left, color=colour, height=0.74,
                    edgecolor=look["paper"], linewidth=0.4)
            left += share
        ax.set_yticks(range(rows))
        ax.set_yticklabels([f"{label(k, 17 if look.phone else 28)}  "
                            f"{count_text(n)}" for k, n in total.items()])
        ax.set_ylim(rows - 0.4, -0.6)
        ax.set_xlim(0, 100)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel("share of verdicts (%)")
        fig.legend(handles=group_handles(look), loc="upper center",
                   ncol=2 if look.phone else 5)
        room_above(fig, look, 5 if look.phone else 2)
        return fig


def room_above(fig: Figure, look: Look, lines: int) -> None:
    """Keeps the top of the picture free for a legend of so many lines."""
    inches = 0.08 + lines * (0.175 if look.phone else 0.185)
    height = fig.get_figheight()
    fig.get_layout_engine().set(rect=(0, 0, 1, 1 - inches / height))
