#!/usr/bin/env python3
"""The callbacks for Lightning and for Hugging Face's Trainer, against small stand-ins of the
hooks that these document: neither is installed here."""
import logging
import sys
import types
import unittest

import loaders
from dfopt_client import OptimizerContext
from loaders import Content, Stream, plain
from test_tuning import HOST, LoaderTest
from torch.utils.data import DataLoader

sys.modules["lightning"] = types.ModuleType("lightning")
sys.modules["lightning.pytorch"] = types.ModuleType("lightning.pytorch")
sys.modules["transformers"] = types.ModuleType("transformers")


class Callback:
    """Lightning's: a hook that a callback does not have does nothing."""

    def setup(self, trainer, pl_module, stage):
        pass

    def on_train_end(self, trainer, pl_module):
        pass

    def state_dict(self):
        return {}

    def load_state_dict(self, state_dict):
        pass


class TrainerCallback:
    """transformers's."""

    def on_train_begin(self, args, state, control, **kwargs):
        pass

    def on_train_end(self, args, state, control, **kwargs):
        pass


sys.modules["lightning.pytorch"].Callback = Callback
sys.modules["transformers"].TrainerCallback = TrainerCallback
from dfopt_client import lightning, transformers  # noqa: E402
from dfopt_client.torch import TunableLoader, auto  # noqa: E402


class Module:
    def __init__(self, loader):
        self.loader = loader

    def train_dataloader(self):
        return self.loader


class LightningTrainer:
    """The order of hooks in a fit: setup, load_state_dict, the loader, the loop, the end."""

    def __init__(self, callback, datamodule=None, state=None):
        self.callback, self.datamodule, self.state = callback, datamodule, state

    def fit(self, module):
        for stage in ("validate", "fit"):
            self.callback.setup(self, module, stage)
        if self.state:
            self.callback.load_state_dict(self.state)
        self.used = (self.datamodule or module).train_dataloader()
        self.seen = [plain(batch) for _ in range(2) for batch in self.used]
        self.state = self.callback.state_dict()
        self.callback.on_train_end(self, module)


class HfTrainer:
    def __init__(self, loader):
        self.loader, self.callbacks = loader, []

    def add_callback(self, callback):
        self.callbacks.append(callback)

    def get_train_dataloader(self):
        return self.loader

    def train(self):
        for callback in self.callbacks:
            callback.on_train_begin(None, None, None, model=None)
        self.used = self.get_train_dataloader()
        self.seen = [plain(batch) for batch in self.used]
        for callback in self.callbacks:
            callback.on_train_end(None, None, None, model=None)


class Other(DataLoader):
    """A loader of somebody else."""


class Trainers(LoaderTest):
    def setUp(self):
        super().setUp()
        self.context = OptimizerContext("app", hostname=HOST, **self.peer.context_options())
        self.context.start()
        self.addCleanup(self.context.stop, 0)
        logging.disable(logging.NOTSET)

    def options(self):
        return {"optimizer": self.context, "num_workers": auto(1, max=3), "window": 0.001}

    def test_lightning(self):
        module = Module(DataLoader(Content(9), batch_size=2))
        trainer = LightningTrainer(lightning.TuneDataLoading(**self.options()))
        with self.assertLogs("dfopt_client", "INFO") as logs:
            trainer.fit(module)
        self.assertIsInstance(trainer.used, TunableLoader)
        self.assertEqual(trainer.seen, 2 * [plain(b) for b in module.loader])
        self.assertIn("loader: 10 batches", logs.output[-1])
        self.assertEqual(trainer.state, {"num_workers": 1, "prefetch_factor": 2})
        self.assertIs(module.train_dataloader(), module.loader)  # as it was before

    def test_lightning_goes_on_where_it_was(self):
        module = Module(None)
        data = Module(DataLoader(Content(9), batch_size=2, num_workers=1))
        trainer = LightningTrainer(lightning.TuneDataLoading(**self.options()), data,
                                   {"num_workers": 3, "prefetch_factor": 5})
        trainer.fit(module)
        self.assertEqual((trainer.used.num_workers, trainer.used.prefetch_factor), (3, 5))
        self.assertEqual(trainer.state, {"num_workers": 3, "prefetch_factor": 5})

    def test_transformers(self):
        trainer = HfTrainer(DataLoader(Content(9), batch_size=2))
        trainer.add_callback(transformers.TuneDataLoading(trainer, **self.options()))
        with self.assertLogs("dfopt_client", "INFO") as logs:
            trainer.train()
        self.assertIsInstance(trainer.used, TunableLoader)
        self.assertEqual(trainer.seen, [plain(b) for b in trainer.loader])
        self.assertIn("loader: 5 batches", logs.output[-1])
        self.assertIs(trainer.get_train_dataloader(), trainer.loader)

    def test_a_hook_that_is_an_attribute(self):
        module, mine = Module(None), DataLoader(Content(9), batch_size=2)
        module.train_dataloader = lambda: mine
        trainer = LightningTrainer(lightning.TuneDataLoading(**self.options()))
        trainer.fit(module)
        self.assertIsInstance(trainer.used, TunableLoader)
        self.assertIs(module.train_dataloader(), mine)

    def test_nothing_changes_without_an_optimizer(self):
        module = Module(DataLoader(Content(9), batch_size=2))
        trainer = LightningTrainer(lightning.TuneDataLoading(num_workers=auto(2, max=3)))
        with self.assertLogs("dfopt_client", "INFO") as logs:
            trainer.fit(module)
        self.assertIs(trainer.used, module.loader)
        self.assertIn("not tuned: there is no optimizer", logs.output[-1])
        for workers in (0, 2):
            tunable = TunableLoader.of(DataLoader(Content(9), num_workers=workers))
            self.assertEqual(tunable.num_workers, workers)
            self.assertEqual(len(list(tunable)), 9)

    def test_loaders_of_others(self):
        trainer = HfTrainer(Other(Content(3)))
        trainer.add_callback(transformers.TuneDataLoading(trainer))
        with self.assertLogs("dfopt_client", "WARNING") as logs:
            trainer.train()
        self.assertIs(trainer.used, trainer.loader)
        self.assertIn("Other is not a plain torch DataLoader", logs.output[0])

    def test_of_a_loader(self):
        for given in ({"batch_size": 4, "shuffle": True, "drop_last": True},
                      {"batch_size": None}, {"batch_size": 2, "num_workers": 1,
                                             "persistent_workers": True}):
            for dataset in (Content(11), Stream(11)):
                given = {k: v for k, v in given.items()
                         if k != "shuffle" or dataset.__class__ is Content}
                loader = DataLoader(dataset, **given)
                tunable = TunableLoader.of(loader, optimizer=None)
                want, got = (loaders.epochs(x, 2) for x in (loader, tunable))
                drop = slice(0, 1)  # seeds differ where the numbers of workers do
                self.assertEqual([b[drop] for b in got if isinstance(b, list)],
                                 [b[drop] for b in want if isinstance(b, list)], given)


if __name__ == "__main__":
    unittest.main()
