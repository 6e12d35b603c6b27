"""Results as a table for people, or as JSON, CSV or Parquet for programs."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from tallystick.errors import TallystickError
from tallystick.protocol.hexes import checksummed, to_hex

Row = Mapping[str, Any]

FORMATS = ("table", "json", "csv", "parquet")


class OutputError(TallystickError, ValueError):
    """A result cannot be written as asked for."""


def show(result: Row | Sequence[Row], as_json: bool) -> None:
    """Print one result, or a list of alike ones, to stdout; bytes as hex text."""
    click.echo(json.dumps(plain(result), indent=2) if as_json else _table(result))


def write(rows: Sequence[Row], form: str, path: Path | None = None) -> None:
    """Write alike rows to a file, or to stdout; whole numbers of any size stay exact.

    Args:
        rows: by column.
        form: one of FORMATS.
        path: None for stdout; Parquet needs one.

    Raises:
        OutputError: Parquet without a path.
    """
    if form == "parquet":
        if path is None:
            raise OutputError("Parquet is no text; needed: --output FILE")
        _parquet(rows, path)
        return
    text = {"table": _table, "json": _json, "csv": _csv}[form](rows)
    if path is None:
        click.echo(text)
    else:
        path.write_text(text + "\n")


def write_tables(groups: Mapping[str, Sequence[Row]], path: Path | None = None) -> None:
    """Write a table for each group of alike rows under its heading; a group without rows has none.

    Args:
        groups: rows by heading.
        path: None for stdout.
    """
    text = "\n\n".join(f"{name}\n{_table(rows)}" for name, rows in groups.items() if rows)
    if path is None:
        click.echo(text)
    else:
        path.write_text(text + "\n")


def _json(rows: Sequence[Row]) -> str:
    return json.dumps(plain(rows), indent=2)


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue().rstrip("\n")


def _parquet(rows: Sequence[Row], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    def fit(value: Any) -> Any:
        # Amounts may exceed 64 bits; a column of them is decimal then.
        return Decimal(value) if isinstance(value, int) and abs(value) >= 2**63 else value

    columns: dict[str, list[Any]] = {name: [] for name in (rows[0] if rows else ())}
    for row in rows:
        for name, value in row.items():
            columns[name].append(plain(value) if isinstance(value, bytes) else value)
    for name, values in columns.items():
        if any(isinstance(fit(value), Decimal) for value in values):
            columns[name] = [
                Decimal(value) if isinstance(value, int) else value for value in values
            ]
        elif any(isinstance(value, Mapping | list | tuple) for value in values):
            columns[name] = [json.dumps(plain(value)) for value in values]
    parquet.write_table(pa.table(columns), path)


def _table(result: Row | Sequence[Row]) -> str:
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
    console = Console(soft_wrap=True, width=800, highlight=False, markup=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def plain(value: Any) -> Any:
    """Return a value as JSON has it: bytes as hex text, addresses with their checksum."""
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, bytes):
        return checksummed(value) if len(value) == 20 else to_hex(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        # An amount, exact; Arrow's decimals have no fraction here.
        return int(value)
    return value


def _cell(value: Any) -> Any:
    found = plain(value)
    return json.dumps(found) if isinstance(found, Mapping | list) else found


def _text(value: Any) -> str:
    plain = _cell(value)
    if isinstance(plain, float):
        return f"{plain:.4g}"
    return "-" if plain is None else str(plain)


def teller(as_json: bool) -> Callable[[str, dict[str, Any]], None]:
    """Return what prints events on stderr: a line of text each, or of JSON."""

    def tell(event: str, facts: dict[str, Any]) -> None:
        found = plain(facts)
        if as_json:
            line = json.dumps({"event": event, **found})
        else:
            line = ", ".join([event, *(f"{name} {value}" for name, value in found.items())])
        click.echo(line, err=True)

    return tell
