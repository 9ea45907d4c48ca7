"""Frames against what dfopt-log says is in the log; and logs that are not whole."""
import math
import os
import re
import shutil
import subprocess
import unittest

import support
from support import harness

import h5py
import numpy as np
from dfopt_analysis import LogError, effect, load, schema


def plain(value):
    """A cell of a frame as JSON would have it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


class Frames(unittest.TestCase):
    """Every table, row by row and column by column."""

    def compare(self, path, table, kind, columns):
        log, rows = load(path), support.dump(path).get(kind, [])
        frame = log.frame(table)
        self.assertEqual(len(frame), len(rows))
        self.assertTrue(rows, f"the log holds no {kind}: nothing was tested")
        for name, key in columns.items():
            mine = [plain(v) for v in frame[name].tolist()]
            theirs = [row[key] for row in rows]
            if isinstance(theirs[0], list):
                theirs = [",".join(v) for v in theirs]
            self.assertEqual(mine, theirs, f"{table}.{name}")
            self.assertEqual([isinstance(v, bool) for v in mine],
                             [isinstance(v, bool) for v in theirs])

    def same(self, *names, **renamed):
        return {**{n: n for n in names}, **renamed}

    def test_findings(self):
        self.compare(support.recorded(), "findings", "finding", self.same(
            "seq", "finding_type", "scope", "node", "motif", "trend", "tags",
            "suppresses", "severity", "confidence", "prevalence", "persistence",
            "window", "fetch_frac", "compute_frac"))

    def test_verdicts(self):
        self.compare(support.recorded(), "verdicts", "verdict", self.same(
            "seq", "position", "verdict", "tag", "knob", "node", "value", "threshold"))

    def test_plans(self):
        self.compare(support.recorded(), "plans", "plan", self.same(
            "seq", "position", "number", "knob", "tag", "node", "targets", "old",
            "new", "severity", "window", "rationale", "finding_type", "apply_when"))

    def test_plan_ids(self):
        rows = support.dump(support.recorded())["plan"]
        self.assertEqual(load(support.recorded()).plans["plan_id"].tolist(),
                         [r["relay_id"] or r["plan_id"] for r in rows])
        self.assertTrue(any(r["relay_id"] for r in rows))

    def test_acks(self):
        path = support.session(4, 30)
        self.compare(path, "acks", "ack", self.same(
            "seq", "status", "outcome", "knob", "node", "value", "reason"))

    def test_objectives(self):
        self.compare(support.closed_loop("contention"), "objectives", "objective",
                     self.same("seq", "node", "window", "goal", "value", "fetch_frac",
                               "named_1"))

    def test_outcomes(self):
        path = support.closed_loop("contention")
        self.compare(path, "outcomes", "outcome", self.same(
            "seq", "position", "verdict", "plan_id", "knob", "node", "base", "base_n",
            "now", "now_n", "gain", "threshold", "noise", "standard_error", "planned",
            "window"))
        rows, frame = support.dump(path)["outcome"], load(path).outcomes
        for name in ("kept", "certain"):
            self.assertEqual([v == 1 for v in frame[name]], [r[name] for r in rows])

    def test_others(self):
        self.compare(support.recorded(), "suppressions", "suppression", self.same(
            "seq", "tag", "action", "window", "severity", "finding_type"))
        self.compare(support.recorded(), "global_plans", "global_plan", self.same(
            "seq", "outcome", "plan_id", "knob", "targets", "new", "window"))

    def test_knobs(self):
        log = load(support.recorded())
        knob = log.knobs.set_index("knob").loc["site.layout"]
        self.assertEqual((knob["type"], knob["default"]), ("str", "round_robin"))
        values = log.knob_values[log.knob_values["knob_row"] == list(
            log.knobs["knob"]).index("site.layout")]["value"]
        self.assertEqual(values.tolist(), ["round_robin", "hash", "balanced"])
        self.assertIs(log.knobs.set_index("knob").loc["site.collective"]["default"],
                      False)

    def test_some_columns(self):
        frame = load(support.recorded()).frame("verdicts", ["node", "seq"])
        self.assertEqual(list(frame), ["node", "seq"])
        with self.assertRaisesRegex(KeyError, "no column 'nodes'; it has seq"):
            load(support.recorded()).frame("verdicts", ["nodes"])

    def test_the_schema_is_that_of_the_file(self):
        log = load(support.recorded())
        for table, columns in schema.TABLES.items():
            parts = {p for n, k in columns.items() for p in schema.parts(n, k)}
            self.assertLessEqual(parts, set(log.file.datasets(table)), table)
        self.assertEqual(log.file.enum("verdicts", "verdict"), schema.VERDICTS)
        self.assertEqual(log.notes, [])

    def test_the_verdicts_are_those_of_the_planner(self):
        """Names and meanings, by number, are those of src/model/decision.h."""
        path = os.path.join(support.TOP, "src", "model", "decision.h")
        with open(path, encoding="utf-8") as f:
            listed = re.search(r"#define DFOPT_VERDICT_LIST\(X\)(.*?)\nenum", f.read(),
                               re.S)[1].replace("\\\n", " ")
        rows = re.findall(r'X\(\w+,\s*"([^"]*)",\s*"([^"]*)"\)', listed)
        self.assertEqual(len(rows), listed.count("X("))
        self.assertEqual([name for name, _ in rows], schema.VERDICTS)
        self.assertEqual(dict(rows), schema.MEANING)

    def test_details(self):
        for detail, findings, verdicts in (("plans", 0, 0),
                                           ("verdicts", 0, support.VERDICTS)):
            log = load(support.detailed(detail))
            self.assertEqual((len(log.findings), len(log.verdicts)),
                             (findings, verdicts))
            self.assertEqual(len(log.plans), support.PLANS)


class NotWhole(unittest.TestCase):
    """Files that are cut off, older, newer, damaged or not ours."""

    def setUp(self):
        # A name of its own: HDF5 knows files that are open by their inode.
        self.path = os.path.join(support.FOLDER, self.id() + ".h5")
        shutil.copy(support.recorded(), self.path)

    def refused(self, text, **more):
        with self.assertRaises(LogError) as caught:
            log = load(self.path, **more)
            for table in schema.TABLES:
                log.frame(table)
        self.assertIn(text, str(caught.exception))
        self.assertIn(self.path, str(caught.exception))

    def change(self, what):
        with h5py.File(self.path, "r+") as f:
            what(f)

    def test_no_file(self):
        os.remove(self.path)
        self.refused("No such file")

    def test_a_folder(self):
        os.remove(self.path)
        os.mkdir(self.path)
        self.addCleanup(os.rmdir, self.path)
        self.refused("Is a directory")

    def test_foreign(self):
        for content, logged in ((b"", "the file is empty"),
                              (b"{}\n", "not an HDF5 file")):
            with open(self.path, "wb") as f:
                f.write(content)
            self.refused(logged)
        with h5py.File(self.path, "w") as f:
            f["x"] = 1
        self.refused("an HDF5 file, but not a decision log: no attribute 'format'")
        self.change(lambda f: f.attrs.update(format="other", format_version=1))
        self.refused("it says format 'other'")

    def test_cut_off(self):
        size = os.path.getsize(self.path)
        for share in (0.3, 0.9):
            os.truncate(self.path, int(size * share))
            self.refused("cut off or damaged")

    def test_newer(self):
        self.change(lambda f: f.attrs.modify("format_version", 9))
        self.refused("format version 9 is not supported; this program reads 1 to 3. The "
                     "log was written by dfopt-mpi")
        log = load(self.path, any_version=True)
        self.assertEqual(len(log.verdicts), support.VERDICTS)
        self.assertIn("may be misread", log.notes[0])

    def test_version_1(self):
        def age(f):
            for table in schema.SINCE:
                del f[table]
            f.attrs.modify("format_version", 1)
        self.change(age)
        log = load(self.path)
        self.assertEqual([len(log.frame(t)) for t in schema.SINCE], [0] * 7)
        self.assertEqual((len(log.verdicts), log.notes), (support.VERDICTS, []))
        r = support.program("effect.py", self.path)
        self.assertEqual((r.returncode, r.stderr), (0, f"note: {effect.PEAKS}\n"))

    def test_version_2(self):
        """Objectives and outcomes are empty, though the last commit counts them."""
        shutil.copy(support.closed_loop("contention"), self.path)
        whole = load(support.closed_loop("contention"))
        self.assertGreater(min(len(whole.objectives), len(whole.outcomes)), 10)

        def age(f):
            for table in [t for t, since in schema.SINCE.items() if since == 3]:
                del f[table]
            for column in schema.COLUMNS_SINCE:
                del f[column]
            f.attrs.modify("format_version", 2)
        self.change(age)
        log = load(self.path)
        self.assertEqual((len(log.objectives), len(log.outcomes)), (0, 0))
        self.assertEqual((list(log.objectives), list(log.outcomes)),
                         (list(whole.objectives), list(whole.outcomes)))
        self.assertEqual(len(log.verdicts), len(whole.verdicts))
        self.assertTrue(log.findings["named_1"].isna().all())
        log.frame("acks")
        self.assertEqual(log.notes, [])
        for name, out in (("effect.py", ()), ("report.py", ("-o", self.path + ".html"))):
            r = support.program(name, self.path, *out)
            self.assertEqual(r.returncode, 0, r.stderr)

    def test_columns_are_missing(self):
        """A writer that did not know some columns and tables yet."""
        def age(f):
            del f["verdicts/threshold"], f["findings/tags"], f["suppressions"]
        self.change(age)
        log = load(self.path)
        self.assertTrue(log.verdicts["threshold"].isna().all())
        self.assertTrue(log.findings["tags"].isna().all())
        whole = load(support.recorded()).verdicts["value"]
        self.assertEqual(log.verdicts["value"].notna().sum(), whole.notna().sum())
        self.assertIn("there is no /verdicts/threshold: shown as empty", log.notes)
        rows = len(load(support.recorded()).suppressions)
        self.assertGreater(rows, 0)
        self.assertEqual(len(log.suppressions), rows)

    def test_more_than_we_know(self):
        def add(f):
            f["plans/cost"] = np.arange(support.PLANS, dtype="u4")
            f["plans/cost"].attrs["units"] = "string id"
            f["plans/cost"][:] = f["plans/knob"][:support.PLANS]
        self.change(add)
        plans = load(self.path).plans
        self.assertEqual(plans["cost"].tolist(), plans["knob"].tolist())

    def test_damaged(self):
        def strings(f):
            f["plans/knob"][5] = 10 ** 6
        self.change(strings)
        self.refused("/plans/knob is damaged: there is no string or list 1000000")

    def test_damaged_ends(self):
        def ends(f):
            f["strings/ends"][7] = 0
        self.change(ends)
        self.refused("/strings/ends is damaged at row 7")

    def test_shorter_than_committed(self):
        self.change(lambda f: f["verdicts/value"].resize((10,)))
        self.refused(f"/verdicts/value is damaged: {support.VERDICTS} rows are "
                     "committed, 10 are there")

    def test_damaged_chunk(self):
        with h5py.File(self.path, "r") as f:
            chunk = f["verdicts/value"].id.get_chunk_info(0)
        with open(self.path, "r+b") as f:
            f.seek(chunk.byte_offset)
            f.write(b"\xff" * chunk.size)
        self.refused("/verdicts/value is damaged: rows 0 to")
        self.assertEqual(len(load(self.path).plans), support.PLANS)


class Live(unittest.TestCase):
    def test_being_written_then_killed(self):
        path = os.path.join(support.FOLDER, "live.h5")
        running = harness.Running(["--findings-file", "-", "--decision-log", path,
                                   "--log-flush-interval", "0", "--acks", "explicit"],
                                  stdin=subprocess.PIPE)
        self.addCleanup(running.kill)
        lines = support.records()
        running.process.stdin.write(b"".join(lines[:800]))
        running.process.stdin.flush()
        harness.wait_until(lambda: running.so_far().count('"optimizer.plan"') > 10, 60,
                           "plans")

        def seen():
            log = load(path)
            return log if log.run.events > 400 else None
        log = harness.wait_until(seen, 60, "events in the log")
        self.assertFalse(log.run.complete)
        self.assertIn("still at work or was killed", log.notes[0])
        running.process.kill()
        running.process.stdin.close()
        running.finish(sanitizers=False)
        self.prefix_of_the_whole(path)

    def prefix_of_the_whole(self, path):
        """What is left is what a run to the end has, up to the last commit."""
        whole, left = load(support.recorded()), load(path)
        events = left.run.events
        self.assertGreater(events, 400)
        for table in ("verdicts", "findings", "plans"):
            there = left.frame(table)
            full = whole.frame(table)
            full = full[full["seq"] < events]
            self.assertEqual(len(there), len(full), table)
            for column in there:
                mine, theirs = ([plain(v) for v in f[column].tolist()]
                                for f in (there, full))
                self.assertEqual(mine, theirs, f"{table}.{column}")
        r = support.program("funnel.py", path)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn("not complete", r.stderr)
        self.assertIn("planned", r.stdout)


if __name__ == "__main__":
    harness.main()
