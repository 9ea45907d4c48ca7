"""Knobs, plans and counts as plain data. Names and defaults are those of
DFOptimizer 0.1.0, dfoptimizer/types.py."""
from __future__ import annotations

import dataclasses
import logging
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from ._library import CPlan
from ._values import Value, from_c

logger = logging.getLogger("dfopt_client")

__all__ = ["ActionPlan", "KnobDef", "KnobResponse", "Stats"]


@dataclasses.dataclass
class KnobResponse:
    """How a knob moves when a finding carries a tag."""

    direction: str = "increase"  # increase, decrease, set
    step: Any = None
    step_mode: str = "add"  # add, multiply, evidence
    set_to: Any = None  # what "set" sets
    min_severity: float = 0.5
    min_persistence: float = 2
    cooldown_windows: float = 3
    apply_when: str = "epoch_boundary"
    effectiveness_threshold: float = 0.10


_RESPONSE_FIELDS = frozenset(f.name for f in dataclasses.fields(KnobResponse))


def response_from(where: str, given: Union[KnobResponse, Mapping[str, Any]]) -> KnobResponse:
    """A response of its members, as DFOptimizer's scripts write them."""
    if isinstance(given, KnobResponse):
        return given
    for name in given:
        if name not in _RESPONSE_FIELDS:
            logger.warning("%s: ignoring unknown %r", where, name)
    return KnobResponse(**{k: v for k, v in given.items() if k in _RESPONSE_FIELDS})


@dataclasses.dataclass
class KnobDef:
    """A knob of a function."""

    id: str  # such as dlio.prefetch_size
    default: Any
    type: type  # int, float, str or bool
    range: Optional[Tuple[Any, Any]] = None
    values: Optional[List[Any]] = None
    scope: str = "job"  # job, node, rank_local
    responds_to: Dict[str, KnobResponse] = dataclasses.field(default_factory=dict)
    target_function: str = ""
    on_lost: str = "hold"  # hold, restore


@dataclasses.dataclass
class ActionPlan:
    """A change of one knob, to be applied and acknowledged.

    new_value has the knob's type and is within its bounds already; clamped tells
    that it is not what the optimizer sent. target_nodes is empty, or names this node
    alone.
    """

    plan_id: str
    knob_id: str
    target_function: str
    old_value: Value
    new_value: Value
    apply_when: str = "epoch_boundary"
    rationale: str = ""
    finding_type: str = ""
    severity: float = 0.0
    opportunity_tag: str = ""
    window_index: int = 0
    target_nodes: List[str] = dataclasses.field(default_factory=list)
    parameter: str = ""
    clamped: bool = False
    connection: int = dataclasses.field(default=0, compare=False, repr=False)  # the library's


class Stats(NamedTuple):
    """Counts since the client was made; dfopt/client.h says what each is."""

    plans_received: int
    plans_malformed: int
    plans_other_node: int
    plans_unknown: int
    plans_unfit: int
    plans_replaced: int
    plans_delivered: int
    plans_pending: int
    acks_sent: int
    acks_dropped: int
    acks_pending: int
    registrations_sent: int
    connections: int
    objectives_sent: int
    objectives_dropped: int
    objectives_pending: int
    plans_outdated: int
    findings_sent: int
    findings_dropped: int
    findings_pending: int
    optimizers_lost: int
    values_restored: int
    answers_received: int


def _string(raw: bytes) -> str:
    return raw.decode(errors="replace")


def plan_from_c(p: CPlan, hostname: str) -> ActionPlan:
    return ActionPlan(
        plan_id=_string(p.plan_id), knob_id=_string(p.knob_id),
        target_function=_string(p.function), old_value=from_c(p.old_value),
        new_value=from_c(p.new_value), apply_when=_string(p.apply_when),
        rationale=_string(p.rationale), finding_type=_string(p.finding_type),
        severity=p.severity, opportunity_tag=_string(p.opportunity_tag),
        window_index=p.window_index, target_nodes=[hostname] if p.for_node else [],
        parameter=_string(p.parameter), clamped=p.clamped, connection=p.connection)
