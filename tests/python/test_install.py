#!/usr/bin/env python3
"""The package as pip installs it: in a virtual environment, without network."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = """
import os, sys
import dfopt_client
home = os.path.dirname(dfopt_client.__file__)
assert home.startswith(sys.prefix), home
assert os.path.exists(os.path.join(home, "py.typed"))
print(dfopt_client.Client("app").stats().plans_received)
"""


class Install(unittest.TestCase):
    def run_it(self, *command):
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300, check=False,
                              env=env, universal_newlines=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_in_a_virtual_environment(self):
        with tempfile.TemporaryDirectory() as top:
            source, venv = os.path.join(top, "source"), os.path.join(top, "venv")
            shutil.copytree(os.environ["DFOPT_PYTHON_SOURCE"], source)  # pip builds in it
            # with the system's pip and setuptools: to install pip first takes longest
            self.run_it(sys.executable, "-m", "venv", "--system-site-packages",
                        "--without-pip", venv)
            python = os.path.join(venv, "bin", "python")
            self.run_it(python, "-m", "pip", "install", "--no-index", "--no-deps",
                        "--no-build-isolation", "--quiet", source)
            self.assertEqual(self.run_it(python, "-c", SCRIPT), "0\n")
            told = self.run_it(python, "-m", "pip", "show", "dfopt-client")
            self.assertIn("Version: " + os.environ["DFOPT_VERSION"], told)


if __name__ == "__main__":
    unittest.main()
