#!/usr/bin/env python3
"""What the planner claims of knobs that do nothing, and how soon it takes back what harms.

usage: honest_claims.py --driver build/dev/tests/planner_driver [--knobs 1000] [--harmful 100]

Simulated nodes, each with a knob that findings always ask for more of.

no-op: the knob has no effect; the objective is noise.  Of all verdicts of trials at most 1 % may
be reported as a certain gain.  (Measured with 1000 knobs, 120 windows and seeds 0 to 7: at most
0.3 % in noise of 2 %, 0.1 % of 5 %, 0.5 % of 15 % and 30 %.)  The values must end near where they
began: half of them within 2 steps, nine in ten within 4, and within 5 in noise of 30 %.

harmful: the first move costs 20 %.  It must be taken back within 4 windows at 5 % noise and
within 8 at 15 %, counted from the window in which it came into force: all of them at 5 %, 98 in
100 at 15 %, whatever the seed.
"""
import argparse
import json
import math
import random
import statistics
import subprocess
import sys

JUDGED = ("improved", "neutral", "worse", "inconclusive")
START, LAST = 16, 64
AT_ONCE = 64
NO_OP = {0.02: 4, 0.05: 4, 0.15: 4, 0.30: 5}    # noise: steps within which nine in ten end
HARMFUL = {0.05: (4, 1.0), 0.15: (8, .98)}      # noise: windows, and how many within them


class Driver:
    """The planner alone; its answers to a window's events."""

    def __init__(self, program):
        self.process = subprocess.Popen(["stdbuf", "-oL", program, "/dev/stdin", "--claims"],
                                        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.events = 0

    def decide(self, events):
        """So few at a time that neither side waits for the other to read."""
        return [a for i in range(0, len(events), AT_ONCE)
                for a in self.decide_some(events[i:i + AT_ONCE])]

    def decide_some(self, events):
        """A marker at the end, an ack of no plan, has a line of its own."""
        events = [*events, ("ack", {"plan_id": "none"})]
        self.process.stdin.writelines(
            json.dumps({"stream": s, "body": b}) + "\n" for s, b in events)
        self.process.stdin.flush()
        self.events += len(events)
        answers = []
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("event") == self.events - 1 and "ack" in answer:
                return answers
            answers.append(answer)
        raise AssertionError("the driver ended")

    def close(self):
        self.process.stdin.close()
        self.process.stdout.read()
        if self.process.wait():
            raise AssertionError("the driver failed")


def registration():
    knob = {"id": "k", "default": START, "type": "int", "range": [1, LAST], "scope": "node",
            "target_function": "f",
            "responds_to": {"more": {"direction": "increase", "step": 1, "min_persistence": 1,
                                     "cooldown_windows": 1, "apply_when": "window_boundary"}}}
    return {"namespace": "app", "function_name": "f", "knobs": {"k": knob},
            "current_values": {"k": START}}


class World:
    """Nodes, the value of each one's knob, and what it achieves."""

    def __init__(self, driver, nodes, noise, effect, seed):
        self.driver, self.noise, self.effect = driver, noise, effect
        self.rnd = random.Random(f"{seed}/{noise}")
        self.values = {f"n{i:04d}": START for i in range(nodes)}
        self.due, self.rows, self.window = [], [], 0
        self.applied, self.taken_back = {}, {}     # window, by node: of its first move
        driver.decide([("registration", registration())])

    def apply(self):
        for plan in self.due:
            node = plan["target_nodes"][0]
            self.values[node] = plan["new_value"]
            self.applied.setdefault(node, self.window)
            yield "ack", {"plan_id": plan["plan_id"], "knob_id": "k", "status": "applied",
                          "old_value": plan["old_value"], "new_value": plan["new_value"],
                          "window_index": self.window, "target_nodes": [node]}
        self.due = []

    def observe(self):
        for node, value in self.values.items():
            rate = 100 * self.effect(value) * math.exp(self.rnd.gauss(0, self.noise))
            yield "objective", {"node": node, "window_index": self.window, "value": rate}
            yield "finding", {"finding_type": "pressure", "scope": f"node:{node}:window",
                              "severity_score": 1.0, "persistence": 9, "trend_direction": "stable",
                              "opportunity_tags": ["more"], "window_index": self.window}

    def step(self):
        self.window += 1
        for answer in self.driver.decide([*self.apply(), *self.observe()]):
            if "plan" in answer:
                self.take(answer["plan"])
            elif answer.get("verdict") in JUDGED and answer.get("base_n"):
                self.rows.append(answer)

    def take(self, plan):
        self.due.append(plan)
        if plan["new_value"] < plan["old_value"]:
            self.taken_back.setdefault(plan["target_nodes"][0], self.window)


def no_op(program, knobs, windows, noise, near, seed):
    driver = Driver(program)
    world = World(driver, knobs, noise, lambda value: 1, seed)
    for _ in range(windows):
        world.step()
    driver.close()
    certain = sum(r["certain"] and r["value"] > 0 for r in world.rows)
    kinds = {v: sum(r["verdict"] == v for r in world.rows) for v in JUDGED}
    off = sorted(abs(v - START) for v in world.values.values())
    middle, tenth = statistics.median(off), off[len(off) * 9 // 10]
    print(f"no-op, noise {noise:4.0%}: {len(world.rows)} verdicts {kinds}, certain gains "
          f"{certain} ({certain / len(world.rows):.2%}); steps from the start: median {middle}, "
          f"nine in ten {tenth}, most {off[-1]}", flush=True)
    return certain <= max(1, .01 * len(world.rows)) and middle <= 2 and tenth <= near


def harmful(program, knobs, noise, within, share, seed):
    driver = Driver(program)
    world = World(driver, knobs, noise, lambda value: .8 if value > START else 1, seed)
    while len(world.taken_back) < knobs and world.window < 60:
        world.step()
    driver.close()
    took = sorted(world.taken_back[n] - world.applied[n] + 1 for n in world.taken_back)
    good = sum(t <= within for t in took)
    print(f"-20 %, noise {noise:4.0%}: {len(took)} of {knobs} taken back, within {within} windows "
          f"{good}; median {statistics.median(took)}, nine in ten {took[len(took) * 9 // 10]}, "
          f"most {took[-1]}", flush=True)
    return good >= share * knobs


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    ap.add_argument("--driver", required=True)
    ap.add_argument("--knobs", type=int, default=1000)
    ap.add_argument("--harmful", type=int, default=100)
    ap.add_argument("--windows", type=int, default=120)
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args()
    good = [no_op(a.driver, a.knobs, a.windows, noise, near, a.seed)
            for noise, near in NO_OP.items()]
    good += [harmful(a.driver, a.harmful, noise, n, share, a.seed)
             for noise, (n, share) in HARMFUL.items()]
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
