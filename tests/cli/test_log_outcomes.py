"""What dfopt-log says plans brought, against the rows of the log and the executable
specification, tests/spec/model.py: each figure is computed here once more."""
import gzip
import json
import math
import os
import statistics
import subprocess
import sys

import harness
from harness import Case, Config, event, finding, knob, lines, registration, response
from harness import session

SPEC = os.path.join(os.path.dirname(harness.HERE), "spec")
OLD = os.path.join(harness.HERE, "data", "version-2.h5.gz")
RATES = [100, 103, 98, 101, 99, 102, 101, 140, 143, 141, 168, 172, 169, 170, 173, 166,
         169, 167, 170, 168, 166, 169, 171, 168]
MIN_EFFECT = 0.04  # of the default preset


def spec(name, *args):
    subprocess.run([sys.executable, os.path.join(SPEC, name), *map(str, args)],
                   check=True, timeout=120, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def climb(rates=RATES, goal="max", node="n1"):
    """A pressure that does not end, on a job that got faster by what was planned."""
    raised = knob("app.prefetch", range_=(1, 16), dataloader_prefetch=response(
        step=4, min_persistence=2))
    raised["scope"] = "node" if node else "job"
    yield event("registration", registration(raised))
    for i, rate in enumerate(rates, 1):
        yield event("finding", finding(i, node, persistence=i - 5, severity_score=.8,
                                       opportunity_tags=["dataloader_prefetch"]))
        yield event("objective", {"node": node or "", "value": rate, "goal": goal,
                                  "window_index": i})


def interval(row):
    """A gain, as it is to be printed."""
    gain, error = 100 * row["gain"], row["standard_error"]
    digits = (0 if 200 * error >= 2 else 1) if error is not None else \
        0 if abs(gain) >= 10 else 1
    text = f"{gain:+.{digits}f} %" if abs(gain) >= .5 * 10 ** -digits else "0 %"
    if error is not None:
        text += f" +- {200 * error:.{digits}f} %"
    return text + (", certain" if row["certain"] else ", effect not certain")


def noise(*sides):
    d = []
    for values in sides:
        for x, y in zip(values[1:], values):
            size = (abs(x) + abs(y)) / 2
            d.append(abs(x - y) / size if size else 0)
    d.sort()
    m = len(d)
    return max(2.22 * d[m // 4], 1.05 * d[m // 2]) if m >= 4 else None


class Outcomes(Case):
    def setUp(self):
        super().setUp()
        if not Config.log_program:
            self.skipTest("there is no dfopt-log to test")

    def log(self, *args, code=0):
        r = harness.run(args, program=Config.log_program)
        self.assertEqual(r.code, code, r.brief)
        return r.out.decode()

    def rows(self, *args, code=0):
        return [json.loads(line) for line in self.log(*args, code=code).splitlines()]

    def replay(self, records, *more, name="log.h5"):
        data = records if isinstance(records, bytes) else lines(list(records))
        self.run_ok(["--findings-file", self.write("in.jsonl", data),
                     "--decision-log", self.path(name), *more])
        return self.path(name)

    def everything(self, seed=3):
        """A closed loop with objectives, restarts and rejections; the decisions of
        the specification about it."""
        drawn, exact, wanted = (self.path(n) for n in ("drawn", "exact", "wanted"))
        spec("gen_findings.py", "--everything", "--nodes", 4, "--windows", 40,
             "--seed", seed, "-o", drawn)
        spec("model.py", drawn, "--close-loop", 1, "--reject-every", 7, "--emit-log",
             exact, "-o", self.path("plans"))
        spec("model.py", exact, "--decisions", "--positions", "-o", wanted)
        with open(wanted) as f:
            model = [json.loads(line) for line in f]
        return self.replay(self.read("exact")), model

    # ---- plans ----

    def ends(self, path):
        """(plan_id, what became of it, its row of /outcomes), by the rows."""
        found = {r["plan_id"]: r for r in self.rows("dump", "--kind=outcome", path)
                 if r["plan_id"]}
        acks = {}
        for a in self.rows("dump", "--kind=ack", path):
            if a["outcome"] != "unmatched":
                acks.setdefault(a["plan_id"], a["outcome"])
        for p in self.rows("dump", "--kind=plan", path):
            row = found.get(p["plan_id"])
            if p["plan_id"] is None:
                continue
            end = (
                "rejected" if acks.get(p["plan_id"]) == "rejected" else
                "withdrawn" if row and row["verdict"] == "withdrawn" else
                ("kept" if row["kept"] else "taken_back") if row else
                "rollback" if p["rationale"].startswith("rollback: ") else
                "open" if p["plan_id"] in acks else "unanswered")
            yield p["plan_id"], end, row

    def test_plans(self):
        path, _ = self.everything()
        ends = {i: (end, row) for i, end, row in self.ends(path)}
        told = self.rows("plans", "--json", path)
        text = self.log("plans", path).splitlines()[1:]
        self.assertEqual(len(told), len(text))
        seen = set()
        for p, line in zip(told, text):
            end, row = ends[p["plan_id"]]
            seen.add(end)
            self.assertEqual(p["outcome"], end, p)
            self.assertIn(" " + end.replace("_", " "), line)
            for name in ("verdict", "gain", "standard_error"):
                self.assertEqual(p[name], row[name] if row else None, p)
            self.assertEqual(p["certain"], bool(row) and row["certain"])
            if end in ("kept", "taken_back") and row["gain"] is not None:
                self.assertIn(f"{end.replace('_', ' ')} {interval(row)}", line)
            together = [r for e, r in ends.values() if row and r and
                        (r["seq"], r["node"]) == (row["seq"], row["node"])]
            self.assertEqual(p["moves"], len(together))
        self.assertLessEqual({"kept", "taken_back", "rejected", "rollback"}, seen)

    def test_open_and_unanswered(self):
        records = list(climb(RATES[:8]))
        path = self.replay(records, "--acks", "explicit")
        self.assertEqual([p["outcome"] for p in self.rows("plans", "--json", path)],
                         ["unanswered"])
        path = self.replay(records, "--acks", "assumed")
        self.assertEqual([p["outcome"] for p in self.rows("plans", "--json", path)],
                         ["open"])
        self.assertIn("undecided 1", self.log("summary", path))

    # ---- summary ----

    def brought(self, path, node, goal=1):
        """(start, now, gain, error, certain) of a site, by the rows."""
        first = min(p["window"] for p in self.rows("dump", "--kind=plan", path)
                    if p["node"] in ("", node) or node == "")
        points = [(r["window"], r["value"]) for r in
                  self.rows("dump", "--kind=objective", path) if r["node"] == node]
        before = [v for w, v in points if w <= first][-8:]
        after = [v for w, v in points if w > first][-8:]
        start, now = statistics.median(before), statistics.median(after)
        gain, level = goal * (now - start) / abs(start), noise(before, after)
        error = 1.25 * level * math.sqrt(1 / len(before) + 1 / len(after))
        errors = 3 + 6 / (len(before) + len(after))
        return start, now, gain, error, abs(gain) >= max(MIN_EFFECT, errors * error)

    def test_summary(self):
        for node, of, row in (("", "job", "  whole job "), ("n1", "nodes", "  1 node ")):
            for goal, sign in (("max", 1), ("min", -1)):
                rates = RATES if sign > 0 else [round(1e5 / r) for r in RATES]
                path = self.replay(climb(rates, goal, node), "--acks", "assumed")
                with self.subTest(of=of, goal=goal):
                    start, now, gain, error, certain = self.brought(path, node, sign)
                    told = self.rows("summary", "--json", path)[0]["brought"]
                    self.assertEqual([b["of"] for b in told["objective"]], [of])
                    b = told["objective"][0]
                    self.assertEqual((b["start"], b["now"], b["certain"]),
                                     (start, now, certain))
                    self.assertAlmostEqual(b["gain"], gain, 12)
                    self.assertAlmostEqual(b["standard_error"], error, 12)
                    self.assertTrue(certain and gain > .4)
                    best = [statistics.median(rates[i:i + 8]) for i in
                            range(len(rates) - 7)] + [start, now]
                    self.assertEqual(b["best"], (max if sign > 0 else min)(best))
                    text = self.log("summary", path).splitlines()
                    self.assertEqual(text[0], "Gain          " + interval(b))
                    self.assertTrue(text[2].startswith(row), text[2])
                    self.assertIn(("more" if sign > 0 else "less") + " is better",
                                  text[3])

    def test_summary_of_nodes(self):
        """A mean over the nodes; their errors are not taken to cancel."""
        other = [r / 2 for r in RATES]
        both = [*climb(), *list(climb(other, node="n2"))[1:]]
        path = self.replay(both, "--acks", "assumed")
        sites = [self.brought(path, n) for n in ("n1", "n2")]
        start, now = (statistics.mean(s[i] for s in sites) for i in (0, 1))
        told = self.rows("summary", "--json", path)[0]["brought"]["objective"][0]
        self.assertEqual((told["sites"], told["left_out"]), (2, 0))
        self.assertAlmostEqual(told["start"], start, 9)
        self.assertAlmostEqual(told["now"], now, 9)
        self.assertAlmostEqual(told["gain"], (now - start) / start, 12)
        self.assertAlmostEqual(told["standard_error"], sum(
            s[0] * s[3] for s in sites) / sum(s[0] for s in sites), 12)
        self.assertIn("mean of 2 nodes", self.log("summary", path))

    def test_summary_tells_nodes_from_the_job(self):
        """The value of a node's registration is not the job's, unless the knob is."""
        for scope, first in (("node", 2), ("job", 9)):
            with self.subTest(scope=scope):
                r = registration(knob("app.prefetch", scope=scope), **{"app.prefetch": 9})
                r.update(node="n1", instance="n1:1:1:1")
                path = self.replay([event("registration", r), event("finding", finding(0, "n2"))])
                k = self.rows("summary", "--json", path)[0]["knobs"][0]
                self.assertEqual((k["first"], k["last"]), (first, first))
                self.assertEqual(k["own_values"]["nodes"], int(scope == "node"))

    def test_summary_counts_plans(self):
        path, _ = self.everything()
        ends = [(end, row) for _, end, row in self.ends(path)]
        told = self.rows("summary", "--json", path)[0]["brought"]["plans"]
        self.assertEqual(told.pop("all"), len(ends))
        gains = sum(e == "kept" and r["certain"] and r["gain"] > 0 for e, r in ends)
        self.assertEqual(told.pop("certain_gains"), gains)
        losses = sum(e == "kept" and r["certain"] and r["gain"] < 0 for e, r in ends)
        self.assertEqual(told.pop("certain_losses"), losses)
        self.assertEqual(told, {end: sum(e == end for e, _ in ends) for end in told})
        self.assertIn("the objective shifted by itself", self.log("summary", path))

    def test_an_uncertain_gain_is_called_so(self):
        """Noise alone: there is a number, and it is no effect."""
        rates = [100 + 17 * (i * i % 7 - 3) for i in range(24)]
        path = self.replay(climb(rates), "--acks", "assumed")
        b = self.rows("summary", "--json", path)[0]["brought"]["objective"][0]
        self.assertFalse(b["certain"])
        self.assertTrue(self.log("summary", path).splitlines()[0].endswith(
            "effect not certain"))

    def test_without_objectives(self):
        path = self.replay(r for r in session(3, 12)
                           if isinstance(r, bytes) or r.get("stream") != "objective")
        text = self.log("summary", path).splitlines()
        self.assertEqual(text[0], "Gain          not known")
        self.assertIn("no objective was reported", text[1])
        told = self.rows("summary", "--json", path)[0]["brought"]
        self.assertEqual((told["objectives"], told["objective"]), (0, []))
        path = self.replay(session(3, 12), "--compat", "upstream")
        self.assertIn("none judged", self.log("summary", path))
        self.assertEqual({p["outcome"] for p in self.rows("plans", "--json", path)},
                         {None})
        self.assertNotIn("outcome", self.log("plans", path))

    # ---- why ----

    def test_why_tells_the_trials_of_the_specification(self):
        path, model = self.everything()
        judged = [d for d in model if d.get("base") is not None and "verdict" in d]
        self.assertGreater(len(judged), 10)
        told = {}
        for name in {d["knob_id"] for d in judged}:
            for row in self.rows("why", "--json", "--trials", "--knob", name, path):
                told[row["seq"], row["position"]] = row
            self.assertEqual(len(self.log("why", "--trials", "--knob", name, path)
                                 .splitlines()),
                             1 + sum(r["kind"] == "verdict" for r in self.rows(
                                 "why", "--json", "--trials", "--knob", name, path)))
        plans = {p["plan_id"]: p for p in self.rows("dump", "--kind=plan", path)}
        for d in judged:
            row = told[d["event"], d["position"]]
            self.assertEqual((row["verdict"], row["node"], row["base"], row["base_n"],
                              row["now"], row["now_n"], row["noise"]),
                             (d["verdict"], d["node"], d["base"], d["base_n"],
                              d["now"], d["now_n"], d.get("noise")))
            self.assertEqual(row["old"], plans[row["plan_id"]]["old"])
            self.assertIn(interval(row), row["text"])
            self.assertIn("kept" if row["kept"] else "taken back", row["text"])
            if row["noise"] is None:
                self.assertIn("effect not certain", row["text"])

    def test_every_gate_has_its_sentence(self):
        path, _ = self.everything()
        seen = set()
        for k in {r["knob"] for r in self.rows("dump", "--kind=verdict", path)} - {None}:
            for row in self.rows("why", "--json", "--knob", k, path):
                if row["kind"] == "verdict":
                    seen.add(row["verdict"])
                    self.assertGreater(len(row["text"].split()), 3, row)
        self.assertLessEqual({"trial", "baseline", "backoff", "superseded",
                              "release_only", "conflict", "rollback", "void"}, seen)

    def test_trials_of_a_node_and_of_windows(self):
        path = self.replay(climb(), "--acks", "assumed")
        kept, other = (self.rows("why", "--json", "--trials", "--knob", "app.prefetch",
                                 "--window", w, path) for w in ("9", "19"))
        self.assertEqual([r["verdict"] for r in kept], ["improved", "planned"])
        self.assertEqual([r["verdict"] for r in other], ["neutral", "rollback"])

    # ---- timeline, diff ----

    def test_timeline(self):
        path = self.replay(climb(), "--acks", "assumed")
        rows = {r["plan_id"]: r for r in self.rows("dump", "--kind=outcome", path)}
        plans = {p["seq"]: p["plan_id"] for p in self.rows("dump", "--kind=plan", path)}
        changes = self.rows("timeline", "--json", "--knob", "app.prefetch", path)
        marked = [c for c in changes if c["outcome"]]
        self.assertEqual(len(marked), len(rows))
        for c in marked:
            row = rows[plans[c["seq"]]]
            self.assertEqual((c["outcome"], c["outcome_window"], c["gain"]),
                             ("kept" if row["kept"] else "taken_back", row["window"],
                              row["gain"]))
        strip, marks = self.log("timeline", "--knob", "app.prefetch",
                                path).splitlines()[3:5]
        at = strip.rindex(" ") + 1 - 1  # the column of window 0
        for row in rows.values():
            self.assertEqual(marks[at + row["window"]], "+" if row["kept"] else "-")
        self.assertEqual(len(marks.split()), len(rows))

    def test_diff(self):
        one = self.replay(climb(), "--acks", "assumed", name="one.h5")
        policy = self.write("policy.json", json.dumps(
            {"switches": {"min_effect": 0.3}}))
        two = self.replay(climb(), "--acks", "assumed", "--policy", policy,
                          name="two.h5")
        last = self.rows("diff", "--json", one, two, code=1)[-1]["brought"]
        for side, path in (("a", one), ("b", two)):
            told = self.rows("summary", "--json", path)[0]["brought"]
            self.assertEqual(last[side], {k: told[k] for k in ("objective", "plans")})
        self.assertNotEqual(last["a"]["plans"], last["b"]["plans"])
        text = self.log("diff", one, two, code=1).splitlines()[-3:]
        self.assertIn("taken back", text[0])
        self.assertEqual([line[0] for line in text[1:]], ["<", ">"])
        self.assertIn(interval(last["a"]["objective"][0]), text[1])

    # ---- format 2 ----

    def test_an_old_log_says_nothing_of_it(self):
        with gzip.open(OLD) as f:
            path = self.write("old.h5", f.read())
        self.assertNotIn("Gain", self.log("summary", path))
        self.assertIsNone(self.rows("summary", "--json", path)[0]["brought"])
        self.assertNotIn("outcome", self.log("plans", path))
        self.assertEqual({p["outcome"] for p in self.rows("plans", "--json", path)},
                         {None})
        for name in ("why", "timeline"):
            text = self.log(name, "--knob", "app.prefetch", path)
            for word in ("kept", "taken back", "trial"):
                self.assertNotIn(word, text)
        new = self.replay(session(2, 6))
        self.assertIn("differ", self.log("diff", path, new, code=1))


if __name__ == "__main__":
    harness.main()
