"""Kept answers: a file for each, with everything that somebody needs to check it later."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tallystick.client.llm.checks import check_text
from tallystick.errors import AnswerError, FieldError, ReceiptError, SignatureError
from tallystick.llm.output import Output
from tallystick.llm.request_header import RequestHeader
from tallystick.llm.wire import SignedAnswer, answer_id
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.address_text import AddressText
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import checksummed, from_hex, to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.validation import first_fault
from tallystick.storage.durable import replace_file

VERSION = 1
_ID = re.compile(r"(chatcmpl|cmpl)-[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One answer: body, text, output, the operator's word, and the receipt once it is there."""

    domain: Domain
    """Chain and registry."""
    chat: bool
    """It was asked at /v1/chat/completions."""
    body: bytes
    request: Request
    request_signature: bytes
    """The requester's, 65 bytes."""
    answer: SignedAnswer
    network_id: bytes
    key: bytes
    """Who signed the word, 20 bytes: the operator, or its key."""
    block: int
    """At which the registry had the key for the operator."""
    receipt: Receipt | None = None

    @property
    def id(self) -> str:
        """The id of the answer, as the API has it."""
        return answer_id(self.request.struct_hash(), self.chat)

    @property
    def word(self) -> Acknowledgement:
        """The operator's word."""
        return Acknowledgement(
            self.network_id,
            self.request.operator,
            self.key,
            self.answer.time,
            (self.request.struct_hash(),),
            (keccak256(self.answer.output.encode()),),
        )

    def check(self) -> None:
        """Check everything that needs no chain.

        Body and requester's signature, text against output, the word's signature; of the receipt
        that it holds, and is of this very request and output.

        Raises:
            AnswerError: the first part that fails, by its name.
        """
        if keccak256(self.body) != self.request.input_hash:
            raise AnswerError("body: it is not the one that was signed")
        try:
            self.request.check(self.domain, self.request_signature)
        except SignatureError as error:
            raise AnswerError(f"request: {error}") from error
        check_text(self.answer.output, self.answer.text)
        try:
            self.word.check(self.domain, self.answer.signature)
        except SignatureError as error:
            raise AnswerError(f"signature: {error}") from error
        if self.receipt is not None:
            self.check_receipt(self.receipt)

    def check_receipt(self, receipt: Receipt) -> None:
        """Raise AnswerError unless a receipt holds, and is of this request and output."""
        try:
            receipt.check()
        except ReceiptError as error:
            raise AnswerError(f"receipt: {error}") from error
        inference = receipt.opening.inference
        if Domain(receipt.chain_id, receipt.registry) != self.domain:
            raise AnswerError("receipt: it is of another chain or registry")
        if receipt.batch.network_id != self.network_id:
            raise AnswerError("receipt: it is of another network")
        if inference.request() != self.request:
            raise AnswerError("receipt: it is of another request")
        if inference.output_hash != keccak256(self.answer.output.encode()):
            raise AnswerError("receipt: it is of another output")

    def to_json(self) -> dict[str, Any]:
        """Return what json.dumps takes."""
        request, answer = self.request, self.answer
        header = RequestHeader(
            request.model_id,
            request.requester,
            request.nonce,
            request.deadline,
            self.request_signature,
        )
        return {
            "version": VERSION,
            "id": self.id,
            "chain_id": self.domain.chain_id,
            "registry": checksummed(self.domain.contract),
            "network_id": to_hex(self.network_id),
            "operator": checksummed(request.operator),
            "header": header.encode(),
            "body": self.body.decode(),
            "text": answer.text,
            "output": to_hex(answer.output.encode()),
            "acknowledgement": {
                "key": checksummed(self.key),
                "time": answer.time,
                "signature": to_hex(answer.signature),
                "block": self.block,
            },
            "receipt": None if self.receipt is None else self.receipt.to_json(),
        }

    @classmethod
    def from_json(cls, data: Any) -> "KeptAnswer":
        """Return what parsed JSON describes; it is not checked yet.

        Raises:
            AnswerError: the version is unknown, or a field is missing, unknown or malformed.
        """
        if isinstance(data, dict) and (
            wrong := unknown_version("kept answer", data.get("version"), VERSION)
        ):
            raise AnswerError(wrong)
        try:
            return _File.model_validate(data).answer()
        except ValidationError as error:
            where, reason = first_fault(error, "kept answer")
            raise AnswerError(f"{where}: {reason}") from error
        except (FieldError, ReceiptError) as error:
            raise AnswerError(str(error)) from error

    @classmethod
    def read(cls, path: Path) -> "KeptAnswer":
        """Return the answer in a file; AnswerError names the file."""
        try:
            return cls.from_json(json.loads(path.read_bytes()))
        except (AnswerError, ValueError, RecursionError) as error:
            raise AnswerError(f"{path} is no kept answer: {error}") from error


class AnswerFolder:
    """A folder of kept answers, by their ids.

    Args:
        path: of the folder; made when something is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def file(self, key: str) -> Path:
        """Return where an answer is or would be; AnswerError where that is no id."""
        if not _ID.fullmatch(key):
            raise AnswerError("it is no answer's id; needed: chatcmpl- or cmpl-, and 64 hex digits")
        return self.path / f"{key}.json"

    def keep(self, kept: KeptAnswer) -> Path:
        """Write an answer; whole and on the disk when this returns.

        The receipt of one that is there already stays.
        """
        path = self.file(kept.id)
        if kept.receipt is None and path.exists():
            kept = replace(kept, receipt=KeptAnswer.read(path).receipt)
        text = json.dumps(kept.to_json(), ensure_ascii=False, indent=1)
        replace_file(path, text.encode() + b"\n", shared=True)
        return path

    def get(self, key: str) -> KeptAnswer | None:
        """Return an answer, or None where none of this id is kept."""
        path = self.file(key)
        return KeptAnswer.read(path) if path.exists() else None

    def of(self, request: bytes) -> KeptAnswer | None:
        """Return the answer to a request, by its hashStruct."""
        for chat in (True, False):
            if (found := self.get(answer_id(request, chat))) is not None:
                return found
        return None

    def __iter__(self) -> Iterator[KeptAnswer]:
        for path in sorted(self.path.glob("*cmpl-*.json")):
            yield KeptAnswer.read(path)


_Hex = Annotated[str, Field(pattern="^0x([0-9a-fA-F]{2})*$")]
_Hash = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]
_Signature = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{130}$")]
_Count = Annotated[int, Field(ge=0, lt=2**64)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _WordPart(_Part):
    key: AddressText
    time: _Count
    signature: _Signature
    block: _Count


class _File(_Part):
    """A kept answer as written."""

    version: int
    id: Annotated[str, Field(pattern=f"^{_ID.pattern}$")]
    chain_id: _Count
    registry: AddressText
    network_id: _Hash
    operator: AddressText
    header: str
    body: str
    text: str
    output: _Hex
    acknowledgement: _WordPart
    receipt: dict[str, Any] | None

    def answer(self) -> KeptAnswer:
        header = RequestHeader.decode(self.header)
        body, word = self.body.encode(), self.acknowledgement
        found = KeptAnswer(
            Domain(self.chain_id, from_hex(self.registry)),
            self.id.startswith("chat"),
            body,
            header.request(from_hex(self.operator), keccak256(body)),
            header.signature,
            SignedAnswer(
                Output.decode(from_hex(self.output)),
                self.text,
                word.time,
                from_hex(word.signature),
            ),
            from_hex(self.network_id),
            from_hex(word.key),
            word.block,
            None if self.receipt is None else Receipt.from_json(self.receipt),
        )
        if found.id != self.id:
            raise AnswerError(f"id: its request is {found.id}")
        return found
