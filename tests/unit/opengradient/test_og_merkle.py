"""merkle.py, item.py: the tree and leaves of OpenZeppelin's merkle-tree package, bit for bit."""

from eth_abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.opengradient.item import SignedItem
from tallystick.opengradient.merkle import build, node_of, standard_tree
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.opengradient_item import Item

WORD = st.binary(min_size=32, max_size=32)
ITEMS = st.builds(SignedItem, WORD, WORD, WORD, st.integers(0, 2**256 - 1), st.binary(max_size=300))


def test_standard_tree__example_of_the_packages_readme__same_root() -> None:
    values = [(b"\x11" * 20, 5 * 10**18), (b"\x22" * 20, 25 * 10**17)]
    leaves = [keccak256(keccak256(encode(["address", "uint256"], value))) for value in values]

    root = "d4dee0beab2d53f2cc83e567171bd2820e49898130a22622b10ead383e90bd77"

    assert standard_tree(leaves)[0].hex() == root


@settings(deadline=None)
@given(st.lists(WORD, min_size=1, max_size=40))
def test_standard_tree__every_leaf__is_proved_by_its_siblings(leaves: list[bytes]) -> None:
    tree = standard_tree(leaves)

    assert len(tree) == 2 * len(leaves) - 1
    assert sorted(tree[len(leaves) - 1 :]) == sorted(leaves)
    for place in range(len(leaves) - 1, len(tree)):
        node, at = tree[place], place
        while at:
            sibling = at + 1 if at % 2 else at - 1
            node, at = node_of(node, tree[sibling]), (at - 1) // 2
        assert node == tree[0]


@settings(deadline=None)
@given(st.lists(WORD, min_size=2, max_size=20, unique=True), st.data())
def test_build__one_leaf_changed__another_root(leaves: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    changed = list(leaves)
    changed[place] = keccak256(leaves[place])

    assert build(changed)[0] != build(leaves)[0]


@settings(deadline=None)
@given(ITEMS)
def test_leaf__any_item__is_the_abi_encoding_hashed_twice(item: SignedItem) -> None:
    words = (item.tee_id, item.input_hash, item.output_hash, item.signature, item.timestamp)

    encoded = encode(["bytes32", "bytes32", "bytes32", "bytes", "uint256"], words)

    assert item.leaf() == keccak256(keccak256(encoded))


@settings(deadline=None)
@given(ITEMS)
def test_message__any_item__is_what_the_attestor_checks(item: SignedItem) -> None:
    assert item.message() == Item(item.input_hash, item.output_hash, item.timestamp).hash()


@settings(deadline=None)
@given(ITEMS, st.binary(max_size=20))
def test_identity__signed_again__is_the_same(item: SignedItem, signature: bytes) -> None:
    assert item.identity() == item._replace(signature=signature).identity()
    assert item.identity() != item._replace(tee_id=keccak256(item.tee_id)).identity()
