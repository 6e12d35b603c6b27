"""A model file's content hash, as its model is registered with."""

import mmap
from pathlib import Path

from tallystick.errors import ModelRefusedError
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.keccak import keccak256

_QI8, _QI8_TREE = keccak256(b"QI8-1"), keccak256(b"QI8-1T")
_ONNX_BEGINS = 0x08
"""First byte of an ONNX file: its first field is the version, a number."""


def content_hash(path: Path, spec_hash: bytes = ZERO32) -> bytes:
    """Return a model file's content hash, 32 bytes.

    It is keccak256 of the file. Of a QI8-1 or QI8-1T model it is keccak256 over its steps and rows,
    of the latter over the root of the rows: what such a file says of floats is not part of the
    model. Of an ONNX model with weights in other files it
    covers these too: keccak256(keccak256("ONNX files") | keccak256(graph's file) | for each other
    file, ascending by name: keccak256(name) | keccak256(file)).

    Args:
        path: the file's.
        spec_hash: of the model's spec, 32 bytes.

    Raises:
        ModelError: not a QI8-1 file, although the spec is QI8-1 or QI8-1T.
        ModelRefusedError: weights are in a file outside the model's folder.
        OSError: a file cannot be read.
    """
    if is_qi8(spec_hash):
        from tallystick.replay.model import Model

        model = Model.read(path)
        if spec_hash == _QI8:
            return model.content_hash()
        from tallystick.replay.game import game_content_hash

        return game_content_hash(model)
    others = external_files(path)
    if not others:
        return _file_hash(path)
    parts = [keccak256(b"ONNX files"), _file_hash(path)]
    for name in others:
        parts += [keccak256(name.encode()), _file_hash(path.parent / name)]
    return keccak256(b"".join(parts))


def external_files(path: Path) -> list[str]:
    """Return the other files that an ONNX model's weights are in, by their names beside it.

    None where it is another kind of file.

    Raises:
        ModelRefusedError: one of them is outside the model's folder.
        OSError: the file cannot be read.
    """
    # Every graph with other files has this word; so the rest, however large, is not parsed.
    if not _holds(path, b"location"):
        return []
    from tallystick.models.graph import external_files as of_graph
    from tallystick.models.graph import load

    try:
        graph = load(path)
    except ModelRefusedError:
        return []
    return of_graph(graph)


def _holds(path: Path, word: bytes) -> bool:
    with path.open("rb") as file:
        if not path.stat().st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return mapped[0] == _ONNX_BEGINS and mapped.find(word) >= 0


def _file_hash(path: Path) -> bytes:
    with path.open("rb") as file:
        if not path.stat().st_size:
            return keccak256(b"")
        # Mapped: a model may be larger than the memory.
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return keccak256(memoryview(mapped))


def is_qi8(spec_hash: bytes) -> bool:
    """Return whether a spec is QI8-1 or QI8-1T: that of a .qi8 file."""
    return spec_hash in (_QI8, _QI8_TREE)


def needs_trace(spec_hash: bytes) -> bool:
    """Return whether a leaf of a spec's model without its traceRoot is wrong."""
    return spec_hash == _QI8_TREE
