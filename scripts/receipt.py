"""Check receipts, offline and against the chain."""

from pathlib import Path

import click

from tallystick.cli import ChainCommand, PlainCommand, Session, chain_options

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def cli() -> None:
    """Check receipts, offline and against the chain."""


@cli.command(cls=PlainCommand)
@click.argument("file", type=FILE)
def check(file: Path) -> None:
    """Check each receipt of FILE (one a line) without a chain: hashes, proof, signature."""
    from tallystick.receipts import checked

    number = sum(1 for _ in checked(file))
    click.echo(f"{number} receipts are good")


@cli.command(cls=ChainCommand)
@click.argument("file", type=FILE)
@chain_options
def status(session: Session, file: Path) -> None:
    """Check FILE, and say what the chain knows of its batches: state and grade."""
    from tallystick.cli.receipts import chain_status

    session.show(chain_status(session, file))
