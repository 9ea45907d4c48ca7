"""Defaults, numbers as Python and JSON mean them, and what events, hosts and knobs are."""
import math
import re

CONTROL = dict(settle_windows=1, verify_windows=6, min_effect=0.04, noise_z=2.0, backoff_windows=24,
               release_windows=8, ack_timeout_windows=8, inconclusive_steps=4, inconclusive_factor=8.0)
DEFAULT = dict(ack_match="plan_id", ack_window="seen", reject="previous", reject_cooldown=True,
               reregister="replace", enum_step="neighbour", global_exempt=True, strict_direction=True,
               strict_types=True, global_overrides_nodes=True, suppress_before_registration=True,
               evidence_probe=True, pending_timeout_windows=0, suppression_ttl_windows=0,
               scope="interpret", registration="interpret", unmatched_ack="adopt", effect="objective", **CONTROL, approval_windows=24)
UPSTREAM = dict(ack_match="knob_node", ack_window="none", reject="upstream", reject_cooldown=False,
                reregister="append", enum_step="upstream", global_exempt=False, strict_direction=False,
                strict_types=False, global_overrides_nodes=False, suppress_before_registration=False,
                evidence_probe=True, pending_timeout_windows=0, suppression_ttl_windows=0,
                scope="carry", registration="carry", unmatched_ack="ignore", effect="severity", **CONTROL, approval_windows=24)
CASTS = {"int": int, "float": float, "str": str, "bool": bool}
JOB = ""                # the site of the whole job; any other site is the node of that name

# Positions within an event: the job's own rows, the node's own rows, one for each (tag, response) of the finding.
JOB_ROWS, NODE_ROWS, TAG_ROWS, END = 0, 16384, 32768, 65536
MAX_ADJUSTMENTS = 1024  # knobs that one site adjusts: keeps its own rows within their range
MAX_INSTANCES = 64      # processes remembered for each (function, node)
RING = 16               # objectives, and samples of their noise, that a site remembers
FINDING_WINDOWS = 3     # windows of findings that decide a trial without an objective
MODES = ("auto", "advise", "shadow", "off")     # what the planner may do with a knob
FIXED = ("ack_match", "reregister", "scope", "registration", "effect")      # switches that no command changes
RATE_WINDOWS = 8        # windows whose plans are counted


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


def same(a, b):
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def median(xs):
    s, n = sorted(xs), len(xs)
    return s[n // 2] if n % 2 else (s[n // 2 - 1] + s[n // 2]) / 2


class Event:
    """One input record, and the rows and plans that it leads to."""
    def __init__(self, number):
        self.number = number
        self.next = {False: JOB_ROWS, True: NODE_ROWS}      # next own row of the job, of the node
        self.withheld = []      # keys of plans that do not leave, in order
        self.rows, self.plans = [], []                      # (position, plan id, site, row or plan)

    def own(self, site):
        """The next position among the site's own rows."""
        node = site != JOB
        self.next[node] += 1
        return self.next[node] - 1

    def row(self, position, site, verdict, tag=None, knob=None, node="", **more):
        self.rows.append((position, more.get("plan_id", ""), site,
                          dict(event=self.number, tag=tag, knob_id=knob, node=node, verdict=verdict, **more)))

    def plan(self, position, site, plan):
        self.plans.append((position, "", site, plan))

    def sorted(self):
        """(plans, rows), each in order of position; rows of one position in order of plan id."""
        return sorted(self.plans, key=lambda x: x[:2]), sorted(self.rows, key=lambda x: x[:2])


class Place:
    """The position of one row: given, or the site's next own one when the row is written."""
    def __init__(self, ev, site, position=None):
        self.ev, self.site, self.position = ev, site, position

    def take(self):
        if self.position is None:
            self.position = self.ev.own(self.site)
        return self.position


class Hosts:
    """Nodes by the names of their hosts: N1, n1 and n1.cluster.example. are one node. A name that was used stays with its node."""
    def __init__(self):
        self.labels = {}        # first label -> [(name, node)], in order of use; a node is called as it was first

    @staticmethod
    def split(name):
        """(first label, whole name), without case (of ASCII) and the dot at the end; an address is one label."""
        name = name[:-1] if len(name) > 1 and name.endswith(".") else name
        name = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)
        address = ":" in name or not name.strip("0123456789.")
        label = name if address or name.startswith(".") else name.split(".")[0]
        return label, name

    def find(self, name):
        """The node that has the name, or may be called so; the name itself, if there is none."""
        label, whole = self.split(name) if isinstance(name, str) else ("", name)
        if len(label.encode()) > 255:
            return name
        have = [(*self.split(n), node) for n, node in self.labels.get(label, [])]
        for _, other, node in have:
            if other == whole:
                return node
        full = {node for label, other, node in have if other != label}
        if whole == label:
            return full.pop() if len(full) == 1 else name
        short = [node for label, other, node in have if other == label]
        return short[0] if short and short[0] not in full else name

    def enter(self, name):
        """The same; the name is now in use."""
        label, _ = self.split(name)
        used = self.labels.setdefault(label, [])
        node = next((node for n, node in used if n == name), None)
        if node is None:
            node = self.find(name)
            used.append((name, node))
        return node

    def knows(self, name):
        """Has any event named the node?"""
        node = self.find(name)
        return any(n == node for _, n in self.labels.get(self.split(name)[0], []))

    def same(self, a, b):
        (a_label, a), (b_label, b) = self.split(a), self.split(b)
        return a == b or a_label == b_label and (a == a_label or b == b_label)


class AsGiven:
    """A node is called in one way only."""
    def __init__(self):
        self.used = set()

    def find(self, name):
        return name

    def enter(self, name):
        self.used.add(name)
        return name

    def knows(self, name):
        return name in self.used

    def same(self, a, b):
        return a == b


class Knob:
    def __init__(self, d, ordinal, overrides=None, owner=("", "")):
        self.id, self.default, self.ordinal, self.owner = d["id"], d["default"], ordinal, owner
        self.type = d.get("type") if d.get("type") in CASTS else "int"
        self.range = tuple(d["range"]) if d.get("range") else None
        self.values = d.get("values")
        self.fn = d.get("target_function", "")
        self.per_node = d.get("scope") in ("node", "rank_local")    # else: of the job
        self.boundary = None    # where its values change: the first response's apply_when
        self.left = False                                           # its function has unregistered
        rt = d.get("responds_to")
        if rt is None:
            rt = {"io_bottleneck": d["knob_response"]} if "knob_response" in d else {}
        self.responses = {}
        for tag, s in rt.items():
            r = dict(direction="increase", step=None, step_mode="add", set_to=None, min_severity=0.5,
                     min_persistence=2, cooldown_windows=3, apply_when="epoch_boundary", effectiveness_threshold=0.10)
            r.update({k: v for k, v in s.items() if k in r})
            self.boundary = self.boundary if self.boundary is not None else r["apply_when"]
            self.responses[tag] = dict(r, base=r)
            self.override(tag, self.responses[tag], overrides)

    def override(self, tag, r, overrides):
        """The response with what the policy says of it. Once more after a change of the policy."""
        r.update(r["base"])
        for which in ("*", "tag:" + tag, "knob:" + self.id):
            r.update({k: v for k, v in (overrides or {}).get(which, {}).items() if k in r})


# ------------------------------------------------------------------ the planner
