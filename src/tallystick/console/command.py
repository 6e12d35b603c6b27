"""Commands that need no account: any failure is one line on stderr and exit code 1."""

import sys
from typing import Any

import click

from tallystick.errors import TallystickError

EXPECTED = (TallystickError, OSError, ValueError)
"""What may go wrong without a bug of ours: a node's, the disk's, or the user's input."""


class ConsoleCommand(click.Command):
    """A command of the console."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and turn an expected failure into one line."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever reads has enough, as `head` has.
            sys.stderr.close()
            ctx.exit(1)
        except EXPECTED as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            click.echo(f"error: {'; '.join(lines) or type(error).__name__}", err=True)
            ctx.exit(1)
