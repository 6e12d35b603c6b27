"""An account of Ape as a Sender: a keyfile, a hardware wallet, or one of the test accounts."""

from typing import Any

from eth_account.messages import SignableMessage
from web3 import Web3

from tallystick.chain.call import Call
from tallystick.chain.sender import Sent, estimate, refusal
from tallystick.eip712 import Domain
from tallystick.errors import TallystickError


class NotSignedError(TallystickError, PermissionError):
    """The account's owner refused to sign; nothing was sent."""


def sign_with(account: Any, domain: Domain, struct_hash: bytes) -> bytes:
    """Return an account's EIP-712 signature over a struct, 65 bytes; NotSignedError if refused.

    Args:
        account: of `ape.accounts`, loaded.
        domain: where the signature is to be used.
        struct_hash: EIP-712's hashStruct, 32 bytes.
    """
    # EIP-191 version 1 is EIP-712's prefix.
    message = SignableMessage(b"\x01", domain.separator(), struct_hash)
    signature = account.sign_message(message)
    if signature is None:
        raise NotSignedError(f"{account.address} did not sign")
    return bytes(signature.encode_rsv())


class ApeSender:
    """Signs with an account of Ape; needs a connected provider.

    Args:
        account: of `ape.accounts`, loaded.
    """

    def __init__(self, account: Any) -> None:
        # Ape reads a keyfile's address from the disk each time.
        self._account, self._address = account, account.address

    @property
    def address(self) -> bytes:
        """The account, 20 bytes."""
        return bytes.fromhex(self._address[2:])

    @property
    def _w3(self) -> Web3:
        found: Web3 = self._account.provider.web3
        return found

    def simulate(self, call: Call) -> int:
        """Return the gas that the call would use now; ContractError if it would be refused."""
        return estimate(self._w3, self.address, call)

    def send(self, call: Call) -> Sent:
        """Send the call and wait until a block holds it; errors as of Sender."""
        w3, gas = self._w3, self.simulate(call)
        head, priority = w3.eth.get_block("latest"), w3.eth.max_priority_fee
        # NOTE: Ape's own sending overwrites the chain id of local chains that it did not start;
        # so only signing is Ape's.
        transaction = self._account.provider.network.ecosystem.create_transaction(
            type=2,
            chainId=w3.eth.chain_id,
            sender=self._address,
            receiver=Web3.to_checksum_address(call.to),
            data=call.data,
            value=call.value,
            nonce=w3.eth.get_transaction_count(self._address, "pending"),
            # The state may have moved by the time it is mined: a fifth more than estimated.
            gas_limit=gas * 6 // 5,
            max_fee=2 * head.get("baseFeePerGas", 0) + priority,
            max_priority_fee=priority,
        )
        signed = self._account.sign_transaction(transaction)
        if signed is None:
            raise NotSignedError(f"{self._address} did not sign {call.name}")
        tx_hash = w3.eth.send_raw_transaction(signed.serialize_transaction())
        receipt = w3.eth.wait_for_transaction_receipt(tx_hash, timeout=120)
        if receipt["status"] != 1:
            raise refusal(w3, self.address, call, receipt["blockNumber"])
        return Sent(bytes(tx_hash), receipt["blockNumber"], receipt["gasUsed"])

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """Return an EIP-712 signature over a struct, 65 bytes; NotSignedError if refused."""
        return sign_with(self._account, domain, struct_hash)
