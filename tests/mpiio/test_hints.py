#!/usr/bin/env python3
"""Plans become hints, at the next open and on all ranks; and what is sent of it."""
import json
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mpiio import KNOBS, LIBRARY, REFUSE, MpiTest, knobs, opens

SAME = "0 times a rank had other hints, 0 ranks read wrong data"


class Hints(MpiTest):
    def lockstep(self, job, optimizer, plans):
        """After each window a plan, which the next open waits for. Returns the
        objectives."""
        got = []
        for number, change in enumerate(plans):
            got.append(optimizer.receive("objectives"))
            for i, (knob, value) in enumerate(change.items()):
                optimizer.plan(16 * number + i, knob, value)
        return got

    def test_plans(self):
        o = self.optimizer()
        job = self.run_strided(4, "romio_cb_write=disable", "cb_buffer_size=8192",
                               env={**o.environment, **self.knob_file(
                                   knobs(hints={"cb_config_list": "*:*"})),
                                   "DFOPT_MPIIO_REPORT": "report.jsonl"})
        first = o.receive("registry")
        objectives = self.lockstep(job, o, [
            {"romio_cb_write": "enable", "cb_nodes": 3}, {"cb_buffer_size": 20480},
            {"cb_nodes": 2}])
        out, err = self.finish(job)
        self.assertIn(SAME, out)
        self.assertEqual(err, "")
        self.assertEqual([h for _, h in opens(out)], [
            {"romio_cb_write": "disable", "cb_buffer_size": "8192"},
            {"romio_cb_write": "enable", "cb_nodes": "3", "cb_buffer_size": "8192"},
            {"romio_cb_write": "enable", "cb_nodes": "3", "cb_buffer_size": "20480"},
            {"romio_cb_write": "enable", "cb_nodes": "2", "cb_buffer_size": "20480"}])
        # What the application had given is what was registered, and no more aggregators
        # than there are ranks.
        self.assertEqual(first["current_values"], {
            "romio_cb_write": "disable", "cb_nodes": 1, "cb_buffer_size": 8192})
        self.assertEqual(first["knobs"]["cb_nodes"]["values"], [1, 2, 3, 4])
        # two plans may come one by one
        acks = sorted(o.received("acks"), key=lambda a: (a["window_index"], a["knob_id"]))
        self.assertEqual([(a["status"], a["new_value"], a["window_index"]) for a in acks],
                         [("applied", 3, 2), ("applied", "enable", 2), ("applied", 20480, 3),
                          ("applied", 2, 4)])
        objectives += o.received("objectives")
        self.assertEqual([(p["node"], p["window_index"], p["goal"]) for p in objectives],
                         [("", w, "max") for w in (1, 2, 3, 4)])
        self.assertTrue(all(p["value"] > 0 for p in objectives))
        self.reported(objectives)
        self.found(o.received("findings"))

    def test_optimizer_is_lost(self):
        """Its hint goes at the next open, on all ranks; that of a knob without on_lost
        stays. Again if the machine stood still for as long as the lease."""
        content, had = knobs(lease_ms=300), []
        content["knobs"]["cb_nodes"]["on_lost"] = "restore"
        want = [{}, {"cb_nodes": "3", "cb_buffer_size": "20480"}, {"cb_buffer_size": "20480"}]
        for _ in range(5):
            o = self.optimizer()
            job = self.run_strided(3, env={**o.environment, **self.knob_file(content)})
            self.lockstep(job, o, [{"cb_buffer_size": 20480, "cb_nodes": 3}])
            o.receive("objectives")
            o.close()
            out, _ = self.finish(job)
            self.assertIn(SAME, out)
            had.append([h for _, h in opens(out)])
            if had[-1] == want:
                break
        self.assertIn(want, had)

    def reported(self, objectives):
        lines = [json.loads(line) for line in
                 (self.folder / "report.jsonl").read_text(encoding="utf-8").splitlines()]
        self.assertEqual([r["window"] for r in lines], [1, 2, 3, 4])
        for line, objective in zip(lines, objectives):
            self.assertEqual(line["mb_per_s"], objective["value"])
            self.assertEqual((line["bytes"], line["calls"], line["collective"],
                              line["ranks"]), (4 * 64 * 4096, 4, 4, 4))
        self.assertEqual(lines[3]["hints"], {
            "cb_config_list": "*:*", "cb_nodes": "2", "romio_cb_write": "enable",
            "cb_buffer_size": "20480"})

    def found(self, findings):
        self.assertEqual([f["window_index"] for f in findings], [2, 3, 4])
        for f in findings:
            self.assertEqual((f["finding_type"], f["scope"], f["trend_direction"]),
                             ("small_collective_io", "job:window", "stable"))
            self.assertEqual(f["key_metrics"]["collective_frac"], 1)
            self.assertEqual(f["key_metrics"]["scattered_frac"], 1)
            self.assertEqual(f["severity_score"], f["key_metrics"]["io_frac"])
            self.assertIn("collective_write", f["opportunity_tags"])
            self.assertNotIn("collective_read", f["opportunity_tags"])

    def test_ompio(self):
        """A hint that the file did not have: its default takes it out again."""
        o = self.optimizer()
        content = knobs()
        del content["knobs"]["romio_cb_write"]
        job = self.run_strided(3, io="ompio",
                               env={**o.environment, **self.knob_file(content)})
        self.lockstep(job, o, [{"cb_nodes": 3, "cb_buffer_size": 65536},
                               {"cb_nodes": 1, "cb_buffer_size": 16777216}])
        out, err = self.finish(job)
        self.assertIn(SAME, out)
        self.assertEqual(err, "")
        self.assertEqual([h for _, h in opens(out)],
                         [{}, {"cb_nodes": "3", "cb_buffer_size": "65536"}, {}])
        self.assertEqual(len(o.received("acks")), 4)

    def test_only_rank_0_was_told(self):
        """The environment of the others does not matter."""
        o = self.optimizer()
        told = {**o.environment, **self.knob_file(knobs())}
        job = self.run_strided(2, contexts=[(1, told), (3, {"DFOPT_MPIIO_KNOBS": "none"})])
        self.lockstep(job, o, [{"cb_buffer_size": 12288}])
        out, err = self.finish(job)
        self.assertIn(SAME, out)
        self.assertEqual(err, "")
        self.assertEqual(opens(out)[1][1]["cb_buffer_size"], "12288")

    def test_refused(self):
        """An open that fails by a hint is repeated without it, and the plan rejected. That
        file says nothing about the hints in force, and is not reported."""
        o = self.optimizer()
        content = knobs()
        content["knobs"]["refused"] = {
            "type": "str", "default": "no", "values": ["no", "yes"],
            "responds_to": {"x": {"direction": "set", "set_to": "yes"}}}
        job = self.run_strided(4, preload=[LIBRARY, REFUSE],
                               env={**o.environment, **self.knob_file(content)})
        self.lockstep(job, o, [{"refused": "yes", "cb_nodes": 2},
                               {"cb_buffer_size": 12288}])
        out, err = self.finish(job)
        self.assertIn(SAME, out)
        self.assertIn("hints not applied: the file cannot be opened with them", err)
        self.assertEqual([h for _, h in opens(out)],
                         [{}, {}, {}, {"cb_buffer_size": "12288"}])
        self.assertEqual([a["status"] for a in o.received("acks")],
                         ["rejected", "rejected", "applied"])

    def test_files(self):
        """Files of other names and small ones are left alone."""
        o = self.optimizer()
        for content in (knobs(files=["*.dat", "other*"], wait_ms=0),
                        knobs(min_bytes=1e9, wait_ms=0)):
            job = self.run_strided(2, env={**o.environment, **self.knob_file(content),
                                           "DFOPT_MPIIO_REPORT": "report.jsonl"})
            out, _ = self.finish(job)
            self.assertIn(SAME, out)
            self.assertEqual((self.folder / "report.jsonl").stat().st_size, 0)

    def test_fortran(self):
        """Open MPI's Fortran bindings call PMPI_File_open; both are caught."""
        compiler = shutil.which("mpifort")
        if not compiler:
            self.skipTest("no Fortran compiler")
        program = self.folder / "fortran"
        source = pathlib.Path(__file__).with_name("fortran.f90")
        self.finish(self.start([compiler, source, "-o", program, "-J", self.folder]))
        o = self.optimizer()
        job = self.start(self.command(program, self.folder, preload=[LIBRARY]),
                         {**o.environment, **self.knob_file(knobs())})
        self.lockstep(job, o, [{"cb_buffer_size": size} for size in (8192, 12288, 20480)])
        out, err = self.finish(job)
        self.assertEqual(out.split("\n")[1:4], ["open 2 8192", "open 3 12288",
                                                "open 4 20480"], out + err)

    def test_mpi4py(self):
        script = "\n".join((
            "from mpi4py import MPI", "comm = MPI.COMM_WORLD", "for _ in range(2):",
            "    f = MPI.File.Open(comm, 'data', MPI.MODE_CREATE | MPI.MODE_RDWR)",
            "    f.Write_at_all(comm.rank * 65536, bytearray(65536))",
            "    hint = f.Get_info().Get('cb_buffer_size')", "    f.Close()",
            "if comm.rank == 0:", "    print(hint)"))
        try:
            import mpi4py  # noqa: F401
        except ImportError:
            self.skipTest("no mpi4py")
        o = self.optimizer()
        job = self.start(self.command(sys.executable, "-c", script, preload=[LIBRARY]),
                         {**o.environment, **self.knob_file(knobs())})
        self.lockstep(job, o, [{"cb_buffer_size": 8192}])
        self.assertEqual(self.finish(job)[0], "8192\n")

    def test_ready_knobs(self):
        """The files that are installed can be read. A short job does not wait until its
        registration has left, so on a busy machine one may not be enough."""
        for name in ("romio", "ompio"):
            o, found = self.optimizer(), []
            for _ in range(20):
                job = self.run_strided(1, env={
                    **o.environment, "DFOPT_MPIIO_KNOBS": str(KNOBS / f"{name}.json")})
                self.assertEqual(self.finish(job)[1], "")
                found = o.received("registry")
                if found:
                    break
            self.assertIn("cb_nodes", found[0]["knobs"])


if __name__ == "__main__":
    unittest.main()
