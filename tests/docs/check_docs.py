#!/usr/bin/env python3
"""Checks that the documents say what the program does. Standard library only.

usage: check_docs.py --source DIR --bin DIR [--only CHECK ...]

--source  the source tree (docs/, README.md, src/)
--bin     the folder of the programs that were built

Checks:
  man      options of `PROGRAM --help`, or of each of its commands, and of
           docs/man/PROGRAM.1 are the same
  formats  dfopt-policy.5 and dfopt-decision-log.5 have the switches, fields, tables
           and verdicts that there are
  client   docs/client.md and docs/man/dfopt-client.3 name every function of
           dfopt/client*.h, and docs/client.md what the Python package exports and
           reads of the environment
  links    relative links and anchors of docs/*.md and *.md resolve
  migrating  docs/migrating.md names options that exist, and every switch of which
           the presets differ
  tables   switches, verdicts, response fields, outcomes, variables, log events
           and metrics in the documents are those of the source
  policy   the program takes every switch and field that docs/policies.md names,
           with every value that it names, and no other
  run      the examples in README.md and docs/*.md run, but for those of
  clone    docs/quick-start.md: it is followed in a copy of what git has, from building
           and installing to the closed loop
  readme   every other command of README.md is run, here or by another test

Examples: a fenced block that opens with ```sh run is run with `sh -e`, all blocks
of a document in order, in one temporary folder, with jobs/ as in a clone, the programs
and those of analysis/ on PATH. What a block exports the next ones have. Words behind
`run` name programs, or modules as python3-MODULE, without which the block, and the rest
of the document, are left out (```sh run mpirun). DFOPT_PREFIX is a folder that the
build is installed in; documents that name it are left out where that is sanitized. A block
```text output right behind one holds what it must print on standard output.

Exit code: 0 all is well, 1 something is not (each with document and line).
"""
import argparse
import pathlib
import re
import sys

from common import documents, line_of, problems, read, without_fences, wrong
from examples import check_clone, check_policy, check_readme, check_run
from pages import check_client, check_formats, check_man, check_migrating
from tables import check_tables


def anchors(path):
    found = set()
    for title in re.findall(r"^#+ (.*)$", without_fences(read(path)), re.M):
        slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        found.add(slug if slug not in found else slug + "-1")
    return found


def check_links(source, _):
    for path in documents(source) + sorted([*source.glob("*.md"), *source.glob("jobs/*.md")]):
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


CHECKS = {"man": check_man, "formats": check_formats, "client": check_client,
          "links": check_links, "tables": check_tables, "migrating": check_migrating,
          "policy": check_policy, "run": check_run, "readme": check_readme,
          "clone": check_clone}


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
