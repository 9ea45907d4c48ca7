"""The knobs of the environment, and the log lines of a whole small run."""
import json
import os

import harness
from harness import RANKS, Case, DecisionLog, lines, loader_registration, run

ON = {"DFOPTIMIZER_BOOTSTRAP_DLIO": "1", "DLIO_KNOB_MAX_THREADS": "8"}
FINDING = {"severity_score": 1.0, "persistence": 10, "trend_direction": "stable",
           "opportunity_tags": ["dataloader_prefetch", "reader_parallelism"],
           "key_metrics": {"fetch_frac": 0.89}, "scope": "app:epoch"}


class Bootstrap(Case):
    def setUp(self):
        super().setUp()
        self.input = self.write("in.jsonl", lines([FINDING]))

    def test_one_finding_moves_both_knobs(self):
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.run_ok(["--transport", "file", "--findings-file", self.input,
                                 "--plans-file", self.path("plans.jsonl"),
                                 "--decision-log", self.path("log.h5")], ranks=ranks,
                                env=ON)
                plans = [json.loads(p) for p in self.read("plans.jsonl").splitlines()]
                self.assertEqual([(p["knob_id"], p["old_value"], p["new_value"])
                                  for p in plans],
                                 [("dlio.prefetch_size", 2, 3),
                                  ("dlio.read_threads", 1, 8)])
                for p in plans:
                    self.assertIs(type(p["new_value"]), int)
                    self.assertEqual(p["apply_when"], "window_boundary")
                    self.assertEqual(p["target_function"], "DLIOBenchmark.make_loader")
                done = r.done
                self.assertEqual(done["findings"], 1)
                self.assertEqual(done["plan_count"], 2)
                self.assertEqual(done["knob_state"],
                                 {"dlio.prefetch_size": 3, "dlio.read_threads": 8})
                self.assertIn('{"dlio.prefetch_size":3,"dlio.read_threads":8}',
                              r.text)
                with DecisionLog(self.path("log.h5")) as log:
                    self.assertEqual(log.complete, 1)
                    self.assertEqual(log.names("registrations", "source"),
                                     ["bootstrap"])
                    self.assertEqual(log.rows("plans"), 2)

    def test_every_line_is_json(self):
        r = self.run_ok(["--findings-file", self.input, "--debug"], env=ON)
        self.assertEqual(r.other_lines, [])
        for e in r.events:
            self.assertRegex(e["event"], r"^optimizer\.")
            self.assertIn(e["level"], ("debug", "info", "warning", "error"))
            self.assertRegex(e["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
        names = [e["event"] for e in r.events]
        self.assertEqual(names[0], "optimizer.start")
        self.assertEqual(names[-1], "optimizer.file.done")
        self.assertEqual(names.count("optimizer.plan"), 2)
        self.assertEqual(names.count("optimizer.registry.received"), 1)

    def test_strange_texts_stay_json(self):
        strange = 'tab\t quote" back\\ \u00e9 \U0001f4be \x01 \u2028 del\x7f'
        odd = dict(FINDING, finding_type=strange, motif=strange,
                   scope=f"node:{strange}:w",
                   opportunity_tags=["dataloader_prefetch", strange])
        nodes = self.write("policy.json", '{"switches": {"scope": "carry"}}')
        r = self.run_ok(["--findings-file", self.write("odd.jsonl", lines([odd])),
                         "--plans-file", "-", "--debug", "--policy", nodes], env=ON)
        self.assertEqual(r.other_lines, [])
        plan = json.loads(r.out)
        self.assertEqual(plan["target_nodes"], [strange])
        self.assertEqual(plan["finding_type"], strange)
        self.assertIn(strange, plan["rationale"])

    def test_off_without_the_variable(self):
        for value in ("", "0", "yes"):
            with self.subTest(value=value):
                r = self.run_ok(["--findings-file", self.input],
                                env=dict(ON, DFOPTIMIZER_BOOTSTRAP_DLIO=value))
                self.assertEqual(r.done["plan_count"], 0)
                self.assertEqual(r.done["verdicts"], {"no_knobs": 1})

    def test_values_of_the_environment(self):
        env = dict(ON, DLIO_KNOB_MIN_THREADS="3", DLIO_KNOB_MAX_THREADS="5",
                   DLIO_KNOB_BOUNDARY="next_window",
                   DFOPTIMIZER_BOOTSTRAP_PREFETCH_SIZE="15")
        r = self.run_ok(["--findings-file", self.input, "--plans-file", "-"], env=env)
        plans = [json.loads(p) for p in r.out.splitlines()]
        self.assertEqual([(p["old_value"], p["new_value"], p["apply_when"])
                          for p in plans],
                         [(15, 16, "next_window"), (3, 5, "next_window")])
        env["DFOPTIMIZER_BOOTSTRAP_READ_THREADS"] = "4"
        r = self.run_ok(["--findings-file", self.input, "--plans-file", "-"], env=env)
        self.assertEqual(json.loads(r.out.splitlines()[1])["old_value"], 4)

    def test_bad_numbers_name_the_variable(self):
        for name, value in (("DLIO_KNOB_MAX_THREADS", "many"),
                            ("DLIO_KNOB_MAX_THREADS", "8.5"),
                            ("DLIO_KNOB_MIN_THREADS", "1x"),
                            ("DFOPTIMIZER_BOOTSTRAP_PREFETCH_SIZE", "99999999999"),
                            ("DFOPTIMIZER_BOOTSTRAP_READ_THREADS", " ")):
            with self.subTest(name=name, value=value):
                r = run(["--findings-file", self.input, "--plans-file",
                         self.path("plans.jsonl")], env=dict(ON, **{name: value}))
                self.assertEqual(r.code, 2, r.brief)
                self.assertIn(name, r.text)
                self.assertFalse(os.path.exists(self.path("plans.jsonl")))

    def test_registry_file_wins(self):
        registry = self.write("registry.json", json.dumps([loader_registration()]))
        r = self.run_ok(["--findings-file", self.input, "--registry-file", registry],
                        env=ON)
        self.assertEqual(sorted(r.done["knob_state"]),
                         ["app.prefetch", "app.ratio", "app.threads"])

    def test_empty_registry_file_does_not(self):
        registry = self.write("registry.json", "[]")
        r = self.run_ok(["--findings-file", self.input, "--registry-file", registry],
                        env=ON)
        self.assertEqual(r.done["plan_count"], 2)


if __name__ == "__main__":
    harness.main()
