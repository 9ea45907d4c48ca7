"""The axes of a run: its windows, in bins, and its nodes.

What is drawn against windows has at most a few hundred bins, whatever the length
of the run, so that grids of node x window stay small.
"""
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from .frames import Log, natural
from .reader import NONE_ID, Array, LogFile

MAX_BINS = 256
MAX_CELLS = 4_000_000
Span = Optional[Tuple[int, int]]


@dataclass
class Axis:
    """Windows first..last in bins of the same width."""
    first: int
    last: int
    width: int = 1

    @property
    def bins(self) -> int:
        return (self.last - self.first) // self.width + 1

    @property
    def starts(self) -> Array:
        return self.first + self.width * np.arange(self.bins, dtype=np.int64)

    def place(self, windows: Array) -> Array:
        """The bin of each window; what lies outside is cut to the ends."""
        inside = np.clip(windows, self.first, self.last)
        found: Array = (inside - self.first) // self.width
        return found

    @staticmethod
    def over(first: int, last: int, bins: int) -> "Axis":
        return Axis(first, last, max(1, -(-(last - first + 1) // max(bins, 1))))


@dataclass
class Frame:
    """Windows and nodes of a run: what grids are made of.

    nodes    names, natural order; "" is the whole job and comes first
    row_of   string id -> row of nodes; -1: not a node of this selection
    """
    axis: Axis
    nodes: List[str]
    row_of: Array
    span: Span

    def rows(self, ids: Array) -> Array:
        found: Array = self.row_of[np.minimum(ids, len(self.row_of) - 1)]
        return found

    def inside(self, windows: Array) -> Array:
        found: Array = (windows >= self.axis.first) & (windows <= self.axis.last)
        return found


def finding_blocks(file: LogFile, columns: Sequence[str]
                   ) -> Iterator[Dict[str, Array]]:
    if not file.has("findings", *columns):
        return
    for block in file.blocks("findings", columns):
        for name in ("node", "finding_type"):
            if name in block:
                file.check_ids("findings", name, block[name], len(file.strings))
        if "tags" in block:
            file.check_ids("findings", "tags", block["tags"], file.rows("lists"))
        yield block


def _scan(file: LogFile, span: Span) -> Tuple[Optional[int], int, Array]:
    """First and last window and the string ids of nodes of the findings."""
    first: Optional[int] = None
    last = 0
    seen = np.zeros(len(file.strings) + 1, dtype=bool)
    for block in finding_blocks(file, ("window", "node")):
        windows, nodes = block["window"], block["node"]
        if span:
            keep = (windows >= span[0]) & (windows <= span[1])
            windows, nodes = windows[keep], nodes[keep]
        if not len(windows):
            continue
        seen[np.minimum(nodes, len(seen) - 1)] = True
        low, high = int(windows.min()), int(windows.max())
        last = high if first is None else max(last, high)
        first = low if first is None else min(first, low)
    return first, last, np.flatnonzero(seen[:-1])


def survey(log: Log, span: Span = None, bins: int = MAX_BINS) -> Frame:
    """Windows and nodes of a run, from its findings, or else from its plans. A
    span A..B keeps the windows from A to B."""
    file = log.file
    first, last, ids = _scan(file, span)
    if first is None:
        first, last, ids = _from_plans(log, span)
    names = {file.strings[i]: i for i in ids.tolist()}
    nodes = sorted(names, key=natural)
    row_of = np.full(len(file.strings) + 1, -1, dtype=np.int32)
    for row, name in enumerate(nodes):
        row_of[names[name]] = row
    bins = max(16, min(bins, MAX_CELLS // max(len(nodes), 1)))
    return Frame(Axis.over(first, last, bins), nodes, row_of, span)


def _from_plans(log: Log, span: Span) -> Tuple[int, int, Array]:
    """For a log without findings (--log-detail): its plans name windows and nodes."""
    file = log.file
    if not file.rows("plans") or not file.has("plans", "window", "node"):
        return 0, 0, np.zeros(0, dtype=np.int64)
    windows, nodes = file.read("plans", "window"), file.read("plans", "node")
    file.check_ids("plans", "node", nodes, len(file.strings))
    keep = (windows >= (span[0] if span else 0)) & (nodes != NONE_ID)
    keep &= windows <= (span[1] if span else windows.max())
    if not keep.any():
        return 0, 0, np.zeros(0, dtype=np.int64)
    return (int(windows[keep].min()), int(windows[keep].max()),
            np.unique(nodes[keep]))


class FindingOf:
    """Columns of the findings with given sequence numbers. Both are in ascending
    order, so each block of findings is read once and soon dropped."""

    def __init__(self, file: LogFile, columns: Sequence[str]) -> None:
        self._blocks = finding_blocks(file, ["seq", *columns])
        self._kept: Dict[str, Array] = {}

    def _advance(self, first: int) -> bool:
        block = next(self._blocks, None)
        if block is None:
            return False
        if self._kept:
            keep = self._kept["seq"] >= first
            block = {n: np.concatenate([self._kept[n][keep], block[n]]) for n in block}
        self._kept = block
        return True

    def at(self, seq: Array) -> Tuple[Array, Dict[str, Array]]:
        """Which numbers are findings, and the columns of those that are."""
        while len(seq) and (not self._kept or not len(self._kept["seq"])
                            or self._kept["seq"][-1] < seq[-1]):
            if not self._advance(int(seq[0])):
                break
        if not self._kept or not len(self._kept["seq"]):
            return np.zeros(len(seq), dtype=bool), {}
        place = np.searchsorted(self._kept["seq"], seq)
        place[place == len(self._kept["seq"])] = 0
        found = self._kept["seq"][place] == seq
        return found, {n: c[place[found]] for n, c in self._kept.items()}


class ObjectiveOf:
    """The same of objectives, which are few: windows and nodes, all read at once."""

    def __init__(self, file: LogFile) -> None:
        names = ("seq", "window", "node")
        self._all: Dict[str, Array] = {}
        if file.has("objectives", *names) and file.rows("objectives"):
            self._all = {n: file.read("objectives", n) for n in names}
            file.check_ids("objectives", "node", self._all["node"], len(file.strings))

    def at(self, seq: Array) -> Tuple[Array, Dict[str, Array]]:
        """Which numbers are objectives, and the columns of those that are."""
        if not self._all:
            return np.zeros(len(seq), dtype=bool), {}
        place = np.searchsorted(self._all["seq"], seq)
        place[place == len(self._all["seq"])] = 0
        found = self._all["seq"][place] == seq
        return found, {n: c[place[found]] for n, c in self._all.items()}


def window_at(log: Log, seq: Array) -> Array:
    """The latest window that any finding had brought when event seq came: where
    events without a window of their own stand. -1: no finding yet."""
    order = np.argsort(seq, kind="stable")
    asked, found = seq[order], np.full(len(seq), -1, dtype=np.int64)
    reached, done = -1, 0
    for block in finding_blocks(log.file, ("seq", "window")):
        peaks = np.maximum.accumulate(np.maximum(block["window"], reached))
        upto = int(np.searchsorted(asked, block["seq"][-1], side="right"))
        place = np.searchsorted(block["seq"], asked[done:upto], side="right") - 1
        found[done:upto] = np.where(place >= 0, peaks[place], reached)
        reached, done = int(peaks[-1]), upto
    found[done:] = reached
    back = np.empty_like(found)
    back[order] = found
    return back


def quantiles(grid: Array, shares: Sequence[float]) -> Any:
    """Quantiles over the rows of each column; NaN where a column is empty."""
    out = np.full((len(shares), grid.shape[1]), np.nan)
    some = ~np.isnan(grid).all(axis=0)
    if some.any():
        out[:, some] = np.nanquantile(grid[:, some], shares, axis=0)
    return out
