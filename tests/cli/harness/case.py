"""A test with a folder of its own, and what it asserts of a run."""
import gzip
import os
import shutil
import tempfile
import unittest

from .ports import hold_port
from .running import run


class Case(unittest.TestCase):
    """A test with a folder of its own."""
    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="dfopt-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, content):
        data = content if isinstance(content, bytes) else content.encode()
        if name.endswith(".gz"):
            data = gzip.compress(data, 1)
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def hold_port(self):
        """The endpoint of a port that nobody else gets during the test."""
        held, port = hold_port()
        self.addCleanup(held.close)
        return f"tcp://127.0.0.1:{port}"

    def assert_ran(self, r):
        """Of a result of run_each()."""
        if isinstance(r, AssertionError):
            self.fail(str(r))

    def run_ok(self, args, code=0, **more):
        result = run(args, **more)
        self.assertEqual(result.code, code, result.brief)
        return result
