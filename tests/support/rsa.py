"""RSA-PSS in the open: each part of an encoded message can be wrong, and is signed all the same."""

import hashlib
import random
import secrets
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SALT = 32
EXPONENT = 65537


def mgf1(seed: bytes, length: int) -> bytes:
    blocks = (
        hashlib.sha256(seed + counter.to_bytes(4, "big")).digest() for counter in range(length)
    )
    mask = b""
    while len(mask) < length:
        mask += next(blocks)
    return mask[:length]


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


@dataclass(frozen=True)
class Encoding:
    """EMSA-PSS-ENCODE of RFC 8017, section 9.1.1, whose every part can be chosen."""

    length: int
    """Bytes of the modulus, all of whose bits are used."""
    message: bytes
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(SALT))
    zeros: bytes | None = None
    """What stands before the separator; None for as many zeros as it takes."""
    separator: bytes = b"\x01"
    prefix: bytes = bytes(8)
    trailer: bytes = b"\xbc"
    top_bit: bool = False

    def encode(self) -> bytes:
        digest = hashlib.sha256(self.message).digest()
        seed = hashlib.sha256(self.prefix + digest + self.salt).digest()
        tail = self.separator + self.salt
        size = self.length - 33
        zeros = bytes(size - len(tail)) if self.zeros is None else self.zeros
        masked = xor(zeros + tail, mgf1(seed, size))
        top = masked[0] & 0x7F | self.top_bit << 7
        return bytes([top]) + masked[1:] + seed + self.trailer


@dataclass(frozen=True)
class Key:
    """A secret key as its primes and exponent; primes may be chosen badly."""

    primes: tuple[int, int]
    exponent: int = EXPONENT

    @property
    def modulus(self) -> int:
        return self.primes[0] * self.primes[1]

    @property
    def length(self) -> int:
        return (self.modulus.bit_length() + 7) // 8

    def public(self) -> bytes:
        """The key's bytes for the verifier."""
        return public(self.exponent, self.modulus, self.length)

    def raw(self, encoded: bytes) -> bytes:
        """RSASP1 of RFC 8017; the number must be below the modulus."""
        number = int.from_bytes(encoded, "big")
        assert number < self.modulus
        p, q = self.primes
        a = pow(number % p, pow(self.exponent, -1, p - 1), p)
        b = pow(number % q, pow(self.exponent, -1, q - 1), q)
        return (b + q * ((a - b) * pow(q, -1, p) % p)).to_bytes(self.length, "big")

    def sign(self, encoding: Encoding) -> bytes:
        return self.raw(encoding.encode())


def public(exponent: int, modulus: int, length: int) -> bytes:
    return exponent.to_bytes(4, "big") + modulus.to_bytes(length, "big")


@cache
def _generated(bits: int, number: int, exponent: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, bits)


def secret(bits: int, number: int = 0, exponent: int = EXPONENT) -> rsa.RSAPrivateKey:
    """The pool's key of so many bits; the same one for the same arguments."""
    return _generated(bits, number, exponent)


def opened(bits: int, number: int = 0, exponent: int = EXPONENT) -> Key:
    """The same key, for signing by hand."""
    numbers = secret(bits, number, exponent).private_numbers()
    return Key((numbers.p, numbers.q), exponent)


def seeded(bits: int) -> Key:
    """The same key on every machine, for figures; found slowly."""
    choose = random.Random(bits)
    return Key((_prime(choose, bits // 2), _prime(choose, bits // 2)))


def _prime(choose: random.Random, bits: int) -> int:
    while True:
        # The two highest bits: a product of two has exactly twice as many.
        candidate = choose.getrandbits(bits) | 3 << bits - 2 | 1
        divides = any(candidate % small == 0 for small in range(3, 2000, 2))
        if not divides and pow(2, candidate - 1, candidate) == 1 and candidate % EXPONENT != 1:
            return candidate


def pss(
    key: rsa.RSAPrivateKey,
    message: bytes,
    salt: int = SALT,
    mgf: hashes.HashAlgorithm | None = None,
) -> bytes:
    """A signature by the library's own signer."""
    scheme = padding.PSS(padding.MGF1(mgf or hashes.SHA256()), salt)
    return key.sign(message, scheme, hashes.SHA256())


def accepts(key: rsa.RSAPublicKey, message: bytes, signature: bytes) -> bool:
    """What the library's own verifier says."""
    from cryptography.exceptions import InvalidSignature

    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), SALT)
    try:
        key.verify(signature, message, scheme, hashes.SHA256())
    except InvalidSignature:
        return False
    return True
