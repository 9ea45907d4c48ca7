#!/usr/bin/env python3
"""Files that stay open: views end windows, and take the plans that they can."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mpiio import LIBRARY, REFUSE, MpiTest, knobs

SAME = "0 times a rank had other hints, 0 ranks read wrong data"
BYTES = 4 * 64 * 4096  # of all ranks, with one view


def at_views(*names, **members):
    content = knobs(**members)
    for name in names:
        for response in content["knobs"][name]["responds_to"].values():
            response["apply_when"] = "file_view"
    return content


class Views(MpiTest):
    def start_job(self, optimizer, views, content, *hints, io="romio321", **more):
        return self.run_strided(views, *hints, preload=[LIBRARY, REFUSE], keep=True, io=io, env={
            **optimizer.environment, **self.knob_file(content), "VIEWS_FILE": "views",
            "DFOPT_MPIIO_REPORT": "report.jsonl"}, **more)

    def seen(self):
        """The hints that each view was given, if all ranks had the same."""
        lines = [(self.folder / f"views.{rank}").read_text(encoding="utf-8")
                 for rank in range(4)]
        self.assertEqual(set(lines), {lines[0]})
        found = [dict(h.split("=") for h in line.split()) for line in lines[0].splitlines()]
        return found[:-1]  # the last is that of the check

    def reported(self):
        return [json.loads(line) for line in
                (self.folder / "report.jsonl").read_text(encoding="utf-8").splitlines()]

    def test_plans(self):
        """Plans for views are in force from the next view on; one that only an open can take
        is rejected once none has come for two windows."""
        o = self.optimizer()
        content = at_views("cb_buffer_size", "romio_cb_write")
        job = self.start_job(o, 7, content, "romio_cb_write=disable")
        for number, changes in enumerate([{"romio_cb_write": "enable"},
                                          {"cb_buffer_size": 8192, "cb_nodes": 3},
                                          {"cb_buffer_size": 12288},
                                          {"romio_cb_write": "automatic"},
                                          {"cb_buffer_size": 16777216},
                                          {"romio_cb_write": "enable"}]):
            self.assertEqual(o.receive("objectives")["window_index"], number + 1)
            for i, (knob, value) in enumerate(changes.items()):
                o.plan(16 * number + i, knob, value,
                       "file_open" if knob == "cb_nodes" else "file_view")
        out, err = self.finish(job)
        self.assertIn(SAME, out)
        self.assertEqual(err, "")
        # Back at its default, a hint is given all the same: the file would keep its own.
        self.assertEqual(self.seen(), [
            {"romio_cb_write": "disable"}, {"romio_cb_write": "enable"},
            {"romio_cb_write": "enable", "cb_buffer_size": "8192"},
            {"romio_cb_write": "enable", "cb_buffer_size": "12288"},
            {"romio_cb_write": "automatic", "cb_buffer_size": "12288"},
            {"romio_cb_write": "automatic", "cb_buffer_size": "16777216"},
            {"romio_cb_write": "enable", "cb_buffer_size": "16777216"}])
        acks = {(a["knob_id"], a["new_value"]): (a["status"], a["window_index"])
                for a in o.received("acks")}
        self.assertEqual(acks.pop(("mpiio.cb_nodes", None))[0], "rejected")
        self.assertEqual(acks, {
            ("mpiio.romio_cb_write", "enable"): ("applied", 7),
            ("mpiio.cb_buffer_size", 8192): ("applied", 3),
            ("mpiio.cb_buffer_size", 12288): ("applied", 4),
            ("mpiio.romio_cb_write", "automatic"): ("applied", 5),
            ("mpiio.cb_buffer_size", 16777216): ("applied", 6)})
        lines = self.reported()
        self.assertEqual([r["window"] for r in lines], [1, 2, 3, 4, 5, 6, 7])
        for r in lines:
            self.assertEqual((r["bytes"], r["calls"], r["collective"]), (BYTES, 4, 4))
            self.assertGreater(r["mb_per_s"], 0)
        self.assertEqual(lines[3]["hints"], {"romio_cb_write": "enable",
                                             "cb_buffer_size": "12288"})

    def test_an_open_takes_what_waits(self):
        """With opens, a view after one is no end of a window, and all plans are taken there."""
        o = self.optimizer()
        job = self.run_strided(3, env={**o.environment, **self.knob_file(
            at_views("cb_buffer_size")), "DFOPT_MPIIO_REPORT": "report.jsonl"})
        for number, (knob, value) in enumerate([("cb_nodes", 2), ("cb_buffer_size", 8192)]):
            o.receive("objectives")
            o.plan(number, knob, value,
                   "file_open" if knob == "cb_nodes" else "file_view")
        self.assertIn(SAME, self.finish(job)[0])
        self.assertEqual([r["hints"] for r in self.reported()],
                         [{}, {"cb_nodes": "2"}, {"cb_nodes": "2", "cb_buffer_size": "8192"}])
        self.assertEqual([a["status"] for a in o.received("acks")], ["applied", "applied"])

    def test_small_windows(self):
        """A view after fewer bytes ends no window. The 2nd, 4th, 8th view is looked at."""
        o = self.optimizer()
        job = self.start_job(o, 9, at_views("cb_buffer_size", wait_ms=0, min_bytes=3 * BYTES))
        self.assertIn(SAME, self.finish(job)[0])
        # Views 2 and 4 follow 1 and 3 writes, and 4 ends a window; 5, 7 and 9 the next.
        self.assertEqual([r["bytes"] / BYTES for r in self.reported()], [4, 4])

    def test_no_knob_of_views(self):
        """The whole file is one window then, as its open is the only boundary."""
        o = self.optimizer()
        job = self.start_job(o, 4, knobs(wait_ms=0))
        self.assertIn(SAME, self.finish(job)[0])
        self.assertEqual([r["bytes"] for r in self.reported()], [4 * BYTES])

    def test_refused(self):
        """A view that fails by its hints is set without them, and the plan rejected."""
        o = self.optimizer()
        content = at_views("cb_buffer_size")
        content["knobs"]["refused"] = {
            "type": "str", "default": "no", "values": ["no", "yes"],
            "responds_to": {"x": {"direction": "set", "set_to": "yes",
                                  "apply_when": "file_view"}}}
        job = self.start_job(o, 4, content)
        o.receive("objectives")
        o.plan(0, "cb_buffer_size", 8192, "file_view")
        o.receive("objectives")
        o.plan(1, "refused", "yes", "file_view")
        o.plan(2, "cb_buffer_size", 12288, "file_view")
        out, err = self.finish(job)
        self.assertIn(SAME, out)
        self.assertIn("hints not applied: the view cannot be set with them", err)
        self.assertEqual([v.get("refused") for v in self.seen()],
                         [None, None, "yes", None, None])
        self.assertEqual([a["status"] for a in o.received("acks")],
                         ["applied", "rejected", "rejected"])


if __name__ == "__main__":
    unittest.main()
