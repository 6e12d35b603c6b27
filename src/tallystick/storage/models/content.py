"""A model file's content hash, as its model is registered with."""

import mmap
from pathlib import Path

from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.keccak import keccak256


def content_hash(path: Path, spec_hash: bytes = ZERO32) -> bytes:
    """Return a model file's content hash, 32 bytes.

    It is keccak256 of the file, but of a QI8-1 model keccak256 over its steps and rows: what such a
    file says of floats is not part of the model.

    Args:
        path: the file's.
        spec_hash: of the model's spec, 32 bytes.

    Raises:
        ModelError: not a QI8-1 file, although the spec is QI8-1.
        OSError: the file cannot be read.
    """
    if is_qi8(spec_hash):
        from tallystick.replay.model import Model

        return Model.read(path).content_hash()
    with path.open("rb") as file:
        if not path.stat().st_size:
            return keccak256(b"")
        # Mapped: a model may be larger than the memory.
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return keccak256(memoryview(mapped))


def is_qi8(spec_hash: bytes) -> bool:
    """Return whether a spec is QI8-1."""
    return spec_hash == keccak256(b"QI8-1")
