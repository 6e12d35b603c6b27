"""VerifiedGate: acts once for an inference whose batch is final with the wanted grade"""

from contextlib import AbstractContextManager
from dataclasses import replace
from types import TracebackType
from typing import Any

import pytest
from eth_abi import decode
from web3.contract import Contract

from tallystick.protocol.batch import ARCHIVE_DELAY, Dispute, Stamp
from tallystick.protocol.enums import DisputeKind, Grade, State
from tallystick.protocol.events import BatchChallenged, ChallengeLapsed
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.inference import hash_leaves
from tallystick.protocol.merkle import Tree
from tests.support.chain import Chain, Mined
from tests.support.story import Committed, Network, register

YES = (1).to_bytes(32, "big")


@pytest.fixture
def gate(chain: Chain, network: Network) -> Contract:
    address = checksummed(chain.registry.address)
    return chain.deploy("VerifiedGate", address, network.id, int(Grade.AUDITED))


def accept(
    chain: Chain, gate: Contract, batch: Committed, index: int = 0, stamp: Stamp | None = None
) -> Mined:
    opening = batch.opening(index)
    leaf = (checksummed(opening[0][0]), *opening[0][1:])
    named = (batch.batch.network_id, checksummed(batch.batch.operator), *batch.batch.abi()[2:])
    call = gate.functions.accept(
        named, (stamp or batch.stamp).pack(), (leaf, opening[1], opening[2])
    )
    return chain.transact(chain.accounts[8], call)


def refused(gate: Contract, name: str, *arguments: Any) -> AbstractContextManager[Any]:
    """The gate's errors are its own: told by their selectors."""
    from tallystick.chain.abi import signature_hash
    from tallystick.chain.revert import ContractError

    entry = next(entry for entry in gate.abi if entry.get("name") == name)

    class Expect:
        def __enter__(self) -> "Expect":
            return self

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            _: TracebackType | None,
        ) -> bool:
            assert isinstance(error, ContractError), f"not refused; expected {name}"
            assert error.data[:4] == signature_hash(entry)[:4], f"{error}; expected {name}"
            found = decode([field["type"] for field in entry["inputs"]], error.data[4:])
            assert not arguments or found == arguments
            return True

    return Expect()


@pytest.fixture
def audited(chain: Chain, network: Network, operator: bytes) -> Committed:
    batch = network.commit(operator)
    reference = batch.batch.abi(), batch.stamp.pack()
    chain.send(operator, "attest", *reference, int(Grade.AUDITED), YES)
    return batch


def finalize(chain: Chain, network: Network, operator: bytes, batch: Committed) -> None:
    chain.at(batch.closes_at)
    chain.send(operator, "finalize", [batch.ref], network.id, operator)


def test_accept__final_with_the_grade__keeps_the_answer_once(
    chain: Chain, network: Network, operator: bytes, gate: Contract, audited: Committed
) -> None:
    finalize(chain, network, operator, audited)

    accept(chain, gate, audited, index=2)

    leaf = audited.inferences[2]
    assert gate.functions.outputOf(leaf.leaf()).call() == leaf.output_hash
    with refused(gate, "AlreadyUsed"):
        accept(chain, gate, audited, index=2)


def test_accept__an_inference__is_told_by_its_event(
    chain: Chain, network: Network, operator: bytes, gate: Contract, audited: Committed
) -> None:
    finalize(chain, network, operator, audited)

    accept(chain, gate, audited, index=2)

    (log,) = gate.events.Accepted().get_logs(from_block=0)
    leaf = audited.inferences[2]
    told = {"batchId": audited.id, "leaf": leaf.leaf(), "outputHash": leaf.output_hash}
    assert dict(log["args"]) == told


def test_accept__settled_only__is_accepted_where_no_grade_is_wanted(
    chain: Chain, network: Network, operator: bytes
) -> None:
    address = checksummed(chain.registry.address)
    gate = chain.deploy("VerifiedGate", address, network.id, int(Grade.UNCHALLENGED))
    batch = network.final(operator)

    accept(chain, gate, batch)

    leaf = batch.inferences[0]
    assert gate.functions.outputOf(leaf.leaf()).call() == leaf.output_hash


def test_accept__still_open__is_refused(chain: Chain, gate: Contract, audited: Committed) -> None:
    with refused(gate, "NotVerified"):
        accept(chain, gate, audited)


def test_accept__settled_only__is_refused(
    chain: Chain, network: Network, operator: bytes, gate: Contract
) -> None:
    batch = network.final(operator)

    with refused(gate, "NotVerified"):
        accept(chain, gate, batch)


def test_accept__lapsed__is_refused_where_no_grade_is_wanted(
    chain: Chain, network: Network, operator: bytes, challenger: bytes, audited: Committed
) -> None:
    address = checksummed(chain.registry.address)
    gate = chain.deploy("VerifiedGate", address, network.id, int(Grade.UNCHALLENGED))
    reference = audited.batch.abi(), audited.stamp.pack()
    mined = chain.send(challenger, "challenge", *reference, audited.opening(0))
    event = mined.event(BatchChallenged)
    dispute = Dispute(DisputeKind.CHALLENGE, False, challenger, 0, event.due, event.leaf)
    chain.at(event.due + 1)
    mined = chain.send(challenger, "lapse", audited.pre_image(dispute))
    closes_at = mined.event(ChallengeLapsed).closes_at
    lapsed = replace(audited, stamp=replace(audited.stamp, closes_at=closes_at))
    finalize(chain, network, operator, lapsed)
    assert lapsed.status().lapsed

    with refused(gate, "NotVerified", lapsed.id, State.FINAL, Grade.UNCHALLENGED):
        accept(chain, gate, lapsed)


def test_accept__overwritten__is_refused_unless_archived(
    chain: Chain, network: Network, operator: bytes, gate: Contract, audited: Committed
) -> None:
    with chain.isolated():
        chain.at(audited.closes_at + ARCHIVE_DELAY).mine()
        network.commit(operator, over=audited)
        with refused(gate, "NotVerified"):
            accept(chain, gate, audited)
    finalize(chain, network, operator, audited)
    chain.send(operator, "archive", network.id, operator, audited.ref)
    network.commit(operator)

    accept(chain, gate, audited)


def test_accept__leaf_of_another_batch__is_refused(
    chain: Chain, network: Network, operator: bytes, gate: Contract, audited: Committed
) -> None:
    other = network.commit(operator, slot=1, count=7)
    finalize(chain, network, operator, audited)
    mixed = replace(audited, inferences=other.inferences)

    with refused(gate, "NotInBatch"):
        accept(chain, gate, mixed)


@pytest.mark.parametrize(
    ("count", "leaves", "index", "levels"),
    [
        pytest.param(3, 4, 3, 2, id="a leaf from count on"),
        pytest.param(4, 1, 0, 0, id="one leaf for all"),
        pytest.param(1, 2, 0, 1, id="a leaf too deep"),
    ],
)
def test_accept__tree_of_another_count__is_refused(
    chain: Chain,
    network: Network,
    operator: bytes,
    gate: Contract,
    count: int,
    leaves: int,
    index: int,
    levels: int,
) -> None:
    """Its operator may be anybody, and commits to any root and count."""
    named = network.inferences(operator, leaves, 0, chain.now + 900)
    tree = Tree.from_leaves(hash_leaves(named))
    batch = network.commit(operator, count=count, root=tree.root)
    batch = replace(batch, inferences=named, tree=tree)
    reference = batch.batch.abi(), batch.stamp.pack()
    chain.send(operator, "attest", *reference, int(Grade.AUDITED), YES)
    finalize(chain, network, operator, batch)
    assert len(tree.proof(index)) == levels

    with refused(gate, "NotInBatch", batch.id, index):
        accept(chain, gate, batch, index)


def test_accept__another_network__is_refused(
    chain: Chain, network: Network, network_owner: bytes, operator: bytes, gate: Contract
) -> None:
    other = register(chain, network_owner, salt=1)
    other.join(operator)

    with refused(gate, "OtherNetwork", other.id, network.id):
        accept(chain, gate, other.final(operator))
