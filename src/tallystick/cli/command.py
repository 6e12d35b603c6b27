"""Commands that answer any failure with one line on stderr and exit code 1."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from ape.cli import ConnectedProviderCommand
from ape.exceptions import ApeException
from ape.logging import logger
from web3.exceptions import Web3Exception

from tallystick.errors import TallystickError

EXPECTED = (TallystickError, OSError, ValueError, ApeException, Web3Exception, sqlite3.Error)
"""What may go wrong without a bug of ours: the chain's, the disk's, or the user's input."""


class CommandError(TallystickError, RuntimeError):
    """A command cannot do what it was asked for."""


class ChainCommand(ConnectedProviderCommand):
    """A command that is connected while it runs; it has Ape's --network."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and turn an expected failure into one line."""
        if ctx.params.get("as_json"):
            # Ape's log goes to stdout, where only JSON belongs then.
            logger.set_level("ERROR")
        with boundary(ctx):
            return super().invoke(ctx)


class PlainCommand(click.Command):
    """A command that needs no chain."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and turn an expected failure into one line."""
        with boundary(ctx):
            return super().invoke(ctx)


@contextmanager
def boundary(ctx: click.Context) -> Iterator[None]:
    """Exit with code 1 and one line on stderr when something expected goes wrong inside."""
    try:
        yield
    except EXPECTED as error:
        click.echo(f"error: {one_line(error)}", err=True)
        ctx.exit(1)


def one_line(error: Exception) -> str:
    """Return what an exception says, on one line.

    >>> one_line(ValueError("first\\n  second"))
    'first; second'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines) or type(error).__name__
