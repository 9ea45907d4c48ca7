"""A supervisor as systemd is one: its notify socket is told when the service is ready,
what it does and that it stops; its watchdog is fed while all ranks answer, and kills
the service when one does not; the service that follows resumes, and nothing is lost."""
import contextlib
import json
import os
import signal
import socket
import time

import online  # first: it finds harness
import harness
from harness import Case, DecisionLog, main, rank_process, session_processes
from online import App, Service, wait_until
from test_kills import POLICY

DEADLINE_S = 60
WATCHDOG_S = 2


class Supervisor:
    """The socket, and what came."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(path)
        self.fed = None
        self.told = []

    def look(self):
        """Takes what has come; returns all lines so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                for line in self.socket.recv(65536).decode().splitlines():
                    if line == "WATCHDOG=1":
                        self.fed = time.monotonic()
                    self.told.append(line)
        return self.told

    def begin(self):
        self.look()  # what the service before has told
        self.told, self.fed = [], None
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": str(WATCHDOG_S * 1000000)}

    def is_hungry(self):
        self.look()
        return self.fed is not None and time.monotonic() - self.fed > WATCHDOG_S


class Notify(Case):
    def setUp(self):
        super().setUp()
        self.supervisor = Supervisor(self.path("notify"))
        self.addCleanup(self.supervisor.socket.close)
        self.at = online.held_endpoints(self)
        self.log = self.path("log.h5")
        self.policy = self.write("policy.json", json.dumps(POLICY))

    def start(self, how, ranks):
        env = self.supervisor.begin()
        os.environ.update(env)
        try:
            self.service = Service("--policy", self.policy, how, self.log, "--linger", "0.1",
                                   "--log-flush-interval", "0.2", at=self.at, ranks=ranks)
        finally:
            for name in env:
                del os.environ[name]
        self.addCleanup(self.service.kill)
        self.service.listening()
        self.wait_told("READY=1")

    def wait_told(self, start):
        wait_until(lambda: any(s.startswith(start) for s in self.supervisor.look()),
                   DEADLINE_S, f"{start} in {self.supervisor.told}:\n"
                   f"{self.service.so_far()[-2000:]}")

    def restart(self):
        """As Restart=on-failure with WatchdogSignal=SIGKILL: all of it goes."""
        for pid in session_processes(self.service.sid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.service.process.wait()
        self.start("--resume", 3)

    def test_life(self):
        self.start("--decision-log", 1)
        self.app = App(self.path("app"), "node1", self.at, findings=True)
        self.addCleanup(self.app.kill)
        self.app.wait_for_plans(self.service)
        self.wait_told("WATCHDOG=1")
        self.wait_told("STATUS=")
        self.assertEqual(self.supervisor.told[0], "READY=1")
        self.assertEqual(self.supervisor.told.count("READY=1"), 1)
        r = self.service.stop()
        self.assertEqual(r.code, 0, r.brief)
        self.assertEqual(self.supervisor.look().count("STOPPING=1"), 1)

    def test_reload(self):
        """Told to read the policy again, it says when it begins and when it is done, also
        if the policy is refused; told through mpirun, too."""
        for ranks, signals in ((None, (signal.SIGHUP, signal.SIGUSR2)), (2, (signal.SIGUSR2,))):
            self.log = self.path(f"log{ranks}.h5")
            self.write("policy.json", json.dumps(POLICY))
            self.start("--decision-log", ranks)
            for text in (json.dumps(POLICY), json.dumps(dict(POLICY, nonsense=1)), "{"):
                self.write("policy.json", text)
                for number in signals:
                    self.supervisor.told.clear()
                    before = time.monotonic_ns()
                    self.service.process.send_signal(number)  # to mpirun, if there is one
                    self.wait_told("READY=1")
                    told = [s for s in self.supervisor.told
                            if s.split("=")[0] in ("RELOADING", "MONOTONIC_USEC", "READY")]
                    self.assertEqual([told[0], told[-1], len(told)],
                                     ["RELOADING=1", "READY=1", 3])
                    at = int(told[1].removeprefix("MONOTONIC_USEC="))
                    self.assertGreaterEqual(at, before // 1000)
                    self.assertLessEqual(at, time.monotonic_ns() // 1000)
            r = self.service.stop()
            self.assertEqual(r.code, 0, r.brief)
            refused = r.text.count("nonsense")
            self.assertGreaterEqual(refused, len(signals), r.brief)
            with DecisionLog(self.log) as d:
                self.assertGreaterEqual(d.rows("controls"), len(signals))

    def test_watchdog(self):
        """A worker stands still, then rank 0 does."""
        self.start("--decision-log", 3)
        self.app = App(self.path("app"), "node1", self.at, findings=True)
        self.addCleanup(self.app.kill)
        self.app.wait_for_plans(self.service)
        self.wait_told("WATCHDOG=1")
        for rank, status in ((2, "STATUS=ranks: rank 2 has not answered"), (0, None)):
            os.kill(rank_process(self.service.sid, rank), signal.SIGSTOP)
            if status:
                self.wait_told(status)
            wait_until(self.supervisor.is_hungry, DEADLINE_S, "the watchdog bites")
            self.restart()
            self.wait_told("WATCHDOG=1")
            self.app.wait_for_plans(self.service)
        r = self.service.stop()
        self.assertEqual(r.code, 0, r.brief)
        self.assertEqual(self.app.finish(), 0)
        with DecisionLog(self.log) as d:
            self.assertEqual((d.complete, d.rows("runs")), (1, 3))
            kept = set(d.plan_ids("plans"))
        got = self.app.plans()
        self.assertGreaterEqual(len(got), 9)
        self.assertEqual(got - kept, set())

    def kill_signal(self, folder):
        """What the units have systemd send."""
        found = set()
        for name in ("dfopt-mpi.service", "dfopt-mpi-job@.service"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                found |= {s.strip() for s in f if s.startswith("KillSignal=")}
        self.assertEqual(len(found), 1)
        return signal.Signals[found.pop().removeprefix("KillSignal=")]

    def test_script(self):
        """jobs/systemd/service.sh begins a log, and resumes it when it is killed; stopped
        as the units do, it ends well."""
        script = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "jobs",
                              "systemd", "service.sh")
        launcher = ["--oversubscribe", "--bind-to", "none"]
        launcher += ["--allow-run-as-root"] if os.geteuid() == 0 else []
        if harness.is_sanitized(harness.Config.program):
            launcher += ["-x", f"LD_PRELOAD={harness.Config.mpi_leaks}"]
        options = ["--transport", "zmq", "--address", "tcp://127.0.0.1:*", "--bind"]
        for run in (1, 2):
            env = dict(harness.environment(harness.Config.program, None),
                       **self.supervisor.begin(), WATCHDOG_PID="1", DFOPT_RANKS="2",
                       DFOPT_BIN=os.path.dirname(harness.Config.program),
                       DFOPT_METRICS="none", STATE_DIRECTORY=self.path("."),
                       DFOPT_OPTIONS=" ".join(options),
                       DFOPT_LAUNCHER_OPTIONS=" ".join(launcher))
            with open(self.path(f"err{run}"), "wb") as err:
                self.service = online.Started(["sh", script], env, err)
            self.addCleanup(self.service.kill)
            self.wait_told("READY=1")
            self.wait_told("WATCHDOG=1")
            if run == 1:
                self.service.kill()
        self.service.process.send_signal(self.kill_signal(os.path.dirname(script)))
        self.assertEqual(self.service.process.wait(DEADLINE_S), 0)
        with DecisionLog(self.path("decisions.h5")) as d:
            self.assertEqual((d.complete, d.rows("runs")), (1, 2))


if __name__ == "__main__":
    main()
