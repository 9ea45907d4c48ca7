"""What the application achieved: its objective by window, and whether it is better at
the end of the run than before the first plan.

Which reports count is the planner's rule (docs/planner.md): one a site and window,
none older than the last. Without reports the objective is the metric of findings that
the policy names (`objective_metric`), if it does.
"""
import json
from dataclasses import dataclass
from typing import Any, Dict, List, Optional

import numpy as np
import pandas as pd

from .frames import Log, natural
from .reader import Array
from .windows import Span, window_at

WINDOWS = 8  # of each side of a claim
MIN_EFFECT = 0.04
COLUMNS = ["node", "window", "goal", "value"]
KEY_METRICS = ("fetch_frac", "fetch_iter_time_frac_parent", "compute_frac",
               "compute_time_frac_parent")


def policy_of(log: Log) -> Dict[str, Any]:
    """The policy of the run; {} if it cannot be read."""
    try:
        found = json.loads(log.run.policy or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def switch(log: Log, name: str, default: Any) -> Any:
    switches = policy_of(log).get("switches")
    return switches.get(name, default) if isinstance(switches, dict) else default


def min_effect(log: Log) -> float:
    """The smallest gain that the policy heeds."""
    found = switch(log, "min_effect", MIN_EFFECT)
    number = isinstance(found, (int, float)) and not isinstance(found, bool)
    return float(found) if number else MIN_EFFECT


def _of_findings(log: Log) -> pd.DataFrame:
    """The metric of findings that the policy takes for the objective."""
    wanted = policy_of(log).get("objective_metric")
    if not isinstance(wanted, dict) or not log.file.rows("findings"):
        return pd.DataFrame(columns=COLUMNS)
    metric = wanted.get("metric")
    column = metric if metric in KEY_METRICS else "named_1"
    rows = log.frame("findings", ["finding_type", "node", "window", column])
    types = wanted.get("finding_types")
    if isinstance(types, list):
        rows = rows[rows["finding_type"].isin(types)]
    rows = rows[rows[column].notna()].rename(columns={column: "value"})
    return rows.assign(goal=-1 if wanted.get("goal") == "min" else 1)[COLUMNS]


def reports(log: Log, span: Span = None) -> pd.DataFrame:
    """The reports that count, in the order of events: columns node ("": the whole
    job), window, goal (1: more is better; -1: less is), value."""
    rows = (log.frame("objectives", COLUMNS) if log.file.rows("objectives")
            else _of_findings(log))
    rows = rows.assign(node=rows["node"].astype(object).fillna(""))
    rows = rows[np.isfinite(rows["value"].to_numpy(dtype=float))]
    if not len(rows):
        return rows
    newest = rows.groupby("node", sort=False)["window"].cummax()
    before = newest.groupby(rows["node"], sort=False).shift()
    rows = rows[before.isna() | (rows["window"] > before)]
    rows = rows[rows["goal"] == int(rows["goal"].iloc[-1])]  # the planner forgets too
    if span:
        rows = rows[rows["window"].between(*span)]
    return rows.reset_index(drop=True)


@dataclass
class Course:
    """The objective by window, of the job or else over its nodes.

    goal     1: more is better; -1: less is better
    nodes    how many report; 0: the job does
    table    index window, columns value (the job's, or the mean of the nodes), low,
             median, high (quartiles and median of the nodes), count
    """
    goal: int
    nodes: int
    table: pd.DataFrame

    @property
    def whose(self) -> str:
        if not self.nodes:
            return "the whole job"
        return "1 node" if self.nodes == 1 else f"mean of {self.nodes} nodes"

    @property
    def wish(self) -> str:
        return "more is better" if self.goal > 0 else "less is better"


def course(log: Log, span: Span = None) -> Optional[Course]:
    """None: there is no objective in these windows."""
    rows = reports(log, span)
    if not len(rows):
        return None
    of_job = rows[rows["node"] == ""]
    mine = of_job if len(of_job) else rows
    grouped = mine.groupby("window")["value"]
    quartiles = grouped.quantile([0.25, 0.5, 0.75]).unstack()
    table = pd.DataFrame({"value": grouped.mean(), "low": quartiles[0.25],
                          "median": quartiles[0.5], "high": quartiles[0.75],
                          "count": grouped.size()})
    return Course(int(mine["goal"].iloc[-1]),
                  0 if len(of_job) else int(mine["node"].nunique()), table)


# ---- claims ----

def noise_of(values: Array) -> float:
    """How much one window differs from another by chance, as a share: the larger of
    two robust estimates from the jumps between windows. NaN: fewer than 4 jumps."""
    size = (np.abs(values[1:]) + np.abs(values[:-1])) / 2
    jumps = np.sort(np.abs(np.diff(values)) / np.where(size > 0, size, 1))
    if len(jumps) < 4:
        return float("nan")
    return float(max(2.22 * jumps[len(jumps) // 4], 1.05 * jumps[len(jumps) // 2]))


def is_certain(gain: float, error: float, n: int, m: int, least: float) -> bool:
    """Whether a gain between medians of n and m windows is certain; least: min_effect."""
    return bool(error == error and abs(gain) >= max(least, (3 + 6 / (n + m)) * error))


@dataclass
class Claim:
    """Windows before the first plan against the last ones. gain: share of base, more
    than 0 is better; error: its standard error, NaN where the noise is not known;
    first_plan: its window."""
    first_plan: int
    base: float
    base_n: int
    now: float
    now_n: int
    gain: float
    error: float
    certain: bool


def claim(windows: Array, values: Array, goal: int, first_plan: int,
          least: float) -> Optional[Claim]:
    """The test of an outcome (docs/decision-log.md) for the run as a whole; as the gain
    may be many times the base here, its error grows with it. A plan takes effect behind
    its own window. None: one side has no windows."""
    before = values[windows <= first_plan][-WINDOWS:]
    after = values[windows > first_plan][-WINDOWS:]
    if not len(before) or not len(after):
        return None
    base, now = float(np.median(before)), float(np.median(after))
    gain = goal * ((now - base) / abs(base) if base else float(np.sign(now)))
    error = 1.25 * noise_of(values) * float(np.sqrt(1 / len(before) + 1 / len(after)))
    error *= max(1.0, abs(now / base)) if base else 1.0
    return Claim(first_plan, base, len(before), now, len(after), gain, error,
                 is_certain(gain, error, len(before), len(after), least))


def first_plan(log: Log) -> Optional[int]:
    """The window of the first plan; None: there is no plan."""
    plans = log.frame("plans", ["seq", "window"])
    if not len(plans):
        return None
    windows = plans["window"].to_numpy(dtype=np.int64).copy()
    unnamed = windows < 0
    if unnamed.any():
        windows[unnamed] = window_at(log, plans["seq"].to_numpy()[unnamed])
    return int(windows.min())


def whole(log: Log, span: Span = None) -> Optional[Claim]:
    """The claim about the run; None: there is nothing to compare."""
    made, first = course(log, span), first_plan(log)
    if made is None or first is None:
        return None
    return claim(made.table.index.to_numpy(), made.table["value"].to_numpy(),
                 made.goal, first, min_effect(log))


def by_node(log: Log, span: Span = None) -> pd.DataFrame:
    """The same for each node that reports: index node; columns base, now, gain,
    standard_error, certain. Nodes without windows on both sides are left out."""
    rows, first, least = reports(log, span), first_plan(log), min_effect(log)
    made: Dict[str, List[Any]] = {}
    if first is not None:
        for name, mine in rows[rows["node"] != ""].groupby("node"):
            c = claim(mine["window"].to_numpy(), mine["value"].to_numpy(),
                      int(mine["goal"].iloc[-1]), first, least)
            if c is not None:
                made[str(name)] = [c.base, c.now, c.gain, c.error, c.certain]
    names = sorted(made, key=natural)
    return pd.DataFrame([made[n] for n in names], index=pd.Index(names, name="node"),
                        columns=["base", "now", "gain", "standard_error", "certain"])
