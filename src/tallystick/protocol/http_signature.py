"""The signature that an endpoint gives for an answer, read with care, and fitted to the bodies.

`GET .../signature/{chat id}` says {text, signature, signing_address, signing_algo}, at dstack's
vLLM proxy, NEAR AI and 0G alike. What more it says is not signed, and not looked at.
"""

import json
import re
from dataclasses import dataclass, field
from hashlib import sha256

from pydantic import BaseModel, ConfigDict, ValidationError

from tallystick.errors import AnswerError, FieldError, SignatureError
from tallystick.protocol.enclave_http import HttpAnswer
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.signature import LENGTH
from tallystick.protocol.text import TextError, parse_json
from tallystick.protocol.validation import first_fault

_FORM = re.compile(r"(?:(.+):)?([0-9a-f]{64}):([0-9a-f]{64})", re.DOTALL)
_ALGORITHM = "ecdsa"


class SaidSignature(BaseModel):
    """The endpoint's word on one answer."""

    model_config = ConfigDict(strict=True, frozen=True)

    text: str
    signature: str
    signing_address: str
    signing_algo: str = _ALGORITHM


@dataclass(frozen=True, slots=True)
class SignedExchange:
    """Two bodies under an enclave's signature that holds."""

    answer: HttpAnswer
    name: bytes | None
    """The model's, where the text begins with it: the named form."""
    reencoded: bool = field(default=False, compare=False)
    """The response came as other JSON than was signed, see fit."""

    @property
    def form(self) -> str:
        """Return "plain" or "named"."""
        return "plain" if self.name is None else "named"


def read_signature(said: bytes) -> SaidSignature:
    """Return what an endpoint says of an answer; AnswerError where it is something else.

    >>> read_signature(b'{"text": "t", "signature": "0x", "signing_address": "0x"}').signing_algo
    'ecdsa'
    """
    try:
        return SaidSignature.model_validate(parse_json(said))
    except TextError as error:
        raise AnswerError(f"the signature is malformed: {error}") from error
    except ValidationError as error:
        where, reason = first_fault(error, "it")
        raise AnswerError(f"the signature is malformed: {where}: {reason}") from error


def fit(request: bytes, received: bytes, said: SaidSignature) -> SignedExchange:
    """Return the exchange that a signature is for.

    dstack's vLLM proxy sends an answer that is no stream as compact JSON, and signs it as Python's
    json.dumps writes it by default. So the response is what was received, or, where only that
    fits, the same JSON written so: always the bytes that were signed.

    Args:
        request: the body that was sent.
        received: the body that came; of a stream, all of it.
        said: the endpoint's word.

    Raises:
        AnswerError: it is of another request, answer, form or algorithm, or nobody signed it so.
        FieldError: the bodies are longer than a network can take.
    """
    if said.signing_algo != _ALGORITHM:
        raise AnswerError(
            f"signing_algo is {said.signing_algo!r}; needed: {_ALGORITHM}, which a contract can "
            "check (ask for it: signing_algo=ecdsa)"
        )
    found = _FORM.fullmatch(said.text)
    if found is None:
        raise AnswerError(
            "the signed text is in no known form; needed: [model:]sha256(request):sha256(response) "
            "in lower-case hex"
        )
    name, request_hash, response_hash = found.groups()
    if sha256(request).hexdigest() != request_hash:
        raise AnswerError("the signature is of another request: its sha256 is another one")
    response = _signed_form(received, response_hash)
    try:
        signature = _normal(from_hex(said.signature, LENGTH, "signature"))
        signer = from_hex(said.signing_address, 20, "signing_address")
        encoded = None if name is None else name.encode()
    except (FieldError, UnicodeEncodeError) as error:
        raise AnswerError(f"the signature is malformed: {error}") from error
    answer = HttpAnswer(request, response, signature, signer)
    try:
        answer.check(encoded)
    except SignatureError as error:
        raise AnswerError(f"the signature does not hold: {error}") from error
    return SignedExchange(answer, encoded, response != received)


def named_model(request: bytes) -> str | None:
    """Return the model that a request's JSON asks for; None: it names none.

    >>> named_model(b'{"model": "qwen"}')
    'qwen'
    """
    return text_field(request, "model")


def text_field(data: bytes, name: str) -> str | None:
    """Return a field of a JSON object where it is text, and not empty; else None."""
    try:
        found = parse_json(data.strip())
    except TextError:
        return None
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) and value else None


def _signed_form(received: bytes, response_hash: str) -> bytes:
    if sha256(received).hexdigest() == response_hash:
        return received
    try:
        written = json.dumps(parse_json(received)).encode()
    except (TextError, UnicodeEncodeError):
        written = received
    if sha256(written).hexdigest() != response_hash:
        raise AnswerError("the signature is of another answer: its sha256 is another one")
    return written


def _normal(signature: bytes) -> bytes:
    """Return a signature with v of 27 or 28, which some libraries write as 0 or 1."""
    v = signature[-1]
    return signature[:-1] + bytes([v + 27]) if v in (0, 1) else signature
