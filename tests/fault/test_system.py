"""A system below that behaves badly: disks that are full, read-only, or take a few bytes
at a time, and a clock that jumps. What was decided is the same, what was lost is
logged, and what is left can be read and resumed."""
import ctypes
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, "cli"))
import harness  # noqa: E402
from harness import (Case, Config, DecisionLog, lines, main, run,  # noqa: E402
                     session, wait_until)

BAD_SYSTEM = os.environ.get("DFOPT_BAD_SYSTEM", "")
DAY_S = 86400
CLONE_NEWNS = 0x20000  # linux/sched.h
DISK_BYTES = 16 << 20


def is_slow():
    return harness.is_sanitized(Config.program)


def own_mounts():
    """Whether what this process mounts is its own from now on. A copy in the mount namespace
    of another process, such as tests/cluster has, keeps a file system when it is unmounted."""
    return (ctypes.CDLL(None).unshare(CLONE_NEWNS) == 0
            and subprocess.run(["mount", "--make-rprivate", "/"]).returncode == 0)


def bad(**settings):
    """A wrapper that starts a program on such a system."""
    preload = BAD_SYSTEM
    if harness.is_sanitized(Config.program):
        preload = Config.mpi_leaks + ":" + preload
    given = [f"BAD_{k.upper()}={v}" for k, v in settings.items()]
    return ["env", "LD_PRELOAD=" + preload, *given]


class BadSystem(Case):
    def setUp(self):
        super().setUp()
        self.input = self.write("in.jsonl", lines(session(6, 60, seed=5)))
        self.run_ok(self.args("good"))
        self.good_plans = self.read("good.jsonl")
        self.assertGreater(len(self.good_plans.splitlines()), 20)

    def args(self, name, folder=None, *more):
        return ["--findings-file", self.input, "--plans-file",
                self.path(name + ".jsonl"), "--decision-log",
                os.path.join(folder or self.folder, name + ".h5"),
                "--log-flush-interval", "0", "--batch-events", "50",
                "--readers", "one", "--log-level", "warning", *more]

    def assert_same_log(self, path):
        """What was decided: all columns, but for those of the run and of time."""
        left_out = ("runs/", "run_texts/")
        with DecisionLog(self.path("good.h5")) as a, DecisionLog(path) as b:
            self.assertEqual(b.complete, 1)
            self.assertEqual(int(a.last["next_seq"]), int(b.last["next_seq"]))
            for table in ("findings", "verdicts", "plans", "acks", "global_plans",
                          "suppressions", "registrations", "knobs", "responses"):
                self.assertEqual(a.rows(table), b.rows(table), table)
            mine, other = a.columns(), b.columns()
            for name, column in mine.items():
                if not name.startswith(left_out):
                    self.assertEqual(column, other[name], name)

    def test_short_and_interrupted_writes(self):
        for name in ("short.h5", "short.jsonl"):
            with self.subTest(file=name):
                self.run_ok(self.args("short"), timeout=120,
                            wrapper=bad(file=name, short=1000))
                self.assertEqual(self.read("short.jsonl"), self.good_plans)
                self.assert_same_log(self.path("short.h5"))

    def test_log_that_becomes_read_only(self):
        """Also of a disk that breaks: plans continue, and the run can be resumed."""
        size = os.path.getsize(self.path("good.h5"))
        for number in (errno.EROFS, errno.EIO)[:1 if is_slow() else 2]:
            with self.subTest(error=errno.errorcode[number]):
                r = run(self.args("ro"), wrapper=bad(file="ro.h5", after=size // 2,
                                                     errno=number))
                self.assertEqual(r.code, 1, r.brief)
                logged = r.named("optimizer.output.failed")
                self.assertEqual([s["output"] for s in logged], ["decision log"], r.brief)
                self.assertIn(os.strerror(number), logged[0]["error"])
                self.assertIn("ro.h5", logged[0]["error"])
                self.assertEqual(self.read("ro.jsonl"), self.good_plans)
                with DecisionLog(self.path("ro.h5")) as d:
                    self.assertEqual(d.complete, 0)
                    self.assertGreater(d.rows("findings"), 0)
                self.resume("ro", self.folder)

    def resume(self, name, folder):
        """With the disk as it should be: as if nothing had happened."""
        log = os.path.join(folder, name + ".h5")
        args = self.args(name, folder)
        at = args.index("--decision-log")
        self.run_ok(args[:at] + ["--resume", log] + args[at + 2:])
        self.assertEqual(self.read(name + ".jsonl"), self.good_plans)
        self.assert_rows(log)
        os.unlink(log)

    def assert_rows(self, path, complete=1):
        with DecisionLog(self.path("good.h5")) as a, DecisionLog(path) as b:
            self.assertEqual(b.complete, complete)
            for table in ("findings", "verdicts", "plans", "acks", "suppressions"):
                self.assertEqual(a.rows(table), b.rows(table), table)
                for column in ("seq", "position"):
                    if column in a.file[table]:
                        self.assertEqual(a.column(table, column).tolist(),
                                         b.column(table, column).tolist(), table)

    def test_plans_file_that_cannot_be_written(self):
        r = run(self.args("p"), wrapper=bad(file="p.jsonl", after=1000,
                                            errno=errno.EROFS))
        self.assertEqual(r.code, 1, r.brief)
        logged = r.named("optimizer.output.failed")
        self.assertEqual([s["output"] for s in logged], ["plans"], r.brief)
        self.assertIn("Read-only file system", logged[0]["error"])
        left = self.read("p.jsonl")
        self.assertTrue(self.good_plans.startswith(left))
        self.assertEqual(left[-1:], b"\n" if left else b"")
        self.assert_rows(self.path("p.h5"), complete=0)
        self.resume("p", self.folder)

    def test_a_full_disk_and_then_room(self):
        disk = self.path("disk")
        os.mkdir(disk)
        size = os.path.getsize(self.path("good.h5"))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size * 4}",
                                  "tmpfs", disk], stderr=subprocess.DEVNULL)
        if mounted.returncode:
            self.skipTest("cannot mount a small tmpfs here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk])
        ballast = os.path.join(disk, "ballast")
        with open(ballast, "wb") as f:
            f.write(bytes(size * 4 - size * 2 // 3))
        r = run(self.args("full", disk))
        self.assertEqual(r.code, 1, r.brief)
        self.assertIn("No space left", r.named("optimizer.output.failed")[0]["error"])
        self.assertEqual(self.read("full.jsonl"), self.good_plans)
        os.unlink(ballast)
        self.resume("full", disk)

    def mount_ext4(self, disk):
        """A file system that an error makes read-only. Returns what causes one."""
        image = self.path("image")
        if not os.path.exists(image):
            if not own_mounts():
                self.skipTest("cannot mount here")
            os.mkdir(disk)
            with open(image, "wb") as f:
                f.truncate(DISK_BYTES)
            if not shutil.which("mkfs.ext4"):
                self.skipTest("no mkfs.ext4 here")
            subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        mounted = subprocess.run(["mount", "-o", "loop,errors=remount-ro", image, disk],
                                 stderr=subprocess.DEVNULL)
        if mounted.returncode:
            self.skipTest("cannot mount a file here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], stderr=subprocess.DEVNULL)
        number = os.stat(disk).st_dev
        name = os.path.basename(os.path.realpath(
            f"/sys/dev/block/{os.major(number)}:{os.minor(number)}"))
        trigger = f"/sys/fs/ext4/{name}/trigger_fs_error"
        if not os.access(trigger, os.W_OK):
            self.skipTest("no such errors here: " + trigger)
        return trigger

    def test_a_disk_that_becomes_read_only(self):
        """In truth: an error of ext4, in the middle of a run, which waits there for
        the second half of its input."""
        disk = self.path("disk")
        trigger = self.mount_ext4(disk)
        log = os.path.join(disk, "real.h5")
        whole = self.read("in.jsonl").splitlines(keepends=True)
        os.rename(self.input, self.path("whole.jsonl"))
        os.mkfifo(self.input)
        running = harness.Running(self.args("real", disk, "--batch-events", "1",
                                            "--batches-in-flight", "1"))
        self.addCleanup(running.kill)
        feed = open(self.input, "wb", buffering=0) # waits for its reader
        self.addCleanup(feed.close)
        feed.write(b"".join(whole[:len(whole) // 2]))

        def has_settled():
            """The first half is decided: what is written beside a sync may be torn."""
            with DecisionLog(log) as d:
                return d.last is not None and int(d.last["next_seq"]) == len(whole) // 2
        wait_until(lambda: os.path.exists(log), 60, "the log")
        wait_until(has_settled, 60, "the first half in it")
        subprocess.run(["sync", "-f", disk], check=True)  # as the system does at times
        with open(trigger, "w", encoding="ascii") as f:
            f.write("1")
        with self.assertRaises(OSError):
            os.mkdir(os.path.join(disk, "folder"))
        feed.write(b"".join(whole[len(whole) // 2:]))
        feed.close()
        r = running.finish()
        self.assertEqual(r.code, 1, r.brief)
        os.rename(self.path("whole.jsonl"), self.input)
        logged = r.named("optimizer.output.failed")
        self.assertEqual([s["output"] for s in logged], ["decision log"], r.brief)
        self.assertEqual(self.read("real.jsonl"), self.good_plans)
        with DecisionLog(log) as d:
            self.assertEqual(d.complete, 0)
            self.assertLess(d.rows("findings"), self.good_findings())
        subprocess.run(["umount", disk], check=True)
        self.mount_ext4(disk)  # with its journal played back
        self.resume("real", disk)

    def good_findings(self):
        with DecisionLog(self.path("good.h5")) as d:
            return d.rows("findings")

    def test_wall_clock_that_jumps(self):
        """It is written down and nothing follows from it."""
        r = self.run_ok(self.args("clock"), wrapper=bad(clock=DAY_S))
        self.assertEqual(r.other_lines, [])
        self.assertEqual(self.read("clock.jsonl"), self.good_plans)
        self.assert_same_log(self.path("clock.h5"))
        with DecisionLog(self.path("clock.h5")) as d:
            times = d.file["commits"]["wall_ns"]
            self.assertTrue(any(b < a for a, b in zip(times, times[1:])),
                            "the clock did not jump")
        if Config.log_program:
            for command in ("summary", "check", "dump"):
                shown = run([command, self.path("clock.h5")], program=Config.log_program)
                self.assertEqual(shown.code, 0, shown.brief)


class LostRanks(Case):
    def test_a_rank_that_cannot_receive(self):
        """All ranks end, and one line of the log says which rank and why."""
        files = self.write("in.jsonl", lines(session(6, 60, seed=5)))
        for received in (1, 2):
            for text in (False, True):
                with self.subTest(received=received, text=text):
                    r = run(["--findings-file", files, *["--log-format=text"][:text]],
                            ranks=3, wrapper=bad(rank=1, receives=received))
                    self.assertEqual(r.code, 1, r.brief)
                    lost = [line for line in r.text.splitlines()
                            if "optimizer.rank.lost" in line]
                    self.assertEqual(len(lost), 1, r.brief)
                    if text:
                        self.assertIn("rank=1", lost[0])
                        continue
                    event = json.loads(lost[0])
                    self.assertEqual((event["rank"], event["level"]), (1, "error"))
                    self.assertIn("receiving from rank", event["error"])


@unittest.skipIf(harness.is_sanitized(Config.program), "it has traces of its own")
class Faults(Case):
    """A process that dies of a fault says which it was and where, if it was asked to,
    and ends as it would have."""

    def assert_trace(self, text, name, rank=0):
        first = re.search(rf"dfopt-mpi: rank {rank}, process [0-9]+ on \S+, ended by {name}"
                          r"( at address 0x[0-9a-f]+)?; called from\n", text)
        self.assertTrue(first, text[-3000:])
        calls = text[first.end():].split("\n")
        self.assertTrue(any("dfopt-mpi(" in x for x in calls), text[-3000:])
        return first[1]

    def test_before_mpi_has_started(self):
        f = self.write("in.jsonl", lines(session(1, 2)))
        for ranks in None, 2:
            for trace in True, False:
                with self.subTest(ranks=ranks, trace=trace):
                    rank = 1 if ranks else 0
                    r = run(["--findings-file", f] + ["--fault-trace"] * trace, ranks,
                            wrapper=bad(rank=rank, start=1))
                    self.assertEqual(r.code, 139 if ranks else -signal.SIGSEGV, r.text)
                    self.assertEqual("ended by" in r.text, trace, r.text)
                    if trace:
                        self.assertEqual(self.assert_trace(r.text, "SIGSEGV", rank),
                                         " at address 0x0")

    def test_while_it_runs(self):
        for number in signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS:
            with self.subTest(number.name):
                mine, other = os.pipe() # standard input that does not end
                running = harness.Running(["--findings-file", "-", "--fault-trace"],
                                          stdin=mine)
                self.addCleanup(running.kill)
                os.close(mine)
                os.write(other, lines(session(1, 2))) # what it is shows in its bytes
                try:
                    wait_until(lambda: "optimizer.start" in running.so_far(), 60, "a start")
                    os.kill(running.process.pid, number)
                    r = running.finish()
                finally:
                    os.close(other)
                self.assertEqual(r.code, -number, r.text)
                self.assert_trace(r.text, number.name)


@unittest.skipUnless(Config.log_program, "no dfopt-log in this build")
class CutLogs(Case):
    """dfopt-log over what is left of a log: an answer or an error, never a crash."""

    def test_every_command_says_something(self):
        self.run_ok(["--findings-file", self.write("in.jsonl", lines(session(2, 5))),
                     "--decision-log", self.path("log.h5")])
        whole = self.read("log.h5")
        jobs, cuts = [], 3 if is_slow() else 7
        for i in range(cuts):
            cut = self.write(f"cut{i}.h5", whole[:len(whole) * i // cuts])
            jobs += [{"args": [c, cut], "program": Config.log_program}
                     for c in ("summary", "check", "dump")]
        for job, r in zip(jobs, harness.run_each(jobs)):
            self.assert_ran(r)
            with self.subTest(command=job["args"]):
                self.assertGreaterEqual(r.code, 0, "ended by a signal")
                self.assertTrue(r.out or r.text)
                if r.code:
                    self.assertIn(job["args"][1], r.text)


if __name__ == "__main__":
    main()
