"""Runs the programs under test, builds their input and reads their output.

Every run has a time bound, a session of its own that is killed with it, and a
clean environment. A sanitizer's report fails the test whatever it looks at.

    config        which programs, and the command line of a test
    launch        environment and mpirun
    processes     processes of a session, waiting for a condition
    ports         ports that stay free
    running       runs to the end or in the background; their results
    case          a test with a folder of its own
    records       input
    decision_log  decision logs
"""
from .case import Case
from .config import HERE, RANKS, REPORTS, Config, is_sanitized, main
from .decision_log import DECIDED, NO_STRING, DecisionLog
from .launch import asan_options, command, environment
from .ports import hold_port
from .processes import rank_process, session_processes, wait_until
from .records import (event, finding, knob, lines, loader_registration,
                      plans_without_ids, registration, response, session)
from .running import Result, Running, run, run_as_nobody, run_each

__all__ = [
    "Case", "Config", "DECIDED", "DecisionLog", "HERE", "NO_STRING", "RANKS", "REPORTS",
    "Result", "Running", "asan_options", "command", "environment", "event", "finding",
    "hold_port", "is_sanitized", "knob", "lines", "loader_registration", "main", "plans_without_ids",
    "rank_process", "registration", "response", "run", "run_as_nobody", "run_each",
    "session", "session_processes", "wait_until"]
