"""Columns of 32-byte words into columns that people and SQL engines read.

A word column is an array of shape (n, 32) and type uint8, big-endian as the EVM's.
"""

import binascii
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.errors import TallystickError

Words = NDArray[np.uint8]

LIMBS = 4
"""Limbs of an amount; 32 bits each, lowest first."""


class DecodeError(TallystickError, ValueError):
    """A log is not what the event's ABI says."""


def hex_text(block: Words) -> pa.StringArray:
    """Return 0x and lower-case hex digits of each row.

    >>> hex_text(np.array([[1, 255]], np.uint8)).to_pylist()
    ['0x01ff']
    """
    rows, width = block.shape
    text = np.empty((rows, 2 + 2 * width), np.uint8)
    text[:, 0], text[:, 1] = ord("0"), ord("x")
    digits = binascii.hexlify(np.ascontiguousarray(block).data)
    text[:, 2:] = np.frombuffer(digits, np.uint8).reshape(rows, 2 * width)
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(2 + 2 * width)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.StringArray.from_buffers(rows, buffers[1], buffers[2])


def repeated_hex_text(block: Words) -> pa.DictionaryArray:
    """Return what hex_text does, each text once, in a dictionary.

    >>> repeated_hex_text(np.array([[7], [255], [7]], np.uint8)).indices.to_pylist()
    [0, 1, 0]
    """
    rows, width = block.shape
    content = pa.py_buffer(np.ascontiguousarray(block))
    array = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), rows, [None, content])
    coded = pc.dictionary_encode(array)
    return pa.DictionaryArray.from_arrays(coded.indices, hex_text(words_of(coded.dictionary)))


def words_of(array: pa.FixedSizeBinaryArray) -> Words:
    """Return the bytes of each row, shape (n, width), without a copy; none may be missing.

    >>> words_of(pa.array([b"ab", b"cd"], pa.binary(2))).tolist()
    [[97, 98], [99, 100]]
    """
    width = array.type.byte_width
    if not len(array):
        return np.zeros((0, width), np.uint8)
    content = np.frombuffer(array.buffers()[1], np.uint8)
    return content[array.offset * width : (array.offset + len(array)) * width].reshape(-1, width)


def addresses(words: Words) -> pa.DictionaryArray:
    """Return 20-byte addresses as hex text; DecodeError where the 12 bytes above are not zero."""
    need_zero(words[:, :12], "an address")
    return repeated_hex_text(words[:, 12:])


def integers(words: Words) -> pa.Array:
    """Return unsigned integers below 2^63 as int64; DecodeError for larger ones."""
    need_zero(words[:, :24], "an integer")
    values = np.ascontiguousarray(words[:, 24:]).view(">u8").reshape(-1)
    if len(values) and values.max() >= 2**63:
        raise DecodeError("an integer is 2^63 or more")
    return pa.array(values.astype(np.int64))


def booleans(words: Words) -> pa.Array:
    """Return booleans; DecodeError for a word other than 0 and 1."""
    values = _small(words, 2, "a boolean")
    return pa.array(values == 1)


def names(words: Words, members: Sequence[str]) -> pa.DictionaryArray:
    """Return an enum's members by name, dictionary-encoded; DecodeError beyond the last."""
    values = _small(words, len(members), "an enum")
    return pa.DictionaryArray.from_arrays(pa.array(values.astype(np.int8)), pa.array(members))


def limbs(words: Words) -> list[pa.Array]:
    """Return an amount below 2^128 as four columns of 32 bits, lowest first, as int64.

    Sums of such columns are exact in every engine up to 2^31 rows, where a 128-bit sum would not
    be: the amount is sum(limb * 2^(32 * place)).
    """
    need_zero(words[:, :16], "an amount")
    parts = np.ascontiguousarray(words[:, 16:]).view(">u4").astype(np.int64)
    return [pa.array(np.ascontiguousarray(parts[:, LIMBS - 1 - place])) for place in range(LIMBS)]


def bits(words: Words, low: int, width: int) -> pa.Array:
    """Return the bits low to low + width of each word as int64; whole bytes, fewer than 64 bits.

    >>> bits(np.arange(32, dtype=np.uint8).reshape(1, 32), 8, 8).to_pylist()
    [30]
    """
    end = 32 - low // 8
    value = np.zeros(len(words), np.int64)
    for place in range(end - width // 8, end):
        value = value << 8 | words[:, place]
    return pa.array(value)


def need_zero(part: Words, what: str) -> None:
    """Raise DecodeError where a byte that the type has no use for is not zero."""
    if part.any():
        raise DecodeError(f"{what} is too large for its type")


def _small(words: Words, many: int, what: str) -> NDArray[np.uint8]:
    need_zero(words[:, :31], what)
    if len(words) and words[:, 31].max() >= many:
        raise DecodeError(f"{what} is {words[:, 31].max()}; needed: less than {many}")
    return words[:, 31]
