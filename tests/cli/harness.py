"""Runs the programs under test, builds their input and reads their output.

Every run has a time bound, a session of its own that is killed with it, and a
clean environment. A sanitizer's report fails the test whatever it looks at.
"""
import argparse
import concurrent.futures
import functools
import glob
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
REPORTS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "UndefinedBehavior")


class Config:
    """Where the programs are; set by main() or by the environment."""
    program = os.environ.get("DFOPT_PROGRAM", "")
    log_program = os.environ.get("DFOPT_LOG_PROGRAM", "")
    demo_program = os.environ.get("DFOPT_DEMO_PROGRAM", "")
    release_program = os.environ.get("DFOPT_RELEASE_PROGRAM", "")
    mpi_leaks = os.environ.get("DFOPT_MPI_LEAKS", "")


@functools.lru_cache(maxsize=None)
def is_sanitized(program):
    with open(program, "rb") as f:
        return b"__asan_init" in f.read()


# Alone, without mpirun; and a lead with two planners. A sanitized start on several
# ranks takes seconds: cli.ranks and others that name their ranks have those.
RANKS = (None,) if Config.program and is_sanitized(Config.program) else (None, 3)


def main():
    """Takes the paths out of the command line; the rest is unittest's."""
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("--program")
    p.add_argument("--log-program")
    p.add_argument("--demo-program")
    p.add_argument("--release-program")
    p.add_argument("--mpi-leaks")
    known, rest = p.parse_known_args()
    for name, value in vars(known).items():
        if value is not None:
            setattr(Config, name, value)
    if not os.access(Config.program, os.X_OK):
        sys.exit("no program to test: --program PATH or DFOPT_PROGRAM")
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


# ---- running ----

def session_processes(sid):
    """The processes of a session that are not zombies."""
    found = []
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat) as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == sid and fields[0] != "Z":
            found.append(int(stat.split("/")[2]))
    return found


def rank_process(sid, rank):
    """The process of a rank that mpirun started in a session."""
    wanted = f"OMPI_COMM_WORLD_RANK={rank}".encode()
    for pid in session_processes(sid):
        with open(f"/proc/{pid}/environ", "rb") as f:
            if wanted in f.read().split(b"\0"):
                return pid
    raise AssertionError(f"no process of rank {rank}")


def wait_until(condition, seconds, what, every_s=0.02):
    """Waits for a condition; fails by name when it does not come true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every_s)


def asan_options(leaks=True):
    return f"detect_leaks={int(leaks)}:intercept_tls_get_addr=0:verify_asan_link_order=0"


def environment(program, extra):
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("DFOPTIMIZER_", "DLIO_", "OMPI_COMM_", "PMIX_"))}
    if is_sanitized(program):
        env.setdefault("ASAN_OPTIONS", asan_options())
        env.setdefault("LSAN_OPTIONS", "print_suppressions=0:suppressions="
                       + os.path.join(os.path.dirname(HERE), "lsan.supp"))
    env.update(extra or {})
    return env


def command(program, args, ranks, env, wrapper):
    argv = [*wrapper, program, *map(str, args)]
    preload = Config.mpi_leaks if is_sanitized(program) else ""
    if ranks is None:
        if preload:
            env["LD_PRELOAD"] = preload
        return argv
    mpirun = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]
    if os.geteuid() == 0:
        mpirun.insert(1, "--allow-run-as-root")
    if preload:
        mpirun += ["-x", "LD_PRELOAD=" + preload]
    return mpirun + argv


class Result:
    """How a run ended: code, out and err (bytes), events (of the log lines)."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.text = err.decode("utf-8", "replace")
        self.events, self.other_lines = [], []
        for line in self.text.split("\n"):
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            if isinstance(event, dict) and "event" in event:
                self.events.append(event)
            elif line.strip():
                self.other_lines.append(line)

    def named(self, event):
        return [e for e in self.events if e["event"] == event]

    @property
    def brief(self):
        """Standard error for a failure's message: without the plans, not too long."""
        kept = [s for s in self.text.split("\n") if '"event":"optimizer.plan"' not in s]
        return "\n".join(s[:600] for s in kept[-25:])

    @property
    def done(self):
        lines = self.named("optimizer.file.done")
        if len(lines) != 1:
            raise AssertionError(f"{len(lines)} optimizer.file.done in:\n{self.brief}")
        return lines[0]


class Running:
    """A run under way. Its output goes to files, so that it never waits for us."""

    def __init__(self, args, ranks=None, env=None, stdin=subprocess.DEVNULL,
                 stdout=None, program=None, wrapper=(), preexec=None):
        program = program or Config.program
        full = environment(program, env)
        self.files = [tempfile.TemporaryFile() for _ in range(2)]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command(program, args, ranks, full, wrapper), env=full, stdin=stdin,
            stdout=stdout or self.files[0], stderr=self.files[1],
            start_new_session=True, preexec_fn=preexec)
        self.sid = self.process.pid

    def so_far(self):
        """Standard error until now."""
        size = os.fstat(self.files[1].fileno()).st_size
        return os.pread(self.files[1].fileno(), size, 0).decode("utf-8", "replace")

    def kill(self):
        for pid in session_processes(self.sid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def finish(self, timeout=60, sanitizers=True):
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"still running after {timeout} s; standard error:\n{self.so_far()}")
        finally:
            self.kill()
        text = []
        for f in self.files:
            f.seek(0)
            text.append(f.read())
            f.close()
        result = Result(code, *text)
        if sanitizers and any(report in result.text for report in REPORTS):
            raise AssertionError(
                f"a sanitizer's report (code {code}):\n{result.text[-4000:]}")
        return result


def run(args, ranks=None, env=None, stdin=None, timeout=60, **more):
    """Runs to the end. stdin: bytes, an open file or None. Returns a Result."""
    sanitizers = more.pop("sanitizers", True)
    with tempfile.TemporaryFile() as f:
        if isinstance(stdin, bytes):
            f.write(stdin)
            f.seek(0)
            stdin = f
        return Running(args, ranks, env, stdin or subprocess.DEVNULL,
                       **more).finish(timeout, sanitizers)


def run_each(jobs, at_once=3):
    """Runs several at once; jobs are the keyword arguments of run(). Results are in
    the order of the jobs; a run that failed by itself is its AssertionError."""
    def one(job):
        try:
            return run(**job)
        except AssertionError as e:
            return e
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, jobs))


def run_as_nobody(args):
    """As a user who may do nothing; needs root. Skips where that user cannot even
    start the program (a build below a home, say)."""
    try:
        return run(args, preexec=lambda: (os.setgid(65534), os.setuid(65534)))
    except PermissionError as e:
        raise unittest.SkipTest(f"nobody cannot start the program: {e}")


class Case(unittest.TestCase):
    """A test with a folder of its own."""
    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="dfopt-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, content):
        data = content if isinstance(content, bytes) else content.encode()
        if name.endswith(".gz"):
            data = gzip.compress(data, 1)
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def assert_ran(self, r):
        """Of a result of run_each()."""
        if isinstance(r, AssertionError):
            self.fail(str(r))

    def run_ok(self, args, code=0, **more):
        result = run(args, **more)
        self.assertEqual(result.code, code, result.brief)
        return result


# ---- input ----

def finding(window=1, node=None, **over):
    """A finding as a diagnoser writes it; node None: the whole job."""
    f = {
        "finding_type": "fetch_pressure",
        "scope": f"node:{node}:window" if node else "app:epoch",
        "layer": "node" if node else "app", "view_type": "window",
        "motif": "persistent_pressure", "severity": "critical", "severity_score": 1.0,
        "confidence": 0.8, "prevalence": 1.0, "persistence": 10, "support_windows": 5,
        "trend_direction": "stable", "last_seen_window": window,
        "contributing_facts": [], "recommendation_bundle": "input_pipeline_tuning",
        "opportunity_tags": ["dataloader_prefetch", "reader_parallelism"],
        "suppresses_tags": [], "summary": "", "window_index": window,
        "key_metrics": {"fetch_frac": 0.89, "compute_frac": 0.11},
        "publish_mode": "control"}
    f.update(over)
    return f


def response(**over):
    r = {"direction": "increase", "step": 2, "step_mode": "add", "min_severity": 0.5,
         "min_persistence": 1, "cooldown_windows": 1, "apply_when": "next_window",
         "effectiveness_threshold": 0}
    r.update(over)
    return r


def knob(name, default=2, type_="int", range_=(1, 64), **responds):
    return {"id": name, "default": default, "type": type_,
            "range": list(range_) if range_ else None, "values": None, "scope": "job",
            "responds_to": responds, "target_function": "app.loader"}


def registration(*knobs, **current):
    return {"namespace": "app", "function_name": "app.loader",
            "knobs": {k["id"]: k for k in knobs}, "current_values": current}


def loader_registration():
    return registration(
        knob("app.prefetch", dataloader_prefetch=response()),
        knob("app.threads", reader_parallelism=response(step_mode="evidence"),
             reader_contention=response(direction="decrease", step=1)),
        knob("app.ratio", 0.5, "float", (0.0, 1.0),
             cache_pressure=response(step=0.125, cooldown_windows=2)))


def event(stream, body):
    return {"stream": stream, "body": body}


def lines(records):
    """JSON lines, as bytes."""
    return "".join(json.dumps(r) + "\n" for r in records).encode()


def session(nodes, windows, seed=1, acks=True, global_plans=True):
    """An event log of a whole job: registrations, findings of nodes, of the job
    and of a global diagnoser, acks of all kinds, plans of a global optimizer.
    A function of its arguments alone."""
    state = [seed * 2654435761 % 2**32]

    def pick(n):
        state[0] = (state[0] * 1664525 + 1013904223) % 2**32
        return (state[0] >> 8) % n

    log = [event("registration", loader_registration())]
    due = []  # acks of plans that may have been made, for the next window

    def add_finding(f):
        if f["opportunity_tags"] and f["severity_score"] >= 0.5 and pick(10):
            due.extend(len(log) << 16 | n for n in range(2))
        log.append(event("finding", f))

    def add_acks(window):
        for plan in due:
            ack = {"plan_id": f"plan_{plan:016x}", "knob_id": "app.prefetch",
                   "status": ("applied",) * 5 + ("rejected", "deferred"),
                   "old_value": 2, "new_value": 3 + pick(5), "reason": "asked"}
            ack["status"] = ack["status"][pick(7)]
            if pick(2):
                ack["window_index"] = window
            log.extend([event("ack", ack)] * (1 + (pick(9) == 0)))
        due.clear()

    tags = (["dataloader_prefetch", "reader_parallelism"], ["reader_contention"],
            ["cache_pressure"], ["dataloader_prefetch"], ["unknown_tag"], [])
    trends = ("stable", "worsening", "insufficient_data", "improving")
    for window in range(1, windows + 1):
        if acks:
            add_acks(window)
        for n in range(nodes + 2):
            node = f"node{n:03d}" if n < nodes else None
            add_finding(finding(
                window, node, opportunity_tags=tags[pick(len(tags))],
                severity_score=(30 + pick(71)) / 100, persistence=pick(8),
                trend_direction=trends[pick(len(trends))],
                key_metrics={"fetch_frac": pick(100) / 100}))
        if pick(4) == 0:
            add_finding(finding(
                window, scope="global", finding_type=f"saturation{pick(2)}",
                severity_score=0.7,
                suppresses_tags=["reader_parallelism"] if pick(2) else [],
                opportunity_tags=[]))
        if global_plans and pick(6) == 0:
            log.append(event("global_plan", {
                "plan_id": f"global_{window}", "knob_id": "app.prefetch",
                "new_value": 1 + pick(64), "window_index": window,
                "target_nodes": [f"node{pick(nodes):03d}"] if pick(2) else []}))
    return log


def plans_without_ids(data):
    """Plans out of JSON lines, without what depends on a record's number."""
    plans = [json.loads(line) for line in data.splitlines()]
    for p in plans:
        del p["plan_id"]
    return plans


# ---- decision logs ----

NO_STRING = 0xFFFFFFFF

# Options of dfopt-log dump: all that came in and was decided, and nothing of the run.
DECIDED = [x for kind in ("finding", "registration", "ack", "global_plan", "reject",
                          "suppression", "timeout", "verdict", "plan", "knob",
                          "response", "seen") for x in ("--kind", kind)]


class DecisionLog:
    """A decision log, read without our code."""

    def __init__(self, path):
        import h5py
        self.h5py = h5py
        try:
            self.file = h5py.File(path, "r")
        except OSError:  # its writer was killed
            self.file = h5py.File(path, "r", libver="latest", swmr=True)
        self.complete = int(self.file["complete"][0])
        commits = self.file["commits"]
        self.last = commits[len(commits) - 1] if len(commits) else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def plan_ids(self, table):
        """Ids of plans as they went out: of a live run with its identity behind."""
        run = self.file.attrs["run_id"]
        run = run.decode() if isinstance(run, bytes) else str(run)
        return [f"plan_{n:016x}" + (f"_{run}" if run else "")
                for n in self.column(table, "plan_id")]

    def rows(self, table):
        return int(self.last[table]) if self.last is not None else 0

    def column(self, table, name):
        return self.file[table][name][:self.rows(table)]

    def names(self, table, name):
        """An enum column, as names."""
        data = self.file[table][name]
        by_value = {v: k for k, v in self.h5py.check_enum_dtype(data.dtype).items()}
        return [by_value[v] for v in self.column(table, name)]

    @functools.cached_property
    def texts(self):
        """The strings, by number."""
        data = self.file["strings"]["bytes"][:int(self.last["strings_bytes"])].tobytes()
        texts, start = [], 0
        for end in map(int, self.column("strings", "ends")):
            texts.append(data[start:end].decode("utf-8", "replace"))
            start = end
        return texts

    def strings(self, table, name):
        return [None if s == NO_STRING else self.texts[s]
                for s in self.column(table, name)]

    def rejects(self):
        return [{"seq": int(s), "line": int(n), "stream": t, "origin": o, "reason": r}
                for s, n, t, o, r in zip(
                    self.column("rejects", "seq"), self.column("rejects", "line"),
                    self.names("rejects", "stream"), self.strings("rejects", "origin"),
                    self.strings("rejects", "reason"))]

    def invalid_verdicts(self):
        return [int(s) for s, v in zip(self.column("verdicts", "seq"),
                                       self.names("verdicts", "verdict"))
                if v == "invalid"]

    def columns(self):
        """All columns of all tables as bytes, but for /commits."""
        found = {}

        def take(name, item):
            if isinstance(item, self.h5py.Dataset) and name != "commits":
                found[name] = (str(item.dtype), item.shape, item[()].tobytes())

        self.file.visititems(take)
        return found
