#!/usr/bin/env python3
"""Checks that the documents say what the program does. Standard library only.

usage: check_docs.py --source DIR --bin DIR [--only CHECK ...]

--source  the source tree (docs/, README.md, src/)
--bin     the folder of the programs that were built

Checks:
  man      the texts of `PROGRAM --help`, and of each of its commands, are those of
           docs/man/PROGRAM.1: options, commands, exit status, notes; lines fit
  formats  dfopt-policy.5 and dfopt-decision-log.5 have the switches, fields, tables
           and verdicts that there are; dfopt-mpiio.7 and docs/mpi-io.md the members of
           the knob file and the variables
  client   docs/client.md and docs/man/dfopt-client.3 name every function of
           dfopt/client*.h, and docs/client.md what the Python package exports and
           reads of the environment
  links    relative links and anchors of docs/*.md, *.md and the other maps resolve
  paths    files that the documents for developers name exist
  migrating  docs/migrating.md names options that exist, and every switch of which
           the presets differ
  tables   switches, verdicts, response fields, outcomes, variables, log events
           and metrics in the documents are those of the source
  policy   the program takes every switch and field that docs/policies.md names,
           with every value that it names, and no other
  run      the examples in README.md and docs/*.md run, but for those of
  debugging  docs/debugging.md, which need a build with debug information, and of
  clone    docs/quick-start.md: it is followed in a copy of what git has, from building
           and installing to the closed loop
  readme   every other command of README.md is run, here or by another test

Examples: a fenced block that opens with ```sh run is run with `sh -e`, all blocks
of a document in order, in one temporary folder, with jobs/ as in a clone, the programs
and those of analysis/ on PATH. What a block exports the next ones have. Words behind
`run` name programs, or modules as python3-MODULE, without which the block, and the rest
of the document, are left out (```sh run mpirun). DFOPT_BUILD is
the build's folder, DFOPT_PREFIX one that it is installed in; documents that name the
latter are left out where that is sanitized. A block
```text output right behind one holds what it must print on standard output.

Exit code: 0 all is well, 1 something is not (each with document and line).
"""
import argparse
import pathlib
import re
import sys

from common import documents, line_of, problems, read, without_fences, wrong
from examples import check_clone, check_debugging, check_policy, check_readme, check_run
from pages import check_client, check_formats, check_man, check_migrating
from tables import check_tables


def anchors(path):
    found = set()
    for title in re.findall(r"^#+ (.*)$", without_fences(read(path)), re.M):
        slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        found.add(slug if slug not in found else slug + "-1")
    return found


def maps(source):
    """Documents that are not in docs."""
    return sorted([*source.glob("*.md"), *source.glob("*/README.md"),
                   *source.glob(".git*/**/*.md")])


def check_links(source, _):
    for path in documents(source) + maps(source):
        text = without_fences(read(path))
        for m in re.finditer(r"\[[^\]]*\]\(([^)\s]+)\)", text):
            target, _, anchor = m[1].partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            line = line_of(text, m.start())
            there = path.parent / target if target else path
            if not there.exists():
                wrong(path.name, line, "%s: there is no such file" % m[1])
            elif anchor and there.suffix == ".md" and anchor not in anchors(there):
                wrong(path.name, line, "%s: there is no such heading" % m[1])


# Names of files in these documents, beside the folders in which they are looked for.
DEVELOPERS = {"CONTRIBUTING.md": ("",), "SECURITY.md": ("",), "docs/debugging.md": ("",),
              "docs/architecture.md": ("", "src"), "src/README.md": ("src", ""),
              "tests/README.md": ("tests", "")}
SUFFIXES = r"(?:[chr]|cpp|hpp|py|sh|cmake|md|json|yml|supp|txt|[1-9])"


def check_paths(source, _):
    """Whatever looks like a path of ours, in code quotes or in a command, is one."""
    for name, folders in DEVELOPERS.items():
        text = read(source / name)
        for m in re.finditer(r"(?<![\w/.$*-])((?:\.?[\w-]+/)+[\w.-]*[\w-])", text):
            path = m[1]
            ours = path.split("/")[0] in OURS or re.search(r"\.%s$" % SUFFIXES, path)
            if not ours or path.startswith("build/") or re.search("[A-Z]{3}", path):
                continue
            if not any((source / folder / path).exists() for folder in folders):
                wrong(name, line_of(text, m.start()), "%s: there is no such file" % path)


OURS = ("src", "tests", "docs", "jobs", "cmake", "analysis", "include", ".ci")
CHECKS = {"paths": check_paths, "man": check_man, "formats": check_formats,
          "client": check_client, "links": check_links, "tables": check_tables, "migrating": check_migrating,
          "policy": check_policy, "run": check_run, "readme": check_readme,
          "debugging": check_debugging, "clone": check_clone}


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--source", type=pathlib.Path, required=True)
    ap.add_argument("--bin", type=pathlib.Path, required=True)
    ap.add_argument("--only", nargs="+", choices=sorted(CHECKS), default=list(CHECKS))
    a = ap.parse_args()
    for name in a.only:
        CHECKS[name](a.source.resolve(), a.bin.resolve())
    for p in problems:
        print(p, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
