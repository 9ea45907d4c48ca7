"""Findings against DFDiagnoser's habits (tests/spec/habits.py): random windows
go through both, and every field has to be the same, to the last bit of a number.

usage: test_habits.py PROGRAM (diagnose)"""
import json
import os
import random
import subprocess
import sys
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TESTS, "spec"))
from habits import Diagnoser, clip, finding  # noqa: E402

PROGRAM = ""
RUNS, WINDOWS = 60, 60


class Current(Diagnoser):
    """Of the window itself, and not cut off before a share of 1."""
    FROM = {"fetch_pressure": ("fetch_frac", .10, .90),
            "compute_dominance": ("compute_frac", .85, .20),
            "io_contention": ("compute_frac", .60, .40),
            "memory_pressure": ("mem_frac", .80, .20),
            "read_contention": ("pread_latency_spread", 5, 40)}

    def looks(self, ftype, tr, w, m, fact):
        name, begin, width = self.FROM[ftype]
        severity, metrics = clip((fact[1][name] - begin) / width), fact[1]
        tr.recent[-1] = tr.peak = severity
        tr.peak_metrics = metrics
        return finding(ftype, self.scope, tr, w - self.first + 1)


def windows(dice):
    """Windows in phases, so that findings come, stay, go and come again; gaps, too."""
    w, share = 0, dice.random()
    for _ in range(WINDOWS):
        w += 1 if dice.random() < .9 else dice.randint(2, 4)
        if dice.random() < .15:
            share = dice.random() ** dice.choice((.3, 1, 3))
        share = min(1.0, max(0.0, share + dice.gauss(0, .03)))
        active = dice.uniform(.2, 2)
        m = {"fetch": share * active, "c": (1 - share) * active,
             "workers": dice.randint(1, 5)}
        if dice.random() < .5:
            m["mem"] = dice.uniform(.5, 1.2)
        if dice.random() < .5:
            m["spread"] = dice.choice((10, dice.uniform(1, 60)))
        yield w, m


def of_ours(habit, sequence):
    lines = "".join("%d %r %r %d %r %r\n" % (w, m["fetch"], m["c"], m["workers"],
                                             m.get("mem", 0), m.get("spread", 0))
                    for w, m in sequence)
    run = subprocess.run([PROGRAM, habit], input=lines, capture_output=True, text=True,
                         check=True, timeout=60)
    return [json.loads(line) for line in run.stdout.splitlines()]


class Habits(unittest.TestCase):
    def compare(self, habit, diagnoser):
        kinds, motifs, trends = set(), set(), set()
        for seed in range(RUNS):
            sequence = list(windows(random.Random(seed)))
            there = diagnoser("n1")
            wanted = [f for w, m in sequence for f in there.window(w, m)]
            found = of_ours(habit, sequence)
            self.assertEqual(len(found), len(wanted), f"seed {seed}")
            for ours, theirs in zip(found, wanted):
                at = f"seed {seed}, window {theirs['window_index']}"
                summary = ours.pop("summary")
                self.assertEqual(ours.pop("publish_mode"), "control")
                self.assertEqual(list(ours), list(theirs), at)
                for field, value in theirs.items():
                    self.assertEqual(ours[field], value, f"{at}: {field}")
                self.assertEqual(list(ours["key_metrics"]), list(theirs["key_metrics"]))
                self.assertIn(f"motif={theirs['motif']}, ", summary)
                kinds.add(theirs["finding_type"])
                motifs.add(theirs["motif"])
                trends.add(theirs["trend_direction"])
        self.assertEqual((len(kinds), len(motifs), len(trends)), (5, 3, 4))

    def test_peak(self):
        self.compare("peak", Diagnoser)

    def test_current(self):
        self.compare("current", Current)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
