#!/usr/bin/env python3
"""A flood of findings while the consumer of plans does not read: nothing is held up,
memory stays bounded, and once the consumer is back it gets the latest plan of every
knob. A signal in the flood loses nothing that was ingested."""
import json
import os
import signal
import threading
import time

import zmq

from online import LONG, Service, harness, wait_until

SANITIZED = harness.is_sanitized(harness.Config.program)
FINDINGS = 1_000_000 if LONG else 5_000 if SANITIZED else 30_000
NODES = 100
MEMORY_MIB = 400  # of a rank; without a bound a million plans would take a GiB


TEMPLATE = json.dumps(harness.finding(0, "@NODE@")).replace("%", "%%").replace(
    "@NODE@", "n%03d").replace('_window": 0', '_window": %d').replace(
    'window_index": 0', 'window_index": %d').encode()


def finding(i):
    """In every window each node has one, and two plans follow from it."""
    window = 1 + i // NODES
    return TEMPLATE % (i % NODES, window, window)


def ranks_of(running):
    found = []
    for pid in harness.session_processes(running.sid):
        try:
            if os.readlink(f"/proc/{pid}/exe").endswith("dfopt-mpi"):
                found.append(pid)
        except OSError:
            pass
    return sorted(found)


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return 0


class Flood(threading.Thread):
    """Sends findings till the end, or until told to stop."""

    def __init__(self, at, count):
        super().__init__(daemon=True)
        self.at, self.count = at, count
        self.sent, self.stopped = 0, threading.Event()

    def run(self):
        with zmq.Context() as context, context.socket(zmq.PUSH) as s:
            s.linger, s.sndtimeo = 60_000, 200
            s.connect(self.at["findings"])
            while self.sent < self.count and not self.stopped.is_set():
                try:
                    s.send_multipart([b"{}", finding(self.sent)])
                    self.sent += 1
                except zmq.Again:
                    pass
            if self.stopped.is_set():
                s.linger = 0


class Floods(harness.Case):
    def start(self, ranks):
        registry = self.write("knobs.json", json.dumps([harness.registration(
            harness.knob("app.a", range_=(1, 1 << 40), dataloader_prefetch=harness.response()),
            harness.knob("app.b", range_=(1, 1 << 40), reader_parallelism=harness.response()))]))
        running = Service("--registry-file", registry, "--plans-file", self.path("plans"),
                          "--decision-log", self.path("log.h5"), "--acks", "assumed",
                          "--plans-queue", "1000", "--status-interval", "0.2",
                          "--log-level", "info", ranks=ranks)
        self.addCleanup(running.kill)
        return running.listening()

    def test_a_consumer_that_stopped_reading(self):
        running = self.start(4)
        context = zmq.Context()
        self.addCleanup(context.destroy, 0)
        plans = context.socket(zmq.PULL)
        self.addCleanup(plans.close, 0)
        plans.rcvhwm = 10
        plans.connect(running.at["plans"])
        flood = Flood(running.at, FINDINGS)
        began = time.monotonic()
        flood.start()
        self.assertTrue(plans.poll(60_000))
        first = json.loads(plans.recv_multipart()[1])
        # and now it stops reading
        wait_until(lambda: self.status(running, "findings", "undecided") == [FINDINGS, 0], 600,
                   "all findings decided")
        took = time.monotonic() - began
        peaks = [peak_mib(p) for p in ranks_of(running)]
        self.assertEqual(len(peaks), 4)
        if not SANITIZED:  # which keeps what was freed
            self.assertLess(max(peaks), MEMORY_MIB)
        got = {(first["knob_id"], *first["target_nodes"]): first}
        count = 1

        def has_all():
            nonlocal count
            while plans.poll(200):
                plan = json.loads(plans.recv_multipart()[1])
                got[(plan["knob_id"], *plan["target_nodes"])] = plan
                count += 1
            return self.status(running, "plans_kept_back") == [0] and got == self.latest()
        wait_until(has_all, 120, "the latest plan of every knob")
        result = running.stop()
        self.assertEqual(result.code, 0, result.brief)
        self.assertFalse(plans.poll(0))
        self.assertEqual(len(got), 2 * NODES)
        self.assertEqual(got, self.latest())
        done = result.named("optimizer.zmq.done")[0]
        print(f"{FINDINGS} findings in {took:.1f} s, {done['plan_count']} plans, {count} of "
              f"them received; peak MiB of the ranks: {peaks}")

    def latest(self):
        """The last plan of each knob in the plans file."""
        found = {}
        with open(self.path("plans"), encoding="utf-8") as f:
            for line in f.read().rpartition("\n")[0].splitlines():
                plan = json.loads(line)
                found[(plan["knob_id"], *plan["target_nodes"])] = plan
        return found

    def status(self, running, *names):
        """These members of the last status line."""
        lines = [x for x in running.so_far().split("\n")[:-1] if '"optimizer.status"' in x]
        last = json.loads(lines[-1]) if lines else {}
        return [last.get(name) for name in names]

    def test_a_signal_in_the_flood(self):
        for number in (signal.SIGTERM, signal.SIGUSR1):
            running = self.start(None)
            flood = Flood(running.at, 1 << 40)
            flood.start()
            wait_until(lambda: (self.status(running, "findings")[0] or 0) > 100, 60,
                       "findings")
            os.kill(running.process.pid, number)
            result = running.finish(60)
            flood.stopped.set()
            flood.join()
            self.assertEqual(result.code, 0, result.brief)
            done = result.named("optimizer.zmq.done")[0]
            self.assertGreater(done["findings"], 100)
            with harness.DecisionLog(self.path("log.h5")) as log:
                self.assertEqual(log.complete, 1)
                self.assertEqual(log.rows("findings"), done["findings"])
                self.assertEqual(log.rows("plans"), done["plan_count"])
                scopes = log.strings("findings", "scope")
            self.assertEqual(scopes, [f"node:n{i % NODES:03d}:window"
                                      for i in range(done["findings"])])
            with open(self.path("plans"), "rb") as f:
                self.assertEqual(f.read().count(b"\n"), done["plan_count"])
            print(f"{number.name}: {done['findings']} of {flood.sent} findings sent were "
                  "ingested, all are in the log")


if __name__ == "__main__":
    harness.main()
