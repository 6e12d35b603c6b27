"""Seats of a pool: keys enrol, their accounts close them, and take stake and fees back."""

from tallystick.actions.chain_view import ActionError
from tallystick.actions.pool.view import Move, PoolView
from tallystick.chain.pool import PoolMember, Standing
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.pool import EPOCH

MAX_SEATS = 2**24 - 1
"""Of one key."""


def enroll(view: PoolView, more: int, account: bytes | None = None) -> Move:
    """Return the call that puts all seats of the sending key into the next epoch's list.

    Args:
        view: the pool, for the key.
        more: seats to buy now, from the key's credit.
        account: where stake and fees go, 20 bytes, fixed the first time; None: the key itself, or
            as it was fixed.

    Raises:
        ActionError: the key is closed or convicted, is in that list already, has other money's
            account, has no seats and buys none, or its credit does not pay them.
    """
    key, epoch = view.sender, view.epoch + 1
    member = view.pool.member(key)
    named = checksummed(key)
    if member.standing in (Standing.CLOSED, Standing.CONVICTED):
        raise ActionError(f"key {named} is {member.standing.name.lower()}, and never enrols again")
    if member.last_epoch >= epoch:
        raise ActionError(
            f"key {named} is enrolled for epoch {epoch} already; the next time is from "
            f"{epoch * EPOCH} on, in {epoch * EPOCH - view.now} s"
        )
    is_first = member.standing is Standing.FREE
    if not is_first and account not in (None, member.account):
        raise ActionError(
            f"the account of key {named} is {checksummed(member.account)}, fixed when it first "
            "enrolled"
        )
    seats = member.seats + more
    if not seats:
        raise ActionError(f"key {named} has no seats; needed: a number of them to buy")
    if seats > MAX_SEATS:
        raise ActionError(f"key {named} would have {seats} seats; needed: at most {MAX_SEATS}")
    price = more * view.terms.seat_stake
    if more:
        view.need_credit(price, f"the stake of {more} seats")
    to = (account or key) if is_first else ZERO_ADDRESS
    facts = {
        "key": key,
        "account": (account or key) if is_first else member.account,
        "epoch": epoch,
        "begins": epoch * EPOCH,
        "seats": seats,
        "added": more,
        "paid": price,
    }
    return Move(view.pool.call("enroll", more, to), facts)


def close(view: PoolView, key: bytes) -> Move:
    """Return the call that bars a key, 20 bytes, of the sender's from enrolling."""
    member = _own(view, key)
    if member.standing is not Standing.ACTIVE:
        raise ActionError(f"key {checksummed(key)} is {member.standing.name.lower()} already")
    facts = {"key": key, "seats": member.seats, "leaves_at": view.terms.leaves_at(member)}
    return Move(view.pool.call("close", key), facts)


def leave(view: PoolView, key: bytes) -> Move:
    """Return the call that moves stake and fees of a key of the sender's to its credit.

    Raises:
        ActionError: the sender is not its account, it has no seats, or its stake is held.
    """
    member = _own(view, key)
    if not member.seats:
        burned = ": its stake was burned" if member.standing is Standing.CONVICTED else ""
        raise ActionError(f"key {checksummed(key)} has no seats{burned}")
    until = view.terms.leaves_at(member)
    if view.now < until:
        why = "a case is about what it signed" if until == member.held_until else "its exit delay"
        raise ActionError(
            f"too early: it is {view.now}; the stake is held until {until} ({why}), "
            f"for {until - view.now} s"
        )
    stake = member.seats * view.terms.seat_stake
    facts = {"key": key, "account": member.account, "stake": stake, "fees": member.earned}
    return Move(view.pool.call("leave", key), facts)


def collect(view: PoolView, key: bytes) -> Move:
    """Return the call that moves the fees of a key, 20 bytes, to its account's credit."""
    member = _known(view, key)
    if not member.earned:
        raise ActionError(f"key {checksummed(key)} has earned nothing since it was last collected")
    facts = {"key": key, "account": member.account, "fees": member.earned}
    return Move(view.pool.call("collect", key), facts)


def _known(view: PoolView, key: bytes) -> PoolMember:
    member = view.pool.member(key)
    if member.standing is Standing.FREE:
        raise ActionError(f"key {checksummed(key)} has never enrolled in the pool")
    return member


def _own(view: PoolView, key: bytes) -> PoolMember:
    member = _known(view, key)
    if member.account != view.sender:
        raise ActionError(
            f"the account of key {checksummed(key)} is {checksummed(member.account)}; "
            f"{checksummed(view.sender)} sends"
        )
    return member
