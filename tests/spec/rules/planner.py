"""The planner: registrations, findings, acks and plans of a global optimizer."""
import math
import re

from rules.base import (AsGiven, Bad, DEFAULT, END, Hosts, JOB, Knob, MAX_INSTANCES, Place, TAG_ROWS, field,
                        integer, is_num, number, typed)
from rules.command import Operator
from rules.control import Control
from rules.step import Steps


class Planner(Steps):
    def __init__(self, policy, assumed=False, overrides=None, budgets=None, guards=None, objective_metric=None, owns=None, limits=None, preset=None):
        self.p, self.assumed, self.overrides = policy, assumed, overrides or {}
        self.owns = owns or (lambda node: True)     # which nodes this rank decides; every rank decides the job
        self.hosts = Hosts() if policy["registration"] == "interpret" else AsGiven()
        self.homes = Hosts()    # nodes as registrations name them, which every rank is told
        self.knobs, self.by_tag = {}, {}
        self.current, self.node_val = {}, {}
        self.pending = {}       # (knob, node) -> dict(plan_id, event, severity, window, old, had)
        self.cool = {}          # (knob, node) -> (window, severity)
        self.supp = {}          # tag -> (window, severity, finding_type)
        self.seen = {}          # (knob, node) -> largest window evaluated
        self.settled = {}       # (knob, node) -> event number of the last plan that is settled
        self.instances = {}     # (namespace, function) -> node -> instances, oldest first
        self.registered = {}    # (knob, site) -> value of its first registration, or that of a new process
        self.control = Control(self, budgets or [], guards or [], objective_metric) if policy["effect"] != "severity" else None
        self.operator = Operator(self, limits, preset or DEFAULT, guards, objective_metric)

    def site(self, kid, node):
        """Where knob kid is decided when a finding, an ack or a process of this node speaks of it."""
        return node if self.p["scope"] == "carry" or self.knobs[kid].per_node else JOB

    def value(self, kid, node):
        return self.node_val.get((kid, node), self.current[kid]) if node else self.current[kid]

    def settle(self, key):
        """The plan in flight for key is settled."""
        e = self.pending.pop(key, None)
        if e:
            self.settled[key] = e["event"]
        return e

    # -- registrations
    def register(self, body, ev):
        if not isinstance(body, dict):
            raise Bad("invalid")
        strict = self.p["registration"] == "interpret"
        node = instance = ""
        owner, leaving = ("", ""), False
        if strict:
            node, instance = typed(body, "node", "", str), typed(body, "instance", "", str)
            owner = typed(body, "namespace", "", str), typed(body, "function_name", "", str)
            leaving = typed(body, "unregister", False, bool)
        if leaving:
            self._unregister(owner, node, instance, ev)
            return
        knobs = body.get("knobs", {})
        cur = body.get("current_values") or {}
        if not isinstance(knobs, (dict, list)) or not isinstance(cur, dict):
            raise Bad("invalid")
        items = [(k.get("id") if isinstance(k, dict) else None, k) for k in knobs] if isinstance(knobs, list) else list(knobs.items())
        new = []
        for param, d in items:
            if not isinstance(d, dict) or "id" not in d or "default" not in d:
                raise Bad("invalid")
            new.append((param, Knob(d, len(self.knobs), self.overrides, owner)))
        if strict and len({k.id for _, k in new}) < len(new):
            raise Bad("invalid")
        known = self.instances.setdefault(owner, {}).setdefault(self.homes.enter(node), []) if instance else []
        process = "" if not instance else "known" if instance in known else "new"
        for i, (param, k) in enumerate(new):
            old = self.knobs.get(k.id)
            if strict and self.p["reregister"] == "replace" and old and old.owner not in (owner, ("", "")) and not old.left:
                ev.row(i, JOB, "conflict", None, k.id, node)
                continue
            k.ordinal = old.ordinal if old else len(self.knobs)
            self.knobs[k.id] = k
            site = self.site(k.id, node)
            if site and self.owns(site):
                site = self.hosts.enter(site)
            if process == "new":
                self._withdraw((k.id, site), ev)
            if param in cur or k.id in cur or instance:
                value = cur[param] if param in cur else cur.get(k.id, k.default)
                if old and self.control:
                    self.control.registered(k.id, site, value, bool(node), process)
                if process == "new" or (k.id, site) not in self.registered:
                    self.registered[k.id, site] = value
                if site == JOB:
                    self.current[k.id] = value
                elif self.owns(site):
                    self.node_val[k.id, site] = value
            self.current.setdefault(k.id, k.default)
            self.registered.setdefault((k.id, JOB), self.current[k.id])
            if self.p["reregister"] == "replace":
                for lst in self.by_tag.values():
                    lst[:] = [e for e in lst if e[0] != k.id]
            for tag, r in k.responses.items():
                self.by_tag.setdefault(tag, []).append((k.id, r))
        if self.p["reregister"] == "replace":
            for lst in self.by_tag.values():
                lst.sort(key=lambda e: self.knobs[e[0]].ordinal)
        if process == "new":
            known.append(instance)
            del known[:-MAX_INSTANCES]

    def _unregister(self, owner, node, instance, ev):
        nodes = self.instances.setdefault(owner, {})
        node = self.homes.find(node)
        if instance:
            nodes[node] = [x for x in nodes.get(node, []) if x != instance]
        elif node:
            nodes[node] = []
        else:
            nodes.clear()
        if any(nodes.values()):
            return
        for k in self.knobs.values():
            if k.owner == owner and not k.left:
                k.left = True
                for key in [key for key in self.pending if key[0] == k.id]:
                    self._withdraw(key, ev)
                if self.control:
                    self.control.left(k.id)

    def _withdraw(self, key, ev):
        """The process that the plan was for is gone."""
        e = self.settle(key)
        if e:
            self._restore(key, e)
            ev.row(END, key[1], "withdrawn", None, *key, plan_id=e["plan_id"])

    # -- findings
    def finding(self, f, ev):
        try:
            if not isinstance(f, dict):
                raise Bad("invalid")
            sev = number(field(f, "severity_score", 0.0))
            pers = integer(field(f, "persistence", 0))
            win = integer(field(f, "window_index", 0))
            tags = typed(f, "opportunity_tags", [], list)
            sup = typed(f, "suppresses_tags", [], list)
            if any(not isinstance(t, str) for t in tags + sup):
                raise Bad("invalid")
            scope = typed(f, "scope", "", str)
            trend = typed(f, "trend_direction", "insufficient_data", str)
            ftype = typed(f, "finding_type", "", str)
            motif = typed(f, "motif", "unclassified", str)
            km = typed(f, "key_metrics", {}, dict)
        except Bad as e:
            ev.row(ev.own(JOB), JOB, e.verdict)
            return
        node = scope.split(":", 2)[1] if scope.startswith("node:") else JOB
        known = self.knobs or self.p["suppress_before_registration"]
        if known and node and self.owns(node):
            node = self.hosts.enter(node)
        c = dict(motif=motif, sev=sev, pers=pers, win=win, trend=trend, km=km, ftype=ftype, scope=scope, node=node, tags=tags, sup=sup, event=ev.number)
        if not known:
            ev.row(ev.own(node), node, "no_knobs")
            return
        if node and self._concerns_job(c):
            self._finding_at(JOB, node, c, ev)
        if not node or self.owns(node):
            self._finding_at(node, node, c, ev)

    def _concerns_job(self, c):
        """Is the finding of a node an event of the job's site too?"""
        if self.p["scope"] == "carry":
            return False
        if any(not self.knobs[kid].per_node for t in c["tags"] for kid, _ in self.by_tag.get(t, ())):
            return True
        return bool(self.control) and self.control.guards_job(c)

    def _finding_at(self, site, node, c, ev):
        """What one site makes of a finding; node: that of the finding."""
        own = site == node
        glob = c["scope"] in ("global", "global:global")
        if self.control:
            self.control.observe(site, own, c, ev)
        improving = c["trend"] == "improving" and not (self.control and self.control.site(site).adjustments)
        if own and improving:
            ev.row(ev.own(site), site, "trend")
            return
        if glob and c["sup"]:
            for t in c["sup"]:
                self.supp[t] = (c["win"], c["sev"], c["ftype"])
        elif glob:
            for t in [t for t, s in self.supp.items() if s[2] == c["ftype"]]:
                del self.supp[t]
        if not self.knobs:
            ev.row(ev.own(site), site, "no_knobs")
            return
        ttl, position = self.p["suppression_ttl_windows"], TAG_ROWS
        for tag in c["tags"]:
            s = self.supp.get(tag)
            if s and ttl and c["win"] - s[0] >= ttl:
                s = None
            responses = self.by_tag.get(tag, [])
            if s and not (node and c["sev"] > s[1]) and not (glob and self.p["global_exempt"]):
                verdict, responses = "suppressed", []
            else:
                verdict = "no_response"
            if not responses:
                if own:
                    ev.row(position, site, verdict, tag, None, site)
                position += 1
            for kid, r in responses:
                if self.site(kid, node) == site:
                    v = "trend" if improving else self._respond(kid, r, tag, site, c, ev, Place(ev, site, position))
                    ev.row(position, site, v, tag, kid, site, **c.pop("compared", {}))
                position += 1
        if self.control:
            self.control.opened(site)

    def _respond(self, kid, r, tag, site, c, ev, place):
        key, k = (kid, site), self.knobs[kid]
        self.seen[key] = max(self.seen.get(key, c["win"]), c["win"])
        if k.left:
            return "unregistered"
        mode = self.operator.mode(kid, tag)
        if mode == "off":
            return "off"
        if self.control and (stop := self.control.gate(kid, site, r, c, ev)):
            return stop
        pend = self.pending.get(key)
        if pend:
            to = self.p["pending_timeout_windows"]
            if not (to and c["win"] - pend["window"] >= to):
                return "pending"
            self._restore(key, pend)
            del self.pending[key]
        if self.operator.waits(key, mode, c):
            return "awaiting_approval"
        if c["sev"] < r["min_severity"]:
            return "severity"
        if c["pers"] < r["min_persistence"]:
            return "persistence"
        rec = self.cool.get(key)
        if rec:
            if c["win"] - rec[0] < r["cooldown_windows"]:
                return "cooldown_time"
            if not self.control and rec[1] > 0 and (rec[1] - c["sev"]) / rec[1] < r["effectiveness_threshold"]:
                return "cooldown_ineffective"
        old = self.value(kid, site)
        try:
            new = self._next(k, r, old, c)
            if self.control:
                new = self.control.grow(k, site, r, old, new)
        except Bad as e:
            return e.verdict
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            return "unsupported"
        if new is None:
            return "unsupported"
        if new == old and isinstance(new, str) == isinstance(old, str):
            return "no_change"
        if self.p["strict_direction"] and r["direction"] in ("increase", "decrease") and is_num(new) and is_num(old):
            if (new < old) if r["direction"] == "increase" else (new > old):
                return "no_change"
        if place.position is not None and place.position >= END:     # ids have no room for more
            return "unsupported"
        if self.control:
            if not self.control.room_for(kid, site):
                return "unsupported"
        if (stop := self.operator.holds(kid, site, c, old, new)):
            return stop
        if self.control:
            want, new = new, self.control.fit_budget(k, site, old, new)
            if new is None:
                return "budget" if mode == "advise" else self.control.trade(k, site, r, tag, c, old, want, ev, place, mode)
        if mode == "advise":
            return self.operator.propose(k, site, r, tag, c, old, new, ev, place)
        if self.control:
            self.control.demanded(kid, site, r, tag, c, old, new)
        self.make_plan(k, site, tag, c, r["apply_when"], old, new, ev, place.take(),
                       "%s: %s (severity=%.3f, persistence=%d, trend=%s, scope=%s) -> %s" % (
                           c["ftype"], c["motif"], c["sev"], c["pers"], c["trend"], c["scope"], tag), mode == "shadow")
        if mode == "shadow":
            c["compared"] = dict(value=new, threshold=old)
            return "would_plan"
        return "planned"

    def make_plan(self, k, site, tag, c, apply_when, old, new, ev, position, rationale, withheld=False):
        kid, key = k.id, (k.id, site)
        pid = "plan_%016x" % (ev.number << 16 | position)
        plan = dict(plan_id=pid, knob_id=kid, target_function=k.fn, old_value=old, new_value=new,
                    apply_when=apply_when, rationale=rationale,
                    finding_type=c["ftype"], severity=c["sev"], opportunity_tag=tag, window_index=c["win"],
                    target_nodes=[site] if site else [])
        had = key in self.node_val
        if site:
            self.node_val[key] = new
        else:
            self.current[kid] = new
        self.pending[key] = dict(plan_id=pid, event=ev.number, severity=c["sev"], window=c["win"], old=old, had=had)
        self.operator.count(c["win"])
        if withheld:                        # until the event is over
            ev.withheld.append(key)
            return
        if self.control and kid in self.control.site(site).adjustments:
            self.control.site(site).adjustments[kid].touched = True
        if self.assumed:
            self._applied(key, self.settle(key), None, c["win"])
            if self.control:
                self.control.answered(key, "applied", new, self.control.site(site).clock + 1)
        ev.plan(position, site, plan)

    def end(self, ev):
        """The event is over: plans that do not leave count as rejected at once."""
        for key in ev.withheld:
            e = self.settle(key)
            if e is None:
                continue
            window = self.control.changed_in(key[1], -1, e) if self.control else max(e["window"], self.seen.get(key, -1))
            self._restore(key, e)
            self.cool[key] = (window, 0.0)
            if self.control:
                self.control.answered(key, "rejected", None, window)

    # -- acks
    def _restore(self, key, e):
        kid, node = key
        if not node:
            self.current[kid] = e["old"]
        elif e["had"]:
            self.node_val[key] = e["old"]
        else:
            self.node_val.pop(key, None)

    def _applied(self, key, e, value, window):
        kid, node = key
        if value is not None:
            if node:
                self.node_val[key] = value
            else:
                self.current[kid] = value
        if not node and self.p["global_overrides_nodes"]:
            for other in [o for o in self.node_val if o[0] == kid]:
                del self.node_val[other]
        if window >= 0 and not self.control:
            self.cool[key] = (window, e["severity"])

    def ack(self, b, ev):
        """Returns the outcome."""
        pid, status = b.get("plan_id", ""), b.get("status", "unknown")
        nodes, kid = b.get("target_nodes") or [], b.get("knob_id", "")
        if self.p["ack_match"] == "plan_id":
            key = next((k for k, e in self.pending.items() if e["plan_id"] == pid), None)
        else:
            key = (kid, nodes[0] if nodes else "")
            if kid in self.knobs:
                key = (kid, self.site(*key))
            key = (kid, self.hosts.find(key[1]))
        e = self.settle(key)
        adopted = self.p["unmatched_ack"] == "adopt" and not self.assumed and self._adopt(b, ev)    # of no effect where the plan was just settled
        if e is None:
            return "adopted" if adopted else "unmatched"
        window = b.get("window_index", -1)
        window = -1 if window is None else window
        if self.control:
            window = self.control.changed_in(key[1], window, e)
        elif window < 0 and self.p["ack_window"] == "seen":
            window = max(e["window"], self.seen.get(key, -1))
        if status == "applied":
            self._applied(key, e, b.get("new_value"), window)
        elif status == "rejected":
            if self.p["reject"] == "previous":
                self._restore(key, e)
            elif key[1]:
                self.node_val.pop(key, None)
            elif b.get("old_value") is not None:
                self.current[key[0]] = b["old_value"]
            elif key[0] in self.knobs:
                self.current[key[0]] = self.knobs[key[0]].default
            if self.p["reject_cooldown"]:
                self.cool[key] = (window, 0.0)
        if self.control:
            self.control.answered(key, status, b.get("new_value"), window)
        return status if status in ("applied", "rejected") else "cleared"

    def _adopt(self, b, ev):
        """An ack of a plan that is no longer in flight for the (knob, target) that it names still tells what runs there."""
        pid, kid, new, nodes = (b.get(x) for x in ("plan_id", "knob_id", "new_value", "target_nodes"))
        k = self.knobs.get(kid) if isinstance(kid, str) else None
        if b.get("status") != "applied" or k is None or k.left or not isinstance(pid, str) or not re.fullmatch(r"plan_[0-9a-f]{16}", pid):
            return False
        legal = {"int": is_num, "float": is_num, "bool": lambda v: isinstance(v, bool), "str": lambda v: isinstance(v, str)}[k.type]
        if not legal(new) or is_num(new) and not math.isfinite(new):
            return False
        if nodes is None and (k.per_node or self.p["scope"] == "carry"):     # it does not say which node it speaks for
            return False
        site, made = self.site(kid, nodes[0] if nodes else JOB), int(pid[5:], 16) >> 16
        if made >= ev.number or site and not self.owns(site):
            return False
        site = self.hosts.enter(site) if site else JOB
        last = max(self.settled.get((kid, site), -1), self.pending.get((kid, site), {}).get("event", -1))
        if not last < made:
            return False
        old = self.value(kid, site)
        self._applied((kid, site), dict(severity=0.0), new, -1)
        self.settled[kid, site] = made
        ev.row(ev.own(site), site, "adopted", None, kid, site, value=new, threshold=old)
        if self.control:
            self.control.adopted(kid, site)
        return True

    def accept(self, k, new):
        """A value from outside as the knob can take it."""
        if self.p["enum_step"] == "neighbour" and k.values is not None:
            return self._neighbour(k, dict(direction="set", set_to=new), None, None)
        if self.p["strict_types"] and isinstance(new, (bool, str)) != (k.type in ("bool", "str")):
            raise Bad("unsupported")
        return self._clamp(k, new)

    # -- plans of the global optimizer
    def global_plan(self, b):
        """Returns (outcome, plan to relay or None)."""
        k = self.knobs.get(b.get("knob_id", ""))
        if k is None:
            return "unknown_knob", None
        nodes = b.get("target_nodes") or []
        try:
            new = self.accept(k, b.get("new_value"))
        except (Bad, TypeError, ValueError):
            return "wrong_value", None
        sev, win = b.get("severity", 0.0), b.get("window_index", -1)
        old = self.current[k.id]
        sites = nodes if self.p["global_overrides_nodes"] and (self.p["scope"] == "carry" or k.per_node) else []     # a knob of the job has one value
        if sites:
            sites = [self.hosts.enter(n) if self.owns(n) else n for n in sites]
            for n in sites:
                if self.owns(n):
                    self.node_val[k.id, n] = new
                    self.cool[k.id, n] = (win, sev)
        elif new == old:
            return "same_value", None
        else:
            if self.p["global_overrides_nodes"]:
                for o in [o for o in self.node_val if o[0] == k.id]:
                    del self.node_val[o]
            self.current[k.id] = new
            self.cool[k.id, JOB] = (win, sev)
        if self.control:
            self.control.relayed(sites)
        return "relayed", dict(plan_id=b.get("plan_id", ""), knob_id=k.id, target_function=b.get("target_function", ""),
                    old_value=old, new_value=new, apply_when=b.get("apply_when", "next_window"),
                    rationale=b.get("rationale", "global optimizer"), finding_type=b.get("finding_type", "global"),
                    severity=sev, opportunity_tag=b.get("opportunity_tag", ""), window_index=win, target_nodes=nodes)

    def final(self, state=False):
        out = dict(current_values=self.current, node_values=sorted([*k, v] for k, v in self.node_val.items()),
                   pending=sorted([*k, e["plan_id"], e["severity"]] for k, e in self.pending.items()),
                   suppressions={t: dict(window_index=s[0], severity=s[1], finding_type=s[2]) for t, s in sorted(self.supp.items())},
                   cooldown=sorted([*k, *r] for k, r in self.cool.items()))
        if state and self.control:
            out["sites"] = {n: s.state() for n, s in sorted(self.control.sites.items())}
        return out


# ------------------------------------------------------------------ control by effect
