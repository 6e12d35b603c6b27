"""Requests and answers as JSON; hashes, addresses and bytes are hex text with 0x."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tallystick.hexes import checksummed, to_hex
from tallystick.node.operator.acknowledgement import Acknowledgement
from tallystick.node.operator.errors import RefusedError
from tallystick.node.operator.journal import Answered

_Address = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$")]
_Hash = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]
_Signature = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{130}$")]
_Bytes = Annotated[str, Field(pattern="^0x([0-9a-fA-F]{2})*$")]
_Count = Annotated[int, Field(ge=0, lt=1 << 64)]


class AskedInference(BaseModel):
    """One request, signed by its requester."""

    model_config = ConfigDict(extra="forbid", strict=True)

    requester: _Address
    nonce: _Count
    deadline: _Count
    """Unix seconds; the latest commit that the requester accepts."""
    input: _Bytes
    """The canonical input."""
    signature: _Signature
    """EIP-712 over Request, by the requester."""


class AskedInferences(BaseModel):
    """The body of POST /inferences."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model_id: _Hash
    inferences: Annotated[list[AskedInference], Field(min_length=1)]


class AskedReceipts(BaseModel):
    """The body of POST /receipts."""

    model_config = ConfigDict(extra="forbid", strict=True)

    requests: Annotated[list[_Hash], Field(min_length=1, max_length=1024)]
    """hashStruct of each Request."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as bytes."""

    requester: bytes
    nonce: int
    deadline: int
    input: bytes
    signature: bytes


def read_asked(body: bytes) -> tuple[bytes, list[Asked]]:
    """Return model id and requests of a body.

    Raises:
        RefusedError: 400 with the first field that is wrong.
    """
    try:
        asked = AskedInferences.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        raise RefusedError(400, f"{where}: {first['msg']}") from error
    return bytes.fromhex(asked.model_id[2:]), [
        Asked(
            bytes.fromhex(one.requester[2:]),
            one.nonce,
            one.deadline,
            bytes.fromhex(one.input[2:]),
            bytes.fromhex(one.signature[2:]),
        )
        for one in asked.inferences
    ]


def write_answers(
    model_id: bytes, word: Acknowledgement, signature: bytes, answers: list[Answered]
) -> dict[str, Any]:
    """Return the body of an answer; each request is the key of its receipt."""
    return {
        "network_id": to_hex(word.network_id),
        "operator": checksummed(word.operator),
        "key": checksummed(word.key),
        "model_id": to_hex(model_id),
        "time": word.time,
        "answers": [
            {
                "request": to_hex(one.request),
                "output": to_hex(one.output),
                "output_hash": to_hex(one.output_hash),
            }
            for one in answers
        ],
        "signature": to_hex(signature),
    }
