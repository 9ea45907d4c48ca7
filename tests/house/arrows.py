"""The arrows between the folders of src, as src/README.md has them, against the code."""
import re

PUBLIC = "dfopt"  # include/dfopt: whoever wants
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
SUFFIXES = (".c", ".h", ".cpp", ".hpp")


def names_of(path, *head):
    """First cell -> (line, names in the second) of the table whose first columns are `head`,
    in the order of its rows."""
    found, inside = {}, False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[:len(head)] == list(head):
            inside = True
        elif inside and not set(line) <= set("|-: "):
            found[cells[0].strip("`")] = (number, re.findall("`([^`]+)`", cells[1]))
    return found


def sources(src):
    """folder -> its files."""
    found = {}
    for path in sorted(src.rglob("*")):
        if path.suffix in SUFFIXES:
            found.setdefault(path.parent.relative_to(src).as_posix(), []).append(path)
    return found


def includes(src, folder, path):
    """(line, folder of the header) of each include of the project's headers."""
    text = path.read_text(encoding="utf-8")
    for m in INCLUDE.finditer(text):
        line = text.count("\n", 0, m.start(1)) + 1
        if (path.parent / m[1]).exists():
            there = (path.parent / m[1]).resolve().relative_to(src).parent.as_posix()
        else:
            there = m[1].rpartition("/")[0]
        if there not in (folder, PUBLIC):
            yield line, there


def check_table(readme, rows, real):
    """Every folder has a row, every row a folder, and no arrow points down."""
    for folder in sorted(set(real) - set(rows)):
        yield f"{readme}:1: no row for the folder '{folder}'"
    above = set()
    for folder, (line, uses) in rows.items():
        if folder not in real:
            yield f"{readme}:{line}: there is no folder '{folder}' with source in it"
        for name in uses:
            if name not in above:
                yield f"{readme}:{line}: '{folder}' uses '{name}', which is not above it"
        above.add(folder)


def check(top):
    src, readme = top / "src", "src/README.md"
    rows, real = names_of(top / readme, "folder", "uses"), sources(src)
    if not rows:
        yield f"{readme}:1: no table with the columns 'folder' and 'uses'"
        return
    yield from check_table(readme, rows, real)
    for folder, paths in real.items():
        line, allowed = rows.get(folder, (1, []))
        used = set()
        for path in paths:
            for number, there in includes(src, folder, path):
                used.add(there)
                if there not in allowed:
                    yield (f"{path.relative_to(top)}:{number}: '{folder}' may not use "
                           f"'{there}' ({readme}:{line})")
        for name in sorted(set(allowed) - used):
            yield f"{readme}:{line}: '{folder}' does not use '{name}'"
