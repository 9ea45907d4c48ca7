#!/usr/bin/env python3
"""DFOptimizer's own programs with ours, over ZMQ on 127.0.0.1. Run by hand:

    upstream.py DFOPTIMIZER --build build/dev

DFOPTIMIZER is a checkout of github.com/llnl/dfoptimizer. Needed: python3-zmq and
python3-structlog. Every pair of a service and an application is run, with the same
application but for its import (application.py). Findings are those of a recording, sent
by pyzmq as DFDiagnoser does. For each pair:

  - the service's plans are those that dfopt-mpi --compat upstream makes of the findings;
  - the application applies those for its node and the job, and of each knob the last one;
  - with our service and our application, which registers its knobs and acknowledges, a
    replay of the session's recording (--record) gives the same plans, byte by byte but for
    the run in their ids.

Exit code: 0 all that is so, 1 something is not.
"""
import argparse
import collections
import contextlib
import gzip
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import zmq

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ANY = "tcp://127.0.0.1:*"
DEADLINE_S = 60
KNOBS = {"DFOPTIMIZER_BOOTSTRAP_DLIO": "1", "DLIO_KNOB_MIN_THREADS": "1",
         "DLIO_KNOB_MAX_THREADS": "8", "DLIO_KNOB_BOUNDARY": "window_boundary"}


class Failed(Exception):
    pass


def expect(what, condition, told=""):
    if not condition:
        raise Failed(f"{what}: {told}")


class Process:
    """A program whose lines are read as they come."""

    def __init__(self, command, **environment):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("DFOPT_CLIENT_", "DFOPTIMIZER_", "DLIO_KNOB_"))}
        self.command, self.lines, self.all = command, queue.Queue(), []
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**env, **environment}, universal_newlines=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)

    def line(self, accepts, what):
        """The next line that is accepted: what that returned."""
        until = time.monotonic() + DEADLINE_S
        while True:
            try:
                line = self.lines.get(timeout=max(0, until - time.monotonic()))
            except queue.Empty:
                raise Failed(f"{self.command[0]} said no {what}:\n"
                             + "".join(self.all[-20:])) from None
            self.all.append(line)
            found = accepts(line)
            if found is not None:
                return found

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def event(name):
    def accepts(line):
        try:
            told = json.loads(line)
        except ValueError:
            return None
        return told if isinstance(told, dict) and told.get("event") == name else None
    return accepts


def free_endpoint(context):
    with context.socket(zmq.PULL) as probe:
        return f"tcp://127.0.0.1:{probe.bind_to_random_port('tcp://127.0.0.1')}"


class Session:
    """A service, a diagnoser and an application; what the plans in flight are."""

    def __init__(self, o, service, package, node, folder):
        self.o, self.package, self.node, self.folder = o, package, node, folder
        self.closed = service == "dfopt-mpi" and package == "dfopt_client"
        self.stack = contextlib.ExitStack()
        self.context = self.stack.enter_context(zmq.Context())
        self.endpoints = {}
        self.ours = service == "dfopt-mpi"
        self.service = self.start_ours() if self.ours else self.start_theirs()
        self.stack.callback(self.service.end)
        self.findings = self.socket(zmq.PUSH)
        self.findings.connect(self.endpoints["findings"])
        self.plans_in, self.plans_out = self.socket(zmq.PULL), self.socket(zmq.PUSH)
        self.plans_in.connect(self.endpoints["plans"])
        at = f"tcp://127.0.0.1:{self.plans_out.bind_to_random_port('tcp://127.0.0.1')}"
        self.application = self.start_application(at)
        self.stack.callback(self.application.end)

    def path(self, name):
        return os.path.join(self.folder, name)

    def socket(self, kind):
        made = self.stack.enter_context(self.context.socket(kind))
        made.setsockopt(zmq.LINGER, 0)
        made.setsockopt(zmq.SNDTIMEO, DEADLINE_S * 1000)
        return made

    def start_ours(self):
        command = [self.o.program, "--transport", "zmq", "--address", ANY, "--bind",
                   "--plans-address", ANY, "--idle-timeout", "never",
                   "--record", self.path("record.jsonl"), "--plans-file",
                   self.path("plans.jsonl"), "--decision-log", self.path("log.h5")]
        if self.closed:
            service = Process(command + ["--registry-address", ANY, "--acks-address", ANY,
                                         "--debug"])  # tells of acks
        else:
            service = Process(command + ["--compat", "upstream"], **KNOBS)
        self.endpoints = service.line(event("optimizer.listening"), "endpoints")
        return service

    def start_theirs(self):
        self.endpoints = {"findings": free_endpoint(self.context),
                          "plans": free_endpoint(self.context)}
        return Process([sys.executable, os.path.join(self.o.upstream, "main.py"),
                        "--transport", "zmq", "--address", self.endpoints["findings"],
                        "--bind", "--plans-address", self.endpoints["plans"],
                        "--idle-timeout", str(DEADLINE_S)], **KNOBS)

    def start_application(self, plans):
        more = {"PYTHONPATH": self.o.upstream}
        if self.package == "dfopt_client":
            more = {"PYTHONPATH": os.path.join(ROOT, "src", "client", "python"),
                    "DFOPT_CLIENT_LIBRARY": self.o.library}
        if self.closed:
            more.update(DFOPT_CLIENT_REGISTRY=self.endpoints["registrations"],
                        DFOPT_CLIENT_ACKS=self.endpoints["acks"])
        app = Process([sys.executable, os.path.join(HERE, "application.py"), self.package,
                       plans], PYTHONDONTWRITEBYTECODE="1", **more)
        if self.closed:
            self.service.line(event("optimizer.registry.received"), "registration")
        return app

    def send(self, finding):
        metadata = {"artifact_type": "diagnosis_finding", "publish_mode": "control",
                    "finding_type": finding["finding_type"], "scope": finding["scope"]}
        self.findings.send_multipart([json.dumps(metadata).encode(),
                                      json.dumps(finding).encode()])

    def pass_on(self, timeout_ms):
        """Hands the next plan to the application and returns its body, or None."""
        if not self.plans_in.poll(timeout_ms):
            return None
        parts = self.plans_in.recv_multipart()
        expect("parts of a plan", len(parts) == 2, str(parts))
        self.plans_out.send_multipart(parts)
        return json.loads(parts[1])

    def ack(self):
        return self.application.line(
            lambda line: json.loads(line[4:]) if line.startswith("ack ") else None, "ack")


def concerns(plan, node):
    return not plan["target_nodes"] or node in plan["target_nodes"]


def without_run(plans):
    """A live run has its identity in the ids of plans; a replay has none."""
    return re.sub(r'("plan_id":"plan_[0-9a-f]{16})_[0-9a-f]{8}"', r'\1"', plans)


def replay(o, path, folder, *options, **environment):
    plans = os.path.join(folder, "again.jsonl")
    subprocess.run([o.program, "--findings-file", path, "--plans-file", plans,
                    "--log-level", "warning", "--no-progress", *options], check=True,
                   env={**os.environ, **environment}, timeout=DEADLINE_S)
    with open(plans, encoding="utf-8") as f:
        return f.read()


def open_loop(session, findings, wanted):
    """All findings at once: the plans, and that the application has the last ones."""
    for finding in findings:
        session.send(finding)
    plans = []
    while len(plans) < len(wanted):
        plan = session.pass_on(DEADLINE_S * 1000)
        expect("plans", plan is not None, f"{len(plans)} instead of {len(wanted)}")
        plans.append(plan)
    expect("plans", session.pass_on(200) is None, f"more than {len(wanted)}")

    def bare(plan):
        return {k: v for k, v in plan.items() if k != "plan_id"}

    for got, want in zip(plans, wanted):
        expect("plan", bare(got) == bare(want), f"{got}\nand not {want}")
    mine = [p for p in plans if concerns(p, session.node)]
    last = {p["knob_id"]: p for p in mine}
    acks = []
    while not all(any(a["plan_id"] == p["plan_id"] for a in acks) for p in last.values()):
        acks.append(session.ack())
    ids = [p["plan_id"] for p in mine]
    for ack in acks:
        expect("ack", ack["plan_id"] in ids and ack["status"] == "applied", str(ack))
        (plan,) = (p for p in mine if p["plan_id"] == ack["plan_id"])
        expect("value", ack["new_value"] == plan["new_value"], f"{ack} of {plan}")
    return f"{len(plans)} plans as replayed, {len(mine)} for {session.node}, " \
           f"{len(acks)} applied"


def closed_loop(o, session, findings):
    """One finding at a time: each plan is applied and acknowledged before the next."""
    plans = acks = 0
    for finding in findings:
        session.send(finding)
        while True:
            plan = session.pass_on(5)
            if plan is None:
                break
            plans += 1
            if concerns(plan, session.node):
                ack = session.ack()
                expect("ack", (ack["plan_id"], ack["status"], ack["new_value"])
                       == (plan["plan_id"], "applied", plan["new_value"]), str(ack))
                session.service.line(event("optimizer.ack.received"), "ack")
                acks += 1
    session.service.process.send_signal(signal.SIGTERM)
    done = session.service.line(event("optimizer.zmq.done"), "end")
    expect("findings", done["findings"] == len(findings), str(done))
    expect("acks", done["acks"] == acks and not done["acks_unmatched"], str(done))
    expect("exit code", session.service.process.wait(DEADLINE_S) == 0)
    with open(session.path("plans.jsonl"), encoding="utf-8") as f:
        live = f.read()
    expect("plans", live.count("\n") == plans and acks > 0, f"{plans} {acks}")
    again = replay(o, session.path("record.jsonl"), session.folder, "--acks", "explicit")
    expect("replay of the recording", without_run(live) == again, "other plans")
    return f"{plans} plans, {acks} applied and acknowledged, the recording replays to the same"


def options():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("upstream", metavar="DFOPTIMIZER")
    p.add_argument("--build", default=os.path.join(ROOT, "build", "dev"), metavar="DIR")
    p.add_argument("--findings", metavar="FILE.jsonl[.gz]",
                   default=os.path.join(ROOT, "jobs", "data", "training-16-nodes.jsonl.gz"))
    o = p.parse_args()
    o.program = os.path.join(o.build, "bin", "dfopt-mpi")
    o.library = os.path.join(o.build, "src", "client", "libdfopt_client.so.0")
    for path in (o.program, o.library, os.path.join(o.upstream, "main.py")):
        if not os.path.exists(path):
            p.error(f"{path} is missing")
    o.program, o.library = os.path.abspath(o.program), os.path.abspath(o.library)
    o.upstream = os.path.abspath(o.upstream)
    return o


def read_findings(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
        records = [json.loads(line) for line in f]
    return [r.get("body", r) for r in records if r.get("stream", "finding") == "finding"]


def move_here(o, folder, node):
    """The findings; those of the recording's busiest node become this machine's."""
    findings = read_findings(o.findings)
    path = write_findings(folder, findings)
    plans = replay(o, path, folder, "--compat", "upstream", **KNOBS).splitlines()
    nodes = collections.Counter(n for p in plans for n in json.loads(p)["target_nodes"])
    expect("a plan for a node", nodes, o.findings)
    there = nodes.most_common(1)[0][0]
    return json.loads(json.dumps(findings).replace(f"node:{there}:", f"node:{node}:"))


def write_findings(folder, findings):
    path = os.path.join(folder, "findings.jsonl")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(x) + "\n" for x in findings)
    return path


def main():
    o = options()
    node = socket.gethostname()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="dfopt-interop-") as top:
        findings = move_here(o, top, node)
        path = write_findings(top, findings)
        wanted = [json.loads(x) for x in
                  replay(o, path, top, "--compat", "upstream", **KNOBS).splitlines()]
        expect("plans to compare with", wanted)
        for service in ("dfopt-mpi", "DFOptimizer"):
            for package in ("dfoptimizer.runtime", "dfopt_client"):
                folder = os.path.join(top, service + package)
                os.mkdir(folder)
                session = None
                try:
                    session = Session(o, service, package, node, folder)
                    said = closed_loop(o, session, findings) if session.closed \
                        else open_loop(session, findings, wanted)
                except Failed as e:
                    said, bad = f"FAILED: {e}", 1
                finally:
                    if session:
                        session.stack.close()
                print(f"{service:12} -> {package:20} {said}", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(main())
