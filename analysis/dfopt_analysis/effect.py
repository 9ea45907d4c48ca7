"""What became of the problem after each plan: severity and fetch share before and
after, with how many windows that rests on; and, where the log has outcomes, whether
the planner kept the change, with the gain of the objective.

Before: the `horizon` windows up to the plan's own. After: the `horizon` windows
behind the one in which it took effect, but no further than the next plan for the
same knob and node. Severity is that of findings of the type behind the plan, on
its node, or on all for a plan of the whole job; a window counts once, with the mean
of its findings.
"""
from dataclasses import dataclass
from typing import List, Tuple

import numpy as np
import pandas as pd

from . import outcomes
from .frames import Log
from .reader import Array
from .timeline import acks_at
from .windows import Frame, finding_blocks

HORIZON = 5
FETCH = ("fetch_frac", "fetch_iter_time_frac_parent")
PEAKS = ("no severity of this log ever falls: the diagnoser reports the worst seen so "
         "far, so that severities after a plan cannot be lower than before")


@dataclass
class Series:
    """Means by (key, window), for sums over ranges of windows.

    place  key * span + window - first, ascending
    sums   running sums of the means, one longer than place
    """
    first: int
    span: int
    place: Array
    sums: Array

    def mean(self, key: Array, start: Array, stop: Array) -> Tuple[Array, Array]:
        """Mean over windows start..stop of each key, and how many have a value."""
        low = np.clip(start - self.first, 0, self.span)
        high = np.clip(stop - self.first + 1, 0, self.span)
        a = np.searchsorted(self.place, key * self.span + low)
        b = np.maximum(np.searchsorted(self.place, key * self.span + high), a)
        count = np.where(key >= 0, b - a, 0)
        total = np.where(count > 0, self.sums[b] - self.sums[a], 0.0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan), count


class _Collector:
    """Sums of values by place, folded together block by block."""

    def __init__(self, frame: Frame) -> None:
        self.first = frame.axis.first
        self.span = frame.axis.last - frame.axis.first + 1
        self.parts: List[Tuple[Array, Array, Array]] = []
        self.waiting = 0

    def add(self, key: Array, window: Array, value: Array) -> None:
        keep = (key >= 0) & ~np.isnan(value)
        if not keep.any():
            return
        place = key[keep].astype(np.int64) * self.span + (window[keep] - self.first)
        self.parts.append((place, value[keep], np.ones(int(keep.sum()))))
        self.waiting += len(place)
        if self.waiting > 4_000_000:
            self.parts = [self._folded()]
            self.waiting = 0

    def _folded(self) -> Tuple[Array, Array, Array]:
        place, value, count = (np.concatenate(c) for c in zip(*self.parts))
        self.parts = []
        places, at = np.unique(place, return_inverse=True)
        return (places, np.bincount(at, value, len(places)),
                np.bincount(at, count, len(places)))

    def series(self) -> Series:
        if not self.parts:
            return Series(self.first, self.span, np.zeros(0, np.int64), np.zeros(1))
        place, value, count = self._folded()
        return Series(self.first, self.span, place,
                      np.concatenate([[0.0], np.cumsum(value / count)]))


def _took_effect(log: Log, plans: pd.DataFrame) -> pd.DataFrame:
    """Adds `ack` (applied, rejected, cleared, timed out, assumed, none, relayed) and
    `effect`, the window in which the plan took effect."""
    acks = acks_at(log)
    acks = acks[acks["plan_id"].notna()].drop_duplicates("plan_id", keep="last")
    known = acks.set_index("plan_id")
    ack = plans["plan_id"].map(known["outcome"].astype(str)).astype(object)
    default = "assumed" if log.run.acks_mode == "assumed" else "none"
    plans["ack"] = ack.where(ack.notna(), default)
    plans.loc[plans["relay_id"].notna(), "ack"] = "relayed"
    given_up = plans["plan_id"].isin(log.timeouts["plan_id"])
    plans.loc[given_up & ack.isna(), "ack"] = "timed out"
    at = plans["plan_id"].map(known["at"])
    plans["effect"] = np.fmax(at.to_numpy(dtype=float),
                              plans["window"].to_numpy(dtype=float)).astype(np.int64)
    return plans


def _next_plan(plans: pd.DataFrame) -> Array:
    """Window of the next plan for the same knob and node; far away: none."""
    ahead = plans.groupby(["knob", "on"], observed=True, sort=False)["window"].shift(-1)
    found: Array = ahead.fillna(2 ** 62).to_numpy(dtype=np.int64)
    return found


def _keys(log: Log, plans: pd.DataFrame, frame: Frame) -> Tuple[Array, Array, Array]:
    """Nodes (rows of frame) of the plans, keys of (finding type, node), and the table
    that gives keys for ids of types."""
    strings = log.file.strings
    row_of = {"": len(frame.nodes), **{n: i for i, n in enumerate(frame.nodes)}}
    node = plans["on"].map(row_of).fillna(-1).to_numpy(dtype=np.int64)
    types = sorted(set(plans["finding_type"].dropna()))
    place = {t: i for i, t in enumerate(types)}
    type_of = np.full(len(strings) + 1, -1, dtype=np.int64)
    for i, name in enumerate(strings):
        type_of[i] = place.get(name, -1)
    mine = plans["finding_type"].astype(object).map(place).fillna(-1).to_numpy(np.int64)
    key = np.where((mine >= 0) & (node >= 0), mine * (len(frame.nodes) + 1) + node, -1)
    return node, key, type_of


def _series(log: Log, frame: Frame, wanted: Array, type_of: Array
            ) -> Tuple[Series, Series]:
    """Severity by (type, node) and fetch share by node; of the job: of all nodes."""
    severity, fetch = _Collector(frame), _Collector(frame)
    width = len(frame.nodes) + 1
    job = frame.nodes.index("") if "" in frame.nodes else width - 1
    columns = ("window", "node", "finding_type", "severity", *FETCH)
    for block in finding_blocks(log.file, columns):
        row = frame.rows(block["node"]).astype(np.int64)
        row[~frame.inside(block["window"])] = -1
        kind = type_of[np.minimum(block["finding_type"], len(type_of) - 1)]
        for place in (np.where(row == job, -1, row), np.where(row >= 0, job, -1)):
            key = np.where((place >= 0) & (kind >= 0), kind * width + place, -1)
            key[~wanted[key]] = -1
            severity.add(key, block["window"], block["severity"])
        share = np.where(np.isnan(block[FETCH[0]]), block[FETCH[1]], block[FETCH[0]])
        fetch.add(np.where(row == job, -1, row), block["window"], share)
        fetch.add(np.where(row >= 0, job, -1), block["window"], share)
    return severity.series(), fetch.series()


def effects(log: Log, frame: Frame, horizon: int = HORIZON) -> pd.DataFrame:
    """One row a plan: window, plan_id, knob, node, old, new, tag, finding_type,
    rationale, ack, effect (window in which it took effect), severity_before and
    _after, fetch_before and _after (NaN: no windows), windows_before, windows_after
    (with such a finding), fetch_windows_before and _after, others (plans for other
    knobs of the node that fall into the windows after); outcome (the verdict; None:
    there is none), kept, gain, gain_error and certain (outcomes.of_plans)."""
    plans = log.plans.copy()
    plans["on"] = np.where(plans["relay_id"].notna(),
                           plans["targets"].astype(object).fillna(""),
                           plans["node"].astype(object).fillna(""))
    plans = _took_effect(log, plans)
    stop = np.minimum(plans["effect"].to_numpy() + horizon, _next_plan(plans))
    start = plans["effect"].to_numpy() + 1
    at = plans["window"].to_numpy(dtype=np.int64)
    node, key, type_of = _keys(log, plans, frame)
    kinds = int(type_of.max(initial=-1)) + 1
    wanted = np.zeros(kinds * (len(frame.nodes) + 1) + 1, dtype=bool)
    wanted[key[key >= 0]] = True
    severity, fetch = _series(log, frame, wanted, type_of)
    for name, series, keys in (("severity", severity, key), ("fetch", fetch, node)):
        prefix = "" if name == "severity" else name + "_"
        before, count = series.mean(keys, at - horizon + 1, at)
        plans[f"{name}_before"], plans[f"{prefix}windows_before"] = before, count
        after, count = series.mean(keys, start, stop)
        plans[f"{name}_after"], plans[f"{prefix}windows_after"] = after, count
    plans["others"] = _others(plans, start, stop)
    plans = plans.join(outcomes.of_plans(log).drop(columns="judged"), on="plan_id")
    plans["outcome"] = plans["outcome"].where(plans["outcome"].notna(), None)
    plans = plans[frame.inside(at)] if frame.span else plans
    return plans.drop(columns=["node"]).rename(columns={"on": "node"})


def _others(plans: pd.DataFrame, start: Array, stop: Array) -> Array:
    """Plans for the same node, whatever the knob, in windows start..stop, without
    those for the same knob (which only the last window can hold)."""
    found = np.zeros(len(plans), dtype=np.int64)
    window, knob = plans["window"].to_numpy(), plans["knob"].cat.codes.to_numpy()
    for rows in plans.reset_index(drop=True).groupby("on", sort=False).indices.values():
        order = rows[np.argsort(window[rows], kind="stable")]
        low = np.searchsorted(window[order], start[rows])
        high = np.searchsorted(window[order], stop[rows], side="right")
        found[rows] = np.maximum(high - low, 0)
        for k in np.unique(knob[rows]).tolist():
            mine = rows[knob[rows] == k]
            same = np.sort(window[mine])
            found[mine] -= np.maximum(
                np.searchsorted(same, stop[mine], side="right")
                - np.searchsorted(same, start[mine]), 0)
    return np.maximum(found, 0)


def never_falls(log: Log) -> bool:
    """Whether no severity of this log ever fell: a diagnoser that reports the peak
    so far. Before and after then say little."""
    highest: dict[int, float] = {}
    seen = 0
    for block in finding_blocks(log.file, ("finding_type", "scope", "severity")):
        key = (block["finding_type"].astype(np.int64) << 32) | block["scope"]
        order = np.argsort(key, kind="stable")
        keys, first = np.unique(key[order], return_index=True)
        values = block["severity"][order]
        inner = np.diff(values) < 0
        inner[first[1:] - 1] = False
        if inner.any():
            return False
        ends = np.append(first[1:], len(values)) - 1
        for k, a, b in zip(keys.tolist(), values[first].tolist(),
                           values[ends].tolist()):
            if a < highest.get(k, -1.0):
                return False
            seen += k in highest or a != b
            highest[k] = b
    return seen > 0


def by_knob(table: pd.DataFrame) -> pd.DataFrame:
    """Of the plans with windows on both sides: how many, how many after which
    severity fell, and the medians of the differences (after minus before). Where there
    are outcomes: how many plans were kept and taken_back, how many gains are certain,
    and the median gain."""
    both = table[(table["windows_before"] > 0) & (table["windows_after"] > 0)].copy()
    both["severity"] = both["severity_after"] - both["severity_before"]
    both["fetch"] = both["fetch_after"] - both["fetch_before"]
    both["fell"] = both["severity"] < 0
    grouped = both.groupby("knob", observed=True)
    every = table.groupby("knob", observed=True)
    made = pd.DataFrame({
        "plans": every.size(), "compared": grouped.size(),
        "fell": grouped["fell"].sum(),
        "severity": grouped["severity"].median(), "fetch": grouped["fetch"].median()})
    counts = ["compared", "fell"]
    if table["outcome"].notna().any():
        knob = table["knob"]
        made["kept"] = (table["kept"] == 1).groupby(knob, observed=True).sum()
        made["taken_back"] = (table["kept"] == 0).groupby(knob, observed=True).sum()
        made["certain"] = (table["certain"] == 1).groupby(knob, observed=True).sum()
        made["gain"] = every["gain"].median()
        counts += ["kept", "taken_back", "certain"]
    made[counts] = made[counts].fillna(0).astype(int)
    return made.sort_values("plans", ascending=False, kind="stable")
