"""Functions with parameters that an optimizer may change. Names are those of DFOptimizer
0.1.0, dfoptimizer/runtime/tunable.py and knob.py; with keep=False so is the behaviour."""
from __future__ import annotations

import functools
import inspect
import logging
import threading
from typing import (Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set,
                    Tuple, Type, TypeVar, cast)

from . import context as _context
from ._callables import layers, wrap
from ._values import kind_of, plain
from .errors import ArgumentError
from .types import ActionPlan, KnobDef, response_from

__all__ = ["knob", "tunable"]

logger = logging.getLogger("dfopt_client")

F = TypeVar("F", bound=Callable[..., Any])

_MISSING = inspect.Parameter.empty


def knob(default: Any, type: Type[Any] = int, range: Optional[Tuple[Any, Any]] = None,
         values: Optional[Sequence[Any]] = None, scope: str = "job",
         responds_to: Optional[Mapping[str, Mapping[str, Any]]] = None,
         id: str = "", on_lost: str = "hold") -> Dict[str, Any]:
    """Describes a knob for @tunable: its type (int, float, str or bool), bounds
    (least, most) or the values allowed, and how it moves when a finding carries a tag:

        knob(default=2, range=(1, 16),
             responds_to={"dataloader_prefetch": {"direction": "increase", "step": 2}})

    id is what the optimizer knows it by, behind the namespace and a dot; without it, the
    name of the parameter. Two functions with a parameter of one name need it. With
    on_lost="restore" the registered value comes back when the optimizer is lost.
    """
    return {"default": default, "type": type, "range": range, "values": values,
            "scope": scope, "responds_to": responds_to or {}, "id": id, "on_lost": on_lost}


def _knob_def(knob_id: str, spec: Mapping[str, Any], func_name: str) -> KnobDef:
    responses = {tag: response_from(f"knob {knob_id}: response to {tag}", r)
                 for tag, r in (spec.get("responds_to") or {}).items()}
    values = spec.get("values")
    return KnobDef(id=knob_id, default=spec["default"],
                   type=spec.get("type") or type(plain(spec["default"])),
                   range=spec.get("range"),
                   values=None if values is None else list(values),
                   scope=spec.get("scope") or "job", responds_to=responses,
                   target_function=func_name, on_lost=spec.get("on_lost") or "hold")


def _same(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except Exception:  # an array, or worse
        return a is b


class _Held(NamedTuple):
    """What a plan has set, and what the caller gave in the call that it was set in."""

    value: Any
    given: Any


class _Call:
    """One call of a tunable function: the arguments that it gets, and the plans that are
    in them, which are answered when it has ended."""

    def __init__(self, of: "_Tunable", args: Tuple[Any, ...], kwargs: Dict[str, Any]):
        self.of = of
        self.args: Sequence[Any] = args
        self.kwargs = kwargs
        self.given: Dict[str, Any] = {}
        self.taken: List[Tuple[ActionPlan, Any, str]] = []  # old value; why not applied
        self.context: Optional[_context.OptimizerContext] = None

    def get(self, name: str) -> Any:
        """The argument, or _MISSING. The function's own default counts, if it is known."""
        if name in self.kwargs:
            return self.kwargs[name]
        place = self.of.places.get(name)
        if place is None or not self.of.keep:
            return _MISSING
        return self.args[place] if place < len(self.args) else self.of.defaults[name]

    def put(self, name: str, value: Any) -> bool:
        """Returns whether the function can be given it."""
        place = self.of.places.get(name)
        if name in self.kwargs:
            self.kwargs[name] = value
        elif place is None or not self.of.keep:
            return False
        elif place < len(self.args) or (place == len(self.args) and
                                        name not in self.of.by_keyword):
            self.args = [*self.args[:place], value, *self.args[place + 1:]]
        elif name in self.of.by_keyword:
            self.kwargs[name] = value
        else:
            return False
        return True

    def apply(self, context: _context.OptimizerContext, plan: ActionPlan) -> None:
        name, of = plan.parameter, self.of
        old = self.get(name)
        known = None if old is _MISSING else old
        if not self.put(name, plan.new_value):
            logger.warning("plan %s: %s was called without %s=", plan.plan_id, of.func_name,
                           name)
            self.taken.append((plan, None, "the parameter was not given by keyword"))
            return
        self.given.setdefault(name, old)
        self.taken.append((plan, known, ""))
        logger.info("plan %s: %s of %s is now %r, was %r (%s)", plan.plan_id, name,
                    of.func_name, plan.new_value, known, plan.rationale)

    def done(self) -> None:
        """The body has run."""
        self._answer("")

    def failed(self, error: BaseException) -> None:
        self._answer(f"the function raised {type(error).__name__}")

    def _answer(self, failure: str) -> None:
        """Every plan in its turn, which is the same at all ranks of a context with comm,
        whatever became of the plan at each."""
        taken, self.taken = self.taken, []
        for plan, old, why_not in taken:
            reason = why_not or failure
            answer = None if self.context is None else self.context.ack_action(
                plan, old, None if reason else plan.new_value,
                "rejected" if reason else "applied", reason)
            if not reason and answer is not False:  # another rank could not; None: a script's
                self.of.hold(plan.parameter, plan.new_value, self.given)


class _Tunable:
    """A decorated function: its knobs, with whom they are registered, and what plans
    have set."""

    def __init__(self, func: Callable[..., Any], func_name: str,
                 specs: Mapping[str, Mapping[str, Any]], keep: bool):
        self.func = func
        self.func_name = func_name
        self.specs = specs
        self.keep = keep
        self.defs: Dict[str, KnobDef] = {}
        self.namespace: Optional[str] = None
        self.registered_with: Optional[_context.OptimizerContext] = None
        self.held: Dict[str, _Held] = {}
        self.calls = 0
        self.lock = threading.Lock()
        self.home = _home_of(func)
        self._read_signature()

    def _read_signature(self) -> None:
        """Where each knob is among the parameters, as far as it is known."""
        self.places: Dict[str, int] = {}
        self.defaults: Dict[str, Any] = {}
        self.by_keyword: Set[str] = set()
        self.unknown: Set[str] = set()
        try:
            parameters = list(inspect.signature(self.func).parameters.values())
        except (TypeError, ValueError):  # not written in Python
            return
        for place, p in enumerate(parameters):
            if p.name in self.specs and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                only = p.kind == p.KEYWORD_ONLY
                self.places[p.name] = 2**31 if only else place
                self.defaults[p.name] = p.default
                if p.kind != p.POSITIONAL_ONLY:
                    self.by_keyword.add(p.name)
        if not any(p.kind == p.VAR_KEYWORD for p in parameters):
            self.unknown = set(self.specs) - set(self.places)

    def ids(self) -> Dict[str, str]:
        """Ids without the namespace, each with its parameter."""
        return {str(spec.get("id") or name): name for name, spec in self.specs.items()}

    def knob_defs(self, namespace: str) -> Dict[str, KnobDef]:
        """Whose ids are namespace.parameter, or namespace.id."""
        if self.namespace != namespace:
            self.defs.clear()  # the decorated function shows it
            self.defs.update((name, _knob_def(f"{namespace}.{id_}", self.specs[name],
                                              self.func_name))
                             for id_, name in self.ids().items())
            self.namespace = namespace
        return self.defs

    def register(self, context: _context.OptimizerContext,
                 current_values: Optional[Mapping[str, Any]] = None) -> None:
        """Once for each context."""
        if self.registered_with is not context:
            context.register_knobs(self.func_name, self.knob_defs(context.namespace),
                                   current_values)
            self.registered_with = context

    # ---- what stays in force ----

    def hold(self, name: str, value: Any, given: Mapping[str, Any]) -> None:
        if self.keep:
            with self.lock:
                self.held[name] = _Held(value, given.get(name, _MISSING))

    def _carry(self, call: _Call) -> List[Tuple[str, Any]]:
        """Puts what is held into the call. Returns what the caller has set anew: an
        argument that is neither what was given when the plan came, nor the knob's
        default, nor what is held, is the application's own will, and ends it."""
        changed = []
        with self.lock:
            for name, held in list(self.held.items()):
                given = call.given[name] = call.get(name)
                if given is _MISSING or any(_same(given, known) for known in (
                        held.value, held.given, self.specs[name]["default"])):
                    call.put(name, held.value)
                else:
                    del self.held[name]
                    changed.append((name, given))
        return changed

    def _tell(self, context: _context.OptimizerContext,
              changed: Sequence[Tuple[str, Any]]) -> None:
        for name, value in changed:
            logger.info("%s of %s is %r, set by the caller", name, self.func_name, value)
        if changed:
            context.register_knobs(self.func_name, self.knob_defs(context.namespace),
                                   dict(changed))

    # ---- calls ----

    def begin(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> _Call:
        at = kwargs.pop("_apply_at", "epoch_boundary")
        if not isinstance(at, str):
            raise ArgumentError(f"_apply_at is {at!r}: not the name of a boundary")
        call = _Call(self, args, kwargs)
        changed = self._carry(call) if self.held else []
        context = call.context = _context._global_context
        if context is None or context._noop:
            return call
        if self.registered_with is not context:
            values = {name: call.get(name) for name in self.specs}
            self.register(context, {k: v for k, v in values.items() if v is not _MISSING})
        else:
            self._tell(context, changed)
        self._note_missing(call)
        for plan in context.drain_actions_for(self.func_name, at):
            call.apply(context, plan)
        return call

    def _note_missing(self, call: _Call) -> None:
        """At the second call, tells of knobs that no call can be given."""
        self.calls += 1
        if self.calls != 2:
            return
        for name in self.specs:
            if call.get(name) is _MISSING and (name not in self.by_keyword or not self.keep):
                logger.warning(
                    "knob %s: %s %s, so its plans cannot be applied", name, self.func_name,
                    "has no such parameter" if name in self.unknown else
                    f"is called without {name}=")


def _without_partials(func: Any) -> Any:
    while isinstance(func, functools.partial):
        func = func.func
    return func


def _home_of(func: Any) -> Tuple[str, str]:
    """Its module and its source file; "": unknown."""
    func = inspect.unwrap(_without_partials(func))
    file = str(getattr(getattr(func, "__code__", None), "co_filename", ""))
    return str(getattr(func, "__module__", None) or ""), "" if file.startswith("<") else file


def _name_of(func: Any) -> str:
    """A partial has the name of its function, and an object that of its class."""
    func = _without_partials(func)
    return str(getattr(func, "__qualname__", None) or type(func).__qualname__)


def _with_those_below(knobs: Mapping[str, Mapping[str, Any]],
                      func: Any) -> Tuple[Mapping[str, Mapping[str, Any]], Any]:
    """Decorated twice, a function has the knobs of both, as if it were decorated once: a
    plan is taken from the context only once."""
    below = getattr(func, "_tunable", None)
    if not isinstance(below, _Tunable):
        return knobs, func
    _context.forget_function(below)
    direct = inspect.isfunction(func) and getattr(func, "__wrapped__", None) is below.func
    return {**below.specs, **knobs}, below.func if direct else func


def tunable(knobs: Mapping[str, Mapping[str, Any]], *,
            keep: bool = True) -> Callable[[F], F]:
    """Lets an optimizer change arguments of a function:

        @tunable(knobs={"prefetch_size": knob(default=2, range=(1, 16))})
        def make_dataloader(prefetch_size, **others):
            ...

    Plans that wait are applied in place of the arguments given when it is called; a
    call may name its boundary by _apply_at="window_boundary" (epoch_boundary: all
    plans), which the function does not see. At the first call the knobs and their values
    are told to the optimizer. Without a context (optimizer_context) the function is
    called as it is.

    A value that a plan has set is in force in later calls, too, until another plan or the
    caller sets it. The caller does so by an argument that is new: neither the one that it
    gave in the call in which the plan was applied, nor the knob's default, nor the value
    in force. With keep=False a plan holds for one call, and only arguments given by
    keyword are replaced, as in DFOptimizer.

    Functions, methods, classmethods and staticmethods (in either order), coroutine
    functions, generators and context managers of both kinds, partials and objects that can
    be called stay what they are. A plan is acknowledged as applied when the body has run:
    a coroutine to its end, a generator to its first item (or its end); and as rejected if
    it raises before.

    Raises ArgumentError, which names the knob; StateError if another function has a knob
    of that id.
    """
    for name, spec in knobs.items():
        if "default" not in spec or \
                kind_of(spec.get("type") or type(plain(spec["default"]))) is None:
            raise ArgumentError(f"knob {name}: needs a default, and a type that is int, "
                                "float, str or bool")

    def decorate(func: F) -> F:
        around = layers(func)
        if around is not None:
            return cast(F, around(decorate))
        specs, body = _with_those_below(knobs, func)
        t = _Tunable(body, _name_of(body), specs, keep)
        _context.note_function(t)
        wrapper = wrap(body, t.begin)
        setattr(wrapper, "_tunable", t)  # and keeps it alive
        setattr(wrapper, "_tunable_knobs", t.defs)
        setattr(wrapper, "_tunable_func_name", t.func_name)
        setattr(wrapper, "_tunable_register", t.register)
        return cast(F, wrapper)

    return decorate
