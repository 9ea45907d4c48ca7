"""What the knobs were set to, window by window, and how severe it was meanwhile.

The values are those that the planner worked with: a plan counts from its own
window on, until an ack says otherwise (docs/planner.md, State).
"""
import json
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Set, Tuple

import numpy as np
import pandas as pd

from .frames import Log, natural
from .reader import Array, LogError
from .windows import Frame, finding_blocks, window_at

PER_NODE = ("node", "rank_local")  # scopes of knobs that are of nodes
ASSUMED = "counts as applied"
CHANGE_COLUMNS = ["seq", "window", "knob", "node", "value", "cause", "plan_id"]


@dataclass
class Rules:
    """Which knobs nodes have values of their own for, and what ends these."""
    overrides: bool  # a change of the job does
    assumed: bool    # plans are not acknowledged: they count as applied
    of_job: Set[str]  # knobs that have one value, the job's
    timeout: Optional[int]  # windows without an ack after which a plan counts as applied

    @staticmethod
    def of(log: Log) -> "Rules":
        try:
            switches = json.loads(log.run.policy or "{}").get("switches", {})
        except (ValueError, AttributeError):
            switches = {}
        of_job: Set[str] = set()
        if switches.get("scope") == "interpret":
            scopes = log.knobs.drop_duplicates("knob", keep="last")
            of_job = set(scopes[~scopes["scope"].isin(PER_NODE)]["knob"].dropna().astype(str))
        controls = switches.get("effect", "severity") != "severity"
        return Rules(switches.get("global_overrides_nodes", True) is not False,
                     log.run.acks_mode == "assumed", of_job,
                     int(switches.get("ack_timeout_windows", 8)) if controls else None)

    def end_own(self, cause: str) -> bool:
        return self.overrides and (cause in ("applied", "adopted", "global plan", ASSUMED)
                                   or (cause == "plan" and self.assumed))


def _rows_of(frame: pd.DataFrame, columns: List[str]) -> List[Tuple[Any, ...]]:
    parts = [[None if v is None or v != v else v for v in frame[c].tolist()]
             for c in columns]
    return list(zip(*parts)) if len(frame) else []


def acks_at(log: Log) -> pd.DataFrame:
    """Acks with `at`: the window that they name, else the one at which their
    cooldown starts, else the latest seen when they came."""
    acks = log.acks.copy()
    own = acks["window"].where(acks["window"] >= 0, acks["cooldown_window"])
    if len(acks) and (own < 0).any():
        own = own.where(own >= 0, window_at(log, acks["seq"].to_numpy()))
    acks["at"] = own
    return acks


def _registered_for(log: Log) -> Dict[int, Tuple[str, bool]]:
    """Registrations of one node or one process: row -> node, and whether of one
    process."""
    made = {}
    for row, body in enumerate(log.registrations["body"].tolist()):
        if '"node"' not in (body or ""):
            continue
        try:
            given = json.loads(body)
        except ValueError:
            continue
        if isinstance(given, dict) and isinstance(given.get("node"), str):
            made[row] = given["node"], bool(given.get("instance"))
    return made


def _registered(log: Log) -> List[Tuple[Any, ...]]:
    knobs, rules = log.knobs, Rules.of(log)
    at, nodes = window_at(log, knobs["seq"].to_numpy()), _registered_for(log)
    known: Set[str] = set()
    made: List[Tuple[Any, ...]] = []
    columns = ["seq", "knob", "has_current", "current", "default", "registration"]
    for window, (seq, knob, has, current, default, row) in zip(
            at, _rows_of(knobs, columns)):
        node, process = nodes.get(row, ("", False))
        node = "" if str(knob) in rules.of_job else node
        if str(knob) not in known and (node or has != 1):
            made.append((seq, int(window), knob, "", default, "registered", ""))
        if has == 1 or process:
            value = current if has == 1 else default
            made.append((seq, int(window), knob, node, value, "registered", ""))
        known.add(str(knob))
    return made


def _planned(log: Log) -> List[Tuple[Any, ...]]:
    rules = Rules.of(log)
    made: List[Tuple[Any, ...]] = []
    columns = ["seq", "window", "knob", "node", "new", "plan_id", "relay_id", "targets"]
    at = window_at(log, log.plans["seq"].to_numpy())
    for latest, (seq, window, knob, node, new, plan, relay, targets) in zip(
            at, _rows_of(log.plans, columns)):
        window = latest if window < 0 else window
        if relay is None:
            made.append((seq, window, knob, node or "", new, "plan", plan))
            continue
        heeded = rules.overrides and str(knob) not in rules.of_job
        for name in (targets or "").split(",") if heeded else [""]:
            made.append((seq, window, knob, name, new, "global plan", plan))
    return made


def _acknowledged(log: Log) -> List[Tuple[Any, ...]]:
    columns = ["seq", "at", "knob", "node", "value", "outcome", "plan_id"]
    return [(seq, at, knob, node or "", value, str(outcome), plan)
            for seq, at, knob, node, value, outcome, plan
            in _rows_of(acks_at(log), columns) if outcome != "unmatched"]


def _given_up(log: Log) -> List[Tuple[Any, ...]]:
    columns = ["seq", "window", "knob", "node", "value", "plan_id"]
    return [(seq, window, knob, node or "", value, "timed out", plan)
            for seq, window, knob, node, value, plan in _rows_of(log.timeouts, columns)]


class _Windows:
    """The windows of findings and objectives, in the order of events."""

    def __init__(self, log: Log):
        parts = [(b["seq"], b["window"]) for b in finding_blocks(log.file, ("seq", "window"))]
        parts.append((log.objectives["seq"].to_numpy(dtype=np.int64),
                      log.objectives["window"].to_numpy(dtype=np.int64)))
        seq, window = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
        order = np.argsort(seq, kind="stable")
        self.seq = seq[order]
        self.peak = np.maximum.accumulate(window[order]) if len(seq) else window

    def reached(self, window: int) -> Optional[int]:
        """The event that brought the window, or a later one."""
        at = int(np.searchsorted(self.peak, window))
        return int(self.seq[at]) if at < len(self.seq) else None


def _assumed(log: Log) -> List[Tuple[Any, ...]]:
    """Plans of the job that count as applied though no ack came: from their verdict
    on, or when they have waited too long. No row says so, but it ends what nodes
    have of their own. Plans for an epoch wait as long as the longest ack has
    taken, twice over, and for ever before there is one."""
    rules = Rules.of(log)
    if rules.timeout is None or rules.assumed or not rules.overrides:
        return []
    acks: Dict[str, Tuple[int, int]] = {}
    for seq, at, plan, outcome in _rows_of(acks_at(log), ["seq", "at", "plan_id", "outcome"]):
        if outcome != "unmatched":
            acks.setdefault(str(plan), (int(seq), int(at)))
    judged: Dict[str, Tuple[int, int]] = {}
    for seq, at, plan in _rows_of(log.outcomes, ["seq", "window", "plan_id"]):
        judged.setdefault(str(plan), (int(seq), int(at)))
    windows, longest = _Windows(log), -1
    made: List[Tuple[Any, ...]] = []
    columns = ["seq", "window", "knob", "node", "plan_id", "relay_id", "apply_when"]
    for seq, window, knob, node, plan, relay, when in _rows_of(log.plans, columns):
        if relay is not None or node or str(knob) in rules.of_job:
            continue
        window, ends = int(window), [judged[plan]] if plan in judged else []
        limit = rules.timeout
        if when == "epoch_boundary":
            limit = max(limit, 2 * longest) if longest >= 0 else -1
        late = windows.reached(window + limit) if limit >= 0 else None
        if late is not None:
            ends.append((late, window + limit))
        ack = acks.get(str(plan))
        if ack is not None and when == "epoch_boundary":
            longest = max(longest, ack[1] - window)
        if ends and (ack is None or min(ends)[0] < ack[0]):
            made.append((*min(ends), knob, "", None, ASSUMED, plan))
    return made


def changes(log: Log) -> pd.DataFrame:
    """Everything that set a knob, in the order of events: columns seq, window, knob,
    node ("": the whole job), value, cause (registered, plan, global plan, applied,
    rejected, cleared, timed out, counts as applied), plan_id. Within an event: plans that were given up
    come before new ones."""
    made = (_assumed(log) + _registered(log) + _given_up(log) + _planned(log)
            + _acknowledged(log))
    made.sort(key=lambda c: int(c[0]))
    of_job: Dict[Any, Any] = {}
    for i, (seq, window, knob, node, value, cause, plan) in enumerate(made):
        if cause == ASSUMED:
            made[i] = (seq, window, knob, node, of_job.get(knob), cause, plan)
        elif not node:
            of_job[knob] = value
    return pd.DataFrame(made, columns=CHANGE_COLUMNS)


def moved_knobs(log: Log) -> pd.Series:
    """How many plans each knob had, most first."""
    counts = log.plans.groupby("knob", observed=True).size()
    return counts.sort_values(ascending=False, kind="stable")


@dataclass
class Timeline:
    """One knob: nodes x bins of windows.

    levels    names of the values if they are no numbers, else []
    value     number, or place in levels; NaN: not registered yet
    severity  the worst of the findings that the knob responds to; NaN: none
    events    changes of this knob
    limit     lowest min_severity of its responses; None: none is given
    """
    knob: str
    frame: Frame
    levels: List[str]
    value: Array
    severity: Array
    events: pd.DataFrame
    limit: Optional[float]

    def number(self, value: Any) -> float:
        return _number(value, self.levels)

    def busiest(self, most: int) -> List[int]:
        """Rows of the nodes with most plans; of those with as many, natural order."""
        planned = self.events[self.events["cause"].isin(["plan", "global plan"])]
        counts = planned.groupby("node").size()
        order = sorted(range(len(self.frame.nodes)),
                       key=lambda r: (-int(counts.get(self.frame.nodes[r], 0)),
                                      natural(self.frame.nodes[r])))
        return [r for r in order if counts.get(self.frame.nodes[r], 0)][:most]


def _number(value: Any, levels: List[str]) -> float:
    if value is None:
        return float("nan")
    if levels:
        return float(levels.index(str(value)))
    return float(value)


def _levels(log: Log, knob: str, values: List[Any]) -> List[str]:
    """Names of the values of a knob whose values are no numbers."""
    if not any(isinstance(v, (str, bool)) for v in values):
        return []
    row_of = [i for i, name in enumerate(log.knobs["knob"].tolist()) if name == knob]
    listed = log.knob_values[log.knob_values["knob_row"].isin(row_of)]["value"]
    names = ["False", "True"] if any(isinstance(v, bool) for v in values) else []
    for value in listed.tolist() + values:
        if value is not None and str(value) not in names:
            names.append(str(value))
    return names


def _values(events: pd.DataFrame, frame: Frame, levels: List[str],
            rules: Rules) -> Array:
    """Fills the grid in the order of events. What is set for the job reaches the
    nodes that have no value of their own."""
    grid = np.full((len(frame.nodes), frame.axis.bins), np.nan, dtype=np.float32)
    own = np.zeros(len(frame.nodes), dtype=bool)
    row_of = {name: i for i, name in enumerate(frame.nodes)}
    starts = frame.axis.place(events["window"].to_numpy(dtype=np.int64)).tolist()
    of_job = None
    for start, window, node, value, cause in zip(
            starts,
            *(events[c].tolist() for c in ("window", "node", "value", "cause"))):
        if window > frame.axis.last:
            continue
        if not node:
            of_job = value
            own &= not rules.end_own(cause)
            grid[~own, start:] = _number(value, levels)
        elif node in row_of:
            row = row_of[node]
            own[row] = not (cause in ("rejected", "timed out") and value == of_job)
            grid[row, start:] = _number(value, levels)
    return grid


def timelines(log: Log, frame: Frame, knobs: List[str]) -> List[Timeline]:
    """Timelines of some knobs, in one pass over the findings."""
    registered = set(log.knobs["knob"].dropna().unique())
    every, rules = changes(log), Rules.of(log)
    made = []
    for knob in knobs:
        if knob not in registered:
            raise LogError(f"{log.run.path}: there is no knob {knob!r}; there are "
                           + ", ".join(sorted(registered, key=natural)))
        events = every[every["knob"] == knob]
        levels = _levels(log, knob, events["value"].tolist())
        severity = np.full(len(frame.nodes) * frame.axis.bins, np.nan,
                           dtype=np.float32)
        made.append(Timeline(knob, frame, levels, _values(events, frame, levels, rules),
                             severity, events, _limit(log, knob)))
    _add_severities(log, frame, made)
    return made


def _limit(log: Log, knob: str) -> Optional[float]:
    mine = log.responses[log.responses["knob"] == knob]["min_severity"].dropna()
    return float(mine.min()) if len(mine) else None


def _lists_with(log: Log, knob: str) -> Array:
    """For each list id: does it name a tag that the knob responds to?"""
    mine = log.responses[log.responses["knob"] == knob]["tag"]
    tags = set(mine.dropna().tolist())
    return np.array([bool(tags & set(log.file.string_list(i)))
                     for i in range(log.file.rows("lists"))] or [False])


def _add_severities(log: Log, frame: Frame, made: List[Timeline]) -> None:
    asked = [_lists_with(log, t.knob) for t in made]
    for block in finding_blocks(log.file, ("window", "node", "tags", "severity")):
        rows = frame.rows(block["node"])
        inside = (rows >= 0) & frame.inside(block["window"])
        place = frame.axis.place(block["window"])
        cell = rows.astype(np.int64) * frame.axis.bins + place
        tags = np.minimum(block["tags"], len(asked[0]) - 1) if asked else None
        for line, lists in zip(made, asked):
            keep = inside & lists[tags]
            order = np.argsort(block["severity"][keep], kind="stable")
            at = cell[keep][order]  # the largest is written last
            line.severity[at] = np.fmax(line.severity[at],
                                        block["severity"][keep][order])
    for line in made:
        line.severity = line.severity.reshape(len(frame.nodes), frame.axis.bins)
