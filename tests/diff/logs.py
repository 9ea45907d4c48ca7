"""The event logs that the programs are compared on: what a seed stands for, and the commands that write it.

A log is a function of its seed: its source, size, oddities, acks, preset, policy and broken lines. Most are generated
(tests/spec/gen_findings.py) with everything that control by effect knows; one in ten is the closed loop of a scenario
of tests/spec/plants.py. The hand-written cases of tests/spec/cases.py have the names `case:0` and on.
"""
import json
import os
import random
import subprocess
import sys
import shlex
import signal

SPEC = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "spec")
sys.path.insert(0, SPEC)
import cases    # noqa: E402
import model    # noqa: E402
import plants   # noqa: E402
import score    # noqa: E402

CHOICES = dict(ack_match=("plan_id", "knob_node"), ack_window=("seen", "none"), reject=("previous", "upstream"),
               reregister=("replace", "append"), enum_step=("neighbour", "upstream"), scope=("interpret", "carry"),
               registration=("interpret", "carry"), unmatched_ack=("adopt", "ignore"),
               effect=("objective", "objective", "trend", "severity"))
BOOLEANS = ("reject_cooldown", "global_exempt", "strict_direction", "strict_types", "global_overrides_nodes",
            "suppress_before_registration", "evidence_probe")
WINDOWS = ("pending_timeout_windows", "suppression_ttl_windows")
TAGS = ("reader_parallelism", "dataloader_prefetch", "small_io_reduction", "metadata_reduction", "rank_balance")
KNOBS = ("dlio.read_threads", "stormer.num_workers", "site.read_size", "site.cache_ratio", "bare")
METRICS = ({"metric": "compute_frac", "goal": "max"}, {"metric": "fetch_frac", "goal": "min", "finding_types": ["fetch_pressure"]},
           {"metric": "compute_frac"})
BROKEN = (b'{"stream": "finding", "body": {"severity_score": 1\n', b"\n", b"  \t\n", b"5\n", b"null\n", b"[1, 2]\n",
          b'{"finding_type": "x", "scope": "node:tuolumne1001", "severity_score": 1e999}\n', b"not JSON\n", b'"text"\n')


class Broken(Exception):
    """A command failed, or did not end in its time."""


def run(command, seconds, stdout=None):
    """Runs a command in a process group of its own; kills the group when its time is up."""
    p = subprocess.Popen(command, stdout=stdout or subprocess.DEVNULL, stderr=subprocess.PIPE,
                         stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        _, err = p.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        p.communicate()
        raise Broken("no end after %d s: %s" % (seconds, shlex.join(command)))
    if p.returncode != 0:
        logged = err.decode("utf-8", "replace")[-2000:]
        raise Broken("exit code %d: %s\n%s" % (p.returncode, shlex.join(command), logged))


def spec_command(name, *args):
    return [sys.executable, os.path.join(SPEC, name)] + list(args)


# ------------------------------------------------------------------ policies

def random_switches(rnd):
    on = {}
    for name, choices in CHOICES.items():
        if rnd.random() < .3:
            on[name] = rnd.choice(choices)
    for name in BOOLEANS:
        if rnd.random() < .3:
            on[name] = rnd.random() < .5
    for name in WINDOWS:
        if rnd.random() < .5:
            on[name] = rnd.randint(0, 12)
    return on


def random_responses(rnd):
    responses = {}
    for key in ["*"] + ["tag:" + t for t in TAGS] + ["knob:" + k for k in KNOBS]:
        if rnd.random() > .25:
            continue
        r = {}
        for field, value in (("min_severity", round(rnd.random(), 2)), ("min_persistence", rnd.randint(0, 6)),
                             ("cooldown_windows", rnd.randint(0, 8)), ("step", rnd.choice((1, 3, 0.5, 2.0, 16, 0))),
                             ("step_mode", rnd.choice(("add", "multiply", "evidence"))),
                             ("effectiveness_threshold", round(rnd.uniform(-.2, .6), 2)),
                             ("direction", rnd.choice(("increase", "decrease"))),
                             ("apply_when", rnd.choice(("next_window", "epoch_boundary", "window_boundary")))):
            if rnd.random() < .3:
                r[field] = value
        responses[key] = r
    return responses


# ------------------------------------------------------------------ sources

class Case:
    """Everything about one log that follows from its seed."""
    upstream = assumed = False
    hostname, broken = "", 0
    policy = None       # of the caller; a generated log may draw more

    def model_flags(self, folder):
        flags = ["--upstream"] if self.upstream else []
        flags += ["--acks", "assumed"] if self.assumed else []
        flags += ["--policy", os.path.join(folder, "policy.json")] if self.policy is not None else []
        return flags + (["--relay-hostname", self.hostname] if self.hostname else [])

    def program_flags(self, folder):
        flags = ["--acks", "assumed" if self.assumed else "explicit"]
        flags += ["--compat", "upstream"] if self.upstream else []
        flags += ["--policy", os.path.join(folder, "policy.json")] if self.policy is not None else []
        return flags + (["--relay-hostname", self.hostname] if self.hostname else [])

    def write_policy(self, folder):
        if self.policy is not None:
            with open(os.path.join(folder, "policy.json"), "w", encoding="utf-8") as fh:
                json.dump(self.policy, fh)

    def write_records(self, folder, records):
        self.write_policy(folder)
        path = os.path.join(folder, "log.jsonl")
        with open(path, "w", encoding="utf-8") as out:
            out.writelines(json.dumps(r) + "\n" for r in records)
        return path


class Generated(Case):
    def __init__(self, seed, presets, operators=False):
        rnd = random.Random("log %d" % seed)
        self.name, self.upstream = "log %d" % seed, presets[seed % len(presets)] == "upstream"
        self.gen = ["--seed", str(seed), "--nodes", str(int(33 ** rnd.random())), "--windows", str(rnd.choice((5, 12, 24, 48, 72))),
                    "--nan-rate", "%.3f" % rnd.choice((0, 0, rnd.uniform(0, .05), rnd.uniform(0, .5))),
                    "--global-rate", "%.2f" % rnd.choice((0, .1, rnd.uniform(0, .6))), "--clear-rate", "%.2f" % rnd.random(),
                    "--global-plan-rate", "%.2f" % rnd.choice((0, .1, rnd.random())),
                    "--view", rnd.choice(("window", "window", "epoch", "host_hash"))]
        self.everything = rnd.random() < .75
        control = random.Random("control of log %d" % seed)
        if operators:   # the last of two options counts
            self.gen += ["--control-rate", ".60", "--nodes", str(control.choice((1, 2, 4))), "--windows", str(control.choice((5, 12)))]
        elif control.random() < .5:
            self.gen += ["--control-rate", "%.2f" % control.choice((.1, .3, .6))]
        self.gen += [flag for flag, share in (("--hard", .4), ("--current-severity", .5), ("--summary", .25))
                     if rnd.random() < share] + ["--everything"] * self.everything
        acks = rnd.choice(("none", "context", "full", "mixed", "loop", "loop", "loop", "loop"))
        self.loop = []
        if acks == "loop":
            self.loop = ["--close-loop", str(rnd.randint(1, 4)), "--ack-shape", rnd.choice(("full", "context")),
                         "--reject-every", str(rnd.choice((0, 0, 3, 7, 20)))]
        else:
            self.gen += ["--acks", acks, "--ack-lag", str(rnd.randint(1, 3)),
                         "--ack-reject", "%.2f" % rnd.uniform(0, .3), "--ack-dup", "%.2f" % rnd.uniform(0, .3)]
        self.assumed = not self.upstream and rnd.random() < .15
        self.switches = random_switches(rnd) if rnd.random() < .4 else {}
        if self.upstream and rnd.random() < .3:
            self.switches["effect"] = "objective"
        self.responses = random_responses(rnd) if rnd.random() < .25 else {}
        self.drawn = self.everything and rnd.random() < .75     # budgets, guards and parameters of the generator
        self.metric = rnd.choice(METRICS) if rnd.random() < .2 else None
        self.hostname = "tuolumne1001" if rnd.random() < .25 else ""
        self.broken = rnd.randint(1, 12) if rnd.random() < .3 else 0
        hosts = random.Random("hosts %d" % seed)
        if hosts.random() < .3:
            self.gen += ["--host-forms", "%.2f" % hosts.choice((.02, hosts.random()))]
            self.hostname = self.hostname and hosts.choice(("tuolumne1001", "TUOLUMNE1001.a.example"))
        self.rnd = rnd

    def draw_policy(self, drawn):
        """The policy, from what the generator drew; None if there is nothing in it."""
        policy = {}
        if self.drawn:
            with open(drawn, encoding="utf-8") as fh:
                policy = json.load(fh)
        for key, more in (("switches", self.switches), ("responses", self.responses)):
            if more:
                policy[key] = {**policy.get(key, {}), **more}
        if self.metric:
            policy["objective_metric"] = self.metric
        return policy or None

    def write(self, folder):
        log, drawn = os.path.join(folder, "log.jsonl"), os.path.join(folder, "drawn.json")
        run(spec_command("gen_findings.py", *self.gen, "--policy-out", drawn, "-o", log), 120)
        self.policy = self.draw_policy(drawn)
        self.write_policy(folder)
        if self.broken:
            with open(log, "rb") as fh:
                rows = fh.readlines()
            for _ in range(self.broken):
                rows.insert(self.rnd.randint(1, len(rows)), self.rnd.choice(BROKEN))
            with open(log, "wb") as fh:
                fh.writelines(rows)
        if self.loop:
            exact = os.path.join(folder, "exact.jsonl")
            run(spec_command("model.py", log, *self.model_flags(folder), *self.loop, "--emit-log", exact, "-o", os.devnull), 300)
            log = exact
        return log


class Plant(Case):
    """The closed loop of a scenario: its objectives and findings answer to the plans of the specification."""

    def __init__(self, seed):
        rnd = random.Random("plant %d" % seed)
        self.scenario, self.seed = rnd.choice([sc.name for sc in plants.scenarios()]), seed
        self.scope, self.mode = rnd.choice(("node", "job")), rnd.choice(("objective", "objective", "trend"))
        self.name = "plant %s, %s knobs, %s" % (self.scenario, self.scope, self.mode)

    def write(self, folder):
        sc, log = score.scenario("main", self.scenario, self.scope), []
        plants.Loop(sc, self.seed, score.Ours(sc, model.DEFAULT, {"effect": self.mode}), log=log).run()
        self.policy = {k: sc.policy[k] for k in ("responses", "budgets", "guards") if k in sc.policy}
        self.policy["switches"] = {"effect": self.mode}
        return self.write_records(folder, log)


class Written(Case):
    """One of the hand-written cases."""

    def __init__(self, index):
        title, self.policy, self.upstream, self.assumed, records = list(cases.cases())[index]
        self.name = "case %d, %s" % (index, title)
        self.records = [dict(stream=s, body=b) for s, b in records]

    def write(self, folder):
        return self.write_records(folder, self.records)


def case_of(seed, presets, operators=False):
    """The log of a seed; seeds below 0 are the hand-written cases, from -1. operators: a small one, with many commands."""
    if operators:
        return Generated(seed, presets, True)
    if seed < 0:
        return Written(-1 - seed)
    return Plant(seed) if seed % 10 == 9 else Generated(seed, presets)


def written_cases():
    return [-1 - i for i in range(len(list(cases.cases())))]
