"""A badge of 20 pixels' height for other people's pages: what a network verified in 30 days."""

from collections.abc import Mapping
from typing import Any

PERIOD = "30d"
_LABEL = "verified inferences"
_HEIGHT, _PAD, _LETTER, _MARK = 20, 6, 6.1, 16
_DARK, _GREEN, _GREY = "#33312c", "#0b5d45", "#6b675e"
MARK = (
    "M1 3.6h22v7.7h-.6L17 6.1l-5.2 5.2h-.9L7.3 7.4l-3.7 3.9H1z"
    "M1 20.4h22v-7.7h-.6L17 17.9l-5.2-5.2h-.9l-3.6 3.9-3.7-3.9H1z"
)
"""The project's mark, as a path on a grid of 24."""


def badge(network: Mapping[str, Any]) -> str:
    """Return an SVG that says what a network verified; no stranger's word is in it.

    Args:
        network: of Snapshot.in_period.
    """
    if not network["ranked"]:
        return _drawn("unranked", _GREY)
    if not network["closed"]:
        return _drawn("not available", _GREY)
    return _drawn(f"{short(network['known_verified'])} in 30 d", _GREEN)


def short(count: int) -> str:
    """Return a count in three digits.

    >>> [short(count) for count in (0, 9_999, 12_345, 999_999, 1_214_300)]
    ['0', '9,999', '12.3 k', '1 M', '1.21 M']
    """
    if count < 10_000:
        return f"{count:,}"
    for size, unit in ((10**3, "k"), (10**6, "M"), (10**9, "G")):
        rounded = float(f"{count / size:.3g}")
        if rounded < 1_000:
            return f"{rounded:g} {unit}"
    return f"{count / 10**9:,.0f} G"


def _drawn(says: str, colour: str) -> str:
    left = _MARK + 2 * _PAD + len(_LABEL) * _LETTER
    right = 2 * _PAD + len(says) * _LETTER
    text = 'y="14" fill="#fff" font-family="system-ui, sans-serif" font-size="11"'
    spread = 'lengthAdjust="spacingAndGlyphs"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right:.0f}" height="{_HEIGHT}" '
        f'role="img" aria-label="{_LABEL}: {says}"><title>{_LABEL}: {says}</title>'
        f'<rect width="{left + right:.0f}" height="{_HEIGHT}" rx="3" fill="{_DARK}"/>'
        f'<path d="M{left:.1f} 0h{right - 3:.1f}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h{3 - right:.1f}z" '
        f'fill="{colour}"/>'
        f'<path transform="translate({_PAD} 4) scale(.5)" fill="#fff" d="{MARK}"/>'
        f'<text x="{_MARK + _PAD}" {text} textLength="{len(_LABEL) * _LETTER:.1f}" {spread}>'
        f"{_LABEL}</text>"
        f'<text x="{left + _PAD:.1f}" {text} textLength="{len(says) * _LETTER:.1f}" {spread}>'
        f"{says}</text></svg>"
    )
