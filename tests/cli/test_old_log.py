"""Logs of the format's version 2, as dfopt-mpi 0.1 wrote them. data/version-2.h5.gz is
one: two nodes, six windows, a policy with timeouts; version-2.jsonl.gz is what the
dfopt-log of then dumps of it, version-2-state.json its state."""
import gzip
import json
import os

import harness
from harness import Case, Config, DecisionLog

DATA = os.path.join(harness.HERE, "data")
NEW = ("objectives", "outcomes")


def unpacked(name):
    with gzip.open(os.path.join(DATA, name)) as f:
        return f.read()


class OldLog(Case):
    def setUp(self):
        super().setUp()
        self.write("old.h5", unpacked("version-2.h5.gz"))

    def log(self, *args, code=0):
        r = harness.run([*args, self.path("old.h5")], program=Config.log_program)
        self.assertEqual(r.code, code, r.brief)
        return r.out.decode()

    def rows(self, *args):
        return [json.loads(line) for line in self.log(*args).splitlines()]

    def test_rows_are_what_they_were(self):
        old = [json.loads(line) for line in unpacked("version-2.jsonl.gz").splitlines()]
        new = self.rows("dump")
        self.assertGreater(len(old), 60)
        self.assertEqual([{k: n.get(k) for k in o} for o, n in zip(old, new)], old)
        self.assertEqual(len(new), len(old))
        for row in new:
            if row["kind"] == "finding":
                self.assertEqual({row[f"named_{i}"] for i in (1, 2, 3, 4)}, {None})

    def test_what_it_has_not_is_empty(self):
        for table in NEW:
            self.assertEqual(self.rows("export", "--table", table, "--format", "jsonl"), [])
        check = json.loads(self.log("check", "--json"))
        self.assertEqual((check["state"], check["format_version"]), ("complete", 2))
        for command in ("summary", "plans"):
            self.assertIn("app.prefetch", self.log(command))

    def test_its_state(self):
        with open(os.path.join(DATA, "version-2-state.json")) as f:
            self.assertEqual(json.loads(self.log("state")), json.load(f))

    def test_a_copy_is_of_its_version(self):
        copy = self.path("copy.h5")
        self.log("check", "--repair", copy)
        with DecisionLog(copy) as d:
            self.assertEqual(d.file.attrs["format_version"], 2)
        r = harness.run(["diff", self.path("old.h5"), copy], program=Config.log_program)
        self.assertEqual(r.code, 0, r.brief)

    def test_no_run_resumes_it(self):
        before = self.read("old.h5")
        self.write("in.jsonl", b"")
        r = harness.run(["--findings-file", self.path("in.jsonl"), "--resume",
                         self.path("old.h5")])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("log format 2 is not supported; use dfopt-mpi 0.1 or start a new log",
                      r.text)
        self.assertIn("cannot resume " + self.path("old.h5"), r.text)
        self.assertEqual(self.read("old.h5"), before)


if __name__ == "__main__":
    harness.main()
