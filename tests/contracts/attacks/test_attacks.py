"""Attacks that the design names, tried whole; those on a single check stand with its function."""

from dataclasses import replace
from typing import Any

import pytest

from tallystick.chain.call import Call
from tallystick.protocol.batch import Batch, Dispute
from tallystick.protocol.enums import DisputeKind, State
from tallystick.protocol.events import (
    BatchChallenged,
    BatchCommitted,
    BatchDemanded,
    BatchRejected,
    LeafRevealed,
)
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.opening import Opening
from tests.support.chain import Chain, reverts
from tests.support.story import Committed, Network, conserved

REJECTED = (2).to_bytes(32, "big")


def demanded(chain: Chain, batch: Committed, demander: bytes, index: int = 0) -> Dispute:
    mined = chain.send(demander, "demand", batch.batch.abi(), batch.stamp.pack(), index, False)
    due = mined.event(BatchDemanded).due
    return Dispute(DisputeKind.DEMAND, False, demander, index, due, bytes(32))


def test_copied_root__its_leaves_cannot_be_revealed__and_the_copy_is_rejected(
    chain: Chain, network: Network, operator: bytes, other_operator: bytes, challenger: bytes
) -> None:
    network.join(other_operator)
    honest = network.commit(operator)
    copied = network.commit(other_operator, root=honest.batch.root)
    dispute = demanded(chain, copied, challenger)

    with reverts("ProofInvalid", batchId=copied.id):
        chain.send(
            other_operator, "reveal", copied.pre_image(dispute), honest.opening(0), b"", b"", b""
        )
    chain.at(dispute.due + 1)
    chain.send(challenger, "timeout", copied.pre_image(dispute))

    assert honest.status().state is State.OPEN
    assert network.lane(other_operator).open_inferences == 0
    conserved(chain, network)


def test_shielded_batch__disputed_by_its_own_operator__is_disproved_all_the_same(
    chain: Chain, network: Network, operator: bytes, challenger: bytes
) -> None:
    batch = network.commit(operator)
    chain.at(batch.closes_at - 1)
    mined = chain.send(
        operator, "challenge", batch.batch.abi(), batch.stamp.pack(), batch.opening(0)
    )
    event = mined.event(BatchChallenged)
    shield = Dispute(DisputeKind.CHALLENGE, False, operator, 0, event.due, event.leaf)

    chain.send(challenger, "disprove", batch.pre_image(shield), batch.opening(3), REJECTED)

    assert network.totals().rejected == 5
    conserved(chain, network)


def test_shielded_batch__demanded_and_revealed_at_its_end__leaves_a_whole_response_window(
    chain: Chain, network: Network, operator: bytes, challenger: bytes
) -> None:
    batch = network.commit(operator)
    chain.at(batch.closes_at - 1)
    dispute = demanded(chain, batch, operator)
    mined = chain.send(
        operator, "reveal", batch.pre_image(dispute), batch.opening(0), b"", b"", b""
    )
    closes_at = mined.event(LeafRevealed).closes_at
    assert closes_at == mined.timestamp + network.rules.response_window
    reopened = replace(batch.stamp, closes_at=closes_at)

    chain.at(closes_at - 1)
    chain.send(challenger, "challenge", batch.batch.abi(), reopened.pack(), batch.opening(1))

    assert batch.word()[31] & 7 == State.DISPUTED


FORGED = [
    pytest.param(1, 1, id="with bytes"),
    pytest.param(2, 5, id="party"),
    pytest.param(3, 3, id="leaf index"),
    pytest.param(4, 12345, id="due"),
    pytest.param(4, 1, id="due, its lowest byte"),
    pytest.param(5, 1, id="leaf"),
    pytest.param(0, 3, id="no kind"),
    pytest.param(1, 2, id="beyond a bit"),
    pytest.param(2, 1 << 200, id="beyond an address"),
    pytest.param(0, 1, id="a challenge that is none"),
    *(pytest.param(word, 1 << 248, id=f"highest byte of word {word}") for word in range(6)),
]


@pytest.mark.parametrize(("word", "value"), FORGED)
@pytest.mark.parametrize("action", ["disprove", "faultDeadline", "stateOf"])
def test_forged_dispute__of_an_undisputed_batch__opens_nothing(
    chain: Chain,
    network: Network,
    operator: bytes,
    challenger: bytes,
    word: int,
    value: int,
    action: str,
) -> None:
    """Events named a bond owner by the sender's word."""
    batch = network.commit(
        operator, shape=lambda leaves: [*leaves[:-1], replace(leaves[-1], deadline=2**40)]
    )
    arguments = {
        "disprove": (batch.pre_image(), batch.opening(0), REJECTED),
        "faultDeadline": (batch.pre_image(), batch.opening(4)),
        "stateOf": (batch.pre_image(),),
    }[action]
    call = chain.registry.call(action, *arguments)
    forged = bytearray(call.data)
    # Behind the selector: the batch's seven words, the stamp, the dispute's six.
    at = 4 + 32 * (8 + word)
    forged[at : at + 32] = value.to_bytes(32, "big")

    if action == "stateOf":
        answer = chain.w3.eth.call(
            {
                "to": chain.w3.to_checksum_address(call.to),
                "data": "0x" + bytes(forged).hex(),
            }
        )
        assert int.from_bytes(answer) == State.UNKNOWN
    else:
        with reverts("PreImageMismatch", batchId=batch.id):
            chain.send_call(challenger, Call(call.to, bytes(forged)))
    assert batch.status().state is State.OPEN


def test_rejected__undisputed__names_no_bond_owner(
    chain: Chain, network: Network, operator: bytes, challenger: bytes
) -> None:
    batch = network.commit(operator)

    mined = chain.send(challenger, "disprove", batch.pre_image(), batch.opening(0), REJECTED)

    event = mined.event(BatchRejected)
    assert (event.bond_owner, event.bond) == (bytes(20), 0)


def test_inner_node__passed_off_as_a_leaf__does_not_open(
    chain: Chain, network: Network, operator: bytes, challenger: bytes
) -> None:
    batch = network.commit(operator, count=4)
    leaf, _, proof = batch.opening(0)

    for index, siblings in ((0, proof[1:]), (1, proof[1:]), (0, [])):
        with reverts("ProofInvalid"):
            opening = (leaf, index, siblings)
            chain.send(challenger, "challenge", batch.batch.abi(), batch.stamp.pack(), opening)


@pytest.mark.parametrize(
    ("word", "error"),
    [
        pytest.param(1, "Reverted", id="operator of the batch"),
        pytest.param(2, "PreImageMismatch", id="index of the batch"),
        pytest.param(5, "Reverted", id="count of the batch"),
        pytest.param(6, "PreImageMismatch", id="deadline of the batch"),
        # Behind the batch's seven words stand the stamp and the opening's offset.
        pytest.param(9, "Reverted", id="requester of the leaf"),
        pytest.param(10, "Reverted", id="nonce of the leaf"),
        pytest.param(11, "Reverted", id="deadline of the leaf"),
    ],
)
def test_dirty_bits__beyond_a_fields_width__never_pass(
    chain: Chain, network: Network, operator: bytes, challenger: bytes, word: int, error: str
) -> None:
    batch = network.commit(operator, solicited=True)
    arguments = batch.batch.abi(), batch.stamp.pack(), batch.opening(0)
    call = chain.registry.call("challenge", *arguments)
    dirty = bytearray(call.data)
    dirty[4 + 32 * word] ^= 0x80

    with reverts(error):
        chain.send_call(challenger, Call(call.to, bytes(dirty)))

    assert batch.status().state is State.OPEN


def made_up(batch: Committed, index: int, **changes: Any) -> tuple[Any, ...]:
    """Open a leaf that the batch does not hold, with the proof of the one in its place."""
    return Opening(
        replace(batch.inferences[index], **changes), index, batch.tree.proof(index)
    ).abi()


@pytest.mark.parametrize(
    ("count", "index", "levels"),
    [(4, 0, 0), (4, 3, 0), (4, 1, 1), (1, 0, 1), (5, 4, 2), (4, 3, 3), (2, 1, 2)],
)
def test_tree_of_another_depth__opens_no_leaf(
    chain: Chain,
    network: Network,
    operator: bytes,
    challenger: bytes,
    count: int,
    index: int,
    levels: int,
) -> None:
    """One leaf under a short root would stand for every index: a count made of nothing."""
    leaf = network.inferences(operator, 1, 0, chain.now + 900)[0]
    root, proof = leaf.leaf(), [bytes([level]) * 32 for level in range(levels)]
    for level, sibling in enumerate(proof):
        root = keccak256(sibling + root if index >> level & 1 else root + sibling)
    arguments = network.commitment([leaf], 0, root=root, count=count)
    event = chain.send(operator, "commit", arguments).event(BatchCommitted)
    batch = Batch(network.id, operator, 0, event.model_id, root, count, event.commit_deadline)
    opening = (leaf.abi_leaf(), index, proof)

    with reverts("ProofInvalid", batchId=batch.id(), leafIndex=index):
        chain.send(challenger, "challenge", batch.abi(), event.stamp.pack(), opening)


MADE_UP = [
    "disprove",
    "order, lower",
    "order, higher",
    "repeat, later",
    "repeat, earlier",
    "deadline",
]


@pytest.mark.parametrize("action", MADE_UP)
def test_made_up_leaf__convicts_nobody(
    chain: Chain, network: Network, operator: bytes, challenger: bytes, action: str
) -> None:
    """Whoever could open a leaf that the root does not hold would reject any honest batch."""
    first, second = (network.commit(operator, slot=slot) for slot in (0, 1))
    pre_image, key = second.pre_image(), {"nonce": second.inferences[2].nonce}
    name, arguments = {
        "disprove": (
            "disprove",
            (pre_image, made_up(second, 0, output_hash=b"!" * 32), REJECTED),
        ),
        "order, lower": (
            "faultOrder",
            (pre_image, made_up(second, 0, nonce=2**64 - 1), second.opening(1)),
        ),
        "order, higher": (
            "faultOrder",
            (pre_image, second.opening(0), made_up(second, 1, nonce=0)),
        ),
        "repeat, later": (
            "faultRepeat",
            (
                pre_image,
                made_up(second, 0, nonce=first.inferences[0].nonce),
                first.pre_image(),
                first.opening(0),
            ),
        ),
        "repeat, earlier": (
            "faultRepeat",
            (pre_image, second.opening(2), first.pre_image(), made_up(first, 0, **key)),
        ),
        "deadline": ("faultDeadline", (pre_image, made_up(second, 0, deadline=2**40))),
    }[action]
    opened = first if action == "repeat, earlier" else second
    leaf_index = 1 if action == "order, higher" else 0

    with reverts("ProofInvalid", batchId=opened.id, leafIndex=leaf_index):
        chain.send(challenger, name, *arguments)

    assert network.totals().rejected == 0
