#!/usr/bin/env python3
"""dfopt-mpi as the optimizer of simulated applications (tests/spec/plants.py), in a closed loop.

usage: closed_loop.py --program build/dev/bin/dfopt-mpi [--plants latency,memory] [--ranks 1,3]

live: each plant runs against the program over ZMQ, window by window: what the application
reports goes in, the plans that come out are obeyed.  The specification's planner runs the same
plant by itself.  Both must make the same plans (ids count the markers below, and are compared
with those taken out), and the application must end with the same values and throughput, to the
last bit.

replay: the event log of the specification's loop is decided by a replay on --replay-ranks ranks:
the same plans, ids included, and the same values at the end.

Findings and what applications send come over two sockets, so their order is settled by markers:
before the socket changes, and at the end of a window, a record that only leaves a line in the
program's log (a finding with a tag that no knob answers to; an ack of no plan) is sent, and its
line awaited.  Nothing sleeps.  Needs pyzmq.
"""
import argparse
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, os.pardir, "spec"), os.path.join(HERE, os.pardir, "cli")]
import model  # noqa: E402
import plants  # noqa: E402
import score  # noqa: E402
from harness import Config, session_processes  # noqa: E402
from harness.launch import command, environment  # noqa: E402

DEADLINE_S = 60
ANY = "tcp://127.0.0.1:*"
TYPES = {"registration": "knob_registration", "ack": "action_ack", "objective": "objective"}
NO_PLAN = "plan_ffffffffffff0000"
MARKED = "optimizer.window.back"     # a marker has no window, and so seems to be of an earlier one


class Different(Exception):
    """The program and the specification do not agree."""


# ------------------------------------------------------------------ the program, over ZMQ

class Service:
    """dfopt-mpi with a bound endpoint for findings, one for applications, and one for plans."""

    def __init__(self, policy, ranks, *options):
        import zmq
        args = ["--transport", "zmq", "--address", ANY, "--bind", "--plans-address", ANY,
                "--applications-address", ANY, "--idle-timeout", "never", "--log-level", "debug",
                "--policy", policy, *options]
        env = environment(Config.program, None)
        argv = command(Config.program, args, None if ranks == 1 else ranks, env, ())
        self.process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        start_new_session=True)
        os.set_blocking(self.process.stderr.fileno(), False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stderr, selectors.EVENT_READ)
        self.rest, self.lines, self.plans_made = b"", [], 0
        self.context = zmq.Context()
        at = self.wait(lambda line: line["event"] == "optimizer.listening")
        self.sockets = {}
        for name, kind in (("findings", zmq.PUSH), ("applications", zmq.PUSH), ("plans", zmq.PULL)):
            self.sockets[name] = self.context.socket(kind)
            self.sockets[name].connect(at[name])

    def read(self, deadline):
        """More lines of the log."""
        if not self.selector.select(max(0, deadline - time.monotonic())):
            raise Different("no answer within %d s" % DEADLINE_S)
        data = self.process.stderr.read(1 << 16)
        if not data:
            raise Different("the program ended: %s" % self.rest.decode(errors="replace"))
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                raise Different("not a line of the log: %r" % line) from None

    def wait(self, is_it):
        """The first line that is it; lines before it are looked at and gone."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            while self.lines:
                line = self.lines.pop(0)
                if line["level"] in ("warning", "error") and line["event"] != MARKED:
                    raise Different("the program says %s" % line)
                self.plans_made += line["event"] == "optimizer.plan"
                if is_it(line):
                    return line
            self.read(deadline)

    def send(self, socket, metadata, body):
        self.sockets[socket].send_multipart([json.dumps(metadata).encode(),
                                             json.dumps(body).encode()])

    def plan(self):
        if not self.sockets["plans"].poll(DEADLINE_S * 1000):
            raise Different("a plan of the log does not arrive")
        return json.loads(self.sockets["plans"].recv_multipart()[1])

    def stop(self):
        """Ends it as a diagnoser does."""
        self.send("findings", {"name": "end"}, {})
        self.wait(lambda line: line["event"] == "optimizer.zmq.done")
        self.sockets["plans"].close(linger=0)
        code = self.process.wait(DEADLINE_S)
        if code:
            raise Different("exit code %d" % code)

    def close(self):
        self.context.destroy(linger=0)
        for pid in session_processes(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process.stderr.close()
        self.selector.close()


class Remote:
    """Sends the events of a plant to the program, in order, and has the plans of a window."""

    def __init__(self, service):
        self.service, self.seq, self.socket = service, 0, None
        self.sent = []              # number of each event, markers left out
        self.taken = 0

    def put(self, socket, metadata, body):
        self.service.send(socket, metadata, body)
        self.seq += 1
        return self.seq - 1

    def event(self, stream, body):
        socket = "findings" if stream == "finding" else "applications"
        if self.socket not in (None, socket):
            self.settle()
        self.socket = socket
        metadata = {"type": TYPES[stream]} if stream in TYPES else {"publish_mode": "control"}
        self.sent.append(self.put(socket, metadata, body))

    def settle(self):
        """Waits until all that was sent is decided."""
        if self.socket == "findings":
            n = self.put("findings", {}, {"opportunity_tags": ["closed_loop_marker"]})
            self.service.wait(lambda x: x["event"] == "optimizer.gate.rejected"
                              and x["record"] == n)
        elif self.socket == "applications":
            self.put("applications", {"type": "action_ack"}, {"plan_id": NO_PLAN})
            self.service.wait(lambda x: x["event"] == "optimizer.ack.received"
                              and x["outcome"] == "unmatched" and x["knob_id"] == "")
        self.socket = None

    def plans(self):
        """What was planned since the last call: (number of the event among those sent, plan)."""
        self.settle()
        self.socket = "findings"    # the plans of a batch follow its other lines: one more
        self.settle()
        found = []
        while self.taken < self.service.plans_made:
            self.taken += 1
            plan = self.service.plan()
            found.append((self.sent.index(int(plan["plan_id"][5:17], 16)), plan))
        return found


class RemoteLoop(plants.Loop):
    """A plant whose controller answers at the end of a window instead of at each event."""

    def __init__(self, sc, seed, remote):
        super().__init__(sc, seed, None)
        self.remote, self.event_window, self.made = remote, [], []

    def feed(self, stream, body):
        self.event_window.append(self.w)
        self.remote.event(stream, body)

    def collect(self):
        for event, plan in self.remote.plans():
            made, now = self.event_window[event], len(self.true)
            self.made.append((event, plan))
            if all(self.true[w - 1] for w in range(made, now + 1)):     # else: died meanwhile
                self.due.append((made + 1 + self.sc.delay, plan))

    def apply(self):
        self.collect()
        return super().apply()


# ------------------------------------------------------------------ the specification

class Local(score.Ours):
    """The specification's planner, and what it planned: (number of the event, plan)."""

    def __init__(self, sc):
        super().__init__(sc, model.DEFAULT)
        self.made = []

    def feed(self, stream, body):
        plans = super().feed(stream, body)
        self.made += [(self.i, p) for p in plans]
        return plans


def expected(sc, seed):
    local, log = Local(sc), []
    return plants.Loop(sc, seed, local, log=log).run(), local, log


def throughput(sc, true):
    """(final, mean) as score.py has them."""
    best, last, _, _ = plants.oracle(sc)
    quarter = sc.horizon // 4
    return sum(true[sc.horizon - quarter:]) / quarter / last, sum(true) / sc.horizon / best


def same(what, want, got):
    for i in range(max(len(want), len(got))):
        a, b = want[i] if i < len(want) else None, got[i] if i < len(got) else None
        if json.dumps(a) != json.dumps(b):
            raise Different("%s %d: the specification %s; the program %s" % (what, i, a, b))


# ------------------------------------------------------------------ the two tests

def policy_file(sc, folder):
    name = os.path.join(folder, "policy.json")
    with open(name, "w") as f:
        json.dump(sc.policy, f)
    return name


def without_id(made):
    """The plan's place among those of its event stays: its position."""
    return [(event, plan["plan_id"][17:21], {k: v for k, v in plan.items() if k != "plan_id"})
            for event, plan in made]


def live(sc, seed, ranks, folder):
    want, local, _ = expected(sc, seed)
    recording = os.path.join(folder, "recording.jsonl")
    service = Service(policy_file(sc, folder), ranks, "--record", recording)
    try:
        got = RemoteLoop(sc, seed, Remote(service))
        got.run()
        got.collect()
        service.stop()
    finally:
        service.close()
    same("plan", without_id(local.made), without_id(got.made))
    same("values of window", want.values, got.values)
    same("throughput of window", want.true, got.true)
    again = replay_plans(sc, recording, folder, 1)
    for plan in (p for _, p in got.made):
        plan["plan_id"] = plan["plan_id"][:21]
    same("plan of the recording", [p for _, p in got.made], again)
    return "%d plans, final %.3f, mean %.3f" % (len(got.made), *throughput(sc, got.true))


def replay_plans(sc, log, folder, ranks):
    plans = os.path.join(folder, "plans.jsonl")
    args = ["--findings-file", log, "--acks", "explicit", "--policy", policy_file(sc, folder),
            "--plans-file", plans, "--final-state", os.path.join(folder, "final.json"),
            "--log-level", "warning", "--no-progress"]
    env = environment(Config.program, None)
    argv = command(Config.program, args, None if ranks == 1 else ranks, env, ())
    done = subprocess.run(argv, env=env, stderr=subprocess.PIPE, text=True, timeout=DEADLINE_S * 2)
    if done.returncode or "error" in done.stderr:
        raise Different("replay on %d ranks, exit code %d: %s" % (ranks, done.returncode,
                                                                  done.stderr[-2000:]))
    with open(plans) as f:
        return [json.loads(line) for line in f]


def replay(sc, seed, ranks, folder):
    _, local, events = expected(sc, seed)
    log = os.path.join(folder, "log.jsonl")
    with open(log, "w") as f:
        f.writelines(json.dumps(e) + "\n" for e in events)
    final = json.loads(json.dumps(local.p.final()))
    for n in ranks:
        what = " on %d ranks" % n
        same("plan" + what, [p for _, p in local.made], replay_plans(sc, log, folder, n))
        with open(os.path.join(folder, "final.json")) as f:
            got = json.load(f)
        same("values" + what, [final["current_values"]], [got["current_values"]])
        same("node values" + what, sorted(final["node_values"]), sorted(got["node_values"]))
    return "%d events, %d plans" % (len(events), len(local.made))


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    ap.add_argument("--program", required=True)
    ap.add_argument("--mode", default="live,replay")
    ap.add_argument("--plants", default="", help="names, with commas (default: all)")
    ap.add_argument("--ranks", default="1,3", help="of the service")
    ap.add_argument("--replay-ranks", default="1,2,4,7")
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--horizon", type=int, default=0, help="windows, instead of the plant's own")
    a = ap.parse_args()
    Config.program = a.program
    bad = 0
    for sc in plants.scenarios():
        if a.plants and sc.name not in a.plants.split(","):
            continue
        if a.horizon:
            sc.horizon = a.horizon
        jobs = [("live", int(n)) for n in a.ranks.split(",") if n and "live" in a.mode]
        if "replay" in a.mode:
            jobs.append(("replay", [int(n) for n in a.replay_ranks.split(",")]))
        for mode, ranks in jobs:
            begin = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="dfopt-loop-") as folder:
                try:
                    said = (live if mode == "live" else replay)(sc, a.seed, ranks, folder)
                except Different as e:
                    bad += 1
                    said = "DIFFERENT: %s" % e
            print("%-15s %-6s %-12s %5.1f s  %s" % (sc.name, mode, ranks,
                                                    time.monotonic() - begin, said), flush=True)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
