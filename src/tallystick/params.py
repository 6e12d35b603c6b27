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


class Block(click.ParamType):
    """A block number, or one of the chain's names for its heads."""

    name = "number|latest|safe|finalized"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """Return the number, or the name."""
        if isinstance(value, int) or value in ("latest", "safe", "finalized"):
            return value  # type: ignore[no-any-return]
        if not value.isdecimal():
            self.fail(f"{value!r} is no block; needed: {self.name}", param, ctx)
        return int(value)


ADDRESS = Hex(20, "address")
BYTES32 = Hex(32, "bytes32")
BYTES = Hex(None, "hex")
BLOCK = Block()
