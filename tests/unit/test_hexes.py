"""hexes.py: hex text in and out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import FieldError
from tallystick.hexes import checksummed, from_hex, to_hex


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
