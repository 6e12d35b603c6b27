"""enclave_http.py: texts as other libraries sign them, what is refused, and what docs say of it."""

from dataclasses import replace
from hashlib import sha256

import pytest
from eth_account.messages import _hash_eip191_message, encode_defunct

from tallystick.ape.commands.enclave_http import cli as sending
from tallystick.cli.enclave_http import enclave_http
from tallystick.errors import FieldError, SignatureError
from tallystick.protocol.enclave_http import (
    SPEC,
    SPEC_ID,
    HttpAnswer,
    HttpModel,
    read_ruling_evidence,
    signed_text,
    text_digest,
)
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import Model
from tests.support.builds import ROOT
from tests.support.enclave_http import NAME, REQUEST, RESPONSE, HttpEnclave

PAGE = (ROOT / "docs/enclave-http.md").read_text()
ENCLAVE = HttpEnclave()
MODEL = HttpModel(b"n" * 32, b"r" * 20, NAME)
REGISTERED = Model(
    MODEL.id(), b"n" * 32, b"r" * 20, keccak256(NAME), SPEC_ID, bytes(32), NAME.decode(), ""
)


@pytest.mark.parametrize("name", [None, NAME, b"", "modèle ✓".encode(), b"a:b"])
def test_text_digest__eth_account__makes_the_same(name: bytes | None) -> None:
    text = signed_text(REQUEST, RESPONSE, name)

    assert text_digest(text) == _hash_eip191_message(encode_defunct(primitive=text))
    hashes = f"{sha256(REQUEST).hexdigest()}:{sha256(RESPONSE).hexdigest()}".encode()
    assert text == (hashes if name is None else name + b":" + hashes)


@pytest.mark.parametrize("signed_as", [None, NAME])
def test_check__form__is_the_one_that_was_signed(signed_as: bytes | None) -> None:
    answer = ENCLAVE.answer(name=signed_as)

    answer.check(signed_as)
    with pytest.raises(SignatureError, match="did not sign these bodies in the"):
        answer.check(NAME if signed_as is None else None)


@pytest.mark.parametrize(
    "change",
    [
        {"signer": b"s" * 19},
        {"signer": bytes(20)},
        {"signature": b"s" * 64},
        {"response": b"a" * (90_001 - len(REQUEST))},
    ],
)
def test_answer__field_that_the_contract_would_refuse__raises(change: dict[str, bytes]) -> None:
    answer = ENCLAVE.answer()

    with pytest.raises(FieldError):
        replace(answer, **change)


def test_model__of_a_registered_one__is_that_one() -> None:
    assert HttpModel.of(REGISTERED) == MODEL
    assert keccak256(SPEC) == SPEC_ID and SPEC == b"ENCLAVE-HTTP"


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (replace(REGISTERED, spec_hash=b"s" * 32), "of ENCLAVE-HTTP"),
        (replace(REGISTERED, name="other"), "keccak256 of its name"),
    ],
)
def test_model__of_another_kind__refused(model: Model, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        HttpModel.of(model)


def test_model__name_of_256_bytes__refused() -> None:
    HttpModel(b"n" * 32, b"r" * 20, b"a" * 255)
    with pytest.raises(FieldError, match="at most 255 bytes"):
        HttpModel(b"n" * 32, b"r" * 20, b"a" * 256)


@pytest.mark.parametrize("field", ["input_hash", "output_hash", "model_id"])
def test_evidence__inference_of_another_answer__refused(field: str) -> None:
    answer = ENCLAVE.answer()
    inference = Inference(
        MODEL.id(), b"o" * 20, bytes(20), 4, 9, answer.input_hash, answer.output_hash
    )
    assert len(answer.evidence(inference, MODEL)) == 192 + len(answer.ruling_evidence(MODEL))

    with pytest.raises(FieldError, match=field):
        answer.evidence(replace(inference, **{field: b"x" * 32}), MODEL)


def test_read_ruling_evidence__each_length__is_the_answer_or_refused() -> None:
    answer = HttpAnswer(b"request", b"answer", bytes(65), b"s" * 20)
    good = answer.ruling_evidence(MODEL)

    for size in range(len(good)):
        try:
            shown, _ = read_ruling_evidence(good[:size])
        except FieldError:
            continue
        assert len(shown.response) < len(answer.response)
    assert read_ruling_evidence(good) == (answer, MODEL)


@pytest.mark.parametrize("command", enclave_http.commands)
def test_page__reading_commands__are_shown(command: str) -> None:
    assert f"\ntallystick enclave-http {command} " in PAGE


@pytest.mark.parametrize("command", sending.commands)
def test_page__sending_commands__are_shown(command: str) -> None:
    assert f"ape tallystick enclave-http {command} " in PAGE
