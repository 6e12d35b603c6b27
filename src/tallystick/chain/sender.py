"""Whoever signs and sends: a key in this process, an account of a local chain, or one of Ape's."""

from dataclasses import dataclass
from typing import Any, Protocol

from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.exceptions import ContractLogicError, Web3Exception
from web3.types import TxParams

from tallystick.chain.call import Call
from tallystick.chain.revert import ContractError, refused
from tallystick.eip712 import Domain
from tallystick.signature import sign


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction that a block holds, and that did what it should."""

    tx_hash: bytes
    block_number: int
    gas_used: int


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

        Raises:
            ContractError: the contract refuses it; nothing was sent, unless the chain moved on
                in between.
        """
        ...

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """Return an EIP-712 signature over a struct, 65 bytes; sends nothing.

        Args:
            domain: where it is to be used.
            struct_hash: EIP-712's hashStruct, 32 bytes.
        """
        ...


class Web3Sender:
    """Signs with a key in this process."""

    def __init__(self, w3: Web3, account: LocalAccount) -> None:
        self._w3, self._account = w3, account

    @property
    def address(self) -> bytes:
        """The account, 20 bytes."""
        return bytes.fromhex(self._account.address[2:])

    def simulate(self, call: Call) -> int:
        """Return the gas that the call would use now; ContractError if it would be refused."""
        return estimate(self._w3, self.address, call)

    def send(self, call: Call) -> Sent:
        """Send the call and wait until a block holds it; errors as of Sender."""
        gas = self.simulate(call)
        transaction = self._transaction(call, gas)
        signed = self._account.sign_transaction(transaction)
        tx_hash = self._w3.eth.send_raw_transaction(signed.raw_transaction)
        receipt = self._w3.eth.wait_for_transaction_receipt(tx_hash, timeout=120)
        if receipt["status"] != 1:
            raise refusal(self._w3, self.address, call, receipt["blockNumber"])
        return Sent(bytes(tx_hash), receipt["blockNumber"], receipt["gasUsed"])

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """Return an EIP-712 signature over a struct, 65 bytes."""
        return sign(domain.digest(struct_hash), bytes(self._account.key))

    def _transaction(self, call: Call, gas: int) -> dict[str, Any]:
        head = self._w3.eth.get_block("latest")
        priority = self._w3.eth.max_priority_fee
        return {
            "chainId": self._w3.eth.chain_id,
            "from": self._account.address,
            "to": Web3.to_checksum_address(call.to),
            "data": call.data,
            "value": call.value,
            "nonce": self._w3.eth.get_transaction_count(
                Web3.to_checksum_address(self.address), "pending"
            ),
            # The state may have moved by the time it is mined: a fifth more than estimated.
            "gas": gas * 6 // 5,
            "maxFeePerGas": 2 * head.get("baseFeePerGas", 0) + priority,
            "maxPriorityFeePerGas": priority,
        }


def estimate(w3: Web3, address: bytes, call: Call) -> int:
    """Return the gas a call would use; ContractError if it would be refused."""
    try:
        return w3.eth.estimate_gas(_params(address, call))
    except (ContractLogicError, Web3Exception) as error:
        raise refused(error) from error


def refusal(w3: Web3, address: bytes, call: Call, block_number: int) -> Exception:
    """Return why a call that a block holds failed, by asking again on the block before."""
    try:
        w3.eth.call(_params(address, call), block_number - 1)
    except (ContractLogicError, Web3Exception) as error:
        return refused(error)
    return ContractError("Reverted", {"function": call.name, "block": block_number})


def _params(address: bytes, call: Call) -> TxParams:
    return {
        "from": Web3.to_checksum_address(address),
        "to": Web3.to_checksum_address(call.to),
        "data": "0x" + call.data.hex(),  # type: ignore[typeddict-item]
        "value": call.value,  # type: ignore[typeddict-item]
    }
