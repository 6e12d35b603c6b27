"""Put stake into a lane, take it out, show it."""

import click

from tallystick.cli import ChainCommand, Session, chain_options, sending_options
from tallystick.params import ADDRESS, BYTES32

AMOUNT = click.IntRange(1, 2**128 - 1)


@click.group()
def cli() -> None:
    """Put stake into a lane, take it out, show it. Amounts in units of the asset (wei)."""


@cli.command(cls=ChainCommand)
@click.argument("network_id", type=BYTES32)
@click.argument("amount", type=AMOUNT)
@click.option("--credit-only", is_flag=True, help="Deposit without staking: for bonds.")
@sending_options
def deposit(session: Session, network_id: bytes, amount: int, credit_only: bool) -> None:
    """Deposit AMOUNT and stake it in the sender's lane."""
    from tallystick.cli.staking import put_in

    put_in(session, network_id, amount, credit_only)


@cli.command(cls=ChainCommand)
@click.argument("network_id", type=BYTES32)
@click.argument("amount", type=AMOUNT)
@click.option("--credit-only", is_flag=True, help="Withdraw credit; leave stake alone.")
@click.option("--to", type=ADDRESS, help="Who is paid; else the sender.")
@sending_options
def withdraw(
    session: Session, network_id: bytes, amount: int, credit_only: bool, to: bytes | None
) -> None:
    """Take AMOUNT of unlocked stake out of the sender's lane and withdraw it."""
    from tallystick.cli.staking import take_out

    take_out(session, network_id, amount, credit_only, to or session.sender.address)


@cli.command(cls=ChainCommand)
@click.argument("network_id", type=BYTES32)
@click.argument("operator", type=ADDRESS)
@chain_options
def show(session: Session, network_id: bytes, operator: bytes) -> None:
    """Show an operator's stake, what of it is locked, and its credit."""
    from tallystick.cli.staking import standing

    session.show(standing(session, network_id, operator))
