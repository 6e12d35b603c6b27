"""Options that commands share: the data folder, RPC URLs, formats, days."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any

import click

from tallystick.cli.output import FORMATS

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

data_option: Option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default="data",
    show_default=True,
    envvar="TALLYSTICK_DATA",
    help="Data folder.",
)


first_block_option: Option = click.option(
    "--from-block",
    "first_block",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Block of the registry's deployment, or earlier.",
)
depth_option: Option = click.option(
    "--depth", type=click.IntRange(0), help="Blocks below the latest; else the finalized block."
)
range_option: Option = click.option(
    "--range",
    "block_range",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="Blocks of a file.",
)
concurrency_option: Option = click.option(
    "--concurrency", type=click.IntRange(1, 64), default=4, show_default=True
)


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --format, --json for one of the formats, and --output."""
    form = click.option(
        "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True
    )
    path = click.option(
        "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; else stdout."
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")

    @wraps(function)
    def wrapped(form: str, as_json: bool, **values: Any) -> Any:
        return function(form="json" if as_json else form, **values)

    return form(path(as_json(wrapped)))


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
            # Not shown: it may hold a key.
            raise click.UsageError("--rpc names no chain; needed: CHAIN_ID=URL, as in 1=https://…")
        found.setdefault(int(chain_id), []).append(url)
    return found
