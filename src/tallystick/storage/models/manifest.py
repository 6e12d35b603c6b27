"""Manifest of a model's files, one after another: pieces of one size, each with its hash."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tallystick.errors import FieldError
from tallystick.protocol.abi_words import ZERO32, check_bytes
from tallystick.protocol.format_version import need_version
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.progress import Progress
from tallystick.protocol.validation import first_fault
from tallystick.storage.models.content import external_files, is_qi8
from tallystick.storage.models.errors import ModelCorruptError
from tallystick.storage.models.parts import (
    MAX_FILES,
    Part,
    is_safe,
    paths_of,
    read_span,
    sizes_of,
)

VERSION = 2
"""Of a manifest as written."""
PIECE = 8 << 20
"""Bytes of a piece, the last one's excepted."""
MAX_PIECES = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """Pieces of a model's files, under its content hash.

    A manifest is not trusted: files put together from its pieces must have the content hash.
    """

    content_hash: bytes
    """The content hash that the model is registered with, 32 bytes."""
    spec_hash: bytes
    """Hash of the model's spec, 32 bytes: it says how the content hash is made."""
    size: int
    """Bytes of all files together."""
    pieces: tuple[bytes, ...]
    """SHA-256 of each piece, 32 bytes."""
    piece_size: int = PIECE
    parent: bytes = ZERO32
    """Content hash of the version before; zero: none, or not said."""
    name: str = ""
    parts: tuple[Part, ...] = ()
    """Files beside the graph's, ascending by name; the graph's has the first bytes."""

    def __post_init__(self) -> None:
        for field in ("content_hash", "spec_hash", "parent"):
            check_bytes(field, getattr(self, field), 32)
        needed = -(-self.size // self.piece_size)
        if len(self.pieces) != needed:
            raise FieldError("pieces", len(self.pieces), f"{needed} for {self.size} bytes")
        names = [part.name for part in self.parts]
        if names != sorted(set(names)) or not all(map(is_safe, names)):
            raise FieldError("files", ", ".join(names), "names beside the model's, ascending")
        if min(self.sizes) < 0:
            raise FieldError("files", f"{self.size - self.sizes[0]} bytes", f"{self.size} at most")

    @classmethod
    def of(
        cls,
        path: Path,
        content_hash: bytes,
        spec_hash: bytes = ZERO32,
        parent: bytes = ZERO32,
        name: str = "",
        progress: Progress | None = None,
    ) -> "ModelManifest":
        """Return a file's manifest.

        Args:
            path: the file's.
            content_hash: its, 32 bytes.
            spec_hash: of the model's spec, 32 bytes.
            parent: content hash of the version before, 32 bytes.
            name: for people.
            progress: called with bytes done and bytes in all.

        Raises:
            OSError: the file cannot be read.
        """
        names = [] if is_qi8(spec_hash) else external_files(path)
        paths = paths_of(path, names)
        sizes = [one.stat().st_size for one in paths]
        pieces, size, done = [], sum(sizes), 0
        while piece := read_span(paths, sizes, done, min(done + PIECE, size)):
            pieces.append(hashlib.sha256(piece).digest())
            done += len(piece)
            if progress:
                progress(done, size)
        parts = tuple(Part(*one) for one in zip(names, sizes[1:], strict=True))
        return cls(content_hash, spec_hash, done, tuple(pieces), PIECE, parent, name, parts)

    @property
    def sizes(self) -> list[int]:
        """Bytes of the graph's file, then of those beside it."""
        return sizes_of(self.size, self.parts)

    def paths(self, graph: Path) -> list[Path]:
        """Return where the files are, when the graph's is at a path."""
        return paths_of(graph, [part.name for part in self.parts])

    def span(self, number: int) -> tuple[int, int]:
        """Return where a piece begins and ends in the file, in bytes."""
        return number * self.piece_size, min((number + 1) * self.piece_size, self.size)

    def to_json(self) -> dict[str, Any]:
        """Return what json.dumps takes."""
        return {
            "version": VERSION,
            "content_hash": to_hex(self.content_hash),
            "spec_hash": to_hex(self.spec_hash),
            "size": self.size,
            "piece_size": self.piece_size,
            "pieces": [to_hex(piece) for piece in self.pieces],
            "parent": to_hex(self.parent),
            "name": self.name,
            "files": [part._asdict() for part in self.parts],
        }

    @classmethod
    def from_json(cls, text: bytes) -> "ModelManifest":
        """Return the manifest of a file; ModelCorruptError when it is none."""
        try:
            file = _File.model_validate_json(text)
            return cls(
                from_hex(file.content_hash),
                from_hex(file.spec_hash),
                file.size,
                tuple(from_hex(piece) for piece in file.pieces),
                file.piece_size,
                from_hex(file.parent),
                file.name,
                tuple(Part(one.name, one.size) for one in file.files),
            )
        except ValidationError as error:
            where, reason = first_fault(error, "manifest")
            raise ModelCorruptError(f"manifest: {where}: {reason}") from error
        except FieldError as error:
            raise ModelCorruptError(f"manifest: {error}") from error


_Hash = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]


class _Part(BaseModel):
    """A file beside the graph's, as written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(max_length=1000)]
    size: Annotated[int, Field(ge=0, le=MAX_PIECES * PIECE)]


class _File(BaseModel):
    """A manifest as written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[2]
    content_hash: _Hash
    spec_hash: _Hash
    size: Annotated[int, Field(ge=0, le=MAX_PIECES * PIECE)]
    piece_size: Annotated[int, Field(ge=1 << 10, le=1 << 28)]
    pieces: Annotated[list[_Hash], Field(max_length=MAX_PIECES)]
    parent: _Hash
    name: Annotated[str, Field(max_length=200)] = ""
    files: Annotated[list[_Part], Field(max_length=MAX_FILES)] = []

    @model_validator(mode="before")
    @classmethod
    def _version(cls, data: Any) -> Any:
        return need_version("model manifest", data, VERSION)
