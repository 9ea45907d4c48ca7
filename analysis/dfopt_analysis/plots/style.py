"""What all pictures share: colours, sizes, text, and how they are saved.

Colours are Okabe and Ito's, which stay apart for all common kinds of colour
blindness. Each role has a hex value of its own, so that a picture inside a page can
have them replaced by CSS variables and follow the page's light or dark mode. What
waits (group3) is most of a run and has a quiet one.
"""
import io
import logging
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Dict, List

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..reader import LogError
from ..windows import Axis

LIGHT: Dict[str, str] = {
    "paper": "#fffffe", "ink": "#1b1f24", "soft": "#57606a", "grid": "#d8dee4",
    "value": "#0072b2", "severity": "#d55e00", "plan": "#1b1f25",
    "applied": "#009e73", "rejected": "#b3367a", "other": "#8a6d00",
    "group0": "#9a9a9a", "group1": "#56b4e9", "group2": "#cc79a7",
    "group3": "#a3aecf", "group4": "#009e74", "group5": "#e69f00",
    "group6": "#0072b3", "group7": "#8a5a32", "group8": "#d55e01",
    "group9": "#1b1f26",
}
DARK: Dict[str, str] = {
    "paper": "#0d1117", "ink": "#e6edf3", "soft": "#9aa4af", "grid": "#30363d",
    "value": "#5fb0f0", "severity": "#f0883e", "plan": "#e6edf4",
    "applied": "#2bc79a", "rejected": "#f08bc4", "other": "#d9b84a",
    "group0": "#6e7681", "group1": "#56b4e8", "group2": "#d79ac0",
    "group3": "#56638a", "group4": "#12a67c", "group5": "#e69f01",
    "group6": "#2f7fc1", "group7": "#a8744a", "group8": "#f0883f",
    "group9": "#fffffd",
}
THEMES = {"light": LIGHT, "dark": DARK}
PAGE_INCHES, PHONE_INCHES = 10.4, 3.55
FORMATS = ("svg", "png", "pdf")


@dataclass
class Look:
    """How wide a picture is, and its colours."""
    inches: float = PAGE_INCHES
    theme: str = "light"
    colours: Dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.colours = THEMES[self.theme]

    @property
    def phone(self) -> bool:
        return self.inches < 6

    def __getitem__(self, role: str) -> str:
        return self.colours[role]

    def groups(self) -> List[str]:
        return [c for role, c in self.colours.items() if role.startswith("group")]


def settings(look: Look) -> Dict[str, Any]:
    """matplotlib's settings for a picture."""
    size = 8.0 if look.phone else 9.0
    return {
        "font.family": "DejaVu Sans", "font.size": size, "axes.titlesize": size + 0.5,
        "axes.titleweight": "bold", "axes.titlelocation": "left",
        "axes.labelsize": size, "xtick.labelsize": size - 0.5,
        "ytick.labelsize": size - 0.5, "legend.fontsize": size - 0.5,
        "legend.frameon": False, "axes.spines.top": False,
        "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
        "grid.linewidth": 0.6, "axes.linewidth": 0.8, "lines.linewidth": 1.4,
        "text.color": look["ink"], "axes.labelcolor": look["ink"],
        "axes.titlecolor": look["ink"], "axes.edgecolor": look["soft"],
        "xtick.color": look["soft"], "ytick.color": look["soft"],
        "xtick.labelcolor": look["ink"], "ytick.labelcolor": look["ink"],
        "grid.color": look["grid"], "axes.facecolor": look["paper"],
        "figure.facecolor": look["paper"], "savefig.facecolor": look["paper"],
        "text.parse_math": False, "svg.fonttype": "none",
        "svg.hashsalt": "dfopt", "figure.constrained_layout.use": True,
        "path.simplify_threshold": 0.3,
    }


def figure(look: Look, height: float) -> Figure:
    """An empty picture; draw it inside matplotlib.rc_context(settings(look))."""
    return Figure(figsize=(look.inches, height))


def label(text: object, most: int = 28) -> str:
    """A name as it may stand in a picture: no control characters, not too long."""
    clean = "".join("\ufffd" if unicodedata.category(c).startswith("C") else c
                    for c in str(text))
    if len(clean) <= most:
        return clean
    return clean[:most // 2 - 1] + "…" + clean[-(most - most // 2):]


def node_name(name: str) -> str:
    return name or "(whole job)"


def show(value: object) -> str:
    """A knob's value as people write it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e15 else f"{value:.3e}"
    return str(value)


def count_text(n: float) -> str:
    """1234 -> 1,234; from a million on 1.23 M."""
    return f"{n / 1e6:.3g} M" if n >= 1e6 else f"{int(n):,}"


def window_axis(ax: Any, axis: Axis, named: bool = True) -> None:
    """The x axis: windows of the run."""
    ax.set_xlim(axis.first - 0.5 * axis.width, axis.last + 0.5 * axis.width + 0.01)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    if named:
        wide = f" (bins of {axis.width})" if axis.width > 1 else ""
        ax.set_xlabel("window" + wide)


def counts_axis(axis: Any) -> None:
    axis.set_major_formatter(FuncFormatter(lambda n, _: count_text(n)))


# ---- saving ----

def quiet() -> None:
    """No chatter about fonts on standard error."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _svg(fig: Figure) -> str:
    """A picture as SVG, without what takes room for nothing: a tenth of a point is
    finer than a screen, and names of groups that nothing refers to."""
    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "dfopt"}):
        fig.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r' transform="rotate\(-0 [^"]*"', "", out.getvalue())
    text = re.sub(r'<g id="[^"]*">', "<g>", text)
    return re.sub(r'(?<= )(?:d|x|y|width|height|transform)="[^"]*"',
                  lambda m: re.sub(r"(\.\d)\d+", r"\1", m[0]), text)


def save(fig: Figure, path: str) -> None:
    """Writes a picture; the name's ending says the format. The same picture gives
    the same bytes."""
    kind = path.rpartition(".")[2].lower()
    if kind not in FORMATS:
        raise LogError(f"{path}: the name of a picture ends in .svg, .png or .pdf")
    fresh = {"png": {"Software": None},
             "pdf": {"CreationDate": None, "Producer": None, "Creator": None}}
    try:
        if kind == "svg":
            with open(path, "w", encoding="utf-8") as f:
                f.write(_svg(fig))
        else:
            fig.savefig(path, dpi=144, metadata=fresh[kind])
    except OSError as e:
        raise LogError(f"{path}: {e.strerror}") from None


def inline(fig: Figure, prefix: str, css_class: str, title: str) -> str:
    """A picture as an <svg> element: ids of its own, colours as CSS variables."""
    text = _svg(fig)
    text = text[text.index("<svg"):]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    text = re.sub(r'(?<![\w-])id="([^"]+)"', rf'id="{prefix}\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", text)
    roles = {hexa: role for role, hexa in LIGHT.items()}
    text = re.sub(r"#[0-9a-f]{6}\b",
                  lambda m: f"var(--{roles[m[0]]})" if m[0] in roles else m[0], text)
    box = re.search(r'viewBox="([^"]+)"', text)
    body = text[text.index(">") + 1:]
    return (f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" class="{css_class}" '
            f'role="img" aria-label="{title}" viewBox="{box[1] if box else ""}">'
            + re.sub(r"\n\s*", "\n", body))
