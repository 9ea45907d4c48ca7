"""kill -9 of the application, of the service, of any of its ranks, at random moments: the
other side goes on, the loop works again when its peer is back, and every decision log
that was left can be read."""
import json
import os
import signal
import sys
import time

import online  # first: it finds harness
import harness
from harness import Case, main, session_processes
from online import App, Service, wait_until

KILLS = 50 if online.LONG else 4
DEADLINE_S = 60

# A plan that an application took with it into its grave is given up after so many of
# its windows of 20 ms; by default the service would wait for the answer for ever.
POLICY = {"switches": {"effect": "severity", "pending_timeout_windows": 10}}


class Kills(Case):
    def setUp(self):
        super().setUp()
        self.dice = online.dice()
        self.at = online.held_endpoints(self)
        self.policy = self.write("policy.json", json.dumps(POLICY))
        self.services = 0
        self.start_service()
        self.start_app()

    def start_service(self, ranks=None):
        self.services += 1
        self.log = self.path(f"log{self.services}.h5")
        self.service = Service("--policy", self.policy, "--decision-log", self.log,
                               "--log-flush-interval", "0.05", "--linger", "0.1",
                               at=self.at, ranks=ranks)
        self.addCleanup(self.service.kill)
        self.service.listening()

    def start_app(self):
        self.app = App(self.path("app"), "node1", self.at, findings=True)
        self.addCleanup(self.app.kill)

    def kill_app(self):
        self.app.kill()
        self.assertIsNone(self.service.process.poll(), self.service.so_far()[-2000:])
        self.start_app()

    def kill_service(self):
        """One process of it, which takes the others with it."""
        victim = self.dice.choice(session_processes(self.service.sid))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: self.service.process.poll() is not None and
                   not session_processes(self.service.sid), 60, "the service's end")
        self.service.finish()  # no sanitizer has a word to say
        ticks = len(self.app.lines("tick"))
        wait_until(lambda: len(self.app.lines("tick")) >= ticks + 2, DEADLINE_S,
                   "the application goes on")
        r = self.check_log()
        self.assertIn(r.code, (0, 1), r.text + r.out.decode())
        self.start_service(ranks=self.dice.choice((None, None, 3)))

    def check_log(self):
        return harness.run(["check", self.log], program=harness.Config.log_program)

    def test_the_other_side_goes_on(self):
        done = {"app": 0, "service": 0}
        for n in range(KILLS):
            if self.dice.random() < 0.8:
                self.app.wait_for_plans(self.service)
            time.sleep(self.dice.uniform(0, 0.3))  # the random moment
            victims = {0: ["app"], 1: ["service"]}.get(
                n, self.dice.choice((["app"], ["service"], ["app", "service"])))
            for victim in victims:
                done[victim] += 1
                getattr(self, f"kill_{victim}")()
        self.app.wait_for_plans(self.service)
        r = self.service.stop()
        self.assertEqual(r.code, 0, r.brief)
        self.assertEqual(self.check_log().code, 0)
        self.assertEqual(self.app.finish(), 0)
        self.assertEqual(len(self.app.lines("end")), 1)
        print(f"killed: application {done['app']}, service {done['service']} times; "
              f"{len(self.app.lines('plan'))} plans applied; {self.services} logs fine",
              file=sys.stderr)


if __name__ == "__main__":
    main()
