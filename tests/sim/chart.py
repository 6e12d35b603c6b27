"""A chart of probabilities: lines for formulas, marks for what a simulation found, as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 230, 40, 60
LOWEST = -9
"""Decades below one that are shown."""
COLOURS = "#0b5cad", "#b3261e", "#2f7d32", "#7a4fb5", "#b26a00", "#4a5a66"


@dataclass(frozen=True)
class Series:
    """One thing's probability over shares of the seats."""

    name: str
    line: Sequence[tuple[float, float]]
    """Share and probability, by the formula."""
    marks: Sequence[tuple[float, float]]
    """The same, as found; zero where it never came, and no mark is drawn."""


def chart(title: str, below: str, series: Sequence[Series], most: float = 0.5) -> str:
    """Return the picture.

    Args:
        title: above it.
        below: what the horizontal axis shows.
        series: at most as many as there are colours.
        most: the largest share that is shown.
    """
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(share: float) -> str:
        return f"{LEFT + width * share / most:.1f}"

    def y(probability: float) -> str:
        decade = max(log10(probability), LOWEST) if probability else LOWEST
        return f"{TOP + height * decade / LOWEST:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="14">{escape(title)}</text>',
    ]
    for decade in range(LOWEST, 1):
        at, name = y(10.0**decade), "1" if decade == 0 else f"1e{decade}"
        parts.append(
            f'<path d="M{LEFT} {at}H{LEFT + width}" stroke="#dde3e8"/>'
            f'<text x="{LEFT - 8}" y="{at}" dy="4" text-anchor="end">{name}</text>'
        )
    for tenth in range(int(most * 10) + 1):
        share = tenth / 10
        parts.append(
            f'<text x="{x(share)}" y="{TOP + height + 20}" text-anchor="middle">{share:g}</text>'
        )
    middle = f'x="{LEFT + width / 2}" y="{HEIGHT - 16}" text-anchor="middle"'
    parts.append(f"<text {middle}>{escape(below)}</text>")
    for number, (one, colour) in enumerate(zip(series, COLOURS, strict=False)):
        path = "L".join(f"{x(a)} {y(b)}" for a, b in one.line if b >= 10.0**LOWEST)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts += [
            f'<circle cx="{x(a)}" cy="{y(b)}" r="3.5" fill="{colour}"/>'
            for a, b in one.marks
            if b >= 10.0**LOWEST
        ]
        at = TOP + 14 + 22 * number
        parts.append(
            f'<circle cx="{LEFT + width + 18}" cy="{at - 4}" r="3.5" fill="{colour}"/>'
            f'<text x="{LEFT + width + 28}" y="{at}">{escape(one.name)}</text>'
        )
    parts.append("</svg>")
    return "\n".join(parts) + "\n"
