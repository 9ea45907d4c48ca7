"""What the tests of analysis/ share: logs that dfopt-mpi has written, and runs of
the programs. Running, waiting and input come from tests/cli/harness."""
import atexit
import dataclasses
import functools
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ANALYSIS = os.path.join(TOP, "analysis")
RECORDING = os.path.join(TOP, "jobs", "data", "training-16-nodes.jsonl.gz")
sys.path[:0] = [os.path.join(TOP, "tests", "cli"), os.path.join(TOP, "tests", "spec"),
                ANALYSIS]

import harness  # noqa: E402
import model  # noqa: E402
import plants  # noqa: E402


def decided():
    """How many verdicts and plans the specification makes of the recording; relayed
    plans are plans as well."""
    planner, verdicts, plans = model.Planner(model.DEFAULT), 0, 0
    for i, line in enumerate(records()):
        e = json.loads(line)
        made, relayed, _ = model.decide(planner, e["stream"], e["body"], i)
        own, rows = made.sorted()
        verdicts += len(rows)
        plans += len(own) + (relayed is not None)
    return verdicts, plans


def records():
    with gzip.open(RECORDING, "rb") as f:
        return f.read().splitlines(keepends=True)


VERDICTS, PLANS = decided()
FOLDER = tempfile.mkdtemp(prefix="dfopt-analysis-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
os.environ.setdefault("MPLCONFIGDIR", os.path.join(FOLDER, "mpl"))


def replay(name, source, *options):
    """Decides a file; returns the path of the decision log."""
    path = os.path.join(FOLDER, name + ".h5")
    r = harness.run(["--findings-file", source, "--decision-log", path,
                     "--final-state", path + ".json", "--log-level", "warning",
                     *options])
    if r.code:
        raise AssertionError(r.brief)
    return path


@functools.lru_cache(maxsize=None)
def recorded():
    """The log of the recording that is shipped."""
    return replay("recorded", RECORDING)


@functools.lru_cache(maxsize=None)
def careful():
    """The same recording under a stricter policy."""
    policy = os.path.join(FOLDER, "policy.json")
    with open(policy, "w", encoding="utf-8") as f:
        json.dump({"responses": {"*": {"min_severity": 0.9}}}, f)
    return replay("careful", RECORDING, "--policy", policy)


@functools.lru_cache(maxsize=None)
def impatient():
    """The recording without acks and objectives: plans are given up after four windows."""
    source = os.path.join(FOLDER, "no-acks.jsonl")
    with open(source, "wb") as f:
        left_out = (b'{"stream": "ack"', b'{"stream": "objective"')
        f.writelines(r for r in records() if not r.startswith(left_out))
    policy = os.path.join(FOLDER, "impatient.json")
    with open(policy, "w", encoding="utf-8") as f:
        json.dump({"switches": {"effect": "severity",
                                "pending_timeout_windows": 4}}, f)
    return replay("impatient", source, "--policy", policy, "--acks", "explicit")


@functools.lru_cache(maxsize=None)
def detailed(detail):
    return replay(detail, RECORDING, "--log-detail", detail)


@functools.lru_cache(maxsize=None)
def session(nodes, windows, seed=1):
    source = os.path.join(FOLDER, f"session-{nodes}-{windows}-{seed}.jsonl")
    with open(source, "wb") as f:
        f.write(harness.lines(harness.session(nodes, windows, seed)))
    return replay(f"session-{nodes}-{windows}-{seed}", source)


class Optimizer:
    """The specification's planner as the controller of a plant."""

    def __init__(self):
        self.planner, self.events = model.Planner(model.DEFAULT), 0

    def feed(self, stream, body):
        made, _, _ = model.decide(self.planner, stream, body, self.events)
        self.events += 1
        return [plan for _, _, _, plan in made.sorted()[0]]


@functools.lru_cache(maxsize=None)
def closed_loop(name, blind=False, seed=1, instances=False):
    """A simulated application that obeys its plans and reports an objective (tests/
    spec/plants.py); its events, decided again. blind: without the objectives;
    instances: every node registers for itself."""
    scenario = next(s for s in plants.scenarios() if s.name == name)
    scenario = dataclasses.replace(scenario, instances=instances)
    events = []
    plants.Loop(scenario, seed, Optimizer(), log=events).run()
    if blind:
        events = [e for e in events if e["stream"] != "objective"]
    source = os.path.join(FOLDER, f"loop-{name}-{seed}-{instances}.jsonl")
    with open(source, "wb") as f:
        f.write(harness.lines(events))
    return replay(f"loop-{name}-{blind}-{seed}-{instances}", source)


@functools.lru_cache(maxsize=None)
def empty():
    source = os.path.join(FOLDER, "none.jsonl")
    with open(source, "wb"):
        pass
    return replay("empty", source)


def dump(path):
    """What dfopt-log makes of it: rows by kind."""
    r = harness.run(["dump", path], program=harness.Config.log_program)
    if r.code:
        raise AssertionError(r.brief)
    found = {}
    for line in r.out.splitlines():
        row = json.loads(line)
        found.setdefault(row["kind"], []).append(row)
    return found


def program(name, *args, timeout=120, **more):
    """Runs a program of analysis/ as a user does."""
    argv = [sys.executable, os.path.join(ANALYSIS, name), *map(str, args)]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout, **more)


PROGRAMS = sorted(n for n in os.listdir(ANALYSIS) if n.endswith(".py"))
