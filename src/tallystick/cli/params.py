"""Types of options: hex text, amounts and durations from outside become bytes and numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tallystick.errors import FieldError
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.quantities import amount_of, duration_of


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


class Quantity(click.ParamType):
    """A number that may have a unit.

    Args:
        name: as the help shows it.
        read: makes the number of the text; FieldError when it is none.
        lowest: the least that is taken.
        highest: the most.
    """

    def __init__(self, name: str, read: Callable[..., int], lowest: int, highest: int) -> None:
        self.name, self._read = name, read
        self._lowest, self._highest = lowest, highest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; a usage error when the text is something else."""
        try:
            found = self._read(value, "it")
        except FieldError as error:
            self.fail(str(error), param, ctx)
        if not self._lowest <= found <= self._highest:
            self.fail(f"it is {found}; needed: {self._lowest} to {self._highest}", param, ctx)
        return found


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


class BlockRange(click.ParamType):
    """First and last block of a range, both included."""

    name = "first:last"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return both numbers."""
        if isinstance(value, tuple):
            return value
        first, _, last = value.partition(":")
        if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
            self.fail(f"{value!r} is no range of blocks; needed: FIRST:LAST, as in 0:499")
        return int(first), int(last)


ADDRESS = Hex(20, "address")
BYTES32 = Hex(32, "bytes32")
BYTES = Hex(None, "hex")
BLOCK = Block()
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BLOCK_RANGE = BlockRange()
AMOUNT = Quantity("wei|ether", amount_of, 1, 2**128 - 1)
"""Of an asset in its smallest units, or such as "0.001 ether"."""
SECONDS = Quantity("seconds|1h", duration_of, 0, 2**40 - 1)
