"""Metrics and readiness of the live service: what it counts is what its decision log
holds, in both formats and in the eyes of Prometheus' own tools; /readyz tells each
cause, and when it is gone; thousands of bad clients change nothing.
DFOPT_ONLINE_LONG=1: 1,000 clients of each kind, and readiness within 2 s."""
import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import online  # first: it finds harness
import zmq
from harness import Case, DecisionLog, main, rank_process, run
from online import App, Service, wait_until
from test_kills import POLICY

try:
    from prometheus_client.openmetrics import parser
except ImportError:
    parser = None

DEADLINE_S = 60
READY_S = 2 if online.LONG else DEADLINE_S
CLIENTS = 1000 if online.LONG else 60
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}


def parse(text):
    """Samples of an exposition by their text: 'name{label="value"}' -> number."""
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (s.rpartition(" ") for s in lines)}


class Metrics(Case):
    def start(self, *args, ranks=None, log=True):
        self.log = self.path("log.h5")
        self.service = Service(
            "--metrics-address", "127.0.0.1:0", "--linger", "0.1",
            *(["--decision-log", self.log] if log else []), *args, ranks=ranks)
        self.addCleanup(self.service.kill)
        self.service.listening()
        where = [json.loads(line)["address"] for line in self.service.so_far().splitlines()
                 if '"optimizer.metrics.listening"' in line]
        self.assertEqual(len(where), 1)
        self.where = where[0]

    def start_app(self):
        self.app = App(self.path("app"), "node1", self.service.at, findings=True)
        self.addCleanup(self.app.kill)

    def get(self, path, headers=None):
        """(status, content type, text)"""
        request = urllib.request.Request(f"http://{self.where}{path}", headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as r:
                return r.status, r.headers["Content-Type"], r.read().decode()
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.headers["Content-Type"], e.read().decode()

    def samples(self):
        return parse(self.get("/metrics")[2])

    def wait_for(self, sample, at_least=1):
        wait_until(lambda: self.samples().get(sample, 0) >= at_least, DEADLINE_S,
                   f"{sample}:\n{self.get('/metrics')[2]}")

    def wait_ready(self):
        wait_until(lambda: self.get("/readyz")[0] == 200, DEADLINE_S, "ready")

    def assert_turns(self, status, line):
        """/readyz becomes so, in time, and tells why."""
        def look():
            code, _, text = self.get("/readyz")
            return code == status and line in text
        wait_until(look, READY_S, f"{status}, {line}: {self.get('/readyz')[2]}")

    # ---- what is counted ----

    def assert_well_formed(self):
        code, kind, text = self.get("/metrics", OPENMETRICS)
        self.assertEqual((code, kind.split(";")[0]), (200, "application/openmetrics-text"))
        if parser:
            names = {f.name for f in parser.text_string_to_metric_families(text)}
            self.assertIn("dfopt_finding_to_plan_seconds", names)
        code, kind, text = self.get("/metrics")
        self.assertEqual((code, kind), (200, "text/plain; version=0.0.4; charset=utf-8"))
        if shutil.which("promtool"):
            tool = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual((tool.returncode, tool.stdout), (0, ""))
        self.assertEqual(len(parse(text)), len(set(parse(text))))

    def send_rubbish(self):
        with zmq.Context() as context, context.socket(zmq.PUSH) as push:
            push.connect(self.service.at["findings"])
            for body in (b'{"severity_score": "high"}', b'{"severity_score": "low"}'):
                push.send_multipart([b"{}", body])

    def test_counts(self):
        for ranks in (None, 3):
            with self.subTest(ranks=ranks):
                self.start(ranks=ranks)
                self.start_app()
                self.send_rubbish()
                self.wait_for('dfopt_plans_total{knob="app.node_level"}', 3)
                self.wait_for('dfopt_events_total{stream="ack"}', 3)
                self.wait_for('dfopt_verdicts_total{verdict="invalid"}', 2)
                self.assert_well_formed()
                self.check_values()
                self.assertEqual(self.app.finish(), 0)
                self.check_against_log(ranks or 1)
                os.rename(self.log, self.path(f"log{ranks}.h5"))

    def kept(self):
        """Rows of the log, by table; without plans that were withdrawn before their trial."""
        with DecisionLog(self.log) as d:
            rows = {name: d.rows(name) for name in (
                "findings", "plans", "acks", "registrations", "rejects", "verdicts")}
            ends = d.names("outcomes", "verdict") if d.rows("outcomes") else []
        return dict(rows, outcomes=len(ends) - ends.count("withdrawn"))

    @staticmethod
    def counted(s):
        """The same by the samples of a scrape."""
        got = {"findings": s['dfopt_events_total{stream="finding"}'],
               "acks": s['dfopt_events_total{stream="ack"}'],
               "registrations": s['dfopt_events_total{stream="registration"}']}
        for table, prefix in (("plans", "dfopt_plans_total{"),
                              ("rejects", "dfopt_rejects_total{"),
                              ("verdicts", "dfopt_verdicts_total{"),
                              ("outcomes", "dfopt_outcomes_total{")):
            got[table] = sum(v for k, v in s.items() if k.startswith(prefix))
        return got

    def settled(self):
        """The samples when the application has left and nothing comes any more: two scrapes
        count the same, and what the log has."""
        last = {}

        def same():
            nonlocal last
            before, last = last, self.samples()
            return (before and self.counted(before) == self.counted(last) == self.kept()
                    and not any(k.startswith("dfopt_knob_value{") for k in last))
        wait_until(same, DEADLINE_S, "counts stay", every_s=1.2)
        return last

    def check_values(self):
        level = 'dfopt_knob_value{knob="app.node_level",over_nodes="%s"}'
        self.wait_for(level % "min", int(self.app.lines("plan")[0][3]))
        s = self.samples()
        self.assertEqual(s[level % "min"], s[level % "max"])  # one node
        self.assertEqual(s['dfopt_knob_at_bound_ratio{knob="app.node_level",bound="low"}'], 0)
        self.assertEqual(s['dfopt_knob_at_bound_ratio{knob="app.job_level",bound="low"}'], 1)

    def check_against_log(self, ranks):
        s = self.settled()
        last = [k for k in s if k.startswith("dfopt_rank_memory_bytes{")]
        self.assertEqual(len(last), ranks)
        self.assertTrue(all(s[k] > 1 << 20 for k in last))
        self.assertGreater(s[f'dfopt_rank_events_total{{rank="{ranks - 1}"}}'], 0)
        self.assertEqual(s["dfopt_plans_awaiting_ack"], 0)
        r = self.service.stop()
        self.assertEqual(r.code, 0, r.brief)
        kept = self.kept()
        self.assertEqual(self.counted(s), kept)
        self.assertEqual(s["dfopt_finding_to_plan_seconds_count"], kept["plans"])

    def test_labels_are_bounded(self):
        self.start(log=False)
        knobs = {f"k{i}": {"id": f"app.k{i:03}", "default": i, "type": "int",
                           "range": [0, 1000], "responds_to": {}} for i in range(200)}
        with zmq.Context() as context, context.socket(zmq.PUSH) as push:
            push.connect(self.service.at["registrations"])
            push.send_multipart([b"{}", json.dumps(
                {"namespace": "app", "function_name": "app.f", "knobs": knobs}).encode()])
            self.wait_for('dfopt_knob_value{knob="app.k000",over_nodes="min"}', 0)
            self.wait_for('dfopt_events_total{stream="registration"}')
            wait_until(lambda: any("app.k063" in k for k in self.samples()), DEADLINE_S,
                       "values of knobs")
            values = [k for k in self.samples() if k.startswith("dfopt_knob_value{")]
        self.assertEqual(len(values), 64 * 3)

    # ---- readiness ----

    def test_rank_stands_still(self):
        self.start(ranks=3, log=False)
        self.start_app()
        self.wait_ready()
        victim = rank_process(self.service.sid, 2)
        for _ in range(2):
            os.kill(victim, signal.SIGSTOP)
            self.assert_turns(503, "ranks: rank 2 has not answered for")
            self.assertEqual(self.get("/healthz")[0], 200)
            self.assertEqual(self.samples()['dfopt_ready{check="ranks"}'], 0)
            os.kill(victim, signal.SIGCONT)
            self.assert_turns(200, "ranks: ok")
        self.app.wait_for_plans(self.service, 1)

    def test_peer_is_gone(self):
        at = self.hold_port()
        service = online.Running(
            ["--transport", "zmq", "--address", at, "--idle-timeout", "never",
             "--metrics-address", "127.0.0.1:0"])
        self.addCleanup(service.kill)
        wait_until(lambda: '"optimizer.metrics.listening"' in service.so_far(), DEADLINE_S,
                   "metrics")
        self.where = [json.loads(line)["address"] for line in service.so_far().splitlines()
                      if '"optimizer.metrics.listening"' in line][0]
        with zmq.Context() as context:
            for _ in range(2):
                self.assert_turns(503, f"input: {at}: no diagnoser connected")
                with context.socket(zmq.PUSH) as push:
                    push.bind(at)
                    self.assert_turns(200, "input: ok")

    def mount(self):
        self.disk = self.path("disk")
        os.mkdir(self.disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs",
                                  self.disk], stderr=subprocess.DEVNULL)
        if mounted.returncode:
            self.skipTest("cannot mount a small tmpfs here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk])

    def fill(self):
        with open(os.path.join(self.disk, "ballast"), "wb", buffering=0) as f, \
                contextlib.suppress(OSError):
            while f.write(bytes(4096)) == 4096:
                pass

    def test_disk_is_full(self):
        """The journal waits for room; a decision log is given up, and stays so."""
        self.mount()
        for flush_s, full, freed in (("600", "outputs: journal: ", (200, "outputs: ok")),
                                     ("0.05", "log: given up: ", (503, "log: given up: "))):
            with self.subTest(flush_s=flush_s):
                log = os.path.join(self.disk, f"log{flush_s}.h5")
                self.start("--decision-log", log, "--log-flush-interval", flush_s, log=False)
                self.start_app()
                self.wait_ready()
                self.fill()
                self.assert_turns(503, full)
                wait_until(lambda: self.samples().get("dfopt_log_free_bytes", 0) == 0,
                           DEADLINE_S, "no space is left")
                os.unlink(os.path.join(self.disk, "ballast"))
                self.assert_turns(*freed)
                self.app.kill()
                self.service.kill()
                for name in os.listdir(self.disk):
                    os.unlink(os.path.join(self.disk, name))

    # ---- clients ----

    def connect(self, text):
        host, _, port = self.where.rpartition(":")
        s = socket.create_connection((host, int(port)), timeout=60)
        self.addCleanup(s.close)
        with contextlib.suppress(OSError):
            s.sendall(text)
        return s

    def files(self):
        return len(os.listdir(f"/proc/{self.leader}/fd"))

    def test_bad_clients(self):
        policy = self.write("policy.json", json.dumps(POLICY))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        want = min(hard, 4 * CLIENTS + 200)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, want), hard))
        self.start("--policy", policy)
        self.start_app()
        self.wait_for('dfopt_plans_total{knob="app.node_level"}', 3)
        self.leader = self.service.process.pid
        files = self.files()
        kinds = (b"", b"GET /metrics HTTP/1.1\r\nHo", bytes(range(256)),
                 b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")  # and nobody reads
        slowest = 0
        for i in range(CLIENTS):
            clients = [self.connect(text) for text in kinds]
            if i % 20 == 0:
                start = time.monotonic()
                self.assertEqual(self.get("/metrics")[0], 200)
                slowest = max(slowest, time.monotonic() - start)
                self.app.wait_for_plans(self.service, 1)
        del clients
        print(f"{len(kinds) * CLIENTS} bad clients, slowest scrape {slowest * 1e3:.1f} ms")
        wait_until(lambda: self.files() <= files + 2, DEADLINE_S, "all are cut off")
        r = self.service.stop()
        self.assertEqual(r.code, 0, r.brief)

    # ---- mistakes ----

    def test_mistakes(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        live = ["--transport", "zmq", "--address", "tcp://127.0.0.1:*", "--bind"]
        cases = ((live, "9464", "--metrics-address: 9464: not HOST:PORT"),
                 (live, at, f"cannot listen at {at}: Address already in use"),
                 (["--findings-file", os.devnull], at, "it is for a live service"))
        for args, address, text in cases:
            with self.subTest(address=address):
                r = run([*args, "--metrics-address", address])
                self.assertEqual(r.code, 2, r.brief)
                self.assertIn(text, r.text)


if __name__ == "__main__":
    main()
