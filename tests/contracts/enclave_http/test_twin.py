"""protocol/enclave_http.py takes what the contract takes, and refuses what it refuses."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3
from web3.exceptions import ContractLogicError

from tallystick.errors import FieldError, SignatureError
from tallystick.protocol.enclave_http import HttpAnswer, HttpModel, read_ruling_evidence
from tallystick.protocol.enums import Ruling
from tallystick.protocol.keccak import keccak256
from tests.support.chain import Chain
from tests.support.enclave import endorsed
from tests.support.enclave_http import HttpEnclave

OPERATOR = b"o" * 20
TEXT = st.binary(max_size=300)
NAMES = st.text(max_size=20).map(str.encode) | st.just(b"a:b") | st.just(b"")


class Both(NamedTuple):
    """A resolver of each form."""

    plain: Any
    named: Any
    enclave: HttpEnclave

    def upheld(self, evidence: bytes, model_id: bytes, bodies: HttpAnswer, named: bool) -> bool:
        leaf = (
            model_id,
            Web3.to_checksum_address(OPERATOR),
            Web3.to_checksum_address(bytes(20)),
            0,
            9,
            bodies.input_hash,
            bodies.output_hash,
            bytes(32),
        )
        contract = self.named if named else self.plain
        try:
            ruling = contract.functions.rule(bytes(32), leaf, 0, evidence).call()
        except ContractLogicError:
            return False
        return bool(ruling == Ruling.UPHELD)


@pytest.fixture(scope="module")
def both(shared_chain: Chain) -> Iterator[Both]:
    with shared_chain.isolated():
        enclave = HttpEnclave()
        resolvers = [endorsed(shared_chain, "EnclaveHttp", named) for named in (False, True)]
        for resolver in resolvers:
            resolver.endorse(enclave.held, OPERATOR)
        yield Both(*(resolver.contract for resolver in resolvers), enclave)


@settings(max_examples=40, deadline=None)
@given(TEXT, TEXT, NAMES, st.sampled_from([None, b"", b"other"]), st.booleans())
def test_check__any_bodies_and_form__as_the_contract(
    both: Both, request_: bytes, response: bytes, name: bytes, signed_as: bytes | None, named: bool
) -> None:
    signed = name if signed_as == b"" else signed_as
    answer = both.enclave.answer(request_, response, signed)
    model = HttpModel(b"n" * 32, b"r" * 20, name, b"p" * 32)
    evidence = answer.ruling_evidence(model)

    try:
        answer.check(name if named else None)
        good = True
    except SignatureError:
        good = False

    assert both.upheld(evidence, model.id(), answer, named) == good
    assert good == (signed == (name if named else None))
    assert read_ruling_evidence(evidence) == (answer, model)


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT, st.data())
def test_read_ruling_evidence__changed_anywhere__refused_as_by_the_contract(
    both: Both, request_: bytes, response: bytes, data: st.DataObject
) -> None:
    answer = both.enclave.answer(request_, response)
    model = HttpModel(b"n" * 32, b"r" * 20, b"qwen")
    good = answer.ruling_evidence(model)
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    changed = good[:start] + data.draw(st.binary(max_size=4)) + good[end:]

    try:
        shown, of = read_ruling_evidence(changed)
        shown.check(None)
        same = (of.id(), shown.item()) == (model.id(), answer.item())
    except (FieldError, SignatureError):
        same = False

    assert both.upheld(changed, model.id(), answer, False) == same
    assert same == (changed == good)


def test_item__of_an_answer__is_what_the_contract_reckons(both: Both) -> None:
    answer = both.enclave.answer()
    other = replace(answer, response=b"another")
    model = HttpModel(b"n" * 32, b"r" * 20, b"qwen")
    with pytest.raises(ContractLogicError) as caught:
        both.plain.functions.rule(
            bytes(32),
            (
                model.id(),
                Web3.to_checksum_address(OPERATOR),
                Web3.to_checksum_address(bytes(20)),
                0,
                9,
                answer.input_hash,
                answer.output_hash,
                bytes(32),
            ),
            0,
            other.ruling_evidence(model),
        ).call()

    told = str(caught.value)
    assert other.item().hex() in told and answer.item().hex() in told
    assert answer.item() == keccak256(keccak256(answer.request) + keccak256(answer.response))
