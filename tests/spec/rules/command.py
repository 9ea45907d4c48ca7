"""Commands of an operator."""
import math
import re

from rules.base import Bad, DEFAULT, FIXED, JOB, MODES, RATE_WINDOWS, field, integer, same, typed
from rules.site import Move, Trial

COMMANDS = {"mode": ("target", "mode"), "approve": ("plan_id",), "reject": ("plan_id",), "freeze": ("until_window",), "thaw": (),
            "set": ("knob_id", "value", "node"), "restore": ("node",), "policy": ("policy", "check")}
POLICY_KEYS = ("switches", "responses", "budgets", "guards", "objective_metric", "limits")
LIMITS = ("plans_per_window", "nodes_in_flight_per_knob")
KNOWN_METRICS = ("fetch_frac", "fetch_iter_time_frac_parent", "compute_frac", "compute_time_frac_parent")


class Operator:
    """Commands of a person: who may plan what, and plans of their own."""
    def __init__(self, planner, limits, preset, guards, metric):
        self.pl, self.limits, self.preset = planner, limits, preset
        self.metrics = self.metrics_of(guards, metric)      # that are read from findings; known from the start
        self.modes = {}         # "*", "knob:ID" or "tag:NAME" -> mode
        self.until = None       # frozen before this window
        self.proposals = {}     # (knob, node) -> a plan that waits
        self.counts = {}        # window -> plans; the last windows that had any

    @staticmethod
    def metrics_of(guards, metric):
        return {g["metric"] for g in guards or [] if "metric" in g} | ({metric["metric"]} if metric else set())

    # -- what the planner asks
    def mode(self, kid, tag):
        """The most specific one counts."""
        return next((self.modes[t] for t in ("knob:" + kid, "tag:" + tag, "*") if t in self.modes), "auto")

    def frozen(self, win):
        return self.until is not None and win < self.until

    def waits(self, key, mode, c):
        """Does a proposal for the knob wait? One that nobody answered, or whose knob has moved on, does not."""
        e = self.proposals.get(key)
        if e and (mode != "advise" or self.expired(e, c["win"]) or not self.still(key, e)):
            del self.proposals[key]
            return False
        if e:
            c["compared"] = dict(value=e["new"], threshold=e["old"])
        return bool(e)

    def expired(self, e, win):
        limit = self.pl.p["approval_windows"]
        return limit > 0 and win - e["c"]["win"] >= limit

    def still(self, key, e):
        return same(self.pl.value(*key), e["old"])

    def holds(self, kid, site, c, old, new):
        """Why a plan that the gates let through is not made."""
        if self.frozen(c["win"]):
            c["compared"] = dict(value=new, threshold=old)
            return "frozen"
        full = self.rate(kid, site, c["win"])
        if full:
            c["compared"] = dict(value=full[0], threshold=full[1])
            return "rate"
        return None

    def rate(self, kid, site, win, plans=1):
        """(how many there are, how many may be) if the limits leave no room."""
        if not self.limits:
            return None
        most, n = self.limits.get("plans_per_window"), self.counts.get(win, 0)
        if most is not None and n + plans > most:
            return n, most
        most, n = self.limits.get("nodes_in_flight_per_knob"), sum(k == kid and node != JOB for k, node in self.pl.pending)
        if most is not None and site and n >= most:
            return n, most
        return None

    def count(self, win):
        if self.limits is None:
            return
        if win not in self.counts and len(self.counts) == RATE_WINDOWS:
            del self.counts[next(iter(self.counts))]
        self.counts[win] = self.counts.get(win, 0) + 1

    def propose(self, k, site, r, tag, c, old, new, ev, place):
        self.proposals[k.id, site] = dict(id=ev.number << 16 | place.take(), c={x: v for x, v in c.items() if x not in ("compared", "follow_up")},
                                          tag=tag, r=r, old=old, new=new, apply_when=r["apply_when"], direction=r["direction"])
        c["compared"] = dict(value=new, threshold=old)
        return "proposed"

    # -- commands
    def command(self, b, ev):
        """Returns the outcome. Raises Bad, if the command is none."""
        if not isinstance(b, dict):
            raise Bad("invalid")
        action = typed(b, "action", None, str)
        if action not in COMMANDS or any(k not in ("action", "by", "at") + COMMANDS[action] for k in b):
            raise Bad("invalid")
        by = typed(b, "by", "", str)
        typed(b, "at", "", str)
        return getattr(self, "set_mode" if action == "mode" else action)(b, by, ev)

    def set_mode(self, b, by, ev):
        target, mode = typed(b, "target", "*", str), typed(b, "mode", None, str)
        if mode not in MODES or target != "*" and not target.startswith(("tag:", "knob:")):
            raise Bad("invalid")
        if target.startswith("knob:") and target[5:] not in self.pl.knobs:
            return "unknown_knob"
        if target.startswith("tag:") and not self.pl.by_tag.get(target[4:]):
            return "unknown_tag"
        self.modes[target] = mode
        return "done"

    def plan_of(self, b):
        pid = typed(b, "plan_id", None, str)
        if not re.fullmatch(r"plan_[0-9a-f]{16}", pid):
            raise Bad("invalid")
        key = next((k for k, e in self.proposals.items() if e["id"] == int(pid[5:], 16)), None)
        if key is None or self.expired(self.proposals[key], self.clock(key)):
            return None
        return key

    def clock(self, key):
        """The window that runs where the knob is."""
        return self.pl.control.site(key[1]).clock if self.pl.control else self.pl.seen.get(key, -1)

    def freeze(self, b, by, ev):
        until = field(b, "until_window", None)
        self.until = math.inf if until is None else integer(until)
        return "done"

    def thaw(self, b, by, ev):
        self.until = None
        return "done"

    def reject(self, b, by, ev):
        key = self.plan_of(b)
        if key is None:
            return "unknown_plan"
        e = self.proposals.pop(key)
        self.pl.cool[key] = (max(e["c"]["win"], self.clock(key)) + (1 if self.pl.control else 0), 0.0)
        return "done"

    def approve(self, b, by, ev):
        key, control = self.plan_of(b), self.pl.control
        if key is None:
            return "unknown_plan"
        (kid, node), e = key, self.proposals[key]
        k, win = self.pl.knobs[kid], self.clock(key)
        win = win if win >= 0 else e["c"]["win"]
        if k.left or self.mode(kid, e["tag"]) != "advise" or not self.still(key, e) or key in self.pl.pending:
            return "unknown_plan"
        if control and control.busy(kid, node, win):
            return "trial"
        if self.rate(kid, node, win):
            return "rate"
        if control and (not control.room_for(kid, node) or control.fit_budget(k, node, e["old"], e["new"]) != e["new"]):
            return "budget"
        del self.proposals[key]
        c, position = dict(e["c"], win=win, event=ev.number), ev.own(node)
        ev.row(position, node, "approved", e["tag"], kid, node, value=e["new"], threshold=e["old"])
        if control:
            control.demanded(kid, node, e, e["tag"], c, e["old"], e["new"])
        self.pl.make_plan(k, node, e["tag"], c, e["apply_when"], e["old"], e["new"], ev, position,
                          "operator: approved plan_%016x by %s -> %s" % (e["id"], by, e["tag"]))
        if control:
            control.opened(node)
        return "done"

    def takes(self, k, node):
        """Does the knob have a value of its own there?"""
        return self.pl.p["scope"] == "carry" or k.per_node == bool(node)

    def set(self, b, by, ev):
        kid, value, node = typed(b, "knob_id", None, str), field(b, "value", None), typed(b, "node", "", str)
        if not isinstance(value, (bool, int, float, str)):
            raise Bad("invalid")
        k = self.pl.knobs.get(kid)
        if k is None:
            return "unknown_knob"
        if not self.takes(k, node):
            return "job_knob" if node else "needs_node"
        if k.left:
            return "unregistered"
        try:
            new = self.pl.accept(k, value)
        except (Bad, TypeError, ValueError, OverflowError):
            return "wrong_value"
        if not same(new, value):
            return "wrong_value"
        if node and not self.pl.owns(node):
            return "unknown_plan"           # another rank's
        if node and not self.pl.hosts.knows(node):
            return "unknown_node"
        node = self.pl.hosts.enter(node) if node else JOB
        control, key = self.pl.control, (kid, node)
        old = self.pl.value(*key)
        if same(new, old):
            return "same_value"
        if self.rate(kid, node, self.clock(key)):
            return "rate"
        if control and (not control.room_for(kid, node) or control.fit_budget(k, node, old, new) != new):
            return "budget"
        self.plans([(k, new)], node, "set", "operator: set by %s" % by, ev)
        return "done"

    def restore(self, b, by, ev):
        node = typed(b, "node", "", str)
        if node and not self.pl.owns(node):
            return "unknown_plan"
        if node and not self.pl.hosts.knows(node):
            return "unknown_node"
        node, back = self.pl.hosts.enter(node) if node else JOB, []
        for k in sorted(self.pl.knobs.values(), key=lambda k: k.ordinal):
            was = self.pl.registered.get((k.id, node), self.pl.registered[k.id, JOB])
            if self.takes(k, node) and not k.left and not same(self.pl.value(k.id, node), was):
                back.append((k, was))
        if not back:
            return "same_value"
        self.plans(back, node, "restored", "operator: restored by %s" % by, ev)
        return "done"

    def plans(self, values, node, verdict, why, ev):
        """Plans at one site, at once: what is on trial or in flight there is over. No effect is judged: it is the operator's will."""
        pl, control = self.pl, self.pl.control
        s = control and control.site(node)
        if s:
            control.drop(s, node, "void", s.clock, ev)
        for k, new in values:
            key = k.id, node
            e = pl.settle(key)
            if e:
                pl._applied(key, e, None, -1)
            old, win, position = pl.value(*key), self.clock(key), ev.own(node)
            c = dict(ftype="operator", motif="", sev=0.0, pers=0, win=win, trend="", scope="", km={}, node=node, tags=[], sup=[], event=ev.number)
            boundary = "next_window" if k.boundary is None else k.boundary
            ev.row(position, node, verdict, "", k.id, node, value=new, threshold=old)
            if s:
                s.trial = s.trial or Trial("rollback", win, c, ev.number)
                control.move(s, k.id, Move(old, new, "", boundary, "set"), c)
                a = s.adjustments[k.id]
                a.base = a.prev = a.anchor = new
                a.delta, a.proven, a.inconclusive = 0, False, 0
            pl.make_plan(k, node, "", c, boundary, old, new, ev, position, why)
        if s:
            s.reference = None
            control.opened(node)

    def policy(self, b, by, ev):
        given, check = typed(b, "policy", None, dict), typed(b, "check", False, bool)
        switches, limits = given.get("switches", {}), given.get("limits")
        if any(x not in POLICY_KEYS for x in given) or any(x not in DEFAULT for x in switches) or any(x not in LIMITS for x in limits or {}):
            raise Bad("invalid")
        pl, new = self.pl, {**self.preset, **switches}
        guards, metric = given.get("guards", []), given.get("objective_metric")
        if any(new[x] != pl.p[x] for x in FIXED) or (limits is None) != (self.limits is None):
            return "fixed"
        if self.metrics_of(guards, metric) - self.metrics - set(KNOWN_METRICS):
            return "metric"
        responses, budgets = given.get("responses") or {}, given.get("budgets", [])
        named = [t[5:] for t in responses if t.startswith("knob:")] + [k for g in budgets for t in g["terms"] for k in t["knobs"]] + [k for g in guards for k in g.get("knobs", [])]
        if any(k not in pl.knobs for k in named):
            return "unknown_knob"
        if any(not pl.by_tag.get(t[4:]) for t in responses if t.startswith("tag:")):
            return "unknown_tag"
        if check:
            return "done"
        pl.p.clear()
        pl.p.update(new)
        pl.overrides, self.limits = responses, limits
        for tag, entries in pl.by_tag.items():
            for kid, r in entries:
                pl.knobs[kid].override(tag, r, responses)
        if pl.control:
            pl.control.reform(budgets, guards, metric)
        return "done"


# ------------------------------------------------------------------ the program
