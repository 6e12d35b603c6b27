"""ape tallystick node: processes that run on: an operator's, and a verifier's."""

from pathlib import Path

import click

from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.node import template

settings_option = click.option(
    "--settings",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML or TOML file; what it lacks is taken from TALLYSTICK_NODE_... variables.",
)


@click.group(cls=ConsoleGroup, example="ape tallystick node operator --settings operator.yaml")
def cli() -> None:
    """Processes that run on until a signal ends them."""


@cli.command(
    cls=ConsoleCommand,
    example="ape tallystick node verifier --settings verifier.yaml --dry-run",
)
@settings_option
@click.option("--dry-run", is_flag=True, help="Send nothing; log what would have been sent.")
def verifier(file: Path | None, dry_run: bool) -> None:
    """Look at every new batch: re-execute, attest, demand, challenge, disprove."""
    from tallystick.node.verifier.process import run_verifier

    run_verifier(file, dry_run)


@cli.command(cls=ConsoleCommand, example="ape tallystick node operator --settings operator.yaml")
@settings_option
def operator(file: Path | None) -> None:
    """Answer signed requests, commit the answers, and stand by them."""
    from tallystick.actions.sent import SentJournal
    from tallystick.chain.ape_signer import ApeSigner
    from tallystick.chain.sender import SignerSender
    from tallystick.node.log import configure
    from tallystick.node.operator.process import run_operator
    from tallystick.node.settings import Settings
    from tallystick.node.verifier.connection import Connection

    settings = Settings.load(file)
    configure(settings.common.log_level, settings.common.log_format)
    connection = Connection.open(settings.common)
    signer = ApeSigner(connection.account(settings.common.account))
    notes = SentJournal(settings.common.data / "sent.sqlite3")
    run_operator(settings, connection.w3, SignerSender(connection.w3, signer, notes), signer)


for command in (template,):
    cli.add_command(command)
