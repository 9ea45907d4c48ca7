"""An operator drives a live service with dfopt-ctl: watch first, approve, freeze, set,
restore, another policy. The recording, replayed, decides the same."""
import json
import os
import signal
import stat
import subprocess
import time

import zmq

import online  # first: it finds harness
import harness
from harness import Case, Config, finding, knob, main, registration, response
from online import Service, wait_until

RESPONSE = response(min_persistence=1, cooldown_windows=1)
PLANNER = {"switches": {"effect": "severity"}, "limits": {}}


class Control(Case):
    def setUp(self):
        super().setUp()
        self.at = online.held_endpoints(self)
        self.control = f"ipc://{self.path('ctl')}/service"
        self.policy = self.write("policy.json", json.dumps(PLANNER))
        self.record, self.log = self.path("record.jsonl"), self.path("log.h5")
        self.window = 0

    def start(self, *more, ranks=None):
        self.service = Service("--policy", self.policy, "--record", self.record,
                               "--decision-log", self.log, "--control-address",
                               self.control, "--linger", "0.1", "--pull-timeout-ms", "5",
                               *more, at=self.at,
                               ranks=ranks)
        self.addCleanup(self.service.kill)
        self.service.listening()
        self.context = zmq.Context()
        self.context.linger = 0
        self.addCleanup(self.context.destroy, 0)
        self.sockets = {}
        self.connect()

    def connect(self):
        """Anew, as a PUSH shares its messages out to a peer that is gone, too."""
        for socket in self.sockets.values():
            socket.close()
        for stream, kind in (("findings", zmq.PUSH), ("registrations", zmq.PUSH),
                             ("acks", zmq.PUSH), ("plans", zmq.PULL)):
            self.sockets[stream] = self.context.socket(kind)
            self.sockets[stream].connect(self.at[stream])

    def ctl(self, *args, code=0):
        """The answer of dfopt-ctl as JSON."""
        return [json.loads(x) for x in self.person("--json", *args, code=code).splitlines()
                if x.startswith("{")]

    def status(self):
        return self.ctl("status")[0]

    def send(self, stream, body):
        """Sends a message, and waits until the service has counted it."""
        before = self.status()["records"]
        self.sockets[stream].send_multipart([b"{}", json.dumps(body).encode()])
        wait_until(lambda: self.status()["records"] > before, 60, "the record")

    def register(self, *nodes):
        for node in nodes:
            body = registration(knob("app.prefetch", reader_parallelism=RESPONSE))
            self.send("registrations", dict(body, node=node, instance=node + "-1"))

    def find(self, node="n1"):
        self.window += 1
        self.send("findings", finding(self.window, node,
                                      opportunity_tags=["reader_parallelism"]))

    def plans(self, n):
        """The next n plans, acknowledged."""
        got = []
        while len(got) < n:
            self.assertTrue(self.sockets["plans"].poll(60000), f"{len(got)} of {n} plans")
            got.append(json.loads(self.sockets["plans"].recv_multipart()[-1]))
        for p in got:
            self.send("acks", {"plan_id": p["plan_id"], "knob_id": p["knob_id"],
                               "status": "applied", "new_value": p["new_value"],
                               "target_nodes": p["target_nodes"]})
        return got

    def look_at_endpoints(self):
        status = self.status()
        endpoints = {x["name"]: x for x in status["endpoints"]}
        self.assertEqual(status["transport"], "zmq")
        self.assertEqual(endpoints["findings"]["endpoint"], self.at["findings"])
        self.assertEqual(endpoints["control"]["endpoint"], self.control)
        for name in ("registrations", "acks", "plans"):
            self.assertEqual((endpoints[name]["state"], endpoints[name]["peers"]),
                             ("listening", 1), name)
        self.assertGreater(status["uptime_s"], 0)

    def values(self):
        return {(v["knob_id"], v["node"]): v["value"] for v in self.status()["values"]
                if v["node"]}

    def drive(self):
        """Through all that an operator can do. Returns the plans that left."""
        self.register("n1", "n2")
        self.assertEqual(self.ctl("mode", "shadow")[0]["outcome"], "done")
        self.find()
        self.assertEqual(self.status()["plans"], 0)
        self.ctl("mode", "advise", "knob:app.prefetch")
        self.find()
        self.find()
        self.find()
        proposed = self.status()["proposals"]
        self.assertEqual([(x["knob_id"], x["node"], x["old_value"]) for x in proposed],
                         [("app.prefetch", "n1", 2)])
        done = self.ctl("approve", proposed[0]["plan_id"])[0]
        left = self.plans(1)
        self.assertEqual([p["plan_id"] for p in left], done["plans"])
        self.assertIn("operator: approved ", left[0]["rationale"])
        again = self.ctl("approve", proposed[0]["plan_id"], code=1)[0]
        self.assertEqual(again["outcome"], "unknown_plan")
        self.ctl("mode", "auto", "knob:app.prefetch")
        self.ctl("freeze")
        self.find()
        self.find()
        self.assertEqual(self.status()["plans"], 1)
        self.ctl("thaw")
        self.find("n2")
        left += self.plans(1)
        self.assertEqual(self.ctl("set", "app.prefetch", "7", "n2")[0]["outcome"], "done")
        left += self.plans(1)
        self.assertEqual(self.values(), {("app.prefetch", "n1"): left[0]["new_value"],
                                         ("app.prefetch", "n2"): 7})
        for wrong, why in ((("set", "app.prefetch", "65", "n1"), "wrong_value"),
                           (("set", "app.prefetch", "08", "n1"), "wrong_value"),
                           (("set", "app.prefetch", "1.", "n1"), "wrong_value"),
                           (("set", "app.prefetch", "3"), "needs_node"),
                           (("set", "app.none", "3"), "unknown_knob"),
                           (("set", "app.prefetch", "3", "n9"), "unknown_node"),
                           (("restore", "n9"), "unknown_node"),
                           (("mode", "off", "tag:none"), "unknown_tag")):
            self.assertEqual(self.ctl(*wrong, code=1)[0]["outcome"], why)
        self.ctl("mode", "up", code=1)
        bad = self.write("bad.json", '{"switch": {}}')
        for what in ("check", "apply"):
            self.ctl("policy", what, bad, code=1)
        slow = dict(PLANNER, limits={"plans_per_window": 0})
        path = self.write("slow.json", json.dumps(slow))
        self.assertEqual(self.ctl("policy", "check", path)[0]["outcome"], "done")
        self.assertEqual(self.status()["policy"]["limits"], {})
        self.ctl("policy", "apply", path)
        self.assertEqual(self.status()["policy"]["limits"], {"plans_per_window": 0})
        self.ctl("mode", "auto")
        self.find("n2")
        self.assertEqual(self.status()["plans"], 3)
        self.look_at_endpoints()
        wait_until(lambda: self.find("n2") or self.status()["rates"]["findings_per_s"] > 0,
                   60, "a rate of findings, which is of the last ten seconds")
        self.ctl("restore")
        left += self.plans(2)
        self.assertEqual(set(self.values().values()), {2})
        return left

    def dump(self, path, *kinds):
        done = subprocess.run([Config.log_program, "dump", path,
                               *(x for k in kinds for x in ("--kind", k))],
                              stdout=subprocess.PIPE, timeout=60, check=True)
        return done.stdout.splitlines()

    def apart(self, name):
        """Files, endpoints and windows of its own for one of a test's services."""
        self.record = self.path(f"record{name}.jsonl")
        self.log = self.path(f"log{name}.h5")
        self.at, self.window = online.held_endpoints(self), 0

    def test_drive(self):
        for ranks in (None, 3):
            with self.subTest(ranks=ranks):
                self.apart(ranks)
                self.start(ranks=ranks)
                mode = os.stat(self.path("ctl")).st_mode
                self.assertEqual(stat.S_IMODE(mode), 0o700)
                left = self.drive()
                self.ctl_stop()
                seen = [json.loads(x)["verdict"] for x in self.dump(self.log, "verdict")]
                for want in ("would_plan", "proposed", "awaiting_approval", "approved",
                             "frozen", "planned", "set", "rate", "restored"):
                    self.assertIn(want, seen)
                self.replay(left)

    def ctl_stop(self):
        self.person("stop")
        self.ended = r = self.service.finish()
        self.assertEqual(r.code, 0, r.brief)

    def replay(self, left):
        """The recording decides the same, row by row."""
        again = self.path("again.h5")
        if os.path.exists(again):
            os.unlink(again)
        plans = self.path("again.jsonl")
        r = harness.run(["--transport", "file", "--findings-file", self.record,
                         "--policy", self.policy, "--acks", "explicit",
                         "--decision-log", again, "--plans-file", plans])
        self.assertEqual(r.code, 0, r.brief)
        with open(plans, encoding="utf-8") as f:
            made = [json.loads(x) for x in f]
        self.assertEqual([(p["plan_id"], p["new_value"]) for p in made],
                         [(p["plan_id"][:21], p["new_value"]) for p in left])
        r = subprocess.run([Config.log_program, "diff", self.log, again], timeout=60,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(r.returncode, 0, r.stdout)

    def test_flood_and_silence(self):
        """Peers that say nothing, or only nonsense, hold up nobody."""
        self.start()
        self.register("n1")
        silent = self.context.socket(zmq.DEALER)
        silent.connect(self.control)
        noisy = self.context.socket(zmq.DEALER)
        noisy.connect(self.control)
        for i in range(2000):
            noisy.send_multipart([b"", b"{" * (i % 7)])
        for _ in range(3):
            self.find()
        self.ctl_stop()

    def test_restore_at_end(self):
        """Told to stop, it puts all values back; acks that never come are listed."""
        self.start("--restore-at-end", "120")
        nodes = [f"n{i}" for i in range(16)]
        self.register(*nodes)
        for node in nodes:
            self.find(node)
        left = self.plans(16)
        self.service.process.terminate()
        back = []
        while len(back) < 16:
            self.assertTrue(self.sockets["plans"].poll(60000), f"{len(back)} back")
            back.append(json.loads(self.sockets["plans"].recv_multipart()[-1]))
        for p in back:
            self.acknowledge(p)
        r = self.service.finish()
        self.assertEqual(r.code, 0, r.brief)
        self.assertEqual(r.named("optimizer.restore.unacknowledged"), [])
        self.assertEqual({tuple(p["target_nodes"]) for p in left},
                         {tuple(p["target_nodes"]) for p in back})
        self.assertEqual({p["new_value"] for p in back}, {2})

    def test_restore_is_the_end(self):
        """While it waits for acks nothing is planned, whatever comes."""
        for ranks in (None, 3):
            with self.subTest(ranks=ranks):
                self.apart(ranks)
                self.start("--restore-at-end", "60", ranks=ranks)
                self.register("n1", "n2")
                self.find("n1")
                self.find("n2")
                self.plans(2)
                self.ctl("stop")
                back = {}
                while len(back) < 2:
                    self.assertTrue(self.sockets["plans"].poll(20000), f"{len(back)} back")
                    p = json.loads(self.sockets["plans"].recv_multipart()[-1])
                    back[p["target_nodes"][0]] = p
                self.acknowledge(back["n1"])
                for window in range(10, 30):
                    self.sockets["findings"].send_multipart([b"{}", json.dumps(finding(
                        window, "n1", opportunity_tags=["reader_parallelism"])).encode()])
                self.assertIn("takes no commands",
                              self.ctl("set", "app.prefetch", "9", "n1", code=1)[0]["error"])
                self.assertEqual(self.values(), {("app.prefetch", "n1"): 2,
                                                 ("app.prefetch", "n2"): 2})
                self.acknowledge(back["n2"])
                r = self.service.finish()
                self.assertEqual(r.code, 0, r.brief)
                self.assertEqual(r.named("optimizer.restore.unacknowledged"), [])
                rows = [json.loads(x)["verdict"] for x in self.dump(self.log, "verdict")]
                self.assertEqual(rows[-2:], ["restored", "restored"])
                self.assertFalse(self.sockets["plans"].poll(0), "a plan after the end")

    def acknowledge(self, p):
        self.sockets["acks"].send_multipart([b"{}", json.dumps(
            {"plan_id": p["plan_id"], "knob_id": p["knob_id"], "status": "applied",
             "new_value": p["new_value"], "target_nodes": p["target_nodes"]}).encode()])

    def test_stop_restore(self):
        """dfopt-ctl stop --restore does so, too, where the service was not told to."""
        self.start()
        self.register("n1")
        self.find()
        self.plans(1)
        self.assertTrue(self.ctl("stop", "--restore")[0]["stopping"])
        self.assertTrue(self.sockets["plans"].poll(60000), "no plan back")
        back = json.loads(self.sockets["plans"].recv_multipart()[-1])
        self.assertEqual(back["new_value"], 2)
        self.acknowledge(back)
        r = self.service.finish()
        self.assertEqual(r.code, 0, r.brief)
        self.assertEqual(r.named("optimizer.restore.unacknowledged"), [])

    def test_restore_unacknowledged(self):
        self.start("--restore-at-end", "0.5")
        self.register("n1")
        self.find()
        self.plans(1)
        self.ctl_stop()
        self.assertEqual([(e["knob_id"], e["node"]) for e in
                          self.ended.named("optimizer.restore.unacknowledged")],
                         [("app.prefetch", "n1")])

    def refusals(self):
        logged = self.service.so_far()
        return (logged.count("optimizer.policy.refused") +
                logged.count("optimizer.record.invalid") +
                self.status()["commands_refused"])

    def test_hangup(self):
        """SIGHUP reads --policy again; one that is wrong changes nothing."""
        self.start()
        self.register("n1")
        limits = {"plans_per_window": 5}
        self.write("policy.json", json.dumps(dict(PLANNER, limits=limits)))
        os.kill(self.service.process.pid, signal.SIGHUP)
        wait_until(lambda: self.status()["policy"]["limits"] == limits, 60, "the policy")
        for bad in ('{"switch": 1}', "{", json.dumps({"responses": {"knob:none": {}}})):
            before, refused = self.status(), self.refusals()
            self.write("policy.json", bad)
            os.kill(self.service.process.pid, signal.SIGHUP)
            wait_until(lambda n=refused: self.refusals() > n, 60, "a refusal")
            self.assertEqual(self.status()["policy"], before["policy"])
        refused = self.refusals()
        os.unlink(self.policy)
        os.mkfifo(self.policy)  # nobody writes: nothing to wait for
        os.kill(self.service.process.pid, signal.SIGHUP)
        wait_until(lambda: self.refusals() > refused, 30, "a refusal")
        self.ctl_stop()

    def test_resume(self):
        """What was commanded holds in the run that is resumed after kill -9."""
        self.ranks = None
        self.start("--log-flush-interval", "0.05")
        self.register("n1", "n2")
        self.ctl("mode", "off", "knob:app.prefetch")
        self.ctl("set", "app.prefetch", "9", "n1")
        was_set = self.plans(1)[0]
        self.ctl("freeze", "--until-window", "3")
        with open(self.record, encoding="utf-8") as f:
            before = f.read().rpartition("\n")[0].splitlines()
        self.resume()
        self.assertEqual(self.values(), {("app.prefetch", "n1"): 9, ("app.prefetch", "n2"): 2})
        self.find("n1")
        self.ctl("mode", "auto", "knob:app.prefetch")
        self.find("n2")
        self.find("n1")
        left = self.plans(1)
        if left[0]["plan_id"] == was_set["plan_id"]:  # it may leave twice
            left = self.plans(1)
        self.ctl_stop()
        with open(self.record, encoding="utf-8") as f:
            self.assertEqual(f.read().splitlines()[:len(before)], before)
        seen = [json.loads(x)["verdict"] for x in self.dump(self.log, "verdict")]
        self.assertEqual(seen, ["set", "off", "frozen", "planned"])
        self.assertEqual(left[0]["old_value"], 9)

    def proposals(self):
        return {x["node"]: x["plan_id"] for x in self.status()["proposals"]}

    def resume(self):
        """Kills the service, and resumes its log."""
        self.service.kill()
        self.at = online.held_endpoints(self)
        self.service = Service("--policy", self.policy, "--record", self.record, "--resume",
                               self.log, "--control-address", self.control, "--linger", "0.1",
                               "--pull-timeout-ms", "5", at=self.at, ranks=self.ranks)
        self.addCleanup(self.service.kill)
        self.service.listening()
        self.connect()

    def test_status(self):
        """It shows the proposals that can be approved, and a resumed service what the one
        before was commanded."""
        for self.ranks in (None, 3):
            with self.subTest(ranks=self.ranks):
                self.apart(self.ranks)
                self.start("--log-flush-interval", "0.05", ranks=self.ranks)
                self.register("n1", "n2")
                self.ctl("mode", "advise")
                self.find("n1")
                self.find("n2")
                self.assertEqual(set(self.proposals()), {"n1", "n2"})
                self.ctl("set", "app.prefetch", "7", "n1")
                waits = self.proposals()
                self.assertEqual(set(waits), {"n2"})
                self.ctl("mode", "auto", "knob:app.prefetch")
                self.assertEqual(self.proposals(), {})
                self.ctl("mode", "advise", "knob:app.prefetch")
                self.ctl("freeze", "--until-window", "900")
                limits = {"plans_per_window": 50}
                self.ctl("policy", "apply", self.write(
                    "limits.json", json.dumps(dict(PLANNER, limits=limits))))
                keys = ("modes", "frozen", "until_window", "proposals", "values", "policy")
                before = {k: self.status()[k] for k in keys}
                self.assertEqual(before["policy"]["limits"], limits)
                self.resume()
                self.assertEqual({k: self.status()[k] for k in keys}, before)
                self.assertEqual(self.ctl("approve", waits["n2"])[0]["outcome"], "done")
                self.ctl_stop()

    def person(self, *args, code=0, out=subprocess.PIPE):
        """What a person reads."""
        done = subprocess.run(
            [os.path.join(os.path.dirname(Config.program), "dfopt-ctl"),
             "--control-address", self.control, *args], stdout=out,
            stderr=subprocess.STDOUT if out == subprocess.PIPE else subprocess.PIPE,
            timeout=60, text=True)
        self.assertEqual(done.returncode, code, (args, done.stdout, done.stderr))
        return done.stdout or done.stderr

    def test_person(self):
        """Odd names and values, a screen that is gone, a policy too long."""
        self.start("--max-record-bytes", "65536")
        body = registration(
            {**knob("app.\x1b[2J", reader_parallelism=RESPONSE)},
            {**knob("app.low", range_=(-8, 8)), "default": 0},
            {**knob("app.text", type_="str", range_=None), "default": "10",
             "values": ["10", "true", "a b"]})
        self.send("registrations", dict(body, node="n1", instance="n1-1"))
        for value in ('"true"', "a b", '"10"'):
            self.assertIn("done", self.person("set", "app.text", value, "n1"))
        self.assertIn("wrong_value", self.person("set", "app.text", "10", "n1", code=1))
        self.assertIn("done", self.person("set", "app.low", "--", "-3", "n1"))
        shown = self.person("status")
        self.assertIn("app.\\x1b[2J n1  2\n", shown)
        self.assertNotIn("\x1b", shown)
        self.assertIn("plan plan_", self.person("restore", "n1"))
        self.assertIn("same_value: there is nothing to restore", self.person("restore", "n1"))
        with open("/dev/full", "w", encoding="utf-8") as full:
            for args in (("status",), ("--json", "status"), ("policy", "show")):
                self.assertIn("standard output", self.person(*args, code=1, out=full))
        long = {**PLANNER, "responses": {f"knob:{i:0100}": {} for i in range(900)}}
        start = time.monotonic()
        self.assertIn("--max-record-bytes", self.person(
            "--timeout", "50", "policy", "check", self.write("long.json", json.dumps(long)),
            code=1))
        self.assertLess(time.monotonic() - start, 40)
        with open(self.write("mark.json", ""), "wb") as f:
            f.write(b"\xef\xbb\xbf" + json.dumps(PLANNER).encode())
        self.assertIn("done", self.person("policy", "check", self.path("mark.json")))
        self.ctl_stop()

    def test_keys(self):
        """Over a network with keys alone; a wrong one is told at once, and counted."""
        for name in ("server", "client", "other"):
            self.assertEqual(harness.run(["--zmq-keygen", self.path(name)]).code, 0)
        os.mkdir(self.path("allowed"))
        os.rename(self.path("client.key"), self.path("allowed/client.key"))
        port = self.hold_port()
        self.control = port
        self.start("--zmq-curve-server-key", self.path("server.key_secret"),
                   "--zmq-curve-client-keys", self.path("allowed"))

        def ask(client, server, code):
            return self.ctl("--zmq-curve-client-key", self.path(client + ".key_secret"),
                            "--zmq-curve-peer-key", self.path(server + ".key"), "--timeout",
                            "60", "status", code=code)
        for keys, is_counted in ((("client", "other"), False), (("other", "server"), True)):
            start = time.monotonic()
            ask(*keys, code=1)
            self.assertLess(time.monotonic() - start, 50)
            refused = ask("client", "server", 0)[0]["clients_refused"]
            self.assertEqual(refused > 0, is_counted)  # once more if it tries once more
        self.assertIn("refused a peer", self.service.so_far())

    def test_folder(self):
        """A folder that others may enter is refused."""
        os.mkdir(self.path("open"), 0o755)
        os.chmod(self.path("open"), 0o755)
        r = harness.run(["--transport", "zmq", "--address", "tcp://127.0.0.1:*", "--bind",
                         "--control-address", f"ipc://{self.path('open')}/s"])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("mode 0700", r.text)
        r = harness.run(["--transport", "zmq", "--address", "tcp://127.0.0.1:*", "--bind",
                         "--control-address", "tcp://127.0.0.1:*"])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("need encryption", r.text)


if __name__ == "__main__":
    main()
