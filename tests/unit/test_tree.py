"""tree.py against a second tree, written the naive way.

from_leaves: count 0 | 1 | a power of two, and one less or more | above 2^20; leaf of another length
proof: every index | index out of range
check_proof: right | wrong leaf | wrong index | too short, too long | padding | inner node
"""

import random

import pytest
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import FieldError, ProofError
from tallystick.protocol.merkle import MAX_COUNT, Tree, check_proof, depth_of, root_of, verify

COUNTS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1023, 1025]


def random_leaves(count: int) -> list[bytes]:
    return [random.Random(f"{count}/{index}").randbytes(32) for index in range(count)]


def naive_padded(leaves: list[bytes]) -> list[bytes]:
    width = 1
    while width < len(leaves):
        width *= 2
    return leaves + [bytes(32)] * (width - len(leaves))


def naive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    half = len(leaves) // 2
    return bytes(keccak(naive_root(leaves[:half]) + naive_root(leaves[half:])))


def naive_proof(leaves: list[bytes], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    half = len(leaves) // 2
    if index < half:
        return [*naive_proof(leaves[:half], index), naive_root(leaves[half:])]
    return [*naive_proof(leaves[half:], index - half), naive_root(leaves[:half])]


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70))
@settings(deadline=None)
def test_from_leaves__any_leaves__same_root_and_proofs_as_naive(leaves: list[bytes]) -> None:
    tree = Tree.from_leaves(leaves)

    padded = naive_padded(leaves)
    assert tree.root == naive_root(padded)
    for index in range(len(leaves)):
        assert list(tree.proof(index)) == naive_proof(padded, index)
        assert tree.leaf(index) == leaves[index]


@pytest.mark.parametrize("count", COUNTS)
def test_from_leaves__around_powers_of_two__same_root_as_naive(count: int) -> None:
    leaves = random_leaves(count)

    tree = Tree.from_leaves(leaves)

    assert tree.root == naive_root(naive_padded(leaves))
    assert (tree.count, tree.depth) == (count, len(naive_proof(naive_padded(leaves), 0)))
    for index in {0, count // 2, count - 1}:
        assert verify(tree.root, count, leaves[index], index, tree.proof(index))


def test_from_leaves__leaves_side_by_side__same_tree() -> None:
    leaves = random_leaves(9)

    assert Tree.from_leaves(b"".join(leaves)).root == Tree.from_leaves(leaves).root


def test_from_leaves__more_than_a_chunk__tells_progress_to_the_end() -> None:
    told: list[tuple[int, int]] = []

    Tree.from_leaves(bytes(32 * 20_001), progress=lambda done, total: told.append((done, total)))

    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert len(told) > 14 and told[-1][0] == told[-1][1]
    assert {total for _, total in told} == {told[-1][1]}


@pytest.mark.parametrize("leaves", [[], b"", bytes(31), [bytes(31)], [bytes(16), bytes(16)]])
def test_from_leaves__no_or_malformed_leaves__raises(leaves: list[bytes] | bytes) -> None:
    with pytest.raises(FieldError):
        Tree.from_leaves(leaves)


@pytest.mark.parametrize("count", [0, -1, MAX_COUNT + 1])
def test_depth_of__count_out_of_range__raises(count: int) -> None:
    with pytest.raises(FieldError):
        depth_of(count)


def test_depth_of__most_leaves__returns_20() -> None:
    assert depth_of(MAX_COUNT) == 20
    assert depth_of(MAX_COUNT // 2 + 1) == 20
    assert depth_of(MAX_COUNT // 2) == 19


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_proof__index_out_of_range__raises(index: int) -> None:
    with pytest.raises(FieldError):
        Tree.from_leaves(random_leaves(3)).proof(index)


def test_check_proof__single_leaf__takes_the_empty_proof_only() -> None:
    (leaf,) = random_leaves(1)

    check_proof(leaf, 1, leaf, 0, [])

    with pytest.raises(ProofError, match="siblings"):
        check_proof(leaf, 1, leaf, 0, [bytes(32)])


@pytest.mark.parametrize("change", ["leaf", "index", "short", "long", "sibling", "width"])
def test_check_proof__one_part_wrong__raises(change: str) -> None:
    leaves = random_leaves(6)
    tree = Tree.from_leaves(leaves)
    leaf, index, proof = leaves[4], 4, list(tree.proof(4))
    if change == "leaf":
        leaf = leaves[3]
    elif change == "index":
        index = 5
    elif change == "short":
        proof.pop()
    elif change == "long":
        proof.append(bytes(32))
    elif change == "sibling":
        proof[1] = leaves[0]
    else:
        proof[0] = proof[0][:31]

    with pytest.raises(ProofError):
        check_proof(tree.root, 6, leaf, index, proof)

    assert not verify(tree.root, 6, leaf, index, proof)


def test_check_proof__padding_leaf__raises() -> None:
    leaves = random_leaves(3)
    tree = Tree.from_leaves(leaves)
    proof = naive_proof(naive_padded(leaves), 3)

    # The siblings do lead to the root: only the index tells that the leaf is padding.
    assert root_of(bytes(32), 3, proof) == tree.root
    with pytest.raises(ProofError, match="below the count"):
        check_proof(tree.root, 3, bytes(32), 3, proof)


def test_check_proof__inner_node_as_leaf__raises() -> None:
    leaves = random_leaves(4)
    tree = Tree.from_leaves(leaves)
    node, proof = bytes(keccak(leaves[0] + leaves[1])), tree.proof(0)[1:]

    assert root_of(node, 0, proof) == tree.root
    with pytest.raises(ProofError, match="siblings"):
        check_proof(tree.root, 4, node, 0, proof)
