"""RsaPss refuses everything but the one good encoding.

Each case is signed with the secret key by hand, so that nothing but the check it names can fail.

encoded message: trailer | salt of another length | padding | separator | top bit | prefix
signature: another scheme or hash | plus the modulus | the modulus and above | wrong length
key: modulus even, with a leading zero, too short, too long, with its top bit clear | exponent
"""

import hashlib
import secrets
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.contracts.rsa_pss.conftest import ACCEPTED, Verifier
from tests.support.rsa import Encoding, Key, opened, pss, public, secret

LENGTH = 256
MESSAGE = hashlib.sha256(b"message").digest()
ZEROS = LENGTH - 66


@pytest.fixture
def key() -> Key:
    return opened(2048)


def below(key: Key, **parts: object) -> bytes:
    """An encoded message that is below the modulus, by trying salts."""
    while True:
        encoded = Encoding(key.length, MESSAGE, **parts).encode()
        if int.from_bytes(encoded, "big") < key.modulus:
            return encoded


def test_encoding__as_it_should_be__is_accepted(verifier: Verifier, key: Key) -> None:
    assert verifier.accepts(key.public(), MESSAGE, key.raw(below(key)))


@pytest.mark.parametrize("trailer", [b"\x00", b"\xbd", b"\x3c", b"\xcc", b"\xff"])
def test_encoding__other_trailer__is_refused(verifier: Verifier, key: Key, trailer: bytes) -> None:
    assert not verifier.accepts(key.public(), MESSAGE, key.raw(below(key, trailer=trailer)))


@pytest.mark.parametrize("length", [0, 1, 20, 31, 33, 64, ZEROS + 32])
def test_encoding__salt_of_another_length__is_refused(
    verifier: Verifier, key: Key, length: int
) -> None:
    salt = secrets.token_bytes(length)

    assert not verifier.accepts(key.public(), MESSAGE, key.raw(below(key, salt=salt)))


@pytest.mark.parametrize("length", [0, 31, 33, padding.PSS.MAX_LENGTH])
def test_encoding__librarys_signature_with_another_salt__is_refused(
    verifier: Verifier, key: Key, length: Any
) -> None:
    assert not verifier.accepts(key.public(), MESSAGE, pss(secret(2048), MESSAGE, salt=length))


@pytest.mark.parametrize("bits", [2048, 2056, 3000])
def test_encoding__any_byte_of_padding_not_zero__is_refused(verifier: Verifier, bits: int) -> None:
    key = opened(bits)
    zeros = key.length - 66
    for place in range(zeros):
        wrong = bytes(place) + b"\x01" + bytes(zeros - place - 1)
        encoded = Encoding(key.length, MESSAGE, zeros=wrong).encode()

        assert not verifier.accepts(key.public(), MESSAGE, key.raw(encoded)), place


@pytest.mark.parametrize("separator", [b"\x00", b"\x02", b"\x81", b"\x03", b"\xff"])
def test_encoding__other_separator__is_refused(
    verifier: Verifier, key: Key, separator: bytes
) -> None:
    assert not verifier.accepts(key.public(), MESSAGE, key.raw(below(key, separator=separator)))


def test_encoding__top_bit_set__is_refused(verifier: Verifier, key: Key) -> None:
    assert not verifier.accepts(key.public(), MESSAGE, key.raw(below(key, top_bit=True)))


@pytest.mark.parametrize("prefix", [b"", bytes(7), bytes(9), bytes(7) + b"\x01"])
def test_encoding__other_prefix_of_the_hash__is_refused(
    verifier: Verifier, key: Key, prefix: bytes
) -> None:
    assert not verifier.accepts(key.public(), MESSAGE, key.raw(below(key, prefix=prefix)))


@pytest.mark.parametrize("mgf", [hashes.SHA1(), hashes.SHA384(), hashes.SHA3_256()])
def test_signature__other_mask__is_refused(
    verifier: Verifier, key: Key, mgf: hashes.HashAlgorithm
) -> None:
    assert not verifier.accepts(key.public(), MESSAGE, pss(secret(2048), MESSAGE, mgf=mgf))


def test_signature__over_the_hash_itself__is_refused(verifier: Verifier, key: Key) -> None:
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = secret(2048).sign(MESSAGE, scheme, Prehashed(hashes.SHA256()))

    assert not verifier.accepts(key.public(), MESSAGE, signature)


def test_signature__pkcs1_v1_5__is_refused(verifier: Verifier, key: Key) -> None:
    signature = secret(2048).sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())

    assert not verifier.accepts(key.public(), MESSAGE, signature)


def test_signature__of_another_key__is_refused(verifier: Verifier, key: Key) -> None:
    assert not verifier.accepts(key.public(), MESSAGE, pss(secret(2048, 1), MESSAGE))


def test_signature__plus_the_modulus__is_refused(verifier: Verifier, key: Key) -> None:
    good = key.modulus
    while good + key.modulus >= 1 << 8 * LENGTH:
        good = int.from_bytes(key.raw(below(key)), "big")

    assert verifier.accepts(key.public(), MESSAGE, good.to_bytes(LENGTH, "big"))
    twin = (good + key.modulus).to_bytes(LENGTH, "big")
    assert not verifier.accepts(key.public(), MESSAGE, twin)


@pytest.mark.parametrize("bits", [2048, 2056])
def test_signature__the_modulus_or_next_to_it__is_refused(verifier: Verifier, bits: int) -> None:
    key = opened(bits)
    for number in (key.modulus - 1, key.modulus, key.modulus + 1, 2 ** (8 * key.length) - 1, 0, 1):
        signature = number.to_bytes(key.length, "big")

        assert not verifier.accepts(key.public(), MESSAGE, signature)


def test_signature__begins_with_zero__is_accepted_at_full_length_only(
    verifier: Verifier, key: Key
) -> None:
    signature = b"\x01"
    while signature[0]:
        signature = pss(secret(2048), MESSAGE)

    assert verifier.accepts(key.public(), MESSAGE, signature)
    assert not verifier.accepts(key.public(), MESSAGE, signature[1:])


def test_signature__longer_or_shorter__is_refused(verifier: Verifier, key: Key) -> None:
    good = pss(secret(2048), MESSAGE)

    for wrong in (b"", good[:-1], good[1:], b"\0" + good, good + b"\0", good * 2):
        assert not verifier.accepts(key.public(), MESSAGE, wrong)


def test_key__leading_zero_of_the_modulus__is_refused(verifier: Verifier, key: Key) -> None:
    longer = public(key.exponent, key.modulus, LENGTH + 1)
    good = key.raw(below(key))

    assert not verifier.accepts(longer, MESSAGE, b"\0" + good)
    assert not verifier.accepts(longer, MESSAGE, good)


def test_key__even_modulus__is_refused(verifier: Verifier) -> None:
    # A product of distinct primes, 2 among them, still has roots: all else here is good.
    odd = opened(2047)
    even = 2 * odd.modulus
    assert even.bit_length() == 2048
    encoded = int.from_bytes(Encoding(LENGTH, MESSAGE).encode(), "big")
    order = (odd.primes[0] - 1) * (odd.primes[1] - 1)
    signature = pow(encoded, pow(65537, -1, order), even)
    assert pow(signature, 65537, even) == encoded

    key = public(65537, even, LENGTH)
    assert not verifier.accepts(key, MESSAGE, signature.to_bytes(LENGTH, "big"))


def test_key__exponent_1__is_refused(verifier: Verifier, key: Key) -> None:
    encoded = below(key)

    assert not verifier.accepts(public(1, key.modulus, LENGTH), MESSAGE, encoded)


def test_key__exponent_3__is_refused(verifier: Verifier) -> None:
    key = opened(2048, 0, 3)

    assert not verifier.accepts(key.public(), MESSAGE, key.raw(below(key)))


@pytest.mark.parametrize("exponent", [0, 2, 17, 257, 65535, 65536, 65538])
def test_key__other_small_or_even_exponent__is_refused(
    verifier: Verifier, key: Key, exponent: int
) -> None:
    good = key.raw(below(key))

    assert not verifier.accepts(public(exponent, key.modulus, LENGTH), MESSAGE, good)


def test_key__even_exponent__is_refused(verifier: Verifier) -> None:
    number = 0
    while any(prime % 4 == 1 for prime in opened(2048, number).primes):
        number += 1
    key = opened(2048, number)
    p, q = key.primes
    while True:
        encoded = below(key)
        value = int.from_bytes(encoded, "big")
        roots = [pow(value, (prime + 1) // 4, prime) for prime in (p, q)]
        if all(
            root * root % prime == value % prime for root, prime in zip(roots, (p, q), strict=True)
        ):
            break
    root = (roots[1] + q * ((roots[0] - roots[1]) * pow(q, -1, p) % p)) % key.modulus
    signature = key.raw(root.to_bytes(LENGTH, "big"))
    assert pow(int.from_bytes(signature, "big"), 2 * 65537, key.modulus) == value

    assert not verifier.accepts(public(2 * 65537, key.modulus, LENGTH), MESSAGE, signature)


@pytest.mark.parametrize("bits", [1024, 2040, 4104])
def test_key__modulus_of_a_wrong_length__is_refused(verifier: Verifier, bits: int) -> None:
    key = opened(bits)

    assert not verifier.accepts(key.public(), MESSAGE, key.raw(below(key)))


@pytest.mark.parametrize("sizes", [(2046, 2048), (2048, 2052)])
def test_key__top_bit_of_the_modulus_clear__is_refused(
    verifier: Verifier, sizes: tuple[Any, ...]
) -> None:
    key = Key(tuple(opened(bits).primes[0] for bits in sizes))
    assert key.modulus.bit_length() % 8

    assert not verifier.accepts(key.public(), MESSAGE, key.raw(below(key)))


def test_key__cut_short__is_refused(verifier: Verifier, key: Key) -> None:
    good = key.raw(below(key))

    for size in (0, 1, 4, 5, LENGTH, LENGTH + 3):
        assert not verifier.accepts(key.public()[:size], MESSAGE, good)
    assert not verifier.accepts(b"", MESSAGE, b"")


def test_verify__wrong_signature_with_any_gas__is_never_accepted(
    verifier: Verifier, key: Key
) -> None:
    wrong = key.raw(below(key, separator=b"\x02"))
    answers = set()
    for gas in range(0, 50_000, 250):
        try:
            answers.add(verifier.call(key.public(), MESSAGE, wrong, gas))
        except RuntimeError:
            continue

    assert answers and ACCEPTED not in answers
