"""Processes that run on: an operator's, and a verifier's."""

from pathlib import Path

import click

from tallystick.cli import PlainCommand

settings_option = click.option(
    "--settings",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML or TOML file; what it lacks is taken from TALLYSTICK_NODE_... variables.",
)


@click.group()
def cli() -> None:
    """Processes that run on until a signal ends them."""


@cli.command(cls=PlainCommand)
@settings_option
@click.option("--dry-run", is_flag=True, help="Send nothing; log what would have been sent.")
def verifier(file: Path | None, dry_run: bool) -> None:
    """Look at every new batch: re-execute, attest, demand, challenge, disprove."""
    from tallystick.node.verifier.process import run_verifier

    run_verifier(file, dry_run)


@cli.command(cls=PlainCommand)
@settings_option
def operator(file: Path | None) -> None:
    """Answer signed requests, commit the answers, and stand by them."""
    from tallystick.chain.ape_sender import ApeSender
    from tallystick.node.log import configure
    from tallystick.node.operator.process import run_operator
    from tallystick.node.settings import Settings
    from tallystick.node.verifier.connection import Connection

    settings = Settings.load(file)
    configure(settings.common.log_level, settings.common.log_format)
    connection = Connection.open(settings.common)
    sender = ApeSender(connection.account(settings.common.account))
    run_operator(settings, connection.provider.web3, sender)
