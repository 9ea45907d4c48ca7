#!/usr/bin/env python3
"""A program runs with the library as it does without: what it prints, what it returns,
what its files hold."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mpiio import EVERY, FIRST, LIBRARY, MpiTest, knobs

# Open MPI 4.1's ROMIO crashes in MPI_File_iwrite_at_all and hangs in opens of several
# threads, by itself.
CASES = [(case, "ompio") for case in ("functions", "errors", "communicators", "left_open",
                                      "threads")]
CASES += [(case, "romio321") for case in ("errors", "communicators", "left_open")]


class Guest(MpiTest):
    def run_case(self, case, io, preload, env=None, ranks=3):
        where = self.folder / "files"
        where.mkdir(exist_ok=True)
        job = self.start(self.command(EVERY, where, case, io=io, ranks=ranks,
                                      preload=preload), env)
        out, err = self.finish(job)
        files = {p.name: p.read_bytes() for p in sorted(where.iterdir())}
        for p in where.iterdir():
            p.unlink()
        return sorted(out.splitlines()), err, files

    def test_every_case(self):
        o = self.optimizer()
        content = knobs(connect_ms=0, wait_ms=0, hints={"cb_buffer_size": "65536"}, min_bytes=1)
        del content["knobs"]["cb_buffer_size"]
        tuned = {**o.environment, **self.knob_file(content)}
        for case, io in CASES[:5] if FIRST else CASES:
            plain = self.run_case(case, io, [])
            self.assertIn("rank 2: finalized", plain[0])
            with self.subTest(case=case, io=io, env="nobody asked"):
                self.assertEqual(self.run_case(case, io, [LIBRARY]), plain)
            with self.subTest(case=case, io=io, env="tuned"):
                self.assertEqual(self.run_case(case, io, [LIBRARY], tuned), plain)
        self.assertTrue(o.received("objectives"))

    def test_nobody_there(self):
        """Endpoints where nobody answers: the program ends as soon as without."""
        env = {**self.knob_file(knobs(connect_ms=0)), "DFOPT_MPIIO_REPORT": "report.jsonl"}
        for name in ("PLANS", "REGISTRY", "ACKS", "OBJECTIVES", "FINDINGS"):
            env["DFOPT_CLIENT_" + name] = f"ipc://{self.folder}/nobody-{name}"
        _, err = self.finish(self.run_strided(3, env=env))
        self.assertEqual(err, "")
        lines = (self.folder / "report.jsonl").read_text(encoding="utf-8").splitlines()
        self.assertEqual([json.loads(line)["window"] for line in lines], [1, 2, 3])

    def test_bad_settings(self):
        """One line that names what is wrong; the program goes on."""
        knob = {"type": "int", "default": 1, "values": [1, 2], "responds_to": {"t": {}}}
        bad = [
            ("{", "truncated JSON"), ("[]", "not an object"), ('{"knob": 1}', "'knob'"),
            ({"knobs": {}}, "knobs is missing"),
            ({"knobs": {"cb_nodes": {**knob, "default": 0}}}, "knob 'cb_nodes': default"),
            ({"knobs": {"cb_nodes": {**knob, "values": [1, "2"]}}}, "not of the knob's type"),
            ({"knobs": {"cb_nodes": {**knob, "values": [-1]}}}, "cannot be a value"),
            ({"knobs": {"x": {**knob, "type": "float"}}}, "must be int, str or bool"),
            ({"knobs": {"x": {**knob, "range": [1, 2]}}}, "needs either values"),
            ({"knobs": {"x": {**knob, "responds_to": {"t": {"stepp": 1}}}}}, "'stepp'"),
            ({"knobs": {"x" * 40: knob}}, "the name is too long"),
            ({"knobs": {f"x{i}": knob for i in range(17)}}, "more than 16 knobs"),
            ({"knobs": {"x": knob}, "hints": {"y": 1}}, "hints: 'y'"),
            ({"knobs": {"x": knob}, "wait_ms": -1}, "wait_ms"),
            ({"knobs": {"x": knob}, "files": [""]}, "files"),
            ({"knobs": {"x": {**knob, "on_lost": "maybe"}}}, "on_lost is none of"),
            ({"knobs": {"x": knob}, "lease_ms": -1}, "lease_ms"),
        ]
        settings = [(self.knob_file, content, text) for content, text in bad]
        settings += [(lambda _: {"DFOPT_MPIIO_KNOBS": "missing.json"}, None,
                      "missing.json: No such file"),
                     (lambda _: {**self.knob_file(knobs(connect_ms=0)),
                                 "DFOPT_CLIENT_PLANS_PATTERN": "push"}, None, "PATTERN"),
                     (lambda _: {**self.knob_file(knobs(connect_ms=0)),
                                 "DFOPT_MPIIO_REPORT": "no/such"}, None, "no/such"),
                     (lambda _: {**self.knob_file(knobs(connect_ms=0)),
                                 "DFOPT_CLIENT_PLANS": "tcp://x:y"}, None, "tcp://x:y")]
        for make, content, text in settings[::4 if FIRST else 1]:  # sanitized: a few
            with self.subTest(text=text):
                out, err = self.finish(self.run_strided(1, ranks=2, env=make(content)))
                self.assertIn("0 ranks read wrong data", out)
                self.assertEqual(len(err.splitlines()), 1, err)
                self.assertIn("dfopt_mpiio: continuing untuned: ", err)
                self.assertIn(text, err)


if __name__ == "__main__":
    unittest.main()
