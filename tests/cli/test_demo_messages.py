"""What the demonstration's loader tells an optimizer: objectives, findings and the scope of
its knobs, taken by a small peer of bare sockets."""
import json
import os
import sys

import zmq

import harness
from harness import HERE, Case, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "spec"))
from habits import Diagnoser, clip  # noqa: E402

SMALL = ["--files=4", "--records=50", "--record-bytes=1000", "--latency=0.2",
         "--compute=0.05", "--hostname=node7", "--window-samples=60"]
CONTENDED = ["--storage=contention", "--best-readers=1", "--threads=8", "--prefetch=8"]
DEADLINE_MS = 60000


class Peer:
    """Takes everything on ports of its own."""

    def __init__(self, *names):
        self.context, self.sockets, self.at = zmq.Context(), {}, {}
        for name in names:
            s = self.sockets[name] = self.context.socket(zmq.PULL)
            s.setsockopt(zmq.LINGER, 0)
            self.at[name] = f"tcp://127.0.0.1:{s.bind_to_random_port('tcp://127.0.0.1')}"

    def take(self, name, n):
        """n messages, each metadata and body."""
        found = []
        while len(found) < n:
            if not self.sockets[name].poll(DEADLINE_MS):
                raise AssertionError(f"{len(found)} of {n} {name}")
            found.append([json.loads(p) for p in self.sockets[name].recv_multipart()])
        return found

    def close(self):
        for s in self.sockets.values():
            s.close()
        self.context.term()


class Messages(Case):
    def run_loader(self, *args):
        """A run to its end. Returns its peer, windows and summary."""
        peer = Peer("findings", "registry", "objectives")
        self.addCleanup(peer.close)
        self.run_ok([f"--make-data={self.path('data')}", *SMALL, "--findings-connect",
                     *(f"--{name}={at}" for name, at in peer.at.items()),
                     "--wait-optimizer=60", f"--json={self.path('run.json')}", *args],
                    program=harness.Config.demo_program, timeout=120)
        *windows, summary = map(json.loads, self.read("run.json").splitlines())
        return peer, windows, summary

    def check_objectives(self, node, scope, *args):
        peer, windows, summary = self.run_loader(*args, "--windows=5")
        self.assertEqual(summary["objectives_sent"], 5)
        for w, (metadata, body) in zip(windows, peer.take("objectives", 5)):
            self.assertEqual(metadata["type"], "objective")
            self.assertEqual(metadata.get("node") or "", node)
            self.assertEqual(body.get("node") or "", node)
            self.assertEqual((body["window_index"], body["value"], body["goal"]),
                             (w["window"], w["samples_per_second"], "max"))
            held = {"mem_frac": w["mem_frac"]} if "mem_frac" in w else {}
            self.assertEqual(body.get("metrics") or {}, held)
        [[_, registration]] = peer.take("registry", 1)
        self.assertEqual({k["scope"] for k in registration["knobs"].values()}, {scope})
        return windows

    def test_objectives_of_the_node(self):
        windows = self.check_objectives("node7", "node")
        self.assertNotIn("mem_frac", windows[0])

    def test_objectives_of_the_job(self):
        self.check_objectives("", "job", "--knob-scope=job")

    def test_memory_goes_with_the_objective(self):
        windows = self.check_objectives("node7", "node", "--storage=memory",
                                        "--memory-budget=2000", "--prefetch=4")
        self.assertTrue(all(0 < w["mem_frac"] <= 2 for w in windows), windows)

    def findings(self, *args):
        peer, windows, summary = self.run_loader(*args, "--windows=12")
        self.assertEqual(summary["findings_dropped"], 0)
        return windows, [body for _, body in
                         peer.take("findings", summary["findings_sent"])]

    def test_findings_have_the_habits_of_the_diagnoser(self):
        for storage in ([], CONTENDED):
            windows, found = self.findings("--diagnosis=peak", *storage)
            there, wanted = Diagnoser("node7"), []
            for w in windows:
                m = {"fetch": w["fetch_seconds"], "c": w["compute_seconds"],
                     "workers": w["read_threads"], "spread": w.get("read_spread", 0)}
                wanted += there.window(w["window"], m)
            for f in found:
                del f["summary"], f["publish_mode"]
            self.assertEqual(found, wanted)
            self.assertTrue(found)

    def test_findings_of_the_present_window(self):
        windows, found = self.findings()
        shares = {w["window"]: w["fetch_share"] for w in windows}
        pressure = [f for f in found if f["finding_type"] == "fetch_pressure"]
        self.assertTrue(pressure)
        for f in pressure:
            share = shares[f["window_index"]]
            self.assertEqual(f["key_metrics"]["fetch_frac"], share)
            self.assertEqual(f["severity_score"], clip((share - .10) / .90))

    def test_the_knobs_follow_the_same_share_with_either_habit(self):
        least = []
        for habit, width in (("peak", .25), ("current", .90)):
            peer, _, _ = self.run_loader(f"--diagnosis={habit}", "--windows=1")
            [[_, registration]] = peer.take("registry", 1)
            for knob in registration["knobs"].values():
                for tag, response in knob["responds_to"].items():
                    if tag != "reader_contention":
                        least.append(response["min_severity"] * width + .10)
        self.assertEqual(len(least), 4)
        for share in least:
            self.assertAlmostEqual(share, .225, 12)

    def test_threads_become_fewer_where_readers_contend(self):
        peer, _, _ = self.run_loader("--windows=1")
        [[_, registration]] = peer.take("registry", 1)
        [less] = [knob["responds_to"]["reader_contention"]
                  for knob in registration["knobs"].values()
                  if "reader_contention" in knob["responds_to"]]
        self.assertEqual((less["direction"], less["step_mode"], less["step"]),
                         ("decrease", "multiply", 1.6))
        self.assertEqual(less["min_severity"], clip((10 - 5) / 40)) # where the finding begins

    def readers_contend(self):
        """Whether they do in most windows: on a busy machine all reads are slow."""
        windows, found = self.findings(*CONTENDED)
        spreads = {w["window"]: w["read_spread"] for w in windows if w["read_spread"] > 10}
        contention = [f for f in found if f["finding_type"] == "read_contention"]
        self.assertEqual({f["window_index"]: f["key_metrics"]["pread_latency_spread"]
                          for f in contention}, spreads)
        for f in contention:
            self.assertEqual(f["severity_score"],
                             clip((spreads[f["window_index"]] - 5) / 40))
            self.assertEqual(f["opportunity_tags"], ["reader_contention"])
        return len(spreads) > 6

    def test_readers_that_contend(self):
        wait_until(self.readers_contend, 60, "readers that contend")


if __name__ == "__main__":
    harness.main()
