"""Requests and answers as JSON; hashes, addresses and bytes are hex text with 0x."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tallystick.node.operator.errors import RefusedError
from tallystick.node.operator.journal import Answered
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.validation import first_fault
from tallystick.protocol.wire import AskedInferences


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
        where, reason = first_fault(error, "body")
        raise RefusedError(400, f"{where}: {reason}") from error
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
