#!/usr/bin/env python3
"""Several programs that want one file; and descriptors, limits and signals as a
launcher or a shell leaves them."""
import json
import os
import resource
import signal

import zmq

import harness
from harness import (Case, DecisionLog, Running, finding, lines, loader_registration,
                     wait_until)

DEADLINE_S = 60
SERVICE = ["--transport", "zmq", "--address", "tcp://127.0.0.1:*", "--bind",
           "--plans-address", "tcp://127.0.0.1:*", "--idle-timeout", "never",
           "--linger", "0"]


class Contention(Case):
    def setUp(self):
        super().setUp()
        self.registry = self.write("registry.json", json.dumps([loader_registration()]))
        self.findings = self.write("in.jsonl", lines(
            finding(w, f"n{n}") for w in range(1, 9) for n in range(4)))
        self.replay = ["--findings-file", self.findings, "--registry-file", self.registry]

    def serve(self, *more):
        """A service that has its outputs open."""
        running = Running([*SERVICE, "--registry-file", self.registry,
                           "--decision-log", self.path("live.h5"), "--plans-file",
                           self.path("live.plans"), "--record", self.path("live.record"),
                           "--log-flush-interval", "0", *more])
        self.addCleanup(running.kill)
        wait_until(lambda: "optimizer.listening" in running.so_far(), DEADLINE_S,
                   "the service")
        return running

    def stop(self, running, code=0, number=signal.SIGTERM):
        running.process.send_signal(number)
        r = running.finish()
        self.assertEqual(r.code, code, r.brief)
        return r

    # ---- outputs of a running program ----

    def test_outputs_of_a_running_service_are_refused(self):
        running = self.serve()
        outputs = ("live.h5", "live.plans", "live.record")
        before = [self.read(f) for f in outputs]
        for option in ("--decision-log", "--plans-file", "--final-state"):
            for f in outputs:
                if option == "--decision-log" and f != "live.h5":
                    continue # no decision log: refused anyway
                with self.subTest(option=option, file=f):
                    r = harness.run([*self.replay, "--plans-file", self.path("other"),
                                     option, self.path(f)])
                    self.assertEqual(r.code, 2, r.brief)
                    self.assertIn(f"{f}: is being written by", r.text)
                    self.assertEqual([self.read(f) for f in outputs], before)
                    self.assertFalse(os.path.exists(self.path("other")))
        r = harness.run([*SERVICE, "--record", self.path("live.record")])
        self.assertEqual(r.code, 2, r.brief)
        self.assertEqual([self.read(f) for f in outputs], before)
        self.stop(running)
        with DecisionLog(self.path("live.h5")) as d:
            self.assertEqual(d.complete, 1)
        self.run_ok([*self.replay, "--decision-log", self.path("live.h5"),
                     "--plans-file", self.path("live.plans")])

    def test_one_file_for_two_outputs(self):
        """By the same name or another, whether it exists or not."""
        os.symlink("same", self.path("link"))
        os.mkdir(self.path("folder"))
        for f in ("same", "link", "folder/../same"):
            for there in (False, True):
                for first, second, arguments in (
                        ("--record", "--plans-file", SERVICE),
                        ("--plans-file", "--final-state", self.replay),
                        ("--decision-log", "--final-state", self.replay)):
                    with self.subTest(file=f, there=there, options=(first, second)):
                        r = harness.run([*arguments, second, self.path(f), first,
                                         self.path("same")])
                        self.assertEqual(r.code, 2, r.brief)
                        self.assertIn(f"{second} {self.path(f)}: also the file of {first}",
                                      r.text)
                        self.assertEqual(os.path.exists(self.path("same")), there)
                if not there:
                    self.write("same", "")
            os.unlink(self.path("same"))
        r = self.run_ok([*self.replay, "--plans-file", "/dev/null", "--final-state",
                         "/dev/null"])
        r = harness.run([*self.replay, "--decision-log", self.path("x"), "--plans-file",
                         self.path("x.journal")])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("the journal of the decision log", r.text)

    def test_an_output_over_an_input(self):
        policy, sweep = self.write("policy", "{}"), self.write("sweep", "{}")
        replay = [*self.replay, "--policy", policy]
        for arguments, option, inputs in (
                (replay, "--plans-file", (self.registry, policy)),
                (replay, "--final-state", (self.registry, policy)),
                ([*replay, "--sweep", sweep], "--sweep-output", (policy, sweep)),
                ([*SERVICE, "--policy", policy], "--endpoints-file", (policy,))):
            for f in inputs:
                with self.subTest(option=option, file=f):
                    with open(f, "rb") as opened:
                        before = opened.read()
                    r = harness.run([*arguments, option, f])
                    self.assertEqual(r.code, 2, r.brief)
                    self.assertIn(f"{option} {f}: also the file of --", r.text)
                    with open(f, "rb") as opened:
                        self.assertEqual(opened.read(), before)

    def test_a_link_to_the_log(self):
        """It is followed, to a log that is there or not yet."""
        os.symlink("log.h5", self.path("link.h5"))
        for _ in range(2):
            self.run_ok([*self.replay, "--decision-log", self.path("link.h5")])
            self.assertTrue(os.path.islink(self.path("link.h5")))
            with DecisionLog(self.path("log.h5")) as d:
                self.assertEqual(d.complete, 1)
        os.symlink("loop.h5", self.path("loop.h5"))
        r = harness.run([*self.replay, "--decision-log", self.path("loop.h5")])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("loop.h5: ", r.text)

    def test_the_journal_is_found(self):
        """By any name of the log; what is lost without it is reported."""
        for how in ("link", "missing"):
            with self.subTest(how):
                running = self.serve("--log-flush-interval", "3600")
                with zmq.Context() as context, context.socket(zmq.PUSH) as findings:
                    line = next(x for x in running.so_far().splitlines()
                                if '"optimizer.listening"' in x)
                    findings.connect(json.loads(line)["findings"])
                    findings.send_multipart([b"{}", json.dumps(finding(1, "n0")).encode()])
                    wait_until(lambda: "optimizer.plan" in running.so_far(), DEADLINE_S, "plans")
                running.kill()
                log = self.path("link.h5")
                if how == "link":
                    os.symlink("live.h5", log)
                else:
                    os.unlink(log)
                    log = self.path("live.h5")
                    os.unlink(self.path("live.h5.journal"))
                again = Running([*SERVICE, "--registry-file", self.registry, "--resume", log])
                self.addCleanup(again.kill)
                wait_until(lambda: "optimizer.listening" in again.so_far(), DEADLINE_S, "it")
                r = self.stop(again)
                self.assertEqual(len(r.named("optimizer.journal.missing")), how == "missing")
                with DecisionLog(self.path("live.h5")) as d:
                    self.assertEqual(d.rows("findings"), how == "link")

    def test_an_output_that_is_moved_away(self):
        for f in ("live.h5", "live.plans", "live.record"):
            for then in ("moved", "replaced"):
                with self.subTest(file=f, then=then):
                    running = self.serve()
                    os.rename(self.path(f), self.path("away"))
                    if then == "replaced":
                        self.write(f, "another's")
                    r = self.stop(running, 1)
                    self.assertIn(f"{f}: moved, removed or replaced", r.text)
                    if then == "replaced":
                        self.assertEqual(self.read(f), b"another's")
                        os.unlink(self.path(f))

    def test_the_path_of_an_endpoint(self):
        """A running service keeps its socket, and another file what it holds; the socket
        that a killed one has left is bound again."""
        for option in ("--address", "--plans-address", "--control-address"):
            with self.subTest(option):
                at = ["--control-address", f"ipc://{self.path('own')}/socket"]
                at = at if option == at[0] else [option, f"ipc://{self.path('socket')}"]
                running = self.serve(*at)
                for _ in range(2):
                    r = harness.run([*SERVICE, *at])
                    self.assertEqual(r.code, 2, r.brief)
                    self.assertIn("socket: Address already in use; use another path", r.text)
                running.kill()
                self.stop(self.serve(*at))
                os.unlink(at[1][len("ipc://"):])
                with open(at[1][len("ipc://"):], "w", encoding="utf-8") as f:
                    f.write("another's")
                r = harness.run([*SERVICE, *at])
                self.assertEqual(r.code, 2, r.brief)
                self.assertIn("socket: exists, but is not a socket; not replaced", r.text)
                os.unlink(at[1][len("ipc://"):])

    # ---- several at once ----

    def test_starts_at_once_with_one_log(self):
        """One gets the log, and the others say so. Also over an older log."""
        for older in (False, True):
            with self.subTest(older=older):
                self.starts_at_once()

    def starts_at_once(self, n=4):
        reader, writer = os.pipe() # held open: nobody ends before all have begun
        try:
            runs = [Running(["--findings-file", "-", "--registry-file", self.registry,
                             "--acks", "assumed", "--decision-log", self.path("log.h5")],
                            stdin=reader) for _ in range(n)]
        finally:
            os.close(reader)
        for r in runs:
            self.addCleanup(r.kill)
        wait_until(lambda: sum(r.process.poll() is not None for r in runs) >= n - 1,
                   DEADLINE_S, "all but one to end")
        os.close(writer)
        results = [r.finish() for r in runs]
        self.assertEqual(sorted(r.code for r in results), [0] + [2] * (n - 1),
                         [r.brief for r in results])
        for r in results:
            if r.code:
                self.assertRegex(r.text, "log.h5: (is being written by|another run has)")
        with DecisionLog(self.path("log.h5")) as d:
            self.assertEqual(d.complete, 1)
        self.assertEqual([f for f in os.listdir(self.folder) if ".new" in f], [])

    def test_tasks_that_should_be_ranks(self):
        for env, said in (({"SLURM_STEP_ID": "0", "SLURM_PROCID": "1",
                            "SLURM_NTASKS": "4"}, "srun --mpi=pmix"),
                          ({"PMI_SIZE": "4", "PMI_RANK": "0"}, "mpirun of this MPI"),
                          ({"FLUX_JOB_SIZE": "2"}, "flux run"),
                          ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, None), # batch
                          ({"SLURM_STEP_ID": "0", "SLURM_NTASKS": "1"}, None)):
            with self.subTest(env=env):
                r = self.run_ok(self.replay, env=env)
                found = r.named("optimizer.ranks.separate")
                self.assertEqual(len(found), said is not None, r.brief)
                if said:
                    self.assertIn(said, found[0]["then"])

    # ---- limits and signals ----

    def has_findings(self):
        try:
            with DecisionLog(self.path("log.h5")) as d:
                return d.rows("findings") > 0
        except OSError: # it is being made
            return False

    def test_a_limit_of_file_sizes_is_a_full_disk(self):
        """The limit comes when MPI has started, which needs larger files itself."""
        reader, writer = os.pipe()
        running = Running(["--findings-file", "-", "--registry-file", self.registry,
                           "--acks", "assumed", "--decision-log", self.path("log.h5"),
                           "--log-flush-interval", "0", "--log-level", "error",
                           "--plans-file",
                           self.path("plans")], stdin=reader)
        os.close(reader)
        self.addCleanup(running.kill)
        os.write(writer, lines([finding(1, "n0")]))
        wait_until(self.has_findings, DEADLINE_S, "a finding in the log")
        limit = 50_000
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        with os.fdopen(writer, "wb") as f:
            f.write(lines(finding(w, f"n{n}") for w in range(2, 200) for n in range(20)))
        r = running.finish()
        self.assertEqual(r.code, 1, r.brief)
        failed = " ".join(e["error"] for e in r.named("optimizer.output.failed"))
        for f in ("plans", "log.h5"):
            self.assertIn(f"{self.path(f)}: ", failed)
        self.assertEqual(failed.count("File too large"), 2)
        self.assertLessEqual(os.path.getsize(self.path("plans")), limit)
        plans = self.read("plans")
        self.assertTrue(plans.endswith(b"\n"))
        for line in plans.splitlines():
            json.loads(line)
        self.assertTrue(self.has_findings()) # up to its last flush

    def test_no_free_descriptor(self):
        """A service warns that nobody else can connect, and dfopt-ctl does not abort."""
        running = self.serve()
        listening = next(json.loads(x) for x in running.so_far().splitlines()
                         if '"optimizer.listening"' in x)
        of = running.process.pid
        self.assertEqual(*resource.prlimit(of, resource.RLIMIT_NOFILE)) # it was raised
        before = resource.prlimit(of, resource.RLIMIT_NOFILE)
        few = len(os.listdir(f"/proc/{of}/fd")) + 2
        resource.prlimit(of, resource.RLIMIT_NOFILE, (few, before[1]))
        with zmq.Context() as context:
            peers = [context.socket(zmq.PUSH) for _ in range(8)]
            for peer in peers:
                peer.linger = 0
                peer.connect(listening["findings"])
            wait_until(lambda: '"optimizer.descriptors"' in running.so_far(), DEADLINE_S,
                       "a warning")
            for peer in peers:
                peer.close()
        resource.prlimit(of, resource.RLIMIT_NOFILE, before)
        self.assertEqual(self.stop(running).named("optimizer.descriptors")[0]["limit"], few)
        program = os.path.join(os.path.dirname(harness.Config.program), "dfopt-ctl")
        for n in (5, 6, 8, 12):
            r = harness.run(["--control-address", "tcp://127.0.0.1:9", "status"],
                            program=program, preexec=lambda n=n: resource.setrlimit(
                                resource.RLIMIT_NOFILE, (n, n)))
            self.assertEqual(r.code, 1, r.text)
            self.assertIn("needs 14 file descriptors", r.text)

    def test_signals_that_end_in_good_order(self):
        for number in (signal.SIGHUP, signal.SIGXCPU, signal.SIGUSR1):
            with self.subTest(number=number):
                self.stop(self.serve(), number=number)
                with DecisionLog(self.path("live.h5")) as d:
                    self.assertEqual(d.complete, 1)

    def test_signals_that_are_ignored(self):
        running = self.serve()
        for number in (signal.SIGUSR2, signal.SIGXFSZ, signal.SIGPIPE):
            running.process.send_signal(number)
        self.stop(running)

    def test_nohup(self):
        running = Running([*SERVICE, "--decision-log", self.path("live.h5")],
                          preexec=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.addCleanup(running.kill)
        wait_until(lambda: "optimizer.listening" in running.so_far(), DEADLINE_S, "it")
        with open(f"/proc/{running.process.pid}/status") as f:
            ignored = next(l.split()[1] for l in f if l.startswith("SigIgn:"))
        self.assertTrue(int(ignored, 16) >> (signal.SIGHUP - 1) & 1)
        self.stop(running)

    # ---- standard descriptors ----

    def test_closed_descriptors(self):
        """Nothing gets their numbers: MPI's internal pipe became standard input."""
        for closed in ((0,), (1,), (2,), (0, 1), (0, 1, 2)):
            with self.subTest(closed=closed):
                plans = self.path("plans")
                r = harness.run([*self.replay, "--plans-file", plans],
                                preexec=lambda c=closed: [os.close(fd) for fd in c])
                self.assertEqual(r.code, 0, r.brief)
                self.assertTrue(self.read("plans"))
                if 1 in closed:
                    self.assertEqual(r.out, b"")
        r = harness.run(["--findings-file", "-"], preexec=lambda: os.close(0))
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("standard input: closed", r.text)
        for option in ("--plans-file", "--final-state"):
            r = harness.run([*self.replay, option, "-"], preexec=lambda: os.close(1))
            self.assertEqual(r.code, 2, r.brief)
            self.assertIn("standard output is closed", r.text)


if __name__ == "__main__":
    harness.main()
