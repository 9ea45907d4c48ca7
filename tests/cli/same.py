"""For tests in which several runs must leave the same."""
import os

from harness import Case, DecisionLog, lines, run_each

ONE = ("--readers", "one")  # rank 0 reads for all
OUTPUTS = ("plans", "state", "log.h5")


class SameCase(Case):
    def outcome(self, name):
        """All that a run has left, to be compared."""
        with DecisionLog(self.path(name + "log.h5")) as d:
            self.assertEqual(d.complete, 1)
            columns = {name: c for name, c in d.columns().items()
                       if not name.startswith("run")}
        return self.read(name + "plans"), self.read(name + "state"), columns

    def job(self, name, ranks, log, more=()):
        args = ["--findings-file", log, *more, "--log-level", "warning"]
        for option, output in zip(("--plans-file", "--final-state", "--decision-log"),
                                  OUTPUTS):
            args += [option, self.path(name + output)]
        return {"args": args, "ranks": ranks, "timeout": 150}

    def assert_same(self, log, variants, least_plans=1, at_once=3):
        """variants: (ranks, further options). All leave what the first leaves."""
        f = self.write("in.jsonl", lines(log))
        jobs = [self.job(f"{i}-", ranks, f, more)
                for i, (ranks, more) in enumerate(variants)]
        expected = None
        for i, r in enumerate(run_each(jobs, at_once)):
            ranks, more = variants[i]
            with self.subTest(ranks=ranks or "alone", options=" ".join(more)):
                self.assert_ran(r)
                self.assertEqual(r.code, 0, r.brief)
                got = self.outcome(f"{i}-")
                for output in OUTPUTS:
                    os.unlink(self.path(f"{i}-{output}"))
                if expected is None:
                    expected = got
                    self.assertGreaterEqual(got[0].count(b"\n"), least_plans)
                self.assertTrue(got[0] == expected[0], "other plans")
                self.assertTrue(got[1] == expected[1], "another final state")
                self.assertEqual(sorted(got[2]), sorted(expected[2]))
                other = [c for c in got[2] if got[2][c] != expected[2][c]]
                self.assertEqual(other, [], "other columns")
        return expected or self.fail("no run to compare")
