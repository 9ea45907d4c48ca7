"""What became of the plans: kept or taken back, with gains and how sure they are."""
from typing import Any

import numpy as np
import pandas as pd

from .frames import Log
from .windows import Span

JUDGED = ("improved", "neutral", "worse", "inconclusive")
OF_PLAN = {"verdict": "outcome", "kept": "kept", "gain": "gain",
           "standard_error": "gain_error", "certain": "certain", "window": "judged"}


def outcomes(log: Log, span: Span = None) -> pd.DataFrame:
    """/outcomes, of verdicts in the windows of span."""
    rows = log.outcomes
    return rows[rows["window"].between(*span)] if span else rows


def of_plans(log: Log) -> pd.DataFrame:
    """The last outcome of each plan: index plan_id; columns outcome, kept, gain,
    gain_error (its standard error), certain, judged (window of the verdict)."""
    rows = log.outcomes[log.outcomes["plan_id"].notna()]
    rows = rows.drop_duplicates("plan_id", keep="last").set_index("plan_id")
    made = rows[list(OF_PLAN)].rename(columns=OF_PLAN)
    made["outcome"] = made["outcome"].astype(str).astype(object)
    return made


def by_knob(rows: pd.DataFrame) -> pd.DataFrame:
    """Outcomes of each knob, most first: how many were kept and taken_back; improved,
    neutral, worse, inconclusive, other: by verdict; better and poorer: gains that are
    certain, either way. Of those kept, and of those taken_back: kept_gains, how many
    were judged by the objective; kept_gain, their mean; kept_error, its standard error
    (NaN: that of one of them is not known)."""
    knob = rows["knob"].astype(object)
    verdict = rows["verdict"].astype(object)
    sure = rows["certain"] == 1
    sides = {"kept": rows["kept"] == 1, "taken_back": rows["kept"] == 0}
    counts = {**sides, **{v: verdict == v for v in JUDGED},
              "other": ~verdict.isin(JUDGED), "better": sure & (rows["gain"] > 0),
              "poorer": sure & (rows["gain"] < 0)}
    table = pd.DataFrame(counts).groupby(knob).sum().astype(int)
    for side, mine in sides.items():
        mine = mine & rows["gain"].notna()
        count = mine.groupby(knob).sum()
        square = (rows["standard_error"] ** 2).where(mine)
        known = square.groupby(knob).count() == count
        table[f"{side}_gains"] = count
        table[f"{side}_gain"] = rows["gain"].where(mine).groupby(knob).mean()
        error = np.sqrt(square.groupby(knob).sum()) / count.where(count > 0)
        table[f"{side}_error"] = error.where(known)
    order = (table["kept"] + table["taken_back"]).sort_values(
        ascending=False, kind="stable").index
    return table.loc[order]


def fate(kept: Any) -> str:
    """kept (1, 0, or NaN: no outcome), in words."""
    if kept is None or kept != kept:
        return ""
    return "kept" if kept == 1 else "taken back"
