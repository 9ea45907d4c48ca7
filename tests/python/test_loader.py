#!/usr/bin/env python3
"""TunableLoader against DataLoader: the same samples, in the same order, from the same
seeds; workers that change in the course of an epoch; and states."""
import os
import pickle
import random
import time
import unittest

import loaders
import numpy
import torch
from dfopt_client.errors import ArgumentError
from dfopt_client.torch import TunableLoader, auto
from loaders import (Batches, Content, Drawn, Numbers, Stream, epochs, held, plain,
                     wait_for_workers)
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, RandomSampler

RESIZES = int(os.environ.get("DFOPT_TEST_RESIZES", "60"))


def settings(loader, workers, prefetch):
    from dfopt_client._segments import Settings
    return loader._epoch().resize(Settings(workers, prefetch))


class Counted(Drawn):
    """Knows how many were asked for."""

    def __iter__(self):
        self.pulled = 0
        for i in range(self.n):
            self.pulled += 1
            yield i


class NoLength:
    """Batches of which torch needs no more than an iterator."""

    def __iter__(self):
        return (iter(range(i, i + 1 + i % 3)) for i in range(0, 12, 3))


class Equal(unittest.TestCase):
    """Without a change everything is as with DataLoader: the samples, their order, the seeds
    of the workers, what chance gives in them, and what is drawn from the generators."""

    def check(self, dataset, n=2, workers=(0, 2), **given):
        for w in workers:
            if w == 0 and given.get("persistent_workers"):
                continue
            with self.subTest(workers=w, **given):
                want, got = (
                    epochs(kind(dataset, num_workers=w, **{
                        name: make() if callable(make) and name != "worker_init_fn" else make
                        for name, make in given.items()}), n)
                    for kind in (DataLoader, TunableLoader))
                self.assertEqual(got, want)

    def test_batches(self):
        self.check(Numbers(23), batch_size=4, workers=(0, 1, 3))
        self.check(Numbers(23), batch_size=4, shuffle=True, drop_last=True)
        self.check(Numbers(7), batch_size=None)
        self.check(Numbers(0), batch_size=3, workers=(0, 1))

    def test_samplers(self):
        self.check(Numbers(9), batch_size=2, sampler=lambda: Drawn(9))
        self.check(Numbers(9), batch_size=None, sampler=lambda: Drawn(9))
        self.check(Numbers(40), batch_sampler=lambda: Batches(40))
        self.check(Numbers(40), batch_sampler=NoLength)

    def test_generator(self):
        self.check(Numbers(9), batch_size=2, shuffle=True,
                   generator=lambda: torch.Generator().manual_seed(8))

    def test_workers_that_persist(self):
        self.check(Numbers(9), 3, (2,), batch_size=2, shuffle=True, persistent_workers=True)

    def test_left_in_the_middle(self):
        """Of workers that persist torch keeps those of an epoch that was left, too."""
        for persistent in (False, True):
            for dataset in (Numbers(40), Stream(40)):
                with self.subTest(persistent=persistent, dataset=type(dataset).__name__):
                    want, got = (
                        epochs(kind(dataset, 2, num_workers=2, persistent_workers=persistent),
                               3, most=3) for kind in (DataLoader, TunableLoader))
                    self.assertEqual(got, want)

    def test_worker_init(self):
        self.check(Numbers(9), batch_size=2, worker_init_fn=loaders.first_worker)

    def test_iterable(self):
        self.check(Stream(23), batch_size=4, workers=(0, 1, 3))
        self.check(Stream(7), batch_size=None)
        self.check(Stream(9), 3, (2,), batch_size=2, persistent_workers=True)

    def test_it_is_a_dataloader(self):
        loader = TunableLoader(Content(10), 3, num_workers=auto(2, max=4))
        self.assertIsInstance(loader, DataLoader)
        self.assertEqual((len(loader), loader.batch_size, loader.num_workers,
                          loader.prefetch_factor), (4, 3, 2, 2))
        self.assertEqual(len(iter(loader)), 4)
        self.assertIn("not tuned", loader.tuning_report())

    def test_loops_beside_each_other(self):
        loader = TunableLoader(Content(6), num_workers=1)
        self.assertEqual([plain(a) == plain(b) for a, b in zip(loader, loader)], [True] * 6)

    def test_what_cannot_be(self):
        for given in ({"num_workers": -1}, {"num_workers": auto(3, max=2)},
                      {"num_workers": auto(1, max="many")}, {"prefetch_factor": auto(0)},
                      {"num_workers": 1.5}, {"ram_budget": "lots"}, {"ram_budget": 0},
                      {"window": 0}, {"window": "1"}, {"window": float("inf")}, {"optimizer": "yes"}):
            with self.subTest(**given), self.assertRaises(ArgumentError):
                TunableLoader(Content(3), **given)
        with self.assertRaises(TypeError):
            TunableLoader(Content(3), batchsize=2)
        for given in ({"num_workers": 0, "prefetch_factor": 4},
                      {"num_workers": 1, "prefetch_factor": 0}):
            for kind in (DataLoader, TunableLoader):
                with self.subTest(**given), self.assertRaises((ValueError, AssertionError)):
                    kind(Content(3), **given)

    def test_numbers_of_numpy(self):
        loader = TunableLoader(Content(6), num_workers=numpy.int64(1),
                               prefetch_factor=numpy.int32(3))
        self.assertEqual((loader.num_workers, loader.prefetch_factor), (1, 3))
        self.assertEqual(len(list(loader)), 6)

    def test_attributes_that_are_set(self):
        """They are the next epoch's, as DataLoader's."""
        for kind in (DataLoader, TunableLoader):
            sampler = Counted(40)
            loader = kind(Numbers(40), sampler=sampler, num_workers=1)
            loader.num_workers, loader.prefetch_factor = 2, 7
            run = iter(loader)
            next(run)
            wait_for_workers(2)
            self.assertEqual(sampler.pulled, 2 * 7 + 1)
            del run


class Ending(Content):
    """Some samples raise what ends a loop."""

    def __getitem__(self, i):
        if i in (7, 8, 19):
            raise StopIteration
        return super().__getitem__(i)


class Broken(Content):
    def __getitem__(self, i):
        if i == 7:
            raise KeyError("seven")
        return super().__getitem__(i)


class Resized(unittest.TestCase):
    """Workers change at random between batches: nobody can tell by the samples."""

    def test_random_resizes(self):
        dice = random.Random(20)
        loader = TunableLoader(Content(103), batch_size=4, shuffle=True, num_workers=1)
        untouched = DataLoader(Content(103), batch_size=4, shuffle=True)
        before, resizes, epoch, slowest = None, 0, 0, 0.0
        while resizes < RESIZES:
            want = epochs(untouched, 1, seed=epoch)[:-1]
            torch.manual_seed(epoch)
            got, epoch = [], epoch + 1
            for batch in loader:
                got.append(plain(batch))
                if dice.random() < .4:
                    begin = time.perf_counter()
                    resizes += settings(loader, dice.randint(0, 3), dice.randint(1, 3))
                    slowest = max(slowest, time.perf_counter() - begin)
            self.assertEqual(got, want)
            del batch
            wait_for_workers()
            before = before or held()
            self.assertEqual(held()[1:], before[1:])
            self.assertLessEqual(held()[0], before[0] + 1)
        wait_for_workers()
        print(f"{resizes} resizes in {epoch} epochs, the longest {slowest * 1e3:.0f} ms")

    def test_workers_persist(self):
        loader = TunableLoader(Content(20), batch_size=2, num_workers=1,
                               persistent_workers=True)
        pids = []
        for epoch in range(4):
            got = []
            for n, batch in enumerate(loader):
                got += plain(batch)[0]
                if epoch == 1 and n == 2:
                    self.assertTrue(settings(loader, 2, 2))
                    loader.num_workers = 2
            self.assertEqual(got, list(range(20)))
            pids.append(sorted(loader._kept.pids))
        self.assertEqual(pids[2], pids[3])
        self.assertEqual([len(p) for p in pids], [1, 2, 2, 2])
        del loader, batch
        wait_for_workers()

    def test_left_in_the_middle(self):
        loader = TunableLoader(Content(40), batch_size=2, num_workers=2)
        for _ in range(2):
            for n, _ in enumerate(loader):
                if n == 1:
                    settings(loader, 3, 1)
                if n == 3:
                    break
        self.assertEqual([i for batch in loader for i in plain(batch)[0]], list(range(40)))
        del loader
        wait_for_workers()

    def test_a_sample_that_fails(self):
        """The error comes where it would with DataLoader; what follows is not lost."""
        for at in range(4):
            loader = TunableLoader(Broken(20), batch_size=2, num_workers=1)
            got, errors, run = [], 0, iter(loader)
            while True:
                if len(got) == at:
                    settings(loader, 2, 2)
                try:
                    got += [plain(next(run))[0]]
                except KeyError:
                    errors += 1
                except StopIteration:
                    break
            self.assertEqual((errors, got), (1, [[i, i + 1] for i in range(0, 20, 2)
                                                 if i != 6]))

    def test_a_sample_that_ends_the_loop(self):
        """Wherever it is, workers change or not: it is no end of a segment."""
        def read(kind, at):
            loader = kind(Ending(24), batch_size=2, num_workers=1)
            got, ends, run = [], 0, iter(loader)
            while ends < 5:
                if len(got) == at:
                    settings(loader, 2, 2)
                try:
                    got += [plain(next(run))[0]]
                except StopIteration:
                    got.append("end")
                    ends += 1
            return got

        want = read(DataLoader, -1)
        self.assertEqual(want.index("end"), 3)
        for at in (-1, 0, 1, 2):
            self.assertEqual(read(TunableLoader, at), want)

    def test_seeds_of_segments(self):
        """A worker's seed comes again in no segment, nor in a run of the same seed."""
        def seeds():
            torch.manual_seed(1)
            loader = TunableLoader(Numbers(60), num_workers=1, prefetch_factor=1)
            found = set()
            for n, (_, seed, _) in enumerate(loader):
                if n % 10 == 0:
                    settings(loader, 1 + (n // 10) % 2, 1 + (n // 10) % 3)
                found.add(int(seed))
            return found, torch.rand(()).item()

        first, again = seeds(), seeds()
        self.assertEqual(first, again)
        self.assertGreaterEqual(len(first[0]), 6)
        torch.manual_seed(1)
        list(DataLoader(Numbers(60), num_workers=1))
        self.assertEqual(first[1], torch.rand(()).item())  # nothing more was drawn

    def test_iterable_keeps_its_workers(self):
        loader = TunableLoader(Stream(12), batch_size=2, num_workers=2)
        run = iter(loader)
        next(run)
        self.assertFalse(settings(loader, 3, 3))
        self.assertEqual(len(list(run)), 5)


class State(unittest.TestCase):
    def check(self, make, batches):
        whole = make()
        torch.manual_seed(3)
        list(whole)
        want = [plain(b) for b in whole]
        torch.manual_seed(3)
        first = make()
        list(first)
        run = iter(first)
        got = [plain(next(run)) for _ in range(batches)]
        state = first.state_dict()
        torch.manual_seed(99)
        second = make()
        second.load_state_dict(state)
        got += [plain(b) for b in second]
        self.assertEqual([b[0] for b in got], [b[0] for b in want])
        self.assertEqual(second.state_dict()["epochs"], 2)

    def test_map(self):
        for batches in (0, 1, 4, 6):
            self.check(lambda: TunableLoader(Numbers(23), batch_size=4, shuffle=True,
                                             num_workers=2), batches)

    def test_generator(self):
        self.check(lambda: TunableLoader(Numbers(23), batch_size=4, shuffle=True,
                                         generator=torch.Generator().manual_seed(6)), 3)

    def test_iterable(self):
        self.check(lambda: TunableLoader(Stream(23), batch_size=4, num_workers=2), 3)

    def test_iterable_with_other_workers(self):
        """The epoch continues with as many as it had, whose order it has; the next has others."""
        first = TunableLoader(Stream(24), batch_size=2, num_workers=2)
        run = iter(first)
        got = [plain(next(run))[0] for _ in range(5)]
        second = TunableLoader(Stream(24), batch_size=2, num_workers=3)
        second.load_state_dict(first.state_dict())
        rest = iter(second)
        wait_for_workers(2 + 2)
        got += [plain(b)[0] for b in rest]
        self.assertEqual(got, [plain(b)[0] for b in
                               TunableLoader(Stream(24), batch_size=2, num_workers=2)])
        again = iter(second)
        wait_for_workers(2 + 3)
        del run, rest, again

    def test_generator_of_a_sampler(self):
        for batched in (False, True):
            def make(batched=batched):
                sampler = RandomSampler(range(23), generator=torch.Generator().manual_seed(6))
                own = {"batch_sampler": BatchSampler(sampler, 4, False)} if batched else \
                    {"batch_size": 4, "sampler": sampler}
                return TunableLoader(Numbers(23), num_workers=1, **own)
            for batches in (0, 3):
                self.check(make, batches)

    def test_global_generator_stays(self):
        loader = TunableLoader(Numbers(9), shuffle=True)
        run = iter(loader)
        next(run)
        state = loader.state_dict()
        torch.manual_seed(7)
        want = torch.rand(()).item()
        torch.manual_seed(7)
        loader.load_state_dict(state)
        self.assertEqual(len(list(loader)), 8)
        self.assertEqual(torch.rand(()).item(), want)

    def test_none(self):
        with self.assertRaisesRegex(ArgumentError, "not a state"):
            TunableLoader(Content(3)).load_state_dict({})
        with self.assertRaisesRegex(ArgumentError, "not a state"):
            TunableLoader(Content(3)).load_state_dict(None)
        state = TunableLoader(Content(3)).state_dict()
        for name in state.keys() - {"version"}:
            with self.assertRaisesRegex(ArgumentError, f"damaged: no {name}"):
                TunableLoader(Content(3)).load_state_dict(
                    {k: v for k, v in state.items() if k != name})


class Pickled(unittest.TestCase):
    def test_copies(self):
        loader = TunableLoader(Content(4), num_workers=1)
        run = iter(loader)
        next(run)
        copy = pickle.loads(pickle.dumps(loader))
        self.assertEqual(len(list(copy)), 4)
        self.assertEqual(len(list(run)), 3)


class Nested(Content):
    """Its samples come from a loader of their own."""

    def __init__(self, kind):
        super().__init__(3)
        self.inner = kind(Content(4))

    def __getitem__(self, i):
        return i, sum(plain(b)[0][0] for b in self.inner)


class Endless(IterableDataset):
    def __iter__(self):
        while True:
            yield 1


class Odd(unittest.TestCase):
    def test_nested(self):
        """A worker may have no children: there the default is none."""
        for method in ("fork", "spawn"):
            want, got = ([plain(b) for b in DataLoader(
                Nested(kind), num_workers=1, multiprocessing_context=method)]
                for kind in (DataLoader, TunableLoader))
            self.assertEqual(got, want)

    def test_endless(self):
        loader = TunableLoader(Endless(), batch_size=2, num_workers=1)
        run = iter(loader)
        for _ in range(5):
            next(run)
        del run, loader
        wait_for_workers()


if __name__ == "__main__":
    unittest.main()
