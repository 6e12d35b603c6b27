"""Money in and out of a lane."""

from tallystick.actions.funding import approval
from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.cli.stake import standing
from tallystick.protocol.abi_words import ZERO_ADDRESS


def put_in(session: Session, network_id: bytes, amount: int, credit_only: bool) -> None:
    """Deposit, approving a token first where needed, and stake."""
    registry = session.registry
    asset = registry.rules(network_id).asset
    value = amount if asset == ZERO_ADDRESS else 0
    owner = session.sender.address
    approve = approval(session.w3, asset, owner, registry.address, amount)
    if approve is not None:
        session.perform(approve)
        if session.dry_run:
            return
    session.perform(registry.call("deposit", asset, amount, value=value), amount=amount)
    # The stake of a dry run cannot be tried: its deposit was not made.
    if not credit_only and not session.dry_run:
        session.perform(registry.call("stake", network_id, amount), amount=amount)


def take_out(
    session: Session, network_id: bytes, amount: int, credit_only: bool, to: bytes
) -> None:
    """Unstake and withdraw; refuses what is locked."""
    registry = session.registry
    asset = registry.rules(network_id).asset
    if credit_only:
        session.perform(registry.call("withdraw", asset, to, amount), amount=amount, to=to)
        return
    unstake = registry.call("unstake", network_id, amount)
    # What an earlier run took out is free no more.
    if not session.is_noted(unstake):
        free = standing(session, network_id, session.sender.address)["free"]
        if amount > free:
            raise CommandError(f"the amount is {amount}; free stake of the lane: {free}")
    session.perform(unstake, amount=amount)
    if not session.dry_run:
        session.perform(registry.call("withdraw", asset, to, amount), amount=amount, to=to)
