"""A callback for the Trainer of Hugging Face's transformers, which is imported with this
module. It uses what transformers documents: TrainerCallback.on_train_end, and
Trainer.get_train_dataloader, which may be replaced."""
from __future__ import annotations

import importlib
import logging
from typing import Any

from ._loader import LoaderCallback

__all__ = ["TuneDataLoading"]

logger = logging.getLogger("dfopt_client")

_Callback: Any = importlib.import_module("transformers").TrainerCallback


class TuneDataLoading(_Callback, LoaderCallback):  # type: ignore[misc]
    """Makes a TunableLoader of the loader that trainer.get_train_dataloader returns:

        trainer.add_callback(TuneDataLoading(trainer))

    options are TunableLoader's: num_workers, prefetch_factor, ram_budget, window, ... Only a
    DataLoader of torch itself is replaced, and only if there is an optimizer. One of another
    class stays, and a warning names it; accelerate's, too, which the Trainer of recent versions
    returns: there, get_train_dataloader of a subclass may return a TunableLoader. The report is
    logged when training ends.
    """

    def __init__(self, trainer: Any, **options: Any) -> None:
        LoaderCallback.__init__(self, options)
        self.wrap(trainer, "get_train_dataloader")

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.unwrap()
        logger.info("%s", self.report())
