"""dfopt-log why against the executable specification, tests/spec/model.py.

    test_log_why.py [--count N]   N random (knob, node, window), default 30;
                                  6 where the program is sanitized, and slow
"""
import collections
import json
import os
import random
import subprocess
import sys

import harness
from harness import Case, Config

SPEC = os.path.join(os.path.dirname(harness.HERE), "spec")
COUNT = 0
# They end trials: told of the window and the site of the trial, by /outcomes
# (test_log_outcomes.py).
ENDINGS = ("improved", "neutral", "worse", "inconclusive", "void", "restart", "guard",
           "withdrawn")


def spec(name, *args):
    subprocess.run([sys.executable, os.path.join(SPEC, name), *map(str, args)],
                   check=True, timeout=60, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def node_of(scope):
    return scope.split(":", 2)[1] if scope.startswith("node:") else ""


def tags_of(registrations):
    """knob -> the tags that it answers to, after these registrations."""
    answers = {}
    for body in registrations:
        knobs = body["knobs"]
        for k in knobs if isinstance(knobs, list) else knobs.values():
            tags = k.get("responds_to")
            if tags is None:
                tags = ["io_bottleneck"] if "knob_response" in k else []
            answers[k["id"]] = set(tags)
    return answers


class Why(Case):
    def make(self, seed):
        log, exact, wanted = (self.path(n) for n in ("log", "exact", "wanted"))
        spec("gen_findings.py", "--nodes", 5, "--windows", 25, "--seed", seed,
             "--global-rate", .3, "--global-plan-rate", .3, "-o", log)
        spec("model.py", log, "--close-loop", 1, "--reject-every", 7, "--emit-log",
             exact, "-o", self.path("plans"))
        spec("model.py", exact, "--decisions", "-o", wanted)
        self.run_ok(["--findings-file", exact, "--decision-log", self.path("log.h5")])
        with open(exact) as f:
            self.events = [json.loads(line) for line in f]
        with open(wanted) as f:
            rows = [json.loads(line) for line in f]
        self.decisions = [r for r in rows if "verdict" in r]
        self.plans = {(r["event"], r["plan"]["knob_id"]): r["plan"] for r in rows
                      if "plan" in r}

    def wanted(self):
        """(knob, node, window) -> [(event, tag, verdict)], by the specification."""
        found = collections.defaultdict(list)
        at_event = {}
        registrations = []
        for i, e in enumerate(self.events):
            if e["stream"] == "registration":
                registrations.append(e["body"])
                answers = tags_of(registrations)
            at_event[i] = answers
        for d in self.decisions:
            body, answers = self.events[d["event"]]["body"], at_event[d["event"]]
            key = node_of(body.get("scope", "")), body.get("window_index", 0)
            if d["verdict"] in ENDINGS:
                knobs = []
            elif d["knob_id"]:
                knobs = [d["knob_id"]]
            elif d["verdict"] == "suppressed":
                knobs = [k for k, tags in answers.items() if d["tag"] in tags]
            elif d["verdict"] == "trend":
                knobs = [k for k, tags in answers.items()
                         if tags & set(body["opportunity_tags"])]
            else:
                knobs = []
            for k in knobs:
                found[(k, *key)].append((d["event"], d["tag"], d["verdict"]))
        return found

    def why(self, knob, node, window, *more):
        r = harness.run(["why", "--knob", knob, "--node", node, "--window",
                         f"{window}:{window}", *more, self.path("log.h5")],
                        program=Config.log_program)
        self.assertEqual(r.code, 0, r.brief)
        return r.out.decode()

    def test_answers_are_those_of_the_specification(self):
        pick = random.Random(1)
        count = COUNT or (6 if harness.is_sanitized(Config.log_program) else 30)
        for seed in (3, 8):
            self.make(seed)
            wanted = self.wanted()
            self.assertGreater(len(wanted), 100)
            knobs, nodes, windows = (sorted({k[i] for k in wanted}) for i in range(3))
            cases = pick.sample(sorted(wanted), count // 3)
            while len(cases) < count // 2:
                cases.append((pick.choice(knobs), pick.choice(nodes),
                              pick.choice(windows)))
            for case in cases:
                with self.subTest(seed=seed, case=case):
                    self.check(case, wanted.get(case, []))

    def check(self, case, wanted):
        rows = [json.loads(line) for line in self.why(*case, "--json").splitlines()]
        told = [(r["seq"], r["tag"], r["verdict"]) for r in rows
                if r["kind"] == "verdict" and r["verdict"] not in ENDINGS]
        self.assertEqual(told, wanted)
        for r in rows:
            if r["kind"] == "verdict" and r["verdict"] == "planned":
                plan = self.plans[r["seq"], case[0]]
                self.assertEqual((r["plan_id"], r["old"], r["new"]),
                                 (plan["plan_id"], plan["old_value"],
                                  plan["new_value"]))
        text = self.why(*case).splitlines()
        self.assertEqual(len(text), len(rows) + 1)  # and the conclusion
        self.assertIn(case[0], text[-1])
        for line in text[:-1]:
            self.assertTrue(line.startswith(f"window {case[2]}: "), line)

    def test_words(self):
        """Each verdict by the numbers that were compared."""
        self.make(5)
        words = {"severity": "severity {value} is below {threshold}",
                 "persistence": "persistence {value} is below {threshold}: not yet",
                 "cooldown_time": "the cooldown is {threshold} window"}
        r = harness.run(["why", "--json", "--knob", "dlio.prefetch_size",
                         self.path("log.h5")], program=Config.log_program)
        seen = set()
        for row in map(json.loads, r.out.splitlines()):
            pattern = words.get(row.get("verdict"))
            if pattern:
                seen.add(row["verdict"])
                self.assertIn(pattern.format(value="%.6g" % row["value"],
                                             threshold="%.6g" % row["threshold"]),
                              row["text"])
        self.assertIn("persistence", seen)
        self.assertIn("cooldown_time", seen)


if __name__ == "__main__":
    if "--count" in sys.argv:
        at = sys.argv.index("--count")
        COUNT = int(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    harness.main()
