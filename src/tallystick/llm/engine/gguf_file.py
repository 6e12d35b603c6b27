"""Metadata of GGUF files, read within bounds: no file, however odd, costs more than its size.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
"""

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallystick.errors import ModelRefusedError

_MOST_PAIRS = 1 << 16
_MOST_TENSORS = 1 << 17
_MOST_ITEMS = 1 << 22
"""Of one array: the largest vocabularies have 2^18 tokens."""
_MOST_NAME = 65_535
_MOST_TEXT = 1 << 24
_SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q",
    12: "<d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class GgufFile:
    """Head of a GGUF file."""

    metadata: Mapping[str, Any]
    """Values by key: numbers, booleans, text, or lists of one of these.

    Text that is not UTF-8 has surrogates, as `surrogateescape` puts them."""
    tensors: int
    """Tensors that it names."""


def read_gguf(path: Path) -> GgufFile:
    """Read the head of a file.

    Raises:
        ModelRefusedError: it is not a GGUF file, it ends within its head or before a tensor, it
            has a key or tensor twice, or counts that no model has.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise ModelRefusedError(path.name, "the file is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return _Reader(path.name, mapped).file()


class _Reader:
    def __init__(self, name: str, mapped: mmap.mmap) -> None:
        self._name, self._mapped, self._at = name, mapped, 0

    def file(self) -> GgufFile:
        magic = self._take(4, "its magic")
        if magic != b"GGUF":
            raise self._refused(f"not a GGUF file: it begins with {magic.hex()}")
        version = self._number("<I", "its version")
        if version not in (2, 3):
            raise self._refused(f"GGUF version {version}; 2 and 3 are read")
        tensors = self._count("tensors", _MOST_TENSORS)
        pairs = self._count("metadata", _MOST_PAIRS)
        metadata: dict[str, Any] = {}
        for _ in range(pairs):
            key = self._text("a key", _MOST_NAME)
            if key in metadata:
                raise self._refused(f"the key {key} is there twice")
            metadata[key] = self._value(self._number("<I", f"the type of {key}"), key)
        self._tensors(tensors, metadata.get("general.alignment", 32))
        return GgufFile(metadata, tensors)

    def _tensors(self, count: int, alignment: object) -> None:
        """Check where tensors lie; sizes of their elements are the runtime's knowledge."""
        if type(alignment) is not int or alignment < 8 or alignment & (alignment - 1):
            raise self._refused(f"its alignment is {alignment}")
        names: set[str] = set()
        last = -1
        for _ in range(count):
            name = self._text("a tensor's name", _MOST_NAME)
            if name in names:
                raise self._refused(f"the tensor {name} is there twice")
            names.add(name)
            dimensions = self._number("<I", f"the dimensions of {name}")
            if not 1 <= dimensions <= 4:
                raise self._refused(f"the tensor {name} has {dimensions} dimensions")
            for _ in range(dimensions):
                if not 0 < self._number("<Q", f"the shape of {name}") < 1 << 48:
                    raise self._refused(f"the tensor {name} has an impossible shape")
            self._number("<I", f"the type of {name}")
            last = max(last, self._number("<Q", f"the place of {name}"))
        data = -(-self._at // alignment) * alignment
        if data + last >= len(self._mapped) and count:
            raise self._refused("it ends before its last tensor")

    def _value(self, kind: int, key: str) -> Any:
        if kind in _SCALARS:
            return self._number(_SCALARS[kind], key)
        if kind == _STRING:
            return self._text(key, _MOST_TEXT)
        if kind != _ARRAY:
            raise self._refused(f"{key} has the unknown type {kind}")
        of = self._number("<I", key)
        count = self._count(key, _MOST_ITEMS)
        if of == _STRING:
            return [self._text(key, _MOST_TEXT) for _ in range(count)]
        if of not in _SCALARS:
            raise self._refused(f"{key} is an array of the type {of}")
        one = _SCALARS[of]
        items = self._take(count * struct.calcsize(one), key)
        return [value for (value,) in struct.iter_unpack(one, items)]

    def _text(self, of: str, most: int) -> str:
        length = self._number("<Q", of)
        if length > most:
            raise self._refused(f"{of} has {length} bytes, at most {most} are read")
        return self._take(length, of).decode("utf-8", "surrogateescape")

    def _count(self, of: str, most: int) -> int:
        count: int = self._number("<Q", f"the number of {of}")
        # Each takes a byte at least.
        if count > min(most, len(self._mapped) - self._at):
            raise self._refused(f"{count} of {of}, in {len(self._mapped)} bytes")
        return count

    def _number(self, form: str, of: str) -> Any:
        (value,) = struct.unpack(form, self._take(struct.calcsize(form), of))
        return value

    def _take(self, size: int, of: str) -> bytes:
        end = self._at + size
        if end > len(self._mapped):
            raise self._refused(f"it ends within {of}")
        taken = self._mapped[self._at : end]
        self._at = end
        return taken

    def _refused(self, reason: str) -> ModelRefusedError:
        return ModelRefusedError(self._name, reason)
