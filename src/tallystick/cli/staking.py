"""Money in and out of a lane."""

from typing import Any

from eth_abi.abi import encode
from web3 import Web3

from tallystick.chain.call import Call
from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.keccak import keccak256
from tallystick.words import ZERO_ADDRESS

_APPROVE = keccak256(b"approve(address,uint256)")[:4]
_ALLOWANCE = keccak256(b"allowance(address,address)")[:4]


def put_in(session: Session, network_id: bytes, amount: int, credit_only: bool) -> None:
    """Deposit, approving a token first where needed, and stake."""
    registry = session.registry
    asset = registry.rules(network_id).asset
    value = amount if asset == ZERO_ADDRESS else 0
    approve = approval(session, asset, registry.address, amount)
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
    free = standing(session, network_id, session.sender.address)["free"]
    if amount > free:
        raise CommandError(f"the amount is {amount}; free stake of the lane: {free}")
    session.perform(registry.call("unstake", network_id, amount), amount=amount)
    if not session.dry_run:
        session.perform(registry.call("withdraw", asset, to, amount), amount=amount, to=to)


def standing(session: Session, network_id: bytes, operator: bytes) -> dict[str, Any]:
    """Return what an operator has in a network."""
    registry, block = session.registry, session.w3.eth.block_number
    rules, lane = registry.rules(network_id, block), registry.lane(network_id, operator, block)
    locked = rules.stake_per_inference * lane.open_inferences
    return {
        "network_id": network_id,
        "operator": operator,
        "stake": lane.stake,
        "locked": locked,
        "free": lane.stake - locked,
        "credit": registry.credit(rules.asset, operator, block),
        "open_inferences": lane.open_inferences,
        "block": block,
    }


def approval(session: Session, asset: bytes, spender: bytes, amount: int) -> Call | None:
    """Return the call that lets a contract take a token; None when none is needed."""
    if asset == ZERO_ADDRESS:
        return None
    owner, to = session.sender.address, Web3.to_checksum_address(asset)
    data = _ALLOWANCE + encode(["address", "address"], [owner, spender])
    allowed = session.w3.eth.call({"to": to, "data": Web3.to_hex(data)})
    if int.from_bytes(allowed, "big") >= amount:
        return None
    data = _APPROVE + encode(["address", "uint256"], [spender, amount])
    return Call(asset, data, 0, "approve")
