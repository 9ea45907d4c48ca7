"""How long a file is, how wide a line of a document, and how much C is in a folder (what is
optional is C++, and apart)."""
import re

FILE_LINES = 500
FOLDER_LINES = 2700
COLUMNS = 100

SUFFIXES = (".c", ".h", ".cpp", ".hpp", ".py", ".sh", ".js")
LARGE_FOLDERS = {
    "src/cmd/mpi": "a program: its options and outputs",
    "src/cmd/log": "a program: a file a command",
    "src/cmd/demo": "a program",
    "src/declog": "one format, written and read",
    "src/client": "one library",
}


def lines_of(path):
    return path.read_text(encoding="utf-8").count("\n")


def wide_lines(top):
    """Of documents, but for what cannot be wrapped: tables and blocks of code."""
    for path in sorted([*top.glob("*.md"), *top.glob("docs/*.md"), *top.glob("*/README.md")]):
        text = re.sub(r"^```.*?^```$", lambda m: "\n" * m[0].count("\n"),
                      path.read_text(encoding="utf-8"), flags=re.M | re.S)
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > COLUMNS and not line.startswith("|"):
                yield f"{path.relative_to(top).as_posix()}:{number}: more than {COLUMNS} columns"


def check(top):
    yield from wide_lines(top)
    for name in LARGE_FOLDERS:
        if not (top / name).exists():
            yield f"tests/house/sizes.py:1: there is no '{name}'"
    folders = {}
    for under in ("src", "include", "tests", "analysis", "jobs"):
        for path in sorted((top / under).rglob("*")):
            if path.suffix not in SUFFIXES:
                continue
            name, lines = path.relative_to(top).as_posix(), lines_of(path)
            if lines > FILE_LINES:
                yield f"{name}:{lines}: more than {FILE_LINES} lines"
            if under == "src" and path.suffix in (".c", ".h"):
                folder = path.parent.relative_to(top).as_posix()
                folders[folder] = folders.get(folder, 0) + lines
    for folder, lines in folders.items():
        if lines > FOLDER_LINES and folder not in LARGE_FOLDERS:
            yield f"{folder}: {lines} lines, more than {FOLDER_LINES}: two folders?"
