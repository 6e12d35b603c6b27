"""ape tallystick committee: members' stake and exits, convictions."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.committee import audit, committee_argument, draw, merge, show, verdict
from tallystick.cli.params import AMOUNT, FILE
from tallystick.cli.session import Session
from tallystick.cli.targets import Evidence, leaf_option, store_option

member_option = click.option(
    "--member", type=click.IntRange(0, 15), help="Place of the member; else the account's."
)


@click.group(cls=ConsoleGroup, example="ape tallystick committee stake $COMMITTEE '1 ether'")
def cli() -> None:
    """A committee: its members and stake, their signatures, convictions.

    An audit, by each member: `committee draw` tells which leaves to run, `committee audit` compares
    and signs. Then, by anyone: `committee merge` makes evidence, `attest --grade audited` sends it.
    """


@cli.command(cls=ConsoleCommand, example="ape tallystick committee stake $COMMITTEE '1 ether'")
@committee_argument
@click.argument("amount", type=AMOUNT)
@member_option
@sending_options
def stake(session: Session, committee: bytes, amount: int, member: int | None) -> None:
    """Add AMOUNT (units of the asset, or such as '1 ether') to a member's stake in COMMITTEE."""
    from tallystick.ape.committees import stake as add

    add(session, committee, member, amount)


@cli.command(name="exit", cls=ConsoleCommand, example="ape tallystick committee exit $COMMITTEE")
@committee_argument
@member_option
@sending_options
def leave(session: Session, committee: bytes, member: int | None) -> None:
    """Stop counting in COMMITTEE; the stake can be paid out when its exit delay is over."""
    from tallystick.ape.committees import leave

    leave(session, committee, member, "requestExit")


@cli.command(
    name="pay-out", cls=ConsoleCommand, example="ape tallystick committee pay-out $COMMITTEE"
)
@committee_argument
@member_option
@sending_options
def pay_out(session: Session, committee: bytes, member: int | None) -> None:
    """Pay a leaving member's stake to its account."""
    from tallystick.ape.committees import leave

    leave(session, committee, member, "payOut")


@cli.command(cls=ConsoleCommand, example="ape tallystick committee convict audit.json")
@click.argument("statement", type=FILE)
@leaf_option
@store_option
@click.option(
    "--model", type=FILE, help="The batch's QI8-1 model, for a proof that a drawn leaf is wrong."
)
@click.option("--evidence", type=Evidence(), help="Or evidence in the arbiter's own encoding.")
@sending_options
def convict(
    session: Session,
    statement: Path,
    leaf: int | None,
    store: str,
    model: Path | None,
    evidence: bytes | None,
) -> None:
    """Burn the stake of the signers of STATEMENT, an audit that turned out wrong.

    Needs nothing more where the registry has archived what convicts them: a ruling or disproof of a
    drawn leaf, an order fault, a deadline fault of the same commit. Else the committee's arbiter
    is asked, by evidence that a drawn leaf is wrong, whatever became of the batch.
    """
    from tallystick.ape.committees import convict as burn

    burn(session, statement, leaf, store, model, evidence)


@cli.command(cls=ConsoleCommand, example="ape tallystick committee sweep $COMMITTEE")
@committee_argument
@sending_options
def sweep(session: Session, committee: bytes) -> None:
    """Send the burned stake of COMMITTEE to 0x...dEaD."""
    from tallystick.ape.committees import sweep as send

    send(session, committee)


for command in (show, draw, audit, verdict, merge):
    cli.add_command(command)
