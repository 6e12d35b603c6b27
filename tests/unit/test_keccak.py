"""keccak.py against pycryptodome's Keccak."""

import pytest
from Crypto.Hash import keccak as theirs
from hypothesis import given
from hypothesis import strategies as st

from tallystick.protocol.keccak import keccak256


@given(st.binary(max_size=600))
def test_keccak256__any_bytes__same_as_pycryptodome(data: bytes) -> None:
    assert keccak256(data) == theirs.new(digest_bits=256, data=data).digest()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_keccak256__any_buffer__same_digest(kind: type) -> None:
    assert keccak256(kind(b"tally")) == keccak256(b"tally")
