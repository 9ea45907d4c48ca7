"""What the tests of the closed loop share: the loader's report, and whether it and the
decision log tell the same story."""
import json
import os
import sys

from harness import HERE, Case, DecisionLog, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "spec"))
from habits import Diagnoser  # noqa: E402


def by_event(path):
    """The lines of a loader's --json file: windows, plans, and the summary."""
    found = {"window": [], "plan": [], "summary": []}
    with open(path, encoding="utf-8") as f:
        for line in map(json.loads, f):
            found[line["event"]].append(line)
    return found


def shares_of(windows):
    """Window -> the fetch share that its finding tells."""
    return {w["window"]: w["fetch_seconds"] / (w["fetch_seconds"] + w["compute_seconds"])
            for w in windows}


def peak_shares(windows):
    """The same with --diagnosis=peak: that of the worst window so far."""
    there, shares = Diagnoser("node7"), {}
    for w in windows:
        m = {"fetch": w["fetch_seconds"], "c": w["compute_seconds"]}
        for f in there.window(w["window"], m):
            if f["finding_type"] == "fetch_pressure":
                shares[w["window"]] = f["key_metrics"]["fetch_frac"]
    return shares


class Story(Case):
    def assert_same_story(self, log_path, report, told=shares_of):
        """What the loader did is what the log says was decided and acknowledged."""
        with DecisionLog(log_path) as log:
            self.assertEqual(log.complete, 1)
            plans = dict(zip(
                log.plan_ids("plans"),
                zip(log.strings("plans", "knob"), log.column("plans", "old_int"),
                    log.column("plans", "new_int"), log.column("plans", "window"),
                    log.strings("plans", "tag"), log.strings("plans", "node"))))
            acks = sorted(zip(
                log.plan_ids("acks"),
                log.names("acks", "status"), log.names("acks", "outcome"),
                log.column("acks", "value_int"), log.column("acks", "window")))
            pressure = {
                int(w): share for w, kind, share in zip(
                    log.column("findings", "window"), log.strings("findings", "finding_type"),
                    log.column("findings", "fetch_frac"))
                if kind == "fetch_pressure"}
            findings = log.rows("findings")
        done = report["plan"]
        self.assertGreaterEqual(len(done), 2)
        for p in done:
            self.assertEqual(plans[p["plan_id"]],
                             (p["knob_id"], p["old_value"], p["new_value"],
                              p["finding_window"], p["opportunity_tag"], "node7"))
        self.assertEqual(acks, sorted((p["plan_id"], "applied", "applied",
                                       p["new_value"], p["window"]) for p in done))
        # Made for the last windows, when there was no boundary left.
        self.assertLessEqual(len(plans) - len(done), 2)
        shares = told(report["window"])
        self.assertTrue(pressure)
        for window, share in pressure.items():
            self.assertAlmostEqual(share, shares[window], 12)
        self.assertEqual(findings, report["summary"][0]["findings_sent"])

    def is_closed(self, report):
        windows, summary = report["window"], report["summary"][0]
        self.assertEqual(len(windows), 20)
        # A busy machine slows some windows down, and the last ones as well as others.
        first, shares = windows[0], [w["fetch_share"] for w in windows if w["samples"] > 9]
        return (summary["acknowledged"] and len(report["plan"]) >= 2
                and min(shares, default=1) <= first["fetch_share"] / 2
                and max(w["samples_per_second"] for w in windows)
                >= 2 * first["samples_per_second"]
                and all(max(w[knob] for w in windows) > 1
                        for knob in ("read_threads", "prefetch_size")))

    def assert_closes(self, run):
        """Calls run(), which gives the report of a loader of 20 windows, until one has a
        closed loop: for the two seconds of a run the machine may be busy with others."""
        def look():
            self.report = run()
            return self.is_closed(self.report)
        wait_until(look, 90, "a loop that closes")
        return self.report
