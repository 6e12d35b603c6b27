"""Sends each move once, whatever crashes: signed and written down first, then sent until mined."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.exceptions import TransactionNotFound, Web3Exception

from tallystick.chain.call import Call
from tallystick.chain.fees import base_fee, gas_limit
from tallystick.chain.revert import ContractError
from tallystick.chain.sender import estimate
from tallystick.chain.signer import Signer
from tallystick.chain.transactions import decoded, fees_in, fields_of, repriced
from tallystick.node.log import get_log
from tallystick.node.sender import sender_lock
from tallystick.node.verifier.budget import Budget, MoneyError
from tallystick.node.verifier.journal import Move, MoveStatus, VerifierJournal
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.keccak import keccak256
from tallystick.storage.file_lock import locked

MAX_REVERTS = 3
"""Of one move; then it is given up."""

_LOG = get_log("outbox")


class SendResult(StrEnum):
    """The result of sending an action."""

    SENT = "sent"
    MADE = "made already"
    DRY = "dry run"
    REFUSED = "refused by the contract"
    TOO_DEAR = "too dear"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Intent:
    """A move to be made."""

    batch_id: bytes | None
    """None: it is about credit in the asset."""
    call: Call
    turn: int = 0
    """Tells apart moves of one kind on one batch, or asset, that may each be made."""
    asset: bytes = ZERO_ADDRESS
    """Of the bond, or of the credit."""
    bond: int = 0
    gas_to_come: int = 0
    """Gas of moves that it will take later, which the budget has to hold too."""


class Outbox:
    """One account's.

    Args:
        w3: connected.
        signer: the account.
        journal: the node's.
        budget: what may be spent.
        folder: of the lock that all senders from the account share.
        confirmations: blocks on top of one before what it holds is taken for mined.
        dry_run: send nothing.
    """

    def __init__(
        self,
        w3: Web3,
        signer: Signer,
        journal: VerifierJournal,
        budget: Budget,
        folder: Path,
        confirmations: int = 0,
        dry_run: bool = False,
    ) -> None:
        self._w3, self._signer, self._journal, self._budget = w3, signer, journal, budget
        self._chain_id, self._confirmations = w3.eth.chain_id, confirmations
        self._lock = sender_lock(folder, self._chain_id, signer.address)
        self.dry_run = dry_run

    @property
    def address(self) -> bytes:
        """The account, 20 bytes."""
        return self._signer.address

    def spent(self, now: int) -> dict[bytes, int]:
        """Return what the last 24 hours took, by asset; `now` in Unix seconds of the chain."""
        return self._budget.spent(now)

    def made(self, batch_id: bytes, kind: str, turn: int | None = None) -> bool:
        """Return whether an action was sent or is on its way; in a dry run, whether it was said."""
        return self._is_made(self._journal.moves(batch_id, kind, turn))

    def send(self, intent: Intent, now: int) -> SendResult:
        """Make a move unless it is made already; does not wait for a block.

        Args:
            intent: what to do.
            now: Unix seconds of the chain.
        """
        log = _LOG.bind(batch=intent.batch_id, move=intent.call.name)
        with locked(self._lock):
            before = self._before(intent)
            if self._is_made(before):
                return SendResult.MADE
            if sum(move.status is MoveStatus.REVERTED for move in before) >= MAX_REVERTS:
                return SendResult.GIVEN_UP
            try:
                move = self._prepare(intent, now)
            except ContractError as error:
                log.info("the contract would refuse", reason=str(error))
                return SendResult.REFUSED
            except MoneyError as error:
                log.warning("not sent: too dear", reason=str(error), bond=intent.bond)
                return SendResult.TOO_DEAR
            self._journal.note_move(move)
            if self.dry_run:
                log.info("would have sent", bond=intent.bond, gas_cost=move.gas_cost)
                return SendResult.DRY
            self._broadcast(move)
        log.info("sent", bond=intent.bond, transaction=move.tx_hash, nonce=move.nonce)
        return SendResult.SENT

    def _before(self, intent: Intent) -> list[Move]:
        """Return the moves that were to do the same."""
        name, turn = intent.call.name, intent.turn
        if intent.batch_id is None:
            return self._journal.claims(intent.asset, name, turn)
        return self._journal.moves(intent.batch_id, name, turn)

    def _is_made(self, moves: list[Move]) -> bool:
        counted = {MoveStatus.SIGNED, MoveStatus.MINED}
        if self.dry_run:
            counted.add(MoveStatus.DRY)
        return any(move.status in counted for move in moves)

    def settle(self) -> None:
        """See what became of moves on their way; send again those that no block holds."""
        for move in self._journal.pending():
            # Asked before the receipt: a transaction mined in between is found by its receipt.
            mined = self._w3.eth.get_transaction_count(_account(move.sender), "latest")
            try:
                receipt = self._w3.eth.get_transaction_receipt(move.tx_hash.hex())  # type: ignore[arg-type]
            except TransactionNotFound:
                if mined > move.nonce:
                    self._journal.settle(move, MoveStatus.LOST, 0)
                    _LOG.warning("another transaction took the nonce", move=move.kind)
                elif not self._outbid(move):
                    self._broadcast(move)
                continue
            if self._w3.eth.block_number - receipt["blockNumber"] < self._confirmations:
                continue
            good = receipt["status"] == 1
            cost = receipt["gasUsed"] * receipt["effectiveGasPrice"]
            self._journal.settle(move, MoveStatus.MINED if good else MoveStatus.REVERTED, cost)
            _LOG.info("mined" if good else "reverted", batch=move.batch_id, move=move.kind)

    def _outbid(self, move: Move) -> bool:
        """Offer more for a move that gas has become too dear for; whether that was done."""
        offered = decoded(move.raw)
        before = fees_in(offered)
        if base_fee(self._w3) <= before.most:
            return False
        try:
            fees = self._budget.fees(self._w3)
        except MoneyError:
            return False
        fees = fees.outbidding(before)
        if fees.most > self._budget.gas_price_cap or fees.priority > fees.most:
            return False
        raw = self._signer.sign_transaction(repriced(offered, fees))
        dearer = replace(move, raw=raw, tx_hash=keccak256(raw), gas_cost=offered["gas"] * fees.most)
        self._journal.note_move(dearer)
        self._broadcast(dearer)
        _LOG.info("offered more for gas", batch=move.batch_id, move=move.kind, most=fees.most)
        return True

    def _prepare(self, intent: Intent, now: int) -> Move:
        fees = self._budget.fees(self._w3)
        gas = gas_limit(estimate(self._w3, self.address, intent.call))
        to_come = gas + intent.gas_to_come
        self._budget.check(now, intent.asset, intent.bond, to_come * fees.most)
        nonce, raw = -1, b""
        if not self.dry_run:
            nonce = self._next_nonce()
            raw = self._signer.sign_transaction(
                fields_of(intent.call, self._chain_id, nonce, gas, fees)
            )
        return Move(
            intent.batch_id,
            intent.call.name,
            intent.turn,
            MoveStatus.DRY if self.dry_run else MoveStatus.SIGNED,
            self.address,
            nonce,
            keccak256(raw),
            raw,
            intent.asset,
            intent.bond,
            gas * fees.most,
            now,
        )

    def _next_nonce(self) -> int:
        waiting = [one.nonce + 1 for one in self._journal.pending() if one.sender == self.address]
        known = self._w3.eth.get_transaction_count(_account(self.address), "pending")
        return max([known, *waiting])

    def _broadcast(self, move: Move) -> None:
        try:
            self._w3.eth.send_raw_transaction(move.raw)
        except (Web3Exception, OSError, ValueError) as error:
            # Known already, or not now: `settle` looks what became of it.
            _LOG.debug("the node did not take it", move=move.kind, reason=str(error))


def _account(address: bytes) -> ChecksumAddress:
    return Web3.to_checksum_address(address)
