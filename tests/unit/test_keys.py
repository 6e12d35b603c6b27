"""keys.py: kinds by length, what is refused as a key, who signed, and how signatures travel.

The contracts' answers to the same: tests/contracts/rsa_pss, committee and enclave.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import FieldError
from tallystick.protocol.keys import (
    P256_FIELD,
    P256_ORDER,
    check_key,
    has_signed,
    p256_key,
    packed,
    rsa_key,
    unpacked,
)
from tests.support.keys import KINDS, held, held_p256, held_rsa

DIGEST = b"d" * 32
POINT = held_p256().key
X, Y = int.from_bytes(POINT[:32], "big"), int.from_bytes(POINT[32:], "big")


@pytest.mark.parametrize("kind", KINDS)
def test_has_signed__each_kind__until_anything_changes(kind: str) -> None:
    key, other = held(kind), held_rsa(2048, 1)
    good = key.sign(DIGEST)
    check_key("key", key.key)

    assert has_signed(key.key, DIGEST, good)
    assert not has_signed(key.key, b"e" * 32, good)
    assert not has_signed(other.key, DIGEST, good)
    assert not has_signed(b"no key", DIGEST, good)
    for wrong in (b"", good[:-1], good + b"\0", good[::-1], bytes(len(good))):
        assert not has_signed(key.key, DIGEST, wrong)


def test_has_signed__p256_with_high_s__is_refused() -> None:
    key = held_p256()
    good = key.sign(DIGEST)
    twin = good[:32] + (P256_ORDER - int.from_bytes(good[32:], "big")).to_bytes(32, "big")

    assert not has_signed(key.key, DIGEST, twin)


@pytest.mark.parametrize("salt", [0, 31, 33])
def test_has_signed__rsa_with_another_salt__is_refused(salt: int) -> None:
    from tests.support.rsa import pss, secret

    key = held_rsa()

    assert has_signed(key.key, DIGEST, pss(secret(2048), DIGEST))
    assert not has_signed(key.key, DIGEST, pss(secret(2048), DIGEST, salt=salt))


@pytest.mark.parametrize("size", [0, 1, 19, 21, 32, 63, 65, 84, 259, 517])
def test_check_key__another_length__raises(size: int) -> None:
    with pytest.raises(FieldError, match="^key( is|: )"):
        check_key("key", b"\xff" * size)


def test_check_key__zero_address__raises() -> None:
    with pytest.raises(FieldError, match="zero address"):
        check_key("key", bytes(20))


@pytest.mark.parametrize(
    ("exponent", "modulus", "field"),
    [
        (3, 2**2048 - 1, "exponent"),
        (65538, 2**2048 - 1, "exponent"),
        (2**32 + 1, 2**2048 - 1, "exponent"),
        (65537, 2**2047 - 1, "modulus"),
        (65537, 2**2049 - 1, "modulus"),
        (65537, 2**4104 - 1, "modulus"),
        (65537, 2**2048 - 2, "modulus"),
    ],
)
def test_rsa_key__that_the_contracts_refuse__raises(
    exponent: int, modulus: int, field: str
) -> None:
    with pytest.raises(FieldError, match=f"^key: {field} is "):
        rsa_key(exponent, modulus)


def test_check_key__rsa_with_its_top_bit_clear__raises() -> None:
    key = held_rsa().key

    with pytest.raises(FieldError, match="modulus is 2047 bits"):
        check_key("key", key[:4] + b"\x7f" + key[5:])


@pytest.mark.parametrize(
    ("x", "y"), [(0, 0), (1, 2), (X, Y ^ 1), (X, Y + P256_FIELD), (X + P256_FIELD, Y)]
)
def test_p256_key__not_on_the_curve__raises(x: int, y: int) -> None:
    assert p256_key(X, Y) == POINT
    with pytest.raises(FieldError):
        p256_key(x, y)


@given(st.dictionaries(st.integers(0, 15), st.binary(max_size=520)))
def test_packed__unpacked__are_the_same_in_order(signatures: dict[int, bytes]) -> None:
    together = packed(signatures)

    assert unpacked(together) == signatures
    assert list(unpacked(together)) == sorted(signatures)


@pytest.mark.parametrize("cut", [1, 2, 65, 66, 67])
def test_unpacked__cut_short__raises(cut: int) -> None:
    with pytest.raises(FieldError, match="^signatures is "):
        unpacked(packed({0: b"a" * 65, 1: b"b" * 65})[:-cut])
