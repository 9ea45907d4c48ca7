"""dfopt-log on logs that dfopt-mpi has written: whole, cut short, and none at all."""
import json
import os

import harness
from harness import RANKS, Case, Config, DecisionLog, event, lines, session


class Log(Case):
    def setUp(self):
        super().setUp()
        if not Config.log_program:
            self.skipTest("there is no dfopt-log to test")

    def log(self, *args, code=0):
        r = harness.run(args, program=Config.log_program)
        self.assertEqual(r.code, code, r.brief)
        return r

    def replay(self, records, ranks=None, *more):
        r = self.run_ok(
            ["--findings-file", self.write("in.jsonl", lines(records)), "--plans-file",
             self.path("plans"), "--decision-log", self.path("log.h5"), *more],
            ranks=ranks)
        dump = self.log("dump", self.path("log.h5")).out
        return r, [json.loads(line) for line in dump.splitlines()]

    def test_dump_has_every_decision(self):
        records = session(5, 20)
        records[40:40] = [event("finding", {"scope": 1}), 17]
        before = None
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r, rows = self.replay(records, ranks)
                kinds = {}
                for row in rows:
                    kinds.setdefault(row["kind"], []).append(row)
                done = r.done
                self.assertEqual(len(kinds["finding"]), done["findings"])
                self.assertEqual(len(kinds["ack"]), done["acks"])
                self.assertEqual(len(kinds["registration"]), done["registrations"])
                self.assertEqual(len(kinds["global_plan"]), done["global_plans"])
                self.assertEqual(len(kinds["verdict"]), sum(done["verdicts"].values()))
                self.assertEqual([(row["seq"], row["line"]) for row in kinds["reject"]],
                                 [(40, 41), (41, 42)])
                plans = [json.loads(p) for p in self.read("plans").splitlines()]
                self.assertEqual(
                    [(p["knob_id"], p["old_value"], p["new_value"], p["rationale"],
                      p["window_index"]) for p in plans],
                    [(p["knob"], p["old"], p["new"], p["rationale"], p["window"])
                     for p in kinds["plan"]])
                order = [row["seq"] for row in rows]
                self.assertEqual(order, sorted(order))
                self.assertEqual(set(order), set(range(len(records))))
                if before:
                    self.assertTrue(rows == before, "another dump")
                before = rows

    def test_check_and_summary(self):
        self.replay(session(3, 5))
        self.log("check", self.path("log.h5"))
        self.assertNotEqual(self.log("summary", self.path("log.h5")).out, b"")

    def committed(self):
        with DecisionLog(self.path("log.h5")) as d:
            return d.rows("verdicts")

    def test_killed_run(self):
        reader, writer = os.pipe()
        running = harness.Running(
            ["--findings-file", "-", "--decision-log", self.path("log.h5"),
             "--log-flush-interval", "0"], stdin=reader)
        self.addCleanup(running.kill)
        os.close(reader)
        os.write(writer, lines(session(3, 24)))
        harness.wait_until(lambda: running.so_far().count('"optimizer.plan"') > 3, 60,
                           "plans")
        harness.wait_until(lambda: self.committed() > 20, 60, "verdicts in the log")
        running.process.kill()
        os.close(writer)
        running.finish(sanitizers=False)
        self.log("check", self.path("log.h5"), code=1)
        rows = self.log("dump", self.path("log.h5")).out.splitlines()
        self.assertGreater(len(rows), 20)
        self.assertEqual(json.loads(rows[0])["kind"], "registration")

    def test_no_log(self):
        text = self.write("notes.txt", "not a log")
        for command in ("dump", "summary", "check"):
            for bad in (text, self.path("missing.h5"), self.folder):
                with self.subTest(command=command, file=bad):
                    r = harness.run([command, bad], program=Config.log_program)
                    self.assertNotEqual(r.code, 0)
                    self.assertIn(bad, r.text)
                    self.assertEqual(r.out, b"")

    def test_command_line(self):
        self.assertIn(b"dump", self.log("--help").out)
        self.assertIn(b"dfopt-log", self.log("--version").out)
        for bad in (["frobnicate", "x"], ["dump"], ["dump", "--frobnicate", "x"], []):
            with self.subTest(arguments=bad):
                r = harness.run(bad, program=Config.log_program)
                self.assertNotEqual(r.code, 0)
                self.assertNotEqual(r.err, b"")


if __name__ == "__main__":
    harness.main()
