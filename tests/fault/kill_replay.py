"""kill -9 of a random rank at a random moment of a replay, then --resume: the
outcome must be that of a run that was never killed. Also: the job ends within
seconds with the rank and its node named.

    kill_replay.py [--count N] [--seed N] --program DFOPT_MPI --log-program DFOPT_LOG
    kill_replay.py --generated ...   generated logs under control, a budget, guards and
                                     commands of an operator, of which tests/spec/model.py says the outcome
"""
import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import harness  # noqa: E402
from harness import lines, session, session_processes  # noqa: E402

END_WITHIN_S = 60  # of the job, once a rank is gone; this machine may be busy
POLICY = '{"switches": {"pending_timeout_windows": 6}}'
# under which rows of decisions tell all of the state, so that any detail will do
BY_ROWS = ('{"switches": {"pending_timeout_windows": 6, "effect": "severity",'
           ' "registration": "carry", "unmatched_ack": "ignore"}}')
SPEC = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "spec")


class Wrong(Exception):
    pass


def dump(log):
    """A digest of all rows, and of the state that follows from them."""
    digest = hashlib.sha256()
    for args in (["dump", *harness.DECIDED], ["state"]):
        done = subprocess.run([harness.Config.log_program, *args, log],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if done.returncode:
            raise Wrong(f"dfopt-log {args[0]}: {done.stderr.decode()}")
        digest.update(done.stdout)
    return digest.hexdigest()


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Case:
    """One way of running; the same for the reference and for what is killed."""

    def __init__(self, folder, rng, files):
        self.folder = folder
        self.rng = rng
        self.ranks = rng.choice((1, 2, 3, 4))
        detail = rng.choice(("plans", "verdicts", "findings", "findings"))
        policy = "policy" if detail == "findings" else "by-rows"
        self.options = [x for f in files for x in ("--findings-file", f)]
        self.options += ["--policy", os.path.join(os.path.dirname(files[0]), policy),
                         "--log-level", "error", "--log-detail", detail]
        self.options += rng.choice((["--readers", "one", "--batch-events", "40"],
                                    ["--read-bytes", "20000"], ["--read-bytes", "3000"]))
        self.options += ["--log-flush-interval", rng.choice(("0", "0.02", "0.3"))]

    def path(self, name):
        return os.path.join(self.folder, name)

    def args(self, name, how):
        return [*self.options, how, self.path(name + ".h5"), "--plans-file",
                self.path(name + ".plans"), "--final-state", self.path(name + ".state")]

    def outcome(self, name):
        return {"plans": read(self.path(name + ".plans")),
                "state": read(self.path(name + ".state")),
                "log": dump(self.path(name + ".h5"))}

    def run_to_end(self, name, how):
        """Returns how long it worked, from the log's creation on."""
        running = harness.Running(self.args(name, how), ranks=self.ranks)
        while running.process.poll() is None and not os.path.exists(self.path(name + ".h5")):
            time.sleep(0.002)
        begun = time.monotonic()
        r = running.finish(120)
        if r.code:
            raise Wrong(f"{how}: code {r.code}: {r.brief}")
        return time.monotonic() - begun


class Generated(Case):
    """A log that tests/spec generates, with everything in it, commands of an operator too."""

    def __init__(self, folder, rng, number):
        for name in ("raw", "log", "want", "policy"):
            setattr(self, name, os.path.join(folder, name))
        self.generate(rng, number)
        super().__init__(folder, rng, [self.log])
        self.ranks = (1, 2, 4, 7)[number % 4]
        at = self.options.index("--log-detail")
        self.options[at:at + 2] = ["--acks", "explicit"]
        self.options[self.options.index("--policy") + 1] = self.policy

    def generate(self, rng, number):
        def spec(name, *args):
            subprocess.run([sys.executable, os.path.join(SPEC, name), *args], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           timeout=120)
        spec("gen_findings.py", "--everything", "--nodes", "6", "--windows", "40",
             "--control-rate", ".4", "--seed", str(number), "--policy-out", self.policy, "-o", self.raw)
        spec("model.py", self.raw, "--policy", self.policy, "--close-loop",
             str(rng.choice((1, 2, 3))), "--emit-log", self.log, "-o", os.devnull)
        spec("model.py", self.log, "--policy", self.policy, "--decisions", "-o", self.want)

    def check_model(self):
        """That the run which was not killed did what the specification says."""
        want = [json.loads(line) for line in read(self.want).splitlines()]
        rows = subprocess.run([harness.Config.log_program, "dump", "--kind", "verdict",
                               self.path("whole.h5")], stdout=subprocess.PIPE, check=True,
                              timeout=120).stdout
        got = [json.loads(line) for line in rows.splitlines()]
        if [d.get("plan") or d.get("relay") for d in want if "plan" in d or "relay" in d] \
                != [json.loads(line) for line in read(self.path("whole.plans")).splitlines()]:
            raise Wrong("other plans than the specification's")
        if [[d["event"], d["tag"], d["knob_id"], d["node"], d["verdict"]]
                for d in want if "verdict" in d] != \
                [[d["seq"], d["tag"], d["knob"], d["node"], d["verdict"]] for d in got]:
            raise Wrong("other verdicts than the specification's")
        final = next(d["final"] for d in want if "final" in d)
        if final != json.loads(read(self.path("whole.state"))):
            raise Wrong("another final state than the specification's")


def rank_processes(sid):
    """{rank: process} of the ranks that have started."""
    found = {}
    for pid in session_processes(sid):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                env = f.read().split(b"\0")
            with open(f"/proc/{pid}/comm") as f:
                name = f.read()
        except OSError:
            continue
        rank = [e for e in env if e.startswith(b"OMPI_COMM_WORLD_RANK=")]
        if rank and name.startswith("dfopt-mpi"):
            found[int(rank[0].split(b"=")[1])] = pid
    return found


def kill_one(case, how, seconds):
    """Runs, and kills a rank at a random moment: mostly while it works, sometimes
    while it starts. Returns the rank, None if the run was quicker."""
    # a rank that is killed while it looks for leaks leaves a tracer behind
    running = harness.Running(case.args("killed", how), ranks=case.ranks,
                              env={"ASAN_OPTIONS": harness.asan_options(leaks=False)})
    log = case.path("killed.h5")
    before = os.stat(log).st_ino if os.path.exists(log) else None
    after, starting = case.rng.random() * seconds, case.rng.random() < 0.1
    end = time.monotonic() + (after if starting else 60)
    try:
        while time.monotonic() < end and running.process.poll() is None:
            if (not starting and os.path.exists(log)
                    and os.stat(log).st_ino != before):
                starting, end = True, time.monotonic() + after
            time.sleep(0.0005)
        ranks = rank_processes(running.sid)
        if running.process.poll() is not None or not ranks:
            running.finish(60, sanitizers=False)
            return None
        rank = case.rng.choice(sorted(ranks))
        try:
            os.kill(ranks[rank], signal.SIGKILL)
        except ProcessLookupError:  # it has just ended
            running.finish(60, sanitizers=False)
            return None
        killed = time.monotonic()
        try:
            r = running.finish(END_WITHIN_S, sanitizers=False)
        except AssertionError:
            # Open MPI 4.1: mpirun may stay when a rank goes while it connects to it
            if not re.search(r"PMIX ERROR(.|\n)*with PID 0 ", running.so_far()):
                raise
            print(f"  rank {rank}: killed at its start, mpirun stayed", flush=True)
            return rank
        if r.code == 0:
            return None  # its work was done
        named = re.search(rf"process rank {rank} with PID \d+ on node (\S+)", r.text)
        if not named and "MPI_Init" not in r.text and "lost connection" not in r.text:
            print(f"  rank {rank}: not named: {r.text[-300:]!r}")
        case.ended.append(time.monotonic() - killed)
        case.named += bool(named)
        return rank
    finally:
        running.kill()


def is_log(path):
    return subprocess.run([harness.Config.log_program, "state", path],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          timeout=60).returncode == 0


def compare(case):
    want, got = case.outcome("whole"), case.outcome("killed")
    other = [k for k in want if want[k] != got[k]]
    if other:
        raise Wrong("differs: " + ", ".join(other))


def one(number, top, files, tally):
    folder = tempfile.mkdtemp(prefix=f"case{number}-", dir=top)
    rng = random.Random(number)
    case = Case(folder, rng, files) if files else Generated(folder, rng, number)
    case.ended, case.named = tally["ended"], 0
    how, kills = "--decision-log", 0
    try:
        seconds = case.run_to_end("whole", "--decision-log")
        if not files:
            case.check_model()
        while kills == 0 or (kills < 4 and case.rng.random() < 0.3):
            rank = kill_one(case, how, case.rng.random() * seconds)
            if rank is None:
                continue
            kills += 1
            tally["kills"] += 1
            if is_log(case.path("killed.h5")):
                how = "--resume"
            else:
                tally["before the log"] += 1
                how = "--decision-log"
        if how == "--decision-log" or not is_log(case.path("killed.h5")):
            case.run_to_end("killed", "--decision-log")
        else:
            tally["resumed"] += 1
            case.run_to_end("killed", "--resume")
        tally["named"] += case.named
        compare(case)
    except Wrong as e:
        print(f"case {number} ({case.ranks} ranks, {' '.join(case.options)}): {e}\n"
              f"  kept in {folder}")
        return False
    shutil.rmtree(folder)
    return True


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--count", type=int, default=200)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--windows", type=int, default=120)
    p.add_argument("--generated", action="store_true")
    p.add_argument("--program", default=harness.Config.program)
    p.add_argument("--log-program", default=harness.Config.log_program)
    o = p.parse_args()
    harness.Config.program, harness.Config.log_program = o.program, o.log_program
    top = tempfile.mkdtemp(prefix="dfopt-kill-")
    log = session(16, o.windows)
    files = []
    for i in range(3): # a replay of several files
        files.append(os.path.join(top, f"in{i}.jsonl"))
        with open(files[-1], "wb") as f:
            f.write(lines(log[i * len(log) // 3:(i + 1) * len(log) // 3]))
    for name, policy in (("policy", POLICY), ("by-rows", BY_ROWS)):
        with open(os.path.join(top, name), "w") as f:
            f.write(policy)
    if o.generated:
        files = None
    tally = {"kills": 0, "before the log": 0, "resumed": 0, "named": 0, "ended": []}
    good = 0
    for number in range(o.seed, o.seed + o.count):
        good += one(number, top, files, tally)
    ended = tally.pop("ended")
    print(f"{good} of {o.count} the same as never killed; {len(log)} events; "
          f"{tally}; the job ended within {max(ended, default=0):.1f} s of a kill")
    if good == o.count:
        shutil.rmtree(top)
    return good != o.count


if __name__ == "__main__":
    sys.exit(main())
