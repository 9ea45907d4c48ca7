"""What the knobs were set to, window by window, and how severe it was meanwhile.

The values are those that the planner worked with: a plan counts from its own
window on, until an ack says otherwise (docs/planner.md, State). dfopt-log timeline
does the same; tests/analysis/test_timeline.py compares the two.
"""
import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

import numpy as np
import pandas as pd

from .frames import Log, natural
from .reader import NONE_ID, Array, LogError
from .sites import Names, Registered, called, restarts
from .windows import Frame, finding_blocks, window_at

PER_NODE = ("node", "rank_local")  # scopes of knobs that are of nodes
ASSUMED = "counts as applied"
RESTARTED = "restarted"
TAKEN_BACK = ("rejected", "timed out", "withdrawn", RESTARTED)  # the value before returns
CHANGE_COLUMNS = ["seq", "window", "knob", "node", "value", "cause", "plan_id", "own"]


@dataclass
class Rules:
    """Which knobs nodes have values of their own for, and what ends these."""
    overrides: bool  # a change of the job does
    assumed: bool    # plans are not acknowledged: they count as applied
    of_job: Set[str]  # knobs that have one value, the job's
    timeout: Optional[int]  # windows without an ack after which a plan counts as applied
    names_nodes: bool  # registrations say whose values these are
    reject_ends: bool  # a rejected plan ends what its node has of its own

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
                     int(switches.get("ack_timeout_windows", 8)) if controls else None,
                     switches.get("registration") == "interpret",
                     switches.get("reject") == "upstream")

    def keep_own(self, cause: str, had: bool) -> bool:
        """Whether a node has a value of its own after a change; had: before its plan."""
        if cause == RESTARTED or cause == "rejected" and self.reject_ends:
            return False
        return had or cause not in TAKEN_BACK

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
    """Registrations of one node or one process: row -> node ("": none is named), and
    whether of one process."""
    made = {}
    for row, body in enumerate(log.registrations["body"].tolist()):
        if '"node"' not in (body or "") and '"instance"' not in (body or ""):
            continue
        try:
            given = json.loads(body)
        except ValueError:
            continue
        if isinstance(given, dict):
            node = given.get("node")
            made[row] = node if isinstance(node, str) else "", bool(given.get("instance"))
    return made


def _verdicts(log: Log, names: Tuple[str, ...], at: Array) -> List[Tuple[int, str, str, str]]:
    """(event, verdict, knob, node) of the verdicts of these names and events. None in a
    log that keeps no verdicts."""
    made: List[Tuple[int, str, str, str]] = []
    columns = ("seq", "verdict", "knob", "node")
    if not len(at) or not log.file.rows("verdicts") or not log.file.has("verdicts", *columns):
        return made
    every, strings = log.file.enum("verdicts", "verdict"), log.file.strings
    numbers = [every.index(n) for n in names if n in every]
    for block in log.file.blocks("verdicts", columns):
        mine = np.isin(block["verdict"], numbers) & np.isin(block["seq"], at)
        for c in ("knob", "node"):
            log.file.check_ids("verdicts", c, block[c][mine], len(strings))
        made += [(int(s), every[v], strings[k], strings[n]) for s, v, k, n in
                 zip(*(block[c][mine].tolist() for c in columns))
                 if NONE_ID not in (k, n)]
    return made


def _registrations(log: Log, rules: Rules) -> List[Tuple[Any, ...]]:
    """What registered each knob: (event, knob, node as it came, whether of one process,
    the value or None, the default). Refused knobs are left out."""
    knobs = log.knobs
    whose = _registered_for(log) if rules.names_nodes else {}
    refused = {(seq, knob) for seq, _, knob, _ in
               _verdicts(log, ("conflict",), knobs["seq"].to_numpy())
               } if rules.names_nodes and len(log.registrations) > 1 else set()
    columns = ["seq", "knob", "registration", "has_current", "current", "default"]
    return [(int(seq), knob, *whose.get(row, ("", False)), current if has == 1 else None, default)
            for seq, knob, row, has, current, default in _rows_of(knobs, columns)
            if (int(seq), str(knob)) not in refused]


def _registered(log: Log, rules: Rules, names: Names,
                rows: List[Tuple[Any, ...]]) -> List[Tuple[Any, ...]]:
    known: Set[str] = set()
    made: List[Tuple[Any, ...]] = []
    at = window_at(log, np.array([r[0] for r in rows], dtype=np.int64))
    for window, (seq, knob, node, process, current, default) in zip(at, rows):
        node = "" if str(knob) in rules.of_job else names.find(node)
        told = current is not None or process
        if str(knob) not in known and (node or not told):
            made.append((seq, int(window), knob, "", default, "registered", ""))
        if told:
            value = default if current is None else current
            made.append((seq, int(window), knob, node, value, "registered", ""))
        known.add(str(knob))
    return made


def _names(log: Log, rules: Rules, rows: List[Tuple[Any, ...]]) -> Names:
    """The names of the nodes, in the order in which they came up."""
    more = [(r[0], r[2]) for r in rows if str(r[1]) not in rules.of_job]
    for seq, knob, node, targets in _rows_of(log.plans, ["seq", "knob", "node", "targets"]):
        if targets and rules.overrides and str(knob) not in rules.of_job:
            more += [(seq, n) for n in targets.split(",")]
        elif node:
            more.append((seq, node))
    return called(log, rules.names_nodes, more)


def _restarted(log: Log, rules: Rules, names: Names,
               rows: List[Tuple[Any, ...]]) -> List[Tuple[Any, ...]]:
    """What plans have given to nodes is gone where the application has started again."""
    if rules.timeout is None:
        return []
    known: Set[str] = set()
    registered = []
    for seq, knob, node, process, current, _ in rows:
        again = str(knob) in known and (process or current is not None)
        registered.append(Registered(seq, node, str(knob) not in rules.of_job, again))
        known.add(str(knob))
    moved: Dict[str, Dict[Any, int]] = {}  # node -> knob -> first plan
    own = log.plans[log.plans["relay_id"].isna()]
    for seq, knob, node in _rows_of(own, ["seq", "knob", "node"]):
        moved.setdefault(node or "", {}).setdefault(knob, int(seq))
    return [(seq, window, knob, node, None, RESTARTED, "")
            for seq, window, node in restarts(log, names, registered)
            for knob, since in moved.get(node, {}).items() if since < seq]


def _planned(log: Log, rules: Rules, names: Names) -> List[Tuple[Any, ...]]:
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
            made.append((seq, window, knob, names.find(name), new, "global plan", plan))
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


def _withdrawn(log: Log, registered: List[Tuple[Any, ...]]) -> List[Tuple[Any, ...]]:
    """The value before returns, unless a new process has just registered its own."""
    gone = log.outcomes[log.outcomes["verdict"] == "withdrawn"]
    before = {plan: old for plan, old in _rows_of(log.plans, ["plan_id", "old"])}
    told = {(int(seq), knob, node) for seq, _, knob, node, *_ in registered}
    rows = _rows_of(gone, ["seq", "knob", "node", "plan_id"])
    return [(seq, int(window), knob, node or "", before.get(plan), "withdrawn", plan)
            for window, (seq, knob, node, plan)
            in zip(window_at(log, gone["seq"].to_numpy()), rows)
            if (int(seq), knob, node or "") not in told]


def _job_windows(log: Log, of_job: Set[str]) -> Tuple[Array, Array]:
    """(event, window) of the findings and objectives that the job's site sees: its
    own, and findings of nodes with a tag that a knob of the job responds to."""
    tags = set(log.responses[log.responses["knob"].isin(of_job)]["tag"].dropna())
    wanted = np.array([bool(tags & set(log.file.string_list(i)))
                       for i in range(log.file.rows("lists"))] or [False])
    job = log.file.strings.index("") if "" in log.file.strings else 0
    own = log.objectives["node"].astype(object).fillna("") == ""
    parts = [tuple(log.objectives[own][c].to_numpy(dtype=np.int64)
                   for c in ("seq", "window"))]
    for b in finding_blocks(log.file, ("seq", "window", "node", "tags")):
        keep = (b["node"] == job) | wanted[b["tags"]]
        parts.append((b["seq"][keep], b["window"][keep]))
    seq, window = (np.concatenate([p[i] for p in parts]).astype(np.int64) for i in (0, 1))
    order = np.argsort(seq, kind="stable")
    return seq[order], window[order]


class _Unanswered:
    """Plans of the job that wait for an ack: the moves of the job's open trial."""

    def __init__(self, timeout: int):
        self.timeout, self.clock = timeout, -1
        self.delay: Optional[int] = None  # the longest of an ack of a plan for an epoch
        self.plans: Dict[Any, Tuple[int, Any, bool]] = {}

    def answered(self, plan: Any) -> None:
        window, _, epoch = self.plans.pop(plan, (0, None, False))
        if epoch:
            self.delay = max(self.delay or 0, self.clock - window)

    def dropped(self, knob: Any) -> List[Tuple[Any, Any]]:
        """(knob, plan) of those for the knob."""
        gone = [plan for plan, (_, of, _) in self.plans.items() if of == knob]
        return [(self.plans.pop(plan)[1], plan) for plan in gone]

    def tick(self, now: int) -> List[Tuple[int, Any, Any]]:
        """(window, knob, plan) of those that have waited too long."""
        self.clock = max(self.clock, now)
        limit = self.timeout
        if any(epoch for _, _, epoch in self.plans.values()):
            if self.delay is None:
                return []
            limit = max(limit, 2 * self.delay)
        late = [(window + limit, knob, plan) for plan, (window, knob, _)
                in self.plans.items() if self.clock - window >= limit]
        for _, _, plan in late:
            del self.plans[plan]
        return late


def _job_events(log: Log, rules: Rules) -> List[Tuple[int, int, str, Tuple[Any, ...]]]:
    """What moves the job's trial on: (event, place within it, what, row)."""
    own = log.plans[log.plans["relay_id"].isna()
                    & (log.plans["node"].astype(object).fillna("") == "")]
    acks = log.acks[log.acks["outcome"] != "unmatched"]
    tables = [(2, "plan", own, ["plan_id", "window", "knob", "apply_when"]),
              (1, "ack", acks, ["plan_id"]),
              (1, "timeout", log.timeouts, ["plan_id"]),
              (3, "outcome", log.outcomes, ["plan_id", "window", "verdict"])]
    made = [(int(row[0]), place, what, row[1:]) for place, what, frame, columns in tables
            for row in _rows_of(frame, ["seq", *columns])]
    if not len(own):
        return []
    seq, window = _job_windows(log, rules.of_job)
    window_of = dict(zip(seq.tolist(), window.tolist()))
    # of the job's events, and of an operator's commands, which have no window
    at = np.append(seq, log.frame("controls")["seq"].to_numpy(dtype=np.int64))
    made += [(s, 0, verdict, (knob, window_of.get(s))) for s, verdict, knob, node
             in _verdicts(log, ("void", "restart"), at) if not node]
    if len(seq):  # only those that can end a wait: of a new window, or after an answer
        peak = np.maximum.accumulate(window)
        news = np.append(True, peak[1:] > peak[:-1])
        after = np.searchsorted(seq, np.array([m[0] for m in made], dtype=np.int64), "right")
        news[after[after < len(seq)]] = True
        made += [(s, 0, "tick", (w,)) for s, w in zip(seq[news].tolist(), window[news].tolist())]
    made.sort(key=lambda m: m[:2])
    return made


def _assumed(log: Log, rules: Rules) -> List[Tuple[Any, ...]]:
    """Plans of the job that count as applied though no ack came: from the verdict on
    their trial on, or when they have waited too long. No row says so, but it ends what
    nodes have of their own. Plans for an epoch boundary wait as long as the longest
    ack of such a plan has taken, twice over, and for ever before there is one."""
    if rules.timeout is None or rules.assumed or not rules.overrides:
        return []
    waiting = _Unanswered(rules.timeout)
    made: List[Tuple[Any, ...]] = []
    for seq, _, what, row in _job_events(log, rules):
        ended: List[Tuple[int, Any, Any]] = []
        if what == "plan":
            waiting.plans[row[0]] = int(row[1]), row[2], row[3] == "epoch_boundary"
        elif what == "tick":
            ended = waiting.tick(row[0])
        elif what == "ack":
            waiting.answered(row[0])
        elif what in ("void", "restart"):  # a way back is dropped without an outcome
            window = waiting.clock if row[1] is None else row[1]
            ended = [(window, *p) for p in waiting.dropped(row[0]) if what == "void"]
        else:
            _, knob, _ = waiting.plans.pop(row[0], (0, None, False))
            if knob is not None and what == "outcome" and row[2] not in ("withdrawn", "restart"):
                ended = [(int(row[1]), knob, row[0])]
        made += [(seq, window, knob, "", None, ASSUMED, plan) for window, knob, plan in ended
                 if str(knob) not in rules.of_job]
    return made


def changes(log: Log) -> pd.DataFrame:
    """Everything that set a knob, in the order of events: columns seq, window, knob,
    node ("": the whole job), value, cause (registered, plan, global plan, applied,
    adopted, rejected, cleared, timed out, withdrawn, restarted, counts as applied),
    plan_id, own (False: the node follows the job from here on). Within an event: plans
    that were given up come before new ones."""
    rules = Rules.of(log)
    rows = _registrations(log, rules)
    names = _names(log, rules, rows)
    registered = _registered(log, rules, names, rows)
    made = (_assumed(log, rules) + _restarted(log, rules, names, rows) + registered
            + _withdrawn(log, registered) + _given_up(log) + _planned(log, rules, names)
            + _acknowledged(log))
    made.sort(key=lambda c: int(c[0]))
    columns = zip(*_completed(made, rules)) if made else [()] * len(CHANGE_COLUMNS)
    return pd.DataFrame({  # values as they are: 8 is not 8.0
        name: pd.Series(column, dtype=object if name == "value" or not made else None)
        for name, column in zip(CHANGE_COLUMNS, columns)})


def _completed(made: List[Tuple[Any, ...]], rules: Rules) -> Iterator[Tuple[Any, ...]]:
    """Changes in order: with the job's value where it is followed, and `own`."""
    of_job: Dict[Any, Any] = {}
    own: Dict[Any, Set[str]] = {}  # knob -> nodes
    had: Dict[Any, bool] = {}  # (knob, node) -> before the last plan
    for seq, window, knob, node, value, cause, plan in made:
        nodes = own.setdefault(knob, set())
        if cause in (ASSUMED, RESTARTED):
            value = of_job.get(knob)
        elif not node:
            of_job[knob] = value
        if cause == "plan":
            had[knob, node] = node in nodes
        keep = not node or rules.keep_own(cause, had.get((knob, node), False))
        (nodes.add if keep else nodes.discard)(node)
        if not node and rules.end_own(cause):
            nodes.clear()
        yield seq, window, knob, node, value, cause, plan, keep


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
    for start, window, node, value, cause, keep in zip(
            starts,
            *(events[c].tolist() for c in ("window", "node", "value", "cause", "own"))):
        if window > frame.axis.last:
            continue
        if not node:
            own &= not rules.end_own(cause)
            grid[~own, start:] = _number(value, levels)
        elif node in row_of:
            row = row_of[node]
            own[row] = keep
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
