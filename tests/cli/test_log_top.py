"""dfopt-log top: one screen of a run, printed and on a terminal of the test's own."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import harness
import test_log_commands
from harness import Config, event, lines, loader_registration, main, session, wait_until

ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Za-z0-9]|[=>78])")
COLORS = re.compile(rb"\x1b\[(?:[0-9;]*;)?3[1-7]m")
DEADLINE_S = 60


class Terminal:
    """A program on a terminal; what it wrote."""

    def __init__(self, argv, term="xterm-256color", size=(24, 80)):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM=term, LC_ALL="C.UTF-8")
            for name in ("LINES", "COLUMNS", "NO_COLOR"):
                os.environ.pop(name, None)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            os.execv(argv[0], argv)
        self.raw = b""
        self.code = None

    def read(self):
        with contextlib.suppress(OSError):
            while select.select([self.fd], [], [], 0)[0]:
                data = os.read(self.fd, 65536)
                if not data:
                    break
                self.raw += data
        return ESCAPES.sub(b"", self.raw).decode("utf-8", "replace")

    def wait_for(self, text):
        def shows():
            if text in self.read():
                return True
            os.write(self.fd, b"\x0c")  # Ctrl-L: all of it again, not what has changed
            time.sleep(0.1)
            return False
        wait_until(shows, DEADLINE_S, f"{text!r} in {self.read()!r}")

    def send(self, keys):
        """Keys; what was written before is forgotten."""
        self.read()
        self.raw = b""
        os.write(self.fd, keys)

    def resize(self, rows, columns):
        self.read()
        self.raw = b""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self):
        """Its exit code, once it has ended."""
        def ended():
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            return pid
        if self.code is None:
            wait_until(ended, DEADLINE_S, f"its end: {self.read()!r}")
        return self.code

    def kill(self):
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        with contextlib.suppress(OSError):
            os.close(self.fd)


class Top(test_log_commands.Commands):
    def run_log(self, nodes=4, windows=20):
        return self.replay([event("registration", loader_registration()),
                            *session(nodes, windows)])

    def once(self, path, *args):
        out = self.log("top", "--once", *args, path, env={"LC_ALL": "C.UTF-8"}).out.decode()
        return out.splitlines()

    def test_figures(self):
        path = self.run_log()
        out = self.once(path, "--rows", "60", "--columns", "120")
        summary = json.loads(self.log("summary", "--json", path).out)
        self.assertIn("complete", out[0])
        self.assertIn(path, out[0])
        plans = self.rows("plans", "--json", path)
        kept = sum(p["outcome"] == "kept" for p in plans)
        self.assertRegex(out[2], rf"plans {len(plans)} ")
        self.assertGreater(kept, 0)
        self.assertRegex(out[2], rf"findings {len(self.rows('dump', '--kind', 'finding', path))} ")
        names = {k["knob"]: k for k in summary["knobs"]}
        titles = [i for i, line in enumerate(out) if re.match(r" (KNOBS|NODES|WINDOW)", line)]
        self.assertEqual(len(titles), 3)
        knobs = out[titles[0] + 1:titles[1]]
        self.assertEqual(len(knobs), len(names))
        for line in knobs:
            knob = line.split()[0]
            made = sum(p["knob"] == knob for p in plans)
            self.assertIn(str(made), line.split())
        for line, p in zip(out[titles[2] + 1:], reversed(plans)):
            fates = {"taken_back": "reverted", None: "open", "unanswered": "open",
                     "open": "on trial" if p["fate"] == "applied" else "open"}
            self.assertIn(f" {fates.get(p['outcome'], p['outcome'])} ", line + " ", p)
        newest = max(plans, key=lambda p: (p["seq"], p["number"]))
        self.assertEqual(out[titles[2] + 1].split()[:1], [str(newest["window"])])
        self.assertIn(newest["knob"], out[titles[2] + 1].split())

    def test_sizes(self):
        path = self.run_log(30)
        for rows, columns in ((10, 40), (24, 80), (50, 200), (200, 300)):
            with self.subTest(rows=rows, columns=columns):
                out = self.once(path, "--rows", rows, "--columns", columns)
                self.assertEqual(len(out), rows - 1)
                self.assertLessEqual(max(map(len, out)), columns)

    def test_names_are_harmless(self):
        evil = "node\x1b[31m\n\u4e16\u754c" + "x" * 300
        records = [event("registration", loader_registration())]
        records += [event("finding", harness.finding(w, evil)) for w in range(1, 4)]
        out = self.once(self.replay(records), "--rows", "24", "--columns", "80")
        self.assertEqual(len(out), 23)
        self.assertNotIn("\x1b", "".join(out))

    def test_empty(self):
        out = self.once(self.replay([]))
        self.assertIn("window -  ", out[1])
        self.assertIn("findings 0  plans 0", out[2])

    def test_long(self):
        """A long log is shown from its latest part on, and says from where."""
        findings = [event("finding", harness.finding(w, "node1")) for w in range(1, 200_101)]
        path = self.replay(findings)
        for columns in (80, 200):
            self.assertRegex(self.once(path, "--columns", columns)[0],
                             r"^ dfopt-log top  \S.*  since event 1\d\d +complete$")

    def test_narrow(self):
        """The objective is on 80 columns, too."""
        records = [event("registration", loader_registration())]
        for window in range(1, 21):
            records.append(event("finding", harness.finding(window, "node1")))
            records.append(event("objective", {
                "node": None, "window_index": window, "value": 100 + window}))
        out = self.once(self.replay(records), "--rows", "24", "--columns", "80")
        self.assertIn("objective 120 (+19 %)", out[2])

    def terminal(self, *args, **more):
        t = Terminal([Config.log_program, "top", *args], **more)
        self.addCleanup(t.kill)
        return t

    def test_keys(self):
        t = self.terminal(self.run_log())
        for text in ("KNOBS", "NODES", "PLANS", "app.prefetch", "node001", "q quit"):
            t.wait_for(text)
        self.assertTrue(COLORS.search(t.raw))
        t.send(b"s")
        t.wait_for("plans")
        t.send(b"\t")
        t.send(b"s")
        t.wait_for("name")
        t.send(b"/node002\r")
        t.wait_for("NODES 1")
        t.send(b"\r")
        t.wait_for("why app.")
        t.wait_for("on node002")
        t.wait_for("another change is on trial")
        self.assertNotIn("waiting for its verdict", t.read())
        t.send(b"\033OC" * 2)  # the right arrow
        t.wait_for("waiting for its verdict")
        t.send(b"q")
        t.wait_for("NODES 1")
        t.send("/ü\x7f?".encode())
        t.wait_for("filter: node002?_")
        t.send(b"\033")
        t.wait_for("NODES 5")
        t.send(b"q")
        self.assertEqual(t.end(), 0)

    def test_resize(self):
        t = self.terminal(self.run_log())
        t.wait_for("q quit")
        for size in ((50, 200), (5, 20), (24, 80)):
            t.resize(*size)
            t.wait_for("too small" if size[0] == 5 else "LAST OUTCOME")
        t.send(b"q")
        self.assertEqual(t.end(), 0)

    def test_resumed(self):
        """A log that is resumed is another file: it is followed."""
        path = self.path("shown.h5")
        os.rename(self.run_log(4), path)
        t = self.terminal(path)
        t.wait_for("NODES 5")
        os.rename(self.run_log(7), path)
        t.wait_for("NODES 8")
        t.send(b"q")
        self.assertEqual(t.end(), 0)

    def test_terminals(self):
        path = self.run_log()
        t = self.terminal(path, term="vt100")
        t.wait_for("q quit")
        t.send(b"q")
        self.assertEqual(t.end(), 0)
        self.assertFalse(COLORS.search(t.raw))
        for term, why in (("", "TERM is not set"), ("no-such-terminal", "is not known"),
                          ("dumb", "is too simple")):
            t = self.terminal(path, term=term)
            t.wait_for(f"{why}; --once prints one screen")
            self.assertEqual(t.end(), 1)
            self.assertNotIn("KNOBS", t.read())
        r = self.log("top", path, code=1)
        self.assertIn("not a terminal; --once prints one screen", r.text)

    def test_signals(self):
        for what in (signal.SIGTERM, signal.SIGINT):
            t = self.terminal(self.run_log(2, 4))
            t.wait_for("q quit")
            os.kill(t.pid, what)
            self.assertEqual(t.end(), 0)

    def test_live(self):
        """It shows what is committed, and that the writer is gone."""
        path = self.path("live.h5")
        records = lines([event("registration", loader_registration()), *session(4, 20)])
        half = records[:len(records) // 2].rpartition(b"\n")[0] + b"\n"
        os.mkfifo(self.path("in"))
        job = harness.Running(["--findings-file", self.path("in"), "--decision-log", path,
                               "--log-flush-interval", "0.05"])
        self.addCleanup(job.kill)
        with open(self.path("in"), "wb", buffering=0) as pipe:
            pipe.write(half)
            wait_until(lambda: os.path.exists(path), DEADLINE_S, "the log")
            t = self.terminal(path, size=(40, 120))
            t.wait_for("live")
            t.wait_for("app.prefetch")
            t.send(b" ")
            t.wait_for("paused")
            t.send(b" ")
            t.wait_for("live")
            pipe.write(records[len(half):])
            t.wait_for("window 20")
            job.kill()
            t.wait_for("writer is gone")
        t.send(b"q")
        self.assertEqual(t.end(), 0)

if __name__ == "__main__":
    main()
