"""ape tallystick validation: ERC-8004 validations of batches (draft): ask, and respond."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.params import ADDRESS, BYTES32
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of

RESPOND = "ape tallystick validation respond --at $VALIDATIONS --network-id $NETWORK"

at_option = click.option(
    "--at", "at", type=ADDRESS, required=True, help="The validation registry's address."
)


@click.group(cls=ConsoleGroup, example=RESPOND)
def cli() -> None:
    """ERC-8004 validations of batches. The standard's validation part is a draft.

    docs/standards.md tells what a response says, and what it doesn't.
    """


@cli.command(
    cls=ConsoleCommand,
    example="ape tallystick validation request $BATCH --at $VALIDATIONS --agent-id 7 "
    "--validator $VALIDATOR",
)
@click.argument("batch")
@at_option
@click.option("--agent-id", type=click.IntRange(0), required=True, help="The agent; yours.")
@click.option("--validator", type=ADDRESS, required=True, help="Who is asked.")
@click.option("--lane", is_flag=True, help="Ask about the batch's whole lane up to it.")
@click.option("--uri", default="", help="Where the validator finds more.")
@sending_options
def request(
    session: Session,
    batch: str,
    at: bytes,
    agent_id: int,
    validator: bytes,
    lane: bool,
    uri: str,
) -> None:
    """Ask a validator about BATCH (an id, or a receipts file)."""
    from tallystick.chain.validations import ValidationRegistry
    from tallystick.protocol.validation_opinion import lane_request

    key = batch_id_of(batch)
    asked = lane_request(key) if lane else key
    call = ValidationRegistry(session.w3, at).ask(validator, agent_id, uri, asked)
    session.perform(call, batch_id=key, request_hash=asked, agent_id=agent_id)


@cli.command(cls=ConsoleCommand, example=RESPOND)
@at_option
@click.option("--network-id", type=BYTES32, required=True, help="Network to answer for.")
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the reports, each named after its request.",
)
@click.option("--uri", default="", help="Where that folder is served: a response's URI begins so.")
@click.option("--limit", type=click.IntRange(1), help="Responses at most.")
@sending_options
def respond(
    session: Session,
    at: bytes,
    network_id: bytes,
    reports: Path | None,
    uri: str,
    limit: int | None,
) -> None:
    """Respond, as the validator that is asked, to what waits: once to each, and when all is final.

    The response is the share of inferences that is verified, in percent. What is answered already,
    by an earlier run too, is left alone.
    """
    from tallystick.ape.validations import respond_to_all

    respond_to_all(session, at, network_id, reports, uri, limit)
