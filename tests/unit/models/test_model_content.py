"""The content hash covers every byte that decides the answer."""

import os
from pathlib import Path

import onnx
import pytest

from tallystick.errors import ModelRefusedError
from tallystick.models.runner import OnnxModel
from tallystick.protocol.keccak import keccak256
from tallystick.storage.models.content import content_hash, external_files
from tests.support.onnx_files import dense

BESIDE = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}


def split(folder: Path, seed: int) -> Path:
    """A model whose weights are in a file beside it."""
    folder.mkdir()
    return dense(folder / "model.onnx", seed, **BESIDE)


def test_content_hash__weights_beside__covers_them(tmp_path: Path) -> None:
    a, b = split(tmp_path / "a", 1), split(tmp_path / "b", 2)
    graph = a.read_bytes()
    assert graph == b.read_bytes()

    found = content_hash(a)

    assert found != content_hash(b)
    assert found == keccak256(
        keccak256(b"ONNX files")
        + keccak256(graph)
        + keccak256(b"weights.bin")
        + keccak256((tmp_path / "a" / "weights.bin").read_bytes())
    )


def test_content_hash__one_file__is_that_files(tmp_path: Path) -> None:
    file = dense(tmp_path / "model.onnx")
    assert content_hash(file) == keccak256(file.read_bytes())
    assert external_files(file) == []
    word = tmp_path / "no-model"
    word.write_bytes(b"\x08 a location")
    assert content_hash(word) == keccak256(b"\x08 a location")


def test_content_hash__links_as_in_a_cache__are_followed(tmp_path: Path) -> None:
    file = split(tmp_path / "a", 1)
    cache, blobs = tmp_path / "snapshot", tmp_path / "blobs"
    cache.mkdir()
    blobs.mkdir()
    for number, name in enumerate(("model.onnx", "weights.bin")):
        os.rename(file.parent / name, blobs / str(number))
        os.symlink(f"../blobs/{number}", cache / name)
    linked = cache / "model.onnx"
    again = split(tmp_path / "again", 1)
    assert content_hash(linked) == content_hash(again)
    assert OnnxModel(linked).infer([bytes(64)]) == OnnxModel(again).infer([bytes(64)])


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "a/../../b", ""])
def test_content_hash__weights_elsewhere__are_refused(tmp_path: Path, location: str) -> None:
    file = split(tmp_path / "a", 1)
    model = onnx.load(str(file), load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = location
    file.write_bytes(model.SerializeToString())
    with pytest.raises(ModelRefusedError, match="w: its weights are in .*; needed: a file beside"):
        content_hash(file)


def test_content_hash__weights_are_missing__says_which(tmp_path: Path) -> None:
    file = split(tmp_path / "a", 1)
    (tmp_path / "a" / "weights.bin").unlink()
    with pytest.raises(OSError, match=r"weights\.bin"):
        content_hash(file)
