"""Knobs, nodes, what a diagnosis finds of them, and oddities."""
from habits import clip, label

FIELDS = ("finding_type scope layer view_type motif severity severity_score confidence prevalence "
          "persistence support_windows trend_direction last_seen_window contributing_facts "
          "recommendation_bundle opportunity_tags suppresses_tags summary window_index key_metrics "
          "publish_mode").split()
MIB = 1048576.0


# ------------------------------------------------------------------ registrations

def response(direction="increase", step=None, step_mode="add", set_to=None, min_severity=0.5,
             min_persistence=2, cooldown_windows=3, apply_when="epoch_boundary", effectiveness_threshold=0.10):
    return dict(direction=direction, step=step, step_mode=step_mode, set_to=set_to,
                min_severity=min_severity, min_persistence=min_persistence,
                cooldown_windows=cooldown_windows, apply_when=apply_when,
                effectiveness_threshold=effectiveness_threshold)


def knob(kid, default, type_, target, rng=None, values=None, scope="job", **responds):
    return {"id": kid, "default": default, "type": type_, "range": rng, "values": values,
            "scope": scope, "responds_to": {t: r for t, r in responds.items()},
            "target_function": target}


def registrations():
    """(window it is sent before, body).  Window 0 = before the first finding."""
    dl = "DLIOBenchmark.make_loader"
    yield 0, {"namespace": "dlio", "function_name": dl, "knobs": {
        "prefetch_size": knob("dlio.prefetch_size", 2, "int", dl, [1, 16],
                              dataloader_prefetch=response(step=2, cooldown_windows=4)),
        "read_threads": knob("dlio.read_threads", 0, "int", dl, [0, 16],
                             reader_parallelism=response(step=1, cooldown_windows=4),
                             reader_contention=response("decrease", 1, cooldown_windows=3)),
    }, "current_values": {"prefetch_size": 2, "read_threads": 4}}
    st = "stormer.make_loader"
    ev = dict(step_mode="evidence", apply_when="window_boundary")
    yield 0, {"namespace": "stormer", "function_name": st, "knobs": {
        "num_workers": knob("stormer.num_workers", 8, "int", st, [0, 8],
                            reader_parallelism=response(**ev), reader_contention=response("decrease", **ev)),
        "prefetch_factor": knob("stormer.prefetch_factor", 2, "int", st, [1, 16],
                                dataloader_prefetch=response(**ev)),
    }, "current_values": {"num_workers": 2, "prefetch_factor": 2}}
    # list form with a single response per knob (what the service calls the DFTracer form)
    yield 0, {"namespace": "dftracer", "function_name": "dftracer.writer", "knobs": [
        {"id": "dftracer.flush_every_n", "default": 1, "type": "int", "range": [1, 4096], "scope": "node",
         "target_function": "dftracer.writer",
         "knob_response": {"direction": "increase", "step": 2, "step_mode": "multiply",
                           "min_persistence": 1, "cooldown_windows": 2}},
        {"id": "dftracer.sample_rate", "default": 1.0, "type": "float", "range": [0.01, 1.0],
         "knob_response": {"direction": "decrease", "step": 0.25, "min_severity": 0.3}},
    ], "current_values": {"dftracer.flush_every_n": 4}}
    io = "site.io"
    nb = dict(min_persistence=1, cooldown_windows=2, apply_when="next_window")
    yield 0, {"namespace": "site", "function_name": io, "knobs": {
        "read_size": knob("site.read_size", 65536, "int", io, None,
                          [4096, 65536, 1048576, 4194304, 16777216], "node",
                          small_io_reduction=response(step=16, step_mode="multiply", **nb)),
        "cache_ratio": knob("site.cache_ratio", 0.1, "float", io, [0.0, 0.9],
                            small_io_reduction=response(step=0.15, min_severity=0.25, **nb)),
        "stat_batch": knob("site.stat_batch", 512, "int", io, [1, 4096],
                           metadata_reduction=response("decrease", 2, "multiply", **nb)),
        "open_timeout": knob("site.open_timeout", 7.5, "float", io, [0.25, 60],
                             metadata_reduction=response("decrease", 2.0, "multiply", **nb)),
        "layout": knob("site.layout", "round_robin", "str", io, None, ["round_robin", "hash", "balanced"],
                       shard_repartition=response("set", set_to="balanced", **nb)),
        "collective": knob("site.collective", False, "bool", io, None, None,
                           rank_balance=response("set", set_to=True, **nb),
                           read_write_rebalancing=response(step=1, min_severity=0.9, **nb)),
    }, "current_values": {"read_size": 4096}}
    # arrives late, and re-registers a known knob with another response and range
    yield 3, {"namespace": "site", "function_name": "site.comm", "knobs": {
        "bucket_mb": knob("site.bucket_mb", 25, "int", "site.comm", [1.0, 300.0],
                          comm_optimization=response(step=4, step_mode="multiply", **nb)),
        "read_size": knob("site.read_size", 65536, "int", io, [4096, 16777216], None, "node",
                          small_io_reduction=response(step=65536, **nb)),
    }, "current_values": {}}
    # minimal: every optional key left out; unknown type name
    yield 3, {"knobs": {"bare": {"id": "bare", "default": 3,
                                 "responds_to": {"reader_parallelism": {"step": 1}}},
                        "odd": {"id": "odd", "default": 2, "type": "enum", "range": [],
                                "responds_to": {"dataloader_prefetch": {"direction": "increase", "step": 0.3}}}}}


# ------------------------------------------------------------------ findings of one (type, scope)

def motif(ftype, layer, prevalence, tr, trend):
    if tr.first <= 1 and trend == "improving" and prevalence < .4:
        return "warmup_transient", "none", .7
    if ftype in ("fetch_pressure", "fetch_interval_pressure") and prevalence > .5 and tr.best > 3:
        return "persistent_pressure", "input_pipeline_tuning", .8
    if ftype == "metadata_dominance" and layer == "reader_posix" and prevalence > .5 and tr.best > 2:
        return "metadata_bound", "metadata_reduction", .8
    if ftype == "small_read_dominance" and layer == "reader_posix" and prevalence > .5 and tr.best > 3:
        return "small_io_input_pressure", "investigate_small_io_reader", .8
    return "unclassified", "investigate", .5


def body(ftype, scope, view, tr, windows_so_far, mode):
    layer = scope.split(":", 1)[0] if ":" in scope else None
    trend, prevalence = tr.trend(), tr.seen / windows_so_far
    m, bundle, conf = motif(ftype, layer, prevalence, tr, trend)
    text = (f"{ftype}({scope}), motif={m}, prevalence={prevalence:.2f}, persistence={tr.best}, trend={trend}")
    if ftype == "operation_imbalance":
        ratio = tr.peak_metrics.get("reader_posix_operation_imbalance_ratio", 0.0)
        text += f", dominant=read, peak_ratio={ratio:.2f}"
    return dict(zip(FIELDS, (ftype, scope, layer, view, m, label(tr.peak), tr.peak, conf, prevalence, tr.best,
                             tr.seen, trend, tr.last, [[ftype, scope]], bundle, list(tr.tags), list(tr.sup),
                             text, tr.last, {k: float(v) for k, v in tr.peak_metrics.items()}, mode)))


# ------------------------------------------------------------------ per-node workload model

class Node:
    def __init__(self, name, rnd):
        self.name = name
        self.kind = rnd.choices(("bound", "balanced", "compute", "straggler"), (5, 3, 2, 1))[0]
        self.fetch = {"bound": rnd.uniform(.5, 4), "balanced": rnd.uniform(.15, .6),
                      "compute": rnd.uniform(.01, .1), "straggler": rnd.uniform(2, 12)}[self.kind]
        self.read_size = rnd.choice((4096., 16384., 131072., 524288., 4194304.))
        self.meta = rnd.uniform(.05, .9)
        self.reads_only = rnd.random() < .7

    def step(self, rnd):
        self.fetch = min(60., max(.005, self.fetch * rnd.choice((.6, .85, .95, 1., 1., 1.05, 1.2))))
        self.meta = min(.99, max(.01, self.meta + rnd.uniform(-.08, .08)))

    def facts(self, rnd, cluster_min_open):
        """(finding_type, layer, severity, metrics, tags, suppresses)"""
        c, f = rnd.uniform(.9, 1.1), self.fetch
        act = f + c
        ff, cf = f / max(act, 1e-9), c / max(act, 1e-9)
        base = {"fetch_iter_time_proc_max": f, "compute_time_proc_max": c}
        if ff >= .20 and cf < .85:
            yield ("fetch_pressure", None, clip((ff - .10) / .25),
                   {**base, "active_time": act, "fetch_frac": ff, "compute_frac": cf},
                   ("dataloader_prefetch", "reader_parallelism"), ())
        if cf >= .90 and ff <= .10:
            yield ("compute_dominance", None, clip((cf - .85) / .20),
                   {"compute_time_proc_max": c, "fetch_iter_time_proc_max": f, "active_time": act,
                    "compute_frac": cf, "fetch_frac": ff}, ("none",), ("reader_parallelism", "dataloader_prefetch"))
        workers = rnd.choice((1, 2, 4, 8, 16))
        if cf >= .70 and ff < .15 and workers > 2:
            yield ("io_contention", None, clip((cf - .60) / .30),
                   {**base, "data_loader_proc_name_nunique": workers, "active_time": act, "fetch_frac": ff,
                    "compute_frac": cf, "workers": workers}, ("reader_contention",), ())
        opn = f * rnd.uniform(.1, 1.7)
        r = opn / max(c, 1e-9)
        if r > 1.05 and cf < .85:
            yield ("open_pressure", None, clip((r - 1) / .5),
                   {"reader_open_time_proc_max": opn, **base, "active_time": act, "compute_frac": cf,
                    "reader_open_ratio": r}, ("reader_parallelism",), ())
        of = opn / max(opn + c, 1e-9)
        tail = of / max(cluster_min_open, 1e-9)
        if tail > 1.25 and of > .10 and rnd.random() < .15:
            yield ("reader_open_tail_outlier", None, clip((tail - 1) / 1.5),
                   {"reader_open_time_proc_max": opn, "compute_time_proc_max": c, "active_time": opn + c,
                    "reader_open_frac": of, "reader_open_tail_ratio": tail},
                   ("reader_parallelism", "metadata_reduction"), ())
        share = rnd.uniform(.2, .98)
        if share > .5 and self.read_size < MIB:
            yield ("small_read_dominance", "reader_posix",
                   clip(.5 * (share - .5) / .5 + .5 * (MIB - self.read_size) / MIB),
                   {"reader_posix_read_time_proc_frac_parent": share,
                    "reader_posix_read_size_proc_mean": self.read_size}, ("small_io_reduction",), ())
        if self.meta > .5:
            yield ("metadata_dominance", "reader_posix", clip((self.meta - .5) / .5),
                   {"reader_posix_metadata_time_proc_frac_parent": self.meta}, ("metadata_reduction",), ())
        rc = float(rnd.randint(1000, 200000))
        wc = 0.0 if self.reads_only else float(rnd.randint(1, 40))
        ratio = abs(rc - wc) / max(min(rc, wc), 1e-9)     # divides by 1e-9 when nothing was written
        yield ("operation_imbalance", "reader_posix", clip((ratio - .1) / .9),
               {"reader_posix_read_count_sum": rc, "reader_posix_write_count_sum": wc,
                "reader_posix_operation_imbalance_ratio": ratio}, ("read_write_rebalancing",), ())
        if rnd.random() < .03:
            spread = rnd.uniform(10.5, 60)
            yield ("read_contention", None, clip((spread - 5) / 40),
                   {"reader_posix_read_time_call_mean": spread * 1e-4, "reader_posix_read_time_call_min": 1e-4,
                    "pread_latency_spread": spread}, ("reader_contention",), ("reader_parallelism",))
        if rnd.random() < .02:
            yield ("reader_pressure", None, clip(ff), {"reader_frac": ff}, ("io_bottleneck",), ())


def job_facts(rnd, nodes):
    f = [n.fetch for n in nodes]
    ratio = max(f) / max(min(f), 1e-9)
    if ratio >= 1.5:
        yield ("fetch_rank_imbalance", "proc_name", clip((ratio - 1) / 2.5),
               {"affected_count": len(f), "total_count": len(f), "affected_fraction": 1.0},
               ("rank_balance", "shard_repartition"), ())
    comm = rnd.uniform(.05, .8)
    if comm >= .30 and rnd.random() < .3:
        yield ("comm_dominance", "app", clip((comm - .25) / .5),
               {"comm_frac": comm, "compute_frac": rnd.uniform(.3, .9)},
               ("comm_optimization",), ("reader_parallelism", "dataloader_prefetch"))


GLOBAL = (("bw_saturation", (), ("reader_parallelism", "dataloader_prefetch"), "bw_utilization"),
          ("compute_dominance", (), ("reader_parallelism",), "compute_frac"),
          ("straggler_pressure", ("shard_repartition",), ("small_io_reduction",), "fetch_frac"))


# ------------------------------------------------------------------ oddities

def oddity(rnd, b, hard):
    """Change one thing about a finding the way real or broken producers do; returns its name."""
    nan, inf = float("nan"), float("inf")
    km = dict(b["key_metrics"])
    b["key_metrics"] = km
    pick = rnd.choice(km and list(km) or ["fetch_frac"])
    soft = {
        "metric_nan": lambda: km.__setitem__(pick, nan), "metric_inf": lambda: km.__setitem__(pick, inf),
        "metric_-inf": lambda: km.__setitem__(pick, -inf), "metric_null": lambda: km.__setitem__(pick, None),
        "metric_str": lambda: km.__setitem__(pick, str(km.get(pick, .5))),
        "metrics_empty": lambda: b.__setitem__("key_metrics", {}), "metrics_null": lambda: b.__setitem__("key_metrics", None),
        "sev_nan": lambda: b.__setitem__("severity_score", nan), "sev_int": lambda: b.__setitem__("severity_score", 1),
        "sev_str": lambda: b.__setitem__("severity_score", "0.75"), "sev_true": lambda: b.__setitem__("severity_score", True),
        "sev_gt1": lambda: b.__setitem__("severity_score", 3.5), "sev_neg": lambda: b.__setitem__("severity_score", -0.25),
        "persistence_float": lambda: b.__setitem__("persistence", float(b["persistence"])),
        "layer_null": lambda: b.__setitem__("layer", None), "view_null": lambda: b.__setitem__("view_type", None),
        "trend_null": lambda: b.__setitem__("trend_direction", None), "suppress_null": lambda: b.__setitem__("suppresses_tags", None),
        "no_trend": lambda: b.pop("trend_direction"), "no_motif": lambda: b.pop("motif"),
        "no_persistence": lambda: b.pop("persistence"), "no_window": lambda: b.pop("window_index"),
        "no_tags": lambda: b.pop("opportunity_tags"), "dup_tags": lambda: b.__setitem__("opportunity_tags", b["opportunity_tags"] * 2),
        "window_float": lambda: b.__setitem__("window_index", float(b["window_index"])),
        "unicode": lambda: b.__setitem__("motif", "d\u00e9bit \u2192 \U0001f4be"), "extra": lambda: b.__setitem__("fact_ids", [1, {"a": None}]),
    }
    fatal = {
        "sev_null": lambda: b.__setitem__("severity_score", None), "sev_word": lambda: b.__setitem__("severity_score", "high"),
        "tags_null": lambda: b.__setitem__("opportunity_tags", None), "facts_null": lambda: b.__setitem__("contributing_facts", None),
        "persistence_null": lambda: b.__setitem__("persistence", None), "scope_int": lambda: b.__setitem__("scope", 7),
        "metrics_list": lambda: b.__setitem__("key_metrics", [1]),
    }
    table = {**soft, **fatal} if hard else soft
    name = rnd.choice(sorted(table))
    table[name]()
    return name
