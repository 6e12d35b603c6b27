"""Manifest of a model's file: pieces of one size, each with its hash."""

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
from tallystick.storage.models.errors import ModelCorruptError

VERSION = 1
"""Of a manifest as written."""
PIECE = 8 << 20
"""Bytes of a piece, the last one's excepted."""
MAX_PIECES = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """A file's pieces, under its content hash.

    A manifest is not trusted: a file put together from its pieces must have the content hash.
    """

    content_hash: bytes
    """The content hash that the model is registered with, 32 bytes."""
    spec_hash: bytes
    """Hash of the model's spec, 32 bytes: it says how the content hash is made."""
    size: int
    """Bytes of the whole file."""
    pieces: tuple[bytes, ...]
    """SHA-256 of each piece, 32 bytes."""
    piece_size: int = PIECE
    parent: bytes = ZERO32
    """Content hash of the version before; zero: none, or not said."""
    name: str = ""

    def __post_init__(self) -> None:
        for field in ("content_hash", "spec_hash", "parent"):
            check_bytes(field, getattr(self, field), 32)
        needed = -(-self.size // self.piece_size)
        if len(self.pieces) != needed:
            raise FieldError("pieces", len(self.pieces), f"{needed} for {self.size} bytes")

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
        pieces, size, done = [], path.stat().st_size, 0
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                pieces.append(hashlib.sha256(piece).digest())
                done += len(piece)
                if progress:
                    progress(done, size)
        return cls(content_hash, spec_hash, done, tuple(pieces), PIECE, parent, name)

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
            )
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(step) for step in first["loc"]) or "manifest"
            raise ModelCorruptError(f"manifest: {where}: {first['msg']}") from error
        except FieldError as error:
            raise ModelCorruptError(f"manifest: {error}") from error


_Hash = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]


class _File(BaseModel):
    """A manifest as written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    content_hash: _Hash
    spec_hash: _Hash
    size: Annotated[int, Field(ge=0, le=MAX_PIECES * PIECE)]
    piece_size: Annotated[int, Field(ge=1 << 10, le=1 << 28)]
    pieces: Annotated[list[_Hash], Field(max_length=MAX_PIECES)]
    parent: _Hash
    name: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="before")
    @classmethod
    def _version(cls, data: Any) -> Any:
        return need_version("model manifest", data, VERSION)
