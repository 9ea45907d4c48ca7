"""The bridge between an optimizer and the @tunable functions of an application.
Names and behaviour: DFOptimizer 0.1.0, dfoptimizer/runtime/context.py."""
from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Any, Dict, List, Mapping, Optional, Protocol, Tuple
from weakref import WeakSet

from .client import Client
from .errors import ArgumentError, StateError
from .groups import Group, agree, group_of, share_plans
from .types import ActionPlan, KnobDef

__all__ = ["OptimizerContext", "optimizer_context"]

logger = logging.getLogger("dfopt_client")

_global_context: Optional["OptimizerContext"] = None
_context_lock = threading.Lock()


def _after_fork() -> None:
    """Another thread of the parent may have held it."""
    global _context_lock
    _context_lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)


class Declaring(Protocol):
    """A function with knobs, known before there is a context."""

    def knob_defs(self, namespace: str) -> Dict[str, KnobDef]: ...

    def ids(self) -> Dict[str, str]: ...

    func_name: str
    home: Tuple[str, str]  # its module and its source file; "": unknown


_EPOCH = "epoch_boundary"
_MANY = 1000  # boundaries asked for without an epoch's


def _is_worker() -> bool:
    """Whether this process was made by multiprocessing, or loads data for torch: the
    knobs are its parent's."""
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None:
        return True
    data = sys.modules.get("torch.utils.data")
    return data is not None and data.get_worker_info() is not None


_functions: "WeakSet[Declaring]" = WeakSet()


def _setting(given: Optional[str], name: str) -> str:
    """What the script says, or else DFOPT_CLIENT_<name>."""
    return given or os.environ.get(f"DFOPT_CLIENT_{name}") or ""


def _endpoints_there() -> str:
    """The file of DFOPT_CLIENT_ENDPOINTS; "": none, or the service has not written it."""
    name = _setting(None, "ENDPOINTS")
    if name and not os.path.exists(name):
        logger.warning("DFOPT_CLIENT_ENDPOINTS=%s: no such file; running without an "
                       "optimizer", name)
        return ""
    return name


def _set_current(client: Client, func_name: str, knob_id: str, value: Any) -> None:
    """A value that the knob cannot have (None, perhaps) is not told."""
    try:
        client.set_current(knob_id, value, func_name)
    except ArgumentError as e:
        logger.warning("%s", e)


class OptimizerContext:
    """Takes plans for @tunable functions and sends registrations and acks.

    The parameters of DFOptimizer, and behind them those that only this library has;
    these, and zmq_plans_endpoint, may come from the environment instead, so that a
    script need not change: DFOPT_CLIENT_PLANS, DFOPT_CLIENT_PLANS_PATTERN,
    DFOPT_CLIENT_REGISTRY, DFOPT_CLIENT_ACKS, DFOPT_CLIENT_OBJECTIVES,
    DFOPT_CLIENT_FINDINGS (with DFOPT_CLIENT_FINDINGS_END=1 the last of them ends dfopt-mpi),
    DFOPT_CLIENT_REPORTS and DFOPT_CLIENT_CURVE_{SERVER,SECRET,PUBLIC}_KEY. Without any
    endpoint, and with a group_file that is there, it speaks Mofka; registrations and acks
    go to the service of INFRA_CXI_GROUP as well, to the topics
    DFOPTIMIZER_GLOBAL_REGISTRY_TOPIC (topic_registry) and DFOPTIMIZER_GLOBAL_ACKS_TOPIC
    (optimizer_acks). DFOPT_CLIENT_GROUP_FILE goes before the script's group_file, and
    makes topics of the endpoints in the environment; objectives and findings then go to the
    topics DFOPT_CLIENT_OBJECTIVES and DFOPT_CLIENT_FINDINGS, if these are set.
    endpoints_file, or DFOPT_CLIENT_ENDPOINTS, is the file that dfopt-mpi --endpoints-file
    writes; what is given besides goes before it.
    Without any of them, and if it is inert, it does nothing. An optimizer that has been
    silent for lease_ms (0: 30,000) is lost: see on_lost of knob().

    With comm, a communicator of mpi4py or dfopt_client.torch.process_group(), the
    context is that of all its processes: rank 0 has the client, and at each boundary all
    get the same plans. Making it, drain_actions_for and ack_action, and so each call of a
    @tunable function, are then collective.

    Raises ArgumentError for what cannot be, EndpointError from start, LibraryError.
    """

    def __init__(self, namespace: str = "app", protocol: str = "", group_file: str = "",
                 topic_plans: str = "optimizer.plans", topic_acks: str = "optimizer.acks",
                 topic_registry: str = "optimizer.registry", zmq_plans_endpoint: str = "",
                 zmq_plans_bind: bool = False, *, zmq_registry_endpoint: str = "",
                 zmq_acks_endpoint: str = "", zmq_plans_pattern: str = "",
                 hostname: Optional[str] = None, curve_server_key: str = "",
                 curve_secret_key: str = "", curve_public_key: str = "",
                 zmq_objectives_endpoint: str = "",
                 topic_objectives: str = "optimizer.objectives", reports: str = "",
                 zmq_findings_endpoint: str = "", findings_end: bool = False,
                 endpoints_file: str = "", comm: Any = None, inert: bool = False,
                 lease_ms: int = 0) -> None:
        told = _setting(None, "GROUP_FILE")
        if not told:
            zmq_plans_endpoint = _setting(zmq_plans_endpoint, "PLANS")
            zmq_registry_endpoint = _setting(zmq_registry_endpoint, "REGISTRY")
            zmq_acks_endpoint = _setting(zmq_acks_endpoint, "ACKS")
            zmq_objectives_endpoint = _setting(zmq_objectives_endpoint, "OBJECTIVES")
            zmq_findings_endpoint = _setting(zmq_findings_endpoint, "FINDINGS")
            endpoints_file = endpoints_file or _endpoints_there()
        elif not (zmq_plans_endpoint or zmq_registry_endpoint or zmq_acks_endpoint or
                  zmq_objectives_endpoint or zmq_findings_endpoint or endpoints_file):
            group_file = told
            topic_plans = _setting(None, "PLANS") or topic_plans
            topic_registry = _setting(None, "REGISTRY") or topic_registry
            topic_acks = _setting(None, "ACKS") or topic_acks
            topic_objectives = _setting(None, "OBJECTIVES") or topic_objectives
        self.namespace = namespace
        self.protocol = protocol
        self.group_file = group_file
        self.topic_plans = topic_plans
        self.topic_acks = topic_acks
        self.topic_registry = topic_registry
        self.zmq_plans_endpoint = zmq_plans_endpoint
        self.zmq_plans_bind = zmq_plans_bind
        self.zmq_registry_endpoint = zmq_registry_endpoint
        self.zmq_acks_endpoint = zmq_acks_endpoint
        self.zmq_objectives_endpoint = zmq_objectives_endpoint
        self.zmq_findings_endpoint = zmq_findings_endpoint
        self.topic_objectives = topic_objectives
        self._group: Optional[Group] = None if inert else group_of(comm)
        self._client: Optional[Client] = None
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._declared: Dict[Tuple[str, str], KnobDef] = {}
        self._asked: Dict[str, Dict[str, int]] = {}  # function -> boundary -> how often
        # rank 0 reports for all
        reports = _setting(reports, "REPORTS") or ("both" if self._group is not None else "")
        findings_end = findings_end or _setting(None, "FINDINGS_END") == "1"
        if inert or (self._group is not None and self._group.rank != 0):
            pass
        elif (self.zmq_plans_endpoint or self.zmq_registry_endpoint or
              self.zmq_acks_endpoint or zmq_objectives_endpoint or zmq_findings_endpoint or
              endpoints_file):
            self._client = Client(
                namespace, hostname=hostname, lazy_registration=True, reports=reports,
                lease_ms=lease_ms, endpoints_file=endpoints_file,
                objectives_endpoint=zmq_objectives_endpoint,
                findings_endpoint=zmq_findings_endpoint, findings_end=findings_end,
                plans_endpoint=self.zmq_plans_endpoint, plans_bind=zmq_plans_bind,
                registry_endpoint=self.zmq_registry_endpoint,
                acks_endpoint=self.zmq_acks_endpoint,
                plans_pattern=_setting(zmq_plans_pattern, "PLANS_PATTERN") or "pull",
                curve_server_key=_setting(curve_server_key, "CURVE_SERVER_KEY"),
                curve_secret_key=_setting(curve_secret_key, "CURVE_SECRET_KEY"),
                curve_public_key=_setting(curve_public_key, "CURVE_PUBLIC_KEY"))
        elif group_file and os.path.exists(group_file):
            self._client = Client(
                namespace, hostname=hostname, lazy_registration=True, transport="mofka",
                lease_ms=lease_ms,
                reports=reports, objectives_endpoint=_setting(None, "OBJECTIVES") and
                topic_objectives, findings_endpoint=_setting(None, "FINDINGS"),
                group_file=group_file, plans_endpoint=topic_plans,
                registry_endpoint=topic_registry, acks_endpoint=topic_acks,
                global_group_file=os.environ.get("INFRA_CXI_GROUP", "").strip(),
                global_registry_topic=os.environ.get("DFOPTIMIZER_GLOBAL_REGISTRY_TOPIC"),
                global_acks_topic=os.environ.get("DFOPTIMIZER_GLOBAL_ACKS_TOPIC",
                                                 "optimizer_acks"))

    @property
    def client(self) -> Optional[Client]:
        """What is underneath; None: no endpoint was given, it was closed, or this is a child
        after fork."""
        client = self._client if self._pid == os.getpid() else None
        return client if client is not None and client._handle is not None else None

    @property
    def _noop(self) -> bool:
        """Whether there is nobody to talk to."""
        return self.client is None and self._group is None

    def start(self) -> None:
        """Starts to listen. Raises ArgumentError or EndpointError, which name the
        endpoint."""
        client = self.client
        if client is None:
            logger.info("no endpoint given; running without an optimizer")
            return
        client.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Stops to listen; acks that wait are sent for at most `timeout` seconds."""
        client = self.client
        if client is not None and not client.stop(timeout):
            logger.warning("dropped acks that could not be sent in time")

    # ---- knobs ----

    def declare_knobs(self, func_name: str, knob_defs: Mapping[str, KnobDef]) -> None:
        """Makes a function's knobs known here, so that plans for them are kept. Raises
        ArgumentError, which names the knob."""
        client = self.client
        if client is None:
            return
        with self._lock:
            for parameter, k in knob_defs.items():
                known = self._declared.get((func_name, parameter))
                if known is None:
                    client.declare(
                        parameter, id=k.id, function=func_name, type=k.type,
                        default=k.default, range=k.range, values=k.values, scope=k.scope,
                        responds_to=k.responds_to, on_lost=k.on_lost)
                    self._declared[func_name, parameter] = k
                elif known != k:
                    logger.warning("knob %s of %s is declared twice with different settings; "
                                   "using the first", k.id, func_name)

    def register_knobs(self, func_name: str, knob_defs: Mapping[str, KnobDef],
                       current_values: Optional[Mapping[str, Any]] = None) -> None:
        """Tells the optimizer a function's knobs and the values that they have now."""
        self.declare_knobs(func_name, knob_defs)
        client = self.client
        if client is None or not knob_defs:
            return
        for parameter, value in (current_values or {}).items():
            if parameter in knob_defs:
                _set_current(client, func_name, knob_defs[parameter].id, value)
        client.register(func_name)

    # ---- plans ----

    def drain_actions_for(self, func_name: str, at: str = "epoch_boundary",
                          wait: float = 0.0) -> List[ActionPlan]:
        """Takes the plans whose apply_when is `at`; at epoch_boundary all. With none
        pending it waits for one, at most `wait` seconds. With comm: collective."""
        self._note_boundary(func_name, at)
        if self._group is not None:
            return share_plans(self._group, lambda: self._take(func_name, at, wait))
        return self._take(func_name, at, wait)

    def _take(self, func_name: str, at: str, wait: float) -> List[ActionPlan]:
        client = self.client
        return [] if client is None else client.at_boundary(at, func_name, wait)

    def _note_boundary(self, func_name: str, at: str) -> None:
        """When the first epoch is over, tells of boundaries that nobody has asked for."""
        asked = self._asked.setdefault(func_name, {})
        n = asked[at] = asked.get(at, 0) + 1
        if n != (2 if at == _EPOCH else _MANY):
            return
        later = "wait for the next epoch_boundary" if _EPOCH in asked else "are never applied"
        for (function, _), k in list(self._declared.items()):
            for when in sorted({r.apply_when for r in k.responds_to.values()}):
                if function == func_name and when not in asked:
                    logger.warning("knob %s: boundary %r of %s has not been reached yet, so its "
                                   "plans %s", k.id, when, func_name, later)

    def enqueue_action(self, plan: ActionPlan) -> None:
        """Files a plan as if it had been received. Raises ArgumentError if it is for
        no knob that was declared."""
        client = self.client
        if client is not None:
            client.enqueue(plan)

    def ack_action(self, plan: ActionPlan, old_value: Any, new_value: Any,
                   status: str = "applied", reason: str = "",
                   window_index: Optional[int] = None) -> bool:
        """Says what became of a plan: applied, rejected or deferred. What the library
        does not take (its knob is not declared) is logged. Returns whether it is applied.
        With comm: collective; it is applied only if every process says so, and else each
        that has applied it goes back to the old value."""
        if self._group is not None:
            applied = status == "applied"
            all_of_them, why = agree(self._group, None if applied else reason or status)
            if not all_of_them:
                status, new_value, reason = "rejected", None, why
        client = self.client
        if client is None:
            return status == "applied"
        try:
            if old_value is not None:
                _set_current(client, plan.target_function, plan.knob_id, old_value)
            client.ack(plan, status, new_value, reason, window_index)
        except ArgumentError as e:
            logger.warning("%s", e)
        return status == "applied"

    def objective(self, window_index: int, value: float, goal: str = "max",
                  metrics: Optional[Mapping[str, float]] = None, reports: str = "") -> None:
        """Sends what the application achieved in one window of analysis: see
        Client.objective. Without a client (another rank's than 0, too) it does nothing."""
        client = self.client
        if client is not None:
            client.objective(window_index, value, goal, metrics, reports)

    def window(self, index: int, units: float, seconds: float, fetch: float = 0.0,
               compute: float = 0.0, **more: Any) -> None:
        """Reports a window of analysis that has ended: see Client.window. Without a client
        it does nothing."""
        client = self.client
        if client is not None:
            client.window(index, units, seconds, fetch, compute, **more)


def _is_same(a: Declaring, b: Declaring) -> bool:
    """Whether it is one function, perhaps declared again: a module that is loaded again, or
    a second time as __main__, has the same name or the same file."""
    return a.func_name == b.func_name and any(x and x == y for x, y in zip(a.home, b.home))


def _refuse_double(function: Declaring) -> None:
    """The optimizer knows knobs by their ids alone: one function each."""
    ids = function.ids()
    for other in list(_functions):
        if _is_same(function, other):
            continue
        for double in sorted(ids.keys() & other.ids().keys()):
            raise StateError(
                f"knob {double}: function '{other.func_name}' of {other.home[0]} has this id "
                f"already; give the one of '{function.func_name}' of {function.home[0]} an id "
                f"of its own, such as knob(..., id='"
                f"{function.func_name.split('.<locals>.')[-1]}.{ids[double]}')")


def note_function(function: Declaring) -> None:
    """A function was declared tunable: a context that is there, or comes, takes plans
    for it from then on. One that has its name from another module gets its own module's
    name before it. Raises StateError if another one has a knob of that id."""
    with _context_lock:
        _refuse_double(function)
        if any(other.func_name == function.func_name and not _is_same(function, other)
               for other in list(_functions)):
            function.func_name = f"{function.home[0]}.{function.func_name}"
        _functions.add(function)
        context = _global_context
    if context is not None and context._pid == os.getpid():
        context.declare_knobs(function.func_name, function.knob_defs(context.namespace))


def forget_function(function: Declaring) -> None:
    """It is about to be declared again, with more knobs."""
    with _context_lock:
        _functions.discard(function)


def _make(namespace: str, options: Dict[str, Any]) -> OptimizerContext:
    context = OptimizerContext(namespace, **options)
    for function in list(_functions):
        context.declare_knobs(function.func_name, function.knob_defs(namespace))
    context.start()
    return context


def _make_together(namespace: str, options: Dict[str, Any]) -> OptimizerContext:
    """What fails at rank 0 fails at all, so that none of them waits for another."""
    group = group_of(options.get("comm"))
    if group is None:
        return _make(namespace, options)
    try:
        context = _make(namespace, options)
    except Exception as e:
        agree(group, str(e))
        raise
    made, why = agree(group, None)
    if not made:
        context.stop(0)
        raise StateError(f"cannot create the optimizer_context: {why}")
    return context


def _note_others(context: OptimizerContext, namespace: str, options: Dict[str, Any]) -> None:
    """Tells of what a later call asks for, and does not get."""
    given = {"namespace": namespace, **options}
    defaults = {"namespace": "app"}
    others = [name for name, value in given.items()
              if value and value != defaults.get(name) and name != "comm" and
              getattr(context, name, value) != value]
    if others:
        logger.warning("optimizer_context: this process already has one; ignoring different "
                       "values of %s", ", ".join(sorted(others)))


def optimizer_context(namespace: str = "app", protocol: str = "", group_file: str = "",
                      topic_plans: str = "optimizer.plans",
                      topic_acks: str = "optimizer.acks",
                      topic_registry: str = "optimizer.registry",
                      zmq_plans_endpoint: str = "", *, in_worker: bool = False,
                      **more: Any) -> OptimizerContext:
    """Makes and starts the process's context, or returns the one that there is. `more`
    is what else OptimizerContext takes. In a child after fork it makes a new one; in a
    process that multiprocessing made, or a worker of torch's DataLoader, one that does
    nothing, unless in_worker or comm asks for it.

    Without an endpoint, here or in the environment, the context does nothing, and the
    application runs unchanged.
    """
    global _global_context
    options: Dict[str, Any] = {
        "protocol": protocol, "group_file": group_file, "topic_plans": topic_plans,
        "topic_acks": topic_acks, "topic_registry": topic_registry,
        "zmq_plans_endpoint": zmq_plans_endpoint, **more}
    with _context_lock:
        context = _global_context
        if context is not None and context._pid == os.getpid():
            defaults = ("optimizer.plans", "optimizer.acks", "optimizer.registry")
            _note_others(context, namespace,
                         {k: v for k, v in options.items() if v not in defaults})
            return context
        if _is_worker() and not in_worker and more.get("comm") is None:
            logger.warning("optimizer_context: this is a worker process, whose knobs belong to "
                           "its parent; it receives no plans (in_worker=True creates a context)")
            context = OptimizerContext(namespace, inert=True, **options)
        else:
            context = _make_together(namespace, options)
        _global_context = context
        return context
