"""What the programs of analysis/ share: options, errors, exit codes.

Standard library only; what is heavy is imported when the work starts, so that
--help is quick and a package that is missing gets a sentence, not a traceback.

Exit codes: 0 done; 1 something could not be read or written; 2 bad options;
3 ended by SIGINT.
"""
import argparse
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Optional, Sequence, Tuple

if TYPE_CHECKING:
    from .frames import Log
    from .plots.style import Look

PACKAGES = {"h5py": "python3-h5py", "numpy": "python3-numpy",
            "pandas": "python3-pandas", "matplotlib": "python3-matplotlib"}
Main = Callable[[argparse.Namespace], int]
EXITS = "Exit status: 0 success, 1 a file could not be read or written, 2 usage error."


def parser(description: Optional[str], example: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        description=description, epilog=f"{EXITS}\n\nExample:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter)


def span(text: str) -> Tuple[int, int]:
    """A:B, windows from A to B; either may be left out."""
    first, colon, last = text.partition(":")
    try:
        found = (int(first) if first else -2 ** 62, int(last) if last else 2 ** 62)
    except ValueError:
        colon = ""
    if not colon or found[0] > found[1]:
        raise argparse.ArgumentTypeError(f"{text!r} is not A:B, as in 10:40")
    return found


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def picture(text: str) -> str:
    if text.rpartition(".")[2].lower() not in ("svg", "png", "pdf"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .svg, .png or .pdf")
    return text


def add_log(p: argparse.ArgumentParser) -> None:
    p.add_argument("log", metavar="LOG.h5", help="the decision log to read")
    add_version(p)


def add_version(p: argparse.ArgumentParser) -> None:
    p.add_argument("--any-version", action="store_true",
                   help="read a version of the format that is newer than this program")


def add_picture(p: argparse.ArgumentParser) -> None:
    p.add_argument("-o", "--output", metavar="FILE", type=picture,
                   help="write a picture to FILE (.svg, .png or .pdf)")
    p.add_argument("--csv", metavar="FILE",
                   help="write the table to FILE as CSV; - is standard output")
    p.add_argument("--width", choices=("page", "phone"), default="page",
                   help="draw 10.4 (page, the default) or 3.6 inches wide")
    p.add_argument("--theme", choices=("light", "dark"), default="light")


def add_windows(p: argparse.ArgumentParser) -> None:
    p.add_argument("--windows", metavar="A:B", type=span,
                   help="show only windows A to B; --windows=:40 means up to 40")


def look(args: argparse.Namespace) -> "Look":
    from .plots import style
    style.quiet()
    return style.Look(style.PHONE_INCHES if args.width == "phone"
                      else style.PAGE_INCHES, args.theme)


def open_log(args: argparse.Namespace, path: Optional[str] = None) -> "Log":
    from .frames import load
    return load(path or args.log, any_version=args.any_version)


def tell_notes(log: "Log") -> None:
    """What a reader of the results should know, on standard error."""
    for note in log.notes:
        text = note if note.startswith(log.run.path) else f"{log.run.path}: {note}"
        print(f"note: {text}", file=sys.stderr)


def write_text(path: str, text: str) -> None:
    """Writes a file, or standard output for -. Errors: LogError, which names it."""
    from .reader import LogError
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as f:
            f.write(text)
    except OSError as e:
        raise LogError(f"{path}: {e.strerror}") from None


def deliver(args: argparse.Namespace, table: Any, draw: Callable[[], Any],
            text: Optional[str] = None, index: bool = True) -> int:
    """Writes what was asked for: the picture, the table as CSV, or, if neither was,
    the table as text on standard output."""
    if args.output:
        from .plots.style import save
        save(draw(), args.output)
    if args.csv:
        write_text(args.csv, table.to_csv(index=index))
    if not args.output and not args.csv:
        print(text if text is not None else table.to_string(index=index))
    return 0


def run(p: argparse.ArgumentParser, main: Main,
        argv: Optional[Sequence[str]] = None) -> int:
    """Parses, works, and turns what went wrong into a line and an exit code."""
    args = p.parse_args(argv)
    try:
        code = main(args)
        sys.stdout.flush()
        return code
    except ImportError as e:
        package = PACKAGES.get((e.name or "").partition(".")[0])
        if package is None:
            raise
        print(f"{p.prog}: {e}; on Debian: apt-get install {package}, and run it "
              "with /usr/bin/python3", file=sys.stderr)
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except KeyboardInterrupt:
        return 3
    except MemoryError:
        print(f"{p.prog}: out of memory", file=sys.stderr)
    except Exception as e:
        from .reader import LogError
        if not isinstance(e, LogError):
            raise
        print(f"{p.prog}: {e}", file=sys.stderr)
    return 1
