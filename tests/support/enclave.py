"""Endorsers, and keys of every kind that an enclave may hold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tallystick.eip712 import Domain
from tallystick.enclave import (
    Endorsement,
    approval_digest,
    key_id,
    key_revocation_digest,
    measurement_revocation_digest,
    p256_signer,
    packed,
    rsa_signer,
)
from tallystick.signature import account_of, sign
from tests.support.chain import Chain, Mined
from tests.support.rsa import Encoding, pss, secret, seeded

ENDORSER_KEYS = [bytes([8]) * 31 + bytes([number]) for number in range(1, 4)]
MEASUREMENT = b"m" * 32
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class HeldKey:
    """A key in an enclave."""

    signer: bytes
    sign: Callable[[bytes], bytes]

    @property
    def id(self) -> bytes:
        return key_id(self.signer)


def eoa_key(number: int = 1) -> HeldKey:
    key = bytes([6]) * 31 + bytes([number])
    return HeldKey(account_of(key), lambda digest: sign(digest, key))


def p256_key(verifier: bytes) -> HeldKey:
    private = ec.derive_private_key(54321, ec.SECP256R1())
    numbers = private.public_key().public_numbers()

    def signed(digest: bytes) -> bytes:
        scheme = ec.ECDSA(utils.Prehashed(hashes.SHA256()), deterministic_signing=True)
        r, s = utils.decode_dss_signature(private.sign(digest, scheme))
        return r.to_bytes(32, "big") + min(s, P256_ORDER - s).to_bytes(32, "big")

    return HeldKey(p256_signer(verifier, numbers.x, numbers.y), signed)


def rsa_key(verifier: bytes, bits: int = 2048) -> HeldKey:
    private = secret(bits)
    numbers = private.public_key().public_numbers()
    signer = rsa_signer(verifier, numbers.e, numbers.n)
    return HeldKey(signer, lambda digest: pss(private, digest))


def seeded_rsa_key(verifier: bytes, bits: int = 2048) -> HeldKey:
    """The same key and signatures on every machine."""
    key = seeded(bits)
    signer = rsa_signer(verifier, key.exponent, key.modulus)
    return HeldKey(signer, lambda digest: key.sign(Encoding(key.length, digest, salt=b"s" * 32)))


def address_of(contract: Any) -> bytes:
    return bytes.fromhex(contract.address[2:])


@dataclass
class Endorsed:
    """A deployed resolver whose endorsers' keys are known here: two of three EOAs."""

    chain: Chain
    contract: Any

    @property
    def address(self) -> bytes:
        return address_of(self.contract)

    @property
    def domain(self) -> Domain:
        return Domain(self.chain.registry.domain.chain_id, self.address)

    def signatures(self, digest: bytes, endorsers: tuple[int, ...] = (0, 1)) -> dict[bytes, bytes]:
        keys = [ENDORSER_KEYS[endorser] for endorser in endorsers]
        return {account_of(key): sign(digest, key) for key in keys}

    def approve(self, measurement: bytes = MEASUREMENT) -> Mined:
        signatures = packed(self.signatures(approval_digest(self.domain, measurement)))
        return self._send(self.contract.functions.approveMeasurement(measurement, signatures))

    def revoke_measurement(self, measurement: bytes = MEASUREMENT) -> Mined:
        digest = measurement_revocation_digest(self.domain, measurement)
        signatures = packed(self.signatures(digest))
        return self._send(self.contract.functions.revokeMeasurement(measurement, signatures))

    def revoke_key(self, key: HeldKey) -> Mined:
        signatures = packed(self.signatures(key_revocation_digest(self.domain, key.id)))
        return self._send(self.contract.functions.revokeKey(key.id, signatures))

    def statement(
        self,
        key: HeldKey,
        operator: bytes,
        measurement: bytes = MEASUREMENT,
        not_before: int = 0,
        not_after: int = 2**40 - 1,
    ) -> Endorsement:
        return Endorsement(key.signer, measurement, operator, not_before, not_after)

    def endorse(
        self,
        key: HeldKey,
        operator: bytes,
        endorsers: tuple[int, ...] = (0, 1),
        **changes: Any,
    ) -> Mined:
        statement = self.statement(key, operator, **changes)
        signatures = self.signatures(statement.digest(self.domain), endorsers)
        signer, measurement, operator, *rest = statement.arguments(signatures)
        account = self.chain.w3.to_checksum_address(operator)
        return self._send(self.contract.functions.endorse(signer, measurement, account, *rest))

    def _send(self, function: Any) -> Mined:
        return self.chain.transact(self.chain.accounts[8], function)


def endorsed(chain: Chain, name: str, *args: Any) -> Endorsed:
    """Deploy a resolver that trusts two of three endorsers, and approve the measurement."""
    signers = [account_of(key) for key in ENDORSER_KEYS]
    resolver = Endorsed(chain, chain.deploy(name, signers, 2, *args))
    resolver.approve()
    return resolver
