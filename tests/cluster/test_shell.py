#!/usr/bin/env python3
"""Every shell script of the project: shellcheck, and the shell's own syntax check."""
import pathlib
import re
import shutil
import subprocess
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = (".ci", "jobs", "tests", "analysis", "src", "docs")


def scripts():
    found = []
    for folder in FOLDERS:
        for path in sorted((TOP / folder).rglob("*")):
            if path.suffix in (".sh", ".sbatch", ".bash"):
                found.append(path)
            elif path.is_file() and not path.suffix:
                with open(path, "rb") as f:
                    if re.match(rb"#!.*\b(ba)?sh\b", f.readline(80)):
                        found.append(path)
    return found


def setUpModule():
    if not shutil.which("shellcheck"):
        raise unittest.SkipTest("not installed: shellcheck (jobs/packages.sh test)")


class ShellScripts(unittest.TestCase):
    def check(self, *command):
        r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=120, check=False, cwd=TOP, universal_newlines=True)
        self.assertEqual(r.returncode, 0, r.stdout)

    def test_shellcheck(self):
        paths = [str(p) for p in scripts()]
        self.assertGreater(len(paths), 10)
        self.check("shellcheck", "--severity=warning", *paths)

    def test_batch_scripts_say_how_to_be_stopped(self):
        """Without the signal a batch job is killed in the middle of things."""
        for path in (TOP / "jobs").rglob("*"):
            if path.suffix == ".sbatch":
                self.assertIn("\n#SBATCH --signal=B:USR1@", path.read_text(), path)
            elif path.parent.name == "flux" and path.name != "flux.sh":
                self.assertIn("\n# flux: --signal=USR1@", path.read_text(), path)


if __name__ == "__main__":
    unittest.main(verbosity=2)
