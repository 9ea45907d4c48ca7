"""libdfopt_client by ctypes: where it is, its structures and its functions.

The structures are those of dfopt/client.h, member by member; tests/python holds
them against what a C compiler makes of that header.
"""
from __future__ import annotations

import ctypes
import os
import threading
from ctypes import (POINTER, Structure, Union, c_bool, c_char, c_char_p, c_double, c_int,
                    c_int64, c_size_t, c_uint64, c_void_p)
from pathlib import Path
from typing import Any, List, Optional, Tuple

from .errors import LibraryError

VERSION = "0.1.0"
SONAME = "libdfopt_client.so.0"
VARIABLE = "DFOPT_CLIENT_LIBRARY"

TEXT_SIZE = 256
NAME_SIZE = 128

# enum dfopt_client_kind
NULL, INT, FLOAT, STR, BOOL = range(5)

DIRECTIONS = ("increase", "decrease", "set")
STEP_MODES = ("add", "multiply", "evidence")
STATUSES = ("applied", "rejected", "deferred")
PATTERNS = ("pull", "sub")
GOALS = ("max", "min")
ON_LOST = ("hold", "restore")
REPORTS = ("", "node", "job", "both", "none")


class CError(Structure):
    _fields_ = [("code", c_int), ("text", c_char * 320)]


class _Any(Union):
    _fields_ = [("i", c_int64), ("d", c_double), ("b", c_bool), ("s", c_char * TEXT_SIZE)]


class CValue(Structure):
    _anonymous_ = ("any",)
    _fields_ = [("kind", c_int), ("any", _Any)]


LOG_FN = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_char_p)


class COptions(Structure):
    _fields_ = [
        ("app_namespace", c_char_p), ("function", c_char_p), ("hostname", c_char_p),
        ("transport", c_char_p), ("plans_endpoint", c_char_p),
        ("registry_endpoint", c_char_p), ("acks_endpoint", c_char_p),
        ("plans_pattern", c_int), ("plans_bind", c_bool), ("lazy_registration", c_bool),
        ("curve_server_key", c_char_p), ("curve_secret_key", c_char_p),
        ("curve_public_key", c_char_p), ("max_pending_acks", c_size_t),
        ("max_queued_plans", c_size_t), ("max_message_bytes", c_size_t),
        ("log", LOG_FN), ("log_arg", c_void_p), ("objectives_endpoint", c_char_p),
        ("max_pending_objectives", c_size_t), ("reports", c_int), ("group_file", c_char_p),
        ("consumer_name", c_char_p), ("global_group_file", c_char_p),
        ("global_registry_topic", c_char_p), ("global_acks_topic", c_char_p),
        ("global_objectives_topic", c_char_p), ("findings_endpoint", c_char_p),
        ("max_pending_findings", c_size_t), ("findings_end", c_bool), ("endpoints_file", c_char_p),
        ("lease_ms", c_int),
    ]


class CResponse(Structure):
    _fields_ = [
        ("tag", c_char_p), ("direction", c_int), ("step_mode", c_int), ("step", CValue),
        ("set_to", CValue), ("min_severity", c_double), ("min_persistence", c_double),
        ("cooldown_windows", c_double), ("apply_when", c_char_p),
        ("effectiveness_threshold", c_double),
    ]


class CKnob(Structure):
    _fields_ = [
        ("id", c_char_p), ("parameter", c_char_p), ("function", c_char_p),
        ("scope", c_char_p), ("type", c_int), ("default_value", CValue),
        ("current", CValue), ("lo", CValue), ("hi", CValue), ("values", POINTER(CValue)),
        ("n_values", c_size_t), ("responses", POINTER(CResponse)),
        ("n_responses", c_size_t), ("on_lost", c_int),
    ]


class CPlan(Structure):
    _fields_ = [
        ("plan_id", c_char * NAME_SIZE), ("knob_id", c_char_p), ("parameter", c_char_p),
        ("function", c_char_p), ("new_value", CValue), ("old_value", CValue),
        ("clamped", c_bool), ("for_node", c_bool), ("severity", c_double),
        ("window_index", c_int64), ("apply_when", c_char * NAME_SIZE),
        ("finding_type", c_char * NAME_SIZE), ("opportunity_tag", c_char * NAME_SIZE),
        ("rationale", c_char * 512), ("connection", c_uint64),
    ]


class CStats(Structure):
    _fields_ = [(name, c_uint64) for name in (
        "plans_received", "plans_malformed", "plans_other_node", "plans_unknown",
        "plans_unfit", "plans_replaced", "plans_delivered", "plans_pending", "acks_sent",
        "acks_dropped", "acks_pending", "registrations_sent", "connections",
        "objectives_sent", "objectives_dropped", "objectives_pending", "plans_outdated",
        "findings_sent", "findings_dropped", "findings_pending", "optimizers_lost",
        "values_restored", "answers_received")]


class CMetric(Structure):
    _fields_ = [("name", c_char_p), ("value", c_double)]


class CObjective(Structure):
    _fields_ = [("window_index", c_int64), ("value", c_double), ("goal", c_int),
                ("reports", c_int), ("metrics", POINTER(CMetric)), ("n_metrics", c_size_t)]


class CMeasured(Structure):
    _fields_ = [("index", c_int64), ("units", c_double), ("seconds", c_double),
                ("fetch_s", c_double), ("compute_s", c_double), ("workers", c_int64),
                ("memory", c_double), ("read_spread", c_double), ("changed", c_bool)]


class CFinding(Structure):
    _fields_ = [("type", c_char_p), ("window_index", c_int64), ("severity", c_double),
                ("persistence", c_int64), ("support", c_int64), ("prevalence", c_double),
                ("confidence", c_double), ("trend", c_char_p), ("motif", c_char_p),
                ("tags", POINTER(c_char_p)), ("n_tags", c_size_t),
                ("suppresses", POINTER(c_char_p)), ("n_suppresses", c_size_t),
                ("metrics", POINTER(CMetric)), ("n_metrics", c_size_t), ("reports", c_int)]


class CMeasure(Structure):
    _fields_ = [("client", c_void_p), ("window_ns", c_int64), ("window", CMeasured),
                ("phase", c_int), ("start_ns", c_int64), ("phase_ns", c_int64)]


class CWindow(Structure):
    _fields_ = [("every_n", c_int64), ("max_every_n", c_int64), ("counter", c_int64),
                ("index", c_int64), ("start_ns", c_int64), ("active", c_bool)]


# By the C name of the struct.
STRUCTURES = {
    "dfopt_error": CError, "dfopt_client_value": CValue, "dfopt_client_options": COptions,
    "dfopt_client_response": CResponse, "dfopt_client_knob": CKnob,
    "dfopt_client_plan": CPlan, "dfopt_client_stats": CStats, "dfopt_window": CWindow,
    "dfopt_client_metric": CMetric, "dfopt_client_objective": CObjective,
    "dfopt_client_window": CMeasured, "dfopt_client_finding": CFinding,
    "dfopt_measure": CMeasure,
}

_ERR = POINTER(CError)
_WINDOW = POINTER(CWindow)
_MEASURE = POINTER(CMeasure)

# name, result, arguments; a client is a void pointer
_FUNCTIONS: List[Tuple[str, Any, List[Any]]] = [
    ("dfopt_client_version", c_char_p, []),
    ("dfopt_err_text", c_char_p, [c_int]),
    ("dfopt_client_create", c_int, [POINTER(c_void_p), POINTER(COptions), _ERR]),
    ("dfopt_client_destroy", None, [c_void_p]),
    ("dfopt_client_response_init", None, [POINTER(CResponse), c_char_p]),
    ("dfopt_client_knob_declare", c_int, [c_void_p, POINTER(CKnob), _ERR]),
    ("dfopt_client_register", c_int, [c_void_p, c_char_p, _ERR]),
    ("dfopt_client_start", c_int, [c_void_p, _ERR]),
    ("dfopt_client_stop", c_int, [c_void_p, c_int]),
    ("dfopt_client_at_boundary", c_size_t,
     [c_void_p, c_char_p, c_char_p, POINTER(CPlan), c_size_t]),
    ("dfopt_client_at_boundary_wait", c_size_t,
     [c_void_p, c_char_p, c_char_p, POINTER(CPlan), c_size_t, c_int]),
    ("dfopt_client_objective", c_int, [c_void_p, POINTER(CObjective)]),
    ("dfopt_client_window", c_int, [c_void_p, POINTER(CMeasured)]),
    ("dfopt_client_finding", c_int, [c_void_p, POINTER(CFinding)]),
    ("dfopt_client_enqueue", c_int, [c_void_p, c_char_p, c_size_t, _ERR]),
    ("dfopt_client_ack", c_int,
     [c_void_p, POINTER(CPlan), c_int, POINTER(CValue), c_char_p, c_int64]),
    ("dfopt_client_current", c_int, [c_void_p, c_char_p, c_char_p, POINTER(CValue)]),
    ("dfopt_client_current_set", c_int, [c_void_p, c_char_p, c_char_p, POINTER(CValue)]),
    ("dfopt_client_stats", c_int, [c_void_p, POINTER(CStats)]),
    ("dfopt_measure_init", None, [_MEASURE, c_void_p, c_int64, c_int64]),
    ("dfopt_measure_phase", None, [_MEASURE, c_int, c_int64]),
    ("dfopt_measure_add", None, [_MEASURE, c_double]),
    ("dfopt_measure_end", c_bool, [_MEASURE, c_int64]),
    ("dfopt_measure_close", c_int, [_MEASURE, c_int64, c_int64]),
    ("dfopt_window_init", None, [_WINDOW, c_int64]),
    ("dfopt_window_start", c_bool, [_WINDOW, c_int64, c_void_p]),
    ("dfopt_window_stop", c_bool, [_WINDOW, c_int64, c_void_p]),
    ("dfopt_window_flush", c_bool, [_WINDOW, c_int64, c_void_p]),
    ("dfopt_window_increase", c_bool, [_WINDOW]),
    ("dfopt_window_decrease", c_bool, [_WINDOW]),
    ("dfopt_window_update", c_bool, [_WINDOW, c_int64]),
]

_lock = threading.Lock()
_library: Optional[ctypes.CDLL] = None


def _candidates() -> List[str]:
    """Where the library may be, in order; the last is for the system's search."""
    named = os.environ.get(VARIABLE)
    if named:
        return [named]
    package = Path(__file__).resolve().parent
    # beside the package, or where `cmake --install` puts both: LIBDIR, and
    # LIBDIR/python3/dist-packages/dfopt_client
    folders = [package] + list(package.parents[2:3])
    return [str(f / SONAME) for f in folders if (f / SONAME).exists()] + [SONAME]


def _open() -> ctypes.CDLL:
    tried = []
    for name in _candidates():
        try:
            return ctypes.CDLL(name)
        except OSError as e:
            tried.append(f"{name}: {e}")
    raise LibraryError(f"cannot load libdfopt_client; set {VARIABLE} to its file "
                       f"({'; '.join(tried)})")


def _prepare(library: ctypes.CDLL) -> None:
    try:
        for name, result, arguments in _FUNCTIONS:
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as e:
        raise LibraryError(f"{library._name} is not libdfopt_client {VERSION}: {e}") from None
    found = library.dfopt_client_version().decode()
    if found.split(".")[:2] != VERSION.split(".")[:2]:
        raise LibraryError(f"{library._name} is version {found}, "
                           f"but this package needs {VERSION}")


def library() -> ctypes.CDLL:
    """The library, which is loaded by the first call. Raises LibraryError."""
    global _library
    if _library is None:
        with _lock:
            if _library is None:
                opened = _open()
                _prepare(opened)
                _library = opened
    return _library
