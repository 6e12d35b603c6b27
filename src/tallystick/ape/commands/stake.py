"""ape tallystick stake: put stake into a lane, take it out, show it."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.params import ADDRESS, AMOUNT, BYTES32
from tallystick.cli.session import Session
from tallystick.cli.stake import show


@click.group(cls=ConsoleGroup, example="ape tallystick stake deposit $NETWORK '1 ether'")
def cli() -> None:
    """Put stake into a lane, take it out, show it.

    An amount is in units of the asset (wei), or such as '0.001 ether'.
    """


@cli.command(cls=ConsoleCommand, example="ape tallystick stake deposit $NETWORK '1 ether'")
@click.argument("network_id", type=BYTES32)
@click.argument("amount", type=AMOUNT)
@click.option("--credit-only", is_flag=True, help="Deposit without staking: for bonds.")
@sending_options
def deposit(session: Session, network_id: bytes, amount: int, credit_only: bool) -> None:
    """Deposit AMOUNT and stake it in the sender's lane."""
    from tallystick.ape.stakes import put_in

    put_in(session, network_id, amount, credit_only)


@cli.command(cls=ConsoleCommand, example="ape tallystick stake withdraw $NETWORK '0.5 ether'")
@click.argument("network_id", type=BYTES32)
@click.argument("amount", type=AMOUNT)
@click.option("--credit-only", is_flag=True, help="Withdraw credit; leave stake alone.")
@click.option("--to", type=ADDRESS, help="Who is paid; else the sender.")
@sending_options
def withdraw(
    session: Session, network_id: bytes, amount: int, credit_only: bool, to: bytes | None
) -> None:
    """Take AMOUNT of unlocked stake out of the sender's lane and withdraw it."""
    from tallystick.ape.stakes import take_out

    take_out(session, network_id, amount, credit_only, to or session.sender.address)


for command in (show,):
    cli.add_command(command)
