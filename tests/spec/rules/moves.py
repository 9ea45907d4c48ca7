"""Control by effect: what follows from a verdict, budgets, trades, releases and guards."""
import json
import math

from rules.base import Place, is_num, real
from rules.site import Move, Trial


class Moves:
    """A part of Control."""
    def close(self, s, node, t, v, win, ev, value, threshold, compared, why):
        self.row(ev, node, t, v, value, threshold, **compared)
        self.assume(s, node, t)
        s.trial, s.rest, single = None, win, len(t.moves) == 1 or t.kind == "trade"
        keep = v in ("improved", "inconclusive") or v == "neutral" and t.kind == "release"
        for kid, m in t.moves.items():
            a, gave = s.adjustments[kid], t.kind == "trade" and m.new < m.old
            if t.kind == "trade" and keep == gave:          # who gave must not ask for it back; who gained nothing must not ask again
                self.back_off(s, kid, "trade", win)
            if keep:
                a.prev = m.old
                a.delta = abs(m.new - m.old) if is_num(m.old) and is_num(m.new) and t.kind != "trade" else 0
                if v == "inconclusive":
                    a.anchor = a.anchor if a.inconclusive else m.old
                    a.inconclusive += 1
                    if a.hurt or a.inconclusive >= self.p["inconclusive_steps"] or self.far(a.anchor, m.new):
                        self.back_off(s, kid, m.direction, win)
                elif v == "improved" and single and not gave:
                    a.proven = True
                    s.backoffs.pop((kid, m.direction), None)
            else:
                a.delta = 0
                a.hurt = a.hurt or t.kind == "demand" and single and v == "worse"
                if single and t.kind != "trade":
                    self.back_off(s, kid, m.direction, win)
                    a.proven = a.proven or t.kind == "release"
        if not keep:
            s.isolate = s.isolate or not single
            self.roll_back(s, node, t, win, ev, why)
        elif v == "improved" and t.base:
            self.follow_up(s, node, t, win, ev)

    def far(self, anchor, new):
        """Has the knob gone as far as steps may take it whose effect cannot be seen?"""
        F = self.p["inconclusive_factor"]
        return is_num(anchor) and is_num(new) and anchor > 0 and (new >= F * anchor or F * new <= anchor)

    def roll_back(self, s, node, t, win, ev, why):
        """The values before the trial, by ordinary plans."""
        u = Trial("rollback", win, t.c, ev.number)
        for kid, m in reversed(list(t.moves.items())):
            now, k = self.pl.value(kid, node), self.pl.knobs[kid]
            if now != m.new or now == m.old or (kid, node) in self.pl.pending or k.left:
                continue
            s.trial, position = u, ev.own(node)
            u.moves[kid] = Move(now, m.old, m.tag, m.apply_when, m.direction)
            ev.row(position, node, "rollback", m.tag, kid, node, value=m.old, threshold=now)
            self.pl.make_plan(k, node, m.tag, dict(t.c, win=win), m.apply_when, now, m.old, ev, position, "rollback: %s -> %s" % (why, m.tag))
        self.opened(node)

    def follow_up(self, s, node, t, win, ev):
        """It helped: the next step at once."""
        for kid, m in list(t.moves.items()):
            r = next((r for k, r in self.pl.by_tag.get(m.tag, []) if k == kid), None)
            if r and m.tag not in self.pl.supp and not (t.kind == "trade" and m.new < m.old):
                place, c = Place(ev, node), dict(t.c, win=win, event=ev.number, follow_up=True)
                v = self.pl._respond(kid, r, m.tag, node, c, ev, place)
                ev.row(place.take(), node, v, m.tag, kid, node, **c.pop("compared", {}))
        self.opened(node)

    # -- budgets
    def cost(self, b, node, skip):
        """(fixed part, what one unit of knob `skip` adds); while a plan is in flight a knob counts with the larger of old and new."""
        fixed = slope = 0.0
        for term in b["terms"]:
            x = term.get("factor", 1.0)
            for kid in term["knobs"]:
                if kid != skip:
                    k = self.pl.knobs.get(kid)
                    v = self.pl.value(kid, node) if k and not k.left else 0
                    e = k and self.pl.pending.get((kid, self.pl.site(kid, node)))
                    v = max(v, e["old"]) if e and is_num(v) and is_num(e["old"]) else v
                    x *= v if is_num(v) else 0
            if skip in term["knobs"]:
                slope += x
            else:
                fixed += x
        return fixed, slope

    def fit_budget(self, k, node, old, new):
        """The value nearest to new that every budget allows; None: not even one step."""
        if not is_num(old) or not is_num(new) or new <= old:
            return new
        for b in self.budgets:
            fixed, slope = self.cost(b, node, k.id)
            if slope <= 0 or fixed + slope * new <= b["capacity"]:
                continue
            room = (b["capacity"] - fixed) / slope
            if k.values is not None:
                new = max([v for v in k.values if is_num(v) and old < v <= room and v <= new], default=old)
            else:
                new = math.floor(room) if k.type == "int" else room
            if new <= old:
                return None
        return new

    def trade(self, k, node, r, tag, c, old, want, ev, place, mode):
        """No room for k: another adjusted knob of the same budget gives up half of what it has above the bottom of its range,
        and k takes what that frees; both are judged as one."""
        s = self.site(node)
        if s.trial or not self.has_objective(s) or self.closed(s, k.id, "trade", c["win"]) or self.pl.operator.rate(k.id, node, c["win"], 2):
            return "budget"
        for b in self.budgets:
            for kid in sorted(s.adjustments, key=lambda x: self.pl.knobs[x].ordinal):
                ko = self.pl.knobs[kid]
                if kid == k.id or ko.left or not any(kid in t["knobs"] for t in b["terms"]) or not any(k.id in t["knobs"] for t in b["terms"]):
                    continue
                now, a = self.pl.value(kid, node), s.adjustments[kid]
                if self.pl.operator.mode(kid, a.tag) != mode or self.pl.operator.rate(kid, node, c["win"]):
                    continue
                low = min(now, a.base, ko.range[0] if ko.range else a.base) if is_num(now) and is_num(a.base) else now
                less = self.step_down(ko, low, now, (now - low) / 2) if low != now else now
                if less == now or (kid, node) in self.pl.pending:
                    continue
                key, had = (kid, node), (kid, node) in self.pl.node_val
                if node:
                    self.pl.node_val[key] = less
                else:
                    self.pl.current[kid] = less
                new = self.fit_budget(k, node, old, k.range[1] if k.range and k.values is None else want)       # all that is freed
                self.pl._restore(key, dict(old=now, had=had))
                if new is None:
                    continue
                self.open(s, "trade", c["win"], c, ev.number)
                why = "trade: %s %s -> %s makes room for %s %s -> %s -> %s" % (kid, json.dumps(now), json.dumps(less), k.id, json.dumps(old), json.dumps(new), tag)
                position = ev.own(node)
                verdict = "would_plan" if mode == "shadow" else "trade"
                ev.row(position, node, verdict, a.tag, kid, node, value=less, threshold=now)
                self.move(s, kid, Move(now, less, a.tag, a.apply_when, "trade"), c)
                self.pl.make_plan(ko, node, a.tag, c, a.apply_when, now, less, ev, position, why, mode == "shadow")
                self.move(s, k.id, Move(old, new, tag, r["apply_when"], "trade"), c)
                self.pl.make_plan(k, node, tag, c, r["apply_when"], old, new, ev, place.take(), why, mode == "shadow")
                c["compared"] = dict(value=new, threshold=old)
                return verdict
        return "budget"

    # -- releasing what is not needed
    def step_down(self, k, low, now, by):
        """`by` less, but not below low."""
        if k.values is not None and now in k.values and low in k.values:
            i, j = k.values.index(now), k.values.index(low)
            return k.values[i - 1] if i > j else now
        if not is_num(now) or not is_num(low):
            return low
        if now <= low:
            return now
        return max(low, now - max(1, int(by)) if k.type == "int" else now - by)

    def release(self, s, node, win, ev):
        """A quarter of what was added, of one knob that no trial has shown to be needed."""
        G, B = self.p["release_windows"], self.p["backoff_windows"]
        if not G or s.trial or node and self.job_tries() or not self.has_objective(s) or B and win % B:
            return
        if len(self.values(s, s.since)) < 3 or s.clock - s.rest < G or self.pl.operator.frozen(win):
            return
        for kid in sorted(s.adjustments, key=lambda x: self.pl.knobs[x].ordinal):
            a, k, now = s.adjustments[kid], self.pl.knobs[kid], self.pl.value(kid, node)
            if a.proven or k.left or (kid, node) in self.pl.pending or self.closed(s, kid, "release", win):
                continue
            mode = self.pl.operator.mode(kid, a.tag)
            if mode in ("off", "advise") or self.pl.operator.rate(kid, node, win):
                continue
            new = self.step_down(k, a.base, now, (now - a.base) / 4 if is_num(now) and is_num(a.base) else 0)
            if new == now:
                continue
            self.open(s, "release", win, a.c, ev.number)
            position, shadow = ev.own(node), mode == "shadow"
            self.move(s, kid, Move(now, new, a.tag, a.apply_when, "release"), a.c)
            ev.row(position, node, "would_plan" if shadow else "release", a.tag, kid, node, value=new, threshold=now)
            self.pl.make_plan(k, node, a.tag, dict(a.c, win=win), a.apply_when, now, new, ev, position, "release: not shown to be needed -> %s" % a.tag, shadow)
            self.opened(node)
            return

    # -- guards
    def match(self, g, ftype, km):
        """(does the guard match?, its metric)"""
        x = real(km.get(g["metric"])) if "metric" in g else None
        return g.get("finding_type", ftype) == ftype and ("metric" not in g or x is not None and x > g["above"]), x

    def guards_job(self, c):
        """Does a guard match, and is there a knob of the job that it could take back?"""
        return any(self.match(g, c["ftype"], c["km"])[0] and any(not k.per_node for k in self.pl.knobs.values()) for g in self.guards)

    def check_guards(self, s, node, ftype, km, win, ev):
        for g in self.guards:
            hit, x = self.match(g, ftype, km)
            if hit:
                self.guard(s, node, x, g.get("above"), g.get("knobs"), win, ev)
                return

    def guard(self, s, node, x, above, only, win, ev):
        t = s.trial
        if t and (t.kind in ("rollback", "release") or win < t.effect) or win < s.since - self.p["settle_windows"]:
            return                          # the last step back is still on its way
        if not t:
            t = Trial("demand", win, None, None)
            for kid, a in s.adjustments.items():
                if not a.touched and self.pl.operator.mode(kid, a.tag) == "shadow":
                    continue                # nothing of it has left
                now, to = self.pl.value(kid, node), a.prev
                to = a.base if not is_num(to) or not is_num(now) or to >= now else to
                if is_num(now) and is_num(to) and to < now and (only is None or kid in only) and not self.pl.knobs[kid].left:
                    t.moves[kid], t.c, a.prev = Move(to, now, a.tag, a.apply_when, "increase", True), a.c, a.base
        for kid in t.moves:
            self.back_off(s, kid, "increase", win)
            s.adjustments[kid].delta = 0
        if t.moves:
            s.isolate = s.isolate or len(t.moves) > 1
            self.row(ev, node, t, "guard", x, above)
            self.assume(s, node, t)
            s.trial = None
            self.roll_back(s, node, t, win, ev, "guard")


# ------------------------------------------------------------------ the operator
