"""Types of options: hex text from outside becomes bytes."""

from typing import Any

import click

from tallystick.errors import FieldError
from tallystick.hexes import from_hex


class Hex(click.ParamType):
    """Bytes of one length, or of any, as hex text."""

    def __init__(self, length: int | None, name: str) -> None:
        self.length, self.name = length, name

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return the bytes; a usage error when the text is something else."""
        if isinstance(value, bytes):
            return value
        try:
            return from_hex(value, self.length, "it")
        except FieldError as error:
            self.fail(str(error), param, ctx)


ADDRESS = Hex(20, "address")
BYTES32 = Hex(32, "bytes32")
BYTES = Hex(None, "hex")
