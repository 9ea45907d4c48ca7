"""What version 2 adds: objectives, processes, commands, policies."""
import json
import random

from generator.parts import knob, response


class Extras:
    """Objectives, processes that come and go, knobs of a node, late acks, and a policy to go with them."""
    def __init__(self, a, emit, regs, names):
        self.a, self.emit, self.names, self.rnd = a, emit, names, random.Random("v2/%d" % a.seed)
        self.bodies = [b for at, b in regs if at == 0]
        self.serial, self.offset, self.level, self.goal = 0, 0, {}, {}
        self.process, self.gone, self.reported = {}, [], {}
        self.operator, self.limits = random.Random("control/%d" % a.seed), None
        if a.node_knobs:
            self.scopes(regs)

    def scopes(self, regs):
        """Gives a share of the knobs the scope of a node (or of a rank), the others that of the job."""
        drawn = {}
        for _, b in regs:
            ks = b["knobs"]
            for kd in (ks if isinstance(ks, list) else ks.values()):
                kid = kd["id"]
                if kid not in drawn:
                    drawn[kid] = self.rnd.choice(("node", "node", "rank_local")) if self.rnd.random() < self.a.node_knobs else self.rnd.choice(("job", None))
                kd["scope"] = drawn[kid]

    def instance(self):
        self.serial += 1
        return "%08x-%d" % (self.rnd.getrandbits(32), self.serial)

    def values(self, b, fresh):
        """What a process runs with: the registered values, or some of them changed."""
        cur = dict(b.get("current_values") or {})
        ks = b["knobs"]
        for param, kd in ([(k["id"], k) for k in ks] if isinstance(ks, list) else ks.items()):
            x = self.rnd.random()
            if x < .2:
                cur.pop(param, None)
            elif x < .6 and not fresh and kd.get("type", "int") in ("int", "float") and not kd.get("values"):
                lo, hi = (kd.get("range") or [0, 16])[:2] if kd.get("range") else (0, 16)
                cur[param] = self.rnd.randint(int(lo), int(min(hi, 64))) if kd.get("type", "int") == "int" else round(self.rnd.uniform(lo, hi), 3)
        return cur

    def register(self, b, node, new, note=None):
        key = (b.get("function_name", ""), node)
        if new or key not in self.process:
            self.process[key] = self.instance()
        body = dict(b, current_values=self.values(b, new), node=node, instance=self.process[key])
        if self.rnd.random() < .1:
            del body["node" if self.rnd.random() < .5 else "instance"]
        self.emit("registration", body, note)

    def start(self):
        """In the place of the registrations before the first window."""
        for b in self.bodies:
            for n in self.names:
                self.register(b, n, True)
        if self.a.everything:
            self.emit("registration", {"namespace": "x", "function_name": "x.dup", "knobs": {
                "dup": knob("x.dup", 1, "int", "x.dup", None, [1, 2, 2, 2.0, 4, 8], "node",
                            small_io_reduction=response(min_persistence=1, cooldown_windows=1),
                            reader_contention=response("decrease", 1, min_persistence=1, cooldown_windows=1)),
                "mem": knob("x.mem", 4, "int", "x.dup", [1, 64], None, self.rnd.choice(("job", "node")),
                            reader_parallelism=response(step=1, min_persistence=1, cooldown_windows=1)),
                "buf": knob("x.buf", 2, "int", "x.dup", [1, 64], None, self.rnd.choice(("job", "node")),
                            dataloader_prefetch=response(step=1, min_persistence=1, cooldown_windows=1))},
                "current_values": {}})

    def command(self, w, count):
        """Something that an operator does."""
        r = self.operator
        ks = [kd for b in self.bodies for kd in (b["knobs"] if isinstance(b["knobs"], list) else b["knobs"].values())]
        kd = r.choice(ks)
        node, tags = r.choice(self.names), list(kd.get("responds_to") or {"io_bottleneck": 0})
        target = r.choice(("*", "*", "knob:" + kd["id"], "knob:" + kd["id"], "tag:" + r.choice(tags), "tag:none", "knob:none"))
        value = r.choice((kd["default"], kd["default"], 3, 5, 8, 0.5, 2.0, "x", True, 10 ** 6))
        plan = "plan_%016x" % (r.randrange(max(1, count)) << 16 | 32768 + r.randrange(4))
        policy = self.policy(r)
        policy.get("switches", {}).pop("effect", None)
        if self.limits is None:
            policy.pop("limits", None)
        else:
            policy["limits"] = self.draw_limits(r)
        return r.choice((
            {"action": "mode", "mode": r.choice(("auto", "auto", "advise", "shadow", "off")), "target": target},
            {"action": "mode", "mode": r.choice(("auto", "advise", "advise", "shadow")), "target": r.choice(("*", "knob:" + kd["id"]))},
            {"action": "freeze", "until_window": w - self.offset + r.choice((1, 3, 6))}, {"action": "freeze"}, {"action": "thaw"}, {"action": "thaw"},
            {"action": "set", "knob_id": kd["id"], "value": value, "node": node if kd.get("scope") in ("node", "rank_local") else ""},
            {"action": "set", "knob_id": r.choice((kd["id"], kd["id"], "none")), "value": value, "node": r.choice(("", node, "nowhere"))},
            {"action": "restore", "node": r.choice(("", node, "nowhere"))}, {"action": r.choice(("approve", "reject")), "plan_id": plan}, {"action": "policy", "policy": policy}, {"action": "policy", "policy": policy, "check": r.random() < .7},
            r.choice(({"action": "mode"}, {"action": "stop"}, {"action": "freeze", "until": 3}, {"action": "set", "knob_id": kd["id"]}, {"action": "policy", "policy": {"switch": {}}},
                      {"action": "policy", "policy": {"responses": {"knob:none": {"step": 1}}}}, {"action": "policy", "policy": {"responses": {"tag:none": {"step": 1}}}},
                      {"action": "policy", "policy": {"switches": {"scope": "carry"}}}, {"action": "approve", "plan_id": "5"}, {"action": "restore", "node": 5}))))

    @staticmethod
    def draw_limits(r):
        return r.choice(({}, {"plans_per_window": r.choice((0, 1, 3))}, {"nodes_in_flight_per_knob": r.choice((1, 2))}, {"plans_per_window": 2, "nodes_in_flight_per_knob": 1}))

    def window(self, w, count):
        """Between two windows; count: records so far."""
        r, a = self.rnd, self.a
        while self.operator.random() < a.control_rate:
            self.emit("control", dict(self.command(w, count), by="ann@login1"))
        if self.gone and r.random() < .4:
            self.register(*self.gone.pop(), True, "back")
        if r.random() < a.restart_rate * 4:
            b, n = r.choice(self.bodies), r.choice(self.names)
            self.register(b, n, r.random() < .5, "reconnect or new process")
        if w > 4 and r.random() < a.restart_rate:           # the whole job: its windows begin anew, or jump
            self.offset = w - 1 if r.random() < .6 else self.offset - 9
            self.level.clear()
            for b in self.bodies:
                for n in self.names:
                    self.register(b, n, r.random() < .8, "restart of the job")
        if r.random() < a.unregister_rate:
            b = r.choice(self.bodies)
            body = {"namespace": b["namespace"], "function_name": b["function_name"], "unregister": True}
            every = r.random() < .7
            for n in self.names if every else [r.choice(self.names)]:
                key = (b["function_name"], n)
                if key in self.process:
                    self.emit("registration", dict(body, node=n, instance=self.process.pop(key)), "unregister")
            if r.random() < .2:
                self.emit("registration", body, "unregister")
            if every:
                self.gone += [(b, n) for n in self.names]
        if r.random() < a.conflict_rate:
            b = json.loads(json.dumps(r.choice(self.bodies)))
            b["function_name"] += ".other"
            if r.random() < .2 and isinstance(b["knobs"], list):
                b["knobs"] = b["knobs"] * 2
            if r.random() < .2:
                b["instance"] = 7
            self.emit("registration", b, "conflict")
        for _ in range(3):
            if r.random() < a.late_acks and count > 4:
                b = r.choice(self.bodies)
                ks = b["knobs"]
                kd = r.choice(ks if isinstance(ks, list) else list(ks.values()))
                ack = {"plan_id": "plan_%016x" % (r.randrange(max(0, count - 400), count + 2) << 16 | 32768 + r.randrange(4)), "knob_id": kd["id"],
                       "status": r.choice(("applied", "applied", "applied", "rejected")), "old_value": None,
                       "new_value": r.choice((kd["default"], kd["default"], 3, 0.5, "x", None, True)), "reason": ""}
                if r.random() < .7:
                    ack["target_nodes"] = r.choice(([], [r.choice(self.names)], [r.choice(self.names)]))
                self.emit("ack", ack, "late")

    def objective(self, node, w, name=None):
        r = self.rnd
        if r.random() >= self.a.objective_rate:
            return
        key = node if name is None else name
        x = self.level.setdefault(key, r.uniform(50, 200))
        self.goal.setdefault(key, r.choice(("max", "max", "min", None)))
        if r.random() < .12:
            self.level[key] = x = x * r.choice((.5, .8, 1.3, 2.0))
        b = {"node": key, "window_index": w - self.offset, "value": x * r.lognormvariate(0, .015), "goal": self.goal[key]}
        y = r.random()
        if y < .01:
            b["value"] = r.choice((float("nan"), "fast", None, True, "12.5", 0, -4))
        elif y < .02:
            b["goal"] = r.choice(("max", "min", "most", 1))
        elif y < .03:
            b.pop(r.choice(("value", "window_index", "node")))
        elif y < .04:
            b["window_index"] -= r.choice((1, 3))
        elif y < .05:
            b["node"], b["metrics"] = r.choice((None, 5, key)), r.choice(([], {}, {"mem_frac": .97}))
        self.emit("objective", b)

    def policy(self, r):
        sw = {}
        for k, vs in (("settle_windows", (0, 1, 2)), ("verify_windows", (2, 3, 6)), ("min_effect", (.02, .04, .1)), ("noise_z", (1.0, 2.0)),
                      ("backoff_windows", (0, 2, 4, 24)), ("release_windows", (0, 2, 3, 8)), ("ack_timeout_windows", (2, 4, 8)), ("inconclusive_steps", (1, 2, 4)),
                      ("inconclusive_factor", (2.0, 8.0)), ("pending_timeout_windows", (0, 0, 3)), ("suppression_ttl_windows", (0, 0, 5))):
            if r.random() < .6:
                sw[k] = r.choice(vs)
        p = {"switches": sw}
        if r.random() < .7:
            p["budgets"] = [{"name": "memory", "capacity": r.choice((20, 40, 120)), "terms": [{"factor": 1, "knobs": ["x.mem", "x.buf"]}, {"factor": .5, "knobs": ["x.buf"]}]},
                            {"name": "threads", "capacity": r.choice((8, 14)), "terms": [{"knobs": ["stormer.num_workers"]}, {"factor": .5, "knobs": ["dlio.read_threads"]}]}]
        if r.random() < .7:
            p["guards"] = [{"finding_type": "memory_pressure", "knobs": ["x.mem", "x.buf", "dlio.prefetch_size"]}, {"metric": "mem_frac", "above": .95}]
        if r.random() < .2:
            p["objective_metric"] = {"metric": "compute_frac", "goal": "max", "finding_types": ["fetch_pressure", "compute_dominance"]}
        if r.random() < .3:
            p["responses"] = {"tag:reader_parallelism": {"min_persistence": 1}, "*": {"min_severity": .3}}
        return p

    def first_policy(self):
        p = self.policy(self.rnd)
        if self.a.control_rate and self.operator.random() < .4:
            p["limits"] = self.limits = self.draw_limits(self.operator)
        return p


# ------------------------------------------------------------------ the log
