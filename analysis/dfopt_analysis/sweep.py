"""The file of a sweep as DataFrames (docs/sweeps.md)."""
from dataclasses import dataclass
from typing import Any, Dict, List

import numpy as np
import pandas as pd

from .reader import Array, LogError, open_hdf5, read_attribute

FORMAT, VERSION = "dfopt-sweep", 1
MORE_IS_BETTER = ("longest_run", "episodes_planned")


@dataclass
class Sweep:
    """Variants in rows: settings (as text; "" is not set), the same as numbers, and
    metrics. facts: attributes of the file."""
    path: str
    settings: pd.DataFrame
    numbers: pd.DataFrame
    metrics: pd.DataFrame
    facts: Dict[str, Any]

    def metric(self, name: str) -> Array:
        if name not in self.metrics:
            raise LogError(f"{self.path}: there is no metric {name!r}; there are "
                           + ", ".join(self.metrics))
        found: Array = self.metrics[name].to_numpy(dtype=float)
        return found


def _texts(dataset: Any) -> Array:
    found: Array = np.array([t.decode("utf-8", "replace") if isinstance(t, bytes)
                             else str(t) for t in dataset[:].ravel()], dtype=object)
    return found.reshape(dataset.shape)


def load(path: str) -> Sweep:
    """Errors: LogError, which names file and reason."""
    file, _ = open_hdf5(path)
    with file:
        name = read_attribute(file, "format", "")
        version = read_attribute(file, "format_version", -1)
        if name != FORMAT:
            raise LogError(f"{path}: an HDF5 file, but no sweep"
                           + (f": it says format {name!r}" if name else ""))
        if version != VERSION:
            raise LogError(f"{path}: format version {version} of a sweep; this program "
                           f"reads {VERSION}")
        try:
            return _read(path, file)
        except (KeyError, OSError, ValueError, IndexError) as e:
            raise LogError(f"{path}: the sweep is damaged ({e})") from None


def _read(path: str, file: Any) -> Sweep:
    paths = _texts(file["parameters/path"]).tolist()
    settings = pd.DataFrame(_texts(file["parameters/setting"]), columns=paths)
    numbers = pd.DataFrame(file["parameters/number"][:], columns=paths)
    metrics = pd.DataFrame({n: d[:] for n, d in file["metrics"].items()})
    if not len(settings) == len(numbers) == len(metrics):
        raise ValueError("tables of unequal length")
    facts = {n: v for n, v in file.attrs.items() if n != "sweep"}
    return Sweep(path, settings, numbers, metrics, facts)


def pareto(sweep: Sweep, one: str, two: str) -> List[int]:
    """Variants that no other is as good as in both metrics and better in one; in the
    order of the first metric."""
    a, b = (-sweep.metric(n) if n in MORE_IS_BETTER else sweep.metric(n)
            for n in (one, two))
    kept: List[int] = []
    best, at = np.inf, np.inf
    for i in np.lexsort((b, a)).tolist():
        if np.isnan(a[i]) or np.isnan(b[i]):
            continue
        if b[i] < best or (b[i] == best and a[i] == at):
            kept.append(i)
            best, at = float(b[i]), float(a[i])
    return kept


def varied(sweep: Sweep) -> List[str]:
    """Parameters with more than one value."""
    return [p for p in sweep.settings
            if sweep.settings[p][sweep.settings[p] != ""].nunique() > 1]
