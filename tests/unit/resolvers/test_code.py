"""Listed contracts: by their code, whatever their constructor put into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.data.resolvers.code import code_name, describe, immutables, masked

TEMPLATE = bytes([0x60, 0x7F, 0x7F]) + bytes(32) + bytes([0x01, 0x7F]) + bytes(32) + b"\x00"


def test_immutables__code__stand_after_push32_only() -> None:
    assert immutables(TEMPLATE) == [3, 37]


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_matches__any_immutables__is_the_same_code(one: bytes, two: bytes) -> None:
    deployed = TEMPLATE[:3] + one + TEMPLATE[35:37] + two + TEMPLATE[69:]

    assert describe("it", TEMPLATE).matches(deployed)
    assert masked(deployed, (3, 37)) == TEMPLATE


@pytest.mark.parametrize("place", [0, 2, 35, 36, 69])
def test_matches__another_byte_of_code__is_another_contract(place: int) -> None:
    changed = bytearray(TEMPLATE)
    changed[place] ^= 1

    assert not describe("it", TEMPLATE).matches(bytes(changed))
    assert not describe("it", TEMPLATE).matches(TEMPLATE + b"\x00")


def test_code_name__no_code__is_on_no_list() -> None:
    assert code_name(b"") is None
