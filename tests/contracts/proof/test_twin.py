"""protocol/proof.py and the contract agree on encodings and hashes, and refuse the same bytes."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web3.exceptions import ContractLogicError

from tallystick.errors import FieldError
from tallystick.protocol.proof import MODULUS, Circuit, Encoding
from tests.support.chain import Chain

WORDS = st.integers(0, 2**256 - 1) | st.builds(
    lambda count, width, sign, scale: count << 24 | width << 16 | sign << 8 | scale,
    st.integers(0, 2**16 + 1),
    st.integers(0, 33),
    st.integers(0, 2),
    st.integers(0, 255),
)
ENCODINGS = st.builds(Encoding, st.integers(1, 6), st.integers(1, 31), st.booleans()) | st.builds(
    Encoding, st.integers(1, 3), st.just(32), st.just(False)
)


@pytest.fixture(scope="module")
def contract(shared_chain: Chain) -> Iterator[Any]:
    with shared_chain.isolated():
        yield shared_chain.deploy("Proof").functions


@settings(max_examples=80)
@given(ENCODINGS, ENCODINGS, st.data())
def test_instances__any_bytes__as_the_contract(
    contract: Any, input_: Encoding, output: Encoding, data: st.DataObject
) -> None:
    of_length = st.binary(min_size=input_.size, max_size=input_.size)
    given_ = data.draw(of_length | st.binary(max_size=input_.size + 2))
    result = data.draw(st.binary(min_size=output.size, max_size=output.size))
    circuit = Circuit(bytes(32), bytes(32), input_, output)

    try:
        expected = circuit.instances(given_, result)
    except FieldError:
        expected = None
    try:
        found = contract.instancesOf(given_, result, input_.word, output.word).call()
    except ContractLogicError:
        found = None

    assert found == expected
    if found is not None:
        assert all(value < MODULUS for value in found)
        # And back: each sequence of values has one of bytes.
        assert input_.data(found[: input_.count]) == given_
        assert output.data(found[input_.count :]) == result


@settings(max_examples=80)
@given(WORDS)
def test_content_hash__any_word__as_the_contract(contract: Any, word: int) -> None:
    good = Encoding(1, 1, False)
    try:
        encoding = Encoding.parse(word)
        expected = Circuit(b"c" * 32, b"k" * 32, encoding, good).content_hash()
        assert encoding.word == word
    except FieldError:
        expected = None

    try:
        found = contract.contentHashOf(b"c" * 32, b"k" * 32, word, good.word).call()
    except ContractLogicError:
        found = None

    assert found == expected
