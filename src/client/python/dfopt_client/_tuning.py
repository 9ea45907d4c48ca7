"""Windows of a training loop, the plans that they bring, and what these brought."""
from __future__ import annotations

import logging
import operator
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, Union

from ._machine import available_bytes, cores, held_bytes
from ._segments import Epoch, Settings
from .context import OptimizerContext
from .errors import ArgumentError
from .groups import Group, agree
from .types import ActionPlan, KnobDef, KnobResponse

__all__ = ["Auto", "Tuner", "auto"]

logger = logging.getLogger("dfopt_client")

_MILLIONTHS = 1e6
_FIRST_STEPS = 10  # of a window of several ranks, before steps are known
_LEAST_STEPS = 5  # of a window, so that one batch does not make it
_KEPT = 10000  # windows that are remembered
_ROWS = 60  # windows of which a report shows each
_AROUND = 2  # windows beside a change that a longer report shows
_LOOKING = 0.005  # share of the time that finding out what workers hold may take


class Auto(NamedTuple):
    """A setting that an optimizer may change."""

    start: int
    max: Union[int, str]
    min: int


def auto(start: int, max: Union[int, str] = "cores", min: int = 1) -> Auto:
    """A setting that begins with start, and that an optimizer may change from min to max:
    a number, or "cores", as many as this process may use (affinity, cgroups)."""
    return Auto(start, max, min)


def _whole(what: str, n: Any, least: int) -> int:
    """Also one of NumPy's, as torch takes it."""
    try:
        whole = -1 if isinstance(n, bool) else operator.index(n)
    except TypeError:
        whole = -1
    if whole < least:
        raise ArgumentError(f"{what} is {n!r}, and must be a whole number from {least} on")
    return whole


def bounds_of(what: str, given: Any, least: int) -> Tuple[int, int, int]:
    """Start, least and most of a setting: an Auto, or a number that stays."""
    if isinstance(given, Auto):
        low, start = given.min, given.start
        if given.max == "cores":
            most = max(cores(), low)
            start = min(start, most)
        elif isinstance(given.max, str):
            raise ArgumentError(f"{what}: max is {given.max!r}, and neither a number nor "
                                "'cores'")
        else:
            most = given.max
    else:
        low = start = most = given
    start, low, most = (_whole(what, n, least) for n in (start, low, most))
    if not low <= start <= most:
        raise ArgumentError(f"{what}: {start} is not within {low} to {most}")
    return start, low, most


class Window(NamedTuple):
    """One that has ended."""

    number: int
    step: int
    rate: float
    fetch: float  # share of the time
    workers: int
    prefetch: int
    memory: float  # share of the budget
    changed: bool  # a setting changed in it


class Change(NamedTuple):
    window: int
    step: int
    text: str


class Tuner:
    """Measures a loader's windows, reports them, and takes plans for its settings. With a
    group every rank has one; all measure, rank 0 reports, and all take the same plans at the
    same step."""

    def __init__(self, context: OptimizerContext, group: Optional[Group], name: str,
                 bounds: Dict[str, Tuple[int, int, int]], window: float, budget: int) -> None:
        self.context, self._group, self.name = context, group, name
        self.bounds, self._window = bounds, window
        left = available_bytes()
        self.budget = budget or (max(1, int(left * 0.8)) if left else 0)
        self.function = f"TunableLoader.{name}"
        self.settings = Settings(bounds["num_workers"][0], bounds["prefetch_factor"][0])
        self.index = 1
        self.step = 0
        self.windows: List[Window] = []
        self.changes: List[Change] = []
        self.epoch_of: Callable[[], Optional[Epoch]] = lambda: None
        self._unanswered: List[ActionPlan] = []
        self._mark: Optional[float] = None
        self._steps = _FIRST_STEPS
        self._held, self._batch = 0, 0
        self._look_at = 0.0  # when what is held is looked at again
        self._fresh()
        self._declare()

    # ---- knobs ----

    def _declare(self) -> None:
        tags = {"num_workers": "reader_parallelism", "prefetch_factor": "dataloader_prefetch"}
        self._knobs = {
            parameter: KnobDef(
                id=f"{self.context.namespace}.{self.name}.{parameter}", default=start,
                type=int, range=(low, most), target_function=self.function,
                scope="job" if self._group is not None else "node",
                responds_to={tags[parameter]: KnobResponse(
                    step=2, step_mode="multiply", min_severity=0.1, min_persistence=1,
                    cooldown_windows=1, apply_when="window_boundary",
                    effectiveness_threshold=0.0)})
            for parameter, (start, low, most) in self.bounds.items() if low < most}
        self.register()

    def register(self) -> None:
        """Tells the values that are in force."""
        now = {p: self._value(self.settings, p) for p in self._knobs}
        self.context.register_knobs(self.function, self._knobs, now)

    def restore(self, workers: int, prefetch: int) -> None:
        """The values of an earlier run, within the bounds of this one."""
        (_, low, most), (_, least, furthest) = (self.bounds[p] for p in (
            "num_workers", "prefetch_factor"))
        self.settings = Settings(min(max(workers, low), most),
                                 min(max(prefetch, least), furthest))
        self.register()

    @staticmethod
    def _value(settings: Settings, parameter: str) -> int:
        return settings.workers if parameter == "num_workers" else settings.prefetch

    @staticmethod
    def _with(settings: Settings, parameter: str, value: int) -> Settings:
        if parameter == "num_workers":
            return Settings(value, settings.prefetch)
        return Settings(settings.workers, value)

    # ---- time ----

    def _fresh(self) -> None:
        self._fetch = self._compute = 0.0
        self._samples = self._in_window = 0
        self._changed = bool(self._unanswered)

    def _note(self, parameter: str, before: int, after: int, why: str) -> None:
        text = f"{parameter} {before} -> {after}: {why}" if before != after else \
            f"{parameter} stays {before}: {why}"
        self.changes.append(Change(self.index, self.step, text))
        logger.info("%s: window %d, step %d: %s", self.name, self.index, self.step, text)

    def asked(self) -> None:
        """The application asks for a batch. Settings may change."""
        now = time.perf_counter()
        if self._mark is not None:
            self._compute += now - self._mark
        self._mark = now
        if self._unanswered and self._group is None:
            epoch = self.epoch_of()
            if epoch is not None and epoch.runs(self.settings):
                self._answer_all()
            del epoch
        ends = self._in_window >= self._steps if self._group is not None else \
            (self._fetch + self._compute >= self._window and self._in_window >= _LEAST_STEPS)
        if ends:
            self._close()
        if self._group is None or ends:
            self._take("window_boundary")

    def got(self, batch: Any, samples: int) -> None:
        """It has one."""
        now = time.perf_counter()
        self._fetch += now - (self._mark or now)
        self._mark = now
        self._samples += samples
        self.step += 1
        self._in_window += 1
        if self._in_window == 1:
            self._batch = bytes_of(batch)

    def began(self, seconds: float) -> None:
        """An epoch has: the application waited so long for its workers to be started."""
        self._fetch += seconds

    def rest(self) -> None:
        """An epoch has ended: what follows is not the loop."""
        if self._mark is not None:
            self._fetch += time.perf_counter() - self._mark
        self._mark = None

    def between(self) -> None:
        """Another one begins: whatever waits for that is taken. What was between is not the
        loop, nor what came behind the last batch of an epoch that was left."""
        self._mark = None
        for boundary in ("window_boundary", "epoch_boundary"):
            self._take(boundary)

    # ---- windows ----

    def _close(self) -> None:
        fetch, compute = self._fetch, self._compute
        self._look()
        memory = self._held / self.budget if self.budget else 0.0
        if self._group is not None:
            each = max((fetch + compute) / self._in_window, 1e-6)
            told = self._group.maximum([
                int(fetch * _MILLIONTHS), int(compute * _MILLIONTHS),
                int(memory * _MILLIONTHS),
                max(_LEAST_STEPS, round(self._window / each)) if self._group.rank == 0 else 0])
            fetch, compute, memory = (n / _MILLIONTHS for n in told[:3])
            self._steps = told[3]
        seconds = max(self._fetch + self._compute, 1e-9)
        self.context.window(self.index, self._samples, seconds, fetch, compute,
                            workers=self.settings.workers, memory=memory,
                            changed=self._changed)
        self.windows.append(Window(
            self.index, self.step, self._samples / seconds,
            fetch / max(fetch + compute, 1e-9), self.settings.workers,
            self.settings.prefetch, memory, self._changed))
        del self.windows[:-_KEPT]
        if self._group is not None:
            self._answer_all()
        self.index += 1
        self._fresh()
        if memory > 1:
            self._shrink(memory)

    # ---- memory ----

    def _look(self) -> None:
        """What the workers hold: milliseconds for each, so not in every window, but for those
        after a change."""
        begin = time.perf_counter()
        if begin < self._look_at:
            return
        epoch = self.epoch_of()
        self._held = held_bytes(epoch.pids) if epoch is not None else 0
        took = time.perf_counter() - begin
        self._look_at = 0.0 if self._changed else begin + took / _LOOKING

    def _moved(self) -> None:
        """Settings have changed."""
        self._changed = True
        self._look_at = 0.0

    def _would_hold(self, s: Settings) -> float:
        """Bytes: each worker's own, and the batches that wait."""
        now = self.settings
        if not self._held or not now.workers:
            return 0.0
        own = max(0.0, self._held - self._batch * now.workers * now.prefetch) / now.workers
        return s.workers * own + s.workers * s.prefetch * self._batch

    def _shrink(self, memory: float) -> None:
        """The budget is exceeded: fewer workers at once, or less that waits."""
        for parameter in ("num_workers", "prefetch_factor"):
            now, low = self._value(self.settings, parameter), self.bounds[parameter][1]
            less = max(low, min(now - 1, int(now * 0.9 / memory)))
            if less < now:
                self.settings = self._with(self.settings, parameter, less)
                self._moved()
                self._note(parameter, now, less, f"{memory:.0%} of the memory budget is held")
                self.register()
                return

    # ---- plans ----

    def _take(self, boundary: str) -> None:
        for plan in self.context.drain_actions_for(self.function, boundary):
            self._apply(plan)

    def _apply(self, plan: ActionPlan) -> None:
        parameter = plan.parameter
        before, value = self._value(self.settings, parameter), int(plan.new_value or 0)
        want = self._with(self.settings, parameter, value)
        _, low, most = self.bounds[parameter]
        why_not = ""
        if not low <= value <= most:  # the knob may be of a loader before this one
            why_not = f"{parameter} of this loader is from {low} to {most}"
        elif value > before and self.budget and self._would_hold(want) > self.budget:
            why_not = (f"would hold {self._would_hold(want) / 1e9:.2f} GB of a budget of "
                       f"{self.budget / 1e9:.2f} GB")
        applied, why = not why_not, why_not
        if self._group is not None:
            applied, why = agree(self._group, why_not or None)
        if applied:
            self.settings = want
            self._moved()
            self._unanswered.append(plan)
            self._note(parameter, before, value, plan.rationale or plan.finding_type)
        else:
            self._answer(plan, "rejected", why)
            self._note(parameter, before, before, why)

    def undo(self, settings: Settings, why: str) -> None:
        """The loader could not change, and has these. Of several ranks each that cannot goes
        on so until the next epoch: they do not decide again."""
        logger.warning("%s: no other workers could be started (%s); it continues with "
                       "num_workers=%d, prefetch_factor=%d", self.name, why, settings.workers,
                       settings.prefetch)
        if self._group is not None:
            return
        undone = [plan for plan in self._unanswered
                  if self._value(settings, plan.parameter) != plan.new_value]
        self._unanswered = [plan for plan in self._unanswered if plan not in undone]
        self.settings = settings
        for plan in undone:
            self._answer(plan, "rejected", why)
            now = self._value(settings, plan.parameter)
            self._note(plan.parameter, now, now, why)

    def _answer(self, plan: ActionPlan, status: str, why: str = "") -> None:
        client = self.context.client
        if client is not None:
            client.ack(plan, status, reason=why, window_index=self.index)

    def _answer_all(self) -> None:
        """What was applied is acknowledged when the workers before have given all they had:
        until then they and the new ones load beside each other, and a window shows neither."""
        for plan in self._unanswered:
            self._answer(plan, "applied")
        self._unanswered.clear()

    # ---- the report ----

    def _mean(self, windows: List[Window]) -> float:
        return sum(w.rate for w in windows) / len(windows) if windows else 0.0

    def _brought(self) -> List[str]:
        """Each change, and the rates before it and until the next."""
        lines = []
        at = sorted({c.window for c in self.changes})
        for i, window in enumerate(at):
            until = at[i + 1] if i + 1 < len(at) else self.index
            quiet = [w for w in self.windows if not w.changed]
            before = self._mean([w for w in quiet if w.number < window and
                                 (i == 0 or w.number > at[i - 1])][-3:])
            after = self._mean([w for w in quiet if window < w.number < until])
            lines += [f"window {c.window}, step {c.step}: {c.text}"
                      for c in self.changes if c.window == window]
            if before and after:
                lines.append(f"    {before:.1f} -> {after:.1f} samples/s "
                             f"({after / before - 1:+.0%})")
        return lines

    def _rows(self) -> List[str]:
        """The windows; of many those around changes, and the last."""
        near = {n for c in self.changes
                for n in range(c.window - _AROUND, c.window + _AROUND + 1)}
        few = len(self.windows) <= _ROWS
        lines: List[str] = []
        left_out = 0
        for w in self.windows:
            if not few and w.number not in near and w.number < self.index - _ROWS // 2:
                left_out += 1
                continue
            if left_out:
                lines.append(f"   ... {left_out} windows")
                left_out = 0
            lines.append(f"{w.number:6}{w.step:7}{w.rate:11.1f}{w.fetch:7.0%}{w.workers:9}"
                         f"{w.prefetch:10}{'  *' if w.changed else ''}")
        return lines

    def report(self) -> str:
        s = self.settings
        lines = [f"{self.name}: {self.step} batches, {self.index - 1} windows; now "
                 f"num_workers={s.workers}, prefetch_factor={s.prefetch}"]
        lines += [f"memory budget {self.budget / 1e9:.2f} GB, held by workers at last "
                  f"{self._held / 1e9:.2f} GB"] if self.budget else []
        lines.append("window   step  samples/s  fetch  workers  prefetch")
        lines += self._rows()
        lines.append("changes (*):" if self.changes else "no changes")
        return "\n".join(lines + self._brought())


def bytes_of(batch: Any, depth: int = 4) -> int:
    """Of the tensors and arrays in a batch."""
    if hasattr(batch, "element_size") and hasattr(batch, "nelement"):
        return int(batch.element_size() * batch.nelement())
    if isinstance(getattr(batch, "nbytes", None), int):
        return int(batch.nbytes)
    if depth and isinstance(batch, dict):
        return sum(bytes_of(v, depth - 1) for v in batch.values())
    if depth and isinstance(batch, (list, tuple)):
        return sum(bytes_of(v, depth - 1) for v in batch)
    return 0
