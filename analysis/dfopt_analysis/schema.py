"""The tables of a decision log, as frames show them (docs/decision-log.md).

A kind says what a column of a frame holds and which datasets it is made of:

    int, real  numbers, as stored
    name       a string; stored as a string id
    names      strings joined by commas; stored as a list id
    enum       a name of the enumeration of the dataset
    text       a string; stored in the pool NAME_bytes, NAME_ends
    value      a JSON value; stored as NAME_kind, NAME_int, NAME_real, NAME_str
    id         a plan id as text
"""
from typing import Dict, List

VERSION = 3
FORMAT = "dfopt-decision-log"

# The verdicts by number, as in src/model/decision.h.
VERDICTS: List[str] = [
    "invalid", "trend", "no_knobs", "suppressed", "no_response", "pending",
    "severity", "persistence", "cooldown_time", "cooldown_ineffective",
    "unsupported", "no_evidence", "no_change", "planned", "unregistered", "trial",
    "superseded", "backoff", "release_only", "baseline", "budget", "trade",
    "rollback", "release", "improved", "neutral", "worse", "inconclusive", "void",
    "restart", "guard", "shift", "stale", "adopted", "conflict", "withdrawn", "off",
    "frozen", "rate", "would_plan", "proposed", "awaiting_approval", "approved", "set",
    "restored"]

MEANING: Dict[str, str] = {
    "invalid": "the record could not be used",
    "trend": "the finding is improving already",
    "no_knobs": "no knob is registered",
    "suppressed": "a global finding suppresses the tag",
    "no_response": "no knob responds to the tag",
    "pending": "a plan is waiting for its acknowledgement",
    "severity": "not severe enough",
    "persistence": "not persistent enough",
    "cooldown_time": "too soon after the last action",
    "cooldown_ineffective": "the last action has not helped enough",
    "unsupported": "the step cannot be computed",
    "no_evidence": "the metrics for the step are missing",
    "no_change": "the step changes nothing",
    "planned": "a plan was made",
    "unregistered": "the knob's owner has left",
    "trial": "another change is on trial",
    "superseded": "findings about the whole job decide",
    "backoff": "the move failed not long ago",
    "release_only": "nothing asks for more of the knob",
    "baseline": "too few objectives with the present settings",
    "budget": "no budget has room",
    "trade": "a plan was made, with room from another knob",
    "rollback": "a plan was made to take a change back",
    "release": "a plan was made to release what is not needed",
    "improved": "the change helped and is kept",
    "neutral": "the change made no difference",
    "worse": "the change made it worse",
    "inconclusive": "the effect cannot be seen; kept",
    "void": "the trial was disturbed or could not be judged",
    "restart": "the application restarted during the trial",
    "guard": "a guard took the change back",
    "shift": "the objective shifted by itself",
    "stale": "the objective is not newer than the last",
    "adopted": "the value of a late acknowledgement was adopted",
    "conflict": "another function owns the knob",
    "withdrawn": "the plan's process is gone",
    "off": "the operator keeps the planner off the knob",
    "frozen": "the operator has stopped new plans",
    "rate": "a limit on plans is reached",
    "would_plan": "a plan would have been made",
    "proposed": "a plan is proposed to the operator",
    "awaiting_approval": "a proposed plan waits for approval",
    "approved": "a plan was made: the operator approved it",
    "set": "a plan was made by the operator",
    "restored": "a plan was made back to the registered value",
}


def _columns(text: str) -> Dict[str, str]:
    return {name: kind for name, _, kind in
            (word.partition(":") for word in text.split())}


TABLES: Dict[str, Dict[str, str]] = {
    "findings": _columns(
        "seq:int finding_type:name scope:name node:name motif:name trend:name "
        "tags:names suppresses:names bad_metrics:int severity:real "
        "confidence:real prevalence:real persistence:int window:int "
        "fetch_frac:real fetch_iter_time_frac_parent:real compute_frac:real "
        "compute_time_frac_parent:real named_1:real named_2:real named_3:real "
        "named_4:real"),
    "objectives": _columns(
        "seq:int node:name window:int goal:int value:real bad_metrics:int "
        "fetch_frac:real fetch_iter_time_frac_parent:real compute_frac:real "
        "compute_time_frac_parent:real named_1:real named_2:real named_3:real "
        "named_4:real"),
    "outcomes": _columns(
        "seq:int plan_id:id position:int verdict:enum knob:name node:name kept:int "
        "base:real base_n:int now:real now_n:int gain:real threshold:real "
        "noise:real standard_error:real certain:int planned:int window:int"),
    "rejects": _columns("seq:int stream:enum origin:name line:int reason:name"),
    "verdicts": _columns(
        "seq:int position:int verdict:enum tag:name knob:name node:name "
        "value:real threshold:real"),
    "plans": _columns(
        "seq:int position:int number:int plan_id:id relay_id:name knob:name "
        "target_function:name apply_when:name finding_type:name tag:name "
        "node:name targets:names old:value new:value severity:real window:int "
        "rationale:text"),
    "acks": _columns(
        "seq:int plan_id:id given_plan_id:text status:enum outcome:enum "
        "other_plan:int knob:name node:name known_form:int given_id:id "
        "given_knob:name given_node:name has_nodes:int window:int "
        "cooldown_window:int "
        "given_old:value given_new:value value:value reason:text"),
    "registrations": _columns("seq:int source:enum accepted:int body:text"),
    "controls": _columns("seq:int action:enum outcome:enum by:name body:text"),
    "knobs": _columns(
        "seq:int registration:int knob:name parameter:name target_function:name "
        "scope:name type:enum default:value has_current:int current:value "
        "range_state:enum lo:value hi:value has_values:int"),
    "knob_values": _columns("knob_row:int value:value"),
    "responses": _columns(
        "seq:int knob_row:int knob:name tag:name direction:enum step_mode:enum "
        "step:value set_to:value min_severity:real min_persistence:real "
        "cooldown_windows:real apply_when:name effectiveness_threshold:real"),
    "global_plans": _columns(
        "seq:int outcome:enum plan_id:name knob:name targets:names new:value "
        "severity:real window:int"),
    "suppressions": _columns(
        "seq:int tag:name action:enum window:int severity:real "
        "finding_type:name"),
    "timeouts": _columns(
        "seq:int plan_id:id knob:name node:name window:int value:value"),
    "seen": _columns("seq:int knob:name node:name window:int"),
    "origins": _columns("seq:int offset:int origin:name unit:enum"),
    "runs": _columns("seq:int started_ns:int ranks:int pid:int"),
    "run_texts": _columns("run:int name:enum text:text"),
}

# The version of the format that brought a table; the others were always there.
SINCE: Dict[str, int] = {"timeouts": 2, "seen": 2, "origins": 2, "runs": 2,
                         "run_texts": 2, "objectives": 3, "outcomes": 3}

# The same of columns of older tables.
COLUMNS_SINCE: Dict[str, int] = {
    **{f"findings/named_{i}": 3 for i in (1, 2, 3, 4)},
    **{f"acks/{c}": 3 for c in ("known_form", "given_id", "given_knob",
                                "given_node", "has_nodes")}}

# What one column of a frame is stored in.
PARTS: Dict[str, List[str]] = {
    "text": ["{}_ends", "{}_bytes"],
    "value": ["{}_kind", "{}_int", "{}_real", "{}_str"],
}


def parts(name: str, kind: str) -> List[str]:
    return [p.format(name) for p in PARTS.get(kind, ["{}"])]


def kind_of_dataset(units: str) -> str:
    """The kind of a column that this program does not know, by its units."""
    return {"string id": "name", "list id": "names", "enum": "enum"}.get(units, "int")
