"""Where results go, and what happens when that place fails."""
import itertools
import json
import os
import subprocess
import unittest

import harness
from harness import (RANKS, Case, DecisionLog, finding, lines, loader_registration,
                     plans_without_ids, run, run_as_nobody, session)


class Outputs(Case):
    def setUp(self):
        super().setUp()
        self.input = self.write("in.jsonl", lines(
            finding(w, f"n{n}") for w in range(1, 5) for n in range(3)))
        self.registry = self.write("registry.json", json.dumps([loader_registration()]))
        self.args = ["--findings-file", self.input, "--registry-file", self.registry]

    def many(self):
        """An input whose plans do not fit into one buffer."""
        return self.write("many.jsonl", lines(
            finding(w, f"n{n}") for w in range(1, 5) for n in range(149)))

    def test_plans_to_standard_output(self):
        self.run_ok([*self.args, "--plans-file", self.path("plans")])
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.run_ok([*self.args, "--plans-file", "-"], ranks=ranks)
                self.assertEqual(r.out, self.read("plans"))
                self.assertEqual(len(plans_without_ids(r.out)), r.done["plan_count"])
                self.assertGreater(r.done["plan_count"], 10)

    def test_plan_events_are_the_plans(self):
        r = self.run_ok([*self.args, "--plans-file", "-"])
        plans = [json.loads(p) for p in r.out.splitlines()]
        events = r.named("optimizer.plan")
        self.assertEqual([(e["plan_id"], e["new_value"]) for e in events],
                         [(p["plan_id"], p["new_value"]) for p in plans])

    def test_final_state(self):
        self.run_ok([*self.args, "--final-state", self.path("state")])
        state = json.loads(self.read("state"))
        self.assertEqual(set(state), {"current_values", "node_values", "pending",
                                      "suppressions", "cooldown"})
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.run_ok([*self.args, "--final-state", "-"], ranks=ranks)
                self.assertEqual(r.out, self.read("state"))

    def test_both_to_standard_output(self):
        r = run([*self.args, "--plans-file", "-", "--final-state", "-"])
        self.assertEqual((r.code, r.out), (2, b""))
        self.assertIn("--plans-file", r.brief)
        self.assertIn("--final-state", r.text)

    def test_old_outputs_are_replaced(self):
        for option, name in (("--plans-file", "plans"), ("--final-state", "state"),
                             ("--decision-log", "log.h5")):
            self.run_ok([*self.args, option, self.path(name)])
        first = self.read("plans"), self.read("state")
        self.run_ok(["--findings-file", "/dev/null", "--plans-file", self.path("plans"),
                     "--final-state", self.path("state"), "--decision-log",
                     self.path("log.h5")])
        self.assertEqual(self.read("plans"), b"")
        self.assertNotEqual(self.read("state"), first[1])
        with DecisionLog(self.path("log.h5")) as d:
            self.assertEqual((d.complete, d.rows("plans")), (1, 0))

    def test_a_file_that_is_no_log_is_kept(self):
        self.write("notes.txt", "my thesis")
        r = run([*self.args, "--decision-log", self.path("notes.txt")])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn(self.path("notes.txt"), r.text)
        self.assertEqual(self.read("notes.txt"), b"my thesis")

    def test_unwritable_paths(self):
        """Exit code 2 before anything ran; the other outputs are not made."""
        options = {"--plans-file": "plans", "--final-state": "state",
                   "--decision-log": "log.h5"}
        os.mkdir(self.path("folder"))
        for option in options:
            for bad in (self.path("no/such/folder/x"), self.path("folder"),
                        self.input + "/x", ""):
                for ranks in ((None, 3) if bad.endswith("folder/x") else (None,)):
                    args = list(self.args)
                    for other, name in options.items():
                        args += [other, bad if other == option else self.path(name)]
                    with self.subTest(option=option, path=bad, ranks=ranks):
                        r = run(args, ranks=ranks)
                        self.assertEqual(r.code, 2, r.brief)
                        self.assertIn(bad, r.text)
                        self.assertEqual(r.named("optimizer.plan"), [])
                        self.assertEqual(sorted(os.listdir(self.folder)),
                                         ["folder", "in.jsonl", "registry.json"])
                    for name in options.values():
                        if os.path.exists(self.path(name)):
                            os.unlink(self.path(name))

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_not_permitted(self):
        self.write("plans", "precious")
        os.chmod(self.folder, 0o755)
        r = run_as_nobody([*self.args, "--plans-file", self.path("plans"),
                           "--decision-log", self.path("log.h5")])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("Permission denied", r.text)
        self.assertEqual(self.read("plans"), b"precious")

    def assert_log_has_all(self, findings, plans):
        with DecisionLog(self.path("log.h5")) as d:
            self.assertEqual(d.rows("findings"), findings)
            self.assertEqual(d.rows("plans"), plans)
            self.assertEqual(d.names("verdicts", "verdict").count("planned"), plans)
            self.assertEqual(int(d.last["next_seq"]), findings)

    def test_full_device_for_plans(self):
        """The decision log is whole all the same, and the code says 1."""
        for size, f, findings in (("small", self.input, 12),
                                  ("large", self.many(), 596)):
            for ranks in (None, 3):
                with self.subTest(size=size, ranks=ranks):
                    args = ["--findings-file", f, "--registry-file", self.registry,
                            "--decision-log", self.path("log.h5"), "--plans-file",
                            "/dev/full", "--final-state", self.path("state")]
                    r = run(args, ranks=ranks)
                    self.assertEqual(r.code, 1, r.brief)
                    logged = r.named("optimizer.output.failed")
                    self.assertEqual(len(logged), 1, r.brief)
                    self.assertIn("/dev/full", logged[0]["error"])
                    self.assertIn("No space left", logged[0]["error"])
                    self.assertEqual(r.done["findings"], findings)
                    self.assert_log_has_all(findings, r.done["plan_count"])
                    self.assertIn(b"current_values", self.read("state"))

    def test_full_device_for_the_state(self):
        r = run([*self.args, "--final-state", "/dev/full", "--plans-file",
                 self.path("plans"), "--decision-log", self.path("log.h5")])
        self.assertEqual(r.code, 1, r.brief)
        self.assertIn("/dev/full", r.text)
        self.assertEqual(len(plans_without_ids(self.read("plans"))),
                         r.done["plan_count"])
        self.assert_log_has_all(12, r.done["plan_count"])

    def test_full_standard_output(self):
        with open("/dev/full", "wb") as full:
            r = run([*self.args, "--plans-file", "-"], stdout=full)
            self.assertEqual(r.code, 1, r.brief)
            self.assertIn("standard output", r.text)
            r = run([*self.args, "--final-state", "-"], stdout=full)
            self.assertEqual(r.code, 1, r.brief)

    def test_full_device_with_strict(self):
        """The first failed write ends the run, though much input is left."""
        many = self.many()
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = run(["--findings-file", many, "--registry-file", self.registry,
                         "--plans-file", "/dev/full", "--strict", "--batch-events",
                         "50"],
                        ranks=ranks)
                self.assertEqual(r.code, 1, r.brief)
                self.assertIn("/dev/full", r.named("optimizer.failed")[0]["error"])

    def mount(self, size):
        """A small file system of our own, or the test is skipped."""
        disk = self.path("disk")
        os.mkdir(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs",
                                  disk], stderr=subprocess.DEVNULL)
        if mounted.returncode:
            self.skipTest("cannot mount a small tmpfs here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk])
        return disk

    def test_full_disk_for_the_log(self):
        """The log ends early and is readable; the plans are whole all the same."""
        log = self.write("long.jsonl", lines(session(8, 260, seed=3)))
        args = ["--findings-file", log, "--plans-file", self.path("plans"),
                "--log-flush-interval", "0", "--log-level", "warning"]
        ways = {"one": ["--readers", "one", "--batch-events", "200"],
                "all": ["--readers", "all", "--read-bytes", "65536"]}
        sizes = []
        for ranks, way in itertools.product(RANKS, ways.values()):
            self.run_ok([*args, *way, "--decision-log", self.path("log.h5")],
                        ranks=ranks)
            sizes.append(os.path.getsize(self.path("log.h5")))
        plans = self.read("plans")
        disk = self.mount(min(sizes) * 3 // 4)
        for ranks, way, strict in itertools.product(RANKS, ways, ([], ["--strict"])):
            with self.subTest(ranks=ranks, readers=way, strict=strict):
                log = os.path.join(disk, "log.h5")
                r = run([*args, *ways[way], *strict, "--decision-log", log],
                        ranks=ranks)
                self.assertEqual(r.code, 1, r.brief)
                logged = r.named("optimizer.failed" if strict else
                               "optimizer.output.failed")
                self.assertEqual(len(logged), 1, r.brief)
                self.assertIn(log, logged[0]["error"])
                self.assertIn("No space left", logged[0]["error"])
                if not strict:
                    self.assertTrue(self.read("plans") == plans, "other plans")
                with DecisionLog(log) as d:
                    self.assertEqual(d.complete, 0)
                    self.assertGreater(d.rows("findings"), 0)
                    self.assertGreater(d.rows("verdicts"), 0)
                os.unlink(log)

    def test_full_disk_for_plans(self):
        """The file ends with a whole line."""
        disk = self.mount("64k")
        plans = os.path.join(disk, "plans")
        r = run(["--findings-file", self.many(), "--registry-file", self.registry,
                 "--plans-file", plans, "--batch-events", "50"])
        self.assertEqual(r.code, 1, r.brief)
        with open(plans, "rb") as f:
            written = f.read()
        self.assertTrue(written.endswith(b"\n"))
        self.assertGreater(len(plans_without_ids(written)), 10)

    def test_closed_pipe(self):
        """A reader that leaves early is an error of a write, not a crash."""
        many = self.many()
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                reader, writer = os.pipe()
                os.close(reader)
                with os.fdopen(writer, "wb") as pipe:
                    r = run(["--findings-file", many, "--registry-file", self.registry,
                             "--plans-file", "-", "--decision-log",
                             self.path("log.h5")],
                            ranks=ranks, stdout=pipe)
                if ranks is None:
                    self.assertEqual(r.code, 1, r.brief)
                    self.assertIn("standard output", r.text)
                    self.assertIn("Broken pipe", r.text)
                    self.assert_log_has_all(596, r.done["plan_count"])

    def test_closed_standard_error(self):
        """Log lines that nobody reads stop nothing."""
        reader, writer = os.pipe()
        os.close(reader)
        env = harness.environment(harness.Config.program, None)
        argv = harness.command(harness.Config.program,
                               [*self.args, "--plans-file", self.path("plans")], None,
                               env, ())
        code = subprocess.run(argv, env=env, stderr=writer, timeout=60).returncode
        os.close(writer)
        self.assertEqual(code, 0)
        self.assertGreater(len(plans_without_ids(self.read("plans"))), 10)

    def test_detail_of_the_log(self):
        for detail, tables in (("plans", {"plans"}),
                               ("verdicts", {"plans", "verdicts"}),
                               ("findings", {"plans", "verdicts", "findings"})):
            with self.subTest(detail=detail):
                self.run_ok([*self.args, "--decision-log", self.path("log.h5"),
                             "--log-detail", detail])
                with DecisionLog(self.path("log.h5")) as d:
                    self.assertEqual({t for t in ("plans", "verdicts", "findings")
                                      if d.rows(t)}, tables)


if __name__ == "__main__":
    harness.main()
