"""Commands: any failure is one line on stderr and a non-zero exit, and each help has an example."""

import importlib
import os
import re
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import click

from tallystick.errors import TallystickError
from tallystick.extras import missing_extra

_PASSWORD = re.compile(r"://[^\s/@'\"]*:[^\s@'\"]*@")
_QUERY = re.compile(r"(://[^\s?'\"]*)\?[^\s'\"]+")
DEBUG = "TALLYSTICK_DEBUG"
"""Environment variable; set, what is no expected failure shows its traceback."""
_EXPECTED = (TallystickError, OSError, ValueError, sqlite3.Error)
"""What may go wrong without a bug of ours: the chain's, the disk's, or the user's input."""
_OF_LIBRARIES = (
    ("ape.exceptions", "ApeException"),
    ("duckdb", "Error"),
    ("httpx", "HTTPError"),
    ("pyarrow.lib", "ArrowException"),
    ("web3.exceptions", "Web3Exception"),
    ("yaml", "YAMLError"),
)
"""Modules, with their base of the same; one that is not imported has raised nothing."""


class CommandError(TallystickError, RuntimeError):
    """A command cannot do what it was asked for."""


class ConsoleCommand(click.Command):
    """A command whose failures are one line, and whose help ends with an example.

    Args:
        example: a line that runs; $NETWORK, $MODEL, ... stand for ids.
    """

    def __init__(self, *args: Any, example: str = "", **values: Any) -> None:
        super().__init__(*args, **values)
        self.example = example

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and turn a failure into one line."""
        with boundary(ctx):
            return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example at the end of the help."""
        write_example(self.example, formatter)


class ConsoleGroup(click.Group):
    """A group of commands whose help ends with an example."""

    def __init__(self, *args: Any, example: str = "", **values: Any) -> None:
        super().__init__(*args, **values)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example at the end of the help."""
        write_example(self.example, formatter)


class LazyGroup(ConsoleGroup):
    """A group that imports a command's module when the command is asked for, and no other.

    Args:
        lazy: where commands are, by name and in the order of the help: module:attribute.
    """

    def __init__(
        self, *args: Any, lazy: Mapping[str, str] = MappingProxyType({}), **values: Any
    ) -> None:
        super().__init__(*args, **values)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [*self._lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; None where there is none of this name."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._lazy[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found


def write_example(example: str, formatter: click.HelpFormatter) -> None:
    """Write an example as the last section of a help; nothing where there is none."""
    if example:
        with formatter.section("Example"):
            # Not wrapped: it is to be copied.
            formatter.write(f"{' ' * formatter.current_indent}{example}\n")


@contextmanager
def boundary(ctx: click.Context) -> Iterator[None]:
    """Exit with one line on stderr when something goes wrong inside.

    The code is 1 for an expected failure, and 70 for a bug.
    """
    try:
        yield
    except (click.exceptions.Exit, click.ClickException, click.Abort):
        raise
    except BrokenPipeError:
        # Whoever reads has enough, as `head` has.
        sys.stderr.close()
        ctx.exit(1)
    except Exception as error:
        if isinstance(error, ImportError) and (line := missing_extra(error)) is not None:
            click.echo(f"error: {line}", err=True)
            ctx.exit(1)
        if isinstance(error, _EXPECTED) or _is_of_library(error):
            click.echo(f"error: {one_line(error)}", err=True)
            ctx.exit(1)
        if os.environ.get(DEBUG):
            raise
        click.echo(
            f"error: unexpected {type(error).__name__}: {one_line(error)}; "
            f"{DEBUG}=1 shows where, please report it",
            err=True,
        )
        ctx.exit(70)


def one_line(error: Exception) -> str:
    """Return what an exception says, on one line, without passwords and queries of URLs.

    >>> one_line(ValueError("first\\n  second"))
    'first; second'
    >>> one_line(OSError("https://me:secret@store.example/a?sig=secret is gone"))
    'https://store.example/a?... is gone'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = _QUERY.sub(r"\1?...", _PASSWORD.sub("://", "; ".join(lines)))
    return text or type(error).__name__


def _is_of_library(error: Exception) -> bool:
    found = (getattr(sys.modules.get(module), name, None) for module, name in _OF_LIBRARIES)
    return any(isinstance(base, type) and isinstance(error, base) for base in found)
