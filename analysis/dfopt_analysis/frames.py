"""Tables of a decision log as DataFrames: names, not ids.

Columns are read one by one, so that memory is that of the frame and of one
column. Names are categoricals: a byte or two a row.
"""
import os
import re
from functools import cached_property
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import pandas as pd

from . import schema
from .reader import BLOCK_ROWS, NONE_ID, Array, LogError, LogFile


def natural(name: str) -> Tuple[Any, ...]:
    """Sorts n2 before n10."""
    return tuple((0, int(p), p) if p.isdigit() else (1, 0, p)
                 for p in re.split(r"(\d+)", name))


class Log:
    """A decision log. Each table is read at its first use and kept.

    findings, verdicts, plans, acks, ...   DataFrames, see docs/analysis.md
    frame(table, columns)                  some columns only; not kept
    file                                   the rows as stored; file.run, file.notes
    """

    def __init__(self, file: LogFile) -> None:
        self.file = file
        self.run = file.run

    @property
    def notes(self) -> List[str]:
        return self.file.notes

    @cached_property
    def findings(self) -> pd.DataFrame:
        return self.frame("findings")

    @cached_property
    def objectives(self) -> pd.DataFrame:
        return self.frame("objectives")

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        return self.frame("outcomes")

    @cached_property
    def rejects(self) -> pd.DataFrame:
        return self.frame("rejects")

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        return self.frame("verdicts")

    @cached_property
    def plans(self) -> pd.DataFrame:
        return self.frame("plans")

    @cached_property
    def acks(self) -> pd.DataFrame:
        return self.frame("acks")

    @cached_property
    def registrations(self) -> pd.DataFrame:
        return self.frame("registrations")

    @cached_property
    def knobs(self) -> pd.DataFrame:
        return self.frame("knobs")

    @cached_property
    def knob_values(self) -> pd.DataFrame:
        return self.frame("knob_values")

    @cached_property
    def responses(self) -> pd.DataFrame:
        return self.frame("responses")

    @cached_property
    def global_plans(self) -> pd.DataFrame:
        return self.frame("global_plans")

    @cached_property
    def suppressions(self) -> pd.DataFrame:
        return self.frame("suppressions")

    @cached_property
    def timeouts(self) -> pd.DataFrame:
        return self.frame("timeouts")

    @cached_property
    def runs(self) -> pd.DataFrame:
        return self.frame("runs")

    def frame(self, table: str, columns: Optional[Sequence[str]] = None
              ) -> pd.DataFrame:
        """A table, or some columns of it. Errors: LogError, KeyError (no such
        table or column)."""
        kinds = self.kinds(table)
        for name in columns or ():
            if name not in kinds:
                raise KeyError(f"/{table} has no column {name!r}; it has "
                               + ", ".join(kinds))
        data: Dict[str, Any] = {}
        for name in columns or kinds:
            data.update(_column(self.file, table, name, kinds[name]))
        return pd.DataFrame(data, copy=False)

    def kinds(self, table: str) -> Dict[str, str]:
        """The columns of a table: those that we know, then those that the file
        has besides."""
        kinds = dict(schema.TABLES[table])
        known = {p for n, k in kinds.items() for p in schema.parts(n, k)}
        for dataset in self.file.datasets(table):
            if dataset not in known:
                kinds[dataset] = schema.kind_of_dataset(
                    self.file.units(table, dataset))
        return kinds


def load(path: Union[str, "os.PathLike[str]"], any_version: bool = False) -> Log:
    """Opens a decision log: finished, being written, or left by a writer that was
    killed (then log.notes says so). Raises LogError, which names file and reason.

    any_version  read a version of the format that this program does not know
    """
    return Log(LogFile(os.fspath(path), any_version))


# ---- columns ----

def _column(file: LogFile, table: str, name: str, kind: str) -> Dict[str, Any]:
    """The columns of the frame that a column of the table becomes."""
    needed = schema.parts(name, kind)
    if not file.has(table, *needed):
        note = f"there is no /{table}/{name}: shown as empty"
        since = max(schema.SINCE.get(table, 1),
                    schema.COLUMNS_SINCE.get(f"{table}/{name}", 1))
        known = since <= file.run.format_version
        if known and note not in file.notes:
            file.notes.append(note)
        return {name: _missing(kind, file.rows(table))}
    if kind == "name":
        return {name: names_of(file, table, name)}
    if kind == "names":
        return {name: _lists_of(file, table, name)}
    if kind == "enum":
        return {name: _enum_of(file, table, name)}
    if kind == "text":
        return {name: pd.Series(file.pool(table, *needed), dtype=object)}
    if kind == "value":
        return {name: pd.Series(_values_of(file, table, name), dtype=object),
                name + "_real": file.read(table, name + "_real")}
    if kind == "id":
        return {name: pd.Series(_plan_ids(file, table, name), dtype=object)}
    found = file.read(table, name)
    return {name: found.astype(np.int64) if found.dtype == np.uint64 else found}


def _missing(kind: str, rows: int) -> Any:
    if kind == "real":
        return np.full(rows, np.nan)
    if kind == "int":
        return np.full(rows, -1, dtype=np.int64)
    if kind in ("name", "names", "enum"):
        return pd.Categorical.from_codes(np.full(rows, -1, dtype=np.int8), [])
    return pd.Series([None] * rows, dtype=object)


def _categorical(codes: Array, names: Sequence[str], ordered: bool = False) -> Any:
    categories = pd.Index(names, dtype=object)
    return pd.Categorical.from_codes(
        codes, dtype=pd.CategoricalDtype(categories, ordered=ordered))


def _used(file: LogFile, table: str, dataset: str, limit: int) -> Tuple[Array, Array]:
    """The ids of a column, and the ids that occur in it, ascending."""
    ids = np.empty(file.rows(table), dtype=np.uint32)
    seen = np.zeros(limit, dtype=bool)
    for start in range(0, len(ids), BLOCK_ROWS):
        block = file.read(table, dataset, start, start + BLOCK_ROWS)
        file.check_ids(table, dataset, block, limit)
        seen[block[block != NONE_ID]] = True
        ids[start:start + BLOCK_ROWS] = block
    return ids, np.flatnonzero(seen)


def _coded(ids: Array, used: Array, names: List[str], limit: int) -> Any:
    """Ids as a categorical of the names of used; equal names are one category."""
    categories = sorted(set(names), key=natural)
    place = {n: i for i, n in enumerate(categories)}
    small = np.min_scalar_type(-max(len(categories), 1) - 1)
    code_of = np.full(limit + 1, -1, dtype=small)  # the last stands for none
    code_of[used] = [place[n] for n in names]
    codes = np.empty(len(ids), dtype=small)
    for start in range(0, len(ids), BLOCK_ROWS):
        block = ids[start:start + BLOCK_ROWS]
        codes[start:start + BLOCK_ROWS] = code_of[np.minimum(block, limit)]
    return _categorical(codes, categories)


def names_of(file: LogFile, table: str, dataset: str) -> Any:
    """A column of string ids as a categorical, natural order; none is NaN."""
    limit = len(file.strings)
    ids, used = _used(file, table, dataset, limit)
    return _coded(ids, used, [file.strings[i] for i in used], limit)


def _lists_of(file: LogFile, table: str, dataset: str) -> Any:
    limit = file.rows("lists")
    ids, used = _used(file, table, dataset, limit)
    return _coded(ids, used, [",".join(file.string_list(i)) for i in used], limit)


def _enum_of(file: LogFile, table: str, dataset: str) -> Any:
    names = file.enum(table, dataset)
    codes = file.read(table, dataset)
    if len(codes) and int(codes.max()) >= len(names):
        raise LogError(f"{file.path}: /{table}/{dataset} is damaged: there is no "
                       f"enumerator {int(codes.max())}")
    return _categorical(codes.astype(np.int8), names, ordered=True)


def _values_of(file: LogFile, table: str, name: str) -> List[Any]:
    """JSON values: None, bool, int, float, str."""
    kind, integer, real, text = (file.read(table, p)
                                 for p in schema.parts(name, "value"))
    file.check_ids(table, name + "_str", text, len(file.strings))
    kinds = file.enum(table, name + "_kind")
    strings = file.strings
    made = {"bool": lambda i, r, s: bool(i), "int": lambda i, r, s: i,
            "real": lambda i, r, s: r,
            "str": lambda i, r, s: None if s == NONE_ID else strings[s]}
    make = [made.get(k, lambda i, r, s: None) for k in kinds]
    if len(kind) and int(kind.max()) >= len(make):
        raise LogError(f"{file.path}: /{table}/{name}_kind is damaged")
    return [make[k](i, r, s) for k, i, r, s in
            zip(kind.tolist(), integer.tolist(), real.tolist(), text.tolist())]


def _plan_ids(file: LogFile, table: str, name: str) -> List[Optional[str]]:
    """Own plans: plan_ and 16 hex digits. Relayed plans: the id they came with.
    Acks and outcomes of no plan: None."""
    numbers = file.read(table, name).tolist()
    if table == "outcomes":
        return ["plan_%016x" % n if n else None for n in numbers]
    if file.has(table, "relay_id"):
        relays = file.read(table, "relay_id")
        file.check_ids(table, "relay_id", relays, len(file.strings))
        return ["plan_%016x" % n if r == NONE_ID else file.strings[r]
                for n, r in zip(numbers, relays.tolist())]
    if file.has(table, "outcome"):
        outcomes = file.enum(table, "outcome")
        of_none = outcomes.index("unmatched") if "unmatched" in outcomes else -1
        return [None if o == of_none else "plan_%016x" % n for n, o in
                zip(numbers, file.read(table, "outcome").tolist())]
    return ["plan_%016x" % n for n in numbers]
