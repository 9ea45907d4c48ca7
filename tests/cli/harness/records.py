"""Builds input: findings, registrations, acks, and the events of a whole job."""
import json


def finding(window=1, node=None, **over):
    """A finding as a diagnoser writes it; node None: the whole job."""
    f = {
        "finding_type": "fetch_pressure",
        "scope": f"node:{node}:window" if node else "app:epoch",
        "layer": "node" if node else "app", "view_type": "window",
        "motif": "persistent_pressure", "severity": "critical", "severity_score": 1.0,
        "confidence": 0.8, "prevalence": 1.0, "persistence": 10, "support_windows": 5,
        "trend_direction": "stable", "last_seen_window": window,
        "contributing_facts": [], "recommendation_bundle": "input_pipeline_tuning",
        "opportunity_tags": ["dataloader_prefetch", "reader_parallelism"],
        "suppresses_tags": [], "summary": "", "window_index": window,
        "key_metrics": {"fetch_frac": 0.89, "compute_frac": 0.11},
        "publish_mode": "control"}
    f.update(over)
    return f


def response(**over):
    r = {"direction": "increase", "step": 2, "step_mode": "add", "min_severity": 0.5,
         "min_persistence": 1, "cooldown_windows": 1, "apply_when": "next_window",
         "effectiveness_threshold": 0}
    r.update(over)
    return r


def knob(name, default=2, type_="int", range_=(1, 64), scope="node", **responds):
    return {"id": name, "default": default, "type": type_,
            "range": list(range_) if range_ else None, "values": None, "scope": scope,
            "responds_to": responds, "target_function": "app.loader"}


def registration(*knobs, **current):
    return {"namespace": "app", "function_name": "app.loader",
            "knobs": {k["id"]: k for k in knobs}, "current_values": current}


def loader_registration():
    return registration(
        knob("app.prefetch", dataloader_prefetch=response()),
        knob("app.threads", reader_parallelism=response(step_mode="evidence"),
             reader_contention=response(direction="decrease", step=1)),
        knob("app.ratio", 0.5, "float", (0.0, 1.0),
             cache_pressure=response(step=0.125, cooldown_windows=2)))


def plan_id(seq, pair=0):
    """Of the plan for a pair (tag, response) of event `seq`, in their order."""
    return f"plan_{seq << 16 | 32768 + pair:016x}"


def event(stream, body):
    return {"stream": stream, "body": body}


def lines(records):
    """JSON lines, as bytes."""
    return "".join(json.dumps(r) + "\n" for r in records).encode()


def session(nodes, windows, seed=1, acks=True, global_plans=True):
    """An event log of a whole job: registrations with knobs of nodes and of the job,
    objectives and findings of nodes and of the job, findings of a global diagnoser,
    acks of all kinds, plans of a global optimizer. A function of its arguments alone."""
    state = [seed * 2654435761 % 2**32]

    def pick(n):
        state[0] = (state[0] * 1664525 + 1013904223) % 2**32
        return (state[0] >> 8) % n

    job = knob("app.files", scope="job", file_reduction=response(step=4))
    log = [event("registration", loader_registration()),
           event("registration", dict(registration(job), function_name="app.files"))]
    due = []  # acks of plans that may have been made, for the next window

    def add_finding(f):
        if f["opportunity_tags"] and f["severity_score"] >= 0.5 and pick(10):
            due.extend(plan_id(len(log), n) for n in range(2))
        log.append(event("finding", f))

    def add_acks(window):
        for plan in due:
            ack = {"plan_id": plan, "knob_id": "app.prefetch",
                   "status": ("applied",) * 5 + ("rejected", "deferred"),
                   "old_value": 2, "new_value": 3 + pick(5), "reason": "asked"}
            ack["status"] = ack["status"][pick(7)]
            if pick(2):
                ack["window_index"] = window
            log.extend([event("ack", ack)] * (1 + (pick(9) == 0)))
        due.clear()

    tags = (["dataloader_prefetch", "reader_parallelism"], ["reader_contention"],
            ["cache_pressure"], ["dataloader_prefetch", "file_reduction"], ["unknown_tag"],
            [])
    trends = ("stable", "worsening", "insufficient_data", "improving")
    for window in range(1, windows + 1):
        if acks:
            add_acks(window)
        for n in range(nodes + 2):
            node = f"node{n:03d}" if n < nodes else None
            if n <= nodes:
                log.append(event("objective", {
                    "node": node, "window_index": window,
                    "value": 100 + pick(1 + window % 30) - pick(20)}))
            add_finding(finding(
                window, node, opportunity_tags=tags[pick(len(tags))],
                severity_score=(30 + pick(71)) / 100, persistence=pick(8),
                trend_direction=trends[pick(len(trends))],
                key_metrics={"fetch_frac": pick(100) / 100}))
        if pick(4) == 0:
            add_finding(finding(
                window, scope="global", finding_type=f"saturation{pick(2)}",
                severity_score=0.7,
                suppresses_tags=["reader_parallelism"] if pick(2) else [],
                opportunity_tags=[]))
        if global_plans and pick(6) == 0:
            log.append(event("global_plan", {
                "plan_id": f"global_{window}", "knob_id": "app.prefetch",
                "new_value": 1 + pick(64), "window_index": window,
                "target_nodes": [f"node{pick(nodes):03d}"] if pick(2) else []}))
    return log


def plans_without_ids(data):
    """Plans out of JSON lines, without what depends on a record's number."""
    plans = [json.loads(line) for line in data.splitlines()]
    for p in plans:
        del p["plan_id"]
    return plans
