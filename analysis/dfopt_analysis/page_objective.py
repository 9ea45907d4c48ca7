"""Sections of the page: the objective by window, and what became of the changes."""
import html
from typing import TYPE_CHECKING, Any, List

import pandas as pd

from . import objective, outcomes
from .frames import Log
from .page_table import percent
from .plots import objective_plot
from .windows import Span

if TYPE_CHECKING:
    from .page import Figures

MOST = 12  # knobs in the picture


def _esc(value: object) -> str:
    return html.escape(str(value), quote=True)


def fates(log: Log) -> pd.DataFrame:
    """Plans with what became of them: columns window, fate."""
    plans = log.frame("plans", ["window", "plan_id"])
    kept = outcomes.of_plans(log)["kept"]
    fate = [outcomes.fate(k) or "no outcome" for k in plans["plan_id"].map(kept)]
    return pd.DataFrame({"window": plans["window"].to_numpy(), "fate": fate})


def course(log: Log, span: Span, figures: "Figures") -> str:
    made = objective.course(log, span)
    if made is None:
        return "<p>No objective was reported in these windows.</p>"
    shown, found, plans = made, objective.whole(log, span), fates(log)
    whose = ("The objective of the whole job" if not made.nodes else
             f"The objective of {made.nodes} node{'s' if made.nodes > 1 else ''}")
    return figures.figure(
        lambda look: objective_plot.course(shown, plans, found, look),
        "The objective by window, with plans",
        f"{whose} ({made.wish}). Plans are marked in their own windows: kept, taken "
        "back, or without an outcome (a plan that takes a change back has none). The "
        "workload may have changed too: the two levels compare the start with the end, "
        "whatever the cause.")


HEADS = ("knob", "kept", "mean gain", "taken back", "mean gain", "certain",
         "verdicts")


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _mean(count: int, gain: float, error: float) -> str:
    if not count:
        return "-"
    interval = f" ± {percent(2 * error)[1:]}" if error == error else ""
    return f"{percent(gain)}{interval} <span class='soft'>(n={count})</span>"


def _table(summary: pd.DataFrame) -> str:
    def cells(row: Any) -> List[str]:
        certain = [_count(n, one, many) for n, one, many in (
            (row.better, "gain", "gains"), (row.poorer, "loss", "losses")) if n]
        verdicts = [f"{v} {getattr(row, v)}" for v in (*outcomes.JUDGED, "other")
                    if getattr(row, v)]
        return [str(row.kept), _mean(row.kept_gains, row.kept_gain, row.kept_error),
                str(row.taken_back), _mean(row.taken_back_gains, row.taken_back_gain,
                                           row.taken_back_error),
                ", ".join(certain) or "-",
                ", ".join(verdicts)]
    head = "".join(f"<th scope='col'>{h}</th>" for h in HEADS)
    body = "".join(
        f"<tr><th scope='row'>{_esc(row.Index)}</th>"
        + "".join(f"<td>{c}</td>" for c in cells(row)) + "</tr>"
        for row in summary.itertuples())
    return ("<div class='scroll' tabindex='0' role='region' aria-label='Outcomes'>"
            f"<table id='outcomes'><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
            "</table></div>")


def changes(log: Log, span: Span, figures: "Figures") -> str:
    rows = outcomes.outcomes(log, span)
    if not len(rows):
        return ("<p>No change was judged: its trial had not ended, or the policy judges "
                "none (effect severity).</p>")
    kept, summary = int((rows["kept"] == 1).sum()), outcomes.by_knob(rows)
    better, poorer = int(summary["better"].sum()), int(summary["poorer"].sum())
    measured = rows.rename(columns={"standard_error": "error"})
    by_objective = int(rows["gain"].notna().sum())
    said = (f"<p>Of {_count(len(rows), 'change', 'changes')} {kept:,} were kept and "
            f"{len(rows) - kept:,} taken back. ")
    said += (f"{by_objective:,} were judged by the objective: "
             f"{_count(better, 'gain', 'gains')} and "
             f"{_count(poorer, 'loss', 'losses')} are certain. The planner decides "
             "faster than a gain becomes certain: a wrong verdict is noticed later and "
             "costs little.</p>" if by_objective else
             "Findings alone judged them, which give no gain.</p>")
    picture = "" if not by_objective else figures.figure(
        lambda look: objective_plot.gains(
            measured, [str(k) for k in summary.index[:MOST]], look),
        "Gains of the objective by knob",
        "Each change that was judged by the objective, with two standard errors; without "
        "them where too few windows had come to know the noise, as in a quick climb at "
        "the start. Changes of one trial share its gain.")
    return said + _table(summary) + picture
