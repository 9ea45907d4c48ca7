"""DFDiagnoser's habits, field by field: what its tracker makes of the facts of each window,
by DFAnalyzer's rules for DLIO. Standard library only.

A finding looks back: severity and metrics are those of the worst window so far, the trend
compares the last severities with those before, persistence is the longest run of windows.
"""


def clip(x):
    return 0.0 if x < 0 else 1.0 if x > 1 else x


def label(s):
    return ("critical" if s >= .85 else "high" if s >= .6 else "medium" if s >= .3 else
            "low" if s > 0 else "none")


class Track:
    """One (finding_type, scope): peak severity and its metrics, longest run, union of tags,
    trend of the last k severities against the k before."""

    def __init__(self):
        self.first = self.last = None
        self.seen = self.run = self.best = self.n = 0
        self.peak, self.peak_metrics, self.recent, self.tags, self.sup = None, {}, [], [], []

    def add(self, w, sev, metrics, tags, sup):
        self.first = w if self.first is None else self.first
        if w != self.last:
            again = self.last is not None and w == self.last + 1
            self.run = self.run + 1 if again else 1
            self.best, self.seen, self.last = max(self.best, self.run), self.seen + 1, w
        if self.peak is None or sev > self.peak:
            self.peak, self.peak_metrics = sev, metrics
        self.n += 1
        self.recent = (self.recent + [sev])[-6:]
        self.tags += [t for t in tags if t != "none" and t not in self.tags]
        self.sup += [t for t in sup if t not in self.sup]

    def trend(self):
        if self.n < 2:
            return "insufficient_data"
        k = min(3, self.n // 2)
        new, old = sum(self.recent[-k:]) / k, sum(self.recent[-2 * k:-k]) / k
        if old <= 0:
            return "stable"
        return ("improving" if new / old < .85 else "worsening" if new / old > 1.15 else
                "stable")


def finding(ftype, scope, tr, span, view="window", **more):
    """One finding of a tracker; `more` members come before the window."""
    trend, prev = tr.trend(), tr.seen / span
    motif, bundle, conf = "unclassified", "investigate", .5
    layer = scope.split(":", 1)[0] if ":" in scope else None
    if tr.first <= 1 and trend == "improving" and prev < .4:
        motif, bundle, conf = "warmup_transient", "none", .7
    elif ftype == "fetch_pressure" and prev > .5 and tr.best > 3:
        motif, bundle, conf = "persistent_pressure", "input_pipeline_tuning", .8
    return {"finding_type": ftype, "scope": scope, "layer": layer, "view_type": view,
            "motif": motif, "severity": label(tr.peak), "severity_score": tr.peak,
            "confidence": conf, "prevalence": prev, "persistence": tr.best,
            "support_windows": tr.seen, "trend_direction": trend,
            "last_seen_window": tr.last, "contributing_facts": [[ftype, scope]],
            "recommendation_bundle": bundle, "opportunity_tags": list(tr.tags),
            "suppresses_tags": list(tr.sup), **more, "window_index": tr.last,
            "key_metrics": {k: float(v) for k, v in tr.peak_metrics.items()}}


def facts(m):
    """m: fetch and compute (c) seconds of a node's window, workers, mem where there is a
    budget, spread where latencies of reads are measured -> (type, severity, metrics, tags,
    suppresses). Memory pressure is no rule of DFAnalyzer."""
    f, c = m["fetch"], m["c"]
    act = f + c
    ff, cf = f / act, c / act
    base = {"fetch_iter_time_proc_max": f, "compute_time_proc_max": c, "active_time": act,
            "fetch_frac": ff, "compute_frac": cf}
    if ff >= .20 and cf < .85:
        yield ("fetch_pressure", clip((ff - .10) / .25), base,
               ("dataloader_prefetch", "reader_parallelism"), ())
    if cf >= .90 and ff <= .10:
        yield ("compute_dominance", clip((cf - .85) / .20), base, ("none",),
               ("reader_parallelism", "dataloader_prefetch"))
    if cf >= .70 and ff < .15 and m.get("workers", 0) > 2:
        yield ("io_contention", clip((cf - .60) / .30), {**base, "workers": m["workers"]},
               ("reader_contention",), ())
    if m.get("mem", 0) > .85:
        yield ("memory_pressure", clip((m["mem"] - .80) / .20), {"mem_frac": m["mem"]},
               ("memory_reduction",), ())
    if m.get("spread", 0) > 10:
        yield ("read_contention", clip((m["spread"] - 5) / 40),
               {**base, "pread_latency_spread": m["spread"]}, ("reader_contention",),
               ("reader_parallelism",))


class Diagnoser:
    """One node's windows, in order, to findings."""

    def __init__(self, node):
        self.scope, self.tracks, self.first = "node:%s:window" % node, {}, None

    def window(self, w, m):
        for ftype, *fact in sorted(facts(m), key=lambda f: f[0]):
            tr = self.tracks.setdefault(ftype, Track())
            tr.add(w, *fact)
            self.first = w if self.first is None else self.first
            yield self.looks(ftype, tr, w, m, fact)

    def looks(self, ftype, tr, w, m, fact):
        del m, fact
        return finding(ftype, self.scope, tr, w - self.first + 1)
