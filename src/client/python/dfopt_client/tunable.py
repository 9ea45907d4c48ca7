"""Functions with parameters that an optimizer may change. Names and behaviour:
DFOptimizer 0.1.0, dfoptimizer/runtime/tunable.py and knob.py."""
from __future__ import annotations

import functools
import logging
from typing import (Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Type, TypeVar,
                    cast)

from . import context as _context
from ._values import KINDS
from .errors import ArgumentError
from .types import ActionPlan, KnobDef, response_from

__all__ = ["knob", "tunable"]

logger = logging.getLogger("dfopt_client")

F = TypeVar("F", bound=Callable[..., Any])


def knob(default: Any, type: Type[Any] = int, range: Optional[Tuple[Any, Any]] = None,
         values: Optional[Sequence[Any]] = None, scope: str = "job",
         responds_to: Optional[Mapping[str, Mapping[str, Any]]] = None) -> Dict[str, Any]:
    """Describes a knob for @tunable: its type (int, float, str or bool), bounds
    (least, most) or the values allowed, and how it moves when a finding carries a tag:

        knob(default=2, range=(1, 16),
             responds_to={"dataloader_prefetch": {"direction": "increase", "step": 2}})
    """
    return {"default": default, "type": type, "range": range, "values": values,
            "scope": scope, "responds_to": responds_to or {}}


def _knob_def(knob_id: str, spec: Mapping[str, Any], func_name: str) -> KnobDef:
    responses = {tag: response_from(f"knob {knob_id}: response to {tag}", r)
                 for tag, r in (spec.get("responds_to") or {}).items()}
    values = spec.get("values")
    return KnobDef(id=knob_id, default=spec["default"],
                   type=spec.get("type") or type(spec["default"]),
                   range=spec.get("range"),
                   values=None if values is None else list(values),
                   scope=spec.get("scope") or "job", responds_to=responses,
                   target_function=func_name)


class _Tunable:
    """A decorated function: its knobs, and with whom they are registered."""

    def __init__(self, func: Callable[..., Any], specs: Mapping[str, Mapping[str, Any]]):
        self.func = func
        self.func_name = func.__qualname__
        self.specs = specs
        self.defs: Dict[str, KnobDef] = {}
        self.namespace: Optional[str] = None
        self.registered_with: Optional[_context.OptimizerContext] = None

    def knob_defs(self, namespace: str) -> Dict[str, KnobDef]:
        """Whose ids are namespace.parameter."""
        if self.namespace != namespace:
            self.defs.clear()  # the decorated function shows it
            self.defs.update((name, _knob_def(f"{namespace}.{name}", spec, self.func_name))
                             for name, spec in self.specs.items())
            self.namespace = namespace
        return self.defs

    def register(self, context: _context.OptimizerContext,
                 current_values: Optional[Mapping[str, Any]] = None) -> None:
        """Once for each context."""
        if self.registered_with is not context:
            context.register_knobs(self.func_name, self.knob_defs(context.namespace),
                                   current_values)
            self.registered_with = context

    def call(self, *args: Any, **kwargs: Any) -> Any:
        at = kwargs.pop("_apply_at", "epoch_boundary")
        context = _context._global_context
        if context is None or context._noop:
            return self.func(*args, **kwargs)
        if self.registered_with is not context:
            self.register(context, {k: kwargs[k] for k in self.specs if k in kwargs})
        plans = context.drain_actions_for(self.func_name, at)
        if not plans:
            return self.func(*args, **kwargs)
        return self._call_with(context, plans, args, kwargs)

    def _call_with(self, context: _context.OptimizerContext, plans: List[ActionPlan],
                   args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """Puts the plans' values in place of the arguments, and says so afterwards."""
        applied = []
        for plan in plans:
            name = plan.parameter
            if name not in kwargs:
                logger.warning("plan %s: %s was called without %s=", plan.plan_id,
                               self.func_name, name)
                context.ack_action(plan, None, None, "rejected",
                                   "the parameter was not given by keyword")
                continue
            applied.append((plan, kwargs[name]))
            kwargs[name] = plan.new_value
            logger.info("plan %s: %s of %s is %r, and was %r (%s)", plan.plan_id, name,
                        self.func_name, plan.new_value, applied[-1][1], plan.rationale)
        try:
            result = self.func(*args, **kwargs)
        except BaseException as e:
            for plan, old in applied:
                context.ack_action(plan, old, None, "rejected",
                                   f"the function raised {type(e).__name__}")
            raise
        for plan, old in applied:
            context.ack_action(plan, old, plan.new_value)
        return result


def tunable(knobs: Mapping[str, Mapping[str, Any]]) -> Callable[[F], F]:
    """Lets an optimizer change keyword arguments of a function:

        @tunable(knobs={"prefetch_size": knob(default=2, range=(1, 16))})
        def make_dataloader(prefetch_size, **others):
            ...

    Plans that wait are applied in place of the arguments given when it is called; a
    call may name its boundary by _apply_at="window_boundary" (epoch_boundary: all
    plans), which the function does not see. An argument that is not given by keyword
    cannot be changed. At the first call the knobs and their values are told to the
    optimizer. Without a context (optimizer_context) the function is called as it is.

    Raises ArgumentError, which names the knob.
    """
    for name, spec in knobs.items():
        kind = spec.get("type") or type(spec.get("default"))
        if "default" not in spec or kind not in KINDS:
            raise ArgumentError(f"knob {name}: needs a default, and a type that is int, "
                                "float, str or bool")

    def decorate(func: F) -> F:
        t = _Tunable(func, knobs)

        @functools.wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return t.call(*args, **kwargs)

        setattr(wrapper, "_tunable", t)  # and keeps it alive
        setattr(wrapper, "_tunable_knobs", t.defs)
        setattr(wrapper, "_tunable_func_name", t.func_name)
        setattr(wrapper, "_tunable_register", t.register)
        _context.note_function(t)
        return cast(F, wrapper)

    return decorate
