"""signature.py: what OpenZeppelin's ECDSA refuses is refused."""

import pytest
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey

from tallystick.errors import SignatureError
from tallystick.protocol.signature import account_of, recover, sign

KEY = b"k" * 32
DIGEST = b"d" * 32


def parts(signature: bytes) -> tuple[int, int, int]:
    return (
        int.from_bytes(signature[:32], "big"),
        int.from_bytes(signature[32:64], "big"),
        signature[64],
    )


def whole(r: int, s: int, v: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


def test_recover__own_signature__returns_the_signer() -> None:
    assert recover(DIGEST, sign(DIGEST, KEY)) == account_of(KEY)
    assert account_of(KEY) == PrivateKey(KEY).public_key.to_canonical_address()


def test_sign__many_digests__low_s_and_v_27_or_28() -> None:
    signed = [parts(sign(bytes([number]) * 32, KEY)) for number in range(32)]

    assert max(s for _, s, _ in signed) <= SECPK1_N // 2
    assert {v for _, _, v in signed} == {27, 28}


def test_recover__other_half_of_s__raises() -> None:
    r, s, v = parts(sign(DIGEST, KEY))

    with pytest.raises(SignatureError, match="upper half"):
        recover(DIGEST, whole(r, SECPK1_N - s, 55 - v))


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_recover__v_not_27_or_28__raises(v: int) -> None:
    r, s, _ = parts(sign(DIGEST, KEY))

    with pytest.raises(SignatureError, match="27 or 28"):
        recover(DIGEST, whole(r, s, v))


@pytest.mark.parametrize("length", [0, 64, 66])
def test_recover__not_65_bytes__raises(length: int) -> None:
    signature = (sign(DIGEST, KEY) + b"\0")[:length]

    with pytest.raises(SignatureError, match=f"{length} bytes"):
        recover(DIGEST, signature)


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (SECPK1_N, 1), (2**256 - 1, 1)])
def test_recover__r_or_s_out_of_range__raises(r: int, s: int) -> None:
    with pytest.raises(SignatureError, match="out of range"):
        recover(DIGEST, whole(r, s, 27))


def test_recover__r_of_no_point__raises() -> None:
    # x = 5 is on no point of secp256k1: 5^3 + 7 is no square.
    with pytest.raises(SignatureError, match="nobody"):
        recover(DIGEST, whole(5, 1, 27))


def test_recover__wrong_v__returns_another_account() -> None:
    r, s, v = parts(sign(DIGEST, KEY))

    assert recover(DIGEST, whole(r, s, 55 - v)) != account_of(KEY)
