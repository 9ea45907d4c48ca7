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
           dfopt/client.h, and docs/client.md what the Python package exports and
           reads of the environment
  links    relative links and anchors of docs/*.md and *.md resolve
  tables   docs/migrating.md names options that exist, and every switch of which the
           presets differ; switches, verdicts, response fields, outcomes, variables, log events
           and metrics in the documents are those of the source
  policy   the program takes every switch and field that docs/policies.md names,
           with every value that it names, and no other
  run      the examples in README.md and docs/*.md run
  readme   every other command of README.md is run, here or by another test

Examples: a fenced block that opens with ```sh run is run with `sh -e`, all blocks
of a document in order, in one temporary folder, with jobs/ as in a clone, the programs
and those of analysis/ on PATH. Words behind `run`
name programs, or modules as python3-MODULE, without which the block, and the rest of
the document, are left out (```sh run mpirun). DFOPT_PREFIX is a folder that the build is installed
in; documents that name it are left out where that is sanitized. A block ```text output right behind one holds what
it must print on standard output.

Exit code: 0 all is well, 1 something is not (each with document and line).
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TIMEOUT_S = 120

problems = []


def wrong(where, line, text):
    problems.append("%s:%s: %s" % (where, line, text))


def documents(source):
    return sorted(source.glob("docs/*.md"))


def read(path):
    return path.read_text(encoding="utf-8")


def line_of(text, at):
    return text.count("\n", 0, at) + 1


# ---- tables in Markdown ----

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


# ---- man ----

def help_text(program, *command):
    return subprocess.run([program, *command, "--help"], stdout=subprocess.PIPE,
                          check=True, timeout=TIMEOUT_S, universal_newlines=True).stdout


def help_options(program, *command):
    found = {}
    for line in help_text(program, *command).splitlines():
        m = re.match(r"\s+(?:-(\S), |\s+)--([a-z0-9-]+)(?:=(\S+))?(?:\s|$)", line)
        if m and not line.lstrip().startswith("["):
            found["--" + m[2]] = m[3] or ""
            if m[1]:
                found["-" + m[1]] = ""
    return found


def help_commands(program):
    """The commands of a program that has some, in the order of its --help."""
    _, _, listed = help_text(program).partition("\nCommands:\n")
    return re.findall(r"^  ([a-z]\S*) ", listed, re.M)


def man_options(page):
    """section (.Sh or .Ss) -> {option: (line, argument)}"""
    found, section = {}, ""
    for number, line in enumerate(read(page).splitlines(), 1):
        if line.startswith((".Ss ", ".Sh ")):
            section = line[4:]
        m = re.match(r"\.It Fl (.*)", line)
        if not m:
            continue
        argument = re.search(r"Ns = Ns Ar (\S+)", m[1])
        for name in re.split(r" , Fl ", re.sub(r" Ns = .*", "", m[1])):
            name = "-" + name.replace("\\&", "").replace("\\-", "-").strip()
            long = name.startswith("--")
            found.setdefault(section, {})[name] = (
                number, argument[1] if argument and long else "")
    return found


def compare_options(page, shown, written):
    if not shown:
        wrong(page.name, 1, "--help shows no options")
    compare(page, "option", {n: w[0] for n, w in written.items()}, shown)
    for name in shown.keys() & written.keys():
        if shown[name] != written[name][1]:
            wrong(page.name, written[name][0], "%s takes '%s', not '%s'"
                  % (name, shown[name], written[name][1]))


def check_man(source, programs):
    for page in sorted(source.glob("docs/man/*.1")):
        program = programs / page.stem
        if not program.exists():
            wrong(page.name, 1, "there is no program %s" % page.stem)
            continue
        written, commands = man_options(page), help_commands(str(program))
        for command in commands:  # a .Ss each, and one for what they all have
            if "\n.Ss %s\n" % command not in read(page):
                wrong(page.name, 1, "command '%s' is missing" % command)
            compare_options(page, help_options(str(program), command),
                            {**written.get("All commands", {}),
                             **written.get(command, {})})
        if not commands:
            compare_options(page, help_options(str(program)),
                            {n: w for s in written.values() for n, w in s.items()})
        check_mandoc(page)


def check_client(source, _programs):
    guide, page = source / "docs/client.md", source / "docs/man/dfopt-client.3"
    functions = set(re.findall(r"\b(dfopt_(?:client|window)_\w+)\(",
                               read(source / "include/dfopt/client.h")))
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
    fields = re.findall(r"^\s+FIELD\((\w+), ", read(source / "src/codec/response_json.c"),
                        re.M)
    found = listed(page, "Va")
    compare(page, "name", {n: line for n, (line, _) in found.items()},
            set(real) | set(fields))
    for name, (values, dflt, upstream) in real.items():
        line, rest = found.get(name, (1, ""))
        said, presets = rest.partition(" ; ")[::2]
        if set(re.findall(r"\w+", said)) - {"No"} != set(values or ["windows"]) or \
                presets != "default %s , upstream %s )" % (dflt, upstream):
            wrong(page.name, line, "%s: %s; default %s, upstream %s" % (
                name, ", ".join(values or ["windows"]), dflt, upstream))


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


def check_formats(source, _programs):
    check_policy_page(source)
    check_log_page(source)
    for page in sorted(source.glob("docs/man/*.5")):
        check_mandoc(page)


def check_mandoc(page):
    if shutil.which("groff"):
        r = subprocess.run(["groff", "-mdoc", "-ww", "-z", str(page)],
                           stderr=subprocess.PIPE, timeout=TIMEOUT_S,
                           universal_newlines=True)
        for line in r.stderr.splitlines():
            wrong(page.name, "?", line)


# ---- links ----

def without_fences(text):
    """The text with fenced blocks emptied, lines kept."""
    return re.sub(r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), text,
                  flags=re.M | re.S)


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


# ---- tables against the source ----

def macro_list(path, name):
    """The arguments of each X(...) of a list macro."""
    text = read(path).replace("\\\n", " ")
    body = re.search(r"#define %s\(X\)(.*)" % name, text)
    return re.findall(r"X\(((?:[^()\"]|\"[^\"]*\")*)\)", body[1])


def texts_of(path, name):
    return [re.search(r'"([^"]*)"', item)[1] for item in macro_list(path, name)]


def switches(source):
    """name -> ([values], default, upstream), as the documents write them."""
    found = {}
    for item in macro_list(source / "src/model/policy.h", "DFOPT_SWITCH_LIST"):
        name, kind, zero, one, dflt, upstream = (c.strip().strip('"')
                                                 for c in item.split(","))
        if kind == "CHOICE":
            names = [zero, one]
        elif kind == "BOOL":
            names = ["false", "true"]
        else:
            names = None
        pick = (lambda v, n=names: n[int(v)] if n else v)
        found[name] = (names, pick(dflt), pick(upstream))
    return found


def check_switches(source):
    path = source / "docs/policies.md"
    real = switches(source)
    rows = rows_under(path, "switch")
    compare(path, "switch", {unquoted(c[0]): n for n, c in rows}, real)
    for line, cells in rows:
        values, dflt, upstream = real.get(unquoted(cells[0]), (None, None, None))
        if values and sorted(re.findall("`([^`]+)`", cells[1])) != sorted(values):
            wrong(path.name, line, "the values are %s" % ", ".join(values))
        if dflt is not None and [unquoted(c) for c in cells[2:4]] != [dflt, upstream]:
            wrong(path.name, line, "the presets are %s, %s" % (dflt, upstream))


def check_fields(source):
    path = source / "docs/policies.md"
    table = read(source / "src/codec/response_json.c")
    names = re.findall(r"^\s+FIELD\((\w+), ", table, re.M)
    rows = rows_under(path, "field")
    compare(path, "field", {unquoted(c[0]): n for n, c in rows}, names)
    knob = read(source / "src/model/knob.c")
    code = re.search(r"dfopt_response_default\(.*?^}", knob, re.M | re.S)[0]
    for line, cells in rows:
        m = re.search(r"\.%s = (.*?),\n" % unquoted(cells[0]), code)
        if not m:
            continue
        word = re.search(r'"([^"]*)"', m[1]) or re.search(r"DFOPT_[A-Z]+_(\w+)", m[1])
        real = "null" if "null" in m[1] else word[1].lower() if word else m[1]
        said = unquoted(cells[2])
        same = said == real
        if not same and re.fullmatch(r"[0-9.]+", real):
            same = re.fullmatch(r"[0-9.]+", said) and float(said) == float(real)
        if not same:
            wrong(path.name, line, "the default is %s" % real)


def check_words(source):
    """Names that must all be somewhere in a document, and the other way round."""
    planner, formats = source / "docs/planner.md", source / "docs/formats.md"
    decision = source / "src/model/decision.h"
    compare(planner, "verdict",
            {unquoted(c[0]): n for n, c in rows_under(planner, "verdict")},
            texts_of(decision, "DFOPT_VERDICT_LIST"))
    text = read(planner)
    for name in texts_of(decision, "DFOPT_ACK_OUTCOME_LIST") + \
            texts_of(decision, "DFOPT_RELAY_OUTCOME_LIST"):
        if "`%s`" % name not in text:
            wrong(planner.name, 1, "outcome '%s' is missing" % name)
    text = read(formats)
    message = source / "src/model/message.h"
    for name in texts_of(message, "DFOPT_STREAM_LIST") + \
            texts_of(source / "src/model/finding.h", "DFOPT_METRIC_LIST"):
        if "`%s`" % name not in text:
            wrong(formats.name, 1, "'%s' is missing" % name)


def sources_of(source, *folders):
    for folder in folders:
        for path in sorted((source / folder).glob("*.c")):
            if not path.name.startswith("log_"):  # dfopt-log
                yield read(path)


def check_events(source):
    path = source / "docs/formats.md"
    real = set()
    for text in sources_of(source, "src/runtime", "src/cli"):
        # but for topics, which have such names as well
        real |= set(re.findall(r'(?<!_TOPIC", )"(optimizer\.[a-z_.]+)"', text))
    compare(path, "event",
            {unquoted(c[0]): n for n, c in rows_under(path, "event")}, real)


def check_metrics(source):
    path = source / "docs/sweeps.md"
    real = {item.split(",")[0].strip()
            for item in macro_list(source / "src/model/sweep.h", "DFOPT_SWEEP_METRIC_LIST")}
    compare(path, "metric",
            {unquoted(c[0]): n for n, c in rows_under(path, "metric")},
            real | {"verdict_NAME"})


def check_variables(source):
    path = source / "docs/formats.md"
    real = set()
    for text in sources_of(source, "src/cli"):
        real |= set(re.findall(r'(?:getenv|number|from_environment)\(\s*"([A-Z_]+)"',
                               text))
    compare(path, "variable",
            {unquoted(c[0]): n for n, c in rows_under(path, "variable")}, real)
    page = source / "docs/man/dfopt-mpi.1"
    listed = set(re.findall(r"[A-Z]+_[A-Z_]+", read(page)))
    for name in sorted(real - listed):
        wrong(page.name, 1, "variable %s is missing" % name)


def check_migrating(source, programs):
    path = source / "docs/migrating.md"
    options = help_options(str(programs / "dfopt-mpi"))
    variables = {unquoted(c[0]) for _, c in
                 rows_under(source / "docs/formats.md", "variable")}
    for line, cells in rows_under(path, "option"):
        for name, real in ((cells[0], options), (cells[1], variables)):
            if name and unquoted(name) not in real:
                wrong(path.name, line, "'%s' does not exist" % name)
    differ = {name for name, (_, dflt, upstream) in switches(source).items()
              if dflt != upstream}
    compare(path, "switch", {unquoted(c[3]): n for n, c in rows_under(path, "change")},
            differ)


def check_tables(source, programs):
    check_migrating(source, programs)
    check_switches(source)
    check_fields(source)
    check_words(source)
    check_events(source)
    check_metrics(source)
    check_variables(source)


# ---- policy, against the program ----

def accepts(program, folder, policy):
    (folder / "policy.json").write_text(json.dumps(policy), encoding="utf-8")
    (folder / "none.jsonl").write_text("", encoding="utf-8")
    r = subprocess.run([program, "--findings-file", "none.jsonl", "--policy",
                        "policy.json", "--log-level", "off"], cwd=folder,
                       env=environment(pathlib.Path(program).parent),
                       timeout=TIMEOUT_S)
    return r.returncode == 0


def documented_policies(source):
    """One policy with the first value of everything, one with the last."""
    path = source / "docs/policies.md"
    for at in (0, -1):
        on = {}
        for _, cells in rows_under(path, "switch"):
            values = re.findall("`([^`]+)`", cells[1])
            value = values[at] if values else "3"
            plain = value in ("true", "false", "3")
            on[unquoted(cells[0])] = json.loads(value) if plain else value
        fields = {}
        for _, cells in rows_under(path, "field"):
            values = re.findall("`([^`]+)`", cells[1])
            fields[unquoted(cells[0])] = values[at] if values else \
                "now" if cells[1] == "string" else 1
        yield {"switches": on, "responses": {"*": fields, "tag:t": fields,
                                             "knob:k": fields}}


def check_policy(source, programs):
    program = str(programs / "dfopt-mpi")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for policy in documented_policies(source):
            if not accepts(program, folder, policy):
                wrong("policies.md", 1, "the program does not take %s"
                      % json.dumps(policy))
        for policy in ({"switches": {"no_such_switch": True}},
                       {"responses": {"*": {"no_such_field": 1}}}):
            if accepts(program, folder, policy):
                wrong("policies.md", 1, "the program takes %s" % json.dumps(policy))


# ---- examples ----

class Block:
    def __init__(self, line, needs, code):
        self.line, self.needs, self.code, self.output = line, needs, code, None


def blocks_of(path):
    """The blocks to run, each with what it must print (None: anything)."""
    found, last = [], None
    text = read(path)
    for m in re.finditer(r"^```([^\n]*)\n(.*?)^```$|^(?!```)(\S[^\n]*)$", text,
                         re.M | re.S):
        words = (m[1] or "").split()
        if words[:2] == ["sh", "run"]:
            last = Block(line_of(text, m.start()), words[2:], m[2])
            found.append(last)
        elif words[:2] == ["text", "output"]:
            if last:
                last.output = m[2]
            else:
                wrong(path.name, line_of(text, m.start()), "output of no block")
            last = None
        else:
            last = None
    return found


def lacks(word, env):
    """Whether a program, or a module of the system's Python (python3-NAME), is not
    there."""
    if word.startswith("python3-"):
        return subprocess.run(["/usr/bin/python3", "-c", "import " + word[8:]], env=env,
                              stderr=subprocess.DEVNULL).returncode != 0
    return not shutil.which(word, path=env["PATH"])


def with_source(env, source):
    """The programs of analysis/ are not built: they are where they are."""
    analysis = str(source / "analysis")
    return {**env, "PYTHONPATH": analysis,
            "PATH": analysis + os.pathsep + env["PATH"]}


def environment(programs):
    """Settings of the caller do not matter, and mpirun may run anywhere."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("DFOPTIMIZER_", "DLIO_KNOB_", "DFOPT_CLIENT_"))}
    env["PATH"] = "%s%s%s" % (programs, os.pathsep, env.get("PATH", ""))
    env.update(LC_ALL="C", OMPI_ALLOW_RUN_AS_ROOT="1",
               OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
               OMPI_MCA_rmaps_base_oversubscribe="1",
               PRTE_MCA_rmaps_default_mapping_policy=":oversubscribe")
    return env


def run_block(path, block, folder, env):
    try:
        r = subprocess.run(["sh", "-e", "-c", block.code], cwd=folder, env=env,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        wrong(path.name, block.line, "the example took more than %d s" % TIMEOUT_S)
        return False
    out = r.stdout.decode("utf-8", "replace")
    if r.returncode:
        wrong(path.name, block.line, "the example ended with %d: %s"
              % (r.returncode, r.stderr.decode("utf-8", "replace").strip()[-600:]))
    elif block.output is not None and out.strip() != block.output.strip():
        wrong(path.name, block.line, "the example printed\n%s\nand not\n%s"
              % (out.rstrip(), block.output.rstrip()))
    return r.returncode == 0


def is_sanitized(programs):
    return b"__asan_init" in (programs / "dfopt-mpi").read_bytes()


def install(programs, prefix):
    subprocess.run(["cmake", "--install", str(programs.parent.parent), "--prefix",
                    str(prefix)], check=True, timeout=TIMEOUT_S,
                   stdout=subprocess.DEVNULL)


# Commands of README.md outside of blocks that run: the file that runs each, and what
# in it does.
RUN_ELSEWHERE = {
    r"bash jobs/demo\.sh": ("tests/cli/test_demo.py", '"demo.sh"'),
    r"bash tests/run\.sh": (".ci/run", "bash tests/run.sh"),
    r"cmake --preset release": ("tests/run.sh", "cmake --preset"),
    r"cmake --build --preset release.*": ("tests/run.sh", "cmake --build --preset"),
    r"cmake --install build/release .*": ("tests/install/test_install.py",
                                          '"cmake", "--install"'),
}


def check_readme(source, programs):
    """Every command of README.md is run by somebody."""
    path = source / "README.md"
    for m in re.finditer(r"^    (\S.*)$", without_fences(read(path)), re.M):
        line = line_of(read(path), m.start())
        if m[1] == "bash jobs/replay.sh":
            block = Block(line, [], "bash jobs/replay.sh %s" % programs.parent.parent)
            with tempfile.TemporaryDirectory() as folder:
                os.symlink(str(source / "jobs"), os.path.join(folder, "jobs"))
                run_block(path, block, folder, environment(programs))
            continue
        where = [w for pattern, w in RUN_ELSEWHERE.items() if re.fullmatch(pattern, m[1])]
        if not where:
            wrong(path.name, line, "nobody runs: %s" % m[1])
        elif where[0][1] not in read(source / where[0][0]):
            wrong(path.name, line, "%s does not run: %s" % (where[0][0], m[1]))


def check_run(source, programs):
    env = with_source(environment(programs), source)
    for path in [source / "README.md", *documents(source)]:
        blocks, ran = blocks_of(path), 0
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(str(source / "jobs"), os.path.join(folder, "jobs"))
            if any("$DFOPT_PREFIX" in block.code for block in blocks):
                if is_sanitized(programs):
                    print("%s: left out: the build is sanitized" % path.name)
                    continue
                env["DFOPT_PREFIX"] = str(pathlib.Path(folder, "prefix"))
                install(programs, env["DFOPT_PREFIX"])
            for block in blocks:
                lacking = [p for p in block.needs if lacks(p, env)]
                if lacking:
                    print("%s:%d: left out from here: no %s"
                          % (path.name, block.line, ", ".join(lacking)))
                    break
                if not run_block(path, block, folder, env):
                    break
                ran += 1
        if blocks:
            print("%s: %d of %d examples ran" % (path.name, ran, len(blocks)))


CHECKS = {"man": check_man, "client": check_client,
          "formats": check_formats, "links": check_links, "tables": check_tables,
          "policy": check_policy, "run": check_run, "readme": check_readme}


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
