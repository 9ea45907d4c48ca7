"""kill -9 of a rank of the service at random moments, under load and with an
application that acknowledges; each time --resume goes on in the same log. In the end
the planner's state is the fold of the log, every plan that the application got is in
the log as it got it, and no number was given twice."""
import json
import os
import signal
import subprocess
import sys
import time

import online  # first: it finds harness
import harness
from harness import Case, DecisionLog, main, session_processes
from online import App, Service, wait_until
from test_kills import POLICY, free_ports

KILLS = 50 if online.LONG else 4
DEADLINE_S = 60


class Resume(Case):
    def setUp(self):
        super().setUp()
        self.dice = online.dice()
        self.at = free_ports(self.dice)
        self.policy = self.write("policy.json", json.dumps(POLICY))
        self.log, self.state = self.path("log.h5"), self.path("state.json")
        self.journals = 0
        self.start_service("--decision-log")
        self.app = App(self.path("app"), "node1", self.at, findings=True)
        self.addCleanup(self.app.kill)

    def start_service(self, how):
        self.service = Service(
            "--policy", self.policy, how, self.log, "--final-state", self.state,
            "--log-flush-interval", self.dice.choice(("0.05", "0.5", "5")),
            "--log-level", "info", "--linger", "0.1", at=self.at,
            ranks=self.dice.choice((None, None, 3)))
        self.addCleanup(self.service.kill)
        self.service.listening()

    def wait_until_it_works(self):
        before = len(self.app.lines("plan"))
        wait_until(lambda: len(self.app.lines("plan")) >= before + 3, DEADLINE_S,
                   f"plans again:\n{self.service.so_far()[-2000:]}")

    def fold(self):
        """The state as the log tells it, in the bytes of --final-state."""
        done = subprocess.run([harness.Config.log_program, "state", self.log],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def kill_and_resume(self):
        victim = self.dice.choice(session_processes(self.service.sid))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: self.service.process.poll() is not None and
                   not session_processes(self.service.sid), 30, "the service's end")
        self.service.finish()
        self.fold()  # it can be read
        self.journals += os.path.getsize(self.log + ".journal") > 0
        self.start_service("--resume")

    def test_goes_on(self):
        for _ in range(KILLS):
            if self.dice.random() < 0.8:
                self.wait_until_it_works()
            time.sleep(self.dice.uniform(0, 0.3))  # the random moment
            self.kill_and_resume()
        self.wait_until_it_works()
        r = self.service.stop()
        self.assertEqual(r.code, 0, r.brief)
        self.assertEqual(self.app.finish(), 0)

        with open(self.state, "rb") as f:
            self.assertEqual(self.fold(), f.read())
        with DecisionLog(self.log) as d:
            self.assertEqual(d.complete, 1)
            self.assertEqual(d.rows("runs"), KILLS + 1)
            ids = d.plan_ids("plans")
            seen = d.column("findings", "seq")
        self.assertEqual(len(ids), len(set(ids)), "a plan id twice")
        self.assertTrue((seen[1:] > seen[:-1]).all(), "a number twice")
        got = {fields[1] for fields in self.app.lines("plan")}
        self.assertEqual(got - set(ids), set(), "plans that the log does not know")
        print(f"{KILLS} kills, {self.journals} with a journal left; {len(ids)} plans, "
              f"{len(got)} of them seen applied", file=sys.stderr)


if __name__ == "__main__":
    main()
