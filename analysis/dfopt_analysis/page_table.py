"""The page's table of plans. Without JavaScript it is all there; with it, it sorts
and filters (page.js). Roles are spelled out, because its rows are laid out as grids."""
import html
from typing import Any, Iterable, List, NamedTuple, Tuple

import pandas as pd

from . import outcomes
from .frames import natural
from .plots.style import show


class Column(NamedTuple):
    name: str
    kind: str   # number or text: how it sorts
    css: str


COLUMNS = [Column("Window", "number", "number"), Column("Knob", "text", ""),
           Column("Node", "text", ""), Column("Change", "text", ""),
           Column("Severity", "number", "number"), Column("Ack", "text", ""),
           Column("Outcome", "text", ""), Column("Gain", "number", ""),
           Column("Severity after", "number", ""), Column("Fetch after", "number", ""),
           Column("Why", "text", "full")]
OF_OUTCOMES = ("Outcome", "Gain")


def _esc(value: object) -> str:
    return html.escape(str(value), quote=True)


def _effect(before: float, after: float, n_before: int, n_after: int
            ) -> Tuple[str, str]:
    """(sort key: the difference, what is shown)."""
    if n_after == 0 or n_before == 0:
        return "", "-"
    return (f"{after - before:.6f}",
            f"{after - before:+.2f} <span class='soft'>({before:.2f} → {after:.2f}, "
            f"n={n_before}, {n_after})</span>")


def percent(share: float) -> str:
    """+0.041 -> +4.1 %."""
    return f"{100 * share:+.{0 if abs(share) >= 0.995 else 1}f} %"


def gain_text(gain: float, error: float, certain: bool) -> str:
    """A gain with two standard errors, and whether it is certain."""
    if gain != gain:
        return "-"
    if error != error:
        return f"{percent(gain)}, noise not known"
    return (f"{percent(gain)} ± {percent(2 * error)[1:]}"
            + (", certain" if certain else ", not certain"))


def _outcome(p: Any) -> Tuple[str, str]:
    if not p.outcome:
        return "", "-"
    return str(p.outcome), f"{_esc(p.outcome)}: <b>{outcomes.fate(p.kept)}</b>"


def _gain(p: Any) -> Tuple[str, str]:
    shown = gain_text(p.gain, p.gain_error, p.certain == 1)
    return ("" if p.gain != p.gain else f"{p.gain:.6f}"), shown


def _cells(p: Any) -> Iterable[Tuple[str, str]]:
    """(sort key, HTML) of each column."""
    node = p.node or "(whole job)"
    yield str(p.window), str(p.window)
    yield str(p.knob), _esc(p.knob)
    yield ("" if not p.node else p.node), _esc(node)
    yield show(p.new), f"{_esc(show(p.old))} → <b>{_esc(show(p.new))}</b>"
    yield f"{p.severity:.6f}", f"{p.severity:.2f}"
    yield str(p.ack), _esc(p.ack)
    yield _outcome(p)
    yield _gain(p)
    yield _effect(p.severity_before, p.severity_after, p.windows_before,
                  p.windows_after)
    yield _effect(p.fetch_before, p.fetch_after, p.fetch_windows_before,
                  p.fetch_windows_after)
    yield str(p.rationale), f"{_esc(p.rationale)} <code>{_esc(p.plan_id)}</code>"


def _row(p: Any, columns: List[Column]) -> str:
    cells = "".join(
        f'<td role="cell" data-label="{c.name}" data-v="{_esc(key)}"'
        + (f' class="{c.css}"' if c.css else "") + f">{shown}</td>"
        for c, (key, shown) in zip(COLUMNS, _cells(p)) if c in columns)
    return (f'<tr role="row" data-knob="{_esc(p.knob)}" data-node="{_esc(p.node)}" '
            f'data-ack="{_esc(p.ack)}">{cells}</tr>\n')


def _select(name: str, label: str, values: List[Tuple[str, str]]) -> str:
    options = "".join(f'<option value="{_esc(v)}">{_esc(t)}</option>'
                      for v, t in values)
    return (f'<label>{label}<select id="{name}"><option value="">all</option>'
            f"{options}</select></label>")


def _tools(table: pd.DataFrame, columns: List[Column]) -> str:
    knobs = sorted({str(k) for k in table["knob"]}, key=natural)
    nodes = sorted({str(n) for n in table["node"]}, key=natural)
    acks = sorted({str(a) for a in table["ack"]})
    named = "".join(f'<option value="{i}">{c.name}</option>'
                    for i, c in enumerate(columns))
    return (
        '<div class="tools" id="tools" role="search" aria-label="Plans" hidden>'
        '<label class="text">Find<input id="find" type="search" '
        'autocomplete="off" spellcheck="false"></label>'
        + _select("by-knob", "Knob", [(k, k) for k in knobs])
        # "=" before the name: the whole job has none, and "" is: all.
        + _select("by-node", "Node", [("=" + n, n or "(whole job)") for n in nodes])
        + _select("by-ack", "Ack", [(a, a) for a in acks])
        + '<label class="onphone">Sort by<select id="sort">'
        f'<option value="-1">event</option>{named}</select></label>'
        '<button class="onphone" id="turn" type="button">ascending</button>'
        '<button id="clear" type="button">Clear</button></div>'
        '<p id="status" role="status" aria-live="polite" class="soft"></p>')


def plans(table: pd.DataFrame, most: int) -> str:
    """table: effect.effects. Where there are more plans than `most`, the most severe
    are shown, in the order of events."""
    said = ""
    kept = table
    if len(table) > most:
        order = table["severity"].sort_values(ascending=False, kind="stable")
        kept = table.loc[order.index[:most]].sort_index()
        said = (f"<p>The {most:,} most severe of {len(table):,} plans (--plans shows "
                "more; <code>effect.py --csv</code> writes all).</p>")
    judged = bool(kept["outcome"].notna().any())
    columns = [c for c in COLUMNS if judged or c.name not in OF_OUTCOMES]
    heads = "".join(
        f'<th role="columnheader" scope="col" data-kind="{c.kind}" aria-sort="none">'
        f'<button type="button">{c.name}</button></th>' for c in columns)
    rows = "".join(_row(p, columns) for p in kept.itertuples(index=False))
    said += ("<p class='soft'>Severity and fetch after: the difference (means before → "
             "after, n: windows with a value before, after)."
             + (" Gain: of the objective, as a share of its value before, with two "
                "standard errors." if judged else "") + "</p>")
    return (f'{said}{_tools(kept, columns)}<table id="plans" role="table" '
            f'aria-label="Plans"{" class=judged" if judged else ""}>'
            f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead>'
            f'<tbody role="rowgroup">\n{rows}</tbody></table>'
            '<button class="more" id="more" type="button" hidden>Show more</button>')
