#!/usr/bin/env python3
"""Draws what a terminal shows as an SVG picture: standard input is the output of

    tmux capture-pane -p -e

and standard output the picture.
"""
import re
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 7.8, 17, 10  # of a character; pixels
PAPER, INK = "#ffffff", "#1c1c1c"
COLORS = {"31": "#c01c28", "32": "#1a7f37", "33": "#9a6700"}


def cells(line):
    """(text, codes) of each run of the same style."""
    codes = set()
    for code, text in re.findall(r"\x1b\[([0-9;]*)m|([^\x1b]+)", line):
        if text:
            yield text, frozenset(codes)
            continue
        for one in (code or "0").split(";"):
            if one in ("0", ""):
                codes.clear()
            elif one == "39":
                codes -= set(COLORS)
            else:
                codes.add(one)


def run_of(column, row, text, codes):
    x, y = MARGIN + column * WIDTH, MARGIN + row * HEIGHT
    back = ""
    ink = next((COLORS[c] for c in COLORS if c in codes), INK)
    if "7" in codes:
        back = f'<rect x="{x:.1f}" y="{y}" width="{len(text) * WIDTH:.1f}" ' \
               f'height="{HEIGHT}" fill="{ink}"/>'
        ink = PAPER
    style = ' font-weight="bold"' if "1" in codes else ""
    style += ' opacity="0.6"' if "2" in codes else ""
    return f'{back}<text x="{x:.1f}" y="{y + 13}" fill="{ink}"{style} xml:space="preserve" ' \
           f'textLength="{len(text) * WIDTH:.1f}">{escape(text)}</text>'


def main():
    body, widest, row = [], 0, 0
    for row, line in enumerate(sys.stdin.read().rstrip("\n").split("\n")):
        column = 0
        for text, codes in cells(line):
            if text.strip() or "7" in codes:
                body.append(run_of(column, row, text, codes))
            column += len(text)
        widest = max(widest, column)
    width, height = 2 * MARGIN + widest * WIDTH, 2 * MARGIN + (row + 1) * HEIGHT
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
          f'font-family="DejaVu Sans Mono, monospace" font-size="13">')
    print(f'<rect width="100%" height="100%" fill="{PAPER}" stroke="#888888"/>')
    print("\n".join(body), "</svg>", sep="\n")


if __name__ == "__main__":
    main()
