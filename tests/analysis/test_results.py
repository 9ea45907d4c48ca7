"""What the studies find, against results that were come by in another way."""
import json
import os
import unittest

import support
from support import harness

import numpy as np
import pandas as pd
from dfopt_analysis import (compare, effect, gates, load, objective, outcomes, schema,
                            sweep, timeline, windows)


class Gates(unittest.TestCase):
    def test_funnel(self):
        log = load(support.recorded())
        counts = gates.funnel(log)
        mine = log.verdicts.assign(knob=log.verdicts["knob"].astype(object).fillna(""))
        for (verdict, knob), n in mine.groupby(["verdict", "knob"]).size().items():
            if n:
                self.assertEqual(counts.loc[verdict, knob], n)
        self.assertEqual(counts.to_numpy().sum(), support.VERDICTS)
        node = "tuolumne1005"
        self.assertEqual(gates.funnel(log, node).to_numpy().sum(),
                         (log.verdicts["node"] == node).sum())

    def test_steps(self):
        counts = gates.funnel(load(support.recorded()))
        steps = gates.steps(counts)
        aside = [v for v in schema.VERDICTS if v not in gates.GATES]
        judged = counts.loc[aside].to_numpy().sum()
        self.assertGreater(judged, 0)  # not about a finding's demand
        self.assertEqual(steps["reached"].iloc[0], support.VERDICTS - judged)
        self.assertEqual((steps["reached"] - steps["stopped"]).tolist()[:-1],
                         steps["reached"].tolist()[1:])

    def test_groups_name_every_verdict(self):
        named = [v for members in gates.GROUPS.values() for v in members]
        self.assertEqual(sorted(named), sorted(schema.VERDICTS))
        self.assertLess(set(gates.GATES), set(schema.VERDICTS))
        self.assertEqual(len(set(gates.GATES)), len(gates.GATES))
        rest = set(schema.VERDICTS) - set(gates.GATES)
        self.assertEqual(rest, set(gates.GROUPS["judged"]) | {
            "rollback", "release", "approved", "set", "restored"})

    def test_by_knob_loses_none(self):
        counts = gates.funnel(load(support.recorded()))
        for most in (1, 3, 100):
            self.assertEqual(gates.by_knob(counts, most).to_numpy().sum(),
                             support.VERDICTS)


class Heat(unittest.TestCase):
    def check(self, log, span=None, bins=256):
        frame = windows.survey(log, span, bins)
        heat = gates.heat(log, frame)
        events = pd.concat([log.findings[["seq", "window", "node"]],
                            log.objectives[["seq", "window", "node"]]])
        joined = log.verdicts.merge(events, on="seq", suffixes=("_of_verdict", ""))
        if span:
            joined = joined[joined["window"].between(*span)]
        self.assertEqual(heat.cells.sum(), len(joined))
        group = {v: i for i, m in enumerate(gates.GROUPS.values()) for v in m}
        expected = joined.groupby([
            joined["node"].astype(str), (joined["window"] - frame.axis.first)
            // frame.axis.width, joined["verdict"].astype(object).map(group)]).size()
        for (node, place, which), n in expected.items():
            self.assertEqual(heat.cells[frame.nodes.index(node), place, which], n)

    def test_against_pandas(self):
        self.check(load(support.recorded()))
        self.check(load(support.recorded()), (20, 41))
        self.check(load(support.session(7, 60)), bins=16)

    def test_planned_comes_first(self):
        log = load(support.recorded())
        frame = windows.survey(log)
        heat = gates.heat(log, frame)
        rows = heat.top(8)
        self.assertEqual(len(rows), 8)
        self.assertGreaterEqual(heat.planned[rows].min(), np.sort(heat.planned)[-8])
        planned = len(gates.GROUPS) - 1
        self.assertTrue(((heat.main(rows) == planned)
                         == (heat.cells[rows][..., planned] > 0)).all())


class Windows(unittest.TestCase):
    def test_window_at(self):
        log = load(support.session(5, 40))
        asked = log.acks["seq"].to_numpy()
        reached = [log.findings["window"][log.findings["seq"] < s].max() for s in asked]
        self.assertTrue(len(asked))
        self.assertEqual(windows.window_at(log, asked).tolist(), reached)
        back = windows.window_at(log, asked[::-1])
        self.assertEqual(back.tolist(), reached[::-1])

    def test_blocks_make_no_difference(self):
        log = load(support.recorded())
        whole = gates.heat(log, windows.survey(log)).cells
        blocks = log.file.blocks
        log.file.blocks = lambda table, columns, rows=0: blocks(table, columns, 97)
        self.assertTrue((gates.heat(log, windows.survey(log)).cells == whole).all())

    def test_axis(self):
        for first, last, bins in ((0, 0, 5), (1, 60, 256), (1, 1000, 256), (-3, 2, 4),
                                  (0, 2 ** 53, 100)):
            axis = windows.Axis.over(first, last, bins)
            self.assertLessEqual(axis.bins, max(bins, 1))
            ends = axis.place(np.array([first, last, last + 99], dtype=np.int64))
            self.assertEqual(ends.tolist(), [0, axis.bins - 1, axis.bins - 1])


class Timelines(unittest.TestCase):
    """The last values must be those that the program reports at its end."""

    def check(self, path):
        log = load(path)
        with open(path + ".json", encoding="utf-8") as f:
            final = json.load(f)
        frame = windows.survey(log)
        knobs = log.knobs["knob"].unique().tolist()
        own = {(k, n): v for k, n, v in map(self.entry, final["node_values"])}
        compared = 0
        for line in timeline.timelines(log, frame, knobs):
            for row, node in enumerate(frame.nodes):
                value = own.get((line.knob, node),
                                final["current_values"][line.knob])
                self.assertAlmostEqual(line.value[row, -1], line.number(value), 4,
                                       f"{line.knob} on {node!r}")
                compared += 1
        self.assertGreater(compared, 10)

    @staticmethod
    def entry(e):
        return e if isinstance(e, list) else [e["knob_id"], e["node"], e["value"]]

    def test_final_values(self):
        self.check(support.recorded())
        self.check(support.session(6, 50))
        self.check(support.session(3, 80, 5))
        self.check(support.impatient())
        self.check(support.closed_loop("latency"))
        self.check(support.closed_loop("restart", instances=True))
        self.check(support.replay("assumed", support.RECORDING, "--acks", "assumed"))
        self.check(support.replay("upstream", support.RECORDING, "--compat",
                                  "upstream"))

    def test_severity(self):
        log = load(support.recorded())
        frame = windows.survey(log)
        line = timeline.timelines(log, frame, ["dlio.read_threads"])[0]
        tags = {"reader_parallelism", "reader_contention"}
        mine = log.findings[[bool(tags & set(t.split(","))) for t in
                             log.findings["tags"].astype(str)]]
        worst = mine.groupby([mine["node"].astype(str), "window"])["severity"].max()
        self.assertEqual(int((~np.isnan(line.severity)).sum()), len(worst))
        for (node, window), value in worst.items():
            found = line.severity[frame.nodes.index(node), window - frame.axis.first]
            self.assertAlmostEqual(found, value, 5)
        self.assertEqual(line.limit, 0.5)

    def test_names_instead_of_numbers(self):
        log = load(support.recorded())
        line, = timeline.timelines(log, windows.survey(log), ["site.layout"])
        self.assertEqual(line.levels, ["round_robin", "hash", "balanced"])
        self.assertEqual(line.value[0, [0, -1]].tolist(), [0, 2])

    def test_unknown_knob(self):
        log = load(support.recorded())
        with self.assertRaisesRegex(Exception, "no knob 'x'; there are bare, dftracer"):
            timeline.timelines(log, windows.survey(log), ["x"])


class Effects(unittest.TestCase):
    def by_hand(self, log, plan, after, horizon):
        """(severity, windows, fetch, windows) of one side of one plan."""
        start, stop = plan["window"] - horizon + 1, plan["window"]
        if after:
            start, stop = plan["effect"] + 1, plan["effect"] + horizon
            later = self.plans[(self.plans["knob"] == plan["knob"])
                               & (self.plans["node"] == plan["node"])
                               & (self.plans.index > plan.name)]
            if len(later):
                stop = min(stop, later["window"].iloc[0])
        f = self.findings[self.findings["window"].between(start, stop)]
        if plan["node"]:
            f = f[f["node"] == plan["node"]]
        severity = f[f["finding_type"] == plan["finding_type"]].groupby(
            "window")["severity"].mean()
        share = f["fetch_frac"].fillna(f["fetch_iter_time_frac_parent"])
        fetch = share.groupby(f["window"]).mean().dropna()
        return severity.mean(), len(severity), fetch.mean(), len(fetch)

    def test_against_pandas(self):
        for path, horizon in ((support.recorded(), 5), (support.session(5, 40), 3)):
            log = load(path)
            table = effect.effects(log, windows.survey(log), horizon)
            self.findings = log.findings.astype({"node": object})
            self.plans = table
            for at in table.index[::7]:
                plan = table.loc[at]
                for after, side in ((False, "before"), (True, "after")):
                    expected = self.by_hand(log, plan, after, horizon)
                    found = [plan[n + side] for n in (
                        "severity_", "windows_", "fetch_", "fetch_windows_")]
                    np.testing.assert_allclose(found, expected, 1e-9, 1e-12,
                                               err_msg=f"{plan['plan_id']} {side}")
            self.assertGreater(table["windows_after"].sum(), 20)

    def test_others(self):
        log = load(support.recorded())
        table = effect.effects(log, windows.survey(log))
        for at in table.index[::5]:
            p = table.loc[at]
            later = table[(table["knob"] == p["knob"]) & (table["node"] == p["node"])
                          & (table.index > at)]["window"]
            stop = min([p["effect"] + 5, *later[:1]])
            others = table[(table["node"] == p["node"]) & (table["knob"] != p["knob"])
                           & table["window"].between(p["effect"] + 1, stop)]
            self.assertEqual(p["others"], len(others), p["plan_id"])

    def test_acks(self):
        table = effect.effects(*(lambda g: (g, windows.survey(g)))(
            load(support.recorded())))
        # those of the file that found their plan
        found = load(support.recorded()).acks["outcome"].value_counts()
        expected = {"applied": found["applied"], "rejected": found["rejected"],
                    "relayed": 2}
        expected["none"] = support.PLANS - sum(expected.values())
        self.assertGreater(min(expected.values()), 1)
        self.assertEqual(table["ack"].value_counts().to_dict(), expected)

    def test_timeouts(self):
        log = load(support.impatient())
        table = effect.effects(log, windows.survey(log))
        given_up = table[table["ack"] == "timed out"]
        self.assertEqual(set(given_up["plan_id"]), set(log.timeouts["plan_id"]))
        self.assertGreater(len(given_up), 10)

    def test_peaks(self):
        self.assertTrue(effect.never_falls(load(support.recorded())))
        for severities, never in (((0.1, 0.4, 0.4, 0.9), True), ((0.5, 0.4), False),
                                  ((0.5, 0.5), False)):
            source = os.path.join(support.FOLDER, "peaks.jsonl")
            with open(source, "wb") as f:
                f.write(harness.lines(harness.finding(w + 1, "n1", severity_score=s)
                                      for w, s in enumerate(severities)))
            log = load(support.replay("peaks", source))
            self.assertEqual(effect.never_falls(log), never, severities)


class Objective(unittest.TestCase):
    """The claim about a run, and outcomes by knob, against sums by hand."""

    def test_reports(self):
        log = load(support.closed_loop("contention"))
        rows = objective.reports(log)
        self.assertEqual(len(rows), len(log.objectives))
        self.assertEqual(set(rows["goal"]), {1})
        made = objective.course(log)
        self.assertEqual(made.nodes, 8)
        for window, mine in log.objectives.groupby("window"):
            values = sorted(mine["value"])
            self.assertAlmostEqual(made.table.loc[window, "value"], sum(values) / 8)
            self.assertAlmostEqual(made.table.loc[window, "median"],
                                   (values[3] + values[4]) / 2)

    def test_the_job_comes_before_its_nodes(self):
        log = load(support.closed_loop("sharedfs"))
        made = objective.course(log)
        mine = log.objectives[log.objectives["node"] == ""]
        self.assertEqual((made.nodes, made.table["value"].tolist()),
                         (0, mine["value"].tolist()))

    def stream(self, name, records):
        """A log of one node: (window, value, goal) each."""
        source = os.path.join(support.FOLDER, name + ".jsonl")
        with open(source, "wb") as f:
            f.write(harness.lines([harness.event("registration",
                                                 harness.loader_registration())]))
            f.write(harness.lines(harness.event("objective", {
                "node": "n1", "window_index": w, "value": v, "goal": g})
                for w, v, g in records))
        return load(support.replay(name, source))

    def test_reports_that_do_not_count(self):
        """Not newer than the last; of a goal that was given up."""
        log = self.stream("stale", [(1, 5.0, "min"), (2, 10.0, "max"), (2, 11.0, "max"),
                                    (1, 12.0, "max"), (4, 13.0, "max")])
        rows = objective.reports(log)
        self.assertEqual(rows[["window", "value"]].to_numpy().tolist(),
                         [[2, 10], [4, 13]])
        rows = objective.reports(log, (3, 9))
        self.assertEqual(rows["value"].tolist(), [13])

    def test_metric_of_findings(self):
        policy = os.path.join(support.FOLDER, "metric.json")
        with open(policy, "w", encoding="utf-8") as f:
            json.dump({"objective_metric": {"metric": "compute_frac", "goal": "min",
                                            "finding_types": ["fetch_pressure"]}}, f)
        source = os.path.join(support.FOLDER, "metric.jsonl")
        with open(source, "wb") as f:
            for kind, share in (("fetch_pressure", 0.5), ("other", 0.9)):
                f.write(harness.lines(harness.finding(
                    w, "n1", finding_type=kind, key_metrics={"compute_frac": share})
                    for w in (1, 2)))
        log = load(support.replay("metric", source, "--policy", policy))
        made = objective.course(log)
        self.assertEqual((made.goal, made.table["value"].tolist()), (-1, [0.5, 0.5]))

    def test_claim(self):
        windows_ = np.arange(1, 21)
        calm = np.where(windows_ % 2, 100.0, 101.0)
        cases = (  # values, goal, first plan: gain, certain
            (np.where(windows_ > 10, 1.2, 1.0) * calm, 1, 10, 0.2, True),
            (np.where(windows_ > 10, 1.2, 1.0) * calm, -1, 10, -0.2, True),
            (np.where(windows_ > 10, 0.8, 1.0) * calm, -1, 10, 0.2, True),
            (np.where(windows_ > 10, 1.02, 1.0) * calm, 1, 10, 0.02, False),
            (calm, 1, 10, 0.0, False),
            (np.where(windows_ % 2, 50, 150) * 1.0, 1, 9, 0.0, False))
        for values, goal, first, gain, certain in cases:
            c = objective.claim(windows_, values, goal, first, 0.04)
            self.assertAlmostEqual(c.gain, gain, 9)
            self.assertEqual((c.certain, c.base_n, c.now_n), (certain, 8, 8))
        for first in (0, 20):
            self.assertIsNone(objective.claim(windows_, calm, 1, first, 0.04))
        few = objective.claim(windows_[:4], np.array([1.0, 1.0, 9.0, 9.0]), 1, 2, 0.04)
        self.assertTrue(np.isnan(few.error))
        self.assertFalse(few.certain)

    def test_noise_is_that_of_the_planner(self):
        """Of a run without changes: the estimate in the specification."""
        control = support.model.Planner(support.model.DEFAULT).control
        site = control.site("n1")
        values = [100.0 + (i * 37 % 11) for i in range(12)]
        for i, v in enumerate(values):
            control.take(site, "n1", i, v, 1, support.model.Event(i))
        self.assertAlmostEqual(objective.noise_of(np.array(values)),
                               control.noise(site), 12)
        self.assertTrue(np.isnan(objective.noise_of(np.array(values[:4]))))

    def test_whole(self):
        log = load(support.closed_loop("contention"))
        found, first = objective.whole(log), log.plans["window"].min()
        mean = log.objectives.groupby("window")["value"].mean()
        self.assertAlmostEqual(found.base, mean[mean.index <= first].tail(8).median())
        self.assertAlmostEqual(found.now, mean.tail(8).median())
        self.assertTrue(found.certain)
        self.assertTrue(objective.by_node(log)["certain"].all())

    def test_outcomes(self):
        log = load(support.closed_loop("latency"))
        table, rows = outcomes.by_knob(log.outcomes), log.outcomes
        self.assertEqual(int(table[["kept", "taken_back"]].to_numpy().sum()), len(rows))
        for knob, row in table.iterrows():
            mine = rows[rows["knob"] == knob]
            back = mine[mine["kept"] == 0]
            self.assertEqual(row["improved"], (mine["verdict"] == "improved").sum())
            self.assertEqual(row["better"] + row["poorer"], mine["certain"].sum())
            self.assertAlmostEqual(row["taken_back_gain"], back["gain"].mean())
            self.assertAlmostEqual(
                row["taken_back_error"],
                np.sqrt((back["standard_error"] ** 2).sum()) / len(back))
            self.assertTrue(np.isnan(row["kept_error"]))  # a climb before its noise
        self.assertGreater(table["poorer"].sum(), 0)

    def test_outcomes_of_plans(self):
        log = load(support.closed_loop("latency"))
        table = effect.effects(log, windows.survey(log)).set_index("plan_id")
        for o in log.outcomes.itertuples():
            plan = table.loc[o.plan_id]
            self.assertEqual((plan["outcome"], plan["kept"], plan["gain"]),
                             (o.verdict, o.kept, o.gain))
        self.assertEqual(table["outcome"].notna().sum(), len(log.outcomes))
        self.assertGreater(table["outcome"].isna().sum(), 0)
        summary = effect.by_knob(table)
        self.assertEqual(summary["kept"].sum(), (log.outcomes["kept"] == 1).sum())


class Compare(unittest.TestCase):
    def test_with_itself(self):
        made = compare.compare(load(support.recorded()), load(support.recorded()))
        self.assertEqual((made.same, len(made.plans)), (support.PLANS, 0))

    @staticmethod
    def plans_of(log):
        plans = log.plans[["plan_id", *compare.PLAN]].astype(object)
        return set(map(tuple, plans.where(plans.notna(), None).to_numpy().tolist()))

    def test_with_another(self):
        a, b = load(support.recorded()), load(support.careful())
        made = compare.compare(a, b)
        left, right = (self.plans_of(log) for log in (a, b))
        self.assertEqual(made.same, len(left & right))
        counts = made.plans["where"].value_counts()
        ids = [{row[0] for row in side} for side in (left, right)]
        self.assertEqual(counts["only in a"], len(ids[0] - ids[1]))
        self.assertEqual(counts["only in b"], len(ids[1] - ids[0]))
        self.assertEqual(made.same + counts.get("differs", 0), len(ids[0] & ids[1]))
        self.assertGreater(len(made.plans), 10)

    def test_medians(self):
        log = load(support.recorded())
        frame, medians = compare.compare(log, log).severity[0]
        expected = log.findings.groupby("window")["severity"].median()
        np.testing.assert_allclose(medians, expected.to_numpy(), atol=0.16)
        self.assertEqual(len(pd.Series(medians).dropna()), len(expected))


class Sweeps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = os.path.join(support.FOLDER, "sweep.h5")
        with open(cls.path + ".json", "w", encoding="utf-8") as f:
            json.dump({"with_base": True, "grid": {
                "responses.*.min_severity": [0.3, 0.5, 0.7, 0.9],
                "responses.*.min_persistence": [1, 2, 4],
                "switches.evidence_probe": [True, False]}}, f)
        r = harness.run(["--findings-file", support.RECORDING, "--acks", "assumed",
                         "--sweep", cls.path + ".json", "--sweep-output", cls.path])
        assert r.code == 0, r.brief

    def test_tables(self):
        made = sweep.load(self.path)
        self.assertEqual(made.metrics.shape[0], 25)
        self.assertEqual(made.settings.iloc[1].tolist(), ["0.3", "1", "true"])
        self.assertEqual(len(sweep.varied(made)), 3)
        log = load(support.replay("assumed-base", support.RECORDING, "--acks",
                                  "assumed"))
        self.assertEqual(made.metrics["plans"][0], log.plans["relay_id"].isna().sum())

    def test_pareto(self):
        made = sweep.load(self.path)
        for one, two in (("plans", "episodes_planned"), ("reversals", "plans"),
                         ("episodes_planned", "unattended_severity")):
            points = [tuple(-v if n in sweep.MORE_IS_BETTER else v for n, v in
                            zip((one, two), p)) for p in
                      zip(made.metric(one), made.metric(two))]
            best = [i for i, p in enumerate(points) if not any(
                q[0] <= p[0] and q[1] <= p[1] and q != p for q in points)]
            self.assertEqual(sorted(sweep.pareto(made, one, two)), best)

    def test_program(self):
        for args in ((), ("-o", self.path + ".svg"),
                     ("-o", self.path + ".svg", "--width", "phone")):
            r = support.program("sweep.py", self.path, *args)
            self.assertEqual((r.returncode, r.stderr), (0, ""))
        r = support.program("sweep.py", support.recorded())
        self.assertIn("but no sweep: it says format 'dfopt-decision-log'", r.stderr)
        r = support.program("sweep.py", self.path, "-x", "nope")
        self.assertIn("there is no metric 'nope'; there are episodes_planned", r.stderr)


if __name__ == "__main__":
    harness.main()
