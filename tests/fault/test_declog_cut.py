"""Decision logs cut at any byte, by declog_cut.c: one that was closed in order and one
whose writer was killed, each small, of several runs, and with rows in every table; and
a longer one, of which a cut leaves commits whole.

    test_declog_cut.py [--every]    every byte of the small ones, every 101st of the
                                    longer one; else some hundreds
"""
import json
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import harness  # noqa: E402
from harness import (Case, Config, DecisionLog, event, knob, lines, main,  # noqa: E402
                     registration, response, session, wait_until)

CUTTER = os.environ.get("DFOPT_DECLOG_CUT", "")
EVERY = "--every" in sys.argv
POLICY = {"switches": {"pending_timeout_windows": 6}}
CUTS = 60 if Config.program and harness.is_sanitized(Config.program) else 200


def events(nodes, windows):
    """What has rows in every table come of it."""
    log = session(nodes, windows, seed=5)
    choice = {**knob("app.scheduler", "none", "categorical", None,
                     cache_pressure=response()), "values": ["none", "bfq", "kyber"]}
    log.insert(1, event("registration", registration(choice)))
    log.insert(3, event("finding", "no object"))
    return log


class Cuts(Case):
    def make(self, name, log, killed=False, detail="findings"):
        """In three runs, of which each reads on in a file that has grown."""
        # rows of /timeouts and /seen come where plans wait; control has none
        rows = {"effect": "severity", "registration": "carry", "unmatched_ack": "ignore"}
        policy = {"switches": {**POLICY["switches"], **(rows if detail == "plans" else
                                                        {"effect": "severity"})}}
        options = ["--log-detail", detail, "--findings-file", self.path("in.jsonl"), "--policy",
                   self.write("policy", json.dumps(policy)), "--readers", "one",
                   "--log-flush-interval", "0", "--log-level", "error"]
        for run in (1, 2, 3):
            self.write("in.jsonl", lines(log[:len(log) * run // 3]))
            args = [*options, "--decision-log" if run == 1 else "--resume",
                    self.path("log.h5")]
            if run < 3 or not killed:
                self.run_ok([*args, "--batch-events", str(len(log) // 3)])
            else:
                self.kill([*args, "--batch-events", "1", "--batches-in-flight", "1"])
        with DecisionLog(self.path("log.h5")) as d:
            self.assertEqual((d.complete, d.rows("runs")), (not killed, 3))
            empty = {t for t in d.last.dtype.names[:d.last.dtype.names.index("seen") + 1]
                     if t in d.file and not d.rows(t)}
            self.assertEqual(empty, set() if detail == "findings" else
                             {"findings", "verdicts"})
        os.rename(self.path("log.h5"), self.path(name))
        return self.path(name)

    def kill(self, args):
        """Once it has written something; again, if it was at its end by then."""
        log = self.path("log.h5")
        shutil.copy(log, self.path("before.h5"))
        for _ in range(20):
            self.kill_once(args, log)
            with DecisionLog(log) as d:
                if not d.complete:
                    return
            shutil.copy(self.path("before.h5"), log)
        self.fail("never killed in time")

    def kill_once(self, args, log):
        before = os.stat(log).st_ino
        running = harness.Running(args)
        self.addCleanup(running.kill)

        def at_work():
            now = os.stat(log)
            return now.st_ino != before and now.st_size
        begun = wait_until(at_work, 60, "the third run", every_s=0.0005)
        wait_until(lambda: at_work() > begun, 60, "rows of it", every_s=0.0005)
        os.kill(running.process.pid, signal.SIGKILL)
        running.finish(sanitizers=False)

    def cut(self, step, *logs):
        step = step or max(map(os.path.getsize, logs)) // CUTS | 1
        done = subprocess.run([CUTTER, str(step), "0", *logs], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True,
                              env=harness.environment(CUTTER, None))
        print(done.stdout, file=sys.stderr)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])

    def test_small(self):
        log = events(1, 16)
        self.cut(EVERY, self.make("closed.h5", log), self.make("killed.h5", log, True))

    def test_long(self):
        self.cut(EVERY * 101, self.make("long.h5", events(16, 400),
                                         detail="plans"))


if __name__ == "__main__":
    sys.argv = [a for a in sys.argv if a != "--every"]
    main()
