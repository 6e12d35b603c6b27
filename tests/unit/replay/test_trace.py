"""trace.py: roots of tensors and openings of their chunks.

sizes     one byte | a chunk, and one more or less | 8 chunks, and more | up to four levels
openings  every level's pre-image hashes to its place above | no such chunk
"""

import random

import pytest
from eth_utils import keccak

from tallystick.errors import FieldError
from tallystick.replay.trace import ARITY, CHUNK, TensorTree, trace_root

SIZES = [1, 1023, 1024, 1025, 2048, 8192, 8193, 65_536, 65_537, 300_000]


def naive_root(data: bytes) -> bytes:
    level = [keccak(data[at : at + 1024]) for at in range(0, len(data), 1024)]
    while len(level) > 1:
        level = [keccak(b"".join(level[at : at + 8])) for at in range(0, len(level), 8)]
    return level[0]


@pytest.mark.parametrize("size", SIZES)
def test_root__any_size__is_the_naive_one(size):
    data = random.Random(size).randbytes(size)

    assert TensorTree.of(data).root == naive_root(data)


def test_root__up_to_a_chunk__is_the_hash_of_the_bytes():
    assert TensorTree.of(bytes(1024)).root == keccak(bytes(1024))


def test_root__one_byte_changed__is_another():
    data = bytearray(5000)
    before = TensorTree.of(bytes(data)).root
    data[4999] ^= 1

    assert TensorTree.of(bytes(data)).root != before


@pytest.mark.parametrize("size", SIZES)
def test_opening__each_level__hashes_to_its_place_above(size):
    data = random.Random(size).randbytes(size)
    tree = TensorTree.of(data)
    count = -(-size // CHUNK)

    for chunk in {0, count // 2, count - 1}:
        *nodes, found = tree.opening(chunk)
        expected, places = tree.root, []
        index = chunk
        for _ in nodes:
            places.append(index % ARITY)
            index //= ARITY
        for node, place in zip(nodes, reversed(places), strict=True):
            assert keccak(node) == expected
            expected = node[32 * place : 32 * place + 32]
        assert keccak(found) == expected
        assert found == data[chunk * CHUNK : (chunk + 1) * CHUNK]


@pytest.mark.parametrize("chunk", [-1, 3])
def test_opening__no_such_chunk__raises(chunk):
    with pytest.raises(FieldError, match="chunk is"):
        TensorTree.of(bytes(3000)).opening(chunk)


def test_of__no_bytes__raises():
    with pytest.raises(FieldError, match="tensor is 0 bytes"):
        TensorTree.of(b"")


def test_trace_root__tensors__is_the_hash_of_their_roots():
    tensors = [b"in", bytes(3000), b"out"]

    assert trace_root(tensors) == keccak(b"".join(naive_root(tensor) for tensor in tensors))
