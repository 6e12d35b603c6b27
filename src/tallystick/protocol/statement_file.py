"""A signed statement as a JSON file that signers pass on, of a committee or of a pool."""

import json
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from tallystick.errors import TallystickError
from tallystick.protocol.text import parse_json
from tallystick.protocol.validation import first_fault


class StatementError(TallystickError, ValueError):
    """A file is no statement, or two files hold different ones."""


class StatementFile:
    """Statement that is read from a file, and written as one."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object, bytes as hex text."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, found: Any) -> Self:
        """Return the statement that a JSON object holds; StatementError when it is none."""
        raise NotImplementedError

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return a file's; StatementError, with the file's name, when it holds none."""
        try:
            return cls.from_json(parse_json(path.read_bytes()))
        except ValueError as error:
            raise StatementError(f"{path}: {error}") from error

    def write(self, path: Path) -> None:
        """Write it as a JSON file."""
        path.write_text(json.dumps(self.to_json(), indent=2) + "\n")


def refusal_of(error: ValidationError) -> StatementError:
    """Return the error that names the first thing wrong in a file, and where."""
    place, reason = first_fault(error, "statement")
    return StatementError(f"{place}: {reason}")
