"""Examples in the documents, and the policies that they name, against the programs."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

from common import (BUILD_S, TIMEOUT_S, documents, line_of, read, rows_under,
                    unquoted, without_fences, wrong)


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
        self.same = str.strip  # what of the output must be as it is written


def shape(text):
    """What of a session is the same each time: all but ids of plans, numbers, and the folder
    that the test runs in."""
    text = re.sub(r"plan_[0-9a-f_]+", "PLAN", text.strip())
    text = re.sub(r"ipc:///\S*/control/", "ipc:///control/", text)
    return re.sub(r"[-+]?\d+(\.\d+)?", "N", text)


def session(line, needs, text):
    """A console with commands behind $, and what they print. One that fails ends nothing."""
    code = ["set +e"]
    for command in re.findall(r"^\$ (.*)$", text, re.M):
        code += ["printf '%%s\\n' %s" % shlex.quote("$ " + command), command]
    block = Block(line, needs, "exec 2>&1\n" + "\n".join(code))
    block.output, block.same = text, shape
    return block


def blocks_of(path):
    """The blocks to run, each with what it must print (None: anything)."""
    found, last = [], None
    text = read(path)
    for m in re.finditer(r"^```([^\n]*)\n(.*?)^```$|^(?!```)(\S[^\n]*)$", text,
                         re.M | re.S):
        words = (m[1] or "").split()
        if words[:2] == ["console", "run"]:
            found.append(session(line_of(text, m.start()), words[2:], m[2]))
            last = None
        elif words[:2] == ["sh", "run"]:
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
    if not shutil.which(word, path=env["PATH"]):
        return True
    return word == "gdb" and not can_trace(env)


def can_trace(env):
    """Whether gdb may run a program here: not in every container."""
    r = subprocess.run(["gdb", "-q", "-batch", "-ex", "run", shutil.which("true")],
                       env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
    return b"exited normally" in r.stdout


def with_source(env, source):
    """The programs of analysis/ are not built: they are where they are."""
    analysis = str(source / "analysis")
    return {**env, "PYTHONPATH": analysis,
            "PATH": analysis + os.pathsep + env["PATH"]}


def environment(programs):
    """Settings of the caller do not matter, and mpirun may run anywhere. The programs,
    if there are any as yet, are on PATH."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("DFOPTIMIZER_", "DLIO_KNOB_", "DFOPT_"))}
    if programs:
        env["DFOPT_BUILD"] = str(pathlib.Path(programs).parent)
        env["PATH"] = "%s%s%s" % (programs, os.pathsep, env.get("PATH", ""))
    env.update(LC_ALL="C", OMPI_ALLOW_RUN_AS_ROOT="1",
               OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
               OMPI_MCA_rmaps_base_oversubscribe="1",
               PRTE_MCA_rmaps_default_mapping_policy=":oversubscribe")
    return env


def run_block(path, block, folder, env, seconds=TIMEOUT_S):
    """What it exports is in env afterwards: a reader has one shell for all blocks."""
    exports = pathlib.Path(folder, ".exports")
    try:
        r = subprocess.run(["sh", "-e", "-c", block.code + "\nenv -0 >" + str(exports)],
                           cwd=folder, env=env,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=seconds)
    except subprocess.TimeoutExpired:
        wrong(path.name, block.line, "the example took more than %d s" % seconds)
        return False
    out = r.stdout.decode("utf-8", "replace")
    if r.returncode:
        wrong(path.name, block.line, "the example ended with %d: %s"
              % (r.returncode, r.stderr.decode("utf-8", "replace").strip()[-600:]))
    elif block.output is not None and block.same(out) != block.same(block.output):
        wrong(path.name, block.line, "the example printed\n%s\nand not\n%s"
              % (out.rstrip(), block.output.rstrip()))
    else:
        env.update(line.split("=", 1) for line in
                   exports.read_text(encoding="utf-8").split("\0")[:-1])
    return r.returncode == 0


def is_sanitized(programs):
    return b"__asan_init" in (programs / "dfopt-mpi").read_bytes()


def install(programs, prefix):
    subprocess.run(["cmake", "--install", str(programs.parent), "--prefix",
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
            block = Block(line, [], "bash jobs/replay.sh %s" % programs.parent)
            with tempfile.TemporaryDirectory() as folder:
                os.symlink(str(source / "jobs"), os.path.join(folder, "jobs"))
                run_block(path, block, folder, environment(programs))
            continue
        where = [w for pattern, w in RUN_ELSEWHERE.items() if re.fullmatch(pattern, m[1])]
        if not where:
            wrong(path.name, line, "nobody runs: %s" % m[1])
        elif where[0][1] not in read(source / where[0][0]):
            wrong(path.name, line, "%s does not run: %s" % (where[0][0], m[1]))


def run_document(path, folder, env, seconds=TIMEOUT_S):
    """Its blocks in order, up to the first that lacks something or fails."""
    blocks, ran = blocks_of(path), 0
    for block in blocks:
        lacking = [p for p in block.needs if lacks(p, env)]
        if lacking:
            print("%s:%d: left out from here: no %s"
                  % (path.name, block.line, ", ".join(lacking)))
            break
        if not run_block(path, block, folder, env, seconds):
            break
        ran += 1
    if blocks:
        print("%s: %d of %d examples ran" % (path.name, ran, len(blocks)))


def check_run(source, programs):
    for path in [source / "README.md", *documents(source)]:
        if path.name in (FROM_A_CLONE, UNDER_GDB):
            continue
        env = with_source(environment(programs), source)
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(str(source / "jobs"), os.path.join(folder, "jobs"))
            if "$DFOPT_PREFIX" in read(path):
                if is_sanitized(programs):
                    print("%s: left out: the build is sanitized" % path.name)
                    continue
                env["DFOPT_PREFIX"] = str(pathlib.Path(folder, "prefix"))
                install(programs, env["DFOPT_PREFIX"])
            run_document(path, folder, env)


# ---- debugging: needs a build with debug information ----

UNDER_GDB = "debugging.md"


def check_debugging(source, programs):
    env = with_source(environment(programs), source)
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(str(source / "jobs"), os.path.join(folder, "jobs"))
        run_document(source / "docs" / UNDER_GDB, folder, env)


# ---- from a clone to the closed loop ----

FROM_A_CLONE = "quick-start.md"


def clone(source, folder):
    """What git has of the source, as it is here; without git all but the builds."""
    listed = shutil.which("git") and subprocess.run(
        ["git", "-C", str(source), "ls-files", "-z"], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, timeout=TIMEOUT_S)
    if not listed or not listed.stdout:
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("build", ".git"))
        return
    for name in filter(None, listed.stdout.decode().split("\0")):
        there = source / name
        if there.exists():  # else it is being removed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(there, folder / name)


def check_clone(source, _):
    """The quick start, all of it, with nothing but a clone and a home of its own."""
    env = environment(None)
    with tempfile.TemporaryDirectory() as name:
        env["HOME"] = name
        folder = pathlib.Path(name, "dfopt-mpi")
        clone(source, folder)
        run_document(source / "docs" / FROM_A_CLONE, str(folder), env, BUILD_S)
