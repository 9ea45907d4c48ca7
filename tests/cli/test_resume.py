"""--resume: a run that goes on leaves what one that was never interrupted leaves.
Inputs are cut at random places; more of it: test_resume.py --rounds 200."""
import json
import os
import random
import subprocess
import sys

import harness
from harness import (Case, DecisionLog, finding, lines, loader_registration,
                     registration, knob, response, session)

KINDS = ("finding", "registration", "ack", "global_plan", "reject", "suppression",
         "timeout", "verdict", "plan", "knob", "response", "seen", "objective", "outcome")
POLICIES = (
    {}, {"switches": {"pending_timeout_windows": 3}},
    {"switches": {"reregister": "append", "reject": "upstream"}},
    {"switches": {"ack_match": "knob_node", "pending_timeout_windows": 2}},
    {"switches": {"ack_window": "none", "global_exempt": False}},
    {"switches": {"global_overrides_nodes": False, "suppression_ttl_windows": 2},
     "responses": {"*": {"min_severity": 0.1, "cooldown_windows": 1}}})
# under which rows of decisions tell all of the state: any detail can be resumed
BY_ROWS = {"effect": "severity", "registration": "carry", "unmatched_ack": "ignore"}
ROUNDS = 3


def ask_log(*args):
    return subprocess.run([harness.Config.log_program, *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)


class Resume(Case):
    def log_text(self, name):
        """All rows, in words."""
        kinds = [x for k in KINDS for x in ("--kind", k)]
        done = ask_log("dump", *kinds, self.path(name))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def outcome(self, name):
        return {"plans": self.read(name + ".plans"), "state": self.read(name + ".state"),
                "log": self.log_text(name + ".h5"),
                "fold": ask_log("state", self.path(name + ".h5")).stdout}

    def args(self, name, how, more=()):
        return ["--findings-file", self.path("in.jsonl"), how, self.path(name + ".h5"),
                "--plans-file", self.path(name + ".plans"), "--final-state",
                self.path(name + ".state"), "--log-level", "error", *more]

    def assert_same(self, want, got, what):
        other = [k for k in want if want[k] != got[k]]
        self.assertEqual(other, [], what)

    # ---- any log, any place ----

    def cut_at_random(self, number):
        rng = random.Random(number)
        log = session(rng.randrange(1, 9), rng.randrange(3, 16), seed=number)
        if rng.random() < 0.5:  # an application that comes back with other ideas
            log.insert(rng.randrange(len(log)), harness.event("registration", registration(
                knob("app.prefetch", 4, dataloader_prefetch=response(step=3)),
                **{"app.prefetch": 7})))
        records = lines(log).split(b"\n")[:-1]
        for _ in range(3):
            records.insert(rng.randrange(len(records)), rng.choice((b"{", b"", b"[]")))
        detail = rng.choice(("plans", "verdicts", "findings", "findings", "findings"))
        policy = json.loads(json.dumps(rng.choice(POLICIES)))
        if detail != "findings" or rng.random() < 0.2:
            policy["switches"] = {**policy.get("switches", {}), **BY_ROWS}
        policy = self.write("policy", json.dumps(policy))
        options = ["--policy", policy, "--acks", rng.choice(("explicit",) * 4 + ("assumed",)),
                   "--log-detail", detail,
                   "--log-compression", rng.choice("019")]
        places = sorted(rng.sample(range(len(records) + 1), rng.choice((1, 1, 2))))
        self.write("in.jsonl", b"\n".join(records) + b"\n")
        self.run_ok(self.args("whole", "--decision-log", options))
        how, steps = "--decision-log", []
        for place in places + [len(records)]:
            self.write("in.jsonl", b"".join(r + b"\n" for r in records[:place]))
            ranks = rng.choice((None, None, 2, 3))
            readers = rng.choice(([], ["--readers", "one"], ["--read-bytes", "700"]))
            steps.append((place, ranks, readers))
            r = harness.run(self.args("cut", how, [*options, *readers]), ranks=ranks)
            self.assertEqual(r.code, 0, (number, steps, r.brief))
            how = "--resume"
            if place < len(records) and rng.random() < 0.5:
                plans = self.read("cut.plans")  # what the log has is completed from it
                self.write("cut.plans", plans[:rng.randrange(len(plans) + 1)])
        self.assert_same(self.outcome("whole"), self.outcome("cut"),
                         (number, options, steps))
        with DecisionLog(self.path("cut.h5")) as d:
            self.assertEqual(d.rows("runs"), len(places) + 1)
            self.assertEqual(d.complete, 1)

    def test_cut_at_random(self):
        for number in range(1, ROUNDS + 1):
            with self.subTest(round=number):
                self.cut_at_random(number)

    def test_the_state_at_any_event(self):
        log = session(3, 8)
        for detail, switches in (("plans", BY_ROWS), ("findings", BY_ROWS),
                                 ("findings", {}), ("findings", {"effect": "severity"})):
            self.write("in.jsonl", lines(log))
            policy = ["--policy", self.write("policy", json.dumps({"switches": switches}))]
            self.run_ok(self.args("whole", "--decision-log",
                                  ["--log-detail", detail, *policy]))
            for n in (1, 2, len(log) // 2, len(log) - 1):
                self.write("in.jsonl", lines(log[:n]))
                self.run_ok(self.args("part", "--decision-log", policy))
                at = ask_log("state", "--at", str(n - 1), self.path("whole.h5"))
                self.assertEqual(at.stdout, self.read("part.state"), (detail, n))

    def test_a_log_without_findings(self):
        self.begin(["--log-detail", "verdicts"])
        self.refused("the state needs findings, and the log was written with "
                     "--log-detail verdicts", [])
        asked = ask_log("state", self.path("cut.h5"))
        self.assertEqual((asked.returncode, asked.stdout), (1, b""))
        self.assertIn(b"only logs with --log-detail findings can be resumed", asked.stderr)
        self.assertEqual(ask_log("summary", self.path("cut.h5")).returncode, 0)

    def test_rules_that_change_under_control(self):
        """At any number of ranks the same; values and plans in flight stay."""
        records = session(4, 20)
        part = len(records) // 3
        patient = self.write("patient", '{"switches": {"verify_windows": 9}}')
        severe = self.write("severe", json.dumps({"switches": BY_ROWS}))
        want = None
        for ranks in (None, 2, 5):
            for number, policy in enumerate(([], ["--policy", patient], ["--policy", severe],
                                             ["--policy", severe], [], [])):
                self.write("in.jsonl", lines(records[:part + 7 * number]))
                r = harness.run(self.args("cut", "--resume" if number else "--decision-log",
                                          [*policy, *["--allow-policy-change"] * bool(number)]),
                                ranks=ranks)
                self.assertEqual(r.code, 0, r.brief)
                before = self.read("cut.state")
                self.assertEqual(json.loads(ask_log("state", self.path("cut.h5")).stdout),
                                 json.loads(before), (ranks, number))
            got = self.outcome("cut")
            want = want or got
            self.assert_same(want, got, ranks)
            self.assertGreater(got["plans"].count(b"\n"), 5)

    # ---- what must be as it was ----

    def begin(self, more=()):
        self.write("in.jsonl", lines(session(2, 6)))
        self.registry = self.write("registry.json", json.dumps([loader_registration()]))
        self.run_ok(self.args("cut", "--decision-log",
                              ["--registry-file", self.registry, *more]))
        return self.read("cut.h5")

    def refused(self, words, more):
        before = self.read("cut.h5"), self.read("cut.plans")
        r = harness.run(self.args("cut", "--resume", more))
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn(words, r.text)
        self.assertEqual((self.read("cut.h5"), self.read("cut.plans")), before)
        self.assertFalse(os.path.exists(self.path("cut.h5.new")))

    def test_another_policy(self):
        self.begin()
        policy = self.write("policy", '{"switches": {"reject_cooldown": false}}')
        self.refused("reject_cooldown was true in the log, now it is false",
                     ["--policy", policy])
        self.refused("acks was explicit in the log, now it is assumed", ["--acks", "assumed"])
        self.refused("relay-hostname", ["--relay-hostname", "n1"])
        overrides = self.write("overrides", '{"responses": {"*": {"min_severity": 0.9}}}')
        self.refused("policy", ["--policy", overrides])
        other = self.write("other.json", json.dumps([registration(knob("x.y"))]))
        self.refused("registry", ["--registry-file", other])

        r = self.run_ok(self.args("cut", "--resume", [
            "--policy", policy, "--registry-file", other, "--allow-policy-change"]))
        self.assertEqual(len(r.named("optimizer.policy.changed")), 1)
        state = json.loads(ask_log("state", self.path("cut.h5")).stdout)
        self.assertEqual(state["current_values"]["x.y"], 2)
        self.assertEqual(state, json.loads(self.read("cut.state")))
        self.run_ok(self.args("cut", "--resume",
                              ["--policy", policy, "--registry-file", other]))

    def test_another_input(self):
        self.begin()
        for words, content in (("shorter", lines(session(2, 1))),
                               ("records", lines(session(2, 2)))):
            self.write("in.jsonl", content)
            self.refused("not that of the log", ["--readers", "one"]
                         if words == "records" else [])
        self.write("in.jsonl", lines(session(2, 6)))
        renamed = self.write("renamed.jsonl", b"")
        args = self.args("cut", "--resume")
        args[1] = renamed
        r = harness.run(args)
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("in.jsonl", r.text)

    def test_other_plans(self):
        self.begin()
        self.write("cut.plans", b'{"plan_id":"another"}\n')
        self.refused("line 1 differs from that plan", [])

    def test_the_registry_counts_once(self):
        self.begin()
        self.run_ok(self.args("cut", "--resume", ["--registry-file", self.registry]))
        self.run_ok(self.args("cut", "--resume"))  # or is not given again
        with DecisionLog(self.path("cut.h5")) as d:
            sources = d.column("registrations", "source")
            self.assertEqual(int((sources == 2).sum()), 1)

    def test_killed_before_the_first_commit(self):
        """Nothing is in the log, not even the registry that the run was given."""
        registry = ["--registry-file", self.write(
            "registry.json", json.dumps([loader_registration()]))]
        os.mkfifo(self.path("in.jsonl"))
        pipe = os.open(self.path("in.jsonl"), os.O_RDWR)  # it does not end
        self.addCleanup(os.close, pipe)
        running = harness.Running(self.args("cut", "--decision-log", [
            *registry, "--log-flush-interval", "3600"]))
        self.addCleanup(running.kill)
        os.write(pipe, lines(session(2, 6)))
        harness.wait_until(lambda: os.path.exists(self.path("cut.h5")), 60, "a log")
        running.kill()
        os.remove(self.path("in.jsonl"))
        self.write("in.jsonl", lines(session(2, 6)))
        self.run_ok(self.args("whole", "--decision-log", registry))
        self.run_ok(self.args("cut", "--resume", registry))
        self.assert_same(self.outcome("whole"), self.outcome("cut"), "killed at once")

    def test_no_log(self):
        for content in (None, b"", b"no log"):
            if content is not None:
                self.write("cut.h5", content)
            self.write("in.jsonl", b"")
            r = harness.run(self.args("cut", "--resume"))
            self.assertEqual(r.code, 2, r.brief)
            self.assertIn("cut.h5", r.text)

    def test_a_writer_that_lives(self):
        reader, writer = os.pipe()
        running = harness.Running(["--findings-file", "-", "--decision-log",
                                   self.path("cut.h5")], stdin=reader)
        os.close(reader)
        self.addCleanup(running.kill)
        os.write(writer, lines([finding(1)]))
        harness.wait_until(lambda: os.path.exists(self.path("cut.h5")), 60, "a log")
        self.write("in.jsonl", b"")
        r = harness.run(self.args("cut", "--resume"))
        os.close(writer)
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("is being written by process", r.text)
        self.assertEqual(running.finish().code, 0)

    def test_a_file_twice_and_a_file_of_blanks(self):
        """The log's place is found by counting where a name does not tell it."""
        part, blank = self.write("part", lines(session(2, 3))), self.write("blank", b"\n\n")
        whole = ["--findings-file", part, "--findings-file", blank, "--findings-file", part]
        tail = ["--plans-file", self.path("cut.plans"), "--log-level", "error"]
        self.run_ok([*whole, "--decision-log", self.path("whole.h5"), "--plans-file",
                     self.path("whole.plans"), "--log-level", "error"])
        self.run_ok([*whole[:4], "--decision-log", self.path("cut.h5"), *tail])
        self.run_ok([*whole, "--resume", self.path("cut.h5"), *tail])
        self.assertEqual(self.read("cut.plans"), self.read("whole.plans"))
        self.assertEqual(self.log_text("cut.h5"), self.log_text("whole.h5"))


if __name__ == "__main__":
    if "--rounds" in sys.argv:
        at = sys.argv.index("--rounds")
        ROUNDS = int(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    harness.main()
