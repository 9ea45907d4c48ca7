"""Nodes by the names of their hosts, and when the application has started again on them.

Plans and verdicts have a node's first name; findings, objectives, registrations and
relayed plans the name that they came with (docs/planner.md, Nodes).
"""
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Tuple

import numpy as np

from .frames import Log
from .reader import NONE_ID, Array
from .windows import finding_blocks


class Names:
    """Which node a name means: N1, n1 and n1.cluster.example. are one. A name that was
    used stays with its node, which is called as it was first."""

    def __init__(self, by_host: bool) -> None:
        self.by_host = by_host  # else each name is a node
        self._used: Dict[str, List[Tuple[str, str]]] = {}  # first label -> (name, node)

    @staticmethod
    def split(name: str) -> Tuple[str, str]:
        """(first label, whole name), without the case of ASCII and the dot at the end;
        an address is one label."""
        name = name[:-1] if len(name) > 1 and name.endswith(".") else name
        name = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)
        address = ":" in name or not name.strip("0123456789.")
        whole = address or name.startswith(".")
        return (name if whole else name.split(".")[0]), name

    def find(self, name: str) -> str:
        """The node that has the name, or may be called so; else the name itself."""
        label, whole = self.split(name)
        if not self.by_host or not name or len(label.encode()) > 255:
            return name
        have = [(*self.split(n), node) for n, node in self._used.get(label, [])]
        for _, other, node in have:
            if other == whole:
                return node
        full = {node for first, other, node in have if other != first}
        if whole == label:
            return full.pop() if len(full) == 1 else name
        short = [node for first, other, node in have if other == first]
        return short[0] if short and short[0] not in full else name

    def enter(self, name: str) -> str:
        """The same; the name is now in use."""
        if not self.by_host or not name:
            return name
        used = self._used.setdefault(self.split(name)[0], [])
        for known, node in used:
            if known == name:
                return node
        node = self.find(name)
        used.append((name, node))
        return node


class Registered(NamedTuple):
    """Knobs that a registration told values of."""
    seq: int
    node: str      # as it came; "": none is named
    of_node: bool  # a knob that nodes have values of their own for
    again: bool    # the knob was known, and a value came


def _node_events(log: Log) -> Iterator[Tuple[Array, Array, Array]]:
    """(event, window, string id of the node) of findings and objectives, in order."""
    columns = ("seq", "window", "node")
    last: Any = [log.file.read("objectives", c) for c in columns] \
        if log.file.has("objectives", *columns) else [np.zeros(0, dtype=np.int64)] * 3
    for block in finding_blocks(log.file, columns):
        n = int(np.searchsorted(last[0], block["seq"][-1]))
        joined = [np.append(block[c], o[:n]) for c, o in zip(columns, last)]
        order = np.argsort(joined[0], kind="stable")
        yield joined[0][order], joined[1][order], joined[2][order]
        last = [o[n:] for o in last]
    if len(last[0]):
        yield last[0], last[1], last[2]


def called(log: Log, by_host: bool, more: Iterable[Tuple[int, str]]) -> Names:
    """The names of the run's nodes, entered in the order of events. more: (event, name)
    of those that neither findings nor objectives have."""
    made, seen = [(int(s), i, n) for i, (s, n) in enumerate(more)], set()
    names = Names(by_host)
    if not by_host:
        return names
    for seq, _, node in _node_events(log):
        ids, first = np.unique(node, return_index=True)
        made += [(int(seq[f]), -1, log.file.strings[i]) for i, f in
                 zip(ids.tolist(), first.tolist()) if i != NONE_ID and i not in seen]
        seen.update(ids.tolist())
    for _, _, name in sorted(made):
        names.enter(name)
    return names


class _Site:
    """What a node has seen."""

    def __init__(self) -> None:
        self.clock, self.generation, self.named = -1, 0, 0

    def event(self, window: int, generation: int, named: int) -> bool:
        """generation, named: how many registrations without a node, and with this one,
        have come. Whether the node now follows the job."""
        check = generation != self.generation or named != self.named
        restarted = check and self.clock >= 0 and abs(window - self.clock) > 1
        gone = restarted and named == self.named
        self.clock = window if restarted else max(self.clock, window)
        self.generation, self.named = generation, named
        return gone


def restarts(log: Log, names: Names, registered: List[Registered]
             ) -> List[Tuple[int, int, str]]:
    """(event, window, node) from which on a node follows the job again: a known knob
    was registered, and then the windows of the node jumped. A registration that named
    the node has told its values instead."""
    generations = np.array([r.seq for r in registered if r.again and not r.node])
    named: Dict[str, List[int]] = {}
    for r in registered:
        if r.again and r.node and r.of_node:
            named.setdefault(names.find(r.node), []).append(r.seq)
    made: List[Tuple[int, int, str]] = []
    place: Dict[str, int] = {}
    if not len(generations):
        return made
    sites: Dict[str, _Site] = {}
    strings, of_id = log.file.strings, np.full(len(log.file.strings) + 1, -1, dtype=np.int64)
    for seq, window, node in _node_events(log):
        for i in np.unique(node[node != NONE_ID]).tolist():
            if of_id[i] < 0 and strings[i]:
                of_id[i] = place.setdefault(names.find(strings[i]), len(place))
        row = of_id[np.minimum(node, len(strings))]
        order = np.argsort(row, kind="stable")
        columns = [c[order] for c in (seq, window, np.searchsorted(generations, seq))]
        ends = np.searchsorted(row[order], np.arange(len(place) + 1))
        for name, start, stop in zip(place, ends[:-1].tolist(), ends[1:].tolist()):
            if stop > start:
                made += _events(sites.setdefault(name, _Site()), name, named.get(name, []),
                                *(c[start:stop] for c in columns))
    return made


def _events(site: _Site, name: str, named: List[int], seq: Array, window: Array,
            generation: Array) -> List[Tuple[int, int, str]]:
    """Those of one node, in order."""
    of_it = np.searchsorted(np.array(named, dtype=np.int64), seq)
    if generation[-1] == site.generation and of_it[-1] == site.named:
        site.clock = max(site.clock, int(window.max()))  # nothing was registered
        return []
    return [(s, w, name) for s, w, g, n in
            zip(seq.tolist(), window.tolist(), generation.tolist(), of_it.tolist())
            if site.event(w, g, n)]
