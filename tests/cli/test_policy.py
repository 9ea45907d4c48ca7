"""Policy and registry files: mistakes name file and key; good ones change what
is decided."""
import json
import os

import harness
from harness import (Case, DecisionLog, event, finding, knob, lines, loader_registration,
                     registration, response, run_each)

BAD_POLICIES = {  # content: what the message names
    '{"switches": {"evidence_prob": true}}': "evidence_prob",
    '{"swiches": {}}': "swiches",
    '{"switches": {"evidence_probe": 1}}': "evidence_probe",
    '{"switches": {"ack_match": "plan"}}': "ack_match",
    '{"switches": {"pending_timeout_windows": -1}}': "pending_timeout_windows",
    '{"switches": {"pending_timeout_windows": 1.5}}': "pending_timeout_windows",
    '{"switches": []}': "switches",
    '{"responses": {"*": {"min_severty": 0.4}}}': "min_severty",
    '{"responses": {"*": {"min_severity": "low"}}}': "min_severity",
    '{"responses": {"reader_parallelism": {}}}': "reader_parallelism",
    '{"responses": {"*": 1}}': "*",
    '{"responses": 1}': "responses",
    "[]": "", "": "", "{": "", '{"switches": {}} x': "",
}

BAD_REGISTRIES = {
    "17": "", "{": "", "": "", '[{"knobs": {"a": {"default": 1}}}]': "a",
    '[{"knobs": {"a": {"id": "app.broken"}}}]': "app.broken",
    '[{"knobs": 3}]': "knobs", "[1]": "",
}


class Policy(Case):
    def setUp(self):
        super().setUp()
        self.input = self.write("in.jsonl", lines(
            finding(w, severity_score=0.6) for w in (1, 2)))
        self.registry = self.write("registry.json", json.dumps([loader_registration()]))

    def plans(self, policy=None, more=()):
        args = ["--findings-file", self.input, "--registry-file", self.registry,
                "--plans-file", "-", *more]
        if policy is not None:
            args += ["--policy", self.write("policy.json", json.dumps(policy))]
        r = self.run_ok(args)
        return [(p["window_index"], p["knob_id"], p["new_value"])
                for p in map(json.loads, r.out.splitlines())]

    def assert_refused(self, option, cases):
        """Exit code 2, file and culprit are named, nothing else was made."""
        files = [self.write(f"bad{i}.json", text) for i, text in enumerate(cases)]
        before = sorted(os.listdir(self.folder))
        jobs = [{"args": ["--findings-file", self.input, option, f, "--plans-file",
                          self.path("plans"), "--decision-log", self.path("log.h5")]}
                for f in files]
        for f, (text, name), r in zip(files, cases.items(), run_each(jobs)):
            with self.subTest(content=text):
                self.assert_ran(r)
                self.assertEqual(r.code, 2, r.brief)
                logged = r.named("optimizer.config.invalid")
                self.assertEqual(len(logged), 1, r.brief)
                self.assertIn(f, logged[0]["error"])
                self.assertIn(name, logged[0]["error"])
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_bad_policies(self):
        self.assert_refused("--policy", BAD_POLICIES)

    def test_bad_registries(self):
        self.assert_refused("--registry-file", BAD_REGISTRIES)

    def test_missing_files(self):
        for option in ("--policy", "--registry-file"):
            for bad in (self.path("missing.json"), self.folder):
                with self.subTest(option=option, file=bad):
                    r = harness.run(["--findings-file", self.input, option, bad],
                                    ranks=3)
                    self.assertEqual(r.code, 2, r.brief)
                    self.assertEqual(r.text.count(bad + ":"), 1)

    def test_overrides_change_decisions(self):
        by_severity = {"effect": "severity"}    # a plan in each window, but for gates

        def plans(responses):
            return self.plans({"switches": by_severity, "responses": responses})

        self.assertEqual(plans({}), [
            (1, "app.prefetch", 3), (1, "app.threads", 8),
            (2, "app.prefetch", 4), (2, "app.threads", 9)])
        self.assertEqual(plans({"*": {"min_severity": 0.7}}), [])
        self.assertEqual(plans({"*": {"min_severity": 0.7},
                                "tag:reader_parallelism": {"min_severity": 0.1}}),
                         [(1, "app.threads", 8), (2, "app.threads", 9)])
        self.assertEqual(plans({
            "tag:dataloader_prefetch": {"min_severity": 0.7},
            "knob:app.prefetch": {"min_severity": 0.6, "cooldown_windows": 5,
                                  "step": 10}}),
            [(1, "app.prefetch", 6), (1, "app.threads", 8), (2, "app.threads", 9)])

    def test_switches_change_decisions(self):
        self.assertEqual(
            self.plans({"switches": {"effect": "severity", "evidence_probe": False}}),
            [(1, "app.prefetch", 3), (1, "app.threads", 8), (2, "app.prefetch", 4)])

    def test_by_default_the_first_change_is_tried_first(self):
        first = [(1, "app.prefetch", 3), (1, "app.threads", 8)]
        self.assertEqual(self.plans(), first)
        self.assertEqual(self.plans({"switches": {"effect": "trend"}}), first)
        self.input = self.write("in.jsonl", lines(
            finding(w, severity_score=0.6) for w in range(1, 7)))
        self.assertEqual(self.plans(), [    # inconclusive after 3 windows
            *first, (5, "app.prefetch", 5), (5, "app.threads", 20)])

    def test_a_budget_and_a_guard(self):
        budget = {"budgets": [{"name": "memory", "capacity": 6, "terms": [
            {"knobs": ["app.threads"]}, {"factor": 0.5, "knobs": ["app.prefetch"]}]}]}
        self.assertEqual(self.plans(budget),
                         [(1, "app.prefetch", 3), (1, "app.threads", 4)])
        self.input = self.write("in.jsonl", lines(
            finding(w, severity_score=0.6, key_metrics={
                "fetch_frac": 0.89, "compute_frac": 0.11, "mem_frac": w / 4})
            for w in range(1, 5)))
        guard = {"guards": [{"metric": "mem_frac", "above": 0.9}]}
        self.assertEqual(self.plans(guard)[2:],
                         [(4, "app.threads", 2), (4, "app.prefetch", 2)])

    def test_check(self):
        """--policy-check tells what fits nothing and what can never act."""
        knobs = self.write("knobs.json", json.dumps(registration(
            knob("app.a", up=response(), down=response(direction="decrease", step=0)),
            knob("app.b", "x", "str", None, kind=response(direction="set")),
            knob("app.one", range_=(2, 2), one=response()))))
        for policy, want in (
                ({"responses": {"knob:app.a": {"step": 3}, "tag:kind": {"set_to": "y"}}},
                 ["knob 'app.one', tag 'one': can never act: the knob has only one value"]),
                ({"responses": {"knob:app.a": {"step": 3}, "tag:kind": {"set_to": 1},
                                "tag:one": {"direction": "set", "set_to": 2}},
                  "limits": {"plans_per_window": 0}},
                 ["limits: no response can act: plans_per_window is 0",
                  "knob 'app.b', tag 'kind': can never act: set_to is not of the knob's type"]),
                ({"responses": {"knob:app.a": {"step": 3}, "tag:kind": {"set_to": "y"},
                                "tag:one": {"direction": "set", "set_to": 2}}}, []),
                ({"responses": {"knob:app.a": {"step": 3}, "knob:app.c": {"step": 1},
                                "tag:none": {"step": 1}, "*": {"min_severity": 2}},
                  "guards": [{"finding_type": "x", "knobs": ["app.d"]}]},
                 ["responses 'knob:app.c'", "responses 'tag:none'", "guards: knob 'app.d' is not registered",
                  "knob 'app.a', tag 'up'", "knob 'app.a', tag 'down'",
                  "knob 'app.b', tag 'kind'", "knob 'app.one', tag 'one'"])):
            policy_file = self.write("check.json", json.dumps(policy))
            r = harness.run(["--policy-check", policy_file, "--registry-file", knobs])
            out = r.out.decode()
            self.assertEqual(r.code, 1 if want else 0, r.brief)
            self.assertEqual(len(out.splitlines()), len(want) or 1, out)
            for line in want:
                self.assertIn(line, out)
        r = harness.run(["--policy-check", self.write("bad.json", '{"x": 1}')])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("unknown key 'x'", r.text)

    def test_policy_is_in_the_log(self):
        self.plans({"responses": {"*": {"min_severity": 0.25}}},
                   ["--decision-log", self.path("log.h5")])
        with DecisionLog(self.path("log.h5")) as d:
            self.assertEqual(set(d.column("responses", "min_severity")), {0.25})
            policy = json.loads(d.file.attrs["policy"])
            self.assertEqual(policy["responses"], {"*": {"min_severity": 0.25}})

    def test_logged_policy_is_a_policy(self):
        """What the log keeps can be given back, and decides the same."""
        given = {"switches": {"evidence_probe": False},
                 "responses": {"knob:app.prefetch": {"step": 10}}}
        expected = self.plans(given, ["--decision-log", self.path("log.h5")])
        with DecisionLog(self.path("log.h5")) as d:
            self.assertEqual(self.plans(json.loads(d.file.attrs["policy"])), expected)

    def test_upstream_waits_for_acks(self):
        plans = self.plans(more=["--compat", "upstream"])
        self.assertEqual([p[0] for p in plans], [1, 1])

    def test_explicit_acks_of_findings(self):
        plans = self.plans(more=["--acks", "explicit"])
        self.assertEqual([p[0] for p in plans], [1, 1])

    def test_registry_of_two_files_of_one_knob(self):
        """The last registration of a knob counts."""
        again = registration(
            knob("app.prefetch", 7, dataloader_prefetch=response(step=20)))
        self.registry = self.write("registry.json",
                                   json.dumps([loader_registration(), again]))
        self.assertIn((1, "app.prefetch", 10), self.plans())

    def test_one_knob_of_two_functions(self):
        """The first keeps it, and a warning names the other: of the registry file, of the
        environment, of an application that registers; on any number of ranks."""
        other = dict(registration(knob("app.prefetch", 7)), function_name="app.other")
        findings = [event("finding", finding(w, "n1")) for w in range(3)]
        two = self.write("two.json", json.dumps([loader_registration(), other]))
        one = self.write("one.json", json.dumps([loader_registration()]))
        log = self.write("log.jsonl", lines([event("registration", other), *findings]))
        plain = self.write("plain.jsonl", lines(findings))
        anybody = self.write("anybody.json", json.dumps(
            [dict(loader_registration(), namespace="", function_name=""), other]))
        for arguments, n in (([plain, "--registry-file", two], 1), ([log, "--registry-file", one], 1),
                             ([plain, "--registry-file", anybody], 0),
                             ([plain, "--registry-file", two, "--compat", "upstream"], 0)):
            for ranks in (None, 3):
                with self.subTest(arguments=arguments, ranks=ranks):
                    r = self.run_ok(["--findings-file", *arguments], ranks=ranks)
                    told = r.named("optimizer.registry.conflict")
                    self.assertEqual([e["level"] for e in told], ["warning"] * n, r.brief)
                    if n and "count" not in told[0]:
                        self.assertEqual((told[0]["knob_id"], told[0]["function"]),
                                         ("app.prefetch", "app.other"))


if __name__ == "__main__":
    harness.main()
