"""A network's chart for other people's pages: HTML without a script, so any sandbox shows it."""

from collections.abc import Iterator, Sequence
from datetime import date
from html import escape

from tallystick.dashboard import sign
from tallystick.dashboard.badge import MARK, short
from tallystick.dashboard.card import Card, card_of
from tallystick.dashboard.linked import UP
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.periods import TREND
from tallystick.dashboard.site import Site
from tallystick.dashboard.snapshot import Snapshot
from tallystick.data.resolvers.kinds import GRADES

_POLICY = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'"
POLICY = f"{_POLICY}; form-action 'none'; frame-ancestors *"
"""Of the answer's header: anybody may frame this, and nothing else."""
_WIDTH, _HEIGHT, _LEFT, _TOP, _FOOT = 480, 208, 40, 10, 24
_TICKS = 3
_LABELS = (0, 7, 14, 22, 29)
_GAP = 1


def embed(snapshot: Snapshot, key: NetworkKey, site: Site) -> str:
    """Return a network's chart and its number as a page of its own, 520 pixels wide."""
    card = card_of(snapshot, key)
    home = f"{site.url}/#/network/{key.path}" if site.url else f"{UP}#/network/{key.path}"
    body = "".join(_shown(card) if card.verified is not None else _unranked(card))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
        f"<title>{escape(card.title)}: verified inferences</title>"
        f'<link rel="icon" href="{UP}icon.svg" type="image/svg+xml">'
        f'<link rel="stylesheet" href="{UP}tokens.css"><link rel="stylesheet" '
        f'href="{UP}embed.css"></head>\n<body><main><header>{_sign(key)}<div>'
        f"<h1>{escape(card.title)}</h1>"
        f"<p>{escape(card.about)}</p></div>{body}<footer>{_legend(card)}"
        f'<a href="{escape(home)}" target="_blank" rel="noopener">'
        f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{MARK}"/></svg>Tallystick</a>'
        f'<p class="as-of">As of {escape(card.as_of)}</p></footer></main></body></html>\n'
    )


def _shown(card: Card) -> Iterator[str]:
    change = ""
    if card.change is not None:
        way = "▲ " if card.change > 0 else "▼ " if card.change < 0 else ""
        change = f"<span>{way}{abs(card.change):.1%}</span>".replace("%", " %")
    yield f'<p class="sum"><strong>{card.verified:,}</strong>{change}</p></header>'
    yield "<p>Verified inferences a day, last 30 days</p>"
    most = max(*card.trend, 1)
    words = f"Verified inferences a day by grade, {card.days[0][0]} to {card.days[-1][0]}"
    yield (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{words}; most on a day {most:,}">'
    )
    yield from _axes(_top(most), [day for day, _ in card.days])
    yield from _columns(card, _top(most))
    yield "</svg>"


def _unranked(card: Card) -> Iterator[str]:
    yield '<p class="sum"><strong>Unranked</strong></p></header>'
    yield f"<p>{escape(card.why[:1].upper() + card.why[1:])}.</p>"


def _top(most: int) -> int:
    """Return the axis's end: a round number of steps that is no less.

    >>> [_top(most) for most in (1, 3, 7, 50, 49_000)]
    [3, 3, 15, 60, 60000]
    """
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            if step * _TICKS >= most:
                return step * _TICKS
        size *= 10


def _y(count: float, top: int) -> float:
    return _TOP + (_HEIGHT - _TOP - _FOOT) * (1 - count / top)


def _x(at: float) -> float:
    return _LEFT + (_WIDTH - _LEFT) * at / TREND


def _axes(top: int, days: Sequence[date]) -> Iterator[str]:
    for tick in range(_TICKS + 1):
        count = top * tick // _TICKS
        y = _y(count, top)
        yield f'<path class="line" d="M{_LEFT} {y:.1f}H{_WIDTH}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{short(count)}</text>'
    for at in _LABELS:
        side = "end" if at == TREND - 1 else "middle"
        x = _WIDTH if side == "end" else max(_x(at + 0.5), _LEFT + 16)
        yield f'<text x="{x:.1f}" y="{_HEIGHT - 6}" text-anchor="{side}">{days[at]:%-d %b}</text>'


def _columns(card: Card, top: int) -> Iterator[str]:
    width = (_WIDTH - _LEFT) / TREND * 0.78
    for at, (day, grades) in enumerate(card.days):
        told = [(name, grades.get(name, 0)) for name in GRADES.values() if grades.get(name, 0)]
        if not told:
            continue
        words = ", ".join(f"{name} {count:,}" for name, count in told)
        yield f"<g><title>{day:%-d %b}: {words}</title>"
        under = 0
        for name, count in told:
            high = _y(under + count, top)
            low = _y(under, top) - (_GAP if under else 0)
            under += count
            yield (
                f'<rect class="{name}" x="{_x(at + 0.11):.1f}" y="{high:.1f}" '
                f'width="{width:.1f}" height="{max(low - high, 0.5):.1f}"/>'
            )
        yield "</g>"


def _sign(key: NetworkKey) -> str:
    drawn = "".join(
        f'<rect x="{left}" y="{top:.1f}" width="{sign.WIDE}" height="{height:.1f}" rx="1"/>'
        for left, top, height in sign.notches(key.network_id)
    )
    ground = f'<rect class="ground" width="{sign.SIZE}" height="{sign.SIZE}" rx="{sign.ROUND}"/>'
    box = f"0 0 {sign.SIZE} {sign.SIZE}"
    return f'<svg class="sign" viewBox="{box}" aria-hidden="true">{ground}{drawn}</svg>'


def _legend(card: Card) -> str:
    return "".join(
        f'<span><i class="{name}"></i>{name.capitalize()} {count:,}</span>'
        for name, count in card.grades.items()
    )
