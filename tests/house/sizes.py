"""How long a file is, and how much C is in a folder (what is optional is C++, and apart)."""
FILE_LINES = 500
FOLDER_LINES = 2700

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


def check(top):
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
