"""Runs that are asked to stop, and ranks that are killed."""
import json
import os
import signal

import harness
from harness import (Case, DecisionLog, finding, lines, loader_registration,
                     plans_without_ids, rank_process, session_processes, wait_until)


class Signals(Case):
    def setUp(self):
        super().setUp()
        self.registry = self.write("registry.json", json.dumps([loader_registration()]))
        self.findings = [finding(w, f"n{n}") for w in range(1, 21) for n in range(5)]
        everything = self.write("all", lines(self.findings))
        reference = self.run_ok(["--findings-file", everything, "--registry-file",
                                 self.registry, "--plans-file", "-"])
        self.expected = plans_without_ids(reference.out)

    def begin(self, ranks, more=()):
        """A run that has decided what it was given, and whose input stays open."""
        reader, self.writer = os.pipe()
        self.addCleanup(os.close, self.writer)
        running = harness.Running(
            ["--findings-file", "-", "--registry-file", self.registry, "--plans-file",
             self.path("plans"), "--decision-log", self.path("log.h5"),
             "--log-flush-interval", "0", *more], ranks=ranks, stdin=reader)
        os.close(reader)
        self.addCleanup(running.kill)
        os.write(self.writer, lines(self.findings[:60]))
        os.write(self.writer, lines(self.findings[60:]))
        n = len(self.expected)
        wait_until(lambda: running.so_far().count('"optimizer.plan"') == n, 60,
                   f"{n} plans decided")
        wait_until(self.is_logged, 60, "all of it is in the log")
        return running

    def is_logged(self):
        try:
            with DecisionLog(self.path("log.h5")) as d:
                return d.last is not None and int(d.last["next_seq"]) == len(self.findings)
        except OSError: # it is being made
            return False

    def assert_whole(self, complete=1):
        with open(self.path("plans"), "rb") as f:
            self.assertEqual(plans_without_ids(f.read()), self.expected)
        with DecisionLog(self.path("log.h5")) as d:
            self.assertEqual(d.complete, complete)
            self.assertEqual(int(d.last["next_seq"]), len(self.findings))
            self.assertEqual(d.rows("findings"), len(self.findings))
            self.assertEqual(d.rows("plans"), len(self.expected))

    def stop_alone(self, number):
        running = self.begin(None, ["--final-state", self.path("state")])
        running.process.send_signal(number)
        r = running.finish()
        self.assertEqual(r.code, 3, r.brief)
        self.assertIs(r.done["stopped"], True)
        self.assertEqual(r.done["findings"], len(self.findings))
        self.assert_whole()
        self.assertIn(b"current_values", self.read("state"))

    def test_sigterm_alone(self):
        self.stop_alone(signal.SIGTERM)

    def test_sigint_alone(self):
        self.stop_alone(signal.SIGINT)

    def test_signal_before_the_first_record(self):
        """Waiting for the record that says what kind of input it is."""
        reader, writer = os.pipe()
        running = harness.Running(["--findings-file", "-", "--plans-file",
                                   self.path("plans"), "--decision-log",
                                   self.path("log.h5")], stdin=reader)
        os.close(reader)
        self.addCleanup(os.close, writer)
        self.addCleanup(running.kill)
        # it catches the signal once it is past MPI's start
        wait_until(lambda: catches(running.process.pid, signal.SIGTERM), 60,
                   "a handler of SIGTERM")
        running.process.terminate()
        r = running.finish()
        self.assertEqual(r.code, 3, r.brief)
        self.assertEqual(r.done["records"], 0)
        with DecisionLog(self.path("log.h5")) as d:
            self.assertEqual(d.complete, 1)

    def test_signal_while_a_fifo_has_no_writer(self):
        os.mkfifo(self.path("fifo"))
        running = harness.Running(["--findings-file", self.path("fifo")])
        self.addCleanup(running.kill)
        wait_until(lambda: catches(running.process.pid, signal.SIGTERM), 60,
                   "a handler of SIGTERM")
        running.process.terminate()
        self.assertEqual(running.finish().code, 3)

    def test_signal_while_the_configuration_has_no_writer(self):
        os.mkfifo(self.path("fifo"))
        for options in (["--policy"], ["--registry-file"], ["--sweep-dry-run", "--sweep"]):
            with self.subTest(options):
                running = harness.Running(["--findings-file", self.write("f", b""), *options,
                                           self.path("fifo")])
                self.addCleanup(running.kill)
                wait_until(lambda r=running: catches(r.process.pid, signal.SIGTERM), 20,
                           "a handler of SIGTERM")
                running.process.terminate()
                r = running.finish(20)
                self.assertEqual(r.code, 2, r.brief)
                self.assertIn("fifo: a signal came before it was read", r.text)

    def test_signal_in_the_midst_of_a_long_file(self):
        """Ends early, with whole records, though there is always more to read."""
        # a FIFO that is always full, so that the end is never near
        os.mkfifo(self.path("fifo"))
        block = lines(self.findings)
        running = harness.Running(
            ["--findings-file", self.path("fifo"), "--registry-file", self.registry,
             "--plans-file", self.path("plans"), "--decision-log", self.path("log.h5"),
             "--log-level", "warning"])
        self.addCleanup(running.kill)
        fifo = os.open(self.path("fifo"), os.O_WRONLY)
        try:
            for i in range(10_000):
                os.write(fifo, block)
                if i == 20:
                    running.process.terminate()
        except BrokenPipeError:
            pass
        finally:
            os.close(fifo)
        r = running.finish()
        self.assertEqual(r.code, 3, r.brief)
        with DecisionLog(self.path("log.h5")) as d:
            self.assertEqual(d.complete, 1)
            self.assertEqual(d.rows("findings"), int(d.last["next_seq"]))
            self.assertGreater(d.rows("findings"), 100)
            self.assertEqual(d.rows("plans"), self.read("plans").count(b"\n"))

    def stop_ranks(self, number):
        """mpirun gives its ranks one second to end, which on a busy machine may not be
        enough: then again."""
        def ends_in_order():
            for name in ("plans", "log.h5"):
                if os.path.exists(self.path(name)):
                    os.unlink(self.path(name))
            running = self.begin(3)
            running.process.send_signal(number)
            running.process.wait(60)
            wait_until(lambda: not session_processes(running.sid), 60, "all processes gone")
            r = running.finish(sanitizers=False)  # mpirun may kill during a leak check
            self.assertNotEqual(r.code, 0, r.brief)
            self.assertNotIn("ERROR: AddressSanitizer: heap", r.text)
            with DecisionLog(self.path("log.h5")) as d:
                return d.complete
        wait_until(ends_in_order, 120, "an end in good order")
        self.assert_whole()

    def test_sigterm_to_mpirun(self):
        self.stop_ranks(signal.SIGTERM)

    def test_sigint_to_mpirun(self):
        self.stop_ranks(signal.SIGINT)

    def test_sigterm_to_rank_0(self):
        """The leader stops in good order, and the workers with it."""
        running = self.begin(3)
        os.kill(rank_process(running.sid, 0), signal.SIGTERM)
        r = running.finish()
        self.assertEqual(r.code, 3, r.brief)
        self.assertIs(r.done["stopped"], True)
        self.assert_whole()

    def test_workers_leave_signals_to_rank_0(self):
        running = self.begin(3)
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(rank_process(running.sid, 1), number)
        os.kill(rank_process(running.sid, 0), signal.SIGTERM)
        self.assertEqual(running.finish().code, 3)
        self.assert_whole()

    def kill_rank(self, rank):
        running = self.begin(3)
        os.kill(rank_process(running.sid, rank), signal.SIGKILL)
        running.process.wait(60)
        wait_until(lambda: not session_processes(running.sid), 60, "all processes gone")
        r = running.finish(sanitizers=False)
        self.assertNotEqual(r.code, 0, r.brief)
        with DecisionLog(self.path("log.h5")) as d:
            self.assertIn(d.complete, (0, 1) if rank else (0,))
            decided = int(d.last["next_seq"])
            self.assertLessEqual(decided, len(self.findings))
            self.assertGreater(decided, 0)
            self.assertEqual(d.rows("findings"), decided)
            self.assertEqual(sorted(set(map(int, d.column("verdicts", "seq")))),
                             list(range(decided)))

    def test_killed_worker(self):
        self.kill_rank(2)

    def test_killed_leader(self):
        self.kill_rank(0)

    def test_killed_alone(self):
        """What was flushed is readable, and says that it is not complete."""
        running = self.begin(None)
        running.process.kill()
        running.process.wait()
        running.finish(sanitizers=False)
        with DecisionLog(self.path("log.h5")) as d:
            self.assertEqual(d.complete, 0)
            self.assertGreater(int(d.last["next_seq"]), 0)
            self.assertEqual(d.rows("findings"), int(d.last["next_seq"]))
        # and a new run may take its place
        r = harness.run(["--findings-file", "/dev/null", "--decision-log",
                         self.path("log.h5")])
        self.assertEqual(r.code, 0, r.brief)


def catches(pid, number):
    with open(f"/proc/{pid}/status") as f:
        caught = [s for s in f if s.startswith("SigCgt:")][0].split()[1]
    return int(caught, 16) >> (number - 1) & 1


if __name__ == "__main__":
    harness.main()
