"""Opens a decision log and reads committed rows of its datasets.

The only user of h5py. Nothing in the file is trusted: only what the last commit
counts is read, and ids and ends are checked before they are used. A log that is
being written, or whose writer was killed, is opened the SWMR way.
"""
import os
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import h5py
import numpy as np
import numpy.typing as npt

from . import schema

Array = npt.NDArray[Any]
NONE_ID = 0xFFFFFFFF
BLOCK_ROWS = 1 << 20
TEXT_ATTRIBUTES = ("program_version", "hdf5_version", "mpi_library", "transport",
                   "command_line", "run_id", "created", "policy", "preset",
                   "acks_mode", "detail")


class LogError(Exception):
    """The file, or a part of it, cannot be read; the text says which and why."""


@dataclass
class Run:
    """What the file says of its run. Attributes that are not there are ""."""
    path: str
    format_version: int
    ranks: int = 0
    complete: bool = False
    commits: int = 0
    events: int = 0
    program_version: str = ""
    hdf5_version: str = ""
    mpi_library: str = ""
    transport: str = ""
    command_line: str = ""
    run_id: str = ""
    created: str = ""
    policy: str = ""
    preset: str = ""
    acks_mode: str = ""
    detail: str = ""
    rows: Dict[str, int] = field(default_factory=dict)


def open_hdf5(path: str) -> Tuple[Any, bool]:
    """The file, and whether it had to be opened the SWMR way."""
    try:
        with open(path, "rb") as f:
            if not f.read(1):
                raise LogError(f"{path}: the file is empty")
    except OSError as e:
        raise LogError(f"{path}: {e.strerror}") from None
    if not h5py.is_hdf5(path):
        raise LogError(f"{path}: not an HDF5 file")
    try:
        return h5py.File(path, "r"), False
    except OSError:
        pass
    try:
        return h5py.File(path, "r", libver="latest", swmr=True), True
    except (OSError, ValueError) as e:
        raise LogError(f"{path}: an HDF5 file that cannot be opened, cut off or "
                       f"damaged ({e})") from None


def read_attribute(file: Any, name: str, default: Any) -> Any:
    """An attribute of the file as str or int; default where there is none."""
    try:
        value = file.attrs.get(name, default)
    except (OSError, TypeError, ValueError):
        return default
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(default, str):
        return value if isinstance(value, str) else default
    return int(value) if isinstance(value, (int, np.integer)) else default


class LogFile:
    """An open decision log: rows of datasets as they are stored.

    run    what the file says of its run
    notes  what a reader should know: not complete, columns that are missing
    """

    def __init__(self, path: str, any_version: bool = False) -> None:
        self.path = os.fspath(path)
        self.notes: List[str] = []
        self._strings: Optional[List[str]] = None
        self._lists: Optional[Tuple[Array, Array]] = None
        self._file, self._swmr = open_hdf5(self.path)
        try:
            self._check_format(any_version)
            self._read_commit()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "LogFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- the file as a whole ----

    def _check_format(self, any_version: bool) -> None:
        name = read_attribute(self._file, "format", "")
        version = read_attribute(self._file, "format_version", -1)
        if name != schema.FORMAT or version < 0:
            what = f"it says format {name!r}" if name else "no attribute 'format'"
            raise LogError(f"{self.path}: an HDF5 file, but not a decision log: {what}")
        self.run = Run(self.path, version, read_attribute(self._file, "ranks", 0))
        for attribute in TEXT_ATTRIBUTES:
            setattr(self.run, attribute, read_attribute(self._file, attribute, ""))
        if 1 <= version <= schema.VERSION:
            return
        said = (f"{self.path}: format version {version} is not supported; this program "
                f"reads 1 to {schema.VERSION}. The log was written by dfopt-mpi "
                f"{self.run.program_version or '?'} at {self.run.created or '?'}")
        if not any_version:
            raise LogError(said + ": use the programs that came with it, or "
                           "--any-version to show what can be read")
        self.notes.append(said + ": what follows may be misread")

    def _read_commit(self) -> None:
        try:
            commits = self._file["commits"]
            self.run.commits = int(commits.shape[0])
            last = commits[-1] if self.run.commits else None
        except (KeyError, OSError, ValueError) as e:
            raise LogError(f"{self.path}: /commits cannot be read ({e})") from None
        names = () if last is None else last.dtype.names
        newer = {t for t, since in schema.SINCE.items()
                 if since > self.run.format_version}
        self._committed = {n: int(last[n]) for n in names if n not in newer}
        self.run.events = self._committed.get("next_seq", 0)
        self.run.rows = {t: self._committed.get(t, 0) for t in schema.TABLES}
        try:
            self.run.complete = bool(self._file["complete"][0])
        except (KeyError, OSError, ValueError, IndexError):
            self.run.complete = False
        if self.run.complete:
            return
        self.notes.append(
            "the log is not complete: its writer is still at work or was killed; "
            f"shown is what had been committed: {self.run.events} events"
            if self.run.commits else
            "the log is not complete and nothing has been committed to it yet")

    def units(self, table: str, dataset: str) -> str:
        found = self._file[table][dataset].attrs.get("units", "")
        return found.decode() if isinstance(found, bytes) else str(found)

    def datasets(self, table: str) -> List[str]:
        return list(self._file[table]) if table in self._file else []

    def has(self, table: str, *datasets: str) -> bool:
        return table in self._file and all(d in self._file[table] for d in datasets)

    # ---- rows ----

    def rows(self, table: str) -> int:
        """Committed rows of a table."""
        return self._committed.get(table, 0)

    def read(self, table: str, dataset: str, start: int = 0,
             stop: Optional[int] = None, count: str = "") -> Array:
        """Rows start..stop of a dataset; count names its entry in /commits."""
        end = self._committed.get(count or table, 0)
        stop = end if stop is None else min(stop, end)
        try:
            d = self._file[table][dataset]
            if d.shape[0] < end and self._swmr:
                d.refresh()
            if d.shape[0] < end:
                raise LogError(f"{self.path}: /{table}/{dataset} is damaged: {end} "
                               f"rows are committed, {d.shape[0]} are there")
            found: Array = d[start:stop]
            return found
        except KeyError:
            raise LogError(f"{self.path}: there is no /{table}/{dataset}") from None
        except OSError as e:
            raise LogError(f"{self.path}: /{table}/{dataset} is damaged: rows {start} "
                           f"to {stop} cannot be read ({e})") from None

    def blocks(self, table: str, datasets: Sequence[str],
               rows: int = BLOCK_ROWS) -> Iterator[Dict[str, Array]]:
        """Rows of some datasets, block by block: memory stays bounded."""
        for start in range(0, self.rows(table), rows):
            yield {d: self.read(table, d, start, start + rows) for d in datasets}

    def enum(self, table: str, dataset: str) -> List[str]:
        """Names of an enumeration by number, without gaps."""
        if not self.has(table, dataset):
            return []
        numbers = h5py.check_enum_dtype(self._file[table][dataset].dtype) or {}
        names = [f"unknown_{i}" for i in range(max(numbers.values(), default=-1) + 1)]
        for name, number in numbers.items():
            names[number] = name
        return names

    # ---- pools ----

    def _ends(self, table: str, dataset: str, size: int) -> Array:
        ends = self.read(table, dataset).astype(np.int64)
        steps = np.diff(ends, prepend=0)
        if len(ends) and (steps.min() < 0 or ends[-1] > size):
            row = int(np.argmax((steps < 0) | (ends > size)))
            raise LogError(f"{self.path}: /{table}/{dataset} is damaged at row {row}")
        return ends

    def pool(self, table: str, ends: str, raw: str) -> List[str]:
        """The texts of a pool, one a row."""
        size = self._committed.get(f"{table}_{raw}", 0)
        stops = self._ends(table, ends, size).tolist()
        data = self.read(table, raw, count=f"{table}_{raw}").tobytes()
        return [data[a:b].decode("utf-8", "replace")
                for a, b in zip([0] + stops, stops)]

    @property
    def strings(self) -> List[str]:
        """Every string by its id."""
        if self._strings is None:
            self._strings = self.pool("strings", "ends", "bytes")
        return self._strings

    def string_list(self, number: int) -> List[str]:
        """The strings of a list id."""
        if self._lists is None:
            size = self._committed.get("lists_items", 0)
            self._lists = (self._ends("lists", "ends", size),
                           self.read("lists", "items", count="lists_items"))
        ends, items = self._lists
        if number >= len(ends):
            raise LogError(f"{self.path}: there is no list {number}")
        first = int(ends[number - 1]) if number else 0
        return [self.strings[i] for i in items[first:int(ends[number])].tolist()]

    def check_ids(self, table: str, dataset: str, ids: Array, limit: int) -> None:
        """Every id is below the limit, or none."""
        bad = (ids >= limit) & (ids != NONE_ID)
        if bad.any():
            raise LogError(f"{self.path}: /{table}/{dataset} is damaged: there is no "
                           f"string or list {int(ids[bad][0])}")
