"""An application with two knobs, as a script for DFOptimizer is written. The first
argument names the package to import from, the second where plans come from. It tells of
each ack on standard output, and ends with its standard input."""
import importlib
import json
import select
import sys

package, plans = sys.argv[1:3]
runtime = importlib.import_module(package)
knob, optimizer_context, tunable = runtime.knob, runtime.optimizer_context, runtime.tunable


class DLIOBenchmark:
    @tunable(knobs={
        "prefetch_size": knob(default=2, range=(1, 16), type=int, responds_to={
            "dataloader_prefetch": {"direction": "increase", "step": 2, "min_persistence": 1,
                                    "cooldown_windows": 2, "apply_when": "window_boundary"}}),
        "read_threads": knob(default=1, range=(1, 8), type=int, responds_to={
            "reader_parallelism": {"direction": "increase", "step": 1, "min_persistence": 1,
                                   "cooldown_windows": 1, "apply_when": "window_boundary"},
            "reader_contention": {"direction": "decrease", "step": 1,
                                  "apply_when": "window_boundary"}})})
    def make_loader(self, prefetch_size, read_threads):
        return prefetch_size, read_threads


def main():
    context = optimizer_context(namespace="dlio", zmq_plans_endpoint=plans)
    acknowledge = context.ack_action

    def tell(plan, old_value, new_value, status="applied", **more):
        told = {"plan_id": plan.plan_id, "knob_id": plan.knob_id, "old_value": old_value,
                "new_value": new_value, "status": status}
        sys.stdout.write(f"ack {json.dumps(told)}\n")  # at once: other threads log
        sys.stdout.flush()
        acknowledge(plan, old_value, new_value, status=status, **more)

    context.ack_action = tell
    benchmark, prefetch_size, read_threads = DLIOBenchmark(), 2, 1
    while not select.select([sys.stdin], [], [], 0.001)[0]:
        prefetch_size, read_threads = benchmark.make_loader(
            prefetch_size=prefetch_size, read_threads=read_threads,
            _apply_at="window_boundary")
    context.stop()


if __name__ == "__main__":
    main()
