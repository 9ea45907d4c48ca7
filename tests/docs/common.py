"""What the checks of the documents share: what is wrong, files, tables in Markdown."""
import re

TIMEOUT_S = 120
BUILD_S = 480

problems = []


def wrong(where, line, text):
    problems.append("%s:%s: %s" % (where, line, text))


def documents(source):
    return sorted(source.glob("docs/*.md"))


def read(path):
    return path.read_text(encoding="utf-8")


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def rows_under(path, first_cell):
    """(line, cells) of the table whose header starts with first_cell."""
    rows, inside = [], False
    for number, line in enumerate(read(path).splitlines(), 1):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif inside and not set(line) <= set("|-: "):
            rows.append((number, cells))
        elif cells[0] == first_cell:
            inside = True
    if not rows:
        wrong(path.name, 1, "no table with the column '%s'" % first_cell)
    return rows


def unquoted(cell):
    return cell.strip("`")


def compare(path, what, documented, real):
    """Names by line against the names that there are."""
    for name, line in documented.items():
        if name not in real:
            wrong(path.name, line, "%s '%s' does not exist" % (what, name))
    for name in sorted(set(real) - set(documented)):
        wrong(path.name, 1, "%s '%s' is missing" % (what, name))


def without_fences(text):
    """The text with fenced blocks emptied, lines kept."""
    return re.sub(r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), text,
                  flags=re.M | re.S)
