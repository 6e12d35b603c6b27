"""Signers: they sign transactions without sending them, so that they can be noted before."""

from typing import Any, Protocol

from eth_account.messages import SignableMessage, encode_defunct
from eth_account.signers.local import LocalAccount

from tallystick.protocol.eip712 import Domain
from tallystick.protocol.signature import sign


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

        Raises:
            NotSignedError: the account's owner refused.
        """
        ...

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """Return an EIP-712 signature over a struct, 65 bytes; sends nothing.

        Args:
            domain: where it is to be used.
            struct_hash: EIP-712's hashStruct, 32 bytes.

        Raises:
            NotSignedError: the account's owner refused.
        """
        ...

    def sign_text(self, text: bytes) -> bytes:
        """Return an ERC-191 signature (version E) over a text, 65 bytes; sends nothing.

        Raises:
            NotSignedError: the account's owner refused.
        """
        ...


class SignedTransaction(Protocol):
    """A transaction as an account of eth-account returns it."""

    @property
    def raw_transaction(self) -> Any:
        """The bytes to send."""
        ...


class SignedMessage(Protocol):
    """A message's signature as an account of eth-account returns it."""

    @property
    def signature(self) -> Any:
        """65 bytes r || s || v."""
        ...


class Account(Protocol):
    """An account as eth-account has it: a key in this process, or whoever signs for one."""

    @property
    def address(self) -> Any:
        """The account as hex text."""
        ...

    def sign_transaction(self, transaction_dict: Any) -> SignedTransaction:
        """Return the transaction signed."""
        ...

    def sign_message(self, signable_message: SignableMessage) -> SignedMessage:
        """Return the message signed."""
        ...


class KeySigner:
    """Signs with an account of eth-account.

    Args:
        account: a key in this process, or any other that signs.
    """

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def address(self) -> bytes:
        """20 bytes."""
        return bytes.fromhex(self._account.address[2:])

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """See Signer."""
        return bytes(self._account.sign_transaction(fields).raw_transaction)

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """See Signer."""
        if isinstance(self._account, LocalAccount):
            # A quarter less time than by a message, and nodes sign each answer.
            return sign(domain.digest(struct_hash), bytes(self._account.key))
        return self._sign_message(eip712_message(domain, struct_hash))

    def sign_text(self, text: bytes) -> bytes:
        """See Signer."""
        return self._sign_message(encode_defunct(text))

    def _sign_message(self, message: SignableMessage) -> bytes:
        *rest, v = bytes(self._account.sign_message(message).signature)
        return bytes([*rest, v + 27 if v < 2 else v])


def eip712_message(domain: Domain, struct_hash: bytes) -> SignableMessage:
    """Return an EIP-712 struct as a message of eth-account.

    Args:
        domain: where the signature is to be used.
        struct_hash: EIP-712's hashStruct, 32 bytes.
    """
    # EIP-191 version 1 is EIP-712's prefix.
    return SignableMessage(b"\x01", domain.separator(), struct_hash)
