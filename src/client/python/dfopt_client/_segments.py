"""An epoch of a DataLoader whose workers change in its course. It consists of segments: each
is a torch DataLoader of its own over a part of the epoch's batches of indices, one behind the
other. A change ends the segment's part at the next batch that nobody has asked for yet, and
begins another segment at once: its workers start, and load, while what the old ones have
loaded is still being handed over. So the order and the content of samples are those of one
DataLoader; only which worker loads a batch differs.

Public names of torch.utils.data only; torch 1.13 and later."""
from __future__ import annotations

import contextlib
import copy
import multiprocessing
import threading
from collections import deque
from itertools import chain
from typing import Any, Deque, Dict, Iterator, List, Optional

import torch
from torch.utils.data import DataLoader, IterableDataset

__all__ = ["CannotChange", "Epoch", "Progress", "Seeds", "Settings"]

_reapers: List[threading.Thread] = []  # of this process; each ends the workers of a segment
_STRIDE = 0x9E3779B97F4A7C15  # between the seeds of segments; odd, and far from small


class CannotChange(Exception):
    """Other workers could not be started; the old ones go on."""


class Settings:
    """How many workers load, and how far ahead."""

    __slots__ = ("workers", "prefetch")

    def __init__(self, workers: int, prefetch: int) -> None:
        self.workers, self.prefetch = workers, prefetch

    def same(self, other: "Settings") -> bool:
        """Whether nothing is to be done to go from one to the other: without workers nothing
        is loaded ahead."""
        return self.workers == other.workers and (self.prefetch == other.prefetch or
                                                  self.workers == 0)


class Progress:
    """How far an epoch has come."""

    __slots__ = ("given", "over")

    def __init__(self) -> None:
        self.given = 0
        self.over = False


def _count(indices: Any) -> int:
    """Samples of a batch of indices. It need not have a length: torch only iterates over it."""
    try:
        return len(indices)
    except TypeError:
        return 1


class _Feed:
    """The part of the batches of indices that a segment loads. torch asks for its iterator
    once or twice; all of them are the same."""

    def __init__(self, indices: Iterator[Any], sizes: Deque[int], batched: bool) -> None:
        self.indices, self._sizes, self._batched = indices, sizes, batched
        self.pulled = 0
        self.kept: Optional[List[Any]] = []  # what was pulled, until the segment has started
        self.failed = False  # the sampler has
        self.stopped = False  # there is no more for this segment
        self.ended = False  # nor for any

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> Any:
        if self.stopped:
            raise StopIteration
        try:
            item = next(self.indices)
        except StopIteration:
            self.ended = True
            raise
        except Exception:
            self.failed = True
            raise
        if self.kept is not None:
            self.kept.append(item)
        self.pulled += 1
        self._sizes.append(_count(item) if self._batched else 1)
        return item


def _noting(context: Any, processes: List[Any]) -> Any:
    """A context of multiprocessing like this one (None: the default) that also lists the
    processes that it makes: other threads may be making some of their own."""
    noting: Any = copy.copy(context or multiprocessing.get_context())
    make = noting.Process

    def process(*args: Any, **kwargs: Any) -> Any:
        processes.append(make(*args, **kwargs))
        return processes[-1]

    noting.Process = process
    return noting


class _Through:
    """The sampler of a segment: its feed, another one in each epoch if workers persist."""

    def __init__(self, feed: _Feed) -> None:
        self.feed = feed

    def __iter__(self) -> _Feed:
        return self.feed


class _Segment:
    """One DataLoader, and what it has handed over in this epoch."""

    def __init__(self, loader: "DataLoader[Any]", through: Optional[_Through],
                 settings: Settings, processes: List[Any]) -> None:
        self.loader, self.settings = loader, settings
        self._through, self._processes = through, processes
        self.batches: Optional[Iterator[Any]] = None
        self.start()

    @property
    def feed(self) -> Optional[_Feed]:
        return self._through.feed if self._through is not None else None

    @property
    def pids(self) -> List[int]:
        """Its workers."""
        return [p.pid for p in self._processes if p.pid is not None]

    @property
    def alive(self) -> bool:
        """Whether all of its workers are."""
        return all(p.is_alive() for p in self._processes)

    def again(self, feed: Optional[_Feed]) -> None:
        """Another epoch with the same workers."""
        if self._through is not None and feed is not None:
            self._through.feed = feed
        self.start()

    def start(self) -> None:
        self.given = self.failed = 0
        wait_for_reapers()  # what one is freeing must not be freed in a forked worker again
        try:
            self.batches = iter(self.loader)
        except BaseException:
            if len(self.pids) < self.settings.workers:  # torch leaves those that it has started
                for process in self._processes:
                    if process.pid is not None:
                        process.terminate()
                        process.join()
            raise
        if self.feed is not None:
            self.feed.kept = None

    def forget(self) -> None:
        """torch has ended it."""
        self.batches = iter(())
        self._processes.clear()

    @property
    def drained(self) -> bool:
        """Whether there is nothing left to hand over, before torch is asked."""
        feed = self.feed
        return feed is not None and feed.stopped and self.given == feed.pulled

    @property
    def exhausted(self) -> bool:
        """Whether a StopIteration is the end; else it is one that the dataset has raised."""
        return self.feed is None or self.given + self.failed >= self.feed.pulled


def wait_for_reapers() -> None:
    """Waits for workers that were told to end: they have nothing to do any more."""
    for reaper in list(_reapers):
        reaper.join()
        with contextlib.suppress(ValueError):  # another loop has waited for it, too
            _reapers.remove(reaper)


def _drop(last: List[Any]) -> None:
    """Ends the workers of an iterator with its last reference."""
    last.clear()


class Seeds:
    """Where the segments of a loader take their base seeds from. The first of an epoch has
    that of torch; those behind it are distinguished by their number."""

    def __init__(self) -> None:
        self.base: Optional[int] = None  # of workers that persist: for good
        self._n = 0

    def first(self, generator: Optional[torch.Generator]) -> torch.Generator:
        """Draws a base seed as DataLoader does. Returns a generator that draws it again."""
        twin = torch.Generator()
        state = torch.random.get_rng_state() if generator is None else generator.get_state()
        twin.set_state(state)
        self.base = int(torch.empty((), dtype=torch.int64).random_(generator=generator))
        self._n = 0
        return twin

    def later(self) -> torch.Generator:
        """Nothing is drawn from a generator of the application."""
        self._n += 1
        generator = torch.Generator()
        generator.manual_seed(((self.base or 0) + self._n * _STRIDE) % 2**63)
        return generator


class Epoch:
    """Iterates once over `source`, a DataLoader whose arguments the segments have. kept is a
    segment of the epoch before whose workers persist; skip what was handed over already, in
    an epoch that is resumed."""

    def __init__(self, source: "DataLoader[Any]", settings: Settings, seeds: Seeds,
                 kept: Optional[_Segment] = None, skip: int = 0) -> None:
        self._source, self._settings, self._seeds = source, settings, seeds
        self._iterable = isinstance(source.dataset, IterableDataset)
        self._batched = source.batch_sampler is not None
        self._sizes: Deque[int] = deque()
        self._segments: Deque[_Segment] = deque()
        self.progress = Progress()
        self._open(skip, kept)

    # ---- beginning ----

    def _sample(self) -> Iterator[Any]:
        if self._iterable:
            return iter(())
        sampler: Any = self._source.batch_sampler if self._batched else self._source.sampler
        return iter(sampler)

    def _open(self, skip: int, kept: Optional[_Segment]) -> None:
        """As torch does it, to the order of what is drawn from the generators: the sampler's
        iterator, the base seed, and with workers the sampler's iterator again. Workers that
        persist have theirs from the first epoch."""
        persist = self._source.persistent_workers and self._settings.workers > 0
        self._indices = self._sample()
        generator = None
        if not persist or self._seeds.base is None:
            generator = self._seeds.first(self._source.generator)
            if self._settings.workers > 0:
                self._indices = self._sample()
        elif kept is None:
            generator = self._seeds.later()
        for _ in range(0 if self._iterable else skip):
            next(self._indices, None)
        feed = None if self._iterable else _Feed(self._indices, self._sizes, self._batched)
        if generator is None and kept is not None:
            kept.again(feed)
            self._segments.append(kept)
        else:
            self._segments.append(self._make(feed, generator))
        for _ in range(skip if self._iterable else 0):
            next(self, None)
        self.progress.given = skip

    def _arguments(self, generator: Optional[torch.Generator],
                   processes: List[Any]) -> Dict[str, Any]:
        source, workers = self._source, self._settings.workers
        given: Dict[str, Any] = {
            "num_workers": workers, "collate_fn": source.collate_fn,
            "pin_memory": source.pin_memory, "worker_init_fn": source.worker_init_fn,
            "generator": generator}
        for name in ("pin_memory_device", "in_order"):  # not of every torch
            if hasattr(source, name):
                given[name] = getattr(source, name)
        if workers > 0:
            given.update(timeout=source.timeout, prefetch_factor=self._settings.prefetch,
                         multiprocessing_context=_noting(
                             source.multiprocessing_context, processes),
                         persistent_workers=source.persistent_workers)
        return given

    def _make(self, feed: Optional[_Feed],
              generator: Optional[torch.Generator]) -> _Segment:
        source, processes = self._source, []  # type: Any, List[Any]
        arguments = self._arguments(generator, processes)
        if feed is None:
            return _Segment(DataLoader(source.dataset, batch_size=source.batch_size,
                                       drop_last=source.drop_last, **arguments),
                            None, self._settings, processes)
        through = _Through(feed)
        if self._batched:
            arguments["batch_sampler"] = through
        else:
            arguments.update(batch_size=None, sampler=through)
        return _Segment(DataLoader(source.dataset, **arguments), through, self._settings,
                        processes)

    # ---- running ----

    def __iter__(self) -> "Epoch":
        return self

    def __next__(self) -> Any:
        while True:
            segment = self._segments[0]
            if segment.drained and len(self._segments) > 1:
                self._retire()
                continue
            try:
                batch = next(segment.batches)  # type: ignore[arg-type]
            except StopIteration:
                if not segment.exhausted:
                    self._failed(segment)
                    raise
                if len(self._segments) > 1:
                    self._retire()
                    continue
                self._end()
                raise
            except Exception:
                self._failed(segment)
                raise
            segment.given += 1
            self.progress.given += 1
            return batch

    def _failed(self, segment: _Segment) -> None:
        """An error came in place of a batch."""
        segment.failed += 1
        if self._sizes:
            self._sizes.popleft()

    def size(self) -> int:
        """Samples of the batch that was handed over last."""
        if self._iterable:
            return self._source.batch_size or 1
        return self._sizes.popleft() if self._sizes else 0

    def resize(self, settings: Settings) -> bool:
        """Has other workers load from the next batch on that none has been asked for.
        Returns whether they do; else it is the next epoch's: with an iterable dataset, whose
        workers keep places of their own until it ends, or where no batch is left. Whatever
        it raises (CannotChange if the system gives no more processes), the epoch continues
        with the old workers."""
        newest = self._segments[-1].feed
        if newest is None or newest.ended or settings.same(self._settings):
            return False
        before, self._settings = self._settings, settings
        feed = _Feed(self._indices, self._sizes, self._batched)
        try:
            self._segments.append(self._make(feed, self._seeds.later()))
        except BaseException as e:
            self._settings = before
            self._give_back(feed, newest)
            if isinstance(e, OSError) and not feed.failed:
                raise CannotChange(str(e)) from e
            raise
        newest.stopped = True
        return True

    def _give_back(self, feed: _Feed, to: _Feed) -> None:
        """What a segment has pulled that did not start."""
        for _ in range(feed.pulled):
            self._sizes.pop()
        self._indices = to.indices = chain(feed.kept or (), self._indices)

    @property
    def settings(self) -> Settings:
        """Of the workers that load what comes next."""
        return self._settings

    def runs(self, settings: Settings) -> bool:
        """Whether these are in force alone: the workers before them have given all."""
        return len(self._segments) == 1 and settings.same(self._segments[0].settings)

    # ---- ending ----

    @property
    def pids(self) -> List[int]:
        """The workers, of all segments that still have some."""
        return [pid for segment in self._segments for pid in segment.pids]

    def lasting(self) -> Optional[_Segment]:
        """The last segment, if its workers persist."""
        segment = self._segments[-1]
        return segment if self._source.persistent_workers and \
            segment.settings.workers > 0 else None

    def _retire(self) -> None:
        """Ends the workers of a segment that has given all, beside what goes on."""
        segment = self._segments.popleft()
        last = [segment.batches, segment.loader]
        segment.batches = segment.loader = None
        reaper = threading.Thread(target=_drop, args=(last,), name="dfopt-reaper")
        reaper.start()
        _reapers.append(reaper)

    def _end(self) -> None:
        """torch has ended the last workers, but for those that persist."""
        wait_for_reapers()
        if not self._source.persistent_workers:
            self._segments[0].forget()
