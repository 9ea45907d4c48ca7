#!/usr/bin/env python3
"""Makes the recordings of jobs/data: two simulated jobs that were tuned by the specification's
planner, default policy, in a closed loop.

usage: recordings.py [--check] [-o FOLDER]

training-16-nodes: a training job with objectives, of the nodes and of the job.  Nodes 1 to 5 read
from slow storage, 6 to 9 from storage that more than a few readers disturb, 10 to 12 read small
blocks, 13 and 14 open many files, 15 and 16 compute.  In window 55 the storage of the first five
becomes slower still.  Knobs of the job: bucket_mb (communication), layout (helps), collective
(harms).  Some plans are rejected, some acks are lost.

findings-8-nodes: a smaller job that reports findings only.

Findings have DFDiagnoser's habits (plants.py).  All is a function of the seeds below, so every run
makes the same records; --check compares them with those in FOLDER.
"""
import argparse
import gzip
import json
import math
import os
import random
import sys

import model
import plants
from generator.parts import registrations
from habits import Track, clip

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "jobs", "data")
SIZES = [4096, 65536, 1048576, 4194304, 16777216]
RATES = [.25, .45, .8, .95, .5]
JOB_KNOBS = ("site.layout", "site.collective", "site.bucket_mb")
EPOCH = 4               # windows; what waits for its end is applied in windows 1, 5, 9, ...


class Job:
    """Nodes that obey the plans of the planner which sees what they report."""

    def __init__(self, name, nodes, windows, noise=.04):
        self.rnd, self.noise = random.Random(name), noise
        self.names = ["tuolumne%d" % (1001 + i) for i in range(nodes)]
        self.windows, self.planner = windows, model.Planner(model.DEFAULT)
        self.log, self.due, self.tracks, self.first = [], [], {}, {}
        self.values = [{} for _ in self.names]

    def feed(self, stream, body):
        made, _, _ = model.decide(self.planner, stream, body, len(self.log))
        self.log.append({"stream": stream, "body": body})
        self.due += [plan for _, _, _, plan in made.sorted()[0]]

    def register(self, body):
        knobs = body["knobs"]
        for k in knobs.values() if isinstance(knobs, dict) else knobs:
            for v in self.values:
                v.setdefault(k["id"], k["default"])
        own = {k["id"].rsplit(".", 1)[-1]: k["id"] for k in
               (knobs.values() if isinstance(knobs, dict) else knobs)}
        for key, value in body.get("current_values", {}).items():
            for v in self.values:
                v[own.get(key, key)] = value
        self.feed("registration", body)

    def is_due(self, plan, w):
        return plan["apply_when"] != "epoch_boundary" or (w - 1) % EPOCH == 0

    def apply(self, w):
        """What is due before window w; the nodes that changed a knob lose a little time."""
        now, changed = [p for p in self.due if self.is_due(p, w)], set()
        self.due = [p for p in self.due if not self.is_due(p, w)]
        for p in now:
            ack = {"plan_id": p["plan_id"], "knob_id": p["knob_id"], "status": "applied", "reason": "",
                   "old_value": p["old_value"], "new_value": p["new_value"], "window_index": w,
                   "target_nodes": p["target_nodes"]}
            if p["target_nodes"] and self.rnd.random() < .03:
                ack.update(status="rejected", new_value=None, reason="busy: a checkpoint is being written")
            else:
                for i, n in enumerate(self.names):
                    if not p["target_nodes"] or n in p["target_nodes"]:
                        self.values[i][p["knob_id"]] = p["new_value"]
                        changed.add(i)
            if p["plan_id"].startswith("plan_") and self.rnd.random() >= .02:
                self.feed("ack", ack)
        return changed

    def find(self, w, ftype, scope, severity, metrics, tags, suppresses=()):
        track = self.tracks.setdefault((ftype, scope), Track())
        track.add(w, severity, metrics, tags, suppresses)
        view = scope.rsplit(":", 1)[-1]
        f = plants.finding(ftype, scope, track, w - self.first.setdefault(scope, w) + 1,
                           None if view == "global" else view)
        f["summary"] = "%s(%s), motif=%s, prevalence=%.2f, persistence=%d, trend=%s" % (
            ftype, scope, f["motif"], f["prevalence"], f["persistence"], f["trend_direction"])
        self.feed("finding", f)

    def noisy(self, x):
        return x * math.exp(self.rnd.gauss(0, self.noise))

    def pipeline(self, w, i):
        """What node i's input is like in window w: rate S and what rules look at."""
        raise NotImplementedError

    def measure(self, w, i):
        """Window w on node i: seconds of a step, and of its parts."""
        m = self.pipeline(w, i)
        m["c"] = self.rnd.gauss(1, .01)
        m["busy"] = (m["c"] ** 6 + self.noisy(m["S"]) ** -6) ** (1 / 6)
        m["fetch"] = m["busy"] - m["c"]
        m["step"] = m["busy"]
        return m

    def node_window(self, w, i, m):
        """Findings of a node."""
        for ftype, layer, *fact in sorted(plants.facts(m), key=lambda f: f[:1]):
            self.find(w, ftype, "node:%s:%swindow" % (self.names[i], layer + ":" if layer else ""), *fact)

    def job_window(self, w, seen):
        """Findings of the whole job."""

    def report(self, w, rates):
        """The objectives of a window; None: there are none."""
        del w, rates

    def before(self, w):
        """What comes before the window."""

    def run(self):
        for w in range(1, self.windows + 1):
            self.before(w)
            changed = self.apply(w)
            seen = [self.measure(w, i) for i in range(len(self.names))]
            rates = [100 / m["step"] * (.95 if i in changed else 1) for i, m in enumerate(seen)]
            self.report(w, rates)
            order = list(range(len(self.names)))
            self.rnd.shuffle(order)
            for i in order:
                self.report_node(w, i, rates[i])
                self.node_window(w, i, seen[i])
            self.job_window(w, seen)
        return self.log

    def report_node(self, w, i, rate):
        """The objective of a node."""


def usl(n, a, b):
    return n / (1 + a * (n - 1) + b * n * (n - 1))


class Training(Job):
    def __init__(self):
        super().__init__("training-16-nodes", 16, 90)
        self.waiting = [(w, self.edited(b)) for w, b in registrations()]

    def edited(self, body):
        """Three knobs are the job's; those of the bare registration answer to a tag of their own."""
        knobs = body["knobs"]
        for k in knobs.values() if isinstance(knobs, dict) else knobs:
            k["scope"] = "job" if k["id"] in JOB_KNOBS else "node"
            if k["id"] in ("bare", "odd"):
                k["responds_to"] = {"io_bottleneck": r for r in k["responds_to"].values()}
        return body

    def before(self, w):
        for at, body in self.waiting:
            if max(at, 1) == w:
                self.register(body)
        if w in (2, 12):
            knob, value, nodes = (("site.open_timeout", 20.5, [self.names[3]]) if w == 2 else ("bare", 6, []))
            plan = {"plan_id": "gplan_%07d" % w, "knob_id": knob, "target_function": "site.io" if w == 2 else "",
                    "old_value": None, "new_value": value, "apply_when": "epoch_boundary",
                    "rationale": "straggler_pressure: unclassified (severity=0.800, persistence=3, "
                                 "trend=stable, scope=global:global) -> shard_repartition",
                    "finding_type": "straggler_pressure", "severity": .8,
                    "opportunity_tag": "shard_repartition", "window_index": w, "target_nodes": nodes}
            self.feed("global_plan", plan)

    def pipeline(self, w, i):
        v = self.values[i]
        if i < 5:
            rate = v["dlio.read_threads"] / (9 if w < 55 else 14) * (1 - .5 / v["dlio.prefetch_size"])
            m = {"S": rate, "workers": v["dlio.read_threads"]}
        elif i < 9:
            n = max(1, v["stormer.num_workers"])
            m = {"S": .33 * usl(n, .1, .07), "workers": n, "spread": 1 + n * (n - 1) / 3}
        elif i < 12:
            rate = RATES[SIZES.index(v["site.read_size"])] * (.9 + .1 * v["site.cache_ratio"])
            m = {"S": rate, "size": v["site.read_size"]}
        elif i < 14:
            rate = 60 / (v["site.stat_batch"] + 20)
            m = {"S": rate, "meta": max(.05, min(.95, 1.05 - rate / 2))}
        else:
            m = {"S": 3, "workers": v["dlio.read_threads"]}
        m["S"] *= 1.12 if v["site.layout"] == "balanced" else 1
        return m

    def measure(self, w, i):
        m, v = super().measure(w, i), self.values[i]
        m["comm"] = .30 * 25 / min(v.get("site.bucket_mb", 25), 110) + (.2 if v["site.collective"] else 0)
        m["step"] += self.noisy(m["comm"])
        return m

    def report(self, w, rates):
        self.feed("objective", {"node": "", "window_index": w, "value": sum(rates), "goal": "max"})

    def report_node(self, w, i, rate):
        self.feed("objective", {"node": self.names[i], "window_index": w, "value": rate, "goal": "max"})

    def node_window(self, w, i, m):
        super().node_window(w, i, {**m, "step": m["busy"]})
        scope = "node:%s:reader_posix:window" % self.names[i]
        if i < 3 and m["fetch"] > .6 * m["busy"]:
            self.find(w, "reader_pressure", scope, clip(m["fetch"] / m["busy"]),
                      {"fetch_frac": m["fetch"] / m["busy"]}, ("io_bottleneck",))
        if i in (2, 7, 11):
            skew = .55 + .4 * self.rnd.random()
            self.find(w, "operation_imbalance", scope, skew, {"ops_slope": skew}, ("read_write_rebalancing",))

    def job_window(self, w, seen):
        comm = sum(m["comm"] for m in seen) / sum(m["step"] for m in seen)
        if w >= 20 and comm > .05:
            self.find(w, "comm_dominance", "app:window", clip(.5 + 2 * comm), {"comm_frac": comm},
                      ("comm_optimization",))
        slow, quick = max(m["step"] for m in seen), min(m["step"] for m in seen)
        if w >= 5 and slow > 1.5 * quick:
            self.find(w, "straggler_pressure", "global:global", clip(.6 + .1 * slow / quick),
                      {"step_ratio": slow / quick}, ("shard_repartition",))
        if w in (70, 71, 75):
            self.find(w, "bw_saturation", "global:global", 1.0, {"bw_utilization": .97}, ("none",),
                      ("dataloader_prefetch",))
        if w >= 40:
            waits = sorted(m["fetch"] for m in seen)
            self.find(w, "fetch_rank_imbalance", "proc_name", clip(waits[-1] - waits[0]),
                      {"affected_count": float(sum(x > .2 for x in waits)), "total_count": float(len(waits))},
                      ("rank_balance",))


class FindingsOnly(Job):
    """Nothing tells how well it is doing: what changes brought is judged by the findings."""

    def __init__(self):
        super().__init__("findings-8-nodes", 8, 60)

    def before(self, w):
        if w == 1:
            knobs = {k["id"]: k for k in (plants.prefetch(), plants.threads(16))}
            self.register({"namespace": "app", "function_name": "loader", "knobs": knobs,
                           "current_values": {"threads": 1, "prefetch": 2}})

    def pipeline(self, w, i):
        v = self.values[i]
        if i < 5:
            return {"S": v["threads"] / 6 * (1 - .5 / v["prefetch"]), "workers": v["threads"]}
        n = v["threads"]
        return {"S": .35 * usl(n, .1, .07), "workers": n, "spread": 1 + n * (n - 1) / 3}


RECORDINGS = {"training-16-nodes": Training, "findings-8-nodes": FindingsOnly}


def made(name):
    return "".join(json.dumps(e) + "\n" for e in RECORDINGS[name]().run()).encode()


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    ap.add_argument("--check", action="store_true", help="compare, write nothing")
    ap.add_argument("-o", metavar="FOLDER", default=DATA)
    a = ap.parse_args()
    different = False
    for name in RECORDINGS:
        path, records = os.path.join(a.o, name + ".jsonl.gz"), made(name)
        if a.check:
            with gzip.open(path) as f:
                same = f.read() == records
            different |= not same
            print("%s: %s" % (path, "the same" if same else "other records"))
        else:
            with open(path, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as z:
                z.write(records)
    return different


if __name__ == "__main__":
    sys.exit(main())
