"""What dfoptimizer.runtime exports, to be imported in its place:

    -from dfoptimizer.runtime import knob, optimizer_context, tunable, Window
    +from dfopt_client.runtime import knob, optimizer_context, tunable, Window

As there, a plan holds for one call of a @tunable function, and replaces only what is
given by keyword; the script carries the value on. dfopt_client.tunable keeps it instead.
"""
from __future__ import annotations

from typing import Any, Callable, Mapping, TypeVar

from .context import OptimizerContext, optimizer_context
from .tunable import knob
from .tunable import tunable as _tunable
from .window import Window

__all__ = ["OptimizerContext", "Window", "knob", "optimizer_context", "tunable"]

F = TypeVar("F", bound=Callable[..., Any])


def tunable(knobs: Mapping[str, Mapping[str, Any]]) -> Callable[[F], F]:
    """dfopt_client.tunable, but that a plan holds for one call."""
    return _tunable(knobs, keep=False)
