"""Manual pages, and docs/migrating.md, against the programs, the headers and the file formats."""
import re
import shutil
import subprocess

from common import TIMEOUT_S, compare, line_of, read, rows_under, unquoted, wrong
from manual import check_page, help_text
from tables import switches, texts_of


def help_options(program):
    """Options of --help, and what each takes."""
    return dict(re.findall(r"(?m)^(?:  -\S, | {6})(--[a-z0-9-]+)(?:=(\S+))?", help_text(program)))


def check_man(source, programs):
    for page in sorted(source.glob("docs/man/*.1")):
        program = programs / page.stem
        if not program.exists():
            wrong(page.name, 1, "there is no program %s" % page.stem)
            continue
        check_page(page, str(program))
        check_mandoc(page)


def check_client(source, _programs):
    guide, page = source / "docs/client.md", source / "docs/man/dfopt-client.3"
    functions = {name for header in (source / "include/dfopt").glob("client*.h")
                 for name in re.findall(r"\b(dfopt_(?:client|window)_\w+)\(", read(header))}
    package = source / "src/client/python/dfopt_client"
    exported = set(re.findall(r'"(\w+)"', read(package / "__init__.py").split("__all__")[1]))
    variables = {"DFOPT_CLIENT_LIBRARY"} | {
        "DFOPT_CLIENT_" + name for name in
        re.findall(r'_setting\(\w+, "(\w+)"\)', read(package / "context.py"))}
    for path, names in ((guide, functions | exported | variables), (page, functions)):
        found = dict((m[0], line_of(read(path), m.start()))
                     for m in re.finditer(r"\w+", read(path)))
        for name in sorted(names - set(found)):
            wrong(path.name, 1, "'%s' is missing" % name)
        for name, line in found.items():
            is_function = re.match(r"dfopt_(client|window)_[a-z_]+$", name)
            if is_function and name not in functions and not re.search(
                    r"\b(struct|enum) %s\b" % name, read(path)):
                wrong(path.name, line, "'%s' does not exist" % name)
    check_mandoc(page)


def listed(page, macro):
    """name -> (line, rest of its line) of `.It MACRO name rest`."""
    return {m[1]: (line_of(read(page), m.start()), m[2]) for m in re.finditer(
        r"^\.It %s (\S+)(.*)$" % macro, read(page), re.M)}


def check_policy_page(source):
    page = source / "docs/man/dfopt-policy.5"
    real = switches(source)
    fields = re.findall(r"^\s+FIELD\((\w+), ", read(source / "src/policy/response_json.c"),
                        re.M)
    found = listed(page, "Va")
    compare(page, "name", {n: line for n, (line, _) in found.items()},
            set(real) | set(fields))
    for name, (values, dflt, upstream) in real.items():
        line, rest = found.get(name, (1, ""))
        logged, presets = rest.partition(" ; ")[::2]
        values = values or ["number" if "." in dflt else "windows"]
        if set(re.findall(r"\w+", logged)) - {"No"} != set(values) or \
                presets != "default %s , upstream %s )" % (dflt, upstream):
            wrong(page.name, line, "%s: %s; default %s, upstream %s" % (
                name, ", ".join(values), dflt, upstream))


def check_log_page(source):
    page = source / "docs/man/dfopt-decision-log.5"
    guide = read(source / "docs/decision-log.md")
    compare(page, "table", {n: line for n, (line, _) in listed(page, "Pa").items()},
            re.findall(r"^### (/\w+)$", guide, re.M))
    compare(page, "verdict", {n: line for n, (line, _) in listed(page, "Cm").items()},
            texts_of(source / "src/model/decision.h", "DFOPT_VERDICT_LIST"))
    version = re.search(r"Format version (\d+)", guide)[1]
    if "format version %s," % version not in read(page):
        wrong(page.name, 1, "the format version is %s" % version)


def check_mpiio_page(source):
    page, guide = source / "docs/man/dfopt-mpiio.7", source / "docs/mpi-io.md"
    members = [name for listed_there in re.findall(
        r"known\[\] = \{(.*?)NULL", read(source / "src/mpiio/knobs.c"), re.S)
        for name in re.findall(r'"(\w+)"', listed_there)]
    variables = re.findall(r'variable\("(\w+)"\)', read(source / "src/mpiio/settings.c"))
    for what, macro, real in (("member", "Va", members), ("variable", "Ev", variables)):
        compare(page, what, {n: line for n, (line, _) in listed(page, macro).items()}, real)
        for name in real:
            if "`%s`" % name not in read(guide):
                wrong(guide.name, 1, "'%s' is missing" % name)


def check_formats(source, _programs):
    check_policy_page(source)
    check_log_page(source)
    check_mpiio_page(source)
    for page in sorted(source.glob("docs/man/*.[57]")):
        check_mandoc(page)


def check_migrating(source, programs):
    path = source / "docs/migrating.md"
    options = help_options(str(programs / "dfopt-mpi"))
    variables = {unquoted(c[0]) for _, c in
                 rows_under(source / "docs/environment.md", "variable")}
    for line, cells in rows_under(path, "option"):
        for name, real in ((cells[0], options), (cells[1], variables)):
            if name and unquoted(name) not in real:
                wrong(path.name, line, "'%s' does not exist" % name)
    differ = {name for name, (_, dflt, upstream) in switches(source).items()
              if dflt != upstream}
    compare(path, "switch", {unquoted(c[3]): n for n, c in rows_under(path, "change")},
            differ)


def check_mandoc(page):
    if shutil.which("groff"):
        r = subprocess.run(["groff", "-mdoc", "-ww", "-z", str(page)],
                           stderr=subprocess.PIPE, timeout=TIMEOUT_S,
                           universal_newlines=True)
        for line in r.stderr.splitlines():
            wrong(page.name, "?", line)
