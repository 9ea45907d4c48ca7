"""Many applications as subscribers of published plans, each on a node of its own: each
gets exactly the plans of its node and those of the whole job."""
import json
import sys

import zmq

import online  # first: it finds harness
from harness import Case, DecisionLog, finding, main
from online import App, Service, wait_until

APPS, ROUNDS = (200, 20) if online.LONG else (24, 4)
DEADLINE_S = 120


class Publish(Case):
    def setUp(self):
        super().setUp()
        # a plan for each finding: who gets it is what counts here
        often = self.write("often.json", '{"switches": {"effect": "severity", '
                                         '"scope": "carry"}}')
        self.service = Service("--plans-pattern", "pub", "--log-level", "debug",
                               "--policy", often, "--decision-log", self.path("log.h5"),
                               ranks=4 if online.LONG else 3)
        self.addCleanup(self.service.kill)
        self.service.listening()
        # Names of which one is the beginning of another.
        self.apps = [App(self.path(f"n{i}"), f"n{i}", self.service.at, "sub")
                     for i in range(1, APPS + 1)]
        for app in self.apps:
            self.addCleanup(app.kill)
        context = zmq.Context()
        self.addCleanup(context.destroy, linger=0)
        self.findings = context.socket(zmq.PUSH)
        self.findings.connect(self.service.at["findings"])
        self.window = self.first = self.sent = 0

    def send(self, node, tag):
        self.sent += 1
        f = finding(self.window, node, severity_score=1.0, trend_direction="stable",
                    opportunity_tags=[tag])
        self.findings.send_multipart([b"{}", json.dumps(f).encode()])

    def got(self, app, whom):
        """Ids of the plans of the rounds, in the order in which they came."""
        return [p[1] for p in app.lines("plan")
                if p[4] == whom and int(p[5]) >= self.first]

    def wait_for_all(self, condition, what):
        def missing():
            return [a.host for a in self.apps if not condition(a)]
        wait_until(lambda: not missing(), DEADLINE_S, f"{what}: not {missing()[:9]}")

    def count(self, text):
        return self.service.so_far().count(text)

    def wait_until_settled(self):
        """Each finding is decided, and each plan acknowledged by somebody."""
        def settled():
            plans = self.count('"optimizer.plan"')
            return plans == self.count('"outcome":"applied"') and \
                plans + self.count('"optimizer.gate.rejected"') == self.sent
        wait_until(settled, DEADLINE_S, "all is decided and acknowledged")

    def subscribe_all(self):
        """Plans for the whole job, until all have had one: a subscription takes a
        while, and a plan that nobody wants yet is gone."""
        self.wait_for_all(lambda a: a.lines("registered"), "registered")

        def all_have():
            self.window += 1
            self.send(None, "job_tag")
            return all(self.got(a, "job") for a in self.apps)
        wait_until(all_have, DEADLINE_S, "everybody subscribed")
        self.wait_until_settled()
        self.first = self.window + 1

    def test_each_gets_its_own_and_the_job_s(self):
        self.subscribe_all()
        order = online.dice()
        for n in range(1, ROUNDS + 1):
            self.window += 1
            order.shuffle(self.apps)
            for app in self.apps:
                self.send(app.host, "node_tag")
            self.send(None, "job_tag")
            self.wait_for_all(lambda a: len(self.got(a, "node")) >= n and
                              len(self.got(a, "job")) >= n, f"plans of round {n}")
            self.wait_until_settled()
        for app in self.apps:
            self.assertEqual(app.finish(), 0)
        r = self.service.stop()
        self.assertEqual(r.code, 0, r.brief)
        self.compare()

    def compare(self):
        with DecisionLog(self.path("log.h5")) as log:
            self.assertEqual(log.complete, 1)
            plans = [(name, node) for name, node, window in
                     zip(log.plan_ids("plans"), log.strings("plans", "node"),
                         log.column("plans", "window")) if window >= self.first]
        of_job = [p for p, node in plans if not node]
        self.assertEqual(len(of_job), ROUNDS)
        for app in self.apps:
            own = [p for p, node in plans if node == app.host]
            self.assertEqual(len(own), ROUNDS)
            self.assertEqual(self.got(app, "node"), own, app.host)
            self.assertEqual(self.got(app, "job"), of_job, app.host)
        print(f"{APPS} applications: each got its {ROUNDS} plans and the {ROUNDS} of "
              f"the job, and none of the other {len(plans) - 2 * ROUNDS}",
              file=sys.stderr)


if __name__ == "__main__":
    main()
