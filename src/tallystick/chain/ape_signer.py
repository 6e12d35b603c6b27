"""An account of Ape as a Signer: a keyfile, a hardware wallet, or one of the test accounts."""

from typing import Any

from eth_account.messages import SignableMessage, encode_defunct
from web3 import Web3

from tallystick.chain.signer import eip712_message
from tallystick.errors import NotSignedError as NotSignedError
from tallystick.protocol.eip712 import Domain


class ApeSigner:
    """Signs with an account of Ape.

    Args:
        account: of `ape.accounts`, loaded.
    """

    def __init__(self, account: Any) -> None:
        # Ape reads a keyfile's address from the disk each time.
        self._account, self._address = account, account.address

    @property
    def address(self) -> bytes:
        """20 bytes."""
        return bytes.fromhex(self._address[2:])

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """See Signer."""
        # NOTE: Ape's own sending overwrites the chain id of local chains that it did not start;
        # so only signing is Ape's.
        transaction = self._account.network_manager.ethereum.create_transaction(
            type=2,
            chainId=fields["chainId"],
            sender=self._address,
            receiver=Web3.to_checksum_address(fields["to"]),
            data=fields["data"],
            value=fields["value"],
            nonce=fields["nonce"],
            gas_limit=fields["gas"],
            max_fee=fields["maxFeePerGas"],
            max_priority_fee=fields["maxPriorityFeePerGas"],
        )
        signed = self._account.sign_transaction(transaction)
        if signed is None:
            raise NotSignedError(f"{self._address} did not sign; nothing was sent")
        return bytes(signed.serialize_transaction())

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """See Signer."""
        return self._sign_message(eip712_message(domain, struct_hash))

    def sign_text(self, text: bytes) -> bytes:
        """See Signer."""
        return self._sign_message(encode_defunct(text))

    def _sign_message(self, message: SignableMessage) -> bytes:
        signature = self._account.sign_message(message)
        if signature is None:
            raise NotSignedError(f"{self._address} did not sign")
        return bytes(signature.encode_rsv())
