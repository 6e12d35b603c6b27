"""hexes.py: hex text in and out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import FieldError
from tallystick.protocol.hexes import checksummed, from_hex, to_hex


@given(st.binary(max_size=70))
def test_from_hex__text_of_to_hex__returns_the_bytes(value: bytes) -> None:
    assert from_hex(to_hex(value)) == value
    assert from_hex(value.hex().upper(), len(value)) == value


@pytest.mark.parametrize("text", ["0x1", "0xzz", "0x 01", "01 02", "0x0x01", "é", "0x٣٣"])
def test_from_hex__not_hex__raises(text: str) -> None:
    with pytest.raises(FieldError):
        from_hex(text)


@pytest.mark.parametrize("text", ["0x", "0x01", "0x010203"])
def test_from_hex__another_length__raises(text: str) -> None:
    with pytest.raises(FieldError, match="needed: 2 bytes"):
        from_hex(text, 2)


def test_checksummed__erc55_example__returns_its_case() -> None:
    example = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

    assert checksummed(from_hex(example)) == example


@pytest.mark.parametrize(
    "text",
    [
        "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee",
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed",
    ],
)
def test_from_hex__address_whose_case_is_no_checksum__raises_and_tells_no_other(text: str) -> None:
    with pytest.raises(FieldError, match="checksum") as caught:
        from_hex(text, 20, "registry")

    assert str(caught.value).count("0x") == 1


@given(st.binary(min_size=20, max_size=20))
def test_from_hex__address_in_one_case_or_checksummed__is_taken(address: bytes) -> None:
    for text in (address.hex(), address.hex().upper(), checksummed(address)):
        assert from_hex(text, 20) == address


def test_from_hex__mixed_case_of_another_length__is_taken() -> None:
    assert from_hex("0xaB", 1) == b"\xab"
