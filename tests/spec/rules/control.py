"""Control by effect: sites, trials, and how they are judged."""
import math

from rules.base import (Bad, FINDING_WINDOWS, JOB, MAX_ADJUSTMENTS, RING, field, integer, is_num, median,
                        number, real, typed)
from rules.moves import Moves
from rules.site import Adjustment, Move, Site, Trial


class Control(Moves):
    def __init__(self, planner, budgets, guards, metric):
        self.pl, self.p, self.budgets, self.guards, self.metric = planner, planner.p, budgets, guards, metric
        self.guarded = {k for g in guards for k in g.get("knobs", [])}
        self.sites = {}
        self.generation = 0         # registrations that may mean a restart of the whole job
        self.job_change = (0, -1)   # (number, since) of job-wide changes

    def reform(self, budgets, guards, metric):
        """Another policy."""
        self.budgets, self.guards, self.metric = budgets, guards, metric
        self.guarded = {k for g in guards for k in g.get("knobs", [])}

    def site(self, node):
        if node not in self.sites:
            self.sites[node] = Site(self)
        return self.sites[node]

    def row(self, ev, node, t, verdict, value, threshold, **more):
        for kid, m in t.moves.items():
            ev.row(ev.own(node), node, verdict, m.tag, kid, node, value=value, threshold=threshold, **more)

    # -- the clock of a site, and what happened to it from outside
    def advance(self, node, win, ev):
        s = self.site(node)
        named, check = s.recheck, s.recheck or s.generation != self.generation
        s.generation, s.recheck = self.generation, False
        if check and s.clock >= 0 and not s.clock - 1 <= win <= s.clock + 1:
            self.restart(s, node, named, win, ev)
        elif check:
            for a in s.adjustments.values():
                a.replaced = None
        if node and s.job_change != self.job_change:        # the job changed under its nodes
            s.job_change = self.job_change
            self.drop(s, node, "void", win, ev)
            s.since, s.reference = max(s.since, self.job_change[1]), None
        s.clock = max(s.clock, win)
        if s.disturbed:
            self.drop(s, node, "void", win, ev)
            s.disturbed, s.since, s.reference = False, max(s.since, s.clock + 1 + self.p["settle_windows"]), None
        t = s.trial
        if t and not t.answered() and self.timed_out(s, t):
            self.assume(s, node, t)
            if t.kind == "rollback":
                s.trial, s.rest = None, s.clock
        return s

    def timed_out(self, s, t):
        """No answer for too long. Epochs may be long, so a move for an epoch boundary waits for ever until an ack has told how long they are."""
        limit = self.p["ack_timeout_windows"]
        if t.waits_for_epoch():
            if s.epoch_delay is None:
                return False
            limit = max(limit, 2 * s.epoch_delay)
        return s.clock - t.window >= limit

    def assume(self, s, node, t):
        """No answer counts as applied."""
        for kid, m in t.moves.items():
            if not m.answered:
                m.answered = True
                e = self.pl.settle((kid, node))
                if e:
                    self.pl._applied((kid, node), e, None, -1)
        if not node:
            self.job_change = (self.job_change[0] + 1, s.since)

    def drop(self, s, node, verdict, win, ev):
        if s.trial:
            self.row(ev, node, s.trial, verdict, None, None)
            self.assume(s, node, s.trial)
            s.trial, s.rest = None, win

    def restart(self, s, node, named, win, ev):
        """The application is back with the values that it registered; the next step of each knob leads back to where it was.
        named: a registration named this node, so its values are the node's; else the job's values hold for it."""
        t = s.trial
        failed = t.moves if t and t.kind != "rollback" else {}
        self.relearn(s)
        for kid, a in s.adjustments.items():
            was = failed[kid].old if kid in failed else a.replaced if a.replaced is not None else self.pl.value(kid, node)
            self.pl.settle((kid, node))
            if not named:
                self.pl.node_val.pop((kid, node), None)
            now = self.pl.value(kid, node)
            a.delta = abs(was - now) / 2 if is_num(was) and is_num(now) else 0
            a.base, a.prev, a.replaced = now, now, None
        for kid, m in failed.items():       # it may have died of what was tried
            self.back_off(s, kid, m.direction, win)
        if t:
            self.row(ev, node, t, "restart", None, None)
        s.trial, s.ring, s.diffs, s.reference, s.clock, s.since, s.rest, s.disturbed = None, [], [], None, -1, 0, win, False

    def registered(self, kid, node, value, named, process):
        """A known knob registers with a value; named: the registration names its node; process: known, new, or "" without instance."""
        if process == "known":              # a reconnect
            return
        if not named:
            self.generation += 1
        s = self.sites.get(node)
        if not s:
            return
        s.recheck = s.recheck or named
        old = self.pl.value(kid, node)
        if kid in s.adjustments and value != old:
            s.adjustments[kid].replaced = old
        if process and (value != old or s.trial and kid in s.trial.moves):
            s.disturbed = True

    def left(self, kid):
        """The function of this knob has unregistered."""
        for s in self.sites.values():
            s.disturbed = s.disturbed or bool(s.trial) and kid in s.trial.moves

    def adopted(self, kid, node):
        s = self.sites.get(node)
        if s and s.trial and kid in s.trial.moves:
            s.disturbed = True

    def relayed(self, nodes):
        """A global plan changed a knob of these nodes; of the job, if there are none."""
        for n in nodes or [JOB]:
            if n in self.sites:
                self.sites[n].disturbed = True
        if not nodes:
            self.job_change = (self.job_change[0] + 1, -1)

    # -- what is learned, and forgotten
    def back_off(self, s, kid, direction, win):
        """Closed for backoff_windows, twice as long at each failure, and until a multiple of it: so nodes stay in step."""
        failures, B = s.backoffs.get((kid, direction), (0, 0))[1], self.p["backoff_windows"]
        s.backoffs[kid, direction] = (-(-(win + (B << min(failures, 6))) // B) * B if B else win, failures + 1)

    def closed(self, s, kid, direction, win):
        b = s.backoffs.get((kid, direction))
        return bool(b) and win < b[0]

    def relearn(self, s):
        """The surroundings changed: what was learned holds no longer."""
        s.backoffs, s.isolate = {k: b for k, b in s.backoffs.items() if k[1] == "release"}, False
        for a in s.adjustments.values():
            a.delta, a.proven, a.inconclusive = 0, False, 0

    # -- the objective
    def has_objective(self, s):
        """Is s judged by its objective? Not if it has none, or none of late."""
        return bool(s.ring) and s.ring[-1][0] >= s.clock - self.p["ack_timeout_windows"]

    def values(self, s, since, before=None):
        return [x for w, x in s.ring if w >= since and (before is None or w < before)]

    def gain(self, s, before, now):
        return s.goal * (now - before) / abs(before) if before else float(s.goal * ((now > 0) - (now < 0)))

    def band(self, s, n, m):
        """What the difference of two medians, of n and of m windows, may be by chance."""
        d = sorted(s.diffs)                 # the lower quartile: most of the jumps between windows may be somebody's changes
        sigma = 2.22 * d[len(d) // 4] if len(d) >= 4 else self.p["min_effect"]
        return self.p["noise_z"] * sigma * math.sqrt(1 / n + 1 / m)

    def noise(self, s):
        """How much one window differs from another by chance, for claims: the larger of two estimates; None: too few windows to tell."""
        d = sorted(s.diffs)
        return max(2.22 * d[len(d) // 4], 1.05 * d[len(d) // 2]) if len(d) >= 4 else None

    def objective(self, b, ev):
        try:
            if not isinstance(b, dict):
                raise Bad("invalid")
            node, value, win = typed(b, "node", "", str), number(field(b, "value", None)), integer(field(b, "window_index", None))
            goal = {"max": 1, "min": -1}[typed(b, "goal", "max", str)]
            km = typed(b, "metrics", {}, dict)
        except (Bad, KeyError):
            ev.row(ev.own(JOB), JOB, "invalid")
            return
        if node and not self.pl.owns(node):
            return                          # another rank's
        node = self.pl.hosts.enter(node) if node else JOB
        s = self.advance(node, win, ev)
        self.check_guards(s, node, None, km, win, ev)
        self.take(s, node, win, value, goal, ev)

    def take(self, s, node, win, value, goal, ev):
        if self.p["effect"] != "objective":
            return
        if s.ring and win <= s.ring[-1][0]:
            ev.row(ev.own(node), node, "stale", None, None, node, value=win, threshold=s.ring[-1][0])
            return
        if goal != s.goal:
            s.ring, s.diffs, s.reference, s.goal = [], [], None, goal
        if s.ring and s.ring[-1][0] >= s.since:
            last, mean = s.ring[-1][1], (abs(s.ring[-1][1]) + abs(value)) / 2
            s.diffs = (s.diffs + [abs(value - last) / mean if mean else 0.0])[-RING:]
        s.ring = (s.ring + [(win, value)])[-RING:]
        self.judge(s, node, win, ev)
        self.check_shift(s, node, ev)
        self.release(s, node, win, ev)

    def check_shift(self, s, node, ev):
        last = [(w, x) for w, x in s.ring if w >= s.since][-3:]
        if s.trial or len(last) < 2:
            return
        now = (median([x for _, x in last]), len(last))
        if s.reference is None:
            s.reference = now
            return
        gain = self.gain(s, s.reference[0], now[0])
        threshold = max(3 * self.p["min_effect"], 2 * self.band(s, s.reference[1], now[1]))
        if abs(gain) >= threshold:
            self.relearn(s)
            s.reference, s.since = now, last[0][0]
            ev.row(ev.own(node), node, "shift", None, None, node, value=gain, threshold=threshold)

    # -- findings
    def observe(self, node, own, c, ev):
        """A finding comes to this site; own: it is not a node's finding that comes to the job's site too."""
        win = c["win"]
        s = self.advance(node, win, ev)
        m = self.metric
        if own and m and c["ftype"] in m.get("finding_types", [c["ftype"]]) and (x := real(c["km"].get(m["metric"]))) is not None:
            if not s.ring or win > s.ring[-1][0]:
                self.take(s, node, win, x, {"max": 1, "min": -1}[m.get("goal", "max")], ev)
        self.check_guards(s, node, c["ftype"], c["km"], win, ev)
        if own and not node:
            s.views[c["ftype"]] = win
        for t in c["tags"]:
            run = s.demand.get(t)
            s.demand[t] = (run[0] if run and win - run[1] <= 1 else win, win)
        if own and c["trend"] == "worsening" and not s.trial and not self.has_objective(s):
            self.relearn(s)
        self.judge(s, node, win, ev, c)

    def job_tries(self):
        return JOB in self.sites and bool(self.sites[JOB].trial)

    def gate(self, kid, node, r, c, ev):
        s = self.site(node)
        if node and self.job_tries():
            return "trial"
        if not node and c["node"] and "follow_up" not in c and s.clock - s.views.get(c["ftype"], s.clock - 2) <= 1:
            return "superseded"
        t = s.trial
        if t and (t.window != c["win"] or t.kind != "demand" or s.isolate or kid in t.moves or "follow_up" in c and t.event != ev.number):
            return "trial"
        if self.closed(s, kid, r["direction"], c["win"]):
            return "backoff"
        if r["direction"] == "decrease" and not self.in_demand(s, kid):
            return "release_only"
        if not t and "follow_up" not in c and self.has_objective(s) and len(self.values(s, s.since)) < 2:
            return "baseline"
        return None

    def in_demand(self, s, kid):
        """Does a finding ask for more of the knob too, or can none? Then less of it is a remedy; else it only saves, and release sees to it."""
        ups = [tag for tag, rs in self.pl.by_tag.items() for k, r in rs if k == kid and r["direction"] == "increase"]
        return not ups or any(t in s.demand and s.clock - s.demand[t][1] <= 1 for t in ups)

    def grow(self, k, node, r, old, new):
        """The step after one that was kept is at least twice as large; without an objective a step by evidence is bounded."""
        s, F = self.site(node), self.p["inconclusive_factor"]
        if r["step_mode"] == "evidence" and k.values is None and not self.has_objective(s) and is_num(old) and is_num(new) and old > 0:
            new = self.pl._clamp(k, max(min(new, max(F * old, old + 1)), old / F))
        a = s.adjustments.get(k.id)
        if not a or not a.delta or r["direction"] == "set" or k.id in self.guarded or k.values is not None or not is_num(old) or not is_num(new) or new == old:
            return new
        if new < old and r["step_mode"] == "multiply":      # dividing is already geometric
            return new
        return self.pl._clamp(k, old + max(new - old, 2 * a.delta) if new > old else old - max(old - new, 2 * a.delta))

    def busy(self, kid, node, win):
        """Is anything on trial that a move of the knob in this window cannot join?"""
        s = self.site(node)
        t = s.trial
        return bool(node and self.job_tries() or t and (t.window != win or t.kind != "demand" or s.isolate or kid in t.moves))

    def room_for(self, kid, node):
        s = self.site(node)
        return kid in s.adjustments or len(s.adjustments) < MAX_ADJUSTMENTS

    def demanded(self, kid, node, r, tag, c, old, new):
        """The move joins the trial of this window, or opens one."""
        s = self.site(node)
        if s.trial is None:
            self.open(s, "demand", c["win"], c, None)
        s.trial.event = c["event"]
        self.move(s, kid, Move(old, new, tag, r["apply_when"], r["direction"]), c)

    def move(self, s, kid, m, c):
        if kid not in s.adjustments:
            s.adjustments[kid] = Adjustment(m.old, m.tag, m.apply_when, c)
        s.trial.moves[kid] = m

    def open(self, s, kind, window, c, event):
        s.trial = Trial(kind, window, c, event, s.since)
        s.trial.reference = s.reference

    def opened(self, node):
        """The event that made the moves is over."""
        s = self.site(node)
        t = s.trial
        if t and t.event is not None:
            t.event = None
            self.settle(s, node, t, s.clock + 1)

    # -- when moves take effect
    def settle(self, s, node, t, window):
        """More is known of when the moves took effect."""
        if not t.moves and t.kind != "rollback":            # all were rejected, so nothing has changed
            s.trial, s.since, s.reference = None, t.before, t.reference
            return
        t.effect = max(t.effect, window)
        s.since = t.effect + self.p["settle_windows"]
        if not node and t.answered():
            self.job_change = (self.job_change[0] + 1, s.since)
        if t.kind == "rollback":
            if t.answered():
                s.trial, s.rest = None, max(s.clock, t.effect)
            return
        before = self.values(s, t.before, t.effect)[-8:] if self.has_objective(s) else []
        if before:
            t.base = (median(before), len(before))
            if t.kind != "release":
                s.reference = t.base

    def changed_in(self, node, window, e):
        """The window in which the values changed: the ack's, else the one that runs now."""
        return window if window >= 0 else max(e["window"], self.site(node).clock) + 1

    def answered(self, key, status, value, window):
        kid, node = key
        s = self.site(node)
        t = s.trial
        m = t and t.moves.get(kid)
        if not m or m.answered:
            return                          # not reached: a plan in flight is an unanswered move of the open trial
        m.answered = True
        if m.apply_when == "epoch_boundary":
            s.epoch_delay = max(s.epoch_delay or 0, s.clock - t.window)
        if status == "rejected":
            del t.moves[kid]
        elif value is not None:
            m.new = value
        if t.event is None:
            self.settle(s, node, t, t.effect if status == "rejected" else window)

    # -- verdicts
    def judge(self, s, node, win, ev, c=None):
        t = s.trial
        if not t or t.kind == "rollback" or t.event is not None or t.waits_for_epoch():
            return
        if t.base:
            self.judge_by_objective(s, node, t, win, ev)
        elif c:
            self.judge_by_findings(s, node, t, c, ev)

    def judge_by_objective(self, s, node, t, win, ev):
        V, E = self.p["verify_windows"], self.p["min_effect"]
        after = self.values(s, s.since)[:V]
        n = len(after)
        final = n >= V or s.clock - s.since >= V + self.p["ack_timeout_windows"]    # or the objective fell silent
        if not n:
            if final:
                self.drop(s, node, "void", win, ev)
            return
        b, now = t.base, median(after)
        if t.kind == "release" and s.reference and s.goal * (s.reference[0] - b[0]) > 0:
            b = s.reference                 # the better of the two: small losses must not add up
        gain, band = self.gain(s, b[0], now), self.band(s, b[1], n)
        threshold = max(E, band / 2 if final else band)     # an early verdict needs twice the evidence
        if t.kind == "release":
            safe = gain > -E / 4 and gain - band / 2 > -E   # a release must be shown to be harmless
            v = "worse" if gain <= -threshold or final and not safe else "neutral" if t.answered() and (final or gain - band > -E / 4) else None
        else:
            done = t.answered() and (final or gain + band < E)
            v = "improved" if gain >= threshold else "worse" if gain <= -threshold else "neutral" if done else None
        if v:
            if v == "improved" or t.kind != "release" and gain > 0:
                s.reference = (now, n)
            self.close(s, node, t, v, win, ev, gain, threshold, dict(base=b[0], base_n=b[1], now=now, now_n=n, noise=self.noise(s)),
                       "objective %.6g against %.6g, gain %.3f, threshold %.3f, windows %d" % (now, b[0], gain, threshold, n))

    def judge_by_findings(self, s, node, t, c, ev):
        k, win, v = FINDING_WINDOWS, c["win"], None
        up = all(m.direction != "decrease" for m in t.moves.values())
        same_finding = c["ftype"] == t.c["ftype"] and c["scope"] == t.c["scope"]
        if win < s.since:
            return
        if same_finding and win > t.last:
            t.seen, t.last = t.seen + 1, win
        quiet = s.clock - max(t.last, s.since - 1)          # windows without the finding
        opposed = up and any(kid in t.moves and r["direction"] == "decrease" and s.demand[tag][0] >= s.since - self.p["settle_windows"]
                             for tag in c["tags"] for kid, r in self.pl.by_tag.get(tag, []))   # less of it is asked for since
        if opposed and t.seen and win - t.last <= 1:
            v = "worse"
        elif quiet >= k or same_finding and c["trend"] == "improving":
            v = "improved"
        elif same_finding and c["trend"] == "worsening" and t.seen >= 2:
            v = "worse"
        elif same_finding and t.answered() and t.seen >= (2 if c["sev"] >= 1.0 else k):
            v = "inconclusive"              # a severity cut off at 1, or a change below the diagnoser's 15 %: it may have helped
        if v:
            self.close(s, node, t, v, win, ev, float(t.seen), float(k), {},
                       "finding %s, trend %s, seen in %d windows since" % (c["ftype"], c["trend"], t.seen))
