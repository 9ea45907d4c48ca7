"""kill -9 of a rank of the service at random moments, under load and with an
application that acknowledges; each time --resume goes on in the same log. Each time the
state that the log tells is that of a new planner which was given the recording that far,
and the next log has there what the journal, too, leads to. In the end the planner's state
is the fold of the log, every plan that the application got is in the log as it got it,
and no number was given twice."""
import json
import os
import signal
import subprocess
import sys
import time

import online  # first: it finds harness
import harness
from harness import Case, Config, DecisionLog, main, session_processes
from online import App, Service, wait_until
from test_kills import POLICY

KILLS = 50 if online.LONG else 2 if harness.is_sanitized(Config.program) else 3
DEADLINE_S = 60


class Resume(Case):
    def setUp(self):
        super().setUp()
        self.dice = online.dice()
        self.at = online.held_endpoints(self)
        self.policy = self.write("policy.json", json.dumps(POLICY))
        self.log, self.state = self.path("log.h5"), self.path("state.json")
        self.record = self.path("record.jsonl")
        self.journals = 0
        self.states = self.journal_states = 0  # compared
        self.due = None  # what a log is to tell when it has what is in the journal now
        self.start_service("--decision-log")
        self.app = App(self.path("app"), "node1", self.at, findings=True)
        self.addCleanup(self.app.kill)

    def start_service(self, how):
        self.service = Service(
            "--policy", self.policy, how, self.log, "--final-state", self.state,
            "--record", self.record,
            "--log-flush-interval", self.dice.choice(("0.05", "0.5", "5")),
            "--log-level", "info", "--linger", "0.1", at=self.at,
            ranks=self.dice.choice((None, None, 3)))
        self.addCleanup(self.service.kill)
        self.service.listening()

    def fold(self, *at):
        """The state as the log tells it, in the bytes of --final-state."""
        done = subprocess.run([harness.Config.log_program, "state", *at, self.log],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def replayed(self, records):
        """The state of a new planner that was given these."""
        state = self.path("replayed.json")
        self.run_ok(["--findings-file", self.write("replay.jsonl", b"".join(records)),
                     "--policy", self.policy, "--acks", "explicit", "--final-state",
                     state, "--log-level", "warning"])
        return self.read(state)

    def lines(self, name):
        """The whole ones."""
        if not os.path.exists(self.path(name)):
            return []
        return [x for x in self.read(name).splitlines(True) if x.endswith(b"\n")]

    def journal(self, next_seq, run):
        """The records of the journal that the log has not got, as a recording has them:
        plan ids without the run."""
        records = []
        for line in self.lines("log.h5.journal"):
            seq = json.loads(line)["seq"]
            if seq == next_seq + len(records):
                records.append(b"{" + line[line.index(b'"stream"'):].replace(run, b""))
        return records

    def check_state(self):
        """Of the log that a kill has left."""
        with DecisionLog(self.log) as d:
            next_seq = int(d.last["next_seq"]) if d.last is not None else 0
            run = "_" + str(d.file.attrs["run_id"])
        recorded = self.lines("record.jsonl")
        if self.due and self.due[0] <= next_seq:
            self.assertEqual(self.fold("--at", str(self.due[0] - 1)), self.due[1])
            self.journal_states += 1
            self.due = None
        n = min(next_seq, len(recorded))  # a kill may come before it is flushed
        if n:
            self.assertEqual(self.fold("--at", str(n - 1)), self.replayed(recorded[:n]))
            self.states += 1
        more = self.journal(next_seq, run.encode())
        if n == next_seq and more:
            self.due = n + len(more), self.replayed(recorded[:n] + more)

    def kill_and_resume(self):
        victim = self.dice.choice(session_processes(self.service.sid))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: self.service.process.poll() is not None and
                   not session_processes(self.service.sid), 60, "the service's end")
        self.service.finish()
        self.check_state()
        self.journals += os.path.getsize(self.log + ".journal") > 0
        self.start_service("--resume")

    def test_goes_on(self):
        kills = 0
        while kills < KILLS or not (self.states or self.journal_states or self.due):
            if self.dice.random() < 0.8:
                self.app.wait_for_plans(self.service)
            time.sleep(self.dice.uniform(0, 0.3))  # the random moment
            self.kill_and_resume()
            kills += 1
        self.app.wait_for_plans(self.service)
        r = self.service.stop()
        self.assertEqual(r.code, 0, r.brief)
        self.assertEqual(self.app.finish(), 0)

        self.assertEqual(self.fold(), self.read("state.json"))
        self.check_state()
        self.assertIsNone(self.due)
        # a log may have been killed before its first flush; the last one counts, too
        self.assertGreater(self.states + self.journal_states, 1 + online.LONG * KILLS // 2)
        with DecisionLog(self.log) as d:
            self.assertEqual(d.complete, 1)
            self.assertEqual(d.rows("runs"), kills + 1)
            ids = d.plan_ids("plans")
            seen = d.column("findings", "seq")
        self.assertEqual(len(ids), len(set(ids)), "a plan id twice")
        self.assertTrue((seen[1:] > seen[:-1]).all(), "a number twice")
        got = self.app.plans()
        self.assertEqual(got - set(ids), set(), "plans that the log does not know")
        print(f"{kills} kills, {self.journals} with a journal left; {len(ids)} plans, "
              f"{len(got)} of them seen applied; states as replayed: {self.states} of "
              f"logs, {self.journal_states} of journals", file=sys.stderr)


if __name__ == "__main__":
    main()
