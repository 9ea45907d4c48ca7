#!/usr/bin/env python3
"""Runs tests as in a process that has chosen a locale: its comma in numbers, and its i
without a dot, are none of the library's business.

usage: locales.py PROGRAM...

The locales are made for it, by localedef, and found by LOCPATH; a program that includes
client_fixture.h, or peer.py, chooses DFOPT_TEST_LOCALE. Exit code 77: they cannot be
made here.
"""
import os
import shutil
import subprocess
import sys
import tempfile

LOCALES = ("de_DE", "tr_TR")
SKIPPED = 77


def make(folder):
    """Returns what is wrong; None: nothing."""
    if not shutil.which("localedef"):
        return "there is no localedef"
    for name in LOCALES:
        done = subprocess.run(["localedef", "-i", name, "-f", "UTF-8",
                               os.path.join(folder, name + ".UTF-8")], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        if not os.path.exists(os.path.join(folder, name + ".UTF-8", "LC_NUMERIC")):
            return f"localedef makes no {name}: {done.stdout.decode(errors='replace')}"
    return None


def main():
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # a test may go on as another user
        wrong = make(folder)
        if wrong:
            print(wrong)
            return SKIPPED
        for name in LOCALES:
            for program in sys.argv[1:]:
                command = [sys.executable] if program.endswith(".py") else []
                done = subprocess.run(command + [program], check=False, timeout=300, env={
                    **os.environ, "LOCPATH": folder, "DFOPT_TEST_LOCALE": name + ".UTF-8"})
                print(f"{name}: {os.path.basename(program)}: {done.returncode}", flush=True)
                if done.returncode:
                    failed.append(program)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
