"""The files of src, as the table "folder, files" of src/README.md names them."""
import re

from arrows import sources


def table(path):
    """folder -> (line, names) of the table of files."""
    found, inside = {}, False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells == ["folder", "files"]:
            inside = True
        elif inside and not set(line) <= set("|-: "):
            found[cells[0].strip("`")] = (number, re.findall("`([^`]+)`", cells[1]))
    return found


def check(top):
    readme = "src/README.md"
    rows, real = table(top / readme), sources(top / "src")
    for folder, paths in sorted(real.items()):
        if folder not in rows:
            yield f"{readme}:1: no row with the files of '{folder}'"
            continue
        line, names = rows[folder]
        stems = {path.stem for path in paths}
        for name in sorted(stems - set(names)):
            yield f"{readme}:{line}: '{folder}' has a file '{name}', which is not named"
        for name in sorted(set(names) - stems):
            yield f"{readme}:{line}: there is no file '{name}' in '{folder}'"
    for folder in sorted(set(rows) - set(real)):
        yield f"{readme}:{rows[folder][0]}: there is no folder '{folder}' with source in it"
