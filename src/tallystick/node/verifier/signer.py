"""Signs transactions without sending them, so that they can be written down before."""

from typing import Any, Protocol

from eth_account.signers.local import LocalAccount
from web3 import Web3

from tallystick.chain.ape_sender import NotSignedError, sign_with
from tallystick.eip712 import Domain
from tallystick.signature import sign


class Signer(Protocol):
    """One account."""

    @property
    def address(self) -> bytes:
        """20 bytes."""
        ...

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """Return a transaction, signed, as a node takes it.

        Args:
            fields: of a type 2 transaction by JSON-RPC's names; data as bytes.
        """
        ...

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """Return an EIP-712 signature over a struct, 65 bytes."""
        ...


class KeySigner:
    """Signs with a key in this process."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account

    @property
    def address(self) -> bytes:
        """20 bytes."""
        return bytes.fromhex(self._account.address[2:])

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """As of Signer."""
        return bytes(self._account.sign_transaction(fields).raw_transaction)

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """As of Signer."""
        return sign(domain.digest(struct_hash), bytes(self._account.key))


class ApeSigner:
    """Signs with an account of Ape.

    Args:
        account: of `ape.accounts`, loaded.
        ecosystem: of `ape.networks`, the chain's.
    """

    def __init__(self, account: Any, ecosystem: Any) -> None:
        # Ape reads a keyfile's address from the disk each time.
        self._account, self._address = account, account.address
        self._ecosystem = ecosystem

    @property
    def address(self) -> bytes:
        """20 bytes."""
        return bytes.fromhex(self._address[2:])

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """As of Signer; NotSignedError if refused."""
        transaction = self._ecosystem.create_transaction(
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
            raise NotSignedError(f"{self._address} did not sign")
        return bytes(signed.serialize_transaction())

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """As of Signer; NotSignedError if refused."""
        return sign_with(self._account, domain, struct_hash)
