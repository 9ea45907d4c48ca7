"""Sweeps: a variant decides as the plain replay of its policy does, metrics are what
docs/sweeps.md says, and neither ranks nor interruptions change a table."""
import json
import os
import random
import re
import signal
import sys

import harness
from harness import (Case, Config, DecisionLog, Running, lines, run, run_each, session,
                     wait_until)

# --full: 20 random variants instead of a few, and a longer sweep to interrupt
FULL = "--full" in sys.argv
if FULL:
    sys.argv.remove("--full")
PLAIN_REPLAYS = 20 if FULL else 4

SAMPLE = {
    "policy": {"responses": {"*": {"cooldown_windows": 2}}},
    "with_base": True,
    "sample": {"method": "latin_hypercube", "n": 60, "seed": 11, "over": {
        "responses.*.min_severity": {"from": 0.3, "to": 0.9},
        "responses.knob:app.prefetch.step": {"from": 1, "to": 6},
        "responses.tag:cache_pressure.step": {"from": 0.01, "to": 0.5, "scale": "log"},
        "responses.*.cooldown_windows": {"from": 1, "to": 5},
        "responses.knob:app.threads.direction": ["increase", "decrease"],
        "switches.effect": ["objective", "trend", "severity"],
        "switches.evidence_probe": [True, False],
        "switches.pending_timeout_windows": [0, 2]}}}

RUN_FACTS = {"ranks", "command_line", "created"}


def tables(path, without=()):
    """Every dataset and attribute, but for what names the run."""
    import h5py
    found = {}
    with h5py.File(path, "r") as f:
        def take(name, item):
            if isinstance(item, h5py.Dataset) and not name.startswith(without or "\0"):
                value = item[()]
                found[name] = value.tolist() if value.dtype == object else value.tobytes()
        f.visititems(take)
        for name, value in f.attrs.items():
            if name not in RUN_FACTS:
                found["@" + name] = value if isinstance(value, str) else float(value)
    return found


class Oracle:
    """The metrics of docs/sweeps.md, computed from a decision log of a plain replay."""

    def __init__(self, log):
        self.m = dict.fromkeys(
            ("plans", "raised", "lowered", "set", "reversals", "rebounds", "longest_run",
             "episodes_planned", "onset_windows_sum", "onset_windows_max",
             "unattended_findings"), 0)
        self.m["unattended_severity"] = 0.0
        self.verdicts, self.of = {}, {}
        for seq, name in zip(log.column("verdicts", "seq"), log.names("verdicts", "verdict")):
            self.verdicts[name] = self.verdicts.get(name, 0) + 1
            self.of.setdefault(int(seq), set()).add(name)
        self.count_plans(log)
        self.count_findings(log)
        self.m.update({"verdict_" + k: v for k, v in self.verdicts.items()})

    def count_plans(self, log):
        columns = [log.column("plans", c) for c in
                   ("seq", "relay_id", "knob", "node", "new_kind", "new_int", "new_real",
                    "old_kind", "old_int", "old_real")]
        last, run_of = {}, {}
        for seq, relay, knob, node, nk, ni, nr, ok, oi, orl in zip(*columns):
            if relay != harness.NO_STRING:
                continue
            key = (knob, node)
            self.m["plans"] += 1
            run_of[key] = run_of.get(key, 0) + 1
            new, old = (int(i) if k == 2 else float(r) if k == 3 else None
                        for k, i, r in ((nk, ni, nr), (ok, oi, orl)))
            if new is None or old is None:
                self.m["set"] += 1
            elif new > old:
                self.m["raised"] += 1
                self.m["rebounds"] += last.get(key) == "lowered"
                last[key] = "raised"
            elif new < old:
                self.m["lowered"] += 1
                if last.get(key) == "raised":
                    self.m["reversals"] += 1
                    run_of[key] = 1
                last[key] = "lowered"
            else:
                self.m["set"] += 1
            self.m["longest_run"] = max(self.m["longest_run"], run_of[key])

    def count_findings(self, log):
        trace, onsets, done = {}, [], set()
        rows = zip(*(log.column("findings", c) for c in
                     ("seq", "finding_type", "scope", "tags", "window", "severity", "trend")))
        for seq, type_, scope, tags, window, severity, trend in rows:
            if tags == 0:
                continue
            key, window, seq = (type_, scope), int(window), int(seq)
            if key not in trace or not 0 <= window - trace[key][0] <= 1:
                onsets.append(window)
                trace[key] = (window, len(onsets) - 1)
            episode = trace[key][1]
            trace[key] = (window, episode)
            if self.of.get(seq, set()) & {"planned", "trade"} and episode not in done:
                done.add(episode)
                waited = window - onsets[episode]
                self.m["episodes_planned"] += 1
                self.m["onset_windows_sum"] += waited
                self.m["onset_windows_max"] = max(self.m["onset_windows_max"], waited)
            attended = self.of.get(seq, set()) & {
                "planned", "trade", "pending", "trial", "cooldown_time"}
            if not attended and log.texts[trend] != "improving":
                self.m["unattended_findings"] += 1
                self.m["unattended_severity"] += float(severity)


class Sweep(Case):
    def setUp(self):
        super().setUp()
        log = session(9, 60, seed=31)
        log[100:100] = [17, harness.event("finding", {"severity_score": "high"})]
        self.input = self.write("in.jsonl", lines(log))

    def sweep_file(self, sweep, name="sweep.json"):
        return self.write(name, json.dumps(sweep))

    def args(self, output, sweep=None, *more):
        return ["--findings-file", self.input, "--sweep",
                sweep or self.sweep_file(SAMPLE), "--sweep-output", self.path(output),
                "--no-progress", *more]

    def run_sweep(self, output, sweep=None, *more, **how):
        r = self.run_ok(self.args(output, sweep, *more), timeout=120, **how)
        self.assertFalse(os.path.exists(self.path(output + ".journal")))
        return r

    # ---- a variant is the plain replay of its policy ----

    def assert_plain(self, h5, variant, log):
        """Every verdict and plan, and every metric."""
        strings = [s.decode() for s in h5["decisions/strings"][()]]
        group = h5[f"decisions/{variant}"]
        for table in ("verdicts", "plans"):
            for name, column in group[table].items():
                plain = log.column(table, name)
                kept = column[()]
                if table == "plans":
                    own = log.column("plans", "relay_id") == harness.NO_STRING
                    plain = plain[own]
                    kept = kept[group["plans/relay_id"][()] == harness.NO_STRING]
                self.assertEqual(len(kept), len(plain), (table, name))
                if column.dtype.kind == "u" and name in (
                        "tag", "knob", "node", "target_function", "apply_when",
                        "finding_type"):
                    ours = [strings[s] if s != harness.NO_STRING else None for s in kept]
                    theirs = [log.texts[s] if s != harness.NO_STRING else None
                              for s in plain]
                    self.assertEqual(ours, theirs, (table, name))
                else:
                    self.assertEqual(kept.tobytes(), plain.tobytes(), (table, name))
        want = Oracle(log).m
        got = {name: column[variant] for name, column in h5["metrics"].items()}
        for name, value in want.items():
            self.assertAlmostEqual(float(got[name]), value, 6, (variant, name))
        mean = float(got["onset_windows_mean"])
        if want["episodes_planned"]:
            self.assertAlmostEqual(
                mean, want["onset_windows_sum"] / want["episodes_planned"], 9)
        else:
            self.assertNotEqual(mean, mean)

    def assert_final_values(self, h5, variant, state):
        nodes = sorted({s.decode().split(":")[1] for s in h5["decisions/strings"][()]
                        if s.decode().startswith("node:")})
        self.assertEqual(len(nodes), h5.attrs["nodes"])
        for k, knob in enumerate(h5["knobs/knob"][()]):
            job = state["current_values"][knob.decode()]
            own = {node: value for id_, node, value in state["node_values"]
                   if id_ == knob.decode()}
            every = [own.get(n, job) for n in nodes]
            self.assertEqual(json.loads(h5["knobs/job_value"][variant, k]), job)
            self.assertEqual(h5["knobs/overrides"][variant, k],
                             len(set(own) & set(nodes)))
            for name, value in (("min", min(every)), ("max", max(every)),
                                ("mean", sum(every) / len(every)), ("job", job)):
                self.assertAlmostEqual(h5["knobs/" + name][variant, k], value, 9)

    def test_variants_are_plain_replays(self):
        import h5py
        chosen = sorted(random.Random(5).sample(range(61), PLAIN_REPLAYS))
        for acks in ("explicit", "assumed"):
            self.run_sweep(acks + ".h5", None, "--acks", acks, "--sweep-decisions",
                           ",".join(map(str, chosen)), ranks=2)
            with h5py.File(self.path(acks + ".h5"), "r") as h5:
                jobs = []
                for v in chosen:
                    policy = self.write(f"{v}.json", h5["policies"][v])
                    jobs.append({"args": [
                        "--findings-file", self.input, "--policy", policy, "--acks",
                        acks, "--log-level", "warning", "--decision-log",
                        self.path(f"{v}.h5"), "--final-state", self.path(f"{v}.state")]})
                for v, r in zip(chosen, run_each(jobs)):
                    with self.subTest(acks=acks, variant=v):
                        self.assert_ran(r)
                        self.assertEqual(r.code, 0, r.brief)
                        with DecisionLog(self.path(f"{v}.h5")) as log:
                            self.assert_plain(h5, v, log)
                        state = json.loads(self.read(f"{v}.state"))
                        self.assert_final_values(h5, v, state)
                self.assertGreater(len({int(x) for x in h5["metrics/plans"][()]}), 5)
                self.assertGreater(max(h5["metrics/reversals"][()]), 0)

    # ---- the same whatever the ranks ----

    def test_ranks(self):
        more = ("--sweep-decisions", "0,7-9")
        self.run_sweep("1.h5", None, *more)
        want = tables(self.path("1.h5"))
        self.assertIn("decisions/7/verdicts/seq", want)
        for ranks, extra in ((2, ()), (5, ()), (3, ("--sweep-memory", "1"))):
            with self.subTest(ranks=ranks):
                self.run_sweep("n.h5", None, *more, *extra, ranks=ranks)
                got = tables(self.path("n.h5"))
                self.assertEqual(sorted(got), sorted(want))
                self.assertEqual([n for n in want if got[n] != want[n]], [])

    # ---- interruptions ----

    def interrupt(self, ranks, stop):
        """Starts a sweep and stops it when some of its variants are in the journal.
        Where it is over before that, once more with a longer one. Returns its file."""
        sweep = json.loads(json.dumps(SAMPLE))
        journal = self.path("part.h5.journal")
        for n in ((20000,) if FULL else (3000, 12000, 48000)):
            sweep["sample"]["n"] = n
            name = self.sweep_file(sweep, "long.json")
            running = Running(self.args("part.h5", name), ranks)

            def some_kept():
                over = running.process.poll() is not None
                return over or os.path.exists(journal) and os.path.getsize(journal) > 50000
            wait_until(some_kept, 60, "a journal with results")
            stop(running)
            self.stopped = running.finish(60, sanitizers=False)
            if os.path.exists(journal):
                return name
            os.unlink(self.path("part.h5"))
        raise AssertionError("every sweep was over before it could be stopped")

    def check_resumed(self, sweep, ranks):
        r = self.run_sweep("part.h5", sweep, "--sweep-resume", ranks=ranks)
        finished = r.named("optimizer.sweep.resumed")[0]["finished"]
        decided = r.named("optimizer.sweep.done")[0]["decided"]
        self.assertGreater(finished, 0)
        self.assertGreater(decided, 0)
        self.run_sweep("whole.h5", sweep)
        self.assertEqual(tables(self.path("part.h5")), tables(self.path("whole.h5")))

    def test_killed_and_resumed(self):
        sweep = self.interrupt(2, lambda running: running.kill())
        self.assertFalse(os.path.exists(self.path("part.h5")))
        with open(self.path("part.h5.journal"), "r+b") as f:  # a half written end
            f.truncate(os.path.getsize(f.name) - 11)
        r = run(self.args("part.h5", sweep))
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("--sweep-resume", r.text)
        self.check_resumed(sweep, 3)

    def test_terminated_and_resumed(self):
        sweep = self.interrupt(
            None, lambda running: running.process.send_signal(signal.SIGTERM))
        self.assertEqual(self.stopped.code, 3, self.stopped.brief)
        self.assertEqual(len(self.stopped.named("optimizer.sweep.stopped")), 1)
        other = self.write("other.jsonl", self.read("in.jsonl") + b"{}\n")
        args = self.args("part.h5", sweep, "--sweep-resume")
        args[1] = other
        r = run(args)
        self.assertEqual(r.code, 1, r.brief)
        self.assertIn("another input", r.text)
        r = run(self.args("part.h5", None, "--sweep-resume"))
        self.assertEqual(r.code, 1, r.brief)
        self.assertIn("another sweep", r.text)
        self.check_resumed(sweep, 2)

    # ---- what is listed, what is refused ----

    def variants(self, sweep):
        r = self.run_ok(["--findings-file", self.input, "--sweep-dry-run", "--sweep",
                         self.sweep_file(sweep)])
        first, *rest = map(json.loads, r.out.splitlines())
        self.assertEqual(first, {"variants": len(rest)})
        self.assertEqual([v.pop("variant") for v in rest], list(range(len(rest))))
        return rest

    def test_dry_run(self):
        a, b = "responses.*.step", "switches.evidence_probe"
        self.assertEqual(
            self.variants({"grid": {a: {"from": 1, "to": 2}, b: [True, False]}}),
            [{a: s, b: p} for s in (1, 2) for p in (True, False)])
        self.assertEqual(
            [v[a] for v in self.variants({"grid": {
                a: {"from": 0.1, "to": 0.5, "step": 0.1}}})], [0.1, 0.2, 0.3, 0.4, 0.5])
        self.assertEqual(
            [v[a] for v in self.variants({"grid": {
                a: {"from": 1.0, "to": 100.0, "count": 3, "scale": "log"}}})],
            [1.0, 10.0, 100.0])
        self.assertEqual(
            self.variants({"with_base": True, "list": [{a: None}, {}, {b: True, a: 3}]}),
            [{}, {a: None}, {}, {a: 3, b: True}])
        self.assertEqual(sorted(os.listdir(self.folder)), ["in.jsonl", "sweep.json"])

    def test_samples(self):
        over = {"responses.*.min_severity": {"from": 0.0, "to": 1.0},
                "responses.*.min_persistence": {"from": 1, "to": 4},
                "switches.reject": ["previous", "upstream"]}
        for method in ("random", "latin_hypercube"):
            sample = {"method": method, "n": 40, "seed": 3, "over": over}
            found = self.variants({"sample": sample})
            self.assertEqual(found, self.variants({"sample": sample}))
            self.assertNotEqual(found, self.variants({"sample": {**sample, "seed": 4}}))
            slices = {int(v["responses.*.min_severity"] * 40) for v in found}
            self.assertEqual(len(slices) == 40, method == "latin_hypercube")
            if method == "latin_hypercube":
                for value in (1, 2, 3, 4):
                    self.assertEqual(10, sum(v["responses.*.min_persistence"] == value
                                             for v in found))

    BAD = {  # content: what the message names
        "[]": "not an object", "{": "", "{}": "one of grid, list and sample",
        '{"grid": {}, "list": []}': "one of grid, list and sample",
        '{"gird": {}}': "'gird'", '{"grid": {}}': "grid: ",
        '{"grid": {"responses.*.min_severty": [1]}}':
            "grid: responses.*.min_severty = 1: responses '*': unknown field",
        '{"grid": {"responses.tag:a.b.min_severity": [1, "x"]}}':
            'grid: responses.tag:a.b.min_severity = "x": responses \'tag:a.b\'',
        '{"grid": {"switches.evidence_probe": [1]}}':
            "grid: switches.evidence_probe = 1: switch evidence_probe",
        '{"grid": {"switch.evidence_probe": [true]}}': "'switch.evidence_probe' must be",
        '{"grid": {"responses.step": [1]}}': "'responses.step' must be",
        '{"grid": {"responses.*.step": []}}': "responses.*.step: neither a list",
        '{"grid": {"responses.*.step": {"from": 0.5, "to": 2}}}':
            "responses.*.step: a range in a grid needs step or count",
        '{"grid": {"responses.*.step": {"from": 2, "to": 1}}}': "from must be below to",
        '{"grid": {"responses.*.step": {"from": 1, "to": 2, "by": 1}}}': "'by'",
        '{"grid": {"responses.*.step": {"from": 0, "to": 2, "scale": "log"}}}': "above 0",
        '{"grid": {"responses.*.step": {"from": 0, "to": 999999}}}': "more than 100000",
        '{"policy": {"switches": {"x": 1}}, "list": [{}]}': "policy: unknown switch 'x'",
        '{"list": [{}, {"responses.*.direction": "up"}]}':
            "list: [1]: responses.*.direction = ",
        '{"list": [1]}': "list: [0]: not an object",
        '{"sample": {"n": 0, "over": {"switches.reject": ["previous"]}}}':
            "sample: n must be above 0",
        '{"sample": {"n": 5, "over": {}}}': "sample: over: ",
        '{"sample": {"n": 5, "method": "sobol", "over": {}}}': "sample: method must be",
    }

    def test_bad_sweep_files(self):
        before = None
        files = [self.write(f"bad{i}.json", text) for i, text in enumerate(self.BAD)]
        before = sorted(os.listdir(self.folder))
        jobs = [{"args": self.args("out.h5", f)} for f in files]
        for f, (text, name), r in zip(files, self.BAD.items(), run_each(jobs)):
            with self.subTest(content=text):
                self.assert_ran(r)
                self.assertEqual(r.code, 2, r.brief)
                logged = r.named("optimizer.config.invalid")
                self.assertEqual(len(logged), 1, r.brief)
                self.assertIn(f + ": ", logged[0]["error"])
                self.assertIn(name, logged[0]["error"])
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_bad_options(self):
        sweep = self.sweep_file({"list": [{}]})
        base = ["--findings-file", self.input]
        for args, name in (
                ([*base, "--sweep", sweep], "--sweep-output"),
                ([*base, "--sweep-output", "x.h5"], "--sweep"),
                ([*base, "--sweep", sweep, "--sweep-output", self.path("x.h5"),
                  "--decision-log", self.path("d.h5")], "--sweep-decisions"),
                ([*base, "--sweep", sweep, "--sweep-dry-run", "--resume", "d.h5"],
                 "--sweep-resume"),
                (["--findings-file", "-", "--sweep", sweep, "--sweep-dry-run"],
                 "regular files"),
                (self.args("x.h5", sweep, "--sweep-decisions", "1,"), "1,"),
                (self.args("x.h5", sweep, "--sweep-decisions", "3-1"), "3-1"),
                (self.args("x.h5", sweep, "--sweep-decisions", "0-1"), "no variant 1"),
                (self.args("in.jsonl", sweep), "does not hold a sweep"),
                (self.args("no/such/x.h5", sweep), "no/such")):
            with self.subTest(args=args):
                r = run(args)
                self.assertEqual(r.code, 2, r.brief)
                self.assertIn(name, r.text)
        self.assertEqual(self.read("in.jsonl")[:1], b"{")

    def test_bad_input(self):
        sweep = self.sweep_file({"list": [{}]})
        r = run(self.args("x.h5", sweep, "--strict"), ranks=2)
        self.assertEqual(r.code, 1, r.brief)
        self.assertIn("in.jsonl:101", r.text)
        self.write("cut.jsonl.gz", lines(session(3, 10)))
        with open(self.path("cut.jsonl.gz"), "r+b") as f:
            f.truncate(200)
        r = run(self.args("x.h5", sweep, "--findings-file", self.path("cut.jsonl.gz")),
                ranks=3)
        self.assertEqual(r.code, 1, r.brief)
        self.assertIn("cut.jsonl.gz", r.text)
        self.assertEqual([n for n in os.listdir(self.folder) if n.startswith("x.h5")], [])

    # ---- dfopt-log sweep ----

    def log_sweep(self, *args, code=0):
        r = run(["sweep", *args], program=Config.log_program)
        self.assertEqual(r.code, code, r.brief)
        return r.out.decode()

    def test_log_sweep(self):
        import h5py
        self.run_sweep("s.h5")
        path = self.path("s.h5")
        told = json.loads(self.log_sweep("--json", "--top", "5", "--by", "plans",
                                         "--pareto", "plans,max:episodes_planned", path))
        with h5py.File(path, "r") as h5:
            plans = h5["metrics/plans"][()].tolist()
            episodes = h5["metrics/episodes_planned"][()].tolist()
            policy = json.loads(h5["policies"][3])
        order = sorted(range(61), key=lambda v: (plans[v], v))
        self.assertEqual([v["variant"] for v in told["best"]], order[:5])
        pairs = set(zip(plans, episodes))
        front = {p for p in pairs if not any(
            q != p and q[0] <= p[0] and q[1] >= p[1] for q in pairs)}
        self.assertEqual({(v["metrics"]["plans"], v["metrics"]["episodes_planned"])
                          for v in told["pareto"]}, front)
        self.assertEqual(len(told["pareto"]), len(front))
        shares = [e["share"] for e in told["effects"]]
        self.assertEqual(shares, sorted(shares, reverse=True))
        self.assertEqual(len(shares), len(SAMPLE["sample"]["over"]))
        self.assertTrue(all(sum(g["variants"] for g in e["groups"]) == 60
                            for e in told["effects"]))
        text = self.log_sweep(path)
        self.assertIn("Best by unattended_severity (less is better)", text)
        self.assertTrue(re.search(r"^  responses.knob:app.prefetch.step: ", text, re.M))
        self.assertEqual(json.loads(self.log_sweep("--policy", "3", path)), policy)
        self.log_sweep("--policy", "61", path, code=1)
        self.log_sweep("--by", "plan", path, code=1)
        self.log_sweep(self.input, code=1)


if __name__ == "__main__":
    harness.main()
