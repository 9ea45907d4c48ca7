"""A DataLoader that tunes itself."""
from __future__ import annotations

import inspect
import logging
import math
import multiprocessing
import os
import time
import weakref
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import torch
import torch.distributed as dist
import torch.utils.data
from torch.utils.data import DataLoader, IterableDataset

from ._machine import amount, cores
from ._segments import CannotChange, Epoch, Progress, Seeds, Settings
from ._tuning import Auto, Tuner, auto, bounds_of
from .context import OptimizerContext, optimizer_context
from .errors import ArgumentError

__all__ = ["LoaderCallback", "TunableLoader"]

logger = logging.getLogger("dfopt_client")

_WORKERS, _PREFETCH = auto(1), auto(2, max=8)
_ENDPOINTS = ("PLANS", "REGISTRY", "ACKS", "OBJECTIVES", "FINDINGS", "ENDPOINTS", "GROUP_FILE")

_PIPES: Tuple[Any, ...] = tuple(  # not of every torch
    getattr(torch.utils.data, name) for name in ("IterDataPipe", "MapDataPipe")
    if hasattr(torch.utils.data, name))

_tuner: Optional[Tuner] = None  # of this process
_tuned: "Optional[weakref.ref[TunableLoader]]" = None
_STATE = {"epochs", "batches", "random", "epoch_workers", "num_workers", "prefetch_factor"}
_parents: List[Any] = []  # workers that are another process's: not to be ended here


def _context(optimizer: Any) -> Tuple[Optional[OptimizerContext], Any]:
    """The context, and the group, if there is somebody to tune; else None."""
    from .torch import process_group
    if optimizer is None:
        return None, None
    if isinstance(optimizer, OptimizerContext):
        context, group = optimizer, optimizer._group
    elif optimizer != "env":
        raise ArgumentError("optimizer must be 'env', None or an OptimizerContext, "
                            f"not {optimizer!r}")
    elif not any(os.environ.get(f"DFOPT_CLIENT_{name}") for name in _ENDPOINTS):
        return None, None
    else:
        several = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
        comm = process_group() if several else None
        more: Dict[str, Any] = {} if comm is None else {"comm": comm}
        context = optimizer_context(**more)
        group = context._group
    return (None, None) if context._noop else (context, group)


def _no_epoch() -> Optional[Epoch]:
    return None


class TunableLoader(DataLoader):  # type: ignore[misc]
    """torch.utils.data.DataLoader, whose num_workers and prefetch_factor an optimizer changes
    while it runs:

        loader = TunableLoader(dataset, batch_size=32, shuffle=True)

    It takes a DataLoader's arguments. num_workers and prefetch_factor may be auto(start, max,
    min), which is also their default; as a number they stay. The order and content of samples
    are those of DataLoader, whatever changes.

    ram_budget is what the workers may hold ("8GB", "25%", bytes; default 80 % of what is
    available), window the shortest window of analysis in seconds, name the loader's in knobs
    and reports. sharded says that an iterable dataset divides its samples among workers, so
    that their number may change, which it does between epochs. optimizer is "env" (what
    DFOPT_CLIENT_* in the environment name), an OptimizerContext, or None. Without one it
    loads as a DataLoader with the start values.

    With torch.distributed every rank makes and iterates one, for as many batches as the
    others; rank 0 decides, and all change at the same step. Of the loaders of a process one is
    tuned: the first that is made while no other is.
    """

    def __init__(self, *args: Any, ram_budget: Any = None, window: float = 1.0,
                 optimizer: Any = "env", sharded: bool = False, name: str = "loader",
                 **kwargs: Any) -> None:
        given = inspect.signature(DataLoader.__init__).bind(self, *args, **kwargs).arguments
        del given["self"]
        dataset = given.get("dataset")
        iterable = isinstance(dataset, IterableDataset)
        workers = given.pop("num_workers", _WORKERS)
        prefetch = given.pop("prefetch_factor", _PREFETCH)
        if iterable and isinstance(workers, Auto) and not sharded:
            workers = workers.start
        bounds = {"num_workers": bounds_of("num_workers", workers, 0),
                  "prefetch_factor": bounds_of(
                      "prefetch_factor", 2 if prefetch is None else prefetch, 1)}
        if not isinstance(window, (int, float)) or not 0 < window < math.inf:
            raise ArgumentError(f"window must be a number of seconds above 0, not {window!r}")
        budget = amount("ram_budget", ram_budget) if ram_budget is not None else 0
        start = bounds["num_workers"][0]
        if start > 0:
            given["prefetch_factor"] = bounds["prefetch_factor"][0]
        elif bounds["num_workers"][2] == 0 and not isinstance(prefetch, Auto):
            given["prefetch_factor"] = prefetch  # torch refuses some without workers
        super().__init__(num_workers=start, **given)
        self._pipe = isinstance(dataset, _PIPES)
        self._seeds = Seeds()
        # the iterator has the epoch, so that its workers go with it
        self._epoch: Callable[[], Optional[Epoch]] = _no_epoch
        self._progress = Progress()
        self._progress.over = True
        self._kept: Any = None
        self._epochs = 0
        self._began: Any = None
        self._resume: Optional[Dict[str, Any]] = None
        self._pid: Optional[int] = os.getpid()
        self._auto = isinstance(workers, Auto)
        self._loading = start  # workers of the last epoch
        self._tuner: Optional[Tuner] = None
        self._turns: Optional[Tuner] = None  # one that loaders of the same data share
        self._plain = bounds
        self._why_not = "it is a copy in another process"
        self._attach(optimizer, name, bounds, window, budget)

    def _attach(self, optimizer: Any, name: str, bounds: Dict[str, Tuple[int, int, int]],
                window: float, budget: int) -> None:
        if self._pipe:
            self._why_not = "its dataset is a datapipe"
            return
        if bounds["num_workers"][2] == 0 or \
                all(low == most for _, low, most in bounds.values()):
            self._why_not = "num_workers and prefetch_factor are numbers, or have one value; " \
                            "auto(...) may change"
            return
        context, group = _context(optimizer)
        if context is None:
            self._why_not = "there is no optimizer: DFOPT_CLIENT_ENDPOINTS is not set or names " \
                            "no file, no other DFOPT_CLIENT_* names one, or optimizer is None"
            return
        if _tuner is None or _tuner.context is not context:
            self._claim(Tuner(context, group, name, bounds, window, budget))
            return
        other = _tuned() if _tuned is not None else None
        alike = _tuner.name == name and _tuner.bounds == bounds
        if other is None:  # one of the same kind begins where that was
            self._claim(_tuner if alike else Tuner(context, group, name, bounds, window, budget))
            return
        self._why_not = f"this process already tunes {_tuner.name}"
        if alike and other.dataset is self.dataset and other.batch_size == self.batch_size:
            self._turns = _tuner
            if other._began is not None and other._epoch() is None:
                self._claim(_tuner)
            return
        logger.warning("%s is not tuned: %s", name, self._why_not)

    def _claim(self, tuner: Tuner) -> None:
        """From now on this loader is the one that is tuned."""
        global _tuner, _tuned
        other = _tuned() if _tuned is not None else None
        if other is not None and other is not self:
            other._tuner = None
            other._why_not = f"another loader of the same data is tuned as {tuner.name}"
        self._tuner = self._turns = _tuner = tuner
        _tuned = weakref.ref(self)
        self._show()

    def _here(self) -> None:
        """A copy in a forked process leaves to its parent what is the parent's. Loaders of
        the same data take turns."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            _parents.append(self._kept)
            self._kept, self._epoch = None, _no_epoch
            self._tuner = self._turns = None
            self._why_not = "it is a copy in another process"
        if self._tuner is None and self._turns is not None and self._turns is _tuner:
            other = _tuned() if _tuned is not None else None
            if other is None or other._epoch() is None:
                self._claim(self._turns)

    def _show(self) -> None:
        """The attributes of a DataLoader tell what is in force."""
        if self._tuner is not None:
            self.num_workers = self._tuner.settings.workers
            if self.num_workers > 0:
                self.prefetch_factor = self._tuner.settings.prefetch

    def __getstate__(self) -> Dict[str, Any]:
        """A copy in another process is not tuned, and begins anew."""
        over = Progress()
        over.over = True
        return {**self.__dict__, "_epoch": _no_epoch, "_kept": None, "_tuner": None,
                "_turns": None, "_pid": None, "_progress": over}

    @classmethod
    def of(cls, loader: Any, **options: Any) -> "TunableLoader":
        """One with the arguments of a DataLoader, but for num_workers and prefetch_factor,
        which begin where the loader's are. options are this class's."""
        given: Dict[str, Any] = {
            name: getattr(loader, name) for name in (
                "collate_fn", "pin_memory", "timeout", "worker_init_fn", "generator",
                "multiprocessing_context", "persistent_workers", "pin_memory_device",
                "in_order") if hasattr(loader, name)}
        if loader.num_workers == 0:  # what torch takes only with workers
            given.update(timeout=0, persistent_workers=False)
        if isinstance(loader.dataset, IterableDataset):
            given.update(batch_size=loader.batch_size, drop_last=loader.drop_last)
        elif loader.batch_sampler is not None:
            given["batch_sampler"] = loader.batch_sampler
        else:
            given.update(batch_size=None, sampler=loader.sampler)
        start = max(1, loader.num_workers)
        given["num_workers"] = Auto(start, max(start, cores()), 1)
        ahead = (loader.num_workers and loader.prefetch_factor) or 2
        given["prefetch_factor"] = Auto(ahead, max(ahead, 8), 1)
        made = cls(loader.dataset, **{**given, **options})
        if made._tuner is None and "num_workers" not in options:
            made.num_workers = loader.num_workers
        return made

    # ---- iterating ----

    def __iter__(self) -> Iterator[Any]:
        """It begins at once, as DataLoader's does."""
        if self._pipe:
            plain: Iterator[Any] = super().__iter__()
            return plain
        return _Run(self, self._begin())

    def _next_settings(self) -> Settings:
        """What the next epoch begins with."""
        if self._tuner is not None:
            self._tuner.between()
            self._show()
            settings = self._tuner.settings
        elif self._auto and multiprocessing.current_process().daemon:
            settings = Settings(0, 1)  # which may have no children
        else:
            settings = Settings(self.num_workers,
                                self.prefetch_factor or self._plain["prefetch_factor"][0])
        resume = self._resume
        if resume is not None and resume["batches"] and isinstance(self.dataset, IterableDataset):
            # another number of workers would give the samples in another order
            return Settings(int(resume["epoch_workers"]), settings.prefetch)
        return settings

    def _begin(self) -> Epoch:
        self._here()
        tuner, settings = self._tuner, self._next_settings()
        self._loading = settings.workers
        last, self._kept = self._kept, None
        kept = last if last is not None and settings.same(last.settings) and last.alive else None
        del last
        resume, self._resume = self._resume, None
        begin = time.perf_counter()
        if resume is None:
            self._began = self._random_state()
            epoch = Epoch(self, settings, self._seeds, kept)
            if tuner is not None:
                tuner.began(time.perf_counter() - begin)
        else:
            epoch = self._again(resume, settings, kept)
        self._progress, self._epoch = epoch.progress, weakref.ref(epoch)
        self._kept = epoch.lasting()
        if tuner is not None:
            tuner.epoch_of = self._epoch
        return epoch

    def _ended(self, epoch: Epoch) -> None:
        """It has given its last batch."""
        if not epoch.progress.over:
            epoch.progress.over = True
            self._epochs += 1
        self._kept = epoch.lasting()

    def _generators(self) -> List[torch.Generator]:
        """Those of the samplers, besides the loader's own."""
        found: List[torch.Generator] = []
        for sampler in (self.sampler, self.batch_sampler):
            for one in (sampler, getattr(sampler, "sampler", None)):
                g = getattr(one, "generator", None)
                if isinstance(g, torch.Generator) and all(
                        g is not other for other in (self.generator, *found)):
                    found.append(g)
        return found

    def _random_state(self) -> List[Any]:
        own = torch.random.get_rng_state() if self.generator is None else \
            self.generator.get_state()
        return [own, *(g.get_state() for g in self._generators())]

    def _set_random_state(self, state: List[Any]) -> None:
        if self.generator is None:
            torch.random.set_rng_state(state[0])
        else:
            self.generator.set_state(state[0])
        for generator, its in zip(self._generators(), state[1:]):
            generator.set_state(its)

    # ---- state ----

    def state_dict(self) -> Dict[str, Any]:
        """Where it is: to be saved between two batches, or between epochs."""
        inside = not self._progress.over
        settings = self._tuner.settings if self._tuner is not None else None
        return {"version": 1, "epochs": self._epochs,
                "batches": self._progress.given if inside else 0,
                "random": self._began if inside else self._random_state(),
                "epoch_workers": self._loading,
                "num_workers": settings.workers if settings else self.num_workers,
                "prefetch_factor": settings.prefetch if settings else
                self._plain["prefetch_factor"][0]}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """The next iteration goes on where the state was saved: with the same order of
        samples, behind those that were handed over (which an iterable dataset loads again,
        and drops). Raises ArgumentError."""
        version = state.get("version") if isinstance(state, dict) else None
        if version != 1:
            raise ArgumentError(f"not a state of a TunableLoader: version {version!r}, expected 1")
        missing = sorted(_STATE - state.keys())
        if missing:
            raise ArgumentError(f"the state of a TunableLoader is damaged: no {missing[0]}")
        self._resume = dict(state)
        self._epochs = int(state["epochs"])
        self.restore_settings(state["num_workers"], state["prefetch_factor"])

    def restore_settings(self, num_workers: int, prefetch_factor: int) -> None:
        """Begins with what an optimizer had chosen in an earlier run."""
        if self._tuner is not None:
            self._tuner.restore(int(num_workers), int(prefetch_factor))
            self._show()

    def _again(self, state: Dict[str, Any], settings: Any, kept: Any) -> Epoch:
        """The epoch of a state. A generator that is the application's own stays where the
        epoch leaves it; the global one is as it was before, if the epoch is under way."""
        now = self._random_state()
        self._set_random_state(state["random"])
        self._began = state["random"]
        try:
            return Epoch(self, settings, self._seeds, kept, skip=int(state["batches"]))
        finally:
            if self.generator is None and state["batches"]:
                torch.random.set_rng_state(now[0])

    # ---- the report ----

    def tuning_report(self) -> str:
        """Each window and each change, and what it brought."""
        return f"not tuned: {self._why_not}" if self._tuner is None else self._tuner.report()


class _Run:
    """An epoch, and its measuring."""

    def __init__(self, loader: TunableLoader, epoch: Epoch) -> None:
        self._loader, self._epoch, self._tuner = loader, epoch, loader._tuner
        self._settings = None if loader._tuner is None else loader._tuner.settings

    def __iter__(self) -> "_Run":
        return self

    def __len__(self) -> int:
        return len(self._loader)

    def __next__(self) -> Any:
        tuner, epoch = self._tuner, self._epoch
        if tuner is not None:
            tuner.asked()
            if tuner.settings is not self._settings:
                self._change(tuner)
        try:
            batch = next(epoch)
        except StopIteration:
            if tuner is not None:
                tuner.rest()
            self._loader._ended(epoch)
            raise
        if tuner is not None:
            tuner.got(batch, epoch.size())
        else:
            epoch.size()
        return batch

    def _change(self, tuner: Tuner) -> None:
        self._settings = tuner.settings
        try:
            self._epoch.resize(tuner.settings)
        except CannotChange as e:
            tuner.undo(self._epoch.settings, str(e))
            self._settings = tuner.settings
        self._loader._kept = self._epoch.lasting()
        self._loader._show()


class LoaderCallback:
    """What the callbacks of training frameworks have in common: they replace the loader that
    a method of theirs returns."""

    def __init__(self, options: Dict[str, Any]) -> None:
        self._options = options
        self._loader: Any = None
        self._from: Any = None
        self._state: Dict[str, Any] = {}

    def wrap(self, source: Any, name: str) -> None:
        """From now on source.name() returns a TunableLoader."""
        self.unwrap()
        original = getattr(source, name)
        own = [source.__dict__[name]] if name in source.__dict__ else []

        def loader(*args: Any, **kwargs: Any) -> Any:
            return self._replace(original(*args, **kwargs))

        setattr(source, name, loader)
        self._from = (source, name, own)

    def unwrap(self) -> None:
        """It is again what it was: a method of the class, or an attribute of its own."""
        if self._from is not None:
            source, name, own = self._from
            if own:
                setattr(source, name, own[0])
            else:
                source.__dict__.pop(name, None)
            self._from = None

    def _replace(self, loader: Any) -> Any:
        if isinstance(loader, TunableLoader):
            self._loader = loader
        elif type(loader) is DataLoader:
            self._loader = TunableLoader.of(loader, **self._options)
            if self._loader._tuner is None:
                return loader
        else:
            logger.warning("%s is not a plain torch DataLoader and is left unchanged; return a "
                           "TunableLoader instead", type(loader).__qualname__)
            return loader
        if self._state:
            self.restore(self._state)
        return self._loader

    def report(self) -> str:
        return str(self._loader.tuning_report()) if self._loader is not None else \
            "not tuned: no loader was made"

    def settings(self) -> Dict[str, Any]:
        """What is in force."""
        if self._loader is None:
            return self._state
        state = self._loader.state_dict()
        return {name: state[name] for name in ("num_workers", "prefetch_factor")}

    def restore(self, state: Dict[str, Any]) -> None:
        """Begins with these settings, now or when the loader is made."""
        self._state = dict(state)
        if self._loader is not None and self._state:
            self._loader.restore_settings(**self._state)
