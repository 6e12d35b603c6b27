"""Results as a table for people, or as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from tallystick.hexes import checksummed, to_hex

Row = Mapping[str, Any]


def show(result: Row | Sequence[Row], as_json: bool) -> None:
    """Print one result, or a list of alike ones, to stdout; bytes as hex text."""
    if as_json:
        click.echo(json.dumps(_plain(result), indent=2))
        return
    table = Table(show_header=not isinstance(result, Mapping), box=None, pad_edge=False)
    if isinstance(result, Mapping):
        for name, value in result.items():
            table.add_row(name.replace("_", " "), _text(value))
    else:
        for name in result[0] if result else []:
            table.add_column(name.replace("_", " "))
        for row in result:
            table.add_row(*(_text(value) for value in row.values()))
    # Ids are not to be cut, whatever the width of the terminal; a pipe has none.
    console = Console(soft_wrap=True, width=400, highlight=False, markup=False)
    with console.capture() as capture:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, bytes):
        return checksummed(value) if len(value) == 20 else to_hex(value)
    return value


def _text(value: Any) -> str:
    plain = _plain(value)
    if isinstance(plain, Mapping | list):
        return json.dumps(plain)
    return "-" if plain is None else str(plain)
