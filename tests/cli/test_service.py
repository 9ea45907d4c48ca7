#!/usr/bin/env python3
"""The live service over ZMQ, with real sockets on loopback."""
import contextlib
import glob
import json
import os
import signal

import zmq
import zmq.auth

import harness
from harness import RANKS, DecisionLog, finding, loader_registration, wait_until

METADATA = b'{"artifact_type":"diagnosis_finding"}'
DEADLINE_S = 60


def rank_0(running):
    """The leader: alone, or rank 0 of mpirun's."""
    def found():
        for pid in harness.session_processes(running.sid):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/environ", "rb") as f:
                    env = f.read().split(b"\0")
                exe = os.readlink(f"/proc/{pid}/exe")
                if exe.endswith("dfopt-mpi") and (
                        b"OMPI_COMM_WORLD_RANK=0" in env
                        or not any(e.startswith(b"OMPI_COMM_WORLD_RANK=") for e in env)):
                    return pid
        return None
    return wait_until(found, DEADLINE_S, "rank 0")


class Peers:
    """The diagnoser and the application, in one."""

    def __init__(self, at, pub=False, keys=None):
        self.context = zmq.Context()
        self.sockets = {}
        for stream, kind in (("findings", zmq.PUSH), ("registrations", zmq.PUSH),
                             ("acks", zmq.PUSH), ("plans", zmq.SUB if pub else zmq.PULL)):
            if not at.get(stream):
                continue
            s = self.sockets[stream] = self.context.socket(kind)
            s.linger = 0
            if keys:
                s.curve_publickey, s.curve_secretkey, s.curve_serverkey = keys
            if kind == zmq.SUB:
                s.subscribe(b"")
            s.connect(at[stream])

    def send(self, stream, body, metadata=b"{}"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.sockets[stream].send_multipart([metadata, body])

    def plan(self, timeout_ms=DEADLINE_S * 1000):
        """The next plan: (topic or None, metadata, body), or None."""
        s = self.sockets["plans"]
        if not s.poll(timeout_ms):
            return None
        parts = s.recv_multipart()
        return (parts[-3] if len(parts) == 3 else None, json.loads(parts[-2]),
                json.loads(parts[-1]))

    def close(self):
        self.context.destroy(linger=0)


class Service(harness.Case):
    def start(self, *options, ranks=None, acks=True, keys=None, pub=False,
              take_plans=True):
        args = ["--transport", "zmq", "--address", "tcp://127.0.0.1:*", "--bind",
                "--plans-address", "tcp://127.0.0.1:*", "--registry-address",
                "tcp://127.0.0.1:*", "--idle-timeout", "never", "--linger", "0.2",
                *options]
        if acks:
            args += ["--acks-address", "tcp://127.0.0.1:*"]
        if pub:
            args += ["--plans-pattern", "pub"]
        running = harness.Running(args, ranks)
        self.addCleanup(running.kill)

        def listening():
            for line in running.so_far().split("\n")[:-1]:
                if "optimizer.listening" in line:
                    return json.loads(line)
            self.assertIsNone(running.process.poll(), running.so_far())
            return None
        at = wait_until(listening, DEADLINE_S, "the endpoints")
        if not take_plans:
            del at["plans"]
        peers = Peers(at, pub, keys)
        self.addCleanup(peers.close)
        return running, peers

    def stop(self, running, number=signal.SIGUSR1):
        os.kill(running.process.pid, number)
        r = running.finish()
        self.assertEqual(r.code, 0, r.brief)
        return r

    def done(self, r):
        events = r.named("optimizer.zmq.done")
        self.assertEqual(len(events), 1, r.brief)
        return events[0]

    def wait_for(self, running, text, count=1):
        wait_until(lambda: running.so_far().count(text) >= count, DEADLINE_S, text)

    def decided(self, running, findings, invalid):
        """How many plans there are when so many records are decided."""
        def look():
            lines = [x for x in running.so_far().split("\n")[:-1] if "optimizer.status" in x]
            s = json.loads(lines[-1]) if lines else {}
            return s if (s.get("findings"), s.get("invalid"), s.get("undecided")) == (
                findings, invalid, 0) else None
        return wait_until(look, DEADLINE_S, f"{findings} findings, {invalid} invalid")["plans"]

    # ---- the loop, and its recording ----

    def test_a_session_replays_to_the_same(self):
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                self.play_and_replay(ranks)

    def play_and_replay(self, ranks):
        def at(name):
            return self.path(f"{name}{ranks or 1}")
        running, peers = self.start(
            "--record", at("rec"), "--plans-file", at("plans"), "--decision-log",
            at("log.h5"), "--final-state", at("state"), "--status-interval", "0.05",
            ranks=ranks)
        peers.send("registrations", json.dumps(loader_registration(), indent=1).encode())
        self.wait_for(running, "optimizer.registry.received")
        refused = [b'{"knobs": 3, "x": "\\u0041"}', b'{"knobs"', b'\xff{', b"[ 1 ]",
                   b'{"knobs": {}, "node": 5}'] # the last by the policy
        for text in refused:
            peers.send("registrations", text)
        taken = []
        for window in range(1, 6):
            for n in range(8):
                peers.send("findings", finding(window, f"n{n}"), METADATA)
            peers.send("findings", b'{"truncated', METADATA)
            peers.send("findings", b'\xff\n"', METADATA)
            peers.send("findings", b"[1, 2]", METADATA)
            peers.send("findings", b'{"severity_score": NaN}', METADATA)
            peers.send("findings", b"", METADATA)
            made = self.decided(running, 8 * window, 5 * window + len(refused))
            while len(taken) < made:
                taken.append(peers.plan()[2])
                peers.send("acks", {"plan_id": taken[-1]["plan_id"],
                                    "knob_id": taken[-1]["knob_id"],
                                    "status": "applied", "window_index": window})
        self.assertFalse(peers.plan(0))
        r = self.stop(running)
        done = self.done(r)
        self.assertEqual(done["findings"], 40)
        self.assertEqual(done["invalid"], 25 + len(refused))
        self.assertEqual(done["plan_count"], len(taken))
        self.assertGreater(len(taken), 16)
        with open(at("plans"), encoding="utf-8") as f:
            self.assertEqual([json.loads(x) for x in f], taken)
        self.cut_run(at("plans"), taken)
        for again in RANKS:
            harness.run(["--findings-file", at("rec"), "--plans-file", at("plans2"),
                         "--final-state", at("state2"), "--decision-log", at("log2.h5")],
                        again)
            for name in ("plans", "state"):
                with open(at(name), "rb") as a, open(at(name + "2"), "rb") as b:
                    self.assertEqual(a.read(), b.read(), name)
            with DecisionLog(at("log.h5")) as a, DecisionLog(at("log2.h5")) as b:
                for column in ("seq", "knob", "value", "threshold"):
                    self.assertEqual(a.column("verdicts", column).tobytes(),
                                     b.column("verdicts", column).tobytes(), column)
                self.assertEqual([(x["seq"], x["reason"]) for x in a.rejects()],
                                 [(x["seq"], x["reason"]) for x in b.rejects()])
                for d in a, b: # a registration that was refused stands as it came
                    self.assertEqual(d.column("registrations", "accepted").tolist(),
                                     [1] + [0] * len(refused))
                    self.assertEqual(d.bodies()[1:], refused)
            if harness.Config.log_program: # the runs' identities are no difference
                r = harness.run(["diff", at("log.h5"), at("log2.h5")],
                                program=harness.Config.log_program)
                self.assertEqual((r.code, r.out), (0, b""), r.brief)

    def cut_run(self, path, taken):
        """A live run's plans, with ids as a replay makes them."""
        (run,) = {p["plan_id"][21:] for p in taken}
        self.assertRegex(run, "^_[0-9a-f]{8}$")
        with open(path, "rb") as f:
            text = f.read()
        with open(path, "wb") as f:
            f.write(text.replace(run.encode(), b""))

    def test_another_run_s_ack(self):
        """It is none of this run's, though the number is the same."""
        running, peers = self.start("--status-interval", "0.1")
        peers.send("registrations", loader_registration())
        self.wait_for(running, "optimizer.registry.received")
        peers.send("findings", finding(1, "n1"))
        own = [peers.plan()[2]["plan_id"] for _ in range(2)]
        for ack in (own[0][:21], own[0][:22] + "%08x" % (int(own[0][22:], 16) ^ 1), own[1]):
            peers.send("acks", {"plan_id": ack, "status": "applied"})
        self.wait_for(running, '"acks":3,')
        r = self.stop(running)
        self.assertEqual(self.done(r)["acks_unmatched"], 2)

    def test_a_diagnoser_that_does_not_come(self):
        """One line says so after 5 s; the status says when it is there."""
        context = zmq.Context()
        self.addCleanup(context.destroy, linger=0)
        later = context.socket(zmq.PUSH)
        at = self.hold_port()
        running = harness.Running(["--transport", "zmq", "--address", at,
                                   "--idle-timeout", "never", "--status-interval", "0.1"])
        self.addCleanup(running.kill)
        self.wait_for(running, '"diagnoser":"connecting"')
        self.wait_for(running, "no connection for 5 s")
        later.bind(at)
        self.wait_for(running, '"diagnoser":"connected"')
        r = self.stop(running, signal.SIGTERM)
        told = [e for e in r.named("optimizer.transport.note")]
        self.assertEqual([e["endpoint"] for e in told], [at])

    def test_published_by_node(self):
        running, peers = self.start(pub=True, acks=False)
        peers.send("registrations", loader_registration())
        self.wait_for(running, "optimizer.registry.received")
        # a subscriber is known when it has joined: until then plans are for nobody
        got, window = None, 0
        while not got and window < 100:
            window += 3
            peers.send("findings", finding(window, "n1"))
            got = peers.plan(200)
        self.assertEqual(got[0], b"n1")
        self.assertEqual(got[1]["target_nodes"], ["n1"])
        peers.send("findings", finding(window + 3))
        topic = b"n1"
        while topic == b"n1":  # the other knob's, and what was made since
            topic, metadata, body = peers.plan()
        self.assertEqual(topic, b"*")
        self.assertNotIn("target_nodes", metadata)
        self.assertEqual(body["target_nodes"], [])
        self.stop(running)

    # ---- how it ends ----

    def test_ends(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            with self.subTest(signal=number.name):
                running, _ = self.start("--decision-log", self.path("log.h5"))
                self.assertIs(self.done(self.stop(running, number))["stopped"], True)
                with DecisionLog(self.path("log.h5")) as log:
                    self.assertEqual(log.complete, 1)
                self.assertEqual(glob.glob(self.path("*.journal")), [])

    def test_stop_message(self):
        for metadata in (b'{"name":"end"}', b'{"type":"stop"}'):
            running, peers = self.start("--registry-file", self.write(
                "knobs.json", json.dumps([loader_registration()])), ranks=3)
            for n in range(50):
                peers.send("findings", finding(1, f"n{n}"))
            peers.send("findings", b"{}", metadata)
            r = running.finish()
            self.assertEqual(r.code, 0, r.brief)
            self.assertEqual(self.done(r)["findings"], 50)

    def test_idle_timeout(self):
        running, peers = self.start("--idle-timeout", "0.3")
        peers.send("findings", finding(1, "n1"))
        r = running.finish()
        self.assertEqual(r.code, 0, r.brief)
        self.assertIs(self.done(r)["stopped"], False)

    def test_nobody_takes_plans(self):
        """Neither a bound nor an absent peer holds up anything, the end included."""
        running, peers = self.start(
            "--plans-queue", "100", "--registry-file",
            self.write("knobs.json", json.dumps([loader_registration()])), ranks=3,
            acks=False, take_plans=False)
        for window in range(1, 11):
            for n in range(20):
                peers.send("findings", finding(window * 5, f"n{n}"))
        self.wait_for(running, "queue full: a newer plan")
        r = self.stop(running)
        self.assertEqual(self.done(r)["skipped_inputs"], 0)
        self.assertIn("peers did not take the last plans", r.text)

    # ---- what must not harm it ----

    def test_malformed_messages(self):
        running, peers = self.start("--max-record-bytes", "65536")
        s = peers.sockets["findings"]
        for parts in ([b"one"], [b""], [b"a", b"b", b"c"], [b"[1]", b"{}"],
                      [b"not json", b"{}"], [b"", b"{}"], [b"{}", b"x" * 100_000],
                      [b"{}", b"\0" * 30], [b"{}", b"[" * 5000], [b"{}", b"NaN"]):
            s.send_multipart(parts)
        s.send_multipart([b"{}", b"x" * 20_000_000]) # libzmq cuts the connection
        peers.send("registrations", b'{"knobs":{"a":{}}}')
        peers.send("acks", b"[]")
        peers.send("registrations", loader_registration())
        self.wait_for(running, "optimizer.registry.received")
        peers.send("findings", finding(1, "n1"))
        self.assertIsNotNone(peers.plan())
        r = self.stop(running)
        self.assertEqual(self.done(r)["findings"], 1)
        self.assertGreaterEqual(self.done(r)["invalid"], 5)
        self.assertIn("one part", r.text)
        self.assertIn("more than two parts", r.text)
        self.assertIn("not a JSON object", r.text)
        self.assertIn("longer than --max-record-bytes allows", r.text)

    def test_keys(self):
        for name in ("server", "client", "stranger"):
            harness.run(["--zmq-keygen", self.path(name)])
        os.mkdir(self.path("clients"))
        os.link(self.path("client.key"), self.path("clients", "client.key"))
        server, _ = zmq.auth.load_certificate(self.path("server.key"))

        def keys(name):
            return (*zmq.auth.load_certificate(self.path(f"{name}.key_secret")), server)
        running, peers = self.start(
            "--zmq-curve-server-key", self.path("server.key_secret"),
            "--zmq-curve-client-keys", self.path("clients"), keys=keys("client"))
        at = {k: s.LAST_ENDPOINT.decode() for k, s in peers.sockets.items()}
        for wrong in (None, keys("stranger")):
            other = Peers(at, keys=wrong)
            other.send("registrations", loader_registration())
            other.send("findings", finding(1, "n1"))
            self.assertIsNone(other.plan(500))
            other.close()
        peers.send("registrations", loader_registration())
        self.wait_for(running, "optimizer.registry.received")
        peers.send("findings", finding(1, "n1"))
        self.assertIsNotNone(peers.plan())
        r = self.stop(running)
        self.assertEqual(self.done(r)["findings"], 1)
        self.assertEqual(self.done(r)["registrations"], 1)
        self.assertIn("refused", r.text)

    # ---- what a crash leaves ----

    def test_killed(self):
        """What was published is in the log, or in the journal beside it."""
        running, peers = self.start("--decision-log", self.path("log.h5"),
                                    "--log-flush-interval", "3600")
        peers.send("registrations", loader_registration())
        self.wait_for(running, "optimizer.registry.received")
        for n in range(20):
            peers.send("findings", finding(1, f"n{n}"))
        for _ in range(40):
            self.assertIsNotNone(peers.plan())
        os.kill(rank_0(running), signal.SIGKILL)
        running.finish(sanitizers=False)
        journal = [json.loads(x) for x in self.read("log.h5.journal").splitlines()]
        self.assertEqual([x["seq"] for x in journal], list(range(21)))
        self.assertEqual([x["stream"] for x in journal],
                         ["registration"] + ["finding"] * 20)
        self.assertEqual([x["body"]["scope"] for x in journal[1:]],
                         [f"node:n{n}:window" for n in range(20)])
        self.resume_with_a_damaged_journal()
        self.check_replay_refused("log.h5")

    def check_replay_refused(self, log):
        """A replay would leave out what the journal holds: it is told where to."""
        before = {name: self.read(name) for name in (log, log + ".journal")}
        more = self.write("more.jsonl", harness.lines([finding(9, "n1")]))
        r = harness.run(["--findings-file", more, "--resume", self.path(log),
                         "--acks", "explicit"])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn(log + ".journal", r.text)
        self.assertIn("--transport zmq", r.text)
        self.assertEqual({name: self.read(name) for name in before}, before)
        os.unlink(self.path(log + ".journal"))
        self.run_ok(["--findings-file", more, "--resume", self.path(log),
                     "--acks", "explicit"])

    def resume_with_a_damaged_journal(self):
        """It is reported, and nothing is changed."""
        whole = self.read("log.h5.journal")
        lines = whole.splitlines(True)
        before = self.read("log.h5")
        for name, damaged in (
                (":3: ", lines[:2] + [lines[2].replace(b"node:n1", b"node:n7")] + lines[3:]),
                (":2: ", lines[:1] + lines[2:]), ("begins with record 2", lines[2:])):
            self.write("log.h5.journal", b"".join(damaged))
            r = harness.run(["--resume", self.path("log.h5"), "--transport", "zmq",
                             "--address", "tcp://127.0.0.1:*", "--bind", "--acks",
                             "explicit"])
            self.assertEqual(r.code, 2, r.brief)
            self.assertIn("log.h5.journal" + name if name[0] == ":" else name,
                          r.named("optimizer.config.invalid")[0]["error"])
            self.assertEqual(self.read("log.h5"), before)
        self.write("log.h5.journal", whole)

    def test_killed_and_resumed(self):
        """As if it had not been killed: values, plans in flight, ids; an ack for a
        plan that only the journal knew finds it."""
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                self.kill_and_resume(ranks)

    def kill_and_resume(self, ranks):
        def at(name):
            return self.path(f"{name}{ranks or 1}")
        often = self.write("often.json", '{"switches": {"effect": "severity"}}')
        outputs = ["--plans-file", at("plans"), "--final-state", at("state"), "--record",
                   at("rec"), "--policy", often, "--debug"]
        running, peers = self.start("--decision-log", at("log.h5"), *outputs,
                                    "--log-flush-interval", "0.2", ranks=ranks)
        peers.send("registrations", loader_registration())
        self.wait_for(running, "optimizer.registry.received")
        taken = []
        for window in (1, 4):
            self.wait_for(running, '"outcome":"applied"', len(taken))
            for n in range(10):
                peers.send("findings", finding(window, f"n{n}"))
            for _ in range(20):
                taken.append(peers.plan()[2])
                if len(taken) <= 30:
                    peers.send("acks", {"plan_id": taken[-1]["plan_id"],
                                        "status": "applied"})
        os.kill(rank_0(running), signal.SIGKILL)
        running.finish(sanitizers=False)
        running, peers = self.start("--resume", at("log.h5"), *outputs, ranks=ranks)
        for plan in taken[20:]: # those sent just before the end may not have arrived
            peers.send("acks", {"plan_id": plan["plan_id"], "status": "applied"})
        for plan in taken[30:]:
            self.wait_for(running, f'"{plan["plan_id"]}","outcome":"applied"')
        for n in range(10):
            peers.send("findings", finding(8, f"n{n}"))
        new = 0
        while new < 20: # what the journal had is published once more
            new += peers.plan()[2]["window_index"] == 8
        r = self.stop(running)
        self.assertLessEqual(self.done(r)["acks_unmatched"], 10)
        with open(at("plans"), encoding="utf-8") as f:
            plans = [json.loads(x) for x in f]
        self.assertEqual(plans[:40], taken)
        self.assertEqual(len(plans), 60)
        self.assertEqual(len({p["plan_id"] for p in plans}), 60)
        self.assertEqual(len({p["plan_id"][21:] for p in plans}), 1)
        self.assertEqual(glob.glob(at("log.h5") + ".journal"), [])
        self.cut_run(at("plans"), plans)
        self.run_ok(["--findings-file", at("rec"), "--plans-file", at("plans2"),
                     "--policy", often])
        with open(at("plans"), "rb") as a, open(at("plans2"), "rb") as b:
            self.assertEqual(a.read(), b.read())


if __name__ == "__main__":
    harness.main()
