"""The page of a run: summary, plots, plans. One file that needs nothing else.

A section whose part of the log is missing or damaged says so in its place; the
others are there.
"""
import base64
import hashlib
import html
import os
from dataclasses import dataclass
from typing import Any, Callable, List, Optional

import pandas as pd

from . import (compare, effect, gates, objective, page_answer, page_objective,
               page_table, timeline, windows)
from .frames import Log, natural
from .plots import (compare_plot, effect_plot, gates_plot, heat_plot, style,
                    timeline_plot)
from .reader import LogError
from .schema import MEANING

ROW_NAMES = {"findings": "findings", "verdicts": "verdicts", "plans": "plans",
             "objectives": "objectives", "acks": "acks",
             "global_plans": "global plans",
             "rejects": "rejected records"}


@dataclass
class Options:
    """What the page is to hold."""
    knobs: int = 6
    plans: int = 1000
    nodes: int = 4
    horizon: int = effect.HORIZON
    span: windows.Span = None
    other: Optional[Log] = None


def text(value: object) -> str:
    return html.escape(str(value), quote=True)


class Figures:
    """Draws each picture twice: for wide and for narrow screens."""

    def __init__(self) -> None:
        style.quiet()
        self.count = 0

    def figure(self, draw: Callable[[style.Look], Any], title: str, said: str) -> str:
        """said: HTML under the picture."""
        parts = []
        for css_class, inches in (("wide", style.PAGE_INCHES),
                                  ("narrow", style.PHONE_INCHES)):
            self.count += 1
            parts.append(style.inline(draw(style.Look(inches)), f"f{self.count}-",
                                      css_class, text(title)))
        return f"<figure>{''.join(parts)}<figcaption>{said}</figcaption></figure>"


def note(said: object) -> str:
    return f'<p class="note" role="note">{text(said)}</p>'


def guarded(make: Callable[[], str]) -> str:
    """A section, or why there is none."""
    try:
        return make()
    except LogError as e:
        return note(e)


# ---- summary ----

def _tiles(log: Log) -> str:
    counts = [("events", log.run.events)]
    counts += [(said, log.run.rows.get(table, 0)) for table, said in ROW_NAMES.items()]
    return '<div class="tiles">' + "".join(
        f"<div><b>{n:,}</b>{text(said)}</div>" for said, n in counts
        if n or said in ("findings", "verdicts", "plans")) + "</div>"


def _facts(log: Log) -> str:
    run = log.run
    facts = [("created", run.created), ("program", "dfopt-mpi " + run.program_version),
             ("ranks", f"{run.ranks} ({run.mpi_library})"),
             ("findings from", run.transport), ("run", run.run_id),
             ("runs in this log", str(run.rows.get("runs") or "")),
             ("preset", run.preset), ("acks", run.acks_mode), ("detail", run.detail),
             ("complete", "yes" if run.complete else "no"),
             ("command", run.command_line)]
    return "<dl>" + "".join(f"<dt>{text(k)}</dt><dd>{text(v)}</dd>"
                            for k, v in facts if v) + "</dl>"


def _main_gates(log: Log) -> str:
    """One sentence: what stopped most."""
    stopped = gates.funnel(log).loc[list(gates.GATES)].sum(axis=1)
    plans = [g for g in gates.GATES if g in gates.PLANNED]
    planned = int(stopped[plans].sum())
    rest = stopped.drop(plans).sort_values(ascending=False, kind="stable")
    said = [f"<b>{text(v)}</b> ({100 * n / max(int(stopped.sum()), 1):.0f}%: "
            f"{text(MEANING[v])})" for v, n in rest.head(3).items() if n]
    return (f"<p>{planned:,} of {int(stopped.sum()):,} verdicts became plans. "
            + (f"Most of the others stopped at {', '.join(said)}." if said else "")
            + "</p>")


def summary(log: Log, options: Options) -> str:
    return (guarded(lambda: page_answer.answer(log, options.span)) + _tiles(log)
            + guarded(lambda: _main_gates(log))
            + f"<details><summary>The run</summary>{_facts(log)}</details>")


# ---- plots ----

def _funnel(log: Log, figures: Figures) -> str:
    counts = gates.funnel(log)
    steps, groups = gates.steps(counts), gates.by_knob(counts, 12)
    return figures.figure(
        lambda look: gates_plot.funnel(steps, look), "Verdicts by gate",
        "How many (finding, tag, knob) reached each gate, from the top down; coloured: "
        "those that stopped there.") + figures.figure(
        lambda look: gates_plot.by_knob(groups, look), "Verdicts by knob",
        "What became of the decisions about each knob; the number is that of its "
        "verdicts.")


def _heat(log: Log, options: Options, figures: Figures) -> str:
    def draw(look: style.Look) -> Any:
        frame = windows.survey(log, options.span, 80 if look.phone else 200)
        return heat_plot.heat_map(gates.heat(log, frame), frame, look,
                                  20 if look.phone else 32)
    return figures.figure(
        draw, "Verdicts by node and window",
        "Above: verdicts of all nodes. Below: each node and window; dark: a plan was "
        "made; otherwise the colour of the most frequent verdicts.")


def _timelines(log: Log, options: Options, figures: Figures) -> str:
    knobs = [str(k) for k in timeline.moved_knobs(log).index[:options.knobs]]
    if not knobs:
        return "<p>No knob was moved.</p>"
    frame = windows.survey(log, options.span, 160)
    parts = []
    for line in timeline.timelines(log, frame, knobs):
        parts.append(f"<h3>{text(line.knob)}</h3>" + figures.figure(
            lambda look, line=line: timeline_plot.timeline(  # type: ignore[misc]
                line, look, 2 if look.phone else options.nodes),
            f"{line.knob}: values and severities by window",
            "The value that the planner works with, and under it the worst severity of "
            "the findings that the knob responds to."))
    return "".join(parts)


def _effects(table: pd.DataFrame, log: Log, options: Options, figures: Figures) -> str:
    summary_of = effect.by_knob(table)
    peaks = note(effect.PEAKS) if effect.never_falls(log) else ""
    return peaks + figures.figure(
        lambda look: effect_plot.effect(table, summary_of, look, options.horizon),
        "Severity and fetch share after the plans of each knob",
        f"Means over the {options.horizon} windows after a plan took effect, minus "
        "those before; no further than the next plan for the same knob and node. Other "
        "knobs of the node may have moved meanwhile: this shows what followed, not "
        "what caused it.")


def _comparison(log: Log, options: Options, figures: Figures) -> str:
    assert options.other is not None
    made = compare.compare(log, options.other)
    rows = "".join(f"<tr><th scope='row'>{text(n)}</th><td>{text(a)}</td>"
                   f"<td>{text(b)}</td></tr>" for n, a, b in made.facts)
    return (f"<p>a is this run. {made.same:,} plans are the same, "
            f"{len(made.plans):,} differ.</p>" + figures.figure(
                lambda look: compare_plot.compare(made, look), "Two runs compared",
                "Verdicts by gate, plans by knob, median severity by window.")
            + "<details><summary>The two runs</summary><div class='scroll'><table>"
            "<tr><th></th><th scope='col'>a</th><th scope='col'>b</th></tr>"
            f"{rows}</table></div></details>")


# ---- knobs ----

def _knob_rows(log: Log) -> List[List[str]]:
    every, show = timeline.changes(log), style.show
    plans = timeline.moved_knobs(log)
    newest = log.knobs.drop_duplicates("knob", keep="last").set_index("knob")
    made = []
    for name, mine in every.groupby("knob", sort=False):
        of_job = mine[mine["node"] == ""]["value"].tolist() or [None]
        numbers = [v for v in mine["value"] if isinstance(v, (int, float))
                   and not isinstance(v, bool)]
        reach = f"{show(min(numbers))} .. {show(max(numbers))}" if numbers else "-"
        knob = newest.loc[name] if name in newest.index else None
        allowed = "-"
        if knob is not None and str(knob["range_state"]) == "ok":
            allowed = f"{show(knob['lo'])} .. {show(knob['hi'])}"
        made.append([str(name), str(knob["type"]) if knob is not None else "-", allowed,
                     show(of_job[0]), show(of_job[-1]), reach,
                     f"{int(plans.get(name, 0)):,}"])
    return sorted(made, key=lambda row: natural(row[0]))


def knob_table(log: Log) -> str:
    heads = ["knob", "type", "allowed", "job: first", "job: last", "set to", "plans"]
    head = "".join(f"<th scope='col'>{h}</th>" for h in heads)
    body = "".join("<tr>" + f"<th scope='row'>{text(row[0])}</th>" + "".join(
        f"<td>{text(c)}</td>" for c in row[1:]) + "</tr>" for row in _knob_rows(log))
    return ("<div class='scroll' tabindex='0' role='region' aria-label='Knobs'>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")


# ---- the page ----

def _asset(name: str) -> str:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    with open(path, encoding="utf-8") as f:
        return f.read()


def _css() -> str:
    def block(colours: Any, raised: str) -> str:
        return "".join(f"--{k}:{v};" for k, v in {**colours, "raised": raised}.items())
    light, dark = block(style.LIGHT, "#f3f5f8"), block(style.DARK, "#1a2029")
    return (f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
            f":root[data-theme=light]{{{light}color-scheme:light}}\n"
            f":root[data-theme=dark]{{{dark}color-scheme:dark}}\n" + _asset("page.css"))


def _plans_and_effects(log: Log, options: Options) -> Optional[pd.DataFrame]:
    if not log.file.rows("plans"):
        return None
    return effect.effects(log, windows.survey(log, options.span), options.horizon)


def _changes(log: Log, options: Options, figures: Figures) -> List[Any]:
    """The sections about the objective and what became of changes, where the log has
    them."""
    made = []
    if len(objective.reports(log)):
        made.append(("objective", "The objective", guarded(
            lambda: page_objective.course(log, options.span, figures))))
    if log.file.rows("outcomes"):
        made.append(("outcomes", "What became of the changes", guarded(
            lambda: page_objective.changes(log, options.span, figures))))
    return made


def sections(log: Log, options: Options) -> List[Any]:
    """(id, title, HTML) of every section."""
    figures = Figures()
    try:
        table, why = _plans_and_effects(log, options), "There are no plans."
    except LogError as e:
        table, why = None, str(e)
    made = [("summary", "Summary", guarded(lambda: summary(log, options))),
            *_changes(log, options, figures),
            ("gates", "What stopped at which gate",
             guarded(lambda: _funnel(log, figures))),
            ("map", "Nodes and windows", guarded(lambda: _heat(log, options, figures))),
            ("knobs", "Knobs", guarded(lambda: knob_table(log))
             + guarded(lambda: _timelines(log, options, figures)))]
    if options.other is not None:
        made.insert(1, ("compare", "Two runs",
                        guarded(lambda: _comparison(log, options, figures))))
    if table is None or not len(table):
        return made + [("all-plans", "Plans", note(why) if table is None
                        else "<p>There are no plans in these windows.</p>")]
    kept = table
    return made + [
        ("effect", "What followed the plans",
         guarded(lambda: _effects(kept, log, options, figures))),
        ("all-plans", "Plans", guarded(lambda: page_table.plans(kept, options.plans)))]


def build(log: Log, options: Options) -> str:
    """The page as HTML."""
    parts = sections(log, options)
    script = "\n" + _asset("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    name = text(os.path.basename(log.run.path))
    links = "".join(f'<a href="#{i}">{text(t)}</a>' for i, t, _ in parts)
    body = "".join(f'<section id="{i}"><h2>{text(t)}</h2>{h}</section>'
                   for i, t, h in parts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:">
<link rel="icon" href="data:,">
<title>Decisions: {name}</title>
<style>
{_css()}</style>
</head>
<body>
<header><div><h1>Decisions: {name}</h1>
<p class="soft">{text(log.run.created)}, dfopt-mpi {text(log.run.program_version)}</p>
<nav aria-label="Sections">{links}</nav></div>
<button id="theme" type="button" data-mode="auto" hidden>Colours: auto</button></header>
<main>
{"".join(note(n) for n in log.notes)}
{body}
</main>
<footer>Made by analysis/report.py of dfopt-mpi from {name}; the words are explained in
docs/concepts.md, the verdicts in docs/planner.md.</footer>
<script>{script}</script>
</body>
</html>
"""
