"""What differs between two runs: verdicts, plans, knobs, severity."""
from dataclasses import dataclass
from typing import Any, Dict, List, Tuple

import numpy as np
import pandas as pd

from . import gates, schema
from .frames import Log, natural
from .reader import Array, LogError
from .timeline import changes, moved_knobs
from .windows import Frame, finding_blocks, survey

PLAN = ["knob", "node", "old", "new", "window", "tag"]


@dataclass
class Comparison:
    """Two runs, a and b, side by side.

    facts     rows of (what, in a, in b)
    verdicts  share of the verdicts by gate: a, b
    knobs     plans, first and last value for the whole job in both
    plans     plans that only one run made, or that differ; in the order of events
    same      how many plans are the same
    severity  (first window, share of bins) medians of severity: a, b
    """
    facts: List[Tuple[str, str, str]]
    verdicts: pd.DataFrame
    knobs: pd.DataFrame
    plans: pd.DataFrame
    same: int
    severity: List[Tuple[Frame, Array]]


def _facts(a: Log, b: Log) -> List[Tuple[str, str, str]]:
    def facts(log: Log) -> Dict[str, str]:
        run = log.run
        made = {"file": run.path, "created": run.created,
                "program": run.program_version,
                "complete": "yes" if run.complete else "no", "ranks": str(run.ranks),
                "preset": run.preset, "acks mode": run.acks_mode,
                "events": f"{run.events:,}"}
        made.update({t: f"{run.rows[t]:,}" for t in ("findings", "verdicts", "plans",
                                                     "acks", "global_plans")})
        return made
    left, right = facts(a), facts(b)
    same = "same" if a.run.policy == b.run.policy else "another"
    return [(name, left[name], right[name]) for name in left] + [("policy", "", same)]


def _shares(log: Log) -> pd.Series:
    try:
        stopped = gates.funnel(log).sum(axis=1)
    except LogError as e:
        log.notes.append(str(e))
        return pd.Series(np.nan, index=schema.VERDICTS)
    return stopped / max(int(stopped.sum()), 1)


def _knobs(a: Log, b: Log) -> pd.DataFrame:
    columns: Dict[str, Any] = {}
    for side, log in (("a", a), ("b", b)):
        columns[f"plans_{side}"] = moved_knobs(log)
        of_job = changes(log)
        of_job = of_job[of_job["node"] == ""].groupby("knob")["value"]
        columns[f"first_{side}"] = of_job.first()
        columns[f"last_{side}"] = of_job.last()
    table = pd.DataFrame(columns)
    table[["plans_a", "plans_b"]] = table[["plans_a", "plans_b"]].fillna(0).astype(int)
    return table.loc[sorted(table.index, key=natural)]


def _plan_table(log: Log) -> pd.DataFrame:
    plans = log.plans[["seq", "plan_id", *PLAN]].copy()
    for name in PLAN:
        plans[name] = plans[name].astype(object).where(plans[name].notna(), None)
    return plans


def _same(left: Any, right: Any) -> bool:
    return bool(left == right and isinstance(left, bool) == isinstance(right, bool))


def _plans(a: Log, b: Log) -> Tuple[pd.DataFrame, int]:
    """Plans are matched by id, which holds the number of the event."""
    merged = _plan_table(a).merge(_plan_table(b), on="plan_id", how="outer",
                                  suffixes=("_a", "_b"), indicator="where")
    where = merged["where"].map({"left_only": "only in a", "right_only": "only in b",
                                 "both": "differs"}).astype(object)
    pairs = [[_same(x, y) for x, y in zip(merged[n + "_a"], merged[n + "_b"])]
             for n in PLAN]
    equal = np.all(pairs, axis=0) & (where == "differs").to_numpy()
    merged["where"] = where
    merged["seq"] = merged["seq_a"].fillna(merged["seq_b"])
    different = merged[~equal].sort_values(["seq", "plan_id"], kind="stable")
    order = ["where", "plan_id"] + [n + s for n in PLAN for s in ("_a", "_b")]
    return different[order].reset_index(drop=True), int(equal.sum())


def _medians(log: Log) -> Tuple[Frame, Array]:
    """The median severity of each bin of windows, from a histogram of 200 steps."""
    frame = survey(log, bins=120)
    counts = np.zeros(frame.axis.bins * 201, dtype=np.int64)
    for block in finding_blocks(log.file, ("window", "severity")):
        step = np.rint(np.clip(np.nan_to_num(block["severity"]), 0, 1) * 200)
        place = frame.axis.place(block["window"]) * 201 + step.astype(np.int64)
        counts += np.bincount(place, minlength=len(counts))
    table = counts.reshape(-1, 201)
    total, upto = table.sum(axis=1), table.cumsum(axis=1)
    middle = (upto >= (total[:, None] + 1) // 2).argmax(axis=1) / 200
    return frame, np.where(total > 0, middle, np.nan)


def compare(a: Log, b: Log) -> Comparison:
    plans, same = _plans(a, b)
    return Comparison(_facts(a, b), pd.DataFrame({"a": _shares(a), "b": _shares(b)}),
                      _knobs(a, b), plans, same, [_medians(a), _medians(b)])
