"""Processes that pass boundaries together. One of them, rank 0, has the client; at a
boundary it tells all what to do, and none keeps what one of them could not do. The
promises are those of dfopt/client_group.h."""
from __future__ import annotations

import dataclasses
import importlib
import json
from array import array
from typing import Any, Callable, List, Optional, Protocol, Tuple, cast

from .errors import ArgumentError
from .types import ActionPlan

__all__ = ["Group", "MpiGroup", "group_of"]

HEAD_BYTES = 64  # of the broadcast of a boundary; what is short goes with it
_LENGTH_BYTES = 8
_REASON_BYTES = 140


class Group(Protocol):
    """How the processes speak to each other. Every call is made by all of them."""

    rank: int

    def broadcast(self, data: bytearray) -> None:
        """Gives every process what rank 0 has; it is of the same length everywhere."""

    def maximum(self, values: List[int]) -> List[int]:
        """Of each of the values the largest that any process has there; below 2^62."""


class MpiGroup:
    """Over a communicator of mpi4py."""

    def __init__(self, comm: Any) -> None:
        self._comm = comm
        self.rank = int(comm.Get_rank())

    def broadcast(self, data: bytearray) -> None:
        self._comm.Bcast(data, root=0)

    def maximum(self, values: List[int]) -> List[int]:
        mpi = importlib.import_module("mpi4py.MPI")
        most = array("q", values)
        self._comm.Allreduce(mpi.IN_PLACE, [most, mpi.INT64_T], op=mpi.MAX)
        return list(most)


def group_of(comm: Any) -> Optional[Group]:
    """comm: a Group, or a communicator of mpi4py. None: None."""
    if comm is None or all(hasattr(comm, name) for name in ("broadcast", "maximum", "rank")):
        return cast(Optional[Group], comm)
    if all(hasattr(comm, name) for name in ("Bcast", "Allreduce", "Get_rank")):
        return MpiGroup(comm)
    raise ArgumentError(f"comm must be a communicator of mpi4py or "
                        f"dfopt_client.torch.process_group(), not {comm!r} "
                        f"({type(comm).__name__})")


def share_plans(group: Group, take: Callable[[], List[ActionPlan]]) -> List[ActionPlan]:
    """What rank 0 takes, at every rank. One broadcast of HEAD_BYTES, and another if there
    are plans that do not fit in."""
    head, body = bytearray(HEAD_BYTES), b""
    if group.rank == 0:
        plans = take()
        if plans:
            body = json.dumps([dataclasses.asdict(p) for p in plans]).encode()
        head[:_LENGTH_BYTES] = len(body).to_bytes(_LENGTH_BYTES, "big")
    group.broadcast(head)
    length = int.from_bytes(head[:_LENGTH_BYTES], "big")
    if length == 0:
        return []
    data = bytearray(body or length)
    group.broadcast(data)
    return [ActionPlan(**fields) for fields in json.loads(data.decode())]


def agree(group: Group, why_not: Optional[str]) -> Tuple[bool, str]:
    """why_not None: this process has applied a plan. Whether all have, and the reason of
    one that could not."""
    mine = group.rank + 1 if why_not is not None else 0
    (worst,) = group.maximum([mine])
    if worst == 0:
        return True, ""
    text = (why_not or "").encode()[:_REASON_BYTES] if mine == worst else b""
    packed = [int.from_bytes(text[i:i + 7], "big") << 8 * max(0, 7 - len(text[i:i + 7]))
              for i in range(0, _REASON_BYTES, 7)]
    told = b"".join(n.to_bytes(7, "big") for n in group.maximum(packed))
    return False, f"rank {worst - 1}: " + told.rstrip(b"\0").decode(errors="ignore")
