"""Tables in the documents against the source."""
import re

from common import compare, read, rows_under, unquoted, wrong


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
        name, kind, *choices, dflt, upstream = (c.strip().strip('"')
                                                for c in item.split(","))
        if kind == "CHOICE":
            names = [c for c in choices if c != "NULL"]
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
    table = read(source / "src/policy/response_json.c")
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
        logged = unquoted(cells[2])
        same = logged == real
        if not same and re.fullmatch(r"[0-9.]+", real):
            same = re.fullmatch(r"[0-9.]+", logged) and float(logged) == float(real)
        if not same:
            wrong(path.name, line, "the default is %s" % real)


def check_words(source):
    """Names that must all be somewhere in a document, and the other way round."""
    planner, messages = source / "docs/planner.md", source / "docs/messages.md"
    decision = source / "src/model/decision.h"
    compare(planner, "verdict",
            {unquoted(c[0]): n for n, c in rows_under(planner, "verdict")},
            texts_of(decision, "DFOPT_VERDICT_LIST"))
    text = read(planner)
    for name in texts_of(decision, "DFOPT_ACK_OUTCOME_LIST") + \
            texts_of(decision, "DFOPT_RELAY_OUTCOME_LIST"):
        if "`%s`" % name not in text:
            wrong(planner.name, 1, "outcome '%s' is missing" % name)
    text = read(messages)
    message = source / "src/model/message.h"
    for name in texts_of(message, "DFOPT_STREAM_LIST") + \
            texts_of(source / "src/model/finding.h", "DFOPT_METRIC_LIST"):
        if "`%s`" % name not in text:
            wrong(messages.name, 1, "'%s' is missing" % name)


def sources_of(source, *folders):
    for folder in folders:
        for path in sorted((source / folder).rglob("*.c")):
            yield read(path)


def check_events(source):
    path = source / "docs/log-events.md"
    real = set()
    for text in sources_of(source, "src/engine", "src/cmd/mpi"):
        # but for topics, which have such names as well
        real |= set(re.findall(r'(?<!_topic = )"(optimizer\.[a-z_.]+)"', text))
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
    path = source / "docs/environment.md"
    real = set()
    for text in sources_of(source, "src/cmd/mpi"):
        real |= set(re.findall(r'(?:getenv\(\s*|number\(\s*|\.env =\s*)"([A-Z_]+)"', text))
    compare(path, "variable",
            {unquoted(c[0]): n for n, c in rows_under(path, "variable")}, real)
    page = source / "docs/man/dfopt-mpi.1"
    listed = set(re.findall(r"[A-Z]+_[A-Z_]+", read(page)))
    for name in sorted(real - listed):
        wrong(page.name, 1, "variable %s is missing" % name)


def check_tables(source, _):
    check_switches(source)
    check_fields(source)
    check_words(source)
    check_events(source)
    check_metrics(source)
    check_variables(source)
