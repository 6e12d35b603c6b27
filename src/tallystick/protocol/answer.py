"""Signatures on an operator's HTTP answers, so that each is its own and is fresh.

1. The probe sends the header `X-Tallystick-Nonce`: 0x and 64 hex digits, 32 random bytes that it
   has never sent before.
2. The server answers with the header `X-Tallystick-Signature`: 0x and 130 hex digits, a secp256k1
   signature r || s || v (low s, v 27 or 28) by the signer's key, exactly once.
3. What is signed is the EIP-712 digest of

       Answer(bytes32 networkId,address operator,bytes32 nonce,bytes32 bodyHash)

   under the domain name "Tallystick", version "1", the chain id of the network's chain, and the
   registry's address. networkId and operator are those that the endpoint serves, nonce the 32 bytes
   of step 1, bodyHash the keccak256 of the body.
4. The body is the content as it is sent: transfer coding (chunks) removed, content coding (gzip)
   not. Without a body it is the keccak256 of no bytes.

The status and other headers aren't signed. The signer is a key, checked with ecrecover only; it
need not be the operator's account. Any nonce may be signed for anybody: the digest is of a type
of its own, so it can't be mistaken for a request, a batch or a transaction.
"""

from dataclasses import dataclass

from tallystick.errors import FieldError, SignatureError
from tallystick.protocol.abi_words import address, check_bytes
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import checksummed, from_hex, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.signature import LENGTH, recover, sign

NONCE_HEADER = "X-Tallystick-Nonce"
SIGNATURE_HEADER = "X-Tallystick-Signature"
ANSWER_TYPE = b"Answer(bytes32 networkId,address operator,bytes32 nonce,bytes32 bodyHash)"
ANSWER_TYPEHASH = keccak256(ANSWER_TYPE)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to sign: this body, by this operator, to this nonce.

    >>> from tallystick.protocol.signature import account_of
    >>> domain, nonce = Domain(chain_id=31337, contract=bytes(20)), to_hex(b"n" * 32)
    >>> served = Answer.to(nonce, b"w" * 32, b"o" * 20, body=b"hello")
    >>> served.check(domain, served.sign(domain, b"k" * 32), signer=account_of(b"k" * 32))
    """

    network_id: bytes
    """32 bytes."""
    operator: bytes
    """20 bytes."""
    nonce: bytes
    """32 bytes, as the probe sent them."""
    body_hash: bytes
    """keccak256 of the body, 32 bytes."""

    def __post_init__(self) -> None:
        check_bytes("network_id", self.network_id, 32)
        check_bytes("operator", self.operator, 20)
        check_bytes("nonce", self.nonce, 32)
        check_bytes("body_hash", self.body_hash, 32)

    @classmethod
    def to(cls, nonce: str, network_id: bytes, operator: bytes, body: bytes) -> "Answer":
        """Return what to sign for a body.

        Args:
            nonce: the request's header `X-Tallystick-Nonce`.
            network_id: of the network that the endpoint serves, 32 bytes.
            operator: whose endpoint it is, 20 bytes.
            body: as it is sent, content coding included.

        Raises:
            FieldError: the header isn't 32 bytes in hex.
        """
        return cls(network_id, operator, from_hex(nonce, 32, NONCE_HEADER), keccak256(body))

    def struct_hash(self) -> bytes:
        """Return the EIP-712 hashStruct, 32 bytes."""
        fields = self.network_id + address(self.operator) + self.nonce + self.body_hash
        return keccak256(ANSWER_TYPEHASH + fields)

    def digest(self, domain: Domain) -> bytes:
        """Return what is signed, 32 bytes."""
        return domain.digest(self.struct_hash())

    def sign(self, domain: Domain, key: bytes) -> str:
        """Return the header `X-Tallystick-Signature`, signed with a 32-byte secret key."""
        return to_hex(sign(self.digest(domain), key))

    def check(self, domain: Domain, header: str, signer: bytes) -> None:
        """Raise SignatureError unless the header is the signer's signature of this answer.

        Args:
            domain: chain id and registry of the network.
            header: `X-Tallystick-Signature` of the response.
            signer: 20-byte address of the key.
        """
        if not header.startswith("0x"):
            raise SignatureError(f"{SIGNATURE_HEADER} does not begin with 0x")
        try:
            signature = from_hex(header, LENGTH, SIGNATURE_HEADER)
        except FieldError as error:
            raise SignatureError(f"{SIGNATURE_HEADER} is not {LENGTH} bytes in hex") from error
        found = recover(self.digest(domain), signature)
        if found != signer:
            raise SignatureError(
                f"body and nonce are signed by {checksummed(found)}; "
                f"needed: the signer {checksummed(signer)}"
            )
