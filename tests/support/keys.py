"""Keys of every kind, with the hand that signs."""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tallystick.protocol.keys import P256_ORDER, Key, key_id, p256_key, rsa_key
from tallystick.protocol.signature import account_of, sign
from tests.support.rsa import Encoding, pss, secret, seeded


@dataclass(frozen=True)
class HeldKey:
    """A key and its secret."""

    key: Key
    sign: Callable[[bytes], bytes]

    @property
    def id(self) -> bytes:
        return key_id(self.key)


def held_account(number: int = 1) -> HeldKey:
    secret_key = bytes([6]) * 31 + bytes([number])
    return HeldKey(account_of(secret_key), lambda digest: sign(digest, secret_key))


def held_p256(number: int = 54321) -> HeldKey:
    private = ec.derive_private_key(number, ec.SECP256R1())
    numbers = private.public_key().public_numbers()

    def signed(digest: bytes) -> bytes:
        scheme = ec.ECDSA(utils.Prehashed(hashes.SHA256()), deterministic_signing=True)
        r, s = utils.decode_dss_signature(private.sign(digest, scheme))
        return r.to_bytes(32, "big") + min(s, P256_ORDER - s).to_bytes(32, "big")

    return HeldKey(p256_key(numbers.x, numbers.y), signed)


def held_rsa(bits: int = 2048, number: int = 0) -> HeldKey:
    private = secret(bits, number)
    numbers = private.public_key().public_numbers()
    return HeldKey(rsa_key(numbers.e, numbers.n), lambda digest: pss(private, digest))


def seeded_rsa(bits: int = 2048) -> HeldKey:
    """The same key and signatures on every machine."""
    key = seeded(bits)
    return HeldKey(
        rsa_key(key.exponent, key.modulus),
        lambda digest: key.sign(Encoding(key.length, digest, salt=b"s" * 32)),
    )


def held(kind: str) -> HeldKey:
    """A key by its kind: account, p256, or the bits of an RSA key."""
    if kind == "account":
        return held_account(3)
    return held_p256() if kind == "p256" else held_rsa(int(kind))


KINDS = ("account", "p256", "2048", "3072", "4096")
