"""Keys that enclaves hold: what their endorsers sign, and what an enclave signs for a batch.

Source: contracts/enclave/IEnclaveKeys.sol, contracts/enclave/Enclave.sol.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from eth_abi.abi import encode

from tallystick.errors import FieldError
from tallystick.protocol.abi_words import address, check_bytes, check_uint, uint
from tallystick.protocol.batch import Batch
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.keys import Key, Signatures, check_key, key_id, packed

APPROVAL_TYPE = b"Approval(bytes32 measurement)"
ENDORSEMENT_TYPE = (
    b"Endorsement(bytes key,bytes32 measurement,address operator,uint40 notBefore,uint40 notAfter)"
)
KEY_REVOCATION_TYPE = b"KeyRevocation(bytes32 keyId)"
MEASUREMENT_REVOCATION_TYPE = b"MeasurementRevocation(bytes32 measurement)"
BATCH_TYPE = (
    b"Batch(bytes32 networkId,address operator,uint48 index,bytes32 modelId,bytes32 root,"
    b"uint32 count,uint64 commitDeadline)"
)


class Approval(IntEnum):
    """The endorsers' approval of a measurement."""

    NONE = 0
    APPROVED = 1
    REVOKED = 2


@dataclass(frozen=True, slots=True)
class Endorsement:
    """The endorsers' statement that a key is kept by an enclave of this measurement."""

    key: Key
    measurement: bytes
    """Hash of the enclave's code and settings, 32 bytes."""
    operator: bytes
    """20 bytes: whose batches the key speaks for."""
    not_before: int
    """Unix seconds; the first at which the key is valid."""
    not_after: int
    """Unix seconds; the last."""

    def __post_init__(self) -> None:
        check_key("key", self.key)
        check_bytes("measurement", self.measurement, 32)
        check_bytes("operator", self.operator, 20)
        check_uint("not_before", self.not_before, 40)
        check_uint("not_after", self.not_after, 40)
        if not 0 < self.not_after >= self.not_before:
            raise FieldError("not_after", self.not_after, f"{self.not_before} or later, not 0")

    def digest(self, domain: Domain) -> bytes:
        """Return what is signed, 32 bytes; the domain's contract is the resolver."""
        return domain.digest(
            keccak256(
                keccak256(ENDORSEMENT_TYPE)
                + key_id(self.key)
                + self.measurement
                + address(self.operator)
                + uint(self.not_before)
                + uint(self.not_after)
            )
        )

    def arguments(self, signatures: Signatures) -> tuple[object, ...]:
        """Return the arguments of the contract's endorse."""
        fields = (self.key, self.measurement, self.operator, self.not_before, self.not_after)
        return *fields, packed(signatures)


def approval_digest(domain: Domain, measurement: bytes) -> bytes:
    """Return what endorsers sign to approve a measurement, 32 bytes."""
    return _word_digest(domain, APPROVAL_TYPE, "measurement", measurement)


def measurement_revocation_digest(domain: Domain, measurement: bytes) -> bytes:
    """Return what endorsers sign to revoke a measurement, 32 bytes."""
    return _word_digest(domain, MEASUREMENT_REVOCATION_TYPE, "measurement", measurement)


def key_revocation_digest(domain: Domain, revoked: bytes) -> bytes:
    """Return what endorsers sign to revoke the key of this id, 32 bytes."""
    return _word_digest(domain, KEY_REVOCATION_TYPE, "key id", revoked)


def _word_digest(domain: Domain, typed: bytes, field: str, word: bytes) -> bytes:
    check_bytes(field, word, 32)
    return domain.digest(keccak256(keccak256(typed) + word))


def batch_digest(domain: Domain, batch: Batch) -> bytes:
    """Return what an enclave signs for a batch, 32 bytes; the domain's contract is Enclave.

    >>> batch = Batch(bytes(32), bytes(20), 0, bytes(32), bytes(32), count=1, commit_deadline=9)
    >>> batch_digest(Domain(1, bytes(20)), batch).hex()[:16]
    'c09106a8e085d4a9'
    """
    return domain.digest(keccak256(keccak256(BATCH_TYPE) + batch.encode()))


def evidence(key: Key, signature: bytes) -> bytes:
    """Return the evidence for the registry's attest: an enclave's signature over the batch."""
    check_key("key", key)
    return encode(["bytes", "bytes"], [key, signature])


def sign_batch(domain: Domain, batch: Batch, key: Key, sign: Callable[[bytes], bytes]) -> bytes:
    """Return the evidence for the registry's attest, signed by whatever holds the key.

    Args:
        domain: the contract is Enclave.
        batch: as it will be committed.
        key: as endorsed.
        sign: given the digest, 32 bytes, returns a signature in the form that the key's kind
            takes: r || s || v for an address, r || s for P-256, and for RSA the RSASSA-PSS
            signature of these 32 bytes with SHA-256 and a salt of 32 bytes.

    >>> from tallystick.protocol.signature import account_of, sign
    >>> batch = Batch(bytes(32), bytes(20), 0, bytes(32), bytes(32), count=1, commit_deadline=9)
    >>> secret = b"k" * 32
    >>> domain = Domain(1, bytes(20))
    >>> len(sign_batch(domain, batch, account_of(secret), lambda digest: sign(digest, secret)))
    256
    """
    return evidence(key, sign(batch_digest(domain, batch)))
