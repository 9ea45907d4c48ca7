"""dfopt_client with torch, which is imported when something of it is asked for."""
from __future__ import annotations

import importlib
from typing import Any, List

__all__ = ["TunableLoader", "auto", "process_group"]


def __getattr__(name: str) -> Any:
    """TunableLoader is a class of torch's, and so there only once torch is."""
    if name == "TunableLoader":
        return importlib.import_module("dfopt_client._loader").TunableLoader
    if name == "auto":
        return importlib.import_module("dfopt_client._tuning").auto
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _TorchGroup:
    def __init__(self, group: Any, device: Any) -> None:
        torch: Any = importlib.import_module("torch")
        dist: Any = importlib.import_module("torch.distributed")
        self._torch, self._dist = torch, dist
        self._group = dist.group.WORLD if group is None else group
        self.rank = int(dist.get_rank(self._group))
        # broadcast names its source by the rank in the world
        self._root = 0 if group is None else dist.distributed_c10d.get_global_rank(group, 0)
        if device is None:
            nccl = dist.get_backend(self._group) == "nccl"
            device = torch.device("cuda", torch.cuda.current_device()) if nccl else "cpu"
        self._device = device

    def broadcast(self, data: bytearray) -> None:
        tensor = self._torch.tensor(list(data), dtype=self._torch.uint8, device=self._device)
        self._dist.broadcast(tensor, self._root, group=self._group)
        data[:] = bytes(tensor.cpu().tolist())

    def maximum(self, values: List[int]) -> List[int]:
        tensor = self._torch.tensor(values, dtype=self._torch.int64, device=self._device)
        self._dist.all_reduce(tensor, op=self._dist.ReduceOp.MAX, group=self._group)
        return [int(v) for v in tensor.cpu().tolist()]


def process_group(group: Any = None, device: Any = None) -> _TorchGroup:
    """The comm of an optimizer_context for a process group of torch.distributed (None: the
    default one), which must be initialised:

        context = optimizer_context("train", comm=dfopt_client.torch.process_group())

    device is where the few bytes of a boundary are sent from; None: what the backend
    needs, the current GPU with NCCL and else the CPU.
    """
    return _TorchGroup(group, device)
