"""The C library's client as a class: one method for one function of dfopt/client.h,
which says more about each."""
from __future__ import annotations

import atexit
import ctypes
import json
import logging
import threading
import warnings
import weakref
from ctypes import byref
from types import TracebackType
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple, Type, Union

from . import _library as lib
from ._values import Value, from_c, kind_of, maybe_text, plain, text, to_c
from .errors import (LIMIT, OK, STATE, ArgumentError, KnobWarning, LimitError, StateError,
                     raise_error)
from .types import ActionPlan, KnobResponse, Stats, plan_from_c, response_from

__all__ = ["Client"]

logger = logging.getLogger("dfopt_client")

_ROOM = 16  # plans taken at once
_EXIT_TIMEOUT_S = 1.0
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING)

_INERT = "the client is closed, or belongs to the parent process"

# in_log: this thread is in the library's log callback; warned: where lines go instead
_here = threading.local()
_alive: "weakref.WeakSet[Client]" = weakref.WeakSet()


def _log(_arg: Any, level: int, line: bytes) -> None:
    """Runs on the listener thread, while the interpreter lives: see _stop_all; or on a
    thread that called the library."""
    warned: Optional[List[str]] = getattr(_here, "warned", None)
    if warned is not None:
        warned.append(line.decode(errors="replace"))
        return
    _here.in_log = True
    try:
        logger.log(_LEVELS[level], "%s", line.decode(errors="replace"))
    except Exception:  # a handler of the application; nobody is there to catch it
        pass
    finally:
        _here.in_log = False


_log_callback = lib.LOG_FN(_log)  # for as long as the module


def _destroy(handle: ctypes.c_void_p) -> None:
    """The last reference has gone, on whatever thread; not on the listener's, which
    would wait for itself."""
    if getattr(_here, "in_log", False):
        threading.Thread(target=_destroy, args=(handle,), daemon=True).start()
    else:
        lib.library().dfopt_client_destroy(handle)


@atexit.register
def _stop_all() -> None:
    """Listener threads must be gone before the interpreter is: they call into it.
    Nothing is freed, since other threads may still be in the library."""
    for client in list(_alive):
        client._stop(_EXIT_TIMEOUT_S)


def _choice(what: str, value: str, names: Tuple[str, ...]) -> int:
    try:
        return names.index(value)
    except ValueError:
        raise ArgumentError(f"{what} is {value!r}, and not one of "
                            f"{', '.join(n for n in names if n)}") from None


def _plain(value: Any) -> Any:
    """For json: a scalar of numpy's. Raises TypeError for anything else."""
    own = plain(value)
    if own is value:
        raise TypeError(f"{value!r} ({type(value).__name__}) is no number, text or boolean")
    return own


def _number(what: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"{what} is {value!r}, and no number") from None


def _milliseconds(seconds: float) -> int:
    return int(max(0.0, min(seconds, 2**31 / 1000 - 1)) * 1000)


def _response(knob: str, tag: str,
              given: Union[KnobResponse, Mapping[str, Any]]) -> lib.CResponse:
    where = f"knob {knob}: response to {tag}"
    given = response_from(where, given)
    return lib.CResponse(
        tag=text(tag),
        direction=_choice(f"{where}: direction", given.direction, lib.DIRECTIONS),
        step_mode=_choice(f"{where}: step_mode", given.step_mode, lib.STEP_MODES),
        step=to_c(given.step, f"{where}: step"),
        set_to=to_c(given.set_to, f"{where}: set_to"),
        min_severity=_number(f"{where}: min_severity", given.min_severity),
        min_persistence=_number(f"{where}: min_persistence", given.min_persistence),
        cooldown_windows=_number(f"{where}: cooldown_windows", given.cooldown_windows),
        apply_when=maybe_text(given.apply_when),
        effectiveness_threshold=_number(f"{where}: effectiveness_threshold",
                                        given.effectiveness_threshold))


class Client:
    """An application's end of an optimizer.

    Endpoints are such as tcp://node7:5557; what is not given is neither sent nor
    received. With transport="mofka" they are topics of the service of group_file.
    plans_pattern is "pull" or "sub", reports ("node", "job", "both", "none") whose
    objectives and findings it sends. With findings_end, stopping it ends dfopt-mpi.
    endpoints_file is what dfopt-mpi --endpoints-file has written, and stands in for
    endpoints, pattern and server key that are not given. Keys are 40 characters of Z85 or
    names of files. An optimizer that has been silent for lease_ms (0: 30,000) is lost: see
    on_lost of declare. Every method may be called from any thread; without an optimizer none
    waits for one. In a child after fork the client is inert.

    Raises ArgumentError, and LibraryError if libdfopt_client is not found.
    """

    def __init__(self, app_namespace: str, *, function: str = "",
                 hostname: Optional[str] = None, transport: Optional[str] = None,
                 plans_endpoint: Optional[str] = None,
                 registry_endpoint: Optional[str] = None,
                 acks_endpoint: Optional[str] = None, plans_pattern: str = "pull",
                 plans_bind: bool = False, lazy_registration: bool = False,
                 curve_server_key: Optional[str] = None,
                 curve_secret_key: Optional[str] = None,
                 curve_public_key: Optional[str] = None, max_pending_acks: int = 0,
                 max_queued_plans: int = 0, max_message_bytes: int = 0,
                 group_file: Optional[str] = None, consumer_name: Optional[str] = None,
                 global_group_file: Optional[str] = None,
                 global_registry_topic: Optional[str] = None,
                 global_acks_topic: Optional[str] = None,
                 objectives_endpoint: Optional[str] = None, max_pending_objectives: int = 0,
                 reports: str = "", global_objectives_topic: Optional[str] = None,
                 findings_endpoint: Optional[str] = None, max_pending_findings: int = 0,
                 findings_end: bool = False, endpoints_file: Optional[str] = None,
                 lease_ms: int = 0) -> None:
        self._lib = lib.library()
        self._handle: Optional[ctypes.c_void_p] = None  # NULL is inert
        self._room = threading.local()
        self.app_namespace = app_namespace
        options = lib.COptions(
            app_namespace=text(app_namespace), function=text(function),
            hostname=maybe_text(hostname), transport=maybe_text(transport),
            plans_endpoint=maybe_text(plans_endpoint),
            registry_endpoint=maybe_text(registry_endpoint),
            acks_endpoint=maybe_text(acks_endpoint),
            plans_pattern=_choice("plans_pattern", plans_pattern, lib.PATTERNS),
            plans_bind=plans_bind, lazy_registration=lazy_registration,
            curve_server_key=maybe_text(curve_server_key),
            curve_secret_key=maybe_text(curve_secret_key),
            curve_public_key=maybe_text(curve_public_key),
            max_pending_acks=max_pending_acks, max_queued_plans=max_queued_plans,
            max_message_bytes=max_message_bytes, log=_log_callback,
            group_file=maybe_text(group_file), consumer_name=maybe_text(consumer_name),
            global_group_file=maybe_text(global_group_file),
            global_registry_topic=maybe_text(global_registry_topic),
            global_acks_topic=maybe_text(global_acks_topic),
            objectives_endpoint=maybe_text(objectives_endpoint),
            max_pending_objectives=max_pending_objectives,
            reports=_choice("reports", reports, lib.REPORTS),
            global_objectives_topic=maybe_text(global_objectives_topic),
            findings_endpoint=maybe_text(findings_endpoint),
            max_pending_findings=max_pending_findings, findings_end=findings_end,
            endpoints_file=maybe_text(endpoints_file), lease_ms=lease_ms)
        self._hostname = hostname
        handle = ctypes.c_void_p()
        err = lib.CError()
        self._check(self._lib.dfopt_client_create(byref(handle), byref(options),
                                                  byref(err)), err)
        self._handle = handle
        weakref.finalize(self, _destroy, handle).atexit = False
        _alive.add(self)

    # ---- errors ----

    def _check(self, code: int, err: Union[lib.CError, str]) -> None:
        """err: what the library told, or what to say if it tells nothing."""
        if code == OK:
            return
        if isinstance(err, lib.CError):
            raise_error(code, err.text.decode(errors="replace"))
        raise_error(code, _INERT if code == STATE else err)

    def _call(self, function: str, *arguments: Any) -> None:
        """A function that ends with a struct dfopt_error."""
        err = lib.CError()
        self._check(getattr(self._lib, function)(self._handle, *arguments, byref(err)),
                    err)

    # ---- knobs ----

    def declare(self, parameter: str, *, default: Any, type: Optional[Type[Any]] = None,
                id: Optional[str] = None, function: Optional[str] = None,
                range: Optional[Iterable[Any]] = None,
                values: Optional[Iterable[Any]] = None, scope: str = "job",
                current: Any = None,
                responds_to: Optional[Mapping[str, Any]] = None,
                on_lost: str = "hold") -> None:
        """Adds a knob. type is int, float, str or bool (None: that of default), range
        is (least, most); responds_to maps tags to KnobResponse, or to mappings of its
        members. Scalars of numpy are taken as what they are. With on_lost "restore" the
        registered value comes back, as a plan "on_lost" at the next boundary, when the
        optimizer is lost. Raises ArgumentError, which
        names the knob, and StateError if the function has that knob already, or another
        function has that id. Likely mistakes (inverted bounds, a default outside of
        them) are a KnobWarning."""
        name = id or parameter
        kind = kind_of(type or plain(default).__class__)
        if kind is None:
            raise ArgumentError(f"knob {name}: type is {type or default.__class__!r}, and "
                                "not one of int, float, str, bool")
        bounds = [None, None] if range is None else list(range)
        if len(bounds) != 2:
            raise ArgumentError(f"knob {name}: range has {len(bounds)} values, and not 2")
        allowed = [to_c(v, f"knob {name}: one of values")
                   for v in (() if values is None else values)]
        responses = [_response(name, tag, r) for tag, r in (responds_to or {}).items()]
        knob = lib.CKnob(
            id=maybe_text(id), parameter=text(parameter),
            function=None if function is None else text(function), scope=text(scope),
            type=kind, default_value=to_c(default, f"knob {name}: default"),
            current=to_c(current, f"knob {name}: current"),
            lo=to_c(bounds[0], f"knob {name}: range"),
            hi=to_c(bounds[1], f"knob {name}: range"),
            values=(lib.CValue * len(allowed))(*allowed) if allowed else None,
            n_values=len(allowed),
            responses=(lib.CResponse * len(responses))(*responses) if responses else None,
            n_responses=len(responses),
            on_lost=_choice(f"knob {name}: on_lost", on_lost, lib.ON_LOST))
        warned: List[str] = []
        _here.warned = warned
        try:
            self._call("dfopt_client_knob_declare", byref(knob))
        finally:
            _here.warned = None
        for line in warned:
            warnings.warn(line, KnobWarning, stacklevel=2)

    def register(self, function: Optional[str] = None) -> None:
        """Sends the knobs of a function and their values, as soon as an optimizer is
        connected. Raises ArgumentError if it has no knobs."""
        self._call("dfopt_client_register", None if function is None else text(function))

    # ---- running ----

    def start(self) -> None:
        """Starts the listener thread. Raises ArgumentError or EndpointError, which
        name the endpoint; LimitError where descriptors or threads run out; StateError if
        it is running."""
        err = lib.CError()
        code = self._lib.dfopt_client_start(self._handle, byref(err))
        if code == LIMIT:
            raise LimitError(err.text.decode(errors="replace"))
        self._check(code, err)

    def _stop(self, timeout: float) -> int:
        return int(self._lib.dfopt_client_stop(self._handle, _milliseconds(timeout)))

    def stop(self, timeout: float = 1.0) -> bool:
        """Ends the listener thread. Acks that wait are sent for at most `timeout`
        seconds; returns whether none was dropped."""
        if getattr(_here, "in_log", False):
            raise StateError("a log handler cannot stop the client that logs")
        return self._stop(timeout) == OK

    def close(self, timeout: float = 1.0) -> None:
        """Stops for good: from now on the client is inert. What it holds is freed
        with its last reference."""
        self.stop(timeout)
        self._handle = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    # ---- plans ----

    def at_boundary(self, boundary: str = "epoch_boundary",
                    function: Optional[str] = None, wait: float = 0.0) -> List[ActionPlan]:
        """Takes the plans that wait for this boundary; at epoch_boundary all. At most
        one a knob. Each is now the caller's to apply and to acknowledge. With none
        pending it waits, at most `wait` seconds, for one, or for the optimizer's answer
        that all that this client has sent is decided."""
        try:
            room = self._room.plans
        except AttributeError:
            room = self._room.plans = (lib.CPlan * _ROOM)()
        at = None if function is None else text(function)
        plans: List[ActionPlan] = []
        while True:
            if wait > 0 and not plans:
                n = self._lib.dfopt_client_at_boundary_wait(
                    self._handle, at, text(boundary), room, _ROOM, _milliseconds(wait))
            else:
                n = self._lib.dfopt_client_at_boundary(self._handle, at, text(boundary),
                                                       room, _ROOM)
            if n == 0:
                return plans
            plans += [plan_from_c(room[i], self.hostname) for i in range(n)]
            if n < _ROOM:
                return plans

    def enqueue(self, plan: Union[ActionPlan, Mapping[str, Any]]) -> None:
        """Files a plan as if it had been received. Raises ArgumentError: it is
        malformed, for other nodes, or for no knob of this client."""
        body: Dict[str, Any]
        if isinstance(plan, ActionPlan):
            own = ("parameter", "clamped", "connection")
            body = {k: v for k, v in vars(plan).items() if k not in own}
        else:
            body = dict(plan)
        try:
            encoded = json.dumps(body, default=_plain).encode()
        except (TypeError, ValueError) as e:
            raise ArgumentError(f"plan {body.get('plan_id')}: {e}") from None
        self._call("dfopt_client_enqueue", encoded, len(encoded))

    def ack(self, plan: ActionPlan, status: str = "applied", value: Any = None,
            reason: str = "", window_index: Optional[int] = None) -> None:
        """Says what became of a plan: status is applied, rejected or deferred; value
        what the knob has now (None: the plan's new value, if applied). Waits for
        nothing."""
        what = f"ack of {plan.plan_id} for knob {plan.knob_id}"
        plan_id = text(plan.plan_id)
        if len(plan_id) >= lib.NAME_SIZE:
            raise ArgumentError(f"{what}: the plan_id is too long")
        p = lib.CPlan(plan_id=plan_id, knob_id=text(plan.knob_id),
                      function=text(plan.target_function),
                      new_value=to_c(plan.new_value, f"{what}: new_value"),
                      for_node=bool(plan.target_nodes), connection=plan.connection)
        now = None if value is None else byref(to_c(value, f"{what}: value"))
        code = self._lib.dfopt_client_ack(
            self._handle, byref(p), _choice(f"{what}: status", status, lib.STATUSES), now,
            text(reason), -1 if window_index is None else window_index)
        self._check(code, f"{what}: no such knob, or a value that is not of its type")

    # ---- objectives ----

    def objective(self, window_index: int, value: float, goal: str = "max",
                  metrics: Optional[Mapping[str, float]] = None, reports: str = "") -> None:
        """Sends what the application achieved in one window of analysis (window_index is
        that of findings): samples a second, or, with goal "min", seconds a step. metrics
        are for guards. reports is whose it is: "node", "job", "both", "none"; "": as the
        client was told. Waits for nothing."""
        what = f"objective of window {window_index}"
        told = [lib.CMetric(text(name), _number(f"{what}: {name}", v))
                for name, v in (metrics or {}).items()]
        objective = lib.CObjective(
            window_index=int(plain(window_index)), value=_number(what, value),
            goal=_choice(f"{what}: goal", goal, lib.GOALS),
            reports=_choice(f"{what}: reports", reports, lib.REPORTS),
            metrics=(lib.CMetric * len(told))(*told) if told else None, n_metrics=len(told))
        self._check(self._lib.dfopt_client_objective(self._handle, byref(objective)),
                    f"{what}: the value or a metric is not finite, or the window is more "
                    "than 2^53")

    def window(self, index: int, units: float, seconds: float, fetch: float = 0.0,
               compute: float = 0.0, *, workers: int = 0, memory: float = 0.0,
               read_spread: float = 0.0, changed: bool = False) -> None:
        """Reports a window of analysis that has ended: units a second as its objective,
        and the findings that it and the windows before give. fetch and compute are seconds
        of waiting for data and of computing, workers what fetches, memory the share of its
        budget, read_spread the ratio of a high to a low percentile of the latency of a
        read. A window in which a knob changed gives no findings; the library knows of
        plans that were acknowledged, changed tells of others. Waits for nothing."""
        measured = lib.CMeasured(
            index=int(plain(index)), units=_number("units", units),
            seconds=_number("seconds", seconds), fetch_s=_number("fetch", fetch),
            compute_s=_number("compute", compute), workers=workers,
            memory=_number("memory", memory),
            read_spread=_number("read_spread", read_spread), changed=changed)
        self._check(self._lib.dfopt_client_window(self._handle, byref(measured)),
                    f"window {index}: a number is negative or not finite, or there are no "
                    "seconds")

    def finding(self, type: str, window_index: int, severity: float, *,
                tags: Iterable[str] = (), suppresses: Iterable[str] = (),
                persistence: int = 0, support: int = 0, prevalence: float = 0.0,
                confidence: float = 0.0, trend: Optional[str] = None,
                motif: Optional[str] = None, metrics: Optional[Mapping[str, float]] = None,
                reports: str = "") -> None:
        """Sends a finding of the application's own, about this node, or with reports
        "job" about the job. Waits for nothing."""
        what = f"finding {type} of window {window_index}"
        opportunities, silenced = [text(t) for t in tags], [text(t) for t in suppresses]
        told = [lib.CMetric(text(name), _number(f"{what}: {name}", v))
                for name, v in (metrics or {}).items()]
        finding = lib.CFinding(
            type=text(type), window_index=int(plain(window_index)),
            severity=_number(f"{what}: severity", severity), persistence=persistence,
            support=support, prevalence=_number(f"{what}: prevalence", prevalence),
            confidence=_number(f"{what}: confidence", confidence), trend=maybe_text(trend),
            motif=maybe_text(motif), n_tags=len(opportunities),
            tags=(ctypes.c_char_p * len(opportunities))(*opportunities),
            suppresses=(ctypes.c_char_p * len(silenced))(*silenced),
            n_suppresses=len(silenced), metrics=(lib.CMetric * len(told))(*told),
            n_metrics=len(told), reports=_choice(f"{what}: reports", reports, lib.REPORTS))
        self._check(self._lib.dfopt_client_finding(self._handle, byref(finding)),
                    f"{what}: severity, prevalence and confidence are 0 to 1, metrics finite")

    # ---- what the library knows ----

    @property
    def hostname(self) -> str:
        """The node's name, for plans that target nodes."""
        if self._hostname is None:
            import socket
            self._hostname = socket.gethostname()
        return self._hostname

    def current(self, knob_id: str, function: Optional[str] = None) -> Value:
        """The value that a knob has. Raises ArgumentError if there is no such knob."""
        out = lib.CValue()
        code = self._lib.dfopt_client_current(
            self._handle, None if function is None else text(function), text(knob_id),
            byref(out))
        self._check(code, f"knob {knob_id}: not declared")
        return from_c(out)

    def set_current(self, knob_id: str, value: Any, function: Optional[str] = None) -> None:
        """Says that the application itself gave a knob this value. Raises
        ArgumentError if there is no such knob, or it cannot have the value."""
        code = self._lib.dfopt_client_current_set(
            self._handle, None if function is None else text(function), text(knob_id),
            byref(to_c(value, f"knob {knob_id}: value")))
        self._check(code, f"knob {knob_id}: not declared, or {value!r} is not of its type")

    def stats(self) -> Stats:
        """Counts since the client was made."""
        out = lib.CStats()
        self._check(self._lib.dfopt_client_stats(self._handle, byref(out)), "stats")
        return Stats(*(getattr(out, name) for name in Stats._fields))
