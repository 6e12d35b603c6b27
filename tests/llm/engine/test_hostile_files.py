"""Files that are torn or made to break a reader: one clear error, and the process lives."""

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import ModelRefusedError
from tallystick.llm.engine.gguf_file import read_gguf
from tallystick.llm.engine.library import Library
from tallystick.llm.engine.model import Model


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def head(
    *pairs: bytes, tensors: bytes = b"", count: int | None = None, tensor_count: int = 0
) -> bytes:
    pair_count = len(pairs) if count is None else count
    return b"GGUF" + struct.pack("<IQQ", 3, tensor_count, pair_count) + b"".join(pairs) + tensors


def u32(key: str, value: int) -> bytes:
    return text(key) + struct.pack("<II", 4, value)


def array(key: str, of: int, count: int, items: bytes = b"") -> bytes:
    return text(key) + struct.pack("<IIQ", 9, of, count) + items


def tensor(name: str, *shape: int, place: int = 0, dimensions: int | None = None) -> bytes:
    number = len(shape) if dimensions is None else dimensions
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", number, *shape, 0, place)


HOSTILE = {
    "empty": (b"", "the file is empty"),
    "another format": (b"PK\x03\x04" + bytes(99), "not a GGUF file: it begins with 504b0304"),
    "magic alone": (b"GGUF", "it ends within its version"),
    "version 1": (b"GGUF" + struct.pack("<III", 1, 0, 0), "GGUF version 1; 2 and 3 are read"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "GGUF version 50331648"),
    "2^64 keys": (head(count=2**64 - 1), "18446744073709551615 of metadata"),
    "2^64 tensors": (head(tensor_count=2**64 - 1), "18446744073709551615 of tensors"),
    "key of 2^63 bytes": (head(struct.pack("<Q", 2**63)), "a key has 9223372036854775808 bytes"),
    "text longer than the file": (
        head(text("k") + struct.pack("<IQ", 8, 9999)),
        "it ends within k",
    ),
    "array of 2^62": (head(array("k", 4, 2**62)), "4611686018427387904 of k"),
    "array past the end": (head(array("k", 10, 20, bytes(80))), "it ends within k"),
    "arrays in an array": (head(array("k", 9, 1, bytes(40))), "k is an array of the type 9"),
    "unknown type": (head(text("k") + struct.pack("<I", 77)), "k has the unknown type 77"),
    "key twice": (head(u32("k", 1), u32("k", 2)), "the key k is there twice"),
    "alignment 0": (head(u32("general.alignment", 0)), "its alignment is 0"),
    "alignment 12": (head(u32("general.alignment", 12)), "its alignment is 12"),
    "tensor of 5 dimensions": (
        head(tensors=tensor("t", 1, 1, 1, 1, 1), tensor_count=1),
        "the tensor t has 5 dimensions",
    ),
    "tensor of 2^60 elements": (
        head(tensors=tensor("t", 2**60), tensor_count=1),
        "the tensor t has an impossible shape",
    ),
    "tensor twice": (
        head(tensors=2 * tensor("t", 1), tensor_count=2) + bytes(64),
        "the tensor t is there twice",
    ),
    "tensor past the end": (
        head(tensors=tensor("t", 1, place=4096), tensor_count=1) + bytes(64),
        "it ends before its last tensor",
    ),
}


@pytest.mark.parametrize(("content", "said"), HOSTILE.values(), ids=HOSTILE)
def test_read_gguf__hostile_file__is_refused_in_one_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)

    with pytest.raises(ModelRefusedError) as told:
        read_gguf(path)

    assert str(told.value).startswith(f"model.gguf: {said}")
    assert "\n" not in str(told.value)


@pytest.fixture(scope="session")
def head_of_real(smollm2: Path) -> bytes:
    with smollm2.open("rb") as file:
        return file.read(1 << 16)


@settings(max_examples=150)
@given(at=st.integers(0, (1 << 16) - 1), byte=st.integers(0, 255), cut=st.integers(0, 1 << 16))
def test_read_gguf__byte_changed_and_cut_anywhere__reads_or_refuses(
    tmp_path_factory: pytest.TempPathFactory, head_of_real: bytes, at: int, byte: int, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.gguf"
    content = bytearray(head_of_real)
    content[at] = byte
    path.write_bytes(content[:cut])

    with pytest.raises(ModelRefusedError):  # its tensors are cut off in any case
        read_gguf(path)


def set_number(path: Path, key: str, value: int) -> None:
    """Overwrite a number of 32 bits of a real file's metadata."""
    with path.open("r+b") as file:
        start = file.read(1 << 22)
        at = start.index(text(key)) + len(text(key)) + 4
        file.seek(at)
        file.write(struct.pack("<I", value))


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 100)


def rename_architecture(path: Path) -> None:
    with path.open("r+b") as file:
        at = file.read(4096).index(text("llama"))
        file.seek(at + 8)
        file.write(b"lhama")


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "last bytes missing": (cut, "within the file bounds"),
    "unknown architecture": (rename_architecture, "lhama"),
    "no attention heads": (lambda path: set_number(path, "llama.attention.head_count", 0), ""),
    "2^31 layers": (lambda path: set_number(path, "llama.block_count", 1 << 31), ""),
    "another width": (lambda path: set_number(path, "llama.embedding_length", 77), ""),
    "positions by no dimension": (
        lambda path: set_number(path, "llama.rope.dimension_count", 1 << 30),
        "",
    ),
}


@pytest.mark.parametrize(("damage", "said"), BROKEN.values(), ids=BROKEN)
def test_open__file_that_llama_cpp_cannot_run__is_refused_and_the_process_lives(
    library: Library, smollm2: Path, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "model.gguf"
    shutil.copy(smollm2, path)
    damage(path)

    with pytest.raises(ModelRefusedError) as told:
        Model.open(library, path)

    path.unlink()
    assert said in str(told.value) and "\n" not in str(told.value)
    assert told.value.part == "model.gguf"


def test_open__one_of_several_parts__is_refused(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "part.gguf"
    path.write_bytes(head(text("split.count") + struct.pack("<IH", 2, 3)))

    with pytest.raises(ModelRefusedError, match="one of 3 parts; needed: one file"):
        Model.open(library, path)


def test_open__trial_that_takes_too_long__is_refused(library: Library, smollm2: Path) -> None:
    with pytest.raises(ModelRefusedError, match="llama.cpp had not run it after 0.01 s"):
        Model.open(library, smollm2, trial_s=0.01)


def test_open__no_file__is_an_os_error(library: Library, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Model.open(library, tmp_path / "none.gguf")
