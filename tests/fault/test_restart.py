"""jobs/restart.sh: goes on after a kill, a bounded number of times."""
import contextlib
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import harness  # noqa: E402
from harness import Case, lines, session, session_processes, wait_until  # noqa: E402

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir,
                      "jobs", "restart.sh")


class Restart(Case):
    def begin(self, times):
        """Under the script, one reader, slowed down by a flush at every record. The input
        does not end before end_input()."""
        f = self.write("in.jsonl", lines(session(4, 60)))
        os.mkfifo(self.path("fifo"))
        self.args = ["--findings-file", f, "--findings-file", self.path("fifo"),
                     "--plans-file", self.path("plans"), "--readers", "one", "--batch-events", "1", "--batches-in-flight", "1",
                     "--log-flush-interval", "0", "--log-level", "error"]
        running = harness.Running(
            self.args, program=harness.Config.program,
            wrapper=["sh", SCRIPT, "-n", str(times), "-d", "0", self.path("log.h5")])
        self.addCleanup(running.kill)
        return running

    def end_input(self):
        with open(self.path("fifo"), "wb"): # waits for its reader
            pass

    def kill_one(self, running, before):
        """Kills the run once it is at work. Returns its number."""
        def at_work():
            for pid in session_processes(running.sid):
                with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as f:
                    if f.read().strip() == "dfopt-mpi" and pid not in before \
                            and os.path.exists(self.path("log.h5")):
                        return pid
            return None
        pid = wait_until(at_work, 60, "a run")
        os.kill(pid, signal.SIGKILL)
        return pid

    def test_goes_on(self):
        running = self.begin(3)
        killed = []
        for _ in range(2):
            killed.append(self.kill_one(running, killed))
        self.end_input()
        r = running.finish(sanitizers=False)
        self.assertEqual(r.code, 0, r.text)
        self.assertEqual(r.text.count("going on"), 2, r.text)
        whole = self.run_ok([*self.args[:2], "--plans-file", "-"])
        self.assertEqual(self.read("plans"), whole.out)

    def test_not_for_ever(self):
        running = self.begin(1)
        killed = []
        for _ in range(2):
            killed.append(self.kill_one(running, killed))
        r = running.finish(sanitizers=False)
        self.assertEqual(r.code, 137, r.text)
        self.assertIn("not restarted", r.text)

    def test_not_after_a_mistake(self):
        r = harness.run(["--findings-file", self.path("missing")],
                        wrapper=["sh", SCRIPT, self.path("log.h5")])
        self.assertEqual(r.code, 2, r.text)
        self.assertNotIn("going on", r.text)


if __name__ == "__main__":
    harness.main()
