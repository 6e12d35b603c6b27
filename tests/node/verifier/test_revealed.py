"""What operators opened on chain: seen whichever contract the reveal came through."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from web3 import Web3

from tallystick.chain.follower import Follower
from tallystick.node.verifier.revealed import Revealed
from tallystick.protocol.batch import Batch
from tallystick.protocol.enums import DisputeKind, State
from tallystick.protocol.events import BatchCommitted
from tallystick.protocol.inference import hash_leaves
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import Tree
from tallystick.protocol.scope import Scope
from tests.node.verifier.stage import GRIEFER, STAKE, Stage, rounds
from tests.support.story import Committed


def commit_through(staged: Stage, wrong: bool) -> tuple[Committed, Callable[[int, bool], None]]:
    """Have a contract commit, without data in any store; returns what has it reveal a leaf."""
    chain, network = staged.chain, staged.network
    address = Web3.to_checksum_address(chain.registry.address)
    contract = chain.deploy("ContractOperator", address, value=2 * STAKE)
    me, anyone = bytes.fromhex(contract.address[2:]), chain.accounts[9]
    chain.transact(anyone, contract.functions.join(network.id, STAKE))
    chain.send(network.owner, "admit", network.id, me)
    inputs = staged.samples[:5]
    outputs = staged.model.infer(inputs)
    if wrong:
        outputs = [bytes([(output[0] + 1) % 10]) for output in outputs]
    deadline = chain.now + network.rules.challenge_window // 4
    leaves = [
        replace(leaf, input_hash=keccak256(given), output_hash=keccak256(output))
        for leaf, given, output in zip(
            network.inferences(me, 5, 0, deadline), inputs, outputs, strict=True
        )
    ]
    call = contract.functions.commit(network.commitment(leaves, 0))
    mined = chain.transact(anyone, call)
    event = mined.event(BatchCommitted)
    batch = Batch(network.id, me, 0, event.model_id, event.root, 5, event.commit_deadline)
    tree = Tree.from_leaves(hash_leaves(leaves))
    done = Committed(chain, batch, event.stamp, leaves, tree, mined, inputs, outputs)

    def reveal(index: int, with_bytes: bool) -> None:
        record = staged.record(done)
        data = (inputs[index], outputs[index]) if with_bytes else (b"", b"")
        pre_image = record.pre_image.abi()
        chain.transact(anyone, contract.functions.reveal(pre_image, done.opening(index), *data))

    return done, reveal


@pytest.mark.parametrize("with_bytes", [True, False])
def test_of__revealed_through_a_contract__leaf_proof_and_bytes(
    staged: Stage, with_bytes: bool
) -> None:
    batch, reveal = commit_through(staged, wrong=False)
    demand = (batch.batch.abi(), batch.stamp.pack(), 2, with_bytes)
    staged.chain.send(staged.chain.accounts[GRIEFER], "demand", *demand)
    reveal(2, with_bytes)
    follower = Follower(staged.chain.registry, scope=Scope.network(staged.network.id), cargo=True)
    follower.advance()

    ((opening, record),) = Revealed(follower).of(batch.batch)

    assert (opening.leaf_index, opening.inference) == (2, batch.inferences[2])
    opening.check(batch.batch)
    if with_bytes:
        assert (record.input, record.output) == (batch.inputs[2], batch.outputs[2])
    else:
        assert (record.input, record.output) == (None, None)
    assert record.output_hash == batch.inferences[2].output_hash


def test_of__the_same_leaf_twice__with_the_bytes_of_either(staged: Stage) -> None:
    batch, reveal = commit_through(staged, wrong=False)
    for with_bytes in (False, True):
        stamp = staged.record(batch).stamp.pack()
        demand = (batch.batch.abi(), stamp, 2, with_bytes)
        staged.chain.send(staged.chain.accounts[GRIEFER], "demand", *demand)
        reveal(2, with_bytes)
    follower = Follower(staged.chain.registry, scope=Scope.network(staged.network.id), cargo=True)
    follower.advance()

    first, second = Revealed(follower).of(batch.batch)

    assert first == second
    assert first[1].output == batch.outputs[2]


def test_rounds__wrong_leaf_revealed_through_a_contract__challenged(staged: Stage) -> None:
    batch, reveal = commit_through(staged, wrong=True)
    verifier = staged.verifier(demands="missing")
    staged.seeded()
    rounds(verifier, count=2)
    dispute = staged.record(batch).dispute
    assert dispute is not None and dispute.kind is DisputeKind.DEMAND and dispute.with_bytes

    reveal(dispute.leaf_index, True)
    rounds(verifier, count=3)

    record = staged.record(batch)
    assert record.state is State.DISPUTED
    assert record.dispute.kind is DisputeKind.CHALLENGE
    assert record.dispute.leaf_index == dispute.leaf_index
