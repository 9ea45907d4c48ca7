"""What the suite measures with, and the table of what it measured."""
import online

LOGS = {None: "no log", 0: "log, level 0", 1: "log, level 1"}
KNOBS = 10
BASE_NODES = 100
SWEEP_FINDINGS = 88_000
SWEEP = {"sample": {"n": 1000, "seed": 1, "over": {
    "responses.*.min_severity": {"from": 0.2, "to": 0.9},
    "responses.*.min_persistence": {"from": 1, "to": 6},
    "responses.*.cooldown_windows": {"from": 1, "to": 8},
    "responses.*.effectiveness_threshold": {"from": 0.0, "to": 0.4},
    "switches.evidence_probe": [True, False]}}}
BOUNDARY_NS = 50  # the bound on an empty boundary


def ratios(result):
    """(what, least, by wall time, by processor time, which of the two counts)"""
    parts = result["limits"]
    runs = {(r["ranks"], r["log"]): r for r in result["runs"] if not r["in_parts"]}
    decode = parts["decode"]

    def of(a, b):
        return a["rate_wall"] / b["rate_wall"], a["rate_cpu"] / b["rate_cpu"]

    yield ("one rank, log / decode only", 0.5, *of(runs[1, 1], decode), "cpu")
    yield ("one rank, no log / decode only", 0.65, *of(runs[1, None], decode), "cpu")
    nodes = result["nodes"]
    yield (f"{max(nodes)} nodes / {BASE_NODES}", 0.6, *of(nodes[max(nodes)], nodes[BASE_NODES]),
           "cpu")
    lengths = sorted(result["files"])
    if lengths:
        long = result["files"][lengths[-1]]
        yield (f"two ranks / one, {lengths[-1]} findings", 1.7, *of(long[2], long[1]), "wall")
    if len(lengths) > 1:
        yield (f"{lengths[-1]} findings / {lengths[-2]}", 0.95,
               *of(long[1], result["files"][lengths[-2]][1]), "cpu")
    planner = parts[f"planner_{KNOBS}"]
    yield (f"planner, {KNOBS} knobs, M findings/s", 5.0, planner["rate_wall"] / 1e6,
           planner["rate_cpu"] / 1e6, "cpu")
    objective = parts[f"planner_objective_{KNOBS}"]
    yield (f"planner, objective / severity, {KNOBS} knobs", 0.6, *of(objective, planner), "cpu")
    if "upstream" in result:
        u = result["upstream"]
        yield ("one rank, log / DFOptimizer", 60.0, *of(u["dfopt"], u["upstream"]), "cpu")
        sweep = next(s for s in reversed(result["sweeps"]) if s["knobs"] == 2)
        yield ("sweep, a core / DFOptimizer", 1000.0,
               sweep["rate_core"] / u["upstream"]["rate_wall"],
               sweep["rate_cpu"] / u["upstream"]["rate_cpu"], "wall")


def amount(rate):
    return f"{rate / 1e6:8.3f} M" if rate >= 1e5 else f"{rate / 1e3:8.2f} k"


def mib(kib):
    return " + ".join(f"{x / 1024:.0f}" for x in kib)


def show(result):
    """Prints it."""
    rows = []

    def title(text, *heads):
        rows.append(None)
        rows.append((text, *(heads or ("findings/s", "per CPU s", "", ""))))

    def row(name, part, ratio="", note=""):
        rows.append((name, amount(part["rate_wall"]), amount(part["rate_cpu"]), ratio, note))

    parts = result["limits"]
    decode = parts["decode"]
    title("Limits: one process, no MPI", "findings/s", "per CPU s", "/ decode", "")
    for name, text in (("read_split", "read and split"), ("decode", "decode, lines in memory"),
                       ("read_split_decode", "read, split, decode"),
                       ("read_split_decode_plan", f"read, split, decode, plan ({KNOBS} knobs)"),
                       ("columns", "rows to columns"),
                       ("columns_deflated", "rows to columns, level 1"),
                       ("copy_rows", "copy the rows of the log")):
        row(text, parts[name], f"{parts[name]['rate_cpu'] / decode['rate_cpu']:.2f}")
    title("Planner alone, findings in memory", "findings/s", "per CPU s", "/ severity",
          "verdicts per CPU s; events per CPU s; bytes a node and knob")
    for name, part in parts.items():
        if name.startswith("planner_"):
            severity = parts[f"planner_{part['knobs']}"]
            events = part["findings"] + part["objectives"]
            row(f"{part['part'][8:] or 'severity'}, {part['knobs']} knobs", part,
                f"{part['rate_cpu'] / severity['rate_cpu']:.2f}",
                f"{amount(part['verdicts'] / part['cpu'])};{amount(events / part['cpu'])}; "
                f"{part['planner_bytes'] / part['nodes'] / part['knobs']:.0f}")
    title("dfopt-mpi", "findings/s", "per CPU s", "/ decode",
          "log bytes a finding, a row; rank 0's share of CPU; peak MiB of each rank")
    for r in result["runs"]:
        log = "" if r["log"] is None else \
            f"{r['log_bytes_per_finding']:.1f}, {r['log_bytes_per_row']:.1f}; "
        if r["ranks"] > 1:
            log += f"{r['share_rank_0'] * 100:.0f} %; "
        row(f"{r['ranks']} rank{'s' * (r['ranks'] > 1)}, {LOGS[r['log']]}"
            + ", in parts" * r["in_parts"], r,
            f"{r['rate_wall'] / decode['rate_wall']:.2f} wall" if r["ranks"] > 1
            else f"{r['rate_cpu'] / decode['rate_cpu']:.2f}", log + mib(r["peak_kib"]))
    for name, key, base in (("nodes", "nodes", BASE_NODES), ("knobs", "knobs", KNOBS)):
        title(f"By {name}: 1 rank, log", "findings/s", "per CPU s", f"/ {base}", "peak MiB")
        for n, r in result[key].items():
            row(f"{n} {name}", r, f"{r['rate_cpu'] / result[key][base]['rate_cpu']:.2f}",
                mib(r["peak_kib"]))
    title("By length: log", "findings/s", "per CPU s", "/ first", "peak MiB of each rank")
    for ranks in (1, 2):
        first = next(iter(result["files"].values()))[ranks]
        for n, r in result["files"].items():
            row(f"{n} findings, file, {ranks} rank{'s' * (ranks > 1)}", r[ranks],
                f"{r[ranks]['rate_cpu'] / first['rate_cpu']:.2f}", mib(r[ranks]["peak_kib"]))
    first = next(iter(result["pipes"].values()))
    for n, r in result["pipes"].items():
        row(f"{n} findings, FIFO, 1 rank", r, f"{r['rate_cpu'] / first['rate_cpu']:.2f}",
            mib(r["peak_kib"]))
    title(f"Sweep: {SWEEP['sample']['n']} variants, {SWEEP_FINDINGS} findings",
          "decisions/s", "per CPU s", "", "decisions/s a core; peak MiB of each rank")
    for s in result["sweeps"]:
        row(f"{s['ranks']} rank{'s' * (s['ranks'] > 1)}, {s['knobs']} knobs", s, "",
            f"{amount(s['rate_core'])}; {mib(s['peak_kib'])}")
    if "upstream" in result:
        u = result["upstream"]
        title("DFOptimizer, same findings and knobs", "findings/s", "per CPU s", "", "")
        row("main.py --transport file", u["upstream"])
        row("dfopt-mpi, 1 rank, log", u["dfopt"], "", f"{u['plans']} plans each")
    title("Live service over ZMQ: finding to plan", "p50", "p99", "/ echo", "p99; lost")
    for r in result["latency"]:
        echo = next(x for x in result["latency"] if x["rate"] == r["rate"])
        rows.append((f"{r['rate']:g}/s, {online.title(r)}", f"{r['p50_us']:.0f} us",
                     f"{r['p99_us']:.0f} us", f"{r['p99_us'] / echo['p99_us']:.2f}",
                     f"{r['lost']} of {r['findings']}"))
    rows.append((f"idle, {len(result['idle'])} ranks: a core's share",
                 f"{100 * max(result['idle']):.2f} %", "", "", "the busiest rank"))
    b = result["boundary"]
    title("Application library: a boundary", "median", "p99", "at most", "")
    rows.append(("nothing pending, listener running", f"{b['median_ns']:.1f} ns",
                 f"{b['p99_ns']:.1f} ns", f"{BOUNDARY_NS} ns",
                 f"by median: {'yes' if b['median_ns'] <= BOUNDARY_NS else 'NO'}"))
    if result.get("profile"):
        title("Where the time goes: 1 rank, log", "share", "", "", "")
        rows.extend((name, f"{share * 100:8.1f} %", "", "", "")
                    for name, share in result["profile"])
    title("Must show", "by wall", "by CPU", "least", "")
    for what, least, wall, cpu, by in ratios(result):
        good = (wall if by == "wall" else cpu) >= least
        rows.append((what, f"{wall:8.2f}", f"{cpu:8.2f}", f"{least:g}",
                     f"by {by}: {'yes' if good else 'NO'}"))
    print_rows(result, rows)


def print_rows(result, rows):
    m = result["machine"]
    print(f"{m['program']} ({m['commit']}); {m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB; "
          f"Linux {m['kernel']}\n{m['mpi']}; HDF5 {result['rows']['hdf5']}; {m['compiler']}\n"
          f"load average {m['load_at_start']:.2f} at the start, {m['load_at_end']:.2f} at the end; "
          f"best of {result['repeats']}; base input: {result['base']['findings']} findings of "
          f"{result['base']['bytes_per_finding']:.0f} bytes, {BASE_NODES} nodes, {KNOBS} knobs, "
          f"{result['rows']['verdicts'] / result['rows']['findings']:.2f} verdicts a finding")
    for row in rows:
        if row is None:
            print()
        else:
            name, a, b, ratio, note = row
            print(f"{name:40} {a:>11} {b:>11} {ratio:>9}  {note}".rstrip())
