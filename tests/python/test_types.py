#!/usr/bin/env python3
"""The annotations, which the package promises (py.typed): its own, and as they are for
a script that uses it."""
import os
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = """
from typing import List
from dfopt_client import ActionPlan, Client, Window, knob, optimizer_context, tunable

@tunable(knobs={"a": knob(default=2, range=(1, 16))})
def load(a: int) -> str:
    return str(a)

context = optimizer_context("app", zmq_plans_endpoint="tcp://node7:7002")
plans: List[ActionPlan] = context.drain_actions_for("load")
told: str = load(a=2)
ended: bool = Window().flush()
count: int = Client("app").stats().acks_sent
wrong: int = load(a=2)
"""


@unittest.skipUnless(shutil.which("mypy"), "there is no mypy")
class Types(unittest.TestCase):
    def test_strict(self):
        source = os.environ["DFOPT_PYTHON_SOURCE"]
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "script.py")
            with open(script, "w", encoding="utf-8") as f:
                f.write(SCRIPT)
            config = os.path.join(folder, "mypy.ini")
            with open(config, "w", encoding="utf-8") as f:
                f.write("[mypy]\n[mypy-torch.*]\nfollow_imports = skip\n"
                        "ignore_missing_imports = True\n")
            done = subprocess.run(
                ["mypy", "--strict", "--config-file", config, "--cache-dir", os.devnull, "--python-executable",
                 "/usr/bin/python3", os.path.join(source, "dfopt_client"), script],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False,
                env={**os.environ, "MYPYPATH": source}, universal_newlines=True)
        wrong = [line for line in done.stdout.splitlines() if "error:" in line]
        self.assertEqual(len(wrong), 1, done.stdout)
        self.assertRegex(wrong[0], "script.py:14: error: .*str.*int")


if __name__ == "__main__":
    unittest.main()
