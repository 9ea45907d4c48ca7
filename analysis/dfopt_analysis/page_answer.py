"""The first sentence of the page: whether the run helped, and how sure that is."""
import html
from typing import List

from . import objective
from .frames import Log
from .objective import Claim, Course
from .page_table import percent
from .windows import Span


def _esc(value: object) -> str:
    return html.escape(str(value), quote=True)


def _sentence(bold: str, rest: str) -> str:
    return f'<p class="answer" id="answer"><b>{bold}</b> {rest}</p>'


def _windows(count: int, where: str) -> str:
    return f"{count} window{'s' if count > 1 else ''} {where}"


def _figures(c: Claim, made: Course) -> str:
    return (f"{c.now:.4g} in the {_windows(c.now_n, 'at the end')} against "
            f"{c.base:.4g} in the {_windows(c.base_n, 'before the first plan')} "
            f"({_esc(made.whose)}, medians; {made.wish})")


def _interval(c: Claim) -> str:
    return f"{percent(c.gain)} ± {percent(2 * c.error)[1:]}"


def _claim(c: Claim, made: Course, least: float) -> str:
    if c.error != c.error:
        return _sentence("Not certain whether it helped.",
                         f"The objective changed by {percent(c.gain)}, but too few "
                         f"windows were reported to know its noise: {_figures(c, made)}.")
    if not c.certain:
        return _sentence("Not certain whether it helped.",
                         f"The gain of the objective is {_interval(c)} (two standard "
                         f"errors): {_figures(c, made)}. A certain gain is at least "
                         f"{3 + 6 / (c.base_n + c.now_n):.2g} standard errors and "
                         f"{percent(least)[1:]}.")
    return _sentence("It helped." if c.gain > 0 else "It made things worse.",
                     f"The gain of the objective is {_interval(c)} (two standard "
                     f"errors): {_figures(c, made)}.")


def _nodes(log: Log, span: Span) -> str:
    table = objective.by_node(log, span)
    if len(table) < 2:
        return ""
    better = int((table["certain"] & (table["gain"] > 0)).sum())
    worse = int((table["certain"] & (table["gain"] < 0)).sum())
    return (f"<p>By node: {better} of {len(table)} certainly better, {worse} certainly "
            f"worse, {len(table) - better - worse} not certain.</p>")


def _without(log: Log) -> str:
    """There is no objective: why, and what that means."""
    effect = objective.switch(log, "effect", "severity")
    meaning = ["A finding can show that a symptom went away, not that the job became "
               "faster."]
    if log.run.format_version < 3:
        return _sentence("Whether it helped is not known.",
                         f"Log format {log.run.format_version} holds no objectives. "
                         + meaning[0])
    judged = {"severity": "The planner did not judge changes (effect severity)",
              "trend": "The planner judged changes by findings (effect trend)"}.get(
                  str(effect), "The planner judged changes by findings alone")
    said: List[str] = [f"The run had no objective. {judged}.", *meaning,
                       "To know, let the application report what it achieves "
                       "(docs/client.md), or name a metric of findings in the policy "
                       "(objective_metric)."]
    return _sentence("Whether it helped is not known.", " ".join(said))


def answer(log: Log, span: Span = None) -> str:
    """The sentence, as HTML. It speaks of the windows of span."""
    made = objective.course(log, span)
    if made is None:
        if span and objective.course(log) is not None:
            return _sentence("Whether it helped is not known here.",
                             "No objective was reported in these windows.")
        return _without(log)
    if objective.first_plan(log) is None:
        return _sentence("There was nothing to judge.",
                         "No plan was made; the objective shows what the job achieves "
                         "as it is.")
    found = objective.whole(log, span)
    if found is None:
        return _sentence("Whether it helped is not known.",
                         "No objective was reported on both sides of the first plan, so "
                         "there is nothing to compare.")
    return _claim(found, made, objective.min_effect(log)) + _nodes(log, span)
