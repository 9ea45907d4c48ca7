"""A callback for Lightning (lightning, or pytorch_lightning), which is imported with this
module. It uses the hooks that Lightning's Callback documents: setup, on_train_end, state_dict
and load_state_dict."""
from __future__ import annotations

import importlib
import logging
from typing import Any, Dict

from ._loader import LoaderCallback

__all__ = ["TuneDataLoading"]

logger = logging.getLogger("dfopt_client")


def _callback() -> Any:
    for name in ("lightning.pytorch", "pytorch_lightning"):
        try:
            return importlib.import_module(name).Callback
        except ImportError:
            continue
    raise ImportError("dfopt_client.lightning needs lightning or pytorch_lightning")


_Callback: Any = _callback()


class TuneDataLoading(_Callback, LoaderCallback):  # type: ignore[misc]
    """Makes a TunableLoader of the loader that train_dataloader returns, of the module or the
    data module:

        Trainer(callbacks=[TuneDataLoading()])

    options are TunableLoader's: num_workers, prefetch_factor, ram_budget, window, ... A
    loader that is given to Trainer.fit is no hook's: give it a TunableLoader. Without an
    optimizer nothing changes. The report is logged when training ends.
    """

    def __init__(self, **options: Any) -> None:
        _Callback.__init__(self)
        LoaderCallback.__init__(self, options)

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        if stage != "fit":
            return
        source = getattr(trainer, "datamodule", None) or pl_module
        self.wrap(source, "train_dataloader")

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self.unwrap()
        logger.info("%s", self.report())

    def state_dict(self) -> Dict[str, Any]:
        return self.settings()

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        self.restore(state_dict)
