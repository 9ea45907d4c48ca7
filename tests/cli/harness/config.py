"""Which programs are tested, and the command line of a test."""
import argparse
import functools
import os
import sys
import unittest

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REPORTS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "UndefinedBehavior")


class Config:
    """Where the programs are; set by main() or by the environment."""
    program = os.environ.get("DFOPT_PROGRAM", "")
    log_program = os.environ.get("DFOPT_LOG_PROGRAM", "")
    demo_program = os.environ.get("DFOPT_DEMO_PROGRAM", "")
    release_program = os.environ.get("DFOPT_RELEASE_PROGRAM", "")
    mpi_leaks = os.environ.get("DFOPT_MPI_LEAKS", "")


@functools.lru_cache(maxsize=None)
def is_sanitized(program):
    with open(program, "rb") as f:
        return b"__asan_init" in f.read()


# Alone, without mpirun; and a leader with two workers. Sanitized starts on
# several ranks are slow: cli.ranks and others that name their ranks have those.
RANKS = (None,) if Config.program and is_sanitized(Config.program) else (None, 3)


def main():
    """Takes the paths out of the command line; the rest is unittest's."""
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("--program")
    p.add_argument("--log-program")
    p.add_argument("--demo-program")
    p.add_argument("--release-program")
    p.add_argument("--mpi-leaks")
    known, rest = p.parse_known_args()
    for name, value in vars(known).items():
        if value is not None:
            setattr(Config, name, value)
    if not os.access(Config.program, os.X_OK):
        sys.exit("no program to test: --program PATH or DFOPT_PROGRAM")
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
