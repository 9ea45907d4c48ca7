"""Records that cannot be used: each is logged with its file and line, counted,
logged, and changes nothing about the records around it; --strict ends there."""
import itertools
import json
import random

import harness
from harness import (RANKS, Case, DecisionLog, event, finding, knob, lines,
                     loader_registration, plans_without_ids, response, run_each,
                     session)

DEEP = b'{"key_metrics":' + b"[" * 10000 + b"]" * 10000 + b"}"
LONG = json.dumps(finding(summary="x" * 10_000_000)).encode()


def body(**over):
    return json.dumps(finding(3, "n1", **over)).encode()


# A line in the middle of a file of findings, and what its reason says at least.
FINDINGS = {
    "a list": (b'[{"severity_score":1}]', ""),
    "a number": (b"17", ""),
    "a string": (b'"finding"', ""),
    "null": (b"null", ""),
    "true": (b"true", ""),
    "no JSON": (b"hello, world", ""),
    "two objects": (body() + body(), ""),
    "a missing brace": (body()[:-1], ""),
    "an unclosed string": (b'{"finding_type":"fetch', ""),
    "a comma at the end": (body()[:-1] + b",}", ""),
    "single quotes": (b"{'finding_type':'fetch'}", ""),
    "severity is a word": (body(severity_score="high"), "severity_score"),
    "severity is null": (body(severity_score=[]), "severity_score"),
    "severity is NaN": (body(severity_score=float("nan")), "severity_score"),
    "severity is Infinity": (body(severity_score=float("inf")), "severity_score"),
    "persistence is NaN": (body(persistence=float("nan")), "persistence"),
    "persistence is a half": (body(persistence=1.5), "persistence"),
    "persistence is a text": (body(persistence="many"), "persistence"),
    "window is huge": (body(window_index=1e300), "window_index"),
    "scope is a number": (body(scope=7), "scope"),
    "motif is an object": (body(motif={}), "motif"),
    "tags are a text": (body(opportunity_tags="prefetch"), "opportunity_tags"),
    "a tag is a number": (body(opportunity_tags=["a", 1]), "opportunity_tags"),
    "metrics are a list": (body(key_metrics=[1]), "key_metrics"),
    "no field of a finding": (b'{"anything": 1}', "none of the fields of a finding"),
    "a registration": (json.dumps(loader_registration()).encode(), "a registration"),
    "a fact": (body(fact_type="fetch_pressure"), "a fact"),
    "a plan": (body(plan_id="plan_1", knob_id="app.x"), "a plan"),
    "a list in an object": (b'{"findings": [' + body() + b"]}", "list of findings"),
    "invalid UTF-8": (b'{"finding_type":"\xff\xfe\xc3("}', "UTF-8"),
    "a NUL byte": (b'{"finding_type":"a\0b"}', ""),
    "10,000 deep": (DEEP, ""),
    "10,000 deep and unclosed": (b"[" * 10000, ""),
    "10 MB": (LONG, "longer than"),
}

BAD_KNOB = dict(loader_registration(), knobs={
    "good": knob("app.good", tag=response()), "bad": {"id": "app.broken"}})

# The same for a line of an event log: stream, line, reason.
EVENTS = {
    "one bad knob": ("registration", event("registration", BAD_KNOB), "app.broken"),
    "knobs are a number": (
        "registration", event("registration", {"knobs": 1}), "knobs"),
    "an unknown stream": (None, event("telemetry", finding()), "stream"),
    "stream is a number": (None, event(7, finding()), "stream"),
    "no body": ("finding", {"stream": "finding"}, "body"),
    "body is a list": ("finding", event("finding", []), ""),
    "a bad finding": ("finding", event("finding", finding(scope=1)), "scope"),
    "ack is a text": ("ack", event("ack", "applied"), ""),
    "ack is a finding": ("ack", event("ack", finding()), "looks like a finding"),
    "registration is a finding": (
        "registration", event("registration", finding()), "looks like a finding"),
    "global plan without knob": ("global_plan", event("global_plan", {
        "plan_id": "g", "new_value": 1}), "knob_id"),
}


class BadInput(Case):
    def setUp(self):
        super().setUp()
        self.registry = self.write("registry.json", json.dumps([loader_registration()]))
        self.good = lines(finding(w, f"n{n}", severity_score=0.9 - n / 10)
                          for w in range(1, 7) for n in range(3)).splitlines()

    def assert_reported(self, r, f, line, reason):
        """One message about the line, and what it says."""
        logged = [e for e in r.named("optimizer.record.invalid")
                if (e["file"], e["line"]) == (f, line)]
        self.assertEqual(len(logged), 1, r.brief)
        self.assertIn(reason, logged[0]["error"])
        return logged[0]

    def assert_strict(self, r, f, line, reason, expected):
        """Ended at the line; what came before it is decided."""
        self.assert_ran(r)
        self.assertEqual((r.code, r.done["invalid"]), (1, 1), r.brief)
        error = r.named("optimizer.failed")[0]["error"]
        self.assertIn(f"{f}:{line}:", error)
        self.assertIn(reason, error)
        plans = plans_without_ids(r.out)
        self.assertEqual(plans, expected[:len(plans)])
        self.assertEqual(r.done["plan_count"] + r.done["relayed"], len(plans))

    def assert_logged(self, d, logged, line, stream):
        """The row of /rejects, and the verdict of what should be a finding."""
        self.assertEqual(d.complete, 1)
        row = [row for row in d.rejects() if row["line"] == line][0]
        self.assertEqual((row["seq"], row["origin"], row["reason"]),
                         (line - 1, logged["file"], logged["error"]))
        self.assertEqual(row["stream"], logged["stream"])
        if stream:
            self.assertEqual(row["stream"], stream)
        self.assertEqual(d.invalid_verdicts().count(line - 1),
                         row["stream"] == "finding")

    def test_a_file_of_something_else(self):
        """Exit code 1, and what it looks like, for it would decide nothing."""
        others = {"registry": json.dumps(loader_registration()).encode(),
                  "facts": body(fact_type="x") + b"\n" + body(fact_type="y"),
                  "wrapped": b'{"findings": [' + body() + b"]}",
                  "object": b'{"anything": 1}'}
        for name, text in others.items():
            for more in ([], ["--strict"], ["--readers", "one"]):
                with self.subTest(file=name, more=more):
                    r = harness.run(
                        ["--findings-file", self.write(name, text), *more,
                         "--registry-file", self.registry, "--plans-file", "-"])
                    self.assertEqual((r.code, r.out), (1, b""), r.brief)
                    self.assertIn("looks like" if name != "object" else "none of",
                                  r.text)
        r = harness.run(["--findings-file", self.write("good", body()),
                              "--registry-file", self.write("f.json", body())])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("looks like a finding", r.text)

    def base_plans(self, records, more=()):
        f = self.write("base.jsonl", b"\n".join(records) + b"\n")
        r = self.run_ok(["--findings-file", f, *more, "--plans-file", "-"])
        plans = plans_without_ids(r.out)
        self.assertGreater(len(plans), 10)
        return plans

    def try_cases(self, cases, good, at, more=()):
        """cases: (case name, bad line, reason, stream). One file has them all, each
        between two good lines as far as these go; --strict meets each alone."""
        expected = self.base_plans(good, more)
        records, numbers, left = good[:at], [], good[at:]
        for _, bad, _, _ in cases:
            records.append(bad)
            numbers.append(len(records))
            records += left[:1]
            del left[:1]
        f = self.write("all.jsonl", b"\n".join(records + left) + b"\n")
        for ranks, readers in itertools.product(RANKS, ("one", "all")):
            with self.subTest(ranks=ranks, readers=readers):
                log = self.path(f"{ranks}-{readers}.h5")
                r = self.run_ok(["--findings-file", f, *more, "--plans-file", "-",
                                 "--decision-log", log, "--readers", readers],
                                ranks=ranks)
                self.assertEqual(r.done["invalid"], len(cases))
                self.assertEqual(plans_without_ids(r.out), expected)
                with DecisionLog(log) as d:
                    self.assertEqual(d.rows("rejects"), len(cases))
                    for (case, _, reason, stream), line in zip(cases, numbers):
                        with self.subTest(case=case):
                            logged = self.assert_reported(r, f, line, reason)
                            self.assert_logged(d, logged, line, stream)
        self.try_strict(cases, good, at, more, expected)

    def try_strict(self, cases, good, at, more, expected):
        files = [self.write(f"strict{i}.jsonl",
                            b"\n".join(good[:at] + [case[1]] + good[at:]))
                 for i, case in enumerate(cases)]
        for ranks, n in ((None, len(cases)), (3, 2)):
            jobs = [{"args": ["--findings-file", f, *more, "--plans-file", "-",
                              "--strict"], "ranks": ranks} for f in files[:n]]
            for (case, _, reason, _), f, r in zip(cases, files, run_each(jobs)):
                with self.subTest(case=case, ranks=ranks, strict=True):
                    self.assert_strict(r, f, at + 1, reason, expected)

    def test_findings(self):
        cases = [(name, bad, reason, "finding")
                 for name, (bad, reason) in FINDINGS.items()]
        self.try_cases(cases, self.good, 2, ("--registry-file", self.registry))

    def test_events(self):
        cases = [(name, json.dumps(bad).encode(), reason, stream)
                 for name, (stream, bad, reason) in EVENTS.items()]
        self.try_cases(cases, lines(session(4, 12, acks=False)).splitlines(), 11,
                       ("--acks", "assumed"))

    def test_rejected_registration_is_logged(self):
        f = self.write("bad.jsonl", lines([event("registration", loader_registration()),
                                           event("registration", BAD_KNOB)]))
        self.run_ok(["--findings-file", f, "--decision-log", self.path("log.h5")])
        with DecisionLog(self.path("log.h5")) as d:
            self.assertEqual(list(d.column("registrations", "accepted")), [1, 0])
            self.assertEqual(set(d.strings("knobs", "knob")),
                             {"app.prefetch", "app.threads", "app.ratio"})

    def test_first_line(self):
        """The line that says what kind of file it is may be the bad one."""
        more = ("--registry-file", self.registry)
        expected = self.base_plans(self.good, more)
        for case in ("no JSON", "null", "invalid UTF-8", "10 MB"):
            with self.subTest(case=case):
                f = self.write("f.jsonl", b"\n".join([FINDINGS[case][0], *self.good]))
                r = self.run_ok(["--findings-file", f, *more, "--plans-file", "-"])
                self.assert_reported(r, f, 1, FINDINGS[case][1])
                self.assertEqual(plans_without_ids(r.out), expected)

    def test_truncated_last_line(self):
        expected = self.base_plans(self.good, ("--registry-file", self.registry))
        f = self.write("cut.jsonl", b"\n".join(self.good) + b"\n" + body()[:300])
        args = ["--findings-file", f, "--registry-file", self.registry, "--plans-file",
                "-"]
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.run_ok([*args, "--decision-log", self.path("cut.h5")],
                                ranks=ranks)
                self.assertEqual(r.done["invalid"], 1)
                self.assertEqual(plans_without_ids(r.out), expected)
                with DecisionLog(self.path("cut.h5")) as d:
                    self.assert_logged(d, self.assert_reported(r, f, 19, ""), 19, "finding")
                r = harness.run([*args, "--strict"], ranks=ranks)
                self.assert_strict(r, f, 19, "", expected)
                self.assertEqual(plans_without_ids(r.out), expected)

    def test_truncated_array(self):
        whole = b"[" + b",\n".join(self.good) + b"]"
        expected = self.base_plans(self.good, ("--registry-file", self.registry))
        more = ["--registry-file", self.registry, "--plans-file", "-"]
        for name, content, invalid in (
                ("no-end.json", whole[:-1], 1),
                ("cut-element.json", whole[:-1] + b"," + body()[:200], 1),
                ("comma-at-end.json", whole[:-1] + b",]", 1),
                ("after-end.json", whole + b" trailing " + body(), 1),
                ("bad-element.json", whole[:-1] + b",17]", 1)):
            with self.subTest(case=name):
                f = self.write(name, content)
                r = self.run_ok(["--findings-file", f, *more])
                self.assertEqual(r.done["invalid"], invalid)
                logged = r.named("optimizer.record.invalid")[0]
                self.assertEqual(logged["file"], f)
                self.assertGreaterEqual(logged["line"], 18)
                self.assertEqual(plans_without_ids(r.out), expected)

    def test_garbage_midway(self):
        noise = random.Random(7).randbytes(100_000)
        expected = self.base_plans(self.good, ("--registry-file", self.registry))
        f = self.write("rot.jsonl", b"\n".join(self.good) + b"\n" + noise)
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                args = ["--findings-file", f, "--registry-file", self.registry,
                        "--plans-file", "-"]
                r = self.run_ok([*args, "--decision-log", self.path("rot.h5")],
                                ranks=ranks)
                self.assertEqual(plans_without_ids(r.out), expected)
                self.assertGreater(r.done["invalid"], 100)
                self.assertEqual(r.done["records"], len(self.good) + r.done["invalid"])
                with DecisionLog(self.path("rot.h5")) as d:
                    self.assertEqual(d.rows("rejects"), r.done["invalid"])
                    self.assertEqual(len(d.invalid_verdicts()), r.done["invalid"])
                    numbers = [row["line"] for row in d.rejects()]
                self.assertEqual(numbers, sorted(numbers))
                self.assertGreater(numbers[0], len(self.good))
                self.assertLessEqual(numbers[-1],
                                     len(self.good) + noise.count(b"\n") + 1)
                r = harness.run([*args, "--strict"], ranks=ranks)
                self.assertEqual((r.code, r.done["invalid"]), (1, 1), r.brief)
                self.assertIn(f"{f}:{numbers[0]}:", r.brief)

    def test_many_bad_records_are_not_all_logged(self):
        f = self.write("bad.jsonl", b"17\n" * 500)
        r = self.run_ok(["--findings-file", f], 1)
        self.assertEqual(r.done["invalid"], 500)
        self.assertLess(len(r.named("optimizer.record.invalid")), 150)
        self.assertIn("suppressing further messages", r.text)
        r = self.run_ok(["--findings-file", f, "--debug"], 1)
        self.assertEqual(len(r.named("optimizer.record.invalid")), 500)

    def test_non_finite_metrics_are_legal(self):
        for token in ("NaN", "Infinity", "-Infinity"):
            with self.subTest(token=token):
                f = self.write("nan.jsonl", body(key_metrics={
                    "fetch_frac": "TOKEN", "other": float("nan")}).replace(
                        b'"TOKEN"', token.encode()))
                r = self.run_ok(["--findings-file", f, "--strict"])
                self.assertEqual((r.done["invalid"], r.done["findings"]), (0, 1))

    def test_record_limit(self):
        f = self.write("long.jsonl", b"\n".join([*self.good[:9], LONG, *self.good[9:]]))
        args = ["--findings-file", f, "--registry-file", self.registry]
        r = self.run_ok([*args, "--max-record-bytes", "20000000", "--strict"])
        self.assertEqual((r.done["invalid"], r.done["findings"]), (0, 19))
        f = self.write("short.jsonl", lines([finding(), finding(summary="x" * 600)]))
        r = self.run_ok(["--findings-file", f, "--max-record-bytes", "1024"])
        self.assertEqual((r.done["invalid"], r.done["findings"]), (1, 1))
        self.assertEqual(r.named("optimizer.record.invalid")[0]["line"], 2)

    def test_ack_for_nothing(self):
        log = session(3, 6, acks=False)
        nothing = [
            event("ack", {"plan_id": "plan_00000000deadbeef", "knob_id": "app.prefetch",
                          "status": "applied", "new_value": 9}),
            event("ack", {"plan_id": "what?", "knob_id": "nobody", "status": "?"})]
        base = self.run_ok(["--findings-file", self.write("a.jsonl", lines(log)),
                            "--plans-file", "-"])
        f = self.write("b.jsonl", lines(log[:11] + nothing + log[11:]))
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.run_ok(["--findings-file", f, "--plans-file", "-", "--strict",
                                 "--log-level", "debug",
                                 "--decision-log", self.path("b.h5")], ranks=ranks)
                self.assertEqual(plans_without_ids(r.out), plans_without_ids(base.out))
                self.assertEqual([(a["plan_id"], a["knob_id"], a["outcome"])
                                  for a in r.named("optimizer.ack.received")],
                                 [("plan_00000000deadbeef", "app.prefetch", "unmatched"),
                                  ("what?", "nobody", "unmatched")])
                dump = harness.run(["dump", "--json", "--kind", "ack", self.path("b.h5")],
                                   program=harness.Config.log_program).out
                self.assertEqual([(a["plan_id"], a["given_plan_id"])
                                  for a in map(json.loads, dump.splitlines())],
                                 [(None, "plan_00000000deadbeef"), (None, "what?")])
                self.assertEqual((r.done["acks"], r.done["acks_unmatched"],
                                  r.done["invalid"]), (2, 2, 0))
                with DecisionLog(self.path("b.h5")) as d:
                    self.assertEqual(d.names("acks", "outcome"), ["unmatched"] * 2)

    def test_rejected_registration_keeps_nothing(self):
        f = self.write("bad.jsonl", lines([event("registration", BAD_KNOB)]))
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.run_ok(["--findings-file", f], 1, ranks=ranks)
                self.assertEqual(r.done["knob_state"], {})


if __name__ == "__main__":
    harness.main()
