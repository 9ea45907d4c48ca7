"""An application finds a service by the file that the service writes."""
import json
import os
import signal
import socket
import stat
import subprocess
import sys

import zmq
import zmq.auth

import online  # first: it finds harness
import harness
from harness import Case, Running, finding, main, wait_until

DEADLINE_S = 60
ANY = "tcp://127.0.0.1:*"
SERVICE = ["--transport", "zmq", "--address", ANY, "--bind", "--plans-address", ANY,
           "--idle-timeout", "never"]
APPLICATION = """
import time
from dfopt_client import knob, optimizer_context, tunable

@tunable(knobs={"batch": knob(default=2, range=(1, 16), responds_to={"bigger_batch": {
    "step": 2, "min_persistence": 1, "apply_when": "window_boundary"}})})
def load(batch):
    return batch

optimizer_context("app")
while load(batch=2, _apply_at="window_boundary") == 2:
    time.sleep(0.01)
print("applied", load(batch=2))
"""


class Endpoints(Case):
    def serve(self, *args, at=ANY):
        self.file = self.path("endpoints.json")
        service = Running(["--transport", "zmq", "--address", at, "--bind", "--plans-address",
                           at, "--applications-address", at, "--idle-timeout", "never",
                           "--endpoints-file", self.file, *args], ranks=2)
        self.addCleanup(service.kill)
        wait_until(lambda: os.path.exists(self.file) or service.process.poll() is not None,
                   DEADLINE_S, "the file")
        self.assertIsNone(service.process.poll(), service.so_far())
        with open(self.file, encoding="utf-8") as f:
            return service, json.load(f)

    def tune(self, service, at, application_env=(), keys=None):
        """An application gets a plan, and the service its ack; then both end."""
        context = zmq.Context()
        findings = context.socket(zmq.PUSH)
        self.addCleanup(context.destroy, linger=0)
        self.addCleanup(findings.close, linger=0)
        if keys:
            findings.curve_publickey, findings.curve_secretkey = keys
            findings.curve_serverkey = at["curve_server_key"].encode()
        findings.connect(at["findings"])
        application = subprocess.Popen(
            [sys.executable, "-c", APPLICATION], stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, DFOPT_CLIENT_ENDPOINTS=self.file, **dict(application_env)))
        self.addCleanup(application.kill)
        wait_until(lambda: '"optimizer.registry.received"' in service.so_far(), DEADLINE_S,
                   "a registration")
        f = finding(1, None, opportunity_tags=["bigger_batch"], severity_score=1.0)
        findings.send_multipart([b"{}", json.dumps(f).encode()])
        self.assertEqual(application.communicate(timeout=DEADLINE_S)[0], "applied 3\n")
        wait_until(lambda: '"outcome":"applied"' in service.so_far(), DEADLINE_S, "an ack")
        findings.send_multipart([b'{"name":"end"}', b"{}"])
        r = service.finish()
        self.assertEqual(r.code, 0, r.brief)
        self.assertFalse(os.path.exists(self.file), "it is removed")

    def test_found(self):
        for pattern in ("push", "pub"):
            with self.subTest(pattern):
                service, at = self.serve("--plans-pattern", pattern, "--log-level", "debug")
                self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
                self.assertEqual(at["plans_pattern"], pattern)
                self.assertEqual(at["registry"], at["acks"])
                self.assertEqual(at["registry"], at["objectives"])
                self.assertEqual(len({at["findings"], at["plans"], at["acks"]}), 3)
                self.assertNotIn("curve_server_key", at)
                self.assertEqual(os.listdir(os.path.dirname(self.file)),
                                 ["endpoints.json"])
                self.tune(service, at)

    def test_found_with_keys(self):
        keys = {}
        allowed = self.path("clients")
        os.mkdir(allowed)
        for name, folder in (("server", self.path("")), ("app", allowed), ("diag", allowed)):
            zmq.auth.create_certificates(folder, name)
            keys[name] = os.path.join(folder, name + ".key_secret")
            os.chmod(keys[name], 0o600)
        service, at = self.serve("--zmq-curve-server-key", keys["server"],
                                 "--zmq-curve-client-keys", allowed, "--log-level", "debug")
        self.assertEqual(at["curve_server_key"].encode(),
                         zmq.auth.load_certificate(keys["server"])[0])
        self.tune(service, at, {"DFOPT_CLIENT_CURVE_SECRET_KEY": keys["app"]}.items(),
                  zmq.auth.load_certificate(keys["diag"]))

    def test_every_interface(self):
        """Others cannot connect to 0.0.0.0: they are told the name of the host."""
        service, at = self.serve(at="tcp://*:*")
        for name in ("findings", "plans", "registry"):
            self.assertTrue(at[name].startswith(f"tcp://{socket.gethostname()}:"), at)
        service.process.send_signal(signal.SIGUSR1)
        self.assertEqual(service.finish().code, 0)
        self.assertFalse(os.path.exists(self.file))

    def test_cannot_be_written(self):
        r = harness.run(["--transport", "zmq", "--address", ANY, "--bind",
                         "--endpoints-file", self.path("no/such/folder")])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("--endpoints-file", r.events[-1]["error"])
        r = harness.run(["--findings-file", self.write("f", b"{}"), "--endpoints-file", "x"])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn("is for --transport zmq", r.brief)

    def test_whose_the_file_is(self):
        """A running service's is not replaced; that of a killed one is, and an ended one
        removes its own alone. Another file, and what a link names, stay what they are."""
        link = self.path("link.json")
        os.symlink("endpoints.json", link)
        service, at = self.serve()
        for name in (self.file, link):
            r = harness.run([*SERVICE, "--endpoints-file", name])
            self.assertEqual(r.code, 2, r.brief)
            self.assertIn("is being written by", r.text)
        service.kill()
        again, _ = self.serve()  # which may find the old one yet
        wait_until(lambda: json.loads(self.read("endpoints.json")) != at, DEADLINE_S,
                   "other endpoints")
        os.rename(self.file, self.path("moved"))
        with open(self.file, "w", encoding="utf-8") as f:
            f.write("another's")
        again.process.send_signal(signal.SIGUSR1)
        self.assertEqual(again.finish().code, 0)
        self.assertEqual(self.read("endpoints.json"), b"another's")
        os.mkdir(self.path("folder"))
        for name in ("endpoints.json", "folder", "link.json"):
            r = harness.run([*SERVICE, "--endpoints-file", self.path(name)])
            self.assertEqual(r.code, 2, r.brief)
            self.assertIn("exists, but holds no endpoints; not replaced", r.text)
        self.assertEqual(self.read("endpoints.json"), b"another's")
        os.unlink(self.file)
        third = Running([*SERVICE, "--endpoints-file", link])
        self.addCleanup(third.kill)
        wait_until(lambda: os.path.exists(self.file), DEADLINE_S, "the file")
        self.assertTrue(os.path.islink(link))
        third.process.send_signal(signal.SIGUSR1)
        self.assertEqual(third.finish().code, 0)
        self.assertFalse(os.path.exists(self.file))

    def test_not_there(self):
        script = APPLICATION.split("while")[0] + "print(load(batch=2))"
        r = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                           timeout=DEADLINE_S, check=True,
                           env=dict(os.environ, DFOPT_CLIENT_ENDPOINTS=self.path("none")))
        self.assertEqual(r.stdout, "2\n")
        self.assertIn("no such file", r.stderr)


if __name__ == "__main__":
    assert online.ANYWHERE
    main()
