"""Where the time of an iteration goes, and what a window of it achieved."""
from __future__ import annotations

import time
from ctypes import byref
from typing import Any, Optional, Union

from . import _library as lib
from .client import Client
from .context import OptimizerContext
from .groups import Group

__all__ = ["Measure"]

_OTHER, _FETCH, _COMPUTE = range(3)
_FIRST_ITERATIONS = 10  # of a window of several processes
_MILLIONTHS = 1e6


class Measure:
    """Reports the rate of each window, and the findings it gives, by itself:

        measure = Measure(optimizer_context("train"), window=1.0)
        for _ in range(steps):
            measure.fetch()
            batch = next(batches)
            measure.compute()
            train(batch)
            measure.add(len(batch))
            if measure.end():
                ...  # a window has ended: a boundary

    reporter is a Client, or an OptimizerContext; None, and what has no client: nothing is
    reported, and windows end all the same. If the context has a comm, all of its processes
    measure, a window is a number of iterations that rank 0 chooses, and end and close are
    collective when one ends; the longest times count, and rank 0 reports. Not locked: one
    measure, one thread.
    """

    def __init__(self, reporter: Union[Client, OptimizerContext, None] = None,
                 window: float = 1.0) -> None:
        self._reporter = reporter
        self._group: Optional[Group] = getattr(reporter, "_group", None)
        self._window, self._iterations, self._most = window, 0, _FIRST_ITERATIONS
        self._lib = lib.library()
        self._m = lib.CMeasure()
        self._at = byref(self._m)
        self._lib.dfopt_measure_init(self._at, None, int(window * 1e9),
                                     time.monotonic_ns())

    @property
    def window_index(self) -> int:
        """Number of the window under way, from 1."""
        return int(self._m.window.index)

    def _phase(self, phase: int) -> None:
        self._lib.dfopt_measure_phase(self._at, phase, time.monotonic_ns())

    def fetch(self) -> None:
        """From now on time is spent waiting for data."""
        self._phase(_FETCH)

    def compute(self) -> None:
        """From now on time is spent computing."""
        self._phase(_COMPUTE)

    def other(self) -> None:
        """From now on time is neither: evaluation, checkpoints."""
        self._phase(_OTHER)

    def add(self, units: float) -> None:
        """Adds what was achieved: samples, bytes, steps."""
        self._lib.dfopt_measure_add(self._at, units)

    def end(self, workers: int = 0, memory: float = 0.0, changed: bool = False,
            read_spread: float = 0.0) -> bool:
        """At the end of an iteration: if the window has lasted long enough, reports it and
        begins the next. Returns whether it did. The arguments are those of Client.window."""
        if self._group is not None:
            self._iterations += 1
            if self._iterations < self._most:
                return False
        return self._close(None, workers, memory, changed, read_spread)

    def close(self, index: int, workers: int = 0, memory: float = 0.0,
              changed: bool = False, read_spread: float = 0.0) -> bool:
        """Reports the window however long it was, as number index (that of
        Window.window_index)."""
        return self._close(index, workers, memory, changed, read_spread)

    def _agree(self, group: Group) -> None:
        """The longest fetching and computing, and how many iterations the next window has."""
        self._phase(self._m.phase)
        window = self._m.window
        passed = (self._m.phase_ns - self._m.start_ns) * 1e-9
        each = max(passed / max(self._iterations, 1), 1e-9)
        told = group.maximum([
            int(window.fetch_s * _MILLIONTHS), int(window.compute_s * _MILLIONTHS),
            max(1, min(round(self._window / each), 2**40)) if group.rank == 0 else 0])
        window.fetch_s, window.compute_s = told[0] / _MILLIONTHS, told[1] / _MILLIONTHS
        self._most, self._iterations = told[2], 0

    def _close(self, index: Optional[int], workers: int, memory: float,
               changed: bool, read_spread: float) -> bool:
        if self._group is not None:
            self._agree(self._group)
            index = self.window_index if index is None else index
        self._m.window.workers, self._m.window.memory = workers, memory
        self._m.window.changed, self._m.window.read_spread = changed, read_spread
        client: Any = getattr(self._reporter, "client", self._reporter)
        self._m.client = None if client is None else client._handle
        try:
            if index is None:
                return bool(self._lib.dfopt_measure_end(self._at, time.monotonic_ns()))
            return not self._lib.dfopt_measure_close(self._at, index, time.monotonic_ns())
        finally:
            self._m.client = None
