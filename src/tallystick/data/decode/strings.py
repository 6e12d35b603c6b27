"""Strings and arrays at the end of an event's data."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.data.decode.words import DecodeError, Words


def byte_strings(
    data: NDArray[np.uint8], starts: NDArray[np.int64], sizes: NDArray[np.int64], offsets: Words
) -> pa.BinaryArray:
    """Return the byte strings that words with their offsets point to.

    Args:
        data: all rows' data, one after another.
        starts: where each row begins.
        sizes: bytes of each row.
        offsets: the words, shape (n, 32).

    Raises:
        DecodeError: a string reaches beyond its row.
    """
    place = starts + _number(offsets)
    if (place + 32 > starts + sizes).any():
        raise DecodeError("a string begins beyond its data")
    heads = data[place[:, None] + np.arange(32)]
    lengths = _number(heads)
    if (place + 32 + lengths > starts + sizes).any():
        raise DecodeError("a string reaches beyond its data")
    ends = np.concatenate(([0], np.cumsum(lengths)))
    # Byte j of all strings together: where its string begins, and how far in it lies.
    within = np.arange(ends[-1]) - np.repeat(ends[:-1], lengths)
    text = data[np.repeat(place + 32, lengths) + within]
    buffers = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(text))]
    return pa.BinaryArray.from_buffers(pa.binary(), len(lengths), buffers)


def word_lists(
    data: NDArray[np.uint8], starts: NDArray[np.int64], sizes: NDArray[np.int64], offsets: Words
) -> pa.ListArray:
    """Return the arrays of words that words with their offsets point to; arguments and errors as
    of byte_strings.

    >>> one = np.zeros(96, np.uint8)
    >>> one[31], one[63], one[95] = 32, 1, 7
    >>> start, size = np.array([0]), np.array([96])
    >>> word_lists(one, start, size, one[None, :32]).to_pylist()[0][0][-1]
    7
    """
    place = starts + _number(offsets)
    if (place + 32 > starts + sizes).any():
        raise DecodeError("an array begins beyond its data")
    lengths = _number(data[place[:, None] + np.arange(32)])
    if (place + 32 + 32 * lengths > starts + sizes).any():
        raise DecodeError("an array reaches beyond its data")
    ends = np.concatenate(([0], np.cumsum(lengths)))
    within = np.arange(ends[-1]) - np.repeat(ends[:-1], lengths)
    first = np.repeat(place + 32, lengths) + 32 * within
    words = np.ascontiguousarray(data[first[:, None] + np.arange(32)])
    values = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(32), len(words), [None, pa.py_buffer(words)]
    )
    return pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), values)


def strings(
    data: NDArray[np.uint8], starts: NDArray[np.int64], sizes: NDArray[np.int64], offsets: Words
) -> pa.Array:
    """Return the strings that words with their offsets point to; arguments as of byte_strings."""
    raw = byte_strings(data, starts, sizes, offsets)
    found = pa.StringArray.from_buffers(len(raw), *raw.buffers()[1:])
    try:
        found.validate(full=True)
    except pa.ArrowInvalid:
        # A contract's strings are any bytes: those that are no UTF-8 come from someone hostile.
        return pa.array([one.as_py().decode("utf-8", "replace") for one in raw], pa.string())
    return found


def _number(words: Words) -> NDArray[np.int64]:
    if words[:, :28].any():
        raise DecodeError("a string's place or length is 2^32 or more")
    return np.ascontiguousarray(words[:, 28:]).view(">u4").reshape(-1).astype(np.int64)
