"""What goes wrong, as exceptions. Each text names the knob, plan or endpoint."""
from __future__ import annotations

from typing import Dict, NoReturn, Type

__all__ = ["ArgumentError", "EndpointError", "Error", "KnobWarning", "LibraryError",
           "LimitError", "StateError"]


class Error(Exception):
    """Anything that this package raises, but for MemoryError."""


class ArgumentError(Error, ValueError):
    """A knob, plan, option or value that cannot be."""


class EndpointError(Error, OSError):
    """An endpoint that cannot be used."""


class StateError(Error, RuntimeError):
    """Not possible now: running already, closed, or inherited over a fork."""


class LimitError(Error, OSError):
    """More than the process may have: descriptors or threads."""


class KnobWarning(UserWarning):
    """A knob that can be declared, but is probably a mistake."""


class LibraryError(Error, ImportError):
    """libdfopt_client is missing, or of another version."""


# enum dfopt_err of dfopt/error.h
OK, NOMEM, ARG, PARSE, SCHEMA, LIMIT, IO, FORMAT, MPI, STATE, INTERRUPTED = range(11)

_CLASSES: Dict[int, Type[Exception]] = {NOMEM: MemoryError, IO: EndpointError,
                                        STATE: StateError}


def raise_error(code: int, text: str) -> NoReturn:
    """Raises what stands for a code of the library."""
    raise _CLASSES.get(code, ArgumentError)(text)
