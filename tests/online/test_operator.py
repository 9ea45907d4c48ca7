"""What an operator may rely on, against a live service under load. Short; with
DFOPT_ONLINE_LONG=1 as many rounds as are promised, and with DFOPT_ONLINE_QUIET=1 (nothing
else runs) the latencies are judged, too.

Restore: all knobs of 16 nodes are back at their next boundary, whatever was set, in flight or
not acknowledged before; plans back whose acks never come are listed. Reload: each finding is
decided by one policy, that of the last command before it; one that is refused changes
nothing. Shadow: nothing leaves. Clients that say nothing, or too much, hold up nobody."""
import json
import os
import signal
import subprocess
import sys
import time

import zmq

import online  # first: it finds harness
from harness import Case, Config, finding, knob, main, registration, response
from online import LONG, Service, wait_until

ROUNDS = 1000 if LONG else 15
NODES = [f"n{i:02}" for i in range(16)]
REGISTERED = {"app.threads": 2, "app.depth": 8}
RATE = 1000 if LONG else 200  # findings a second
PHASES, PHASE_S = (16, 2.5) if LONG else (4, 1.0)
OFTEN_S = 0.05 # between policies: often enough that the machine has less for findings
AT_ONCE = response(min_persistence=1, cooldown_windows=0)


def policy(step, boundary):
    """With another step and boundary, so that each plan tells whose it is."""
    return {"switches": {"effect": "severity"}, "limits": {}, "responses": {"*": {
        "step": step, "apply_when": boundary, "cooldown_windows": 0,
        "effectiveness_threshold": -1000}}}


POLICIES = {1: "window_boundary", 3: "epoch_boundary"}


def bad_policy(dice):
    """One that has something wrong with it."""
    good = policy(5, "never")
    return dice.choice((
        {**good, f"x{dice.random()}": 1}, {**good, "switches": {"effect": "trend"}},
        {**good, "switches": {"no_such": True}}, {**good, "responses": {"knob:no": {}}},
        {**good, "responses": {"tag:no": {}}}, {**good, "responses": {"*": {"step": []}}},
        {**good, "limits": {"plans_per_window": -dice.randrange(1, 9)}}, [], 5, None,
        {**good, "responses": {"*": {"min_severity": "high"}}}, {"switches": good},
        {"responses": good["responses"], "switches": good["switches"]},  # no limits
        {**good, "guards": [{"metric": f"m{dice.randrange(9)}"}]}))


# What goes on beside the load: arguments are the endpoint, a seed and how many lines there
# are; to the end of standard input.
HEAD = """
import json, random, select, sys, zmq
context, at, dice = zmq.Context(), sys.argv[1], random.Random(sys.argv[2])
context.linger = 0
def goes_on(seconds):
    return not select.select([sys.stdin], [], [], seconds)[0]
"""
RELOADS = HEAD + """
from test_operator import POLICIES, bad_policy, policy
client, n = context.socket(zmq.REQ), int(sys.argv[3]) // 2
client.connect(at)
print("ready", flush=True)
while goes_on(PAUSE): # good policies, in turns, and bad ones between
    n += 1
    step = 1 if n % 2 else 3
    for p in (policy(step, POLICIES[step]), bad_policy(dice)):
        client.send(json.dumps({"action": "policy", "policy": p}).encode())
        print(json.dumps([step, json.loads(client.recv())]))
"""
SILENCE = HEAD + """
print("ready", flush=True)
while goes_on(PAUSE): # as often as the policies, which are compared with it
    pass
"""
NOISE = HEAD + """
kinds = [b"", b"{", b'{"request":"status"}', b'{"action":"thaw"}', b"x" * 9999,
         b'{"action":"approve","plan_id":"plan_0000000000000000"}']
clients = [context.socket(zmq.DEALER) for _ in range(20)]
for s in clients:
    s.connect(at)
noisy = clients[0]
print("ready", flush=True)
while goes_on(.001):
    try:
        for _ in range(5):
            noisy.send_multipart([b"", dice.choice(kinds)], zmq.DONTWAIT)
        while True:
            noisy.recv_multipart(zmq.DONTWAIT)
    except zmq.Again:
        pass
"""
RATIO = 1.1  # of the latency at the 99th percentile, on a machine with nothing else to do


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(p * len(values)))]


class Operator(Case):
    def setUp(self):
        super().setUp()
        self.random = online.dice()
        self.control = f"ipc://{self.path('ctl')}/service"
        self.log = self.path("log.h5")
        self.context = zmq.Context()
        self.context.linger = 0
        self.addCleanup(self.context.destroy, linger=0)

    def start(self, *more, ranks=None):
        text = json.dumps(policy(1, POLICIES[1]))
        self.service = Service("--policy", self.write("policy.json", text), "--decision-log",
                               self.log, "--control-address", self.control, "--log-level",
                               "warning", "--log-flush-interval", "0.2",
                               "--pull-timeout-ms", "2", *more, ranks=ranks)
        self.addCleanup(self.service.kill)
        self.connect(self.endpoints())

    def endpoints(self):
        """From the operator's own view, which also tells that it listens."""
        wait_until(lambda: os.path.exists(self.path("ctl") + "/service"), 60, "the service")
        at = {x["name"]: x["endpoint"] for x in self.ask({"request": "status"})["endpoints"]}
        return {s: at[s] for s in online.STREAMS}

    def connect(self, at):
        self.sockets = {}
        for stream, kind in (("findings", zmq.PUSH), ("registrations", zmq.PUSH),
                             ("acks", zmq.PUSH), ("plans", zmq.PULL)):
            self.sockets[stream] = self.context.socket(kind)
            self.sockets[stream].set_hwm(0)
            self.sockets[stream].connect(at[stream])

    def ask(self, command):
        """The answer to a command, over a socket that stays."""
        if not hasattr(self, "client"):
            self.client = self.context.socket(zmq.REQ)
            self.client.connect(self.control)
        self.client.send(json.dumps(command).encode())
        self.assertTrue(self.client.poll(60000), "no answer")
        return json.loads(self.client.recv())

    def ctl(self, *args, code=0):
        done = subprocess.run(
            [os.path.join(os.path.dirname(Config.program), "dfopt-ctl"), "--control-address",
             self.control, "--json", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=120, text=True)
        self.assertEqual(done.returncode, code, (args, done.stdout, done.stderr))
        return [json.loads(x) for x in done.stdout.splitlines()]

    def send(self, stream, body):
        self.sockets[stream].send_multipart([b"{}", json.dumps(body).encode()])

    def register(self, nodes, **knobs):
        for node in nodes:
            self.send("registrations", dict(registration(*(
                knob(k, default=v, range_=(1, 10**9), dataloader_prefetch=AT_ONCE)
                for k, v in knobs.items())), node=node, instance=node + "-1"))
        wait_until(lambda: len(self.values()) == len(nodes) * len(knobs), 60, "the knobs")

    def values(self, plans=False):
        """(knob, node) -> value, or of what is in flight its plan."""
        return {(v["knob_id"], v["node"]): v.get("plan_id") if plans else v["value"]
                for v in self.ask({"request": "status"})["values"]
                if v["node"] and (v.get("plan_id") or not plans)}

    def ack(self, p):
        self.send("acks", {"plan_id": p["plan_id"], "knob_id": p["knob_id"],
                           "status": "applied", "new_value": p["new_value"],
                           "target_nodes": p["target_nodes"]})

    def take(self, wanted):
        """The plans of these ids, in any order, by (knob, node)."""
        got, wanted = {}, set(wanted)
        while wanted:
            self.assertTrue(self.sockets["plans"].poll(60000), f"{len(wanted)} plans left")
            p = json.loads(self.sockets["plans"].recv_multipart()[-1])
            self.assertIn(p["plan_id"], wanted)
            wanted.remove(p["plan_id"])
            got[p["knob_id"], p["target_nodes"][0]] = p
        return got

    def settled(self, unacknowledged):
        """Waits until only these are in flight."""
        wait_until(lambda: self.values(plans=True) == unacknowledged, 60, "the acks")

    # ---- restore ----

    def test_restore(self):
        """The simulated nodes apply each plan at their next window."""
        self.start("--restore-at-end", "1")
        self.register(NODES, **REGISTERED)
        where = [(k, n) for k in REGISTERED for n in NODES]
        real = {(k, n): REGISTERED[k] for k, n in where}
        open_plans, withheld = {}, 0
        for i in range(ROUNDS):
            for key in self.random.sample(where, self.random.randrange(1, len(where))):
                value = self.random.randrange(1, 10**6)
                answer = self.ask({"action": "set", "knob_id": key[0], "value": value,
                                   "node": key[1]})
                self.assertIn(answer["outcome"], ("done", "same_value"))
                for at, p in self.take(answer["plans"]).items():
                    real[at] = p["new_value"]
                    open_plans[at] = p["plan_id"]
                    if self.random.random() < .7:
                        self.ack(p)
                        del open_plans[at]
            back = self.take(p for a in self.ctl("restore") for p in a["plans"])
            real.update({at: p["new_value"] for at, p in back.items()})
            self.assertEqual(real, {(k, n): REGISTERED[k] for k, n in where}, f"round {i}")
            self.assertEqual(self.values(), real, f"round {i}")
            for at, p in back.items():
                open_plans[at] = p["plan_id"]
                if self.random.random() < .9:
                    self.ack(p)
                    del open_plans[at]
                else:
                    withheld += 1
            self.settled(open_plans)
        self.ctl("stop")
        r = self.service.finish()
        self.assertEqual(r.code, 0, r.brief)
        listed = {(e["knob_id"], e["node"]): e["plan_id"] for e in
                  r.named("optimizer.restore.unacknowledged")}
        self.assertEqual(listed, open_plans)
        print(f"restore: {ROUNDS} of {ROUNDS} rounds; {withheld} acks withheld; "
              f"{len(listed)} listed at the end")

    def loader(self):
        """The demo's loader in short windows, tuned by the service; its process."""
        at = self.endpoints()
        process = subprocess.Popen(
            [os.path.join(os.path.dirname(Config.program), "dfopt-demo-loader"),
             f"--make-data={self.path('data')}", "--window-ms=20", "--windows=1000000",
             "--files=2", "--records=32", f"--findings={at['findings']}",
             "--findings-connect", f"--plans={at['plans']}", f"--acks={at['acks']}",
             f"--registry={at['registrations']}", "--hostname=n1", "--wait-optimizer=60",
             f"--json={self.path('loader.jsonl')}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_restore_demo(self):
        """Of the demo's loader, as its own report of each window tells."""
        self.start("--restore-at-end", "1")
        self.sockets["plans"].close() # they are the loader's
        self.ask({"action": "freeze"}) # it is not tuned meanwhile
        loader = self.loader()
        knobs = {"demo.read_threads": 32, "demo.prefetch_size": 64}
        start = {(k, "n1"): 1 for k in knobs}
        wait_until(lambda: self.values() == start, 60, "the loader")
        with open(self.path("loader.jsonl"), encoding="utf-8") as report:
            def settings():
                """(read_threads, prefetch_size) of the windows since the last call."""
                lines = [json.loads(x) for x in report]
                return [(x["read_threads"], x["prefetch_size"]) for x in lines
                        if x["event"] == "window"]
            for i in range(ROUNDS):
                while True:
                    wanted = {k: self.random.randint(1, most) for k, most in knobs.items()}
                    if set(wanted.values()) != {1}:
                        break
                for k, value in wanted.items():
                    self.ask({"action": "set", "knob_id": k, "value": value, "node": "n1"})
                self.settled({})
                self.assertEqual(self.values(), {(k, "n1"): v for k, v in wanted.items()})
                wait_until(lambda w=tuple(wanted.values()): w in settings(), 60, "a window")
                self.ask({"action": "restore", "node": "n1"})
                self.settled({})
                self.assertEqual(self.values(), start, f"round {i}")
                wait_until(lambda: settings()[-1:] == [(1, 1)], 60, "a window")
        loader.send_signal(signal.SIGSTOP) # its acks never come
        gone = self.ask({"action": "set", "knob_id": "demo.read_threads", "value": 9,
                         "node": "n1"})["plans"]
        self.ctl("stop")
        r = self.service.finish()
        self.assertEqual(r.code, 0, r.brief)
        listed = r.named("optimizer.restore.unacknowledged")
        self.assertEqual([(e["knob_id"], e["node"]) for e in listed],
                         [("demo.read_threads", "n1")])
        self.assertNotIn(listed[0]["plan_id"], gone) # it is the plan back
        print(f"restore of the demo: {ROUNDS} of {ROUNDS}")

    # ---- under findings ----

    def load(self, seconds, during=None):
        """RATE findings a second, one plan each; their latencies in ms. `during` runs
        beside them, in a process of its own, whose lines are kept."""
        sent, got = {}, {}
        other = subprocess.Popen(
            [sys.executable, "-c", during, self.control, str(self.random.random()),
             str(len(self.lines))], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, cwd=os.path.dirname(os.path.abspath(__file__))) if during else None
        if other:
            self.addCleanup(other.kill)
            self.assertEqual(other.stdout.readline(), "ready\n")
        begin = time.monotonic()
        n = int(seconds * RATE)
        plans = self.sockets["plans"]

        def receive():
            p = json.loads(plans.recv_multipart()[-1])
            got[p["target_nodes"][0], p["window_index"]] = time.monotonic()
        for i in range(n):
            while time.monotonic() < begin + i / RATE:
                if plans.poll(1):
                    receive()
            node = f"n{i % 100:02}"
            if i % 100 == 0:
                self.window += 1
            sent[node, self.window] = time.monotonic()
            self.send("findings", finding(self.window, node, trend_direction="worsening"))
        end = time.monotonic() + 60
        while len(got) < n and time.monotonic() < end:
            if plans.poll(100):
                receive()
        if other:
            self.lines += other.communicate(timeout=60)[0].splitlines()
        self.assertEqual(len(got), n, "plans")
        return [1000 * (got[key] - at) for key, at in sent.items()]

    def turns(self, during, phases=PHASES, otherwise=None):
        """Latencies without, and with, in turns."""
        plain, disturbed = [], []
        for _ in range(phases // 2):
            plain += self.load(PHASE_S, otherwise)
            disturbed += self.load(PHASE_S, during)
        return plain, disturbed

    def report(self, what, plain, disturbed, is_judged=True):
        a, b = percentile(plain, .99), percentile(disturbed, .99)
        print(f"{what}: {len(plain)} findings at {RATE}/s without, {len(disturbed)} with: p50 "
              f"{percentile(plain, .5):.2f} and {percentile(disturbed, .5):.2f} ms, p99 "
              f"{a:.2f} and {b:.2f} ms, ratio {b / a:.3f}")
        if is_judged and os.environ.get("DFOPT_ONLINE_QUIET") == "1":
            self.assertLess(b / a, RATIO)

    def started_for_load(self, ranks=None):
        self.window, self.lines = 0, []
        self.start("--acks", "assumed", ranks=ranks)
        self.register([f"n{i:02}" for i in range(100)], **{"app.threads": 2})

    def test_reload(self):
        self.reload(PHASES, OFTEN_S)

    def test_reload_on_ranks(self):
        self.reload(2, OFTEN_S, ranks=4)

    def test_reload_now_and_then(self):
        self.reload(PHASES, 0.5)

    def reload(self, phases, pause_s, ranks=None):
        self.started_for_load(ranks)
        plain, disturbed = self.turns(RELOADS.replace("PAUSE", str(pause_s)), phases,
                                      SILENCE.replace("PAUSE", str(pause_s)))
        applied = [json.loads(line) for line in self.lines]
        done = [a for _, a in applied if a.get("outcome") == "done"]
        self.assertEqual(len(done), len(applied) / 2)
        self.stop()
        self.report(f"reload ({len(done)} policies, as many refused)", plain, disturbed,
                    pause_s != OFTEN_S)
        self.check_whose(applied, len(plain) + len(disturbed))

    def stop(self):
        self.ctl("stop")
        r = self.service.finish()
        self.assertEqual(r.code, 0, r.brief)

    def dump(self, kind):
        rows = subprocess.run([Config.log_program, "dump", "--kind", kind, self.log],
                              stdout=subprocess.PIPE, timeout=120, check=True).stdout
        return [json.loads(row) for row in rows.splitlines()]

    def check_whose(self, applied, n):
        """Each plan is by the whole of the last policy before it."""
        commands = {a["event"]: step for step, a in applied if a.get("outcome") == "done"}
        plans = [(p["seq"], (p["apply_when"], p["new"] - p["old"]))
                 for p in self.dump("plan")]
        events = sorted([*commands.items(), *plans], key=lambda e: e[0])
        step, checked = 1, 0
        for _, what in events:
            if isinstance(what, int):
                step = what
            else:
                self.assertEqual(what, (POLICIES[step], step))
                checked += 1
        self.assertEqual(checked, n)
        print(f"reload: {checked} plans, each by the one policy of its time")

    def test_bad_policies(self):
        self.start()
        self.register(NODES, **REGISTERED)
        before = self.ask({"request": "status"})
        refused = 0
        for _ in range(ROUNDS):
            answer = self.ask({"action": "policy", "policy": bad_policy(self.random)})
            self.assertTrue(answer.get("error") or answer["outcome"] not in ("done", ""),
                            answer)
            refused += 1
            after = self.ask({"request": "status"})
            for same in ("policy", "values", "modes", "frozen", "plans"):
                self.assertEqual(after[same], before[same], answer)
        self.assertEqual(after["invalid"] + after["commands_refused"],
                         before["invalid"] + before["commands_refused"] + refused)
        self.stop()
        print(f"bad policies: {refused} of {ROUNDS} refused, counted, nothing changed")

    def test_files_of_policies(self):
        """dfopt-ctl reads the files that --policy reads, and names what it cannot read."""
        self.start()
        self.register(NODES, **REGISTERED)
        text = json.dumps(policy(2, POLICIES[1]))
        for name, data in (("mark.json", b"\xef\xbb\xbf" + text.encode()),
                           ("policy.json.gz", text)):
            (answer,) = self.ctl("policy", "check", self.write(name, data))
            self.assertEqual(answer["outcome"], "done")
        for name, data, why in (("p.xz", b"\xfd7zXZ\0", "is compressed by xz"),
                                ("u", text.encode("utf-16"), "is UTF-16")):
            with self.assertRaisesRegex(AssertionError, why):
                self.ctl("policy", "check", self.write(name, data))
        self.stop()

    def test_clients(self):
        """Who says nothing, and who sends all that fits: garbage, questions, commands."""
        self.started_for_load()

        plain, disturbed = self.turns(NOISE)
        self.stop()
        self.report("19 silent clients, one with up to 5,000 requests/s", plain, disturbed)

    def test_shadow(self):
        """Nothing leaves; the log has what would have been planned."""
        self.start("--acks", "assumed")
        self.register(NODES, **REGISTERED)
        self.assertEqual(self.ask({"action": "mode", "mode": "shadow"})["outcome"], "done")
        n = 0
        for window in range(1, ROUNDS // 5 + 2):
            for node in NODES:
                self.send("findings", finding(window, node))
                n += 1
        wait_until(lambda: self.ask({"request": "status"})["findings"] == n, 120, "findings")
        self.assertEqual(self.ask({"request": "status"})["plans"], 0)
        self.assertFalse(self.sockets["plans"].poll(0))
        self.stop()
        self.assertFalse(self.sockets["plans"].poll(0))
        would = sum(row["verdict"] == "would_plan" for row in self.dump("verdict"))
        self.assertGreaterEqual(would, n)
        print(f"shadow: {n} findings, {would} would be planned, 0 plans left")


if __name__ == "__main__":
    main()
