"""Where windows of analysis begin and end. Behaviour: DFOptimizer 0.1.0,
dfoptimizer/runtime/window.py, call by call; the counting is the C library's."""
from __future__ import annotations

import logging
from ctypes import byref
from typing import Any, Dict, Optional, Tuple

from . import _library as lib
from .errors import ArgumentError

__all__ = ["Window"]

logger = logging.getLogger("dfopt_client")


def _key(value: int) -> Tuple[int, int]:
    """An argument of a DFTracer event: kind 0, a key, and its value."""
    return (0, value)


class Window:
    """Calls start and stop at each iteration, flush at the end of an epoch or phase:

        window = Window(dftracer.get_instance())
        for batch in loader:
            window.start()
            ...
            window.stop()
        window.flush()

    Each returns whether that is a boundary, of which the tracer (None: nobody) is
    told. A window is every_n iterations; that begins with 1, and an optimizer doubles
    or halves it, up to max_every_n (None: without a bound). Not locked: one window,
    one thread.
    """

    def __init__(self, dftracer_instance: Any = None,
                 max_every_n: Optional[int] = None) -> None:
        if max_every_n is not None and max_every_n < 1:
            raise ArgumentError(f"max_every_n is {max_every_n}, and must be at least 1")
        self._lib = lib.library()
        self._dft = dftracer_instance
        self._start_time: Any = 0
        self._w = lib.CWindow()
        self._at = byref(self._w)
        self._lib.dfopt_window_init(self._at, max_every_n or 0)

    @property
    def every_n(self) -> int:
        """Iterations a window."""
        return int(self._w.every_n)

    @property
    def window_index(self) -> int:
        """Number of the last window, from 1; 0: none yet."""
        return int(self._w.index)

    @property
    def counter(self) -> int:
        """Iterations since the last flush."""
        return int(self._w.counter)

    def _tell(self, name: str, start_time: Any, end_time: Any, flush: bool = False) -> None:
        arguments: Dict[str, Tuple[int, int]] = {
            "window_index": _key(self.window_index),
            "every_n": _key(self.every_n),
            "counter": _key(self.counter),
        }
        if flush:
            arguments["flush"] = _key(1)
        self._dft.enter_event()
        self._dft.log_event(name=name, cat="window", start_time=start_time,
                            duration=end_time - start_time, int_args=arguments)
        self._dft.exit_event()

    def start(self) -> bool:
        """At the start of an iteration."""
        if not self._lib.dfopt_window_start(self._at, 0, None):
            return False
        if self._dft is not None:
            self._start_time = self._dft.get_time()
            self._tell("window.start", self._start_time, self._start_time)
        return True

    def stop(self) -> bool:
        """At its end."""
        if not self._lib.dfopt_window_stop(self._at, 0, None):
            return False
        if self._dft is not None:
            self._tell("window.stop", self._start_time, self._dft.get_time())
        return True

    def flush(self) -> bool:
        """Ends the window under way, or what no boundary has ended, and counts from 0
        again."""
        active, counter = bool(self._w.active), self._w.counter
        if not self._lib.dfopt_window_flush(self._at, 0, None):
            return False
        if self._dft is not None:
            now = self._dft.get_time()
            self._w.counter = counter  # what the event tells
            self._tell("window.stop", self._start_time if active else now, now, True)
            self._w.counter = 0
        return True

    def _changed(self, changed: bool) -> None:
        if changed:
            logger.info("a window now has %d iterations", self.every_n)

    def increase_cadence(self) -> None:
        """Doubles every_n: analysis costs too much."""
        self._changed(self._lib.dfopt_window_increase(self._at))

    def decrease_cadence(self) -> None:
        """Halves every_n: analysis lags behind."""
        self._changed(self._lib.dfopt_window_decrease(self._at))

    def update_cadence(self, new_every_n: int) -> None:
        """Sets every_n."""
        self._changed(self._lib.dfopt_window_update(self._at, new_every_n))
