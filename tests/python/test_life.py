#!/usr/bin/env python3
"""Scripts as wholes: how they end, fork, run without an optimizer, and find the
library. Each runs in a process of its own."""
import os
import shutil
import tempfile
import unittest

from peer import PeerTest, run_script

HEAD = """
import gc, logging, os, sys, threading
import dfopt_client as d
plans, registry, acks = sys.argv[1:4]

@d.tunable(knobs={"a": d.knob(default=2, range=(1, 16))})
def load(a):
    return a

def context(**more):
    return d.optimizer_context("app", zmq_plans_endpoint=plans,
                               zmq_registry_endpoint=registry, zmq_acks_endpoint=acks, **more)

def apply():
    while True:
        value = load(a=2)
        if value != 2:
            return value
"""


# AddressSanitizer's allocator is not made for fork: its locks stay as other threads
# hold them, and the child waits for ever.
no_allocation_after_fork = unittest.skipIf("DFOPT_SANITIZED" in os.environ,
                                           "the child of a sanitized program cannot allocate")


class Scripts(PeerTest):
    def run_script(self, script, meanwhile=None):
        e = self.peer.endpoints
        return run_script(HEAD + script, e["plans"], e["registry"], e["acks"],
                          meanwhile=meanwhile)

    def test_the_last_ack_is_sent(self):
        self.run_script("context(); assert apply() == 9",
                        meanwhile=lambda: self.peer.send(new_value=9))
        self.assertEqual(self.peer.ack()["new_value"], 9)

    def test_exit_while_the_listener_logs(self):
        """The listener calls into the interpreter up to its end, which must not hurt:
        a handler that is slow, threads at boundaries, and plans to complain about."""
        def complain():
            for _ in range(200):
                self.peer.sockets["plans"].send_multipart([b"{}", b"not JSON"])

        for _ in range(5):
            # a peer of its own: one that has not seen the last script go yet would
            # send to where nobody is
            self.new_peer()
            self.run_script("""
class Slow(logging.Handler):
    def emit(self, record):
        sum(range(2000))
logging.getLogger("dfopt_client").addHandler(Slow())
logging.getLogger("dfopt_client").setLevel(logging.DEBUG)
c = context().client
for _ in range(4):
    threading.Thread(target=lambda: [load(a=2) for _ in iter(int, 1)], daemon=True).start()
while not c.stats().registrations_sent or not c.stats().plans_malformed:
    pass
""", meanwhile=complain)

    def test_dropped_in_a_log_handler(self):
        """The last reference goes on the listener thread itself."""
        out = self.run_script("""
gone = threading.Event()
class Drop(logging.Handler):
    def emit(self, record):
        if "received" in record.getMessage() and held:
            held.clear()
            gc.collect()
            gone.set()
logging.getLogger("dfopt_client").addHandler(Drop())
logging.getLogger("dfopt_client").setLevel(logging.DEBUG)
c = d.Client("app", function="load", plans_endpoint=plans)
c.declare("a", default=2)
held = [c]
c.start()
del c
assert gone.wait(60)
print("gone")
""", meanwhile=self.peer.send)
        self.assertEqual(out, "gone\n")

    @no_allocation_after_fork
    def test_fork(self):
        """A child is inert, until it makes a context of its own."""
        self.run_script("""
parent = context()
client = parent.client
load(a=2)
pid = os.fork()
if pid == 0:
    assert load(a=2) == 2 and parent.client is None
    try:
        client.stats()
        os._exit(3)
    except d.StateError:
        pass
    child = context()
    assert child is not parent
    load(a=3)
    while child.client.stats().registrations_sent == 0:
        pass
    sys.exit(0)
_, status = os.waitpid(pid, 0)
assert status == 0, status
while parent.client.stats().registrations_sent == 0:
    pass
""")
        values = [self.peer.receive("registry")[1]["current_values"]["a"] for _ in range(2)]
        self.assertEqual(sorted(values), [2, 3])
        # each leaves, and with the instance that it came with
        left = [self.peer.receive("registry", leaving=True)[1] for _ in range(2)]
        self.assertTrue(all(body["unregister"] for body in left))
        self.assertEqual(len({body["instance"] for body in left}), 2)
        self.assertTrue(self.peer.is_silent("registry"))

    @no_allocation_after_fork
    def test_multiprocessing(self):
        self.run_script("""
import multiprocessing

def work(i):
    return load(a=2)

context()
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(work, range(8)) == [2] * 8
""")


class WithoutAnOptimizer(unittest.TestCase):
    def test_the_application_runs(self):
        out = run_script(HEAD + """
context()
for i in range(1000):
    assert load(a=2, _apply_at="window_boundary") == 2
print("done")
""", *["tcp://127.0.0.1:1"] * 3)
        self.assertEqual(out, "done\n")


class Library(unittest.TestCase):
    SCRIPT = """
import dfopt_client as d
try:
    d.Client("app")
    print("found")
except ImportError as e:
    assert isinstance(e, d.LibraryError)
    print(e)
"""

    def test_named_and_missing(self):
        out = run_script(self.SCRIPT, DFOPT_CLIENT_LIBRARY="/nonexistent/lib.so")
        self.assertIn("/nonexistent/lib.so", out)
        self.assertIn("DFOPT_CLIENT_LIBRARY", out)

    def test_another_library(self):
        out = run_script(self.SCRIPT, DFOPT_CLIENT_LIBRARY="libc.so.6")
        self.assertIn("is not libdfopt_client", out)

    def test_importing_needs_none(self):
        out = run_script("""
import dfopt_client as d
@d.tunable(knobs={"a": d.knob(default=2)})
def load(a):
    return a
assert d.optimizer_context()._noop and load(a=3) == 3
print("ran")
""", DFOPT_CLIENT_LIBRARY="/nonexistent/lib.so")
        self.assertEqual(out, "ran\n")

    def test_beside_the_package(self):
        import dfopt_client
        library = os.environ["DFOPT_CLIENT_LIBRARY"]
        package = os.path.dirname(dfopt_client.__file__)
        with tempfile.TemporaryDirectory() as top:
            for where in ("python3/dist-packages/dfopt_client", "."):
                home = os.path.join(top, "python3/dist-packages/dfopt_client")
                shutil.copytree(package, home, dirs_exist_ok=True,
                                ignore=shutil.ignore_patterns("__pycache__"))
                link = os.path.join(top, where, "libdfopt_client.so.0")
                os.symlink(library, link)
                out = run_script(self.SCRIPT, DFOPT_CLIENT_LIBRARY="",
                                 PYTHONPATH=os.path.join(top, "python3/dist-packages"))
                self.assertEqual(out, "found\n", where)
                os.unlink(link)


if __name__ == "__main__":
    unittest.main()
