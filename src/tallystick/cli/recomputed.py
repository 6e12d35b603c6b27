"""A member's own outputs for drawn leaves: JSON Lines of leaf and output."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tallystick.cli.command import CommandError
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.text import TextError, parse_json


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    leaf: Annotated[int, Field(ge=0)]
    output: Annotated[str, Field(pattern="^0x([0-9a-fA-F]{2})*$")]


def read_recomputed(path: Path) -> dict[int, bytes]:
    """Return the output hash by leaf; CommandError names the line that is wrong.

    A line: {"leaf": 3, "output": "0x07"}, the output's canonical bytes as hex text.
    """
    found: dict[int, bytes] = {}
    for number, text in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not text.strip():
            continue
        try:
            line = _Line.model_validate(parse_json(text))
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"]
            raise CommandError(f"{path}: line {number}: {reason}") from error
        except TextError as error:
            raise CommandError(f"{path}: line {number}: {error}") from error
        if line.leaf in found:
            raise CommandError(f"{path}: line {number}: leaf {line.leaf} stands there twice")
        found[line.leaf] = keccak256(from_hex(line.output))
    return found
