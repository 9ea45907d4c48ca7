"""What is decided does not depend on ranks, batches or timing: plans, final state
and every column of the decision log are the same bytes."""
import json
import os
from unittest import mock

import harness
from harness import (event, finding, lines, loader_registration, run_each,
                     session)
from same import ONE, SameCase

UPSTREAM = ("--compat", "upstream")
ASSUMED = ("--acks", "assumed")


class Ranks(SameCase):
    def test_a_session(self):
        plans, state, _ = self.assert_same(
            session(23, 100, seed=11),
            [(None, ()), (None, ONE), (1, ()), (2, ()), (2, ONE), (4, ()),
             (7, ()), (7, ONE)],
            least_plans=150)
        self.assertIn(b'"global_', plans)
        self.assertGreater(len(json.loads(state)["node_values"]), 10)

    def test_frames_in_parts(self):
        """As where MPI may not copy from process to process: in many containers."""
        with mock.patch.dict(os.environ, OMPI_MCA_btl_vader_single_copy_mechanism="none"):
            self.assert_same(session(23, 100, seed=11), [(None, ()), (2, ()), (3, ONE)],
                             least_plans=150)

    def test_upstream(self):
        self.assert_same(session(7, 60, seed=5),
                         [(None, UPSTREAM), (3, UPSTREAM), (5, (*UPSTREAM, *ONE))])

    def test_assumed_acks(self):
        self.assert_same(session(7, 60, seed=6),
                         [(n, ASSUMED) for n in (None, 4)], least_plans=50)

    def test_batches(self):
        variants = [(3, ())]
        for events in ("1", "7", "4096"):
            for in_flight in ("1", "4"):
                variants.append((3, (*ONE, "--batch-events", events,
                                     "--batches-in-flight", in_flight)))
        variants += [(None, (*ONE, "--batch-events", n)) for n in ("1", "7")]
        self.assert_same(session(12, 40, seed=12), variants, least_plans=50)

    def test_splits(self):
        """Of the file that each rank reads: records lie across their ends."""
        log = session(12, 40, seed=12)
        log[500:500] = [17, event("finding", finding(summary="x" * 9000)), {}]
        variants = [(None, ())]
        for size in ("1", "5000", "10000000"):
            variants += [(n, ("--read-bytes", size)) for n in (None, 3, 5)]
        self.assert_same(log, variants, least_plans=50)

    def test_more_ranks_than_nodes(self):
        self.assert_same(session(2, 30, seed=14), [(None, ()), (7, ()), (7, ONE)])

    def test_one_node(self):
        self.assert_same(session(1, 40, seed=15), [(None, ()), (4, ())])

    def test_no_registrations(self):
        log = [e for e in session(5, 20, seed=16) if e["stream"] != "registration"]
        plans, _, _ = self.assert_same(log, [(n, ()) for n in (None, 2, 4)],
                                       least_plans=0)
        self.assertEqual(plans, b"")

    def test_only_global_findings(self):
        log = [event("registration", loader_registration())]
        for w in range(1, 60):
            log.append(event("finding", finding(
                w, scope="global" if w % 3 else "global:global",
                suppresses_tags=["reader_parallelism"] if w % 4 == 0 else [],
                finding_type=f"t{w % 2}")))
        self.assert_same(log, [(None, ASSUMED), (4, ASSUMED), (4, (*ASSUMED, *ONE))])

    def test_only_job_wide_findings(self):
        log = [event("registration", loader_registration())]
        log += [event("finding", finding(w)) for w in range(1, 40)]
        self.assert_same(log, [(None, ASSUMED), (4, ASSUMED)], least_plans=6)

    def test_registrations_while_it_runs(self):
        log = []
        for i, e in enumerate(session(6, 30, seed=17)):
            if i % 60 == 50:
                again = loader_registration()
                again["knobs"]["app.prefetch"]["range"] = [1, 8 + i % 7]
                if i % 120 < 60:
                    again["current_values"] = {"app.prefetch": 1 + i % 5}
                log.append(event("registration", again))
            log.append(e)
        self.assert_same(log, [(None, ()), (3, ("--read-bytes", "3000")),
                               (4, (*ONE, "--batch-events", "5"))])

    def test_bad_records_between(self):
        log = []
        for i, e in enumerate(session(5, 30, seed=18)):
            log.append(e)
            if i % 17 == 3:
                log.append((event("finding", []), event("what", {}), 17,
                            event("registration", {"knobs": 1}))[i // 17 % 4])
        self.assert_same(log, [(None, ()), (2, ("--read-bytes", "2000")), (3, ()),
                               (4, (*ONE, "--batch-events", "3"))])

    def test_rows_of_several_chunks(self):
        """8192 rows each: ranks pack chunks that begin with rows of another."""
        if harness.is_sanitized(harness.Config.program):
            self.skipTest("long; unit.block has it for sanitized builds")
        log = session(40, 500, seed=21)
        self.assertGreater(len(log), 18000)
        self.assert_same(log, [(None, ()), (2, ("--read-bytes", "3000000")),
                               (3, ("--read-bytes", "400000")),
                               (5, ("--log-flush-interval", "0"))])

    def test_strict_decides_what_comes_before(self):
        """Plans and log are those of the input cut before the bad record, also
        where registrations and acks lie on both sides of it; and when the record is
        mended, the run resumes with it."""
        log = []
        for i, e in enumerate(session(4, 30, seed=24)):
            log += [e] + [event("registration", loader_registration())] * (i % 40 == 39)
        at = 460
        want = [self.whole("cut", log[:at]), self.whole("mended", log)]
        self.assertGreater(want[0][0].count(b"\n"), 5)
        around = ({e["stream"] for e in part} for part in (log[:at], log[at:at + 45]))
        for streams in around:
            self.assertLessEqual({"finding", "registration", "ack"}, streams)
        small, large = ("--read-bytes", "9000"), ("--read-bytes", "40000")
        bad = ((event("registration", {"knobs": 1}), [(None, ONE), (3, ONE), (3, small)]),
               (event("ack", 1), [(None, large), (2, small)]),
               (event("finding", []), [(None, ONE), (2, large)]))
        for record, some in bad:
            stream = record["stream"]
            f = self.write("bad.jsonl", lines(log[:at] + [record] + log[at + 1:]))
            jobs = [{"args": ["--findings-file", f, "--strict", *more,
                              *self.outputs(str(i))], "ranks": ranks}
                    for i, (ranks, more) in enumerate(some)]
            for i, r in enumerate(run_each(jobs, 3)):
                with self.subTest(bad=stream, way=some[i]):
                    self.assertEqual(r.code, 1, r.brief)
                    self.assertIn(f":{at + 1}:", r.named("optimizer.failed")[0]["error"])
                    self.assertEqual(self.plans_and_log(str(i)), want[0])
        self.write("bad.jsonl", lines(log))
        for i in range(len(some)):
            with self.subTest(mended=some[i]):
                plans, log_file = self.outputs(str(i))[1::2]
                self.run_ok(["--findings-file", f, *some[i][1], "--plans-file", plans,
                             "--resume", log_file])
                self.assertEqual(self.plans_and_log(str(i)), want[1])

    def whole(self, name, log):
        f = self.write("bad.jsonl", lines(log))
        self.run_ok(["--findings-file", f, *self.outputs(name)])
        return self.plans_and_log(name)

    def outputs(self, name):
        return ["--plans-file", self.path(f"{name}.plans"), "--decision-log",
                self.path(f"{name}.h5")]

    def plans_and_log(self, name):
        """Plans, all rows of the log as text, and the state at its end."""
        logged = [harness.run([command, self.path(f"{name}.h5")],
                            program=harness.Config.log_program).out
                for command in ("dump", "state")]
        return [self.read(f"{name}.plans"), *logged]

    def test_relay_hostname(self):
        more = ("--relay-hostname", "node001")
        self.assert_same(session(4, 60, seed=19), [(None, more), (4, more)])

    def test_again_is_the_same(self):
        self.assert_same(session(6, 30, seed=20), [(n, ()) for n in (4, 4, None, None)])


if __name__ == "__main__":
    harness.main()
