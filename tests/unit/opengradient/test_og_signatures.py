"""signatures.py: what the library's own verifier says, in this process or in others."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.opengradient.item import SignedItem
from tallystick.opengradient.signatures import CHUNK, Signatures, load_key
from tests.support.opengradient import Tee
from tests.support.rsa import pss, secret

TEES = [Tee(number) for number in range(2)]
KEYS = {tee.id: tee.der for tee in TEES}
GOOD = TEES[0].item(0, 1_800_000_000)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 255), st.integers(1, 255))
def test_check__one_byte_of_the_signature_changed__is_bad(place: int, change: int) -> None:
    changed = bytearray(GOOD.signature)
    changed[place] ^= change

    assert Signatures(KEYS, 1).check([GOOD, GOOD._replace(signature=bytes(changed))]) == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"tee_id": TEES[1].id},
        {"tee_id": bytes(32)},
        {"input_hash": b"i" * 32},
        {"output_hash": b"o" * 32},
        {"timestamp": 1_800_000_001},
        {"signature": b""},
        {"signature": GOOD.signature + b"\0"},
        {"signature": pss(TEES[0].key, GOOD.message(), salt=20)},
    ],
)
def test_check__anything_else_changed__is_bad(change: dict[str, object]) -> None:
    assert Signatures(KEYS, 1).check([GOOD._replace(**change)]) == [False]  # type: ignore[arg-type]


def test_check__other_processes__same_answers_in_order_with_progress() -> None:
    items: list[SignedItem] = []
    for number in range(2 * CHUNK + 10):
        signature = GOOD.signature if number % 3 else bytes(256)
        items.append(GOOD._replace(signature=signature))
    told: list[tuple[int, int]] = []

    with Signatures(KEYS, 2, lambda *one: told.append(one), few=0) as signatures:
        signatures.check([GOOD])
        found = signatures.check(items)

    assert found == [number % 3 != 0 for number in range(len(items))]
    whole = len(items) + 1
    assert told == [(1, 1), (CHUNK + 1, whole), (2 * CHUNK + 1, whole), (whole, whole)]


def test_load_key__no_rsa_2048__is_none() -> None:
    curve = ec.derive_private_key(5, ec.SECP256R1()).public_key()
    other = secret(3072).public_key()
    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert load_key(curve.public_bytes(*spki)) is None
    assert load_key(other.public_bytes(*spki)) is None
    assert load_key(b"") is None
    assert load_key(TEES[0].der) is not None
    assert len(TEES[0].der) == 294
