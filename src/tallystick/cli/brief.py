"""Tables that fit 100 columns: of each row what answers first; `--wide` has the rest.

Strangers' names are cut and stand without what a terminal would obey; where there is still no room,
columns go in an order that each table has, and it is said which.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from tallystick.cli.human import count
from tallystick.cli.output import Row
from tallystick.protocol.hexes import to_hex

WIDTH = 100
LEAST_NAME = 8
"""Columns that are left to a name, whatever stands beside it."""

COUNTERS = (
    "committed",
    "unchallenged",
    "audited",
    "enclave",
    "proven",
    "rejected",
    "unresolved",
    "open",
    "verified",
)
SPARE = ("unresolved", "unchallenged", "proven", "enclave", "open", "rejected", "audited")
"""Counters, those first that a narrow table can best do without."""
wide_option = click.option("--wide", is_flag=True, help="All columns, however wide; ids in full.")


@dataclass(frozen=True)
class Column:
    """One column: how a row's text is made, and how it is drawn."""

    heading: str
    text: Callable[[Row], str]
    right: bool = False
    style: Callable[[Row], str] = field(default=lambda _: "")


@dataclass(frozen=True)
class Brief:
    """A table in brief.

    Args:
        columns: by the name that `spare` has of them, in order.
        name: the column that is cut where there is no room; "": none.
        spare: columns to leave out, in this order, where that isn't enough.
    """

    columns: Mapping[str, Column]
    name: str = ""
    spare: Sequence[str] = ()

    def lines(self, rows: Sequence[Row], colour: bool = False) -> tuple[list[str], list[str]]:
        """Return the table's lines, and the headings of the columns that found no room."""
        columns, left_out = dict(self.columns), list[str]()
        cells = {key: [plain(one.text(row)) for row in rows] for key, one in columns.items()}
        widths = {
            key: max(map(cell_len, [columns[key].heading, *texts])) for key, texts in cells.items()
        }
        least = min(LEAST_NAME, widths.get(self.name, 0))
        for spare in (None, *(one for one in self.spare if one in columns)):
            if spare is not None:
                left_out.append(columns.pop(spare).heading)
            others = sum(widths[key] for key in columns if key != self.name)
            room = WIDTH - others - (len(columns) - 1)
            if room >= least:
                break
        if self.name in columns:
            widths[self.name] = min(widths[self.name], max(room, least))
        drawn = [[_fit(one.heading, widths[key], one.right) for key, one in columns.items()]]
        styles = [["bold"] * len(columns)]
        for place, row in enumerate(rows):
            drawn.append(
                [_fit(cells[key][place], widths[key], one.right) for key, one in columns.items()]
            )
            styles.append([one.style(row) for one in columns.values()])
        return [_line(*line, colour=colour) for line in zip(drawn, styles, strict=True)], left_out

    def show(self, rows: Sequence[Row]) -> None:
        """Print the table, coloured where a terminal is, and what it leaves out on stderr."""
        if not rows:
            click.echo("none", err=True)
            return
        lines, left_out = self.lines(rows, coloured())
        click.echo("\n".join(lines), color=True)
        if left_out:
            click.echo(f"no room for {', '.join(left_out)}; --wide has all", err=True)


def coloured() -> bool:
    """Return whether stdout is a terminal whose user has not said NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def counters(rows: Sequence[Row]) -> dict[str, Column]:
    """Return the columns of a network's counters; of some that are zero everywhere none."""
    found = {}
    for name in COUNTERS:
        seldom = name in ("enclave", "proven", "unresolved")
        if all(row.get(name) is None or (seldom and not row[name]) for row in rows):
            continue
        style = "bold" if name == "verified" else "red" if name == "rejected" else ""
        found[name] = Column(name, _count_of(name), True, _where(name, style))
    return found


def short(value: Any) -> str:
    """Return the beginning of an id or address.

    >>> short(bytes(32))
    '0x00000000…'
    """
    text = to_hex(value) if isinstance(value, bytes) else str(value)
    return f"{text[:10]}…"


def plain(text: str) -> str:
    """Return a text without what a terminal would obey, or turns around.

    >>> plain("a" + chr(27) + "[31m" + chr(0x202E))
    'a?[31m?'
    """
    return "".join(one if one.isprintable() else "?" for one in text)


def _count_of(name: str) -> Callable[[Row], str]:
    return lambda row: count(row[name])


def _where(name: str, style: str) -> Callable[[Row], str]:
    return lambda row: style if row[name] else ""


def _fit(text: str, width: int, right: bool) -> str:
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - length) + text if right else text + " " * (width - length)


def _line(cells: Sequence[str], styles: Sequence[str], colour: bool) -> str:
    if not colour:
        return " ".join(cells).rstrip()
    line = Text(" ").join(Text(cell, style) for cell, style in zip(cells, styles, strict=True))
    console = Console(force_terminal=True, color_system="standard", width=1_000, no_color=False)
    with console.capture() as capture:
        console.print(line, end="", soft_wrap=True)
    return capture.get().rstrip()
