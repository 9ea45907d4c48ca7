#!/usr/bin/env python3
"""dfopt-log timeline and dfopt_analysis.timeline find the same values, and those that the planner had.

Event logs of tests/diff/logs.py are decided by dfopt-mpi. After every event, the value of each knob for the job and for each
node must be the same in the list of changes of dfopt-log, in that of the analysis, and in the planner of the specification;
and the two lists must say the same window for each value that is new.
"""
import collections
import json
import os
import sys
import tempfile
import unittest

import support
import harness

sys.path.insert(0, os.path.join(support.TOP, "tests", "diff"))

import logs  # noqa: E402
from cases import TAG, ack, find, knob, reg, resp  # noqa: E402
import model  # noqa: E402
from dfopt_analysis import load, timeline  # noqa: E402

PRESETS = ("default", "upstream")  # of even and odd seeds
SEEDS = (3, 6, 12, 16, 62)  # short logs that have much between them
WRITTEN = (3, 6, 9, 10, 11)  # of tests/spec/cases.py


class Values:
    """Values while changes are applied: of the job, and what nodes have of their own."""

    def __init__(self):
        self.job, self.own = {}, {}
        self.windows = {}  # by (knob, node): of the changes of the last event

    def set(self, knob, node, value, window):
        if node:
            self.own[knob, node] = value
        else:
            self.job[knob] = value
        self.windows[knob, node] = max(window, -1)

    def follow(self, knob, node, window):
        """The node has the job's value again."""
        if self.own.pop((knob, node), None) is not None:
            self.windows[knob, node] = max(window, -1)

    def of(self, knob, node):
        return self.own.get((knob, node), self.job.get(knob))


def of_program(path, knobs):
    """What dfopt-log says: a function that applies the changes of an event."""
    of_event = collections.defaultdict(list)
    for knob in knobs:
        r = harness.run(["timeline", "--changes", "--json", "--knob", knob, path], program=harness.Config.log_program)
        assert r.code == 0, r.brief
        for line in r.out.splitlines():
            c = json.loads(line)
            of_event[c["seq"]].append(c)

    def apply(values, event):
        for c in of_event[event]:
            window = -1 if c["window"] is None else c["window"]
            if c["own"]:
                values.set(c["knob"], c["node"], c["value"], window)
            else:
                values.follow(c["knob"], c["node"], window)
    return apply


def of_analysis(log, causes):
    """The same of dfopt_analysis."""
    rules, of_event = timeline.Rules.of(log), collections.defaultdict(list)
    for c in timeline.changes(log).itertuples(index=False):
        of_event[int(c.seq)].append(c)
        causes[c.cause] += 1

    def apply(values, event):
        for c in of_event[event]:
            knob, window = str(c.knob), int(c.window)
            if not c.own:
                values.follow(knob, c.node, window)
            elif c.cause != timeline.ASSUMED:
                values.set(knob, c.node, c.value, window)
            if not c.node and rules.end_own(c.cause):
                for k, node in [s for s in values.own if s[0] == knob]:
                    values.follow(k, node, window)
    return apply


class Planner:
    """The specification, one event after the other."""

    def __init__(self, case):
        policy, parts = model.load_policy(json.dumps(case.policy or {}), case.upstream)
        self.case, self.planner = case, model.Planner(policy, case.assumed, **parts)

    def decide(self, number, record):
        if not isinstance(record, dict):
            record = {"stream": "finding", "body": record}
        stream, body = (record["stream"], record["body"]) if "stream" in record else ("finding", record)
        given = body.get("target_nodes") if isinstance(body, dict) else None
        ours = not self.case.hostname or not given or any(self.planner.hosts.same(self.case.hostname, n) for n in given)
        if stream != "global_plan" or ours:
            model.decide(self.planner, stream, body, number)

    def of(self, knob, node):
        return self.planner.node_val.get((knob, node), self.planner.current.get(knob))

    def state(self):
        return dict(self.planner.current), dict(self.planner.node_val)

    def slots(self):
        return {(k, "") for k in self.planner.current} | set(self.planner.node_val)


def records(path):
    with open(path, "rb") as f:
        for line in filter(bytes.strip, f):
            try:
                yield json.loads(line.decode("utf-8"))
            except (ValueError, RecursionError):
                yield None


class Unanswered(logs.Case):
    """A plan for the job that is never acknowledged, though windows go by; a node has a value of its own meanwhile. Only
    findings of the job count: its own, and those of nodes with a tag that a knob of the job responds to."""
    name, policy = "unanswered", {"switches": {"effect": "trend"}}

    def records(self):
        now = resp(apply_when="next_window")
        knobs = knob("k", x=now), knob("j", scope="job", y=now)
        return [reg(*knobs), reg(*knobs, node="n1", current_values={"k": 7}),
                *[find(w, "x", node="") for w in (1, 3, 5, 7)], find(30, "x", node="n2"), find(9, "y"), find(10, "y")]

    def write(self, folder):
        return self.write_records(folder, [{"stream": s, "body": b} for s, b in self.records()])


class Epochs(Unanswered):
    """The same for an epoch boundary: it waits twice as long as the first one took, which was acknowledged. A later ack of
    a plan that nobody knows is adopted."""
    name = "unanswered epoch"

    def records(self):
        k = knob("k", x=resp(apply_when="epoch_boundary"))
        own = reg(k, node="n1", current_values={"k": 7})
        return [reg(k), own, *[find(w, "x", node="") for w in range(1, 7)],
                ack(2, TAG, "k", 2, target_nodes=[]), own, *[find(w, "x", node="") for w in range(7, 26)],
                own, ack(28, TAG, "k", 9, target_nodes=[])]


class Timelines(unittest.TestCase):
    def setUp(self):
        self.causes = collections.Counter()

    def check(self, case):
        """Decides a case of logs.py and compares the three after every event."""
        with tempfile.TemporaryDirectory(dir=support.FOLDER) as folder, self.subTest(case.name):
            source = case.write(folder)
            path = support.replay(os.path.join(folder, "decisions"), source, *case.program_flags(folder))
            log, planner = load(path), Planner(case)
            knobs = sorted({str(k) for k in log.knobs["knob"]})
            self.compare(planner, of_program(path, knobs), of_analysis(log, self.causes), source)

    def compare(self, planner, program, analysis, source):
        c, py, known, before, state = Values(), Values(), set(), {}, None
        for number, record in enumerate(records(source)):
            for values, apply in ((c, program), (py, analysis)):
                values.windows = {}
                apply(values, number)
            planner.decide(number, record)
            was, state = state, planner.state()
            if state == was and not c.windows and not py.windows:
                continue
            known |= planner.slots() | {(k, "") for k in py.job} | set(py.own) | set(c.own)
            for slot in known:
                where = f"event {number}, {slot}: {json.dumps(record)[:200]}"
                wanted = repr(planner.of(*slot))  # 8 is not 8.0
                self.assertEqual(repr(py.of(*slot)), wanted, f"analysis, {where}")
                self.assertEqual(repr(c.of(*slot)), wanted, f"dfopt-log, {where}")
                if before.get(slot) != wanted:
                    self.assertEqual(self.window(c, slot), self.window(py, slot), f"window, {where}")
                before[slot] = wanted

    @staticmethod
    def window(values, slot):
        return values.windows.get(slot, values.windows.get((slot[0], "")))

    def test_generated(self):
        for seed in SEEDS:
            self.check(logs.case_of(seed, PRESETS))
        for seed in WRITTEN:
            self.check(logs.case_of(-1 - seed, PRESETS))
        self.check(Unanswered())
        self.check(Epochs())
        missing = {"registered", "plan", "global plan", "applied", "rejected", "cleared", "adopted", "timed out",
                   "withdrawn", timeline.RESTARTED, timeline.ASSUMED} - set(self.causes)
        self.assertFalse(missing, "the logs have no such change")

    def test_assumed_acks(self):
        for seed in (44, 68):
            case = logs.case_of(seed, PRESETS)
            case.assumed = True
            self.check(case)


if __name__ == "__main__":
    harness.main()
