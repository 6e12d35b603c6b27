"""An operator's escrow in a pool: without it no member audits its batches."""

import time

from tallystick.chain.pool import Pool
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.settings import EscrowSettings
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed

LOOK_EVERY = 30.0
"""Seconds between two looks at the escrow."""
_WARN_EVERY = 3600.0


class EscrowFunding:
    """Adds to the escrow when it runs low, or says that it does.

    What it does next follows from the chain alone, so that nothing is lost with the process.

    Args:
        lane: the operator's.
        settings: of the escrow.
    """

    def __init__(self, lane: OperatorLane, settings: EscrowSettings) -> None:
        self._lane, self._settings = lane, settings
        self._pool: Pool | None = None
        self._look_at = self._warn_at = float("-inf")

    def look(self) -> None:
        """Look at the escrow, once in a while; fund it where it is below the floor.

        Raises:
            PoolError: there is no pool at the address.
            ContractError: the pool refuses.
        """
        if time.monotonic() < self._look_at:
            return
        pool = self._pool = self._pool or Pool(self._lane.registry.w3, self._settings.pool)
        self._look_at = time.monotonic() + LOOK_EVERY
        escrow = pool.escrow(self._lane.operator)
        self._lane.metrics.escrow.set(escrow.balance)
        if escrow.balance >= self._settings.floor:
            return
        reason = self._hindrance(pool, escrow.notice_at)
        if reason:
            self._warn(escrow.balance, reason)
            return
        top_up, operator = self._settings.top_up, self._lane.operator
        lacking = top_up - pool.credit(operator)
        if lacking > 0:
            self._lane.sender.send(pool.call("deposit", operator, lacking, value=lacking))
        self._lane.sender.send(pool.call("fund", top_up))
        self._lane.log.info("escrow funded", balance=escrow.balance + top_up, added=top_up)

    def _hindrance(self, pool: Pool, notice_at: int) -> str:
        """Return why this node can't add to the escrow; empty: it can."""
        operator = self._lane.operator
        if not self._settings.top_up:
            return "needed: `ape tallystick pool fund`, or operator.escrow.top_up"
        if notice_at:
            return "notice was given, which funding would withdraw"
        if self._lane.sender.address != operator:
            return f"only the operator, {checksummed(operator)}, can fund it"
        is_token = pool.terms().asset != ZERO_ADDRESS
        if is_token and pool.credit(operator) < self._settings.top_up:
            return "the operator's credit in the pool does not cover top_up"
        return ""

    def _warn(self, balance: int, reason: str) -> None:
        if time.monotonic() < self._warn_at:
            return
        self._warn_at = time.monotonic() + _WARN_EVERY
        self._lane.log.warning(
            "escrow is low", balance=balance, floor=self._settings.floor, reason=reason
        )
