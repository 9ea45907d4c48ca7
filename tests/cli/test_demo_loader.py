"""The demonstration's loader by itself: it reads, checks and reports, with no
optimizer, with one that never comes, and with data or options that are bad."""
import json
import os
import signal

import harness
from harness import Case, Running, wait_until

SMALL = ["--files=4", "--records=50", "--record-bytes=1000", "--latency=0.2",
         "--compute=0.05"]


class LoaderCase(Case):
    def loader(self, *args, code=0, **more):
        return self.run_ok(args, code, program=harness.Config.demo_program, **more)

    def make(self, *args):
        return [f"--make-data={self.path('data')}", *SMALL, *args]

    def report(self, name="run.json"):
        return [json.loads(line) for line in self.read(name).splitlines()]


class Alone(LoaderCase):
    def test_windows_of_samples_are_counted_and_checked(self):
        r = self.loader(*self.make("--windows=3", "--window-samples=250", "--threads=3",
                                   "--prefetch=7", f"--json={self.path('run.json')}"))
        *windows, summary = self.report()
        self.assertEqual([w["samples"] for w in windows], [250] * 3)
        self.assertEqual([w["window"] for w in windows], [1, 2, 3])
        for w in windows:
            self.assertEqual((w["read_threads"], w["prefetch_size"]), (3, 7))
            self.assertAlmostEqual(w["samples_per_second"] * w["seconds"], 250, 3)
            spent = w["fetch_seconds"] + w["compute_seconds"]
            self.assertAlmostEqual(w["fetch_share"], w["fetch_seconds"] / spent, 9)
            self.assertLessEqual(spent, w["seconds"])
            self.assertGreaterEqual(w["compute_seconds"], 250 * 0.05e-3)
        self.assertEqual((summary["samples"], summary["epochs"]), (750, 3))
        self.assertFalse(summary["tuned"])
        self.assertIn(b"no record lost or duplicated", r.out)

    def test_more_threads_and_prefetch_are_faster(self):
        args = ["--windows=2", "--window-samples=100", "--latency=4",
                f"--json={self.path('run.json')}"]

        def is_faster():
            self.loader(*self.make(*args))
            slow = self.report()[-1]
            self.loader(*self.make(*args, "--threads=8", "--prefetch=16"))
            fast = self.report()[-1]
            return (fast["end_samples_per_second"] > 2 * slow["end_samples_per_second"]
                    and fast["end_fetch_share"] < slow["end_fetch_share"])
        wait_until(is_faster, 60, "more than twice as fast") # once: the machine may be busy

    def test_against_says_whether_it_is_enough(self):
        args = ["--windows=1", "--window-samples=20"]
        self.loader(*self.make(*args, f"--json={self.path('base.json')}"))
        r = self.loader(*self.make(*args, f"--against={self.path('base.json')}"), code=4)
        self.assertIn(b"requirements NOT met", r.out)
        r = self.loader(*self.make(*args, "--against=/dev/null"), code=1)
        self.assertIn("/dev/null: no summary", r.text)

    def test_computing_on_a_processor_uses_it(self):
        def used():
            t = os.times()
            return t.children_user + t.children_system

        before = used()
        self.loader(*self.make("--windows=1", "--window-samples=100", "--compute=2",
                               "--compute-kind=cpu"))
        self.assertGreater(used() - before, 0.15)

    def test_an_optimizer_that_never_comes(self):
        r = self.loader(*self.make(
            "--windows=2", "--window-samples=50", "--wait-optimizer=0.1",
            "--findings=tcp://127.0.0.1:*", "--plans=tcp://127.0.0.1:9",
            "--registry=tcp://127.0.0.1:9", "--acks=tcp://127.0.0.1:9",
            "--stop-optimizer", f"--json={self.path('run.json')}"))
        self.assertIn(b"not connected yet; findings at tcp://127.0.0.1:", r.out)
        summary = self.report()[-1]
        self.assertEqual(summary["samples"], 100)
        self.assertEqual(summary["findings_sent"], 0)

    def test_a_signal_ends_it_with_a_summary(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            run = Running(self.make("--windows=100000", "--window-ms=20"),
                          program=harness.Config.demo_program)
            out = run.files[0].fileno()
            wait_until(lambda: b"\n     2 " in os.pread(out, 4096, 0), 60, "two windows")
            run.process.send_signal(number)
            r = run.finish()
            self.assertEqual(r.code, 3, r.text)
            self.assertIn(b"no record lost or duplicated", r.out)


class Bad(LoaderCase):
    def test_damaged_data(self):
        self.loader(*self.make("--windows=1", "--window-samples=1"))
        with open(self.path("data", "part-0002.rec"), "r+b") as f:
            f.seek(48 + 16 + 5)
            byte = f.read(1)
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte[0] ^ 1]))
        r = self.loader(*self.make("--windows=1", "--window-samples=200"), code=1)
        self.assertIn("part-0002.rec: record 100: wrong checksum", r.text)

    def test_other_or_no_data(self):
        self.loader(*self.make("--windows=1", "--window-samples=1"))
        r = self.loader(*self.make("--seed=5"), code=1)
        self.assertIn("holds other data: --files=4", r.text)
        r = self.loader(f"--data={self.path('none')}", code=1)
        self.assertIn("part-0000.rec: No such file", r.text)
        r = self.loader(f"--make-data={self.path('none', 'deeper')}", code=1)
        self.assertIn("cannot create the folder", r.text)

    def test_files_that_cannot_be_written(self):
        r = self.loader(*self.make("--json=/none/run.json"), code=1)
        self.assertIn("cannot write /none/run.json", r.text)
        r = self.loader(*self.make("--windows=1", "--window-samples=1",
                                   "--json=/dev/full"), code=1)
        self.assertIn("cannot write /dev/full", r.text)

    def test_endpoints(self):
        for option in ("findings", "plans", "registry", "acks", "objectives"):
            for endpoint in ("nonsense://x", "tcp://127.0.0.1:99999", "inproc://x"):
                r = self.loader(*self.make(f"--{option}={endpoint}"), code=2)
                self.assertIn(f"--{option}: endpoint {endpoint}", r.text)

    def test_options(self):
        cases = (([], "--make-data=DIR or --data=DIR"), (["--threads=0"], "--threads"),
                 (["--prefetch=65"], "--max-prefetch"), (["--latency=x"], "--latency"),
                 (["--threads=33"], "--max-threads"), (["--compute=-1"], "--compute"),
                 (["--compute-kind=gpu"], "one of wait, cpu"), (["--windows=0"], "--windows"),
                 (["--window-ms=0"], "--window-ms"), (["--optimizer=maybe"], "one of on, off"),
                 (["--plans-pattern=pub"], "one of pull, sub"), (["--hostname="], "--hostname"),
                 (["--hostname=a:b"], "--hostname"),
                 (["--stop-optimizer"], "--findings"), (["extra"], "extra"),
                 (["--no-such-option"], "no-such-option"))
        for args, text in cases:
            data = self.make() if args else []
            r = self.loader(*data, *args, code=2)
            self.assertIn(text, r.text)
            self.assertEqual(r.out, b"")
        self.assertIn(b"--threads=N", self.loader("--help").out)
        self.assertIn(b"dfopt-demo-loader 0.", self.loader("--version").out)


if __name__ == "__main__":
    harness.main()
