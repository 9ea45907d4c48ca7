#!/usr/bin/env python3
"""TunableLoader and an optimizer: plans at batches, windows as objectives and findings,
memory and cores as budgets, reports; and four ranks that change together."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from multiprocessing import process
from unittest import mock

import loaders  # noqa: F401  ends here if there is no torch
import torch
import zmq
from dfopt_client import OptimizerContext
from dfopt_client import _loader as loader_module
from dfopt_client import _machine as machine
from dfopt_client import _tuning as tuning
from dfopt_client import context as context_module
from dfopt_client.errors import ArgumentError
from dfopt_client.torch import TunableLoader, auto
from loaders import Content, Stream, plain, wait_for_workers
from peer import DEADLINE_S, HOST, PeerTest, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))


class LoaderTest(PeerTest):
    def setUp(self):
        super().setUp()
        for name in ("objectives", "findings"):
            socket = self.peer.context.socket(zmq.PULL)
            port = socket.bind_to_random_port("tcp://127.0.0.1")
            self.peer.sockets[name] = socket
            self.peer.endpoints[name] = f"tcp://127.0.0.1:{port}"
        self.addCleanup(self.forget)

    @staticmethod
    def forget():
        loader_module._tuner = loader_module._tuned = None

    def loader(self, dataset, window=0.001, **given):
        context = OptimizerContext("app", hostname=HOST, **self.peer.context_options())
        context.start()
        self.addCleanup(context.stop, 0)
        return TunableLoader(dataset, optimizer=context, window=window, **given)

    def plan(self, parameter, value, **more):
        self.n = getattr(self, "n", 0) + 1
        self.peer.send(plan_id=f"p{self.n}", knob_id=f"app.loader.{parameter}",
                       target_function="TunableLoader.loader", old_value=None, new_value=value,
                       **more)


class Tuned(LoaderTest):
    def test_plans(self):
        """They hold from a batch on, in the epoch, and in those that follow."""
        loader = self.loader(Content(10**7), batch_size=2, num_workers=auto(1, max=4))
        registered = self.peer.receive("registry")[1]
        self.assertEqual({p: (k["range"], k["scope"]) for p, k in
                          registered["knobs"].items()},
                         {"num_workers": ([1, 4], "node"),
                          "prefetch_factor": ([2 - 1, 8], "node")})
        got, until = [], time.monotonic() + DEADLINE_S
        for n, batch in enumerate(loader):
            got += plain(batch)[0]
            self.assertLess(time.monotonic(), until)
            if n == 3:
                self.plan("num_workers", 3)
                self.plan("prefetch_factor", 5)
            if loader.num_workers == 3 and loader.prefetch_factor == 5 and n > 1000:
                break
        acks = [self.peer.ack() for _ in range(2)]
        self.assertEqual({a["status"] for a in acks}, {"applied"})
        self.assertEqual(got, list(range(len(got))))
        report = loader.tuning_report()
        self.assertIn("num_workers 1 -> 3", report)
        self.assertIn("prefetch_factor 2 -> 5", report)
        self.assertIn("now num_workers=3, prefetch_factor=5", report)
        run = iter(loader)
        next(run)
        self.assertEqual(len(loader._epoch().pids), 3)
        state = loader.state_dict()
        self.assertEqual((state["num_workers"], state["prefetch_factor"]), (3, 5))
        del run
        wait_for_workers()

    def test_loops_beside_each_other(self):
        """Each changes, whichever took the plan."""
        loader = self.loader(Content(400), num_workers=auto(1, max=4))
        runs = [iter(loader) for _ in range(2)]
        got = [[], []]
        for n in range(400):
            for run, seen in zip(runs, got):
                seen += plain(next(run))[0]
            if n == 3:
                self.plan("num_workers", 2)
                wait_until(lambda: loader._tuner.context.client.stats().plans_received,
                           "the plan")
        self.assertEqual(got, 2 * [list(range(400))])
        self.assertEqual([len(run._epoch.pids) for run in runs], [2, 2])
        self.assertEqual(self.peer.ack()["status"], "applied")

    def test_made_again_for_each_epoch(self):
        """While the one before is there still. Each takes its turn; none takes another's place
        within an epoch."""
        data = Content(8)
        first = self.loader(data, num_workers=auto(1, max=4))
        again = {"optimizer": first._tuner.context, "num_workers": auto(1, max=4)}
        loader = first
        for _ in range(4):
            tuner = loader._tuner
            self.assertIsNotNone(tuner)
            for _ in loader:
                other = TunableLoader(data, **again)
                self.assertIsNone(other._tuner)
                self.assertIs(loader._tuner, tuner)
            before, loader = loader, TunableLoader(data, **again)
            self.assertIs(loader._tuner, tuner)
            self.assertIn("another loader of the same data", before.tuning_report())
        list(first)
        self.assertIs(first._tuner, tuner)
        self.assertIsNone(loader._tuner)
        self.assertEqual(tuner.step, 5 * 8)

    def test_starting_workers_is_waiting(self):
        loader = self.loader(Content(4), window=3600, num_workers=1)
        real = process.BaseProcess.start

        def start(this):
            time.sleep(0.1)
            return real(this)

        with mock.patch.object(process.BaseProcess, "start", start):
            next(iter(loader))
        self.assertGreaterEqual(loader._tuner._fetch, 0.1)

    def test_in_a_child(self):
        """It loads there, untuned; and the workers of the parent stay the parent's."""
        for persistent in (False, True):
            loader = self.loader(Content(30), num_workers=auto(1, max=4),
                                 persistent_workers=persistent)
            list(loader)
            child = os.fork()
            if not child:
                code = 1
                try:
                    right = [i for b in loader for i in plain(b)[0]] == list(range(30))
                    code = not (right and "another process" in loader.tuning_report())
                finally:
                    os._exit(code)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            self.assertEqual([i for b in loader for i in plain(b)[0]], list(range(30)))
            self.assertIsNotNone(loader._tuner)
            loader._tuner.context.stop(0)
            del loader
            self.forget()
        wait_for_workers()

    def test_an_epoch_that_is_left(self):
        """What follows a break is not the loop's time."""
        loader = self.loader(Content(40), window=3600, num_workers=1)
        next(iter(loader))
        time.sleep(0.2)
        next(iter(loader))
        tuner = loader._tuner
        self.assertLess(tuner._compute, 0.1)

    def test_report_of_a_long_run(self):
        loader = self.loader(Content(8))
        tuner = loader._tuner
        tuner.windows = [tuning.Window(n, 10 * n, 100.0, 0.5, 1, 2, 0.0, n == 2000)
                         for n in range(1, 5001)]
        tuner.index = 5001
        tuner.changes = [tuning.Change(2000, 20000, "num_workers 1 -> 2: why")]
        lines = loader.tuning_report().splitlines()
        self.assertLess(len(lines), 60)
        shown = [int(line.split()[0]) for line in lines if line.split()[0].isdigit()]
        self.assertEqual(shown, [*range(1998, 2003), *range(4971, 5001)])
        self.assertEqual([line.strip() for line in lines if "..." in line],
                         ["... 1997 windows", "... 2968 windows"])
        self.assertIn("    100.0 -> 100.0 samples/s (+0%)", lines)

    def test_plans_between_epochs(self):
        """Where evaluations are long all come there. That is not to miss their boundary."""
        loader = self.loader(Content(8), window=3600, num_workers=auto(1, max=4))
        with self.assertNoLogs("dfopt_client", "WARNING"):
            for workers in (2, 3, 4, 2, 1):
                list(loader)
                self.plan("num_workers", workers)
                wait_until(lambda: loader._tuner.context.client.stats().plans_received ==
                           self.n)
                next(iter(loader))
                self.assertEqual(loader.num_workers, workers)

    def test_bounds_of_a_later_loader(self):
        """The process's knobs are those of the first with the name; each keeps its own."""
        first = self.loader(Content(8), num_workers=auto(1, max=4))
        context = first._tuner.context
        list(first)
        del first
        for dataset, workers in ((Content(300), auto(1, max=2)), (Stream(300), 1)):
            loader = TunableLoader(dataset, optimizer=context, window=0.001, num_workers=workers)
            self.plan("num_workers", 3)
            got = []
            while not loader._tuner.changes:
                got = [plain(b)[0][0] for b in loader]
            self.assertEqual(got, list(range(300)))
            ack = self.peer.ack()
            self.assertEqual(ack["status"], "rejected")
            self.assertRegex(ack["reason"], "num_workers of this loader is from 1 to [12]")
            self.assertEqual(loader.num_workers, 1)
            del loader

    def test_a_client_that_is_closed(self):
        """The loop continues without it, as it does without an optimizer."""
        loader = self.loader(Content(40), num_workers=auto(1, max=4))
        run = iter(loader)
        next(run)
        loader._tuner.context.client.close()
        self.assertEqual([len(list(run)), len(list(loader))], [39, 40])
        self.assertIsNone(loader._tuner.context.client)
        self.assertIn("loader: 80 batches", loader.tuning_report())

    def test_windows(self):
        loader = self.loader(Content(4000), batch_size=4, num_workers=1)
        for _ in loader:
            if len(loader._tuner.windows) == 3:
                break
        for index in (1, 2, 3):
            objective = self.peer.receive("objectives")[1]
            self.assertEqual((objective["window_index"], objective["node"]), (index, HOST))
            self.assertGreater(objective["value"], 0)
            self.assertGreater(objective["metrics"]["mem_frac"], 0)
        finding = self.peer.receive("findings")[1]
        self.assertEqual(finding["scope"], f"node:{HOST}:window")

    def test_fixed(self):
        """Numbers are no knobs; without any the loader is a DataLoader."""
        loader = self.loader(Content(8), num_workers=2, prefetch_factor=auto(2, max=4))
        self.assertEqual(list(self.peer.receive("registry")[1]["knobs"]), ["prefetch_factor"])
        self.assertEqual(len(list(loader)), 8)
        del loader
        self.forget()
        for given in ({"num_workers": 2, "prefetch_factor": 2}, {"num_workers": 0}):
            self.assertIsNone(self.loader(Content(8), **given)._tuner)

    def test_one_of_a_process(self):
        first = self.loader(Content(8), num_workers=auto(1, max=4))
        context = first._tuner.context
        with self.assertLogs("dfopt_client", "WARNING"):
            second = TunableLoader(Content(8), optimizer=context)
        self.assertIsNone(second._tuner)
        self.plan("num_workers", 3)
        until = time.monotonic() + DEADLINE_S
        while first.num_workers != 3:
            self.assertLess(time.monotonic(), until)
            list(first)
        del first, second
        third = TunableLoader(Content(8), optimizer=context, num_workers=auto(1, max=4),
                              window=0.001)
        self.assertEqual(third.num_workers, 3)  # goes on where the first was

    def test_no_more_processes(self):
        """A plan whose workers cannot be started is rejected, and says why."""
        loader = self.loader(Content(400), batch_size=2, num_workers=auto(1, max=4))
        real, got = process.BaseProcess.start, []

        def start(this):
            if loader.num_workers == 1 and got:
                raise BlockingIOError(11, "Resource temporarily unavailable")
            return real(this)

        with mock.patch.object(process.BaseProcess, "start", start), \
                self.assertLogs("dfopt_client", "WARNING") as log:
            for n, batch in enumerate(loader):
                got += plain(batch)[0]
                if n == 3:
                    self.plan("num_workers", 3)
                    wait_until(lambda: loader._tuner.context.client.stats().plans_received,
                               "the plan")
        self.assertEqual(got, list(range(400)))
        ack = self.peer.ack()
        self.assertEqual((ack["status"], ack["new_value"]), ("rejected", None))
        self.assertIn("temporarily unavailable", ack["reason"])
        self.assertIn("no other workers could be started", log.output[0])
        self.assertEqual(loader.num_workers, 1)
        self.assertIn("num_workers stays 1: [Errno 11]", loader.tuning_report())
        self.plan("num_workers", 2)  # the next one may be possible
        until = time.monotonic() + DEADLINE_S
        while loader.num_workers != 2:
            self.assertLess(time.monotonic(), until)
            list(loader)
        self.assertEqual(self.peer.ack()["status"], "applied")

    def test_file_of_endpoints(self):
        """DFOPT_CLIENT_ENDPOINTS is enough. That its file is not there is told."""
        folder = tempfile.mkdtemp(prefix="dfopt-tuning-")
        self.addCleanup(shutil.rmtree, folder)
        name = os.path.join(folder, "endpoints.json")
        with mock.patch.dict(os.environ, DFOPT_CLIENT_ENDPOINTS=name), \
                mock.patch.object(context_module, "_global_context", None):
            with self.assertLogs("dfopt_client", "WARNING") as log:
                loader = TunableLoader(Content(8), num_workers=auto(1, max=4))
            self.assertIn("not tuned", loader.tuning_report())
            self.assertIn("no such file", log.output[0])
            context_module._global_context = None
            with open(name, "w", encoding="utf-8") as f:
                json.dump(self.peer.endpoints, f)
            loader = TunableLoader(Content(8), num_workers=auto(1, max=4), window=0.001)
            self.addCleanup(loader._tuner.context.stop, 0)
            list(loader)
            self.assertIn("num_workers", self.peer.receive("registry")[1]["knobs"])

    def test_iterable(self):
        """Workers of an iterable data set change between epochs, and only if it is sharded."""
        loader = self.loader(Stream(40), batch_size=2, num_workers=auto(1, max=3))
        self.assertEqual(list(self.peer.receive("registry")[1]["knobs"]), ["prefetch_factor"])
        loader._tuner.context.stop(0)
        del loader
        self.forget()
        loader = self.loader(Stream(40), batch_size=2, num_workers=auto(1, max=3),
                             sharded=True)
        run = iter(loader)
        got = plain(next(run))[0]
        self.plan("num_workers", 3)
        until = time.monotonic() + DEADLINE_S
        while loader._tuner.settings.workers != 3:
            self.assertLess(time.monotonic(), until)
            loader._tuner.between()
        got += [i for batch in run for i in plain(batch)[0]]
        self.assertEqual(got, list(range(40)))
        self.assertEqual(sorted(i for batch in loader for i in plain(batch)[0]),
                         list(range(40)))
        self.assertEqual(loader.num_workers, 3)

    def test_memory(self):
        """What would not fit is rejected; what does not fit any more is given back."""
        loader = self.loader(Content(4000), batch_size=2, num_workers=auto(2, max=4),
                             ram_budget="64GB")
        tuner, run = loader._tuner, iter(loader)
        while not tuner._held:
            next(run)
        for _ in range(200):  # all workers hold what they need by then
            next(run)
        tuner._held, tuner._look_at = 0, 0.0
        until = time.monotonic() + DEADLINE_S
        while not tuner._held:
            self.assertLess(time.monotonic(), until)
            next(run, None) or (run := iter(loader))
        tuner.budget = int(tuner._held * 1.5)
        self.plan("num_workers", 4)
        while not tuner.changes:
            self.assertLess(time.monotonic(), until)
            next(run, None) or (run := iter(loader))
        ack = self.peer.ack()
        self.assertEqual(ack["status"], "rejected")
        self.assertRegex(ack["reason"], "would hold .* GB of a budget of .* GB")
        self.assertEqual(tuner.settings.workers, 2)
        tuner.budget = tuner._held // 2
        while tuner.settings.workers > 1:
            self.assertLess(time.monotonic(), until)
            next(run, None) or (run := iter(loader))
        self.assertRegex(loader.tuning_report(), "num_workers 2 -> 1: .*memory budget")

    def test_the_time_of_a_loop(self):
        """Fetching and computing; what is between epochs is neither."""
        loader = self.loader(Content(3), window=3600, num_workers=1)
        tuner = loader._tuner
        for _ in range(2):
            begin = time.perf_counter()
            for _ in loader:
                time.sleep(0.01)
            inside = time.perf_counter() - begin
            fetch, compute = tuner._fetch, tuner._compute
            time.sleep(0.05)
        self.assertEqual((tuner._fetch, tuner._compute), (fetch, compute))
        self.assertGreaterEqual(compute, 0.06)
        self.assertEqual(tuner._samples, 6)
        self.assertLess(fetch + compute, inside * 2 + 3600)


class Machine(unittest.TestCase):
    def folder(self, files):
        top = tempfile.mkdtemp()
        self.addCleanup(__import__("shutil").rmtree, top)
        for path, text in files.items():
            at = os.path.join(top, path)
            os.makedirs(os.path.dirname(at), exist_ok=True)
            with open(at, "w", encoding="utf-8") as f:
                f.write(text)
        return {"proc": os.path.join(top, "proc"), "cgroups": os.path.join(top, "cg")}

    def test_cores(self):
        here = len(os.sched_getaffinity(0))
        for files, want in (
                ({}, here), ({"cg/a/cpu.max": "max 100000\n"}, here),
                ({"cg/a/b/cpu.max": "50000 100000\n"}, 1),
                ({"cg/a/cpu.max": "100000 100000\n", "cg/a/b/cpu.max": "max 100000"}, 1),
                ({"cg/cpu.max": "900000 100000"}, min(here, 9)),
                ({"cg/a/cpu.max": "rubbish"}, here), ({"cg/a/cpu.max": "1 0"}, here)):
            files = {"proc/self/cgroup": "1:cpu:/x\n0::/a/b\n", **files}
            self.assertEqual(machine.cores(**self.folder(files)), want, files)

    def test_memory(self):
        at = self.folder({"proc/self/cgroup": "0::/a\n",
                          "proc/meminfo": "MemFree: 1 kB\nMemAvailable: 1000 kB\n",
                          "cg/a/memory.max": "700000\n", "cg/a/memory.current": "200000\n",
                          "proc/7/smaps_rollup": "Rss: 9 kB\nPss: 4 kB\nPss_Anon: 3 kB\n"})
        self.assertEqual(machine.available_bytes(**at), 500000)
        self.assertEqual(machine.held_bytes([7, 8], at["proc"]), 4096)
        self.assertEqual(machine.available_bytes(**self.folder({})), 0)
        self.assertGreater(machine.held_bytes([os.getpid()]), 1 << 20)

    def test_cached_files_are_free(self):
        """A job that reads much fills its cgroup with them."""
        files = {"proc/self/cgroup": "0::/a\n", "proc/meminfo": "MemAvailable: 1000 kB\n",
                 "cg/a/memory.max": "700000\n", "cg/a/memory.current": "699000\n"}
        self.assertEqual(machine.available_bytes(**self.folder(files)), 1000)
        stat = "anon 90000\nactive_file 300000\ninactive_file 200000\nslab_reclaimable 9000\n"
        for text, want in ((stat, 510000), ("active_file\nx y z\nactive_file -1\n", 1000)):
            files["cg/a/memory.stat"] = text
            self.assertEqual(machine.available_bytes(**self.folder(files)), want)
        files["cg/a/memory.current"] = "800000\n"  # nothing is left: no budget would be none
        self.assertEqual(machine.available_bytes(**self.folder(
            {**files, "cg/a/memory.stat": ""})), 1)

    def test_odd_names_of_cgroups(self):
        for line, folder, want in (("0::/ü", "ü", 1), ("0::/a:b", "a:b", 1), ("rubbish", "", None),
                                   ("", "", None)):
            files = {"proc/self/cgroup": f"{line}\n"}
            if folder:
                files[f"cg/{folder}/cpu.max"] = "1000 100000\n"
            self.assertEqual(machine.cores(**self.folder(files)),
                             want or len(os.sched_getaffinity(0)), line)

    def test_amounts(self):
        for text, want in (("8GB", 8 * 10**9), ("512 MiB", 512 << 20), ("1.5k", None),
                           ("17", 17), (9e9, 9 * 10**9), ("x", None), ("-1GB", None),
                           (0, None), ("", None)):
            if want is None:
                with self.assertRaises(ArgumentError):
                    machine.amount("ram_budget", text)
            else:
                self.assertEqual(machine.amount("ram_budget", text), want)
        self.assertGreater(machine.amount("ram_budget", "10%"), 0)

    def test_bytes_of_a_batch(self):
        batch = {"x": torch.zeros(2, 3), "y": [torch.zeros(4, dtype=torch.uint8), "text"]}
        self.assertEqual(tuning.bytes_of(batch), 28)


class Ranks(PeerTest):
    def test_four_ranks(self):
        """All have the same sizes at the same step: tests/python/loader_ranks.py."""
        with tempfile.TemporaryDirectory() as folder:
            script = ("for RANK in 1 2 3; do export RANK; \"$@\" & done; "
                      "RANK=0 \"$@\"; status=$?; wait; exit $status")
            env = {**os.environ, "OMP_NUM_THREADS": "1", "WORLD_SIZE": "4",
                   "TEST_STORE": os.path.join(folder, "store"),
                   **{f"DFOPT_CLIENT_{name.upper()}": at
                      for name, at in self.peer.endpoints.items()}}
            done = subprocess.run(
                ["timeout", "-k", "5", str(2 * DEADLINE_S), "sh", "-c", script, "ranks",
                 sys.executable, os.path.join(HERE, "loader_ranks.py"),
                 os.environ.get("DFOPT_TEST_STEPS", "64")], check=False,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(" 0 steps differ", done.stdout)
        print(done.stdout.strip())


if __name__ == "__main__":
    unittest.main()
