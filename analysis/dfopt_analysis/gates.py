"""Which gate stopped what: counts for each verdict, by knob, node and window."""
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

import numpy as np
import pandas as pd

from .frames import Log, natural
from .reader import Array, LogError
from .schema import MEANING, VERDICTS
from .windows import FindingOf, Frame, ObjectiveOf

# How verdicts are drawn: groups of gates from the first to the last, then what
# became of changes, then plans.
GROUPS: Dict[str, Tuple[str, ...]] = {
    "nothing to do": ("invalid", "no_knobs", "no_response", "unregistered",
                      "superseded"),
    "improving": ("trend",),
    "suppressed": ("suppressed",),
    "waiting": ("pending", "trial", "baseline"),
    "below threshold": ("severity", "persistence"),
    "cooldown": ("cooldown_time", "cooldown_ineffective", "backoff", "release_only"),
    "no new value": ("unsupported", "no_evidence", "no_change", "budget"),
    "operator": ("off", "frozen", "rate", "would_plan", "proposed",
                 "awaiting_approval"),
    "judged": ("improved", "neutral", "worse", "inconclusive", "void", "restart",
               "guard", "shift", "stale", "adopted", "conflict", "withdrawn"),
    "planned": ("planned", "trade", "rollback", "release", "approved", "set",
                "restored"),
}
PLANNED = GROUPS["planned"]

# What a finding passes for each tag and knob, in the order of the planner
# (docs/planner.md). Other verdicts are not about a finding's demand.
GATES: Tuple[str, ...] = (
    "invalid", "trend", "no_knobs", "suppressed", "no_response", "unregistered",
    "off", "superseded", "trial", "backoff", "release_only", "baseline", "pending",
    "awaiting_approval", "severity", "persistence", "cooldown_time", "cooldown_ineffective", "unsupported",
    "no_evidence", "no_change", "frozen", "rate", "budget", "proposed", "would_plan",
    "trade", "planned")


def verdict_codes(log: Log) -> Array:
    """The file's number of a verdict -> its place in VERDICTS. A verdict that we do
    not know stands with `invalid`, and log.notes says so."""
    names = log.file.enum("verdicts", "verdict")
    for name in names:
        note = f"verdict {name!r} is newer than this program: shown as 'invalid'"
        if name not in VERDICTS and note not in log.notes:
            log.notes.append(note)
    return np.array([VERDICTS.index(n) if n in VERDICTS else 0 for n in names],
                    dtype=np.int64)


def _coded(log: Log, numbers: Array, codes: Array) -> Array:
    if len(numbers) and int(numbers.max()) >= len(codes):
        raise LogError(f"{log.run.path}: /verdicts/verdict is damaged: there is no "
                       f"enumerator {int(numbers.max())}")
    found: Array = codes[numbers]
    return found


def require_verdicts(log: Log) -> None:
    if not log.file.rows("verdicts"):
        why = (" (it was written with --log-detail plans)"
               if log.run.detail == "plans" else "")
        raise LogError(f"{log.run.path}: the log holds no verdicts{why}")


def funnel(log: Log, node: Optional[str] = None) -> pd.DataFrame:
    """Verdicts by knob: rows are verdicts by their numbers, columns knobs ("": no knob
    was looked at), entries how many."""
    require_verdicts(log)
    file, codes = log.file, verdict_codes(log)
    limit, width = len(file.strings), len(VERDICTS)
    total = np.zeros((limit + 1) * width, dtype=np.int64)
    for block in file.blocks("verdicts", ("verdict", "knob", "node")):
        for name in ("knob", "node"):
            file.check_ids("verdicts", name, block[name], limit)
        verdict = _coded(log, block["verdict"], codes)
        knob = np.minimum(block["knob"], limit).astype(np.int64)
        if node is not None:
            here = block["node"] == _id_of(log, node)
            verdict, knob = verdict[here], knob[here]
        total += np.bincount(knob * width + verdict, minlength=len(total))
    table = total.reshape(limit + 1, width)
    used = np.flatnonzero(table.sum(axis=1))
    data = {file.strings[i] if i < limit else "": table[i] for i in used.tolist()}
    names = sorted(data, key=natural)
    return pd.DataFrame({n: data[n] for n in names},
                        index=pd.Index(VERDICTS, name="verdict"))


def _id_of(log: Log, name: str) -> int:
    try:
        return log.file.strings.index(name)
    except ValueError:
        raise LogError(f"{log.run.path}: nothing is named {name!r}") from None


def steps(counts: pd.DataFrame) -> pd.DataFrame:
    """The funnel of all knobs: for each of GATES how many came so far, how many
    stopped there, and what it means."""
    stopped = counts.loc[list(GATES)].sum(axis=1)
    reached = stopped[::-1].cumsum()[::-1]
    table = pd.DataFrame({"reached": reached, "stopped": stopped})
    table["share"] = stopped / max(int(stopped.sum()), 1)
    table["meaning"] = [MEANING[v] for v in table.index]
    return table[(table["stopped"] > 0) | (table.index == "planned")]


@dataclass
class Heat:
    """Verdicts by node and bin of windows.

    cells     nodes x bins x GROUPS: how many verdicts
    planned   nodes: how many plans
    looked    nodes: how many verdicts
    """
    cells: Array
    planned: Array
    looked: Array

    @property
    def groups(self) -> Array:
        """GROUPS x bins: how many verdicts of all nodes."""
        found: Array = self.cells.sum(axis=0).T
        return found

    def main(self, rows: List[int]) -> Array:
        """For each cell of some rows its place in GROUPS: the last, planned, if a plan
        was made; or else the most frequent. -1: no verdict."""
        mine = self.cells[rows]
        most = np.where(mine[..., -1] > 0, len(GROUPS) - 1, mine.argmax(axis=2))
        found: Array = np.where(mine.sum(axis=2) > 0, most, -1)
        return found

    def top(self, most: int) -> List[int]:
        """Rows of the nodes with most plans, then most verdicts."""
        order = np.lexsort((-self.looked, -self.planned))
        some = [r for r in order.tolist() if self.looked[r]]
        return sorted(some[:most])


def heat(log: Log, frame: Frame, knob: Optional[str] = None) -> Heat:
    """Verdicts by node and window. Verdicts have no window of their own: it is that
    of their finding or objective. Errors: LogError where the log keeps no findings."""
    require_verdicts(log)
    if not log.file.rows("findings"):
        raise LogError(f"{log.run.path}: the log holds no findings, and so no windows "
                       f"(detail {log.run.detail or '?'})")
    codes, bins = verdict_codes(log), frame.axis.bins
    group_of = np.zeros(len(VERDICTS), dtype=np.int64)
    for i, members in enumerate(GROUPS.values()):
        group_of[[VERDICTS.index(m) for m in members]] = i
    rows = len(frame.nodes)
    made = Heat(np.zeros(rows * bins * len(GROUPS), dtype=np.int32),
                np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64))
    wanted = None if knob is None else _id_of(log, knob)
    findings = FindingOf(log.file, ("window", "node"))
    objectives = ObjectiveOf(log.file)
    for block in log.file.blocks("verdicts", ("seq", "verdict", "knob")):
        for found, of in (findings.at(block["seq"]), objectives.at(block["seq"])):
            if not found.any():
                continue
            verdict = _coded(log, block["verdict"][found], codes)
            row = frame.rows(of["node"])
            keep = (row >= 0) & frame.inside(of["window"])
            if wanted is not None:
                keep &= block["knob"][found] == wanted
            _add(made, row[keep], frame.axis.place(of["window"][keep]), verdict[keep],
                 group_of, bins)
    made.cells = made.cells.reshape(rows, bins, len(GROUPS))
    return made


def _add(made: Heat, row: Array, place: Array, verdict: Array, group_of: Array,
         bins: int) -> None:
    cell = (row.astype(np.int64) * bins + place) * len(GROUPS) + group_of[verdict]
    cells, counts = np.unique(cell, return_counts=True)
    made.cells[cells] += counts.astype(np.int32)
    made.looked += np.bincount(row, minlength=len(made.looked))
    plans = np.isin(verdict, [VERDICTS.index(v) for v in PLANNED])
    made.planned += np.bincount(row[plans], minlength=len(made.planned))


def by_knob(counts: pd.DataFrame, most: int) -> pd.DataFrame:
    """Groups of verdicts of the knobs with most verdicts; the rest is one column."""
    grouped = pd.DataFrame({name: counts.loc[list(members)].sum()
                            for name, members in GROUPS.items()}).T
    total = grouped.sum().sort_values(ascending=False, kind="stable")
    kept = list(total.index[:most])
    shown = grouped[kept]
    if len(total) > most:
        rest = grouped[list(total.index[most:])].sum(axis=1)
        shown = shown.assign(**{f"{len(total) - most} more": rest})
    return shown.rename(columns={"": "(no knob)"})
