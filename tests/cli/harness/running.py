"""Runs programs, to the end or in the background, and reads their output."""
import concurrent.futures
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

from .config import REPORTS, Config
from .launch import command, environment
from .processes import session_processes


class Result:
    """How a run ended: code, out and err (bytes), events (of the log lines)."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.text = err.decode("utf-8", "replace")
        self.events, self.other_lines = [], []
        for line in self.text.split("\n"):
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            if isinstance(event, dict) and "event" in event:
                self.events.append(event)
            elif line.strip():
                self.other_lines.append(line)

    def named(self, event):
        return [e for e in self.events if e["event"] == event]

    @property
    def brief(self):
        """Standard error for a failure's message: without the plans, not too long."""
        kept = [s for s in self.text.split("\n") if '"event":"optimizer.plan"' not in s]
        return "\n".join(s[:600] for s in kept[-25:])

    @property
    def done(self):
        lines = self.named("optimizer.file.done")
        if len(lines) != 1:
            raise AssertionError(f"{len(lines)} optimizer.file.done in:\n{self.brief}")
        return lines[0]


class Running:
    """A run under way. Its output goes to files, so that it never waits for us."""

    def __init__(self, args, ranks=None, env=None, stdin=subprocess.DEVNULL,
                 stdout=None, program=None, wrapper=(), preexec=None):
        program = program or Config.program
        full = environment(program, env)
        self.files = [tempfile.TemporaryFile() for _ in range(2)]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command(program, args, ranks, full, wrapper), env=full, stdin=stdin,
            stdout=stdout or self.files[0], stderr=self.files[1],
            start_new_session=True, preexec_fn=preexec)
        self.sid = self.process.pid

    def so_far(self):
        """Standard error until now."""
        size = os.fstat(self.files[1].fileno()).st_size
        return os.pread(self.files[1].fileno(), size, 0).decode("utf-8", "replace")

    def kill(self):
        for pid in session_processes(self.sid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def finish(self, timeout=60, sanitizers=True):
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"still running after {timeout} s; standard error:\n{self.so_far()}")
        finally:
            self.kill()
        text = []
        for f in self.files:
            f.seek(0)
            text.append(f.read())
            f.close()
        result = Result(code, *text)
        if sanitizers and any(report in result.text for report in REPORTS):
            raise AssertionError(
                f"a sanitizer's report (code {code}):\n{result.text[-4000:]}")
        return result


def run(args, ranks=None, env=None, stdin=None, timeout=60, **more):
    """Runs to the end. stdin: bytes, an open file or None. Returns a Result."""
    sanitizers = more.pop("sanitizers", True)
    with tempfile.TemporaryFile() as f:
        if isinstance(stdin, bytes):
            f.write(stdin)
            f.seek(0)
            stdin = f
        return Running(args, ranks, env, stdin or subprocess.DEVNULL,
                       **more).finish(timeout, sanitizers)


def run_each(jobs, at_once=3):
    """Runs several at once; jobs are the keyword arguments of run(). Results are in
    the order of the jobs; a run that failed by itself is its AssertionError."""
    def one(job):
        try:
            return run(**job)
        except AssertionError as e:
            return e
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, jobs))


def run_as_nobody(args):
    """As a user who may do nothing; needs root. Skips where that user cannot even
    start the program (a build below a home, say)."""
    try:
        return run(args, preexec=lambda: (os.setgid(65534), os.setuid(65534)))
    except PermissionError as e:
        raise unittest.SkipTest(f"nobody cannot start the program: {e}")
