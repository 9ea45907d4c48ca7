"""Lets an optimizer (dfopt-mpi or DFOptimizer) tune an application while it runs.

    from dfopt_client import knob, optimizer_context, tunable

    @tunable(knobs={"read_threads": knob(default=1, range=(1, 8), responds_to={
        "reader_parallelism": {"direction": "increase", "step": 1}})})
    def make_loader(files, read_threads):
        ...

    optimizer_context(namespace="train", zmq_plans_endpoint="tcp://node7:5557",
                      zmq_registry_endpoint="tcp://node7:5558",
                      zmq_acks_endpoint="tcp://node7:5559")
    for epoch in range(10):
        loader = make_loader(files, read_threads=2)

A value that a plan has set stays in force: each of the ten calls is tuned, although each
gives read_threads=2. A script for dfoptimizer.runtime, where a plan holds for one call,
imports dfopt_client.runtime and changes nothing else. Client is the layer below, one
method for one function of the C library.
"""
from ._library import VERSION as __version__
from .client import Client
from .context import OptimizerContext, optimizer_context
from .errors import (ArgumentError, EndpointError, Error, KnobWarning, LibraryError,
                     LimitError, StateError)
from .measure import Measure
from .tunable import knob, tunable
from .types import ActionPlan, KnobDef, KnobResponse, Stats
from .window import Window

__all__ = ["ActionPlan", "ArgumentError", "Client", "EndpointError", "Error", "KnobDef",
           "KnobResponse", "KnobWarning", "LibraryError", "LimitError", "Measure", "OptimizerContext",
           "StateError", "Stats", "Window", "__version__", "knob", "optimizer_context",
           "tunable"]
