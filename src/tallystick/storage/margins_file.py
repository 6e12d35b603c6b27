"""Margins files: what a verifier measured of each drawn answer, a line of JSON each.

A node adds lines and changes none. A last line that is torn, as kill -9 leaves it, counts as not
written; the next addition takes it away.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallystick.errors import FieldError, TallystickError
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.text import TextError, parse_json
from tallystick.protocol.verdicts import Verdict

FORMAT = 1
Place = tuple[bytes, int]
"""Batch id and leaf index."""


class MarginsFileError(TallystickError, ValueError):
    """A line of a margins file is none, or of a version that is not known."""


@dataclass(frozen=True, slots=True)
class MarginNote:
    """One answer, as one verifier measured it."""

    batch_id: bytes
    leaf_index: int
    operator: bytes
    model_id: bytes
    verdict: Verdict
    tokens: int
    """Of the answer; 0 where its form is wrong, so that nothing was measured."""
    mean: float
    """M, in logits."""
    largest: float
    """X, in logits."""
    mismatches: int
    """Tokens that are not the rule's."""
    kernel: str
    """Class of kernels that measured."""

    @property
    def place(self) -> Place:
        """Batch and leaf; no two notes of a file share one."""
        return self.batch_id, self.leaf_index

    def line(self) -> str:
        """Return the note as JSON, without the line's end."""
        return json.dumps(
            {
                "version": FORMAT,
                "batchId": to_hex(self.batch_id),
                "leafIndex": self.leaf_index,
                "operator": to_hex(self.operator),
                "modelId": to_hex(self.model_id),
                "verdict": self.verdict.value,
                "tokens": self.tokens,
                "M": round(self.mean, 9),
                "X": round(self.largest, 9),
                "mismatches": self.mismatches,
                "kernel": self.kernel,
            }
        )

    @classmethod
    def of_line(cls, line: bytes) -> "MarginNote":
        """Return the note that a line is.

        Raises:
            MarginsFileError: it is none.
        """
        try:
            found = parse_json(line)
            if not isinstance(found, dict):
                raise MarginsFileError("it is no object")
            if wrong := unknown_version("line", found.get("version"), FORMAT):
                raise MarginsFileError(wrong)
            return cls(
                from_hex(found["batchId"], 32),
                _count(found, "leafIndex"),
                from_hex(found["operator"], 20),
                from_hex(found["modelId"], 32),
                Verdict(found["verdict"]),
                _count(found, "tokens"),
                _logits(found, "M"),
                _logits(found, "X"),
                _count(found, "mismatches"),
                str(found["kernel"]),
            )
        except KeyError as error:
            raise MarginsFileError(f"{error.args[0]} is missing") from error
        except (TextError, ValueError, TypeError, FieldError) as error:
            raise MarginsFileError(" ".join(str(error).split())) from error


def read_margins(path: Path) -> Iterator[MarginNote]:
    """Yield the notes of a file, each place once.

    Raises:
        MarginsFileError: a line is no note.
        OSError: the file cannot be read.
    """
    seen: set[Place] = set()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                note = MarginNote.of_line(line)
            except MarginsFileError as error:
                raise MarginsFileError(f"{path}: line {number}: {error}") from error
            if note.place not in seen:
                seen.add(note.place)
                yield note


class MarginsFile:
    """A node's own file; its processes may share it.

    Args:
        path: made with the first note.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[Place] = set()
        self._read = 0
        """Bytes, whole lines, whose places are known."""

    def add(self, notes: Iterable[MarginNote]) -> None:
        """Add the notes whose places the file does not have yet.

        Raises:
            OSError: the file cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._catch_up(file)
            lines = []
            for note in notes:
                if note.place not in self._known:
                    self._known.add(note.place)
                    lines.append(note.line().encode() + b"\n")
            if lines:
                added = b"".join(lines)
                file.write(added)
                file.flush()
                os.fsync(file.fileno())
                self._read += len(added)

    def _catch_up(self, file: Any) -> None:
        """Read what was added since, by whomever, and cut off what is torn."""
        file.seek(self._read)
        for line in file:
            if not line.endswith(b"\n"):
                file.truncate(self._read)
                break
            self._read += len(line)
            try:
                self._known.add(MarginNote.of_line(line).place)
            except MarginsFileError:
                # Not this release's: left as it is, for its reader to complain of.
                continue


def _count(found: dict[str, Any], name: str) -> int:
    value = found[name]
    if type(value) is not int or value < 0:
        raise FieldError(name, repr(value), "0 or more")
    return value


def _logits(found: dict[str, Any], name: str) -> float:
    value = found[name]
    if type(value) not in (int, float) or not 0 <= value < float("inf"):
        raise FieldError(name, repr(value), "0 or more")
    return float(value)
