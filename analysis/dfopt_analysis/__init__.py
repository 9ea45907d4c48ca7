"""Decision logs of dfopt-mpi as pandas DataFrames, and pictures of them.

    from dfopt_analysis import load
    log = load("decisions.h5")
    log.verdicts.groupby("verdict").size()

See docs/analysis.md. What is heavy (h5py, pandas, matplotlib) is loaded at the
first use, so that a program's --help needs none of it.
"""
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .frames import Log, load
    from .reader import LogError, LogFile

__all__ = ["Log", "LogError", "LogFile", "load"]


def __getattr__(name: str) -> Any:
    if name in ("Log", "load"):
        from . import frames as module
    elif name in ("LogError", "LogFile"):
        from . import reader as module  # type: ignore[no-redef]
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(module, name)
