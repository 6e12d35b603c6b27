"""A picture of a card, 1200 x 630 pixels: what other sites show beside a link to the page."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tallystick.dashboard import sign
from tallystick.dashboard.card import Card
from tallystick.data.resolvers.kinds import GRADES
from tallystick.errors import TallystickError

SIZE = (1200, 630)
_FINER = 2
"""Pixels are drawn in so many by so many: of shapes PIL smooths no edge."""
_FONT = "page/vendor/instrument-sans/instrument-sans-latin-wght-normal.woff2"
_LEFT, _RIGHT = 64, 1136
_PAPER, _SUNK, _LINE, _EDGE = "#faf9f6", "#f2f0ea", "#e2dfd6", "#e3e0d7"
_INK, _INK2, _ACCENT = "#1a1916", "#55524a", "#0b5d45"
_COLOURS = {"audited": "#2b7bd0", "enclave": "#bf7500", "proven": "#4b2384"}
_HALF = [(1, 3.6), (23, 3.6), (23, 11.3), (22.4, 11.3), (17, 6.1), (11.8, 11.3), (10.9, 11.3)]
_HALF += [(7.3, 7.4), (3.6, 11.3), (1, 11.3)]
_NO_LETTER = "\U0010ffff"
_LIGHT, _BOLD = 400, 650

Point = tuple[float, float]


class PreviewError(TallystickError, RuntimeError):
    """A picture that can't be drawn here."""


def preview(card: Card) -> bytes:
    """Return the picture of a card, as PNG; equal cards give equal bytes.

    Raises:
        PreviewError: this build of Pillow reads no font.
    """
    pen = _Pen()
    pen.mark(_LEFT, 50, 40)
    pen.text(_LEFT + 56, 73, "Tallystick", 27, _BOLD)
    pen.text(_RIGHT, 73, pen.cut(card.as_of, 23, 760), 23, colour=_INK2, anchor="rm")
    left = _LEFT
    if card.key:
        pen.sign(_LEFT, 148, 66, card.key.network_id)
        left += 90
    pen.text(left, 167, pen.name(card, _RIGHT - left), 44, _BOLD)
    pen.text(left, 207, card.about, 23, colour=_INK2)
    if card.verified is None:
        pen.text(_LEFT - 3, 312, "Unranked", 96, _BOLD)
        pen.lines(_LEFT, 390, f"{card.why[:1].upper()}{card.why[1:]}.", 26, 4)
        return pen.png()
    pen.text(_LEFT - 3, 312, f"{card.verified:,}", 104, _BOLD, most=600)
    pen.text(_LEFT, 391, "verified inferences in 30 days", 26, colour=_INK2)
    if card.change is not None:
        pen.change(_LEFT + pen.width("verified inferences in 30 days  ", 26), 391, card.change)
    pen.trend(708, 280, 421, 130, card.trend)
    pen.bar(449, 26, card.grades)
    pen.legend(507, card.grades)
    pen.lines(_LEFT, 562, " ".join(card.sentences), 23, 2)
    return pen.png()


@dataclass
class _Pen:
    """A sheet, and what is drawn on it; places are in pixels of the picture."""

    sheet: Image.Image = field(
        default_factory=lambda: Image.new("RGB", (SIZE[0] * _FINER, SIZE[1] * _FINER), _PAPER)
    )
    fonts: dict[tuple[int, int], ImageFont.FreeTypeFont] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.draw = ImageDraw.Draw(self.sheet)

    def font(self, size: int, weight: int) -> ImageFont.FreeTypeFont:
        if (size, weight) not in self.fonts:
            try:
                font = ImageFont.truetype(
                    Path(__file__).parent / _FONT,
                    size * _FINER,
                    layout_engine=ImageFont.Layout.BASIC,
                )
                font.set_variation_by_axes([weight])
            except (OSError, ImportError, NotImplementedError) as error:
                raise PreviewError(
                    f"Pillow reads no font here ({error}); needed: Pillow's own wheel"
                ) from error
            self.fonts[size, weight] = font
        return self.fonts[size, weight]

    def width(self, words: str, size: int, weight: int = _LIGHT) -> float:
        return self.font(size, weight).getlength(words) / _FINER

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: int,
        weight: int = _LIGHT,
        colour: str = _INK,
        anchor: str = "lm",
        most: float = SIZE[0],
    ) -> None:
        """Write a line around a height; smaller where it would be wider than `most`."""
        while self.width(words, size, weight) > most:
            size -= 2
        # Around the middle of capitals, whatever letters there are.
        font = self.font(size, weight)
        place = x * _FINER, y * _FINER + font.getbbox("H", anchor="ls")[1] / -2
        self.draw.text(place, words, font=font, fill=colour, anchor=f"{anchor[0]}s")

    def name(self, card: Card, most: float) -> str:
        """Return a card's title as far as there is room; the id where the font lacks a letter."""
        font = self.font(44, _BOLD)
        lacking = bytes(font.getmask(_NO_LETTER))
        drawn = all(
            letter.isspace() or bytes(font.getmask(letter)) != lacking for letter in card.title
        )
        if not drawn and card.key:
            return f"{card.key.network_id[:8]}…{card.key.network_id[-4:]}"
        return self.cut(card.title, 44, most, _BOLD)

    def cut(self, words: str, size: int, most: float, weight: int = _LIGHT) -> str:
        if self.width(words, size, weight) <= most:
            return words
        while words and self.width(f"{words}…", size, weight) > most:
            words = words[:-1]
        return f"{words.rstrip()}…"

    def lines(self, x: float, y: float, words: str, size: int, most: int) -> None:
        """Write some lines at most; what is left over is cut."""
        rest = words.split()
        for number in range(most):
            line = rest.pop(0) if rest else ""
            last = number == most - 1
            while rest and (last or self.width(f"{line} {rest[0]}", size) <= _RIGHT - x):
                line += f" {rest.pop(0)}"
            room = _RIGHT - x
            self.text(x, y + number * size * 1.4, self.cut(line, size, room), size, colour=_INK2)

    def shape(self, points: Sequence[Point], colour: str) -> None:
        self.draw.polygon([(x * _FINER, y * _FINER) for x, y in points], fill=colour)

    def box(
        self, x: float, y: float, width: float, height: float, round_: float, *colours: str
    ) -> None:
        """Draw a box in one colour, with an edge in the second if there is one."""
        self.draw.rounded_rectangle(
            [x * _FINER, y * _FINER, (x + width) * _FINER - 1, (y + height) * _FINER - 1],
            round_ * _FINER,
            fill=colours[0],
            outline=colours[1] if len(colours) > 1 else None,
            width=2 * _FINER,
        )

    def mark(self, x: float, y: float, size: float) -> None:
        for half in (_HALF, [(across, 24 - down) for across, down in _HALF]):
            points = [(x + across * size / 24, y + down * size / 24) for across, down in half]
            self.shape(points, _ACCENT)

    def sign(self, x: float, y: float, size: float, network_id: str) -> None:
        """Draw a network's sign."""
        self.box(x, y, size, size, size * sign.ROUND / sign.SIZE, _SUNK, _EDGE)
        unit = size / sign.SIZE
        for left, top, height in sign.notches(network_id):
            self.box(x + left * unit, y + top * unit, sign.WIDE * unit, height * unit, unit, _INK2)

    def change(self, x: float, y: float, value: float) -> None:
        """Tell the change against the 30 days before; the font has no triangle."""
        if value:
            tip, foot = (y - 9, y + 9) if value > 0 else (y + 9, y - 9)
            self.shape([(x, foot), (x + 20, foot), (x + 10, tip)], _INK2)
            x += 28
        self.text(x, y, f"{abs(value):.1%}".replace("%", " %"), 26, colour=_INK2)

    def trend(self, x: float, y: float, width: float, height: float, days: Sequence[int]) -> None:
        """Draw a line of days above zero; a dot is the last one."""
        most, step = max(*days, 1), width / max(1, len(days) - 1)
        line = [(x + at * step, y + height * (1 - one / most)) for at, one in enumerate(days)]
        self.shape([(x, y + height), *line, (x + width, y + height)], _LINE)
        points = [(across * _FINER, down * _FINER) for across, down in line]
        self.draw.line(points, fill=_INK2, width=3 * _FINER, joint="curve")
        self.dot(*line[-1], 5, _INK)

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        ends = [(x - radius) * _FINER, (y - radius) * _FINER]
        ends += [(x + radius) * _FINER, (y + radius) * _FINER]
        self.draw.ellipse(ends, fill=colour)

    def bar(self, y: float, height: float, grades: dict[str, int]) -> None:
        """Draw the grades' shares of what is verified; an empty track where nothing is."""
        shown = {name: count for name, count in grades.items() if count}
        if not shown:
            self.box(_LEFT, y, _RIGHT - _LEFT, height, 3, _SUNK)
            return
        room, x = _RIGHT - _LEFT - 4 * (len(shown) - 1), float(_LEFT)
        least, whole = 6, sum(shown.values())
        widths = {name: max(least, room * count / whole) for name, count in shown.items()}
        over = sum(widths.values()) - room
        widths[max(widths, key=lambda name: widths[name])] -= over
        for name, width in widths.items():
            self.box(x, y, width, height, 3, _COLOURS[name])
            x += width + 4

    def legend(self, y: float, grades: dict[str, int]) -> None:
        """Tell the grades, each by its shape, its word and its count."""
        x = float(_LEFT)
        for name in (one for one in GRADES.values() if one in grades):
            middle = x + 9
            if name == "audited":
                self.dot(middle, y, 8.5, _COLOURS[name])
            else:
                reach = 9 if name == "enclave" else 8
                corners = [(-reach, 0), (0, -reach), (reach, 0), (0, reach)]
                if name == "proven":
                    corners = [(-8, -8), (8, -8), (8, 8), (-8, 8)]
                self.shape(
                    [(middle + across, y + down) for across, down in corners], _COLOURS[name]
                )
            x += 28
            self.text(x, y, name.capitalize(), 23)
            x += self.width(f"{name.capitalize()}  ", 23)
            self.text(x, y, f"{grades[name]:,}", 23, _BOLD)
            x += self.width(f"{grades[name]:,}", 23, _BOLD) + 36

    def png(self) -> bytes:
        found = io.BytesIO()
        self.sheet.resize(SIZE, Image.Resampling.BOX).save(found, "PNG", optimize=True)
        return found.getvalue()
