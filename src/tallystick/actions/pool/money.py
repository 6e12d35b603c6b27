"""Money in a pool: credit, escrows, and what was burned."""

from collections.abc import Iterator

from tallystick.actions.chain_view import ActionError
from tallystick.actions.funding import approval, held
from tallystick.actions.pool.view import Move, PoolView
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.pool import EPOCH


def deposit(view: PoolView, amount: int, to: bytes) -> Iterator[Move]:
    """Yield the calls that add to an account's credit, one to be sent after the other.

    Args:
        view: the pool, for who pays.
        amount: in units of the asset.
        to: whose credit, 20 bytes.

    Raises:
        ActionError: the sender holds less of the asset.
    """
    pool, asset = view.pool, view.terms.asset
    facts = {"amount": amount, "to": to}
    has = held(pool.w3, asset, view.sender)
    if has < amount:
        raise ActionError(f"{checksummed(view.sender)} holds {has} of the asset; needed: {amount}")
    approve = approval(pool.w3, asset, view.sender, pool.address, amount)
    if approve is not None:
        yield Move(approve, {"amount": amount, "spender": pool.address})
    value = amount if asset == ZERO_ADDRESS else 0
    yield Move(pool.call("deposit", to, amount, value=value), facts)


def withdraw(view: PoolView, amount: int) -> Move:
    """Return the call that pays a part of the sender's credit out to it."""
    view.need_credit(amount, "the amount")
    return Move(view.pool.call("withdraw", amount), {"amount": amount, "to": view.sender})


def fund(view: PoolView, amount: int) -> Move:
    """Return the call that moves the sender's credit into its escrow; it withdraws a notice."""
    view.need_credit(amount, "the amount")
    escrow = view.pool.escrow(view.sender)
    facts = {
        "amount": amount,
        "escrow": escrow.balance + amount,
        "withdraws_notice": bool(escrow.notice_at),
    }
    return Move(view.pool.call("fund", amount), facts)


def notice(view: PoolView) -> Move:
    """Return the call by which the sender's escrow can leave an epoch later.

    Raises:
        ActionError: there is nothing to leave, or notice was given: another would put it off.
    """
    escrow = view.pool.escrow(view.sender)
    if not escrow.balance:
        raise ActionError(f"{checksummed(view.sender)} has no escrow in the pool")
    if escrow.notice_at:
        raise ActionError(
            f"notice was given at {escrow.notice_at}, and the escrow can leave from "
            f"{escrow.notice_at + EPOCH} on; another notice would put that off"
        )
    return Move(view.pool.call("notice"), {"escrow": escrow.balance, "due": view.now + EPOCH})


def defund(view: PoolView) -> Move:
    """Return the call that moves the sender's whole escrow back to its credit."""
    escrow = view.pool.escrow(view.sender)
    if not escrow.notice_at:
        raise ActionError("no notice was given; needed: `ape tallystick pool notice`, an epoch ago")
    due = escrow.notice_at + EPOCH
    if view.now < due:
        raise ActionError(
            f"too early: it is {view.now}; the notice is due at {due}, in {due - view.now} s"
        )
    return Move(view.pool.call("defund"), {"amount": escrow.balance, "to": view.sender})


def sweep(view: PoolView, burned: int) -> Move:
    """Return the call that sends burned stake, in units of the asset, to 0x...dEaD."""
    if not burned:
        raise ActionError("nothing was burned since the last sweep")
    return Move(view.pool.call("sweep"), {"amount": burned})
