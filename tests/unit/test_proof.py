"""protocol/proof.py: encodings by golden vectors, both ways, and evidence that is refused."""

from dataclasses import replace

import pytest

from tallystick.errors import FieldError
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.proof import (
    MODULUS,
    SPEC_ID,
    Circuit,
    Encoding,
    ProofModel,
    ProvenLeaf,
)

CIRCUIT = Circuit(b"c" * 32, b"k" * 32, Encoding(2, 1, False), Encoding(1, 4, True, 10))
MODEL = ProofModel(b"n" * 32, b"r" * 20, CIRCUIT, b"v" * 20)


@pytest.mark.parametrize(
    ("encoding", "data", "values"),
    [
        (Encoding(3, 1, False), b"\x00\x01\xff", [0, 1, 255]),
        (Encoding(3, 1, True), b"\x7f\x80\xff", [127, MODULUS - 128, MODULUS - 1]),
        (Encoding(2, 2, False), b"\x01\x00\x00\x01", [1, 256]),
        (Encoding(1, 4, True), b"\xff\xff\xff\xff", [MODULUS - 1]),
        (Encoding(1, 8, True), bytes(7) + b"\x80", [MODULUS - 2**63]),
        (Encoding(1, 31, False), b"\xff" * 31, [2**248 - 1]),
        (Encoding(1, 32, False), (MODULUS - 1).to_bytes(32, "little"), [MODULUS - 1]),
    ],
    ids=str,
)
def test_values__golden_vectors__both_ways(
    encoding: Encoding, data: bytes, values: list[int]
) -> None:
    assert encoding.values(data) == values
    assert encoding.data(values) == data


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        (Encoding(1, 1, False), b""),
        (Encoding(1, 1, False), b"\0\0"),
        (Encoding(1, 32, False), MODULUS.to_bytes(32, "little")),
    ],
)
def test_values__other_bytes__are_refused(encoding: Encoding, data: bytes) -> None:
    with pytest.raises(FieldError):
        encoding.values(data)


@pytest.mark.parametrize(
    ("encoding", "values"),
    [
        (Encoding(1, 1, False), [256]),
        (Encoding(1, 1, False), [MODULUS - 1]),
        (Encoding(1, 1, True), [128]),
        (Encoding(1, 1, True), [MODULUS - 129]),
        (Encoding(1, 1, True), [MODULUS]),
        (Encoding(1, 1, True), [-1]),
        (Encoding(1, 1, True), [1, 2]),
    ],
)
def test_data__values_out_of_range__are_refused(encoding: Encoding, values: list[int]) -> None:
    with pytest.raises(FieldError):
        encoding.data(values)


@pytest.mark.parametrize(
    "fields",
    [(0, 1, False), (1, 0, False), (1, 33, False), (1, 32, True), (65_537, 1, False)],
)
def test_encoding__that_the_contract_refuses__is_refused(fields: tuple[int, int, bool]) -> None:
    with pytest.raises(FieldError):
        Encoding(*fields)


def test_word__fields__lie_where_the_contract_reads_them() -> None:
    encoding = Encoding(64, 4, True, 10)

    assert encoding.word == 0x40_04_01_0A
    assert Encoding.parse(encoding.word) == encoding


def test_content_hash__by_hand__is_the_same() -> None:
    words = b"".join(
        [
            SPEC_ID,
            b"c" * 32,
            b"k" * 32,
            (0x02010000).to_bytes(32, "big"),
            (0x0104010A).to_bytes(32, "big"),
        ]
    )

    assert keccak256(b"ZK-1") == SPEC_ID
    assert CIRCUIT.content_hash() == keccak256(words)


@pytest.mark.parametrize("change", [{"input": b"\1\1"}, {"output": bytes(4)}])
def test_evidence__bytes_that_are_not_the_leafs__is_refused(change: dict[str, bytes]) -> None:
    leaf = Inference(
        MODEL.id(), b"o" * 20, bytes(20), 0, 9, keccak256(b"\1\2"), keccak256(b"\1\0\0\0")
    )
    good = ProvenLeaf(leaf, b"\1\2", b"\1\0\0\0", b"proof")
    assert MODEL.evidence([good])

    with pytest.raises(FieldError):
        MODEL.evidence([replace(good, **change)])
    with pytest.raises(FieldError, match="model_id"):
        replace(MODEL, registrant=b"x" * 20).evidence([good])
