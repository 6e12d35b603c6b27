"""Transactions in flight: several at once, one nonce after another, fees raised until mined.

What is in flight is known to this process alone. One that comes after a crash sends again what the
chain still asks for; of two answers to one demand the registry takes the first.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from web3 import Web3
from web3.exceptions import TransactionNotFound, Web3Exception

from tallystick.chain.call import Call
from tallystick.chain.fees import Fees, GasPrice, gas_limit
from tallystick.chain.send_refusal import SendRefusal, send_refusal
from tallystick.chain.signer import Signer
from tallystick.chain.transactions import fields_of
from tallystick.node.log import get_log
from tallystick.node.metrics import Metrics
from tallystick.node.operator.reveal_capacity import block_seconds
from tallystick.protocol.keccak import keccak256
from tallystick.storage.file_lock import locked

LONGEST_PATIENCE = 60.0
"""Seconds that a transaction may wait before its fee is raised; on slow chains three blocks."""
_MOST_FLIGHTS = 12
"""Transactions in flight: geth's pool keeps sixteen of an account for certain."""
_LOST_AFTER = 30.0
"""Seconds without a receipt, once its nonce is used, after which a transaction counts as lost."""

_LOG = get_log("pipeline")


@dataclass(slots=True)
class Flight:
    """A transaction on its way, under one nonce."""

    call: Call
    about: tuple[bytes, ...]
    """Ids of the batches that it is about."""
    due: int
    """Unix seconds of the chain; after it, the transaction is of no use."""
    ended: "Callable[[Landed], None]"
    """Told once of what became of it."""
    nonce: int
    gas: int
    fees: Fees
    raw: bytes = b""
    hashes: list[bytes] = field(default_factory=list)
    """Of each transaction that was signed for it; a block holds one of them at most."""
    sent_at: float = 0.0
    """Seconds of the monotonic clock, when the last of them was signed."""
    raised: int = 0
    """Number of times its fee was raised."""
    refused: bool = False
    """The node has refused the last of them, or could not be asked."""
    taken_at: float | None = None
    """When its nonce was first seen used without a receipt of its own."""


@dataclass(frozen=True, slots=True)
class Landed:
    """The end of a flight."""

    flight: Flight
    receipt: Any
    """The node's; None: another transaction took the nonce."""


def patience(left: float, every: float) -> float:
    """Return how long a transaction waits, in seconds, before its fee is raised.

    Args:
        left: seconds until it is due.
        every: seconds between two blocks.

    >>> patience(3600, 12.0), patience(240, 12.0), patience(10, 12.0)
    (60.0, 30.0, 18.0)
    """
    # Less than a block and a half would raise fees before a block could have taken any.
    least = 1.5 * every
    return max(least, min(left / 8, max(LONGEST_PATIENCE, 3 * every)))


class Pipeline:
    """One account's transactions in flight; one thread uses it.

    Args:
        w3: connected.
        signer: the account.
        lock: file that all senders from the account share.
        metrics: counts what was mined.
        cap: wei a gas up to which fees are raised.
    """

    def __init__(self, w3: Web3, signer: Signer, lock: Path, metrics: Metrics, cap: int) -> None:
        self._w3, self._signer, self._lock = w3, signer, lock
        self._metrics, self._cap = metrics, cap
        self._account = Web3.to_checksum_address(signer.address)
        self._flights: list[Flight] = []
        self._chain_id: int | None = None

    @property
    def flights(self) -> Sequence[Flight]:
        """Transactions on their way, in the order of nonces."""
        return tuple(self._flights)

    @property
    def is_full(self) -> bool:
        """True while as many transactions are on their way as nodes keep for an account."""
        return len(self._flights) >= _MOST_FLIGHTS

    @property
    def is_stuck(self) -> bool:
        """True while a fee had to be raised: what is sent after it waits behind it."""
        return any(one.raised for one in self._flights)

    def is_about(self, batch_id: bytes) -> bool:
        """Return whether a transaction about a batch is on its way."""
        return any(batch_id in one.about for one in self._flights)

    def send(
        self,
        call: Call,
        about: Sequence[bytes],
        gas: int,
        due: int,
        ended: Callable[[Landed], None],
    ) -> None:
        """Send a call; does not wait for a block.

        Args:
            call: without value.
            about: ids of the batches that it is about.
            gas: that it uses, as estimated.
            due: Unix seconds of the chain, after which it is of no use.
            ended: told of what became of it, by the `settle` that finds out.
        """
        fees = self._bounded(GasPrice.now(self._w3).fees())
        with locked(self._lock):
            next_nonce = int(self._w3.eth.get_transaction_count(self._account, "pending"))
            nonce = max([next_nonce, *(one.nonce + 1 for one in self._flights)])
            flight = Flight(call, tuple(about), due, ended, nonce, gas_limit(gas), fees)
            self._sign(flight)
            self._flights.append(flight)
            self._broadcast(flight)
        _LOG.info("sent", function=call.name, batches=len(about), nonce=nonce, due=due)

    def settle(self, now: int) -> int:
        """Tell of what has ended since, and return how much; raise the fees of what waits too long.

        Args:
            now: Unix seconds of the chain.
        """
        if not self._flights:
            return 0
        seconds = block_seconds(self._w3)
        used = self._w3.eth.get_transaction_count(self._account, "latest")
        landed, waiting = [], []
        for flight in self._flights:
            receipt = self._receipt(flight) if used > flight.nonce else None
            if receipt is not None:
                landed.append(Landed(flight, receipt))
                self._metrics.transactions.labels(flight.call.name).inc()
                self._metrics.gas.labels(flight.call.name).inc(receipt["gasUsed"])
            elif used > flight.nonce and self._is_lost(flight):
                _LOG.warning("another transaction took the nonce", nonce=flight.nonce)
                landed.append(Landed(flight, None))
            else:
                waiting.append(flight)
        self._flights = waiting
        for flight in waiting:
            if flight.nonce >= used:
                self._hurry(flight, patience(flight.due - now, seconds))
        for one in landed:
            one.flight.ended(one)
        return len(landed)

    def _receipt(self, flight: Flight) -> Any:
        for tx_hash in reversed(flight.hashes):
            try:
                return self._w3.eth.get_transaction_receipt("0x" + tx_hash.hex())  # type: ignore[arg-type]
            except TransactionNotFound:
                continue
        return None

    def _is_lost(self, flight: Flight) -> bool:
        """Return whether no receipt has come for long enough: a pool's nodes differ for a while."""
        now = time.monotonic()
        flight.taken_at = flight.taken_at or now
        return now - flight.taken_at > _LOST_AFTER

    def _hurry(self, flight: Flight, wait: float) -> None:
        """Raise a fee where the wait is over; tell the node again, should it have forgotten."""
        if time.monotonic() - flight.sent_at >= wait:
            raised = self._bounded(GasPrice.now(self._w3).fees().outbidding(flight.fees))
            if raised.most > flight.fees.most:
                flight.fees, flight.raised = raised, flight.raised + 1
                self._sign(flight)
                _LOG.warning("fee raised", nonce=flight.nonce, most=raised.most, due=flight.due)
            else:
                flight.sent_at = time.monotonic()
                self._metrics.failures.labels("fee").inc()
                _LOG.error("fee is at its cap", nonce=flight.nonce, cap=self._cap, due=flight.due)
        self._broadcast(flight)

    def _bounded(self, fees: Fees) -> Fees:
        most = min(fees.most, self._cap)
        return Fees(most, min(fees.priority, most))

    def _sign(self, flight: Flight) -> None:
        if self._chain_id is None:
            self._chain_id = self._w3.eth.chain_id
        flight.raw = self._signer.sign_transaction(
            fields_of(flight.call, self._chain_id, flight.nonce, flight.gas, flight.fees)
        )
        flight.hashes.append(keccak256(flight.raw))
        flight.sent_at, flight.refused = time.monotonic(), False

    def _broadcast(self, flight: Flight) -> None:
        try:
            self._w3.eth.send_raw_transaction(flight.raw)
        except (Web3Exception, OSError, ValueError) as error:
            # Known already, or not now: `settle` looks what became of it.
            refusal, reason = send_refusal(str(error)), " ".join(str(error).split())
            if refusal is SendRefusal.TOO_CHEAP:
                flight.sent_at = float("-inf")
            # Coins for gas may be missing: that is to be seen in the log, once a signature.
            say = _LOG.debug if refusal or flight.refused else _LOG.warning
            flight.refused = True
            say("the node did not take it", nonce=flight.nonce, reason=reason)
