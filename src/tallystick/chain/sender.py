"""Senders of transactions: each noted before it is sent, waited for, and sent once in effect."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.exceptions import TransactionNotFound, Web3Exception, Web3RPCError
from web3.types import TxParams

from tallystick.chain.call import Call
from tallystick.chain.fees import GasPrice, base_fee, gas_limit
from tallystick.chain.revert import ContractError, refused
from tallystick.chain.send_refusal import send_refusal
from tallystick.chain.signer import Account, KeySigner, Signer
from tallystick.chain.transactions import (
    Purpose,
    Signed,
    TransactionNotes,
    call_of,
    fields_of,
    repriced,
)
from tallystick.errors import WaitError
from tallystick.protocol.eip712 import Domain

PATIENCE = 120.0
"""Seconds that a transaction is waited for."""
_LOOK_EVERY = 2.0
"""Seconds between two looks at whether the fee still does."""
_BLOCKS = 3
"""Blocks that a transaction is left out of, until more is offered for it."""
_BIDS = 6
"""Transactions for one purpose that one run signs at most."""
_SURE = 4
"""Looks until it is believed that another transaction took a nonce: a pool's nodes differ."""
_DAY = 86400
"""Seconds for which a transaction that an earlier run sent, and nobody saw mined, counts."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction that a block holds, and that did what it should."""

    tx_hash: bytes
    block_number: int
    gas_used: int
    earlier: bool = False
    """An earlier run had sent it."""


class Recalled(NamedTuple):
    """A transaction of an earlier run's errand."""

    sent: Sent
    told: str
    """See Errand."""


class Sender(Protocol):
    """Sends calls from one account, one after another."""

    @property
    def address(self) -> bytes:
        """The account, 20 bytes."""
        ...

    def simulate(self, call: Call) -> int:
        """Return the gas that the call would use now; ContractError if it would be refused."""
        ...

    def send(self, call: Call) -> Sent:
        """Send the call and wait until a block holds it.

        A transaction that an earlier run noted for the same purpose, and of which nobody has seen
        what became, is waited for in its place; where its fee is too low, it is replaced.

        Raises:
            ContractError: the contract refuses it; nothing was sent, unless the chain moved on
                in between.
            WaitError: no block holds it yet; the same call again goes on waiting.
        """
        ...

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """Return an EIP-712 signature over a struct, 65 bytes; sends nothing.

        Args:
            domain: where it is to be used.
            struct_hash: EIP-712's hashStruct, 32 bytes.
        """
        ...


class SignerSender:
    """Sends what a signer signs.

    Args:
        w3: connected.
        signer: the account.
        notes: where transactions are noted before they are sent; None: nowhere, so that a run
            after a crash does not know of them.
    """

    def __init__(self, w3: Web3, signer: Signer, notes: TransactionNotes | None = None) -> None:
        self._w3, self._signer = w3, signer
        self._notes = notes
        self._chain: bytes | None = None

    @property
    def address(self) -> bytes:
        """The account, 20 bytes."""
        return self._signer.address

    def simulate(self, call: Call) -> int:
        """Return the gas that the call would use now; ContractError if it would be refused.

        Of a call that is on its way it is the gas that its transaction may use: the state that it
        is to find is behind it already.
        """
        waiting = self._waiting(call)
        if waiting and self._receipt(waiting) is None:
            return int(waiting[-1].fields["gas"])
        return estimate(self._w3, self.address, call)

    def send(self, call: Call) -> Sent:
        """Send the call and wait until a block holds it; see Sender for errors."""
        earlier = self._waiting(call)
        if earlier:
            receipt = self._mined(call, earlier)
            # One that failed, or lost its nonce, says nothing of the call as things stand now.
            if receipt is not None and receipt["status"] == 1 and self._is_recent(receipt):
                self._done(call)
                return _sent(receipt, earlier=True)
            self._settle(call)
        gas = estimate(self._w3, self.address, call)
        for _ in range(_BIDS):
            receipt = self._mined(call, [self._begin(call, gas)])
            if receipt is not None:
                break
            self._settle(call)
        else:
            raise WaitError(f"other transactions of {self._account} take each nonce of {call.name}")
        if receipt["status"] != 1:
            self._settle(call)
            raise refusal(self._w3, self.address, call, receipt["blockNumber"])
        self._done(call)
        return _sent(receipt)

    def is_noted(self, call: Call) -> bool:
        """Return whether a transaction was sent for the call, and nobody saw what became of it.

        So it is, too, with what an errand sent that has not ended.
        """
        return bool(self._waiting(call))

    def recall(self, errand: bytes) -> list[Recalled]:
        """Return the transactions of an errand that did what they should, waiting for each.

        Args:
            errand: its key, 32 bytes.

        Raises:
            WaitError: no block holds one yet.
        """
        found = []
        for purpose, told in self._of_errand(errand):
            attempts = self._notes.waiting(purpose) if self._notes else ()
            if not attempts:
                continue
            call = call_of(attempts[-1])
            receipt = self._mined(call, attempts)
            if receipt is not None and receipt["status"] == 1 and self._is_recent(receipt):
                found.append(Recalled(_sent(receipt, earlier=True), told))
            else:
                self._settle(call)
        return found

    def end(self, errand: bytes) -> None:
        """Forget an errand: it has ended.

        Args:
            errand: its key, 32 bytes.
        """
        for purpose, _ in self._of_errand(errand):
            if self._notes is not None:
                self._notes.settle(purpose)

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """Return an EIP-712 signature over a struct, 65 bytes."""
        return self._signer.sign(domain, struct_hash)

    def sign_text(self, text: bytes) -> bytes:
        """Return an ERC-191 signature over a text, 65 bytes."""
        return self._signer.sign_text(text)

    @property
    def _account(self) -> ChecksumAddress:
        return Web3.to_checksum_address(self.address)

    def _purpose(self, call: Call) -> Purpose:
        return Purpose.of(self._genesis(), self.address, call)

    def _genesis(self) -> bytes:
        if self._chain is None:
            self._chain = bytes(self._w3.eth.get_block(0)["hash"])
        return self._chain

    def _of_errand(self, errand: bytes) -> Sequence[tuple[Purpose, str]]:
        if self._notes is None:
            return ()
        return self._notes.of_errand(self._genesis(), self.address, errand)

    def _waiting(self, call: Call) -> list[Signed]:
        return [] if self._notes is None else list(self._notes.waiting(self._purpose(call)))

    def _note(self, call: Call, raw: bytes) -> Signed:
        signed = Signed(self._purpose(call), raw)
        if self._notes is not None:
            self._notes.note(signed, call.errand)
        return signed

    def _done(self, call: Call) -> None:
        """Forget a transaction that did what it should, unless an errand goes on."""
        if call.errand is None:
            self._settle(call)
        elif self._notes is not None:
            self._notes.adopt(self._purpose(call), call.errand)

    def _settle(self, call: Call) -> None:
        if self._notes is not None:
            self._notes.settle(self._purpose(call))

    def _is_recent(self, receipt: Any) -> bool:
        latest, mined = (
            int(self._w3.eth.get_block(block)["timestamp"])
            for block in ("latest", receipt["blockNumber"])
        )
        return latest - mined < _DAY

    def _begin(self, call: Call, gas: int) -> Signed:
        """Sign, note and send a transaction with the account's next nonce."""
        fees = GasPrice.now(self._w3).fees()
        nonce = self._w3.eth.get_transaction_count(self._account, "pending")
        fields = fields_of(call, self._w3.eth.chain_id, nonce, gas_limit(gas), fees)
        signed = self._note(call, self._signer.sign_transaction(fields))
        self._broadcast(call, [signed])
        return signed

    def _broadcast(self, call: Call, attempts: Sequence[Signed]) -> None:
        """Send the last of some transactions that are noted.

        Raises:
            Web3RPCError: the node refuses the only one for good; it is noted no more.
        """
        try:
            self._w3.eth.send_raw_transaction(attempts[-1].raw)
        except Web3RPCError as error:
            # The node has it, or wants more for it, or its nonce is used: _mined finds out.
            if len(attempts) == 1 and send_refusal(str(error)) is None:
                self._settle(call)
                raise

    def _mined(self, call: Call, attempts: Sequence[Signed]) -> Any | None:
        """Return the receipt of the first of some transactions that a block holds.

        Where blocks leave them out, more is offered. None: another transaction took their nonce.

        Raises:
            WaitError: no block holds one.
        """
        attempts, end, gone = list(attempts), time.monotonic() + PATIENCE, 0
        look_at, since, pause = 0.0, self._w3.eth.block_number, 0.05
        while True:
            # Asked before the receipts: a transaction mined in between is found by its receipt.
            used = self._w3.eth.get_transaction_count(self._account, "latest")
            if (receipt := self._receipt(attempts)) is not None:
                return receipt
            gone = gone + 1 if used > attempts[-1].nonce else 0
            if gone >= _SURE:
                return None
            if time.monotonic() >= look_at and not gone:
                look_at = time.monotonic() + _LOOK_EVERY
                head = self._w3.eth.block_number
                if self._is_left_out(attempts[-1], head - since) and len(attempts) < _BIDS:
                    attempts.append(self._outbid(call, attempts[-1]))
                    self._broadcast(call, attempts)
                    since = head
                elif not self._is_known(attempts[-1]):
                    self._broadcast(call, attempts)
            if time.monotonic() >= end:
                raise WaitError(self._unmined(call, attempts[-1]))
            time.sleep(max(pause, _LOOK_EVERY / _SURE) if gone else pause)
            pause = min(1.0, pause * 1.5)

    def _receipt(self, attempts: Sequence[Signed]) -> Any | None:
        for one in attempts:
            try:
                found = self._w3.eth.get_transaction_receipt(one.tx_hash.hex())  # type: ignore[arg-type]
            except TransactionNotFound:
                continue
            if found["blockNumber"] is not None:
                return found
        return None

    def _is_known(self, signed: Signed) -> bool:
        try:
            self._w3.eth.get_transaction(signed.tx_hash.hex())  # type: ignore[arg-type]
        except TransactionNotFound:
            return False
        return True

    def _is_left_out(self, signed: Signed, blocks: int) -> bool:
        return blocks >= _BLOCKS or base_fee(self._w3) > signed.fees.most

    def _outbid(self, call: Call, before: Signed) -> Signed:
        """Sign and note a transaction once more, with higher fees."""
        fees = GasPrice.now(self._w3).fees().outbidding(before.fees)
        fields = repriced(before.fields, fees)
        return self._note(call, self._signer.sign_transaction(fields))

    def _unmined(self, call: Call, signed: Signed) -> str:
        used = self._w3.eth.get_transaction_count(self._account, "latest")
        behind = f", behind {signed.nonce - used} others of the account" * (signed.nonce > used)
        return (
            f"no block holds {call.name} yet, transaction 0x{signed.tx_hash.hex()} with nonce "
            f"{signed.nonce}{behind}; the same command again waits for it, and sends no second one"
        )


class Web3Sender(SignerSender):
    """Sends what an account of eth-account signs.

    Args:
        w3: connected.
        account: a key in this process, or any other that signs.
        notes: see SignerSender.
    """

    def __init__(self, w3: Web3, account: Account, notes: TransactionNotes | None = None) -> None:
        super().__init__(w3, KeySigner(account), notes)


def estimate(w3: Web3, address: bytes, call: Call) -> int:
    """Return the gas that a call would use in a block mined now.

    Where a node has no pending state, the latest one tells.

    Raises:
        ContractError: the call would be refused.
        Web3Exception: the node cannot say.
    """
    params = _params(address, call)
    try:
        return w3.eth.estimate_gas(params, "pending")
    except Web3Exception as error:
        if (found := refused(error)) is not error:
            raise found from error
    try:
        return w3.eth.estimate_gas(params, "latest")
    except Web3Exception as error:
        raise refused(error) from error


def refusal(w3: Web3, address: bytes, call: Call, block_number: int) -> Exception:
    """Return why a call that a block holds failed, by asking again on that block."""
    for block in (block_number, block_number - 1):
        try:
            w3.eth.call(_params(address, call), block)
        except Web3Exception as error:
            if (found := refused(error)) is not error:
                return found
    return ContractError("Reverted", {"function": call.name, "block": block_number})


def _sent(receipt: Any, earlier: bool = False) -> Sent:
    tx_hash = bytes(receipt["transactionHash"])
    return Sent(tx_hash, receipt["blockNumber"], receipt["gasUsed"], earlier)


def _params(address: bytes, call: Call) -> TxParams:
    return {
        "from": Web3.to_checksum_address(address),
        "to": Web3.to_checksum_address(call.to),
        "data": "0x" + call.data.hex(),  # type: ignore[typeddict-item]
        "value": call.value,  # type: ignore[typeddict-item]
    }
