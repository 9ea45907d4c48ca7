#!/usr/bin/env python3
"""Executable specification of the planner (docs/planner.md says the same in words).

usage: model.py LOG.jsonl [--upstream] [--acks explicit|assumed] [--policy FILE-OR-JSON] [-o OUT] [--decisions]

LOG: one {"stream": "finding|registration|ack|global_plan", "body": {...}} per line, or bare findings.
OUT: {"event": i, "plan": {...}} / {"event": i, "relay": {...}} / with --decisions also
     {"event": i, "tag": t, "knob_id": k, "node": n, "verdict": v}; last {"final": {...}}.
Plan ids are plan_%016x of (event index << 16 | plan number within the event): the same for any
number of ranks.  --close-loop LAG answers every plan LAG windows later and ignores the acks of LOG;
--ack-shape full adds window_index and target_nodes to the six keys that applications send (context);
--emit-log F writes LOG with these acks in place.
"""
import argparse
import json
import math
import os
import re
import sys

DEFAULT = dict(ack_match="plan_id", ack_window="seen", reject="previous", reject_cooldown=True,
               reregister="replace", enum_step="neighbour", global_exempt=True, strict_direction=True,
               strict_types=True, global_overrides_nodes=True, suppress_before_registration=True,
               evidence_probe=True, pending_timeout_windows=0, suppression_ttl_windows=0)
UPSTREAM = dict(ack_match="knob_node", ack_window="none", reject="upstream", reject_cooldown=False,
                reregister="append", enum_step="upstream", global_exempt=False, strict_direction=False,
                strict_types=False, global_overrides_nodes=False, suppress_before_registration=False,
                evidence_probe=True, pending_timeout_windows=0, suppression_ttl_windows=0)
CASTS = {"int": int, "float": float, "str": str, "bool": bool}


class Bad(Exception):
    """This input or this response cannot be computed."""
    def __init__(self, verdict):
        super().__init__(verdict)
        self.verdict = verdict


def is_num(v):
    return isinstance(v, (int, float)) and not isinstance(v, bool)


JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def real(v):
    """A number, boolean or string that holds a JSON number, as a finite float; else None."""
    if isinstance(v, str):
        v = float(v) if JSON_NUMBER.fullmatch(v) else None
    try:
        return float(v) if isinstance(v, (int, float)) and math.isfinite(v) else None
    except OverflowError:
        return None


def number(v):
    v = real(v)
    if v is None:
        raise Bad("invalid")
    return v


def field(f, name, default):
    """null means missing"""
    v = f.get(name)
    return default if v is None else v


def typed(f, name, default, kind):
    v = field(f, name, default)
    if not isinstance(v, kind):
        raise Bad("invalid")
    return v


def integer(v):
    if isinstance(v, bool) or not isinstance(v, (int, float)) or not abs(v) <= 2 ** 53 or v != int(v):
        raise Bad("invalid")
    return int(v)


class Knob:
    def __init__(self, d, ordinal, overrides=None):
        self.id, self.default, self.ordinal = d["id"], d["default"], ordinal
        self.type = d.get("type") if d.get("type") in CASTS else "int"
        self.range = tuple(d["range"]) if d.get("range") else None
        self.values = d.get("values")
        self.fn = d.get("target_function", "")
        rt = d.get("responds_to")
        if rt is None:
            rt = {"io_bottleneck": d["knob_response"]} if "knob_response" in d else {}
        self.responses = {}
        for tag, s in rt.items():
            r = dict(direction="increase", step=None, step_mode="add", set_to=None, min_severity=0.5,
                     min_persistence=2, cooldown_windows=3, apply_when="epoch_boundary", effectiveness_threshold=0.10)
            r.update({k: v for k, v in s.items() if k in r})
            for which in ("*", "tag:" + tag, "knob:" + self.id):
                r.update({k: v for k, v in (overrides or {}).get(which, {}).items() if k in r})
            self.responses[tag] = r


class Planner:
    def __init__(self, policy, assumed, overrides=None):
        self.p, self.assumed, self.overrides = policy, assumed, overrides or {}
        self.knobs, self.by_tag = {}, {}
        self.current, self.node_val = {}, {}
        self.pending = {}       # (knob, node) -> dict(plan_id, severity, window, old, had)
        self.cool = {}          # (knob, node) -> (window, severity)
        self.supp = {}          # tag -> (window, severity, finding_type)
        self.seen = {}          # (knob, node) -> largest window evaluated
        self.decisions = []

    # -- registration
    def register(self, body):
        knobs = body.get("knobs", {})
        cur = body.get("current_values") or {}
        items = [(k.get("id"), k) for k in knobs] if isinstance(knobs, list) else list(knobs.items())
        new = []
        for param, d in items:
            if not isinstance(d, dict) or "id" not in d or "default" not in d:
                raise Bad("invalid")
            new.append((param, Knob(d, len(self.knobs), self.overrides)))
        for param, k in new:
            old = self.knobs.get(k.id)
            k.ordinal = old.ordinal if old else len(self.knobs)
            self.knobs[k.id] = k
            if param in cur:
                self.current[k.id] = cur[param]
            elif k.id in cur:
                self.current[k.id] = cur[k.id]
            else:
                self.current.setdefault(k.id, k.default)
            if self.p["reregister"] == "replace":
                for lst in self.by_tag.values():
                    lst[:] = [e for e in lst if e[0] != k.id]
            for tag, r in k.responses.items():
                self.by_tag.setdefault(tag, []).append((k.id, r))
        if self.p["reregister"] == "replace":
            for lst in self.by_tag.values():
                lst.sort(key=lambda e: self.knobs[e[0]].ordinal)

    # -- findings
    def finding(self, f, event):
        plans = []

        def verdict(v, tag=None, knob=None, node=""):
            self.decisions.append(dict(event=event, tag=tag, knob_id=knob, node=node, verdict=v))
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
            verdict(e.verdict)
            return plans
        ctx = dict(motif=motif, sev=sev, pers=pers, win=win, trend=trend, km=km, ftype=ftype, scope=scope)
        if not self.knobs and not self.p["suppress_before_registration"]:
            verdict("no_knobs")
            return plans
        glob = scope in ("global", "global:global")
        if trend == "improving":
            verdict("trend")
            return plans
        node = scope.split(":", 2)[1] if scope.startswith("node:") else ""
        if glob and sup:
            for t in sup:
                self.supp[t] = (win, sev, ftype)
        elif glob:
            for t in [t for t, s in self.supp.items() if s[2] == ftype]:
                del self.supp[t]
        if not self.knobs:
            verdict("no_knobs")
            return plans
        ttl = self.p["suppression_ttl_windows"]
        for tag in tags:
            s = self.supp.get(tag)
            if s and ttl and win - s[0] >= ttl:
                s = None
            if s and not (node and not glob and sev > s[1]) and not (glob and self.p["global_exempt"]):
                verdict("suppressed", tag, None, node)
                continue
            responses = self.by_tag.get(tag, [])
            if not responses:
                verdict("no_response", tag, None, node)
            for kid, r in responses:
                v = self._respond(kid, r, tag, node, ctx, plans, event)
                verdict(v, tag, kid, node)
        return plans

    def _respond(self, kid, r, tag, node, c, plans, event):
        key = (kid, node)
        self.seen[key] = max(self.seen.get(key, c["win"]), c["win"])
        pend = self.pending.get(key)
        if pend:
            to = self.p["pending_timeout_windows"]
            if not (to and c["win"] - pend["window"] >= to):
                return "pending"
            self._restore(key, pend)
            del self.pending[key]
        if c["sev"] < r["min_severity"]:
            return "severity"
        if c["pers"] < r["min_persistence"]:
            return "persistence"
        rec = self.cool.get(key)
        if rec:
            if c["win"] - rec[0] < r["cooldown_windows"]:
                return "cooldown_time"
            if rec[1] > 0 and (rec[1] - c["sev"]) / rec[1] < r["effectiveness_threshold"]:
                return "cooldown_ineffective"
        k = self.knobs[kid]
        old = self.node_val.get(key, self.current[kid]) if node else self.current[kid]
        try:
            new = self._next(k, r, old, c)
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
        pid = "plan_%016x" % (event << 16 | len(plans))
        plan = dict(plan_id=pid, knob_id=kid, target_function=k.fn, old_value=old, new_value=new,
                    apply_when=r["apply_when"],
                    rationale="%s: %s (severity=%.3f, persistence=%d, trend=%s, scope=%s) -> %s" % (
                        c["ftype"], c["motif"], c["sev"], c["pers"], c["trend"], c["scope"], tag),
                    finding_type=c["ftype"], severity=c["sev"], opportunity_tag=tag, window_index=c["win"],
                    target_nodes=[node] if node else [])
        had = key in self.node_val
        if node:
            self.node_val[key] = new
        else:
            self.current[kid] = new
        self.pending[key] = dict(plan_id=pid, severity=c["sev"], window=c["win"], old=old, had=had)
        if self.assumed:
            self._applied(key, self.pending.pop(key), None, c["win"])
        plans.append(plan)
        return "planned"

    # -- arithmetic
    def _next(self, k, r, old, c):
        d, mode, strict = r["direction"], r["step_mode"], self.p["strict_types"]
        if strict and k.type in ("bool", "str") and d != "set":
            raise Bad("unsupported")
        if strict and d != "set" and k.type in ("int", "float") and not is_num(old):
            raise Bad("unsupported")
        if k.values is not None and self.p["enum_step"] == "neighbour":
            return self._neighbour(k, r, old, c)
        if d == "set":
            new = r["set_to"]
            if strict and not {"int": is_num, "float": is_num, "bool": lambda v: isinstance(v, bool),
                               "str": lambda v: isinstance(v, str)}[k.type](new):
                raise Bad("unsupported")
        elif mode == "evidence":
            new = self._evidence(old, c, d)
        elif d in ("increase", "decrease"):
            if mode == "multiply":
                new = max(old * r["step"], old + 1) if d == "increase" else old // r["step"]
            else:
                delta = self._delta(k, r["step"], c)
                new = old + delta if d == "increase" else old - delta
        else:
            raise Bad("unsupported")
        return self._clamp(k, new)

    def _neighbour(self, k, r, old, c):
        vals, d = k.values, r["direction"]
        same = lambda a, b: a == b and isinstance(a, bool) == isinstance(b, bool)
        if d == "set":
            for v in vals:
                if same(v, r["set_to"]):
                    return v
            raise Bad("unsupported")
        if d not in ("increase", "decrease"):
            raise Bad("unsupported")
        at = next((i for i, v in enumerate(vals) if same(v, old)), None)
        if at is None:
            at = next((i for i, v in enumerate(vals) if same(v, k.default)), None)
        if at is None:
            raise Bad("unsupported")
        if r["step_mode"] == "evidence":
            want = self._evidence(old, c, d)
            if any(not is_num(v) for v in vals):
                raise Bad("unsupported")
            if d == "increase":
                fit = [v for v in vals if v >= want]
                return fit[0] if fit else vals[-1]
            fit = [v for v in vals if v <= want]
            return fit[-1] if fit else vals[0]
        at += 1 if d == "increase" else -1
        return vals[at] if 0 <= at < len(vals) else old

    def _delta(self, k, step, c):
        scaled = step * ((0.5 + 0.5 * c["sev"]) * (0.5 if c["trend"] == "stable" else 1.0))
        if k.type == "int":
            return 0 if scaled <= 0 else 1 if scaled < 1 else int(scaled)
        return CASTS[k.type](scaled)

    def _evidence(self, old, c, d):
        km = c["km"]

        def metric(*names):
            for n in names:
                if km.get(n) is not None:
                    v = real(km[n])
                    if v is None and not self.p["strict_types"]:
                        raise Bad("unsupported")
                    return v
            return None
        fetch = metric("fetch_frac", "fetch_iter_time_frac_parent")
        comp = metric("compute_frac", "compute_time_frac_parent")
        if fetch is None:
            if d == "decrease" and self.p["strict_direction"]:
                raise Bad("no_evidence")
            return max(old * 2, old + 1)
        comp = 1.0 - fetch if comp is None else comp
        if fetch <= 0.05:
            return old
        comp = max(comp, 0.01)
        target = max(int(fetch / comp), 1)
        if d == "increase":
            if target > old:
                return target
            return old + 1 if fetch > 0.20 and self.p["evidence_probe"] else old
        if d == "decrease":
            return target if comp > fetch else old
        if self.p["strict_types"]:
            raise Bad("unsupported")
        return max(old * 2, old + 1)

    def _clamp(self, k, v):
        if k.values is not None:
            return v if v in k.values else k.default
        if k.range is not None:
            lo, hi = k.range
            if self.p["strict_types"] and k.type == "int":
                lo, hi = math.ceil(lo), math.floor(hi)
            v = max(lo, min(hi, v))
        v = CASTS[k.type](v)
        if k.type == "int" and not -2 ** 63 <= v < 2 ** 63 or k.type == "float" and not math.isfinite(v):
            raise Bad("unsupported")
        return v

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
        if window >= 0:
            self.cool[key] = (window, e["severity"])

    def ack(self, b):
        pid, status = b.get("plan_id", ""), b.get("status", "unknown")
        nodes, kid = b.get("target_nodes") or [], b.get("knob_id", "")
        if self.p["ack_match"] == "plan_id":
            key = next((k for k, e in self.pending.items() if e["plan_id"] == pid), None)
        else:
            key = (kid, nodes[0] if nodes else "")
        e = self.pending.pop(key, None)
        if e is None:
            return "unmatched"
        window = b.get("window_index", -1)
        window = -1 if window is None else window
        if window < 0 and self.p["ack_window"] == "seen":
            window = max(e["window"], self.seen[key])
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
        return status

    # -- plans of the global optimizer
    def global_plan(self, b):
        k = self.knobs.get(b.get("knob_id", ""))
        if k is None:
            return None
        nodes = b.get("target_nodes") or []
        try:
            new = b.get("new_value")
            if self.p["enum_step"] == "neighbour" and k.values is not None:
                new = self._neighbour(k, dict(direction="set", set_to=new), None, None)
            else:
                if self.p["strict_types"] and isinstance(new, (bool, str)) != (k.type in ("bool", "str")):
                    return None
                new = self._clamp(k, new)
        except (Bad, TypeError, ValueError):
            return None
        sev, win = b.get("severity", 0.0), b.get("window_index", -1)
        old = self.current[k.id]
        if nodes and self.p["global_overrides_nodes"]:
            for n in nodes:
                self.node_val[k.id, n] = new
                self.cool[k.id, n] = (win, sev)
        elif new == old:
            return None
        else:
            if self.p["global_overrides_nodes"]:
                for o in [o for o in self.node_val if o[0] == k.id]:
                    del self.node_val[o]
            self.current[k.id] = new
            self.cool[k.id, ""] = (win, sev)
        return dict(plan_id=b.get("plan_id", ""), knob_id=k.id, target_function=b.get("target_function", ""),
                    old_value=old, new_value=new, apply_when=b.get("apply_when", "next_window"),
                    rationale=b.get("rationale", "global optimizer"), finding_type=b.get("finding_type", "global"),
                    severity=sev, opportunity_tag=b.get("opportunity_tag", ""), window_index=win, target_nodes=nodes)

    def final(self):
        return dict(current_values=self.current, node_values=sorted([*k, v] for k, v in self.node_val.items()),
                    pending=sorted([*k, e["plan_id"], e["severity"]] for k, e in self.pending.items()),
                    suppressions={t: dict(window_index=s[0], severity=s[1], finding_type=s[2]) for t, s in sorted(self.supp.items())},
                    cooldown=sorted([*k, *r] for k, r in self.cool.items()))


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ap.add_argument("log")
    ap.add_argument("-o", default="-")
    ap.add_argument("--upstream", action="store_true")
    ap.add_argument("--acks", choices=("explicit", "assumed"), default="explicit")
    ap.add_argument("--policy", default="{}")
    ap.add_argument("--decisions", action="store_true")
    ap.add_argument("--relay-hostname", default="", help="ignore global plans that target other hosts only")
    ap.add_argument("--close-loop", type=int, default=0)
    ap.add_argument("--ack-shape", default="full", choices=("full", "context"))
    ap.add_argument("--reject-every", type=int, default=0)
    ap.add_argument("--emit-log")
    a = ap.parse_args()
    policy = dict(UPSTREAM if a.upstream else DEFAULT)
    given = json.loads(open(a.policy).read() if os.path.exists(a.policy) else a.policy)
    policy.update(given.get("switches", {}))
    p = Planner(policy, a.acks == "assumed", given.get("responses"))
    out = sys.stdout if a.o == "-" else open(a.o, "w", encoding="utf-8")
    new = open(a.emit_log, "w", encoding="utf-8") if a.emit_log else None
    state = dict(i=-1, plans=0, window=0)
    due = {}

    def put(**k):
        out.write(json.dumps(k) + "\n")

    def play(rec):
        state["i"] += 1
        i = state["i"]
        if new:
            new.write(json.dumps(rec) + "\n")
        kind, b = (rec["stream"], rec["body"]) if isinstance(rec, dict) and "stream" in rec else ("finding", rec)
        if kind == "registration":
            try:
                p.register(b)
            except Bad:
                put(event=i, error="invalid_registration")
        elif kind == "ack":
            p.ack(b)
        elif kind == "global_plan":
            away = a.relay_hostname and b.get("target_nodes") and a.relay_hostname not in b["target_nodes"]
            r = None if away else p.global_plan(b)
            if r:
                put(event=i, relay=r)
        else:
            p.decisions = []
            for plan in p.finding(b, i):
                put(event=i, plan=plan)
                state["plans"] += 1
                if a.close_loop:
                    bad = a.reject_every and state["plans"] % a.reject_every == 0
                    ack = dict(plan_id=plan["plan_id"], knob_id=plan["knob_id"], status="rejected" if bad else "applied",
                               old_value=None if bad else plan["old_value"], new_value=None if bad else plan["new_value"], reason="")
                    if a.ack_shape == "full":
                        ack.update(window_index=state["window"] + a.close_loop, target_nodes=plan["target_nodes"])
                    due.setdefault(state["window"] + a.close_loop, []).append(dict(stream="ack", body=ack))
            if a.decisions:
                for d in p.decisions:
                    put(**d)
    for line in open(a.log, "rb"):
        if not line.strip():
            continue
        try:
            rec = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            rec = None
        if not isinstance(rec, dict):       # takes a number all the same
            state["i"] += 1
            if new:
                new.write(line.decode("utf-8", "replace"))
            if a.decisions:
                put(event=state["i"], tag=None, knob_id=None, node="", verdict="invalid")
            continue
        if a.close_loop and rec.get("stream") == "ack":
            continue
        if a.close_loop:
            w = rec.get("body", rec).get("window_index")
            if rec.get("stream", "finding") == "finding" and isinstance(w, (int, float)) and w > state["window"]:
                state["window"] = int(w)
                for key in sorted(x for x in due if x <= state["window"]):
                    for r in due.pop(key):
                        play(r)
        play(rec)
    put(final=p.final())
    print("events=%d plans=%d" % (state["i"] + 1, state["plans"]), file=sys.stderr)


if __name__ == "__main__":
    main()
