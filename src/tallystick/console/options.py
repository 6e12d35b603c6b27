"""Options that commands share: the data folder, RPC URLs, formats, days."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from tallystick.errors import FieldError
from tallystick.hexes import from_hex
from tallystick.output import FORMATS

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

data_option: Option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default="data",
    show_default=True,
    envvar="TALLYSTICK_DATA",
    help="Data folder.",
)


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --format and --output."""
    form = click.option(
        "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True
    )
    path = click.option(
        "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; else stdout."
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
    return form(path(as_json(function)))


class Day(click.ParamType):
    """A UTC day."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; needed: {self.name}", param, ctx)


class _Hex(click.ParamType):
    length: int

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return the bytes."""
        if isinstance(value, bytes):
            return value
        try:
            return from_hex(value, self.length, "it")
        except FieldError as error:
            self.fail(str(error), param, ctx)


class Address(_Hex):
    """20 bytes as hex text."""

    name, length = "address", 20


class Bytes32(_Hex):
    """32 bytes as hex text."""

    name, length = "bytes32", 32


since_option: Option = click.option("--since", type=Day(), help="First day (UTC) that counts.")
until_option: Option = click.option("--until", type=Day(), help="First day that does not.")
rpc_option: Option = click.option(
    "--rpc",
    "rpcs",
    multiple=True,
    required=True,
    envvar="TALLYSTICK_RPC",
    help="JSON-RPC URL; several are tried in turn.",
)


def by_chain(named: Sequence[str]) -> Mapping[int, list[str]]:
    """Return RPC URLs by chain id, of texts such as 1=https://...

    Raises:
        click.UsageError: a text names no chain.
    """
    found: dict[int, list[str]] = {}
    for text in named:
        chain_id, _, url = text.partition("=")
        if not chain_id.isdecimal() or not url:
            raise click.UsageError(
                f"{text!r} names no chain; needed: CHAIN_ID=URL, as in 1=https://…"
            )
        found.setdefault(int(chain_id), []).append(url)
    return found
