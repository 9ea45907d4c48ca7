"""The loop, closed: a loader that is tuned while it runs, by jobs/demo.sh and piece by
piece; and the decision log tells what the loader saw."""
import json
import os
import re

import harness
from demo_story import Story, by_event, peak_shares
from harness import Running, session_processes, wait_until

TOP = os.path.dirname(os.path.dirname(harness.HERE))
ANY = "tcp://127.0.0.1:*"
QUICK = ["--window-ms=100"]


class Loop(Story):
    def script(self, *args):
        """Runs jobs/demo.sh to its end; nothing of it may be left."""
        os.makedirs(self.path("tmp"), exist_ok=True)
        build = os.path.dirname(os.path.dirname(harness.Config.program))
        # Leaks are looked for below; started by a shell the ranks' libraries are gone
        # when they would be named.
        options = re.sub("detect_leaks=1", "detect_leaks=0",
                         os.environ.get("ASAN_OPTIONS", "detect_leaks=0"))
        run = Running(["-c", 'cd "$1" && shift && exec sh "$@"', "sh", self.folder,
                       os.path.join(TOP, "jobs", "demo.sh"), build, *QUICK, *args],
                      program="/bin/sh", env={"TMPDIR": self.path("tmp"),
                                              "ASAN_OPTIONS": options})
        self.addCleanup(run.kill)
        wait_until(lambda: run.process.poll() is not None, 120, "the end of demo.sh")
        self.assertEqual(session_processes(run.sid), [])
        self.assertEqual(os.listdir(self.path("tmp")), [])
        return run.finish()

    def test_the_script_closes_the_loop(self):
        def run():
            r = self.script("--hostname=node7")
            self.assertIn(r.code, (0, 4), r.text + r.out.decode()) # 4: not fast enough
            self.assertIn(b"requirements NOT met" if r.code else b"requirements met", r.out)
            self.assertIn(b": complete; transport zmq", r.out)
            self.check_contention(r.out)
            return by_event(self.path("loader.jsonl"))
        self.assert_same_story(self.path("decisions.h5"), self.assert_closes(run))
        self.run_ok(["check", self.path("decisions.h5")],
                    program=harness.Config.log_program)

    def check_contention(self, out):
        """The second loop."""
        self.assertRegex(out, rb"changes taken back: \d+\n")
        self.run_ok(["check", self.path("contention.h5")],
                    program=harness.Config.log_program)
        with open(self.path("contention.jsonl"), encoding="utf-8") as f:
            *_, summary, judged = map(json.loads, f)
        self.assertEqual(summary["objectives_sent"], 44)
        self.assertEqual(judged["event"], "judged")

    def test_the_script_ends_all_when_the_loader_fails(self):
        r = self.script("--window-ms=20", "--against=/none")
        self.assertEqual(r.code, 1, r.text)
        self.assertIn("cannot read /none", r.text)

    def test_the_script_says_when_the_loop_did_not_close(self):
        r = self.script("--window-ms=20", "--at-least=1000")
        self.assertEqual(r.code, 4, r.text)
        self.assertIn(b"requirements NOT met", r.out)

    def published(self):
        service = Running(
            ["--transport", "zmq", "--address", ANY, "--bind", "--plans-address", ANY,
             "--plans-pattern", "pub", "--registry-address", ANY, "--acks-address", ANY,
             "--compat", "upstream", "--idle-timeout", "60",
             "--decision-log", self.path("log.h5")])
        self.addCleanup(service.kill)
        wait_until(lambda: "optimizer.listening" in service.so_far(), 60, "endpoints")
        at = json.loads(next(line for line in service.so_far().splitlines()
                             if "optimizer.listening" in line))
        self.run_ok(
            [f"--make-data={self.path('data')}", *QUICK, "--hostname=node7",
             f"--findings={at['findings']}", "--findings-connect", "--diagnosis=peak",
             f"--plans={at['plans']}", "--plans-pattern=sub",
             f"--registry={at['registrations']}", f"--acks={at['acks']}",
             "--wait-optimizer=60", "--stop-optimizer",
             f"--json={self.path('loader.jsonl')}"],
            program=harness.Config.demo_program)
        r = service.finish(60)
        self.assertEqual(r.code, 0, r.text)
        return by_event(self.path("loader.jsonl"))

    def test_published_plans_under_the_upstream_policy(self):
        self.assert_same_story(self.path("log.h5"), self.assert_closes(self.published),
                               peak_shares)


if __name__ == "__main__":
    harness.main()
