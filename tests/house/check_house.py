#!/usr/bin/env python3
"""Checks the rules of the house. Standard library only.

usage: check_house.py --source DIR CHECK...

Checks:
  arrows    every include of src is an arrow of src/README.md, and the other way round
  map       every file of src is named in src/README.md
  sizes     no file, no folder and no line of a document is too large
  words     words that the project has given up are gone
  format    clang-format would change nothing
  spelling  codespell finds nothing

Exit code: 0 all is well, 1 something is not (each with file and line), 77 the program that
the check needs is not installed.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys

import arrows
import files
import sizes
import words

SKIPPED = 77
C = (".c", ".h", ".cpp", ".hpp")
HERE = pathlib.Path(__file__).resolve().parent


def needs(program):
    if not shutil.which(program):
        print(f"skipped: {program} is not installed")
        sys.exit(SKIPPED)


def lines_of(command, top):
    r = subprocess.run(command, cwd=top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, timeout=300)
    return r.stdout.splitlines() if r.returncode else []


def check_format(top):
    needs("clang-format")
    files = [str(p.relative_to(top)) for under in ("src", "include", "tests")
             for p in sorted((top / under).rglob("*")) if p.suffix in C]
    return [line for line in lines_of(["clang-format", "-n", "--Werror", *files], top)
            if ": error:" in line]


def check_spelling(top):
    needs("codespell")
    names = ("src", "include", "tests", "docs", "jobs", "analysis", "cmake", "README.md",
             "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
    return lines_of(["codespell", "--ignore-words", str(HERE / "spelling.txt"),
                     "--skip", "*.svg,*.gz,*.h5,*/seeds/*,*/__pycache__/*,spelling.txt",
                     *names], top)


CHECKS = {"arrows": arrows.check, "map": files.check, "sizes": sizes.check,
          "words": words.check, "format": check_format, "spelling": check_spelling}


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--source", type=pathlib.Path, required=True)
    p.add_argument("check", nargs="+", choices=sorted(CHECKS))
    a = p.parse_args()
    problems = [line for name in a.check for line in CHECKS[name](a.source.resolve())]
    for line in problems:
        print(line, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
