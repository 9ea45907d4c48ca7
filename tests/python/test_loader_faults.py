#!/usr/bin/env python3
"""TunableLoader where things go wrong, beside what DataLoader does there: workers that are
killed or cannot be started, interrupts in the middle of a change, samplers that fail, forks,
and a script that ends in the middle of an epoch."""
import os
import signal
import subprocess
import sys
import textwrap
import threading
import traceback
import unittest
import warnings
from multiprocessing import active_children, process
from unittest import mock

import loaders
import torch
from dfopt_client._segments import CannotChange, Settings
from dfopt_client.torch import TunableLoader, auto
from loaders import Content, Numbers, held, plain
from peer import wait_until
from torch.utils.data import DataLoader, Sampler

DEADLINE_S = 120
KINDS = (DataLoader, TunableLoader)


def resize(loader, workers, prefetch=2):
    return loader._epoch().resize(Settings(workers, prefetch))


def numbers(batches):
    return [i for batch in batches for i in plain(batch)[0]]


class Failing(Sampler):
    """Fails once at a place; there is nothing behind it."""

    def __init__(self, at):
        self.at = at

    def __iter__(self):
        for i in range(100):
            if i == self.at:
                raise OSError("the list of samples")
            yield i


class Slow(Content):
    def __getitem__(self, i):
        if i == 8:
            torch.utils.data.get_worker_info().dataset.wait()
        return super().__getitem__(i)

    @staticmethod
    def wait():
        signal.sigwait({signal.SIGUSR2})  # for ever


class FailingStart:
    """The nth process from now on cannot be started."""

    def __init__(self, nth, error):
        self.nth, self.error, self.real = nth, error, process.BaseProcess.start

    def __enter__(self):
        def start(this):
            self.nth -= 1
            if self.nth == 0:
                raise self.error(11, "Resource temporarily unavailable")
            return self.real(this)
        self.patch = mock.patch.object(process.BaseProcess, "start", start)
        self.patch.start()

    def __exit__(self, *_):
        self.patch.stop()


def failure(run, victim):
    """What iterating raises when a worker is killed. Torch's handler of SIGCHLD raises where the
    signal comes: also right behind another error, or where Python ignores it, as in a __del__;
    then the main thread may wait for ever for the rest of a batch. So the signal comes again,
    and when there is an error not any more."""
    done = threading.Event()

    def tell():
        while not done.wait(1):
            os.kill(os.getpid(), signal.SIGCHLD)
    thread = threading.Thread(target=tell)
    thread.start()
    error = None
    try:
        try:
            os.kill(victim.pid, signal.SIGKILL)
            for _ in run:
                pass
        except (RuntimeError, OSError, EOFError) as e:
            error = e
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    except RuntimeError as late:
        error = late
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    done.set()
    thread.join()
    if error:
        traceback.clear_frames(error.__traceback__)
        error.__traceback__ = None
    return error


# How long torch waits for a worker to end, before it terminates it: 5 s, which these tests
# would do many times.
impatient = mock.patch.object(torch.utils.data._utils, "MP_STATUS_CHECK_INTERVAL", 0.5)


class Workers(unittest.TestCase):
    def setUp(self):
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        self.before = held()

    def nothing_is_left(self):
        """Soon: torch waits 5 s for a worker to end, terminates it, and goes on."""
        wait_until(lambda: held()[1:] == self.before[1:], "the end of all that was held")

    def tearDown(self):
        self.nothing_is_left()

    @impatient
    def test_killed(self):
        """As by the kernel when memory runs out: the same error, and nothing is left."""
        for kind, change in ((DataLoader, False), (TunableLoader, False), (TunableLoader, True)):
            with self.subTest(kind=kind.__name__, change=change):
                loader = kind(Content(20000), batch_size=2, num_workers=2)
                run = iter(loader)
                handler = signal.getsignal(signal.SIGCHLD)  # torch's
                next(run)
                if change:
                    resize(loader, 3)
                victim = active_children()[-1]
                error = failure(run, victim)
                self.assertIsNotNone(error)
                victim.join(30)
                if isinstance(error, RuntimeError):  # else it was in a transfer
                    self.assertRegex(str(error), "killed by signal|unexpectedly")
                del error, victim
                del loader, run
                self.nothing_is_left()
                signal.signal(signal.SIGCHLD, handler)

    def test_no_more_processes(self):
        """Whatever starting other workers raises, the epoch continues with the old ones, and no
        sample is lost or comes twice."""
        for error, raised in ((BlockingIOError, CannotChange),
                              (KeyboardInterrupt, KeyboardInterrupt)):
            for nth in (1, 3):
                for persistent in (False, True):
                    with self.subTest(error=error, nth=nth, persistent=persistent):
                        loader = TunableLoader(Content(60), batch_size=2, num_workers=2,
                                               persistent_workers=persistent)
                        got, run = [], iter(loader)
                        for n in range(3):
                            got.append(next(run))
                            with FailingStart(nth, error), self.assertRaises(raised), \
                                    mock.patch.object(sys, "unraisablehook"):
                                resize(loader, 4)
                            wait_until(lambda: len(active_children()) == 2, "two workers")
                        self.assertTrue(resize(loader, 3))
                        got += run
                        self.assertEqual(numbers(got), list(range(60)))
                        self.assertEqual(numbers(loader), list(range(60)))
                        del loader, run

    def test_interrupted(self):
        """By SIGINT, while the script waits for a batch."""
        for kind in KINDS:
            loader = kind(Content(1000), batch_size=1, num_workers=1)
            with self.subTest(kind=kind.__name__):
                with self.assertRaises(KeyboardInterrupt):
                    for n, _ in enumerate(loader):
                        if n == 5:
                            os.kill(os.getpid(), signal.SIGINT)
                self.assertEqual(len(numbers(loader)), 1000)
            del loader

    def times_out(self, kind):
        """Whether the batch that is too late is the one that never comes."""
        n, loader = 0, kind(Slow(40), batch_size=2, num_workers=1, timeout=1)
        with self.assertRaisesRegex(RuntimeError, "timed out after 1"):
            for n, _ in enumerate(loader, 1):
                if n == 1 and kind is TunableLoader:
                    resize(loader, 2)
        for worker in active_children():  # torch waits for them for 5 s
            worker.terminate()
        return n == 4

    @impatient
    def test_timeout(self):
        """On a busy machine a batch before it may be too late: then again."""
        for kind in KINDS:
            with self.subTest(kind=kind.__name__):
                wait_until(lambda k=kind: self.times_out(k), "a batch that never comes")


class Ways(unittest.TestCase):
    """What else a DataLoader can be given."""

    def test_failing_sampler(self):
        """Its error comes, once, and what was before it. DataLoader drops the batch that it
        would have handed over then; in a change there is none."""
        def read(loader, change):
            got, errors, run = [], 0, iter(loader)
            while True:
                try:
                    if change and len(got) == 3:
                        resize(loader, 2, 1 + len(got))
                    got += plain(next(run))[0]
                except OSError:
                    errors += 1
                except StopIteration:
                    return got, errors

        for at in (5, 8, 12, 20):
            want = read(DataLoader(Content(100), sampler=Failing(at), num_workers=1), False)
            for change in (False, True):
                got, errors = read(TunableLoader(Content(100), sampler=Failing(at),
                                                 num_workers=1), change)
                self.assertEqual(errors, 1)
                self.assertEqual(got, sorted(set(got)))
                self.assertLessEqual(set(got), set(range(at)))
                self.assertGreaterEqual(len(got), at - 1)
                if not change:
                    self.assertEqual((got, errors), want)

    def test_spawn(self):
        loader = TunableLoader(Content(12), batch_size=2, shuffle=True, num_workers=1,
                               multiprocessing_context="spawn")
        untouched = DataLoader(Content(12), batch_size=2, shuffle=True, num_workers=1,
                               multiprocessing_context="spawn")
        torch.manual_seed(1)
        want = numbers(untouched)
        torch.manual_seed(1)
        run = iter(loader)
        got = [next(run)]
        self.assertTrue(resize(loader, 2))
        self.assertEqual(numbers(got + list(run)), want)

    def test_pinned(self):
        """Without a device to pin for, a warning of torch's own."""
        for kind in KINDS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.assertEqual(numbers(kind(Content(9), 2, pin_memory=True, num_workers=1)),
                                 list(range(9)))

    def test_fork(self):
        """A child has loops of its own; the parent's go on."""
        for kind in KINDS:
            with self.subTest(kind=kind.__name__):
                loader = kind(Numbers(20), batch_size=2, num_workers=1)
                run = iter(loader)
                got = [next(run)]
                child = os.fork()
                if not child:
                    code = 1
                    try:
                        code = numbers(loader) != list(range(20))
                    finally:
                        os._exit(code)
                self.assertEqual(os.waitpid(child, 0)[1], 0)
                self.assertEqual(numbers(got + list(run)), list(range(20)))

    def test_end_of_the_script(self):
        """In the middle of an epoch or a change: its own exit code, no wait; and no message
        unless a worker has just been started, whose end torch reports (as in DataLoader)."""
        text = textwrap.dedent("""
            import sys
            sys.path.insert(0, sys.argv[1])
            from loaders import Content
            from dfopt_client._segments import Settings
            from dfopt_client.torch import TunableLoader
            loader = TunableLoader(Content(1000), batch_size=2, num_workers=2)
            run = iter(loader)
            for n in range(8):
                next(run)
                loader._epoch().resize(Settings(1 + n % 3, 2))
            if sys.argv[2] == "change":
                sys.exit(3)
            for n in range(40):
                next(run)
            if sys.argv[2] == "epoch":
                sys.exit(3)
            raise KeyError("three")
        """)
        for how, code in (("change", 3), ("epoch", 3), ("raise", 1)):
            done = subprocess.run([sys.executable, "-c", text, os.path.dirname(
                os.path.abspath(__file__)), how], stderr=subprocess.PIPE, text=True,
                timeout=DEADLINE_S)
            self.assertEqual(done.returncode, code)
            if how != "change":
                self.assertEqual(done.stderr.count("Traceback"), how == "raise", done.stderr)

    def test_bounds_without_an_optimizer(self):
        self.assertEqual(numbers(TunableLoader(Content(9), 2, num_workers=auto(
            0, max=4, min=0))), list(range(9)))


if __name__ == "__main__":
    loaders.held()
    unittest.main()
