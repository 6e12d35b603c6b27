"""VerifiedGate: acts once for an inference whose batch is final with the wanted grade"""

from dataclasses import replace

import pytest

from tallystick.batch import ARCHIVE_DELAY
from tallystick.enums import Grade
from tallystick.hexes import checksummed
from tests.support.chain import Chain
from tests.support.story import register

YES = (1).to_bytes(32, "big")


@pytest.fixture
def gate(chain, network):
    core = checksummed(chain.registry.address)
    return chain.deploy("VerifiedGate", core, network.id, int(Grade.AUDITED))


def accept(chain: Chain, gate, batch, index=0, stamp=None):
    opening = batch.opening(index)
    leaf = (checksummed(opening[0][0]), *opening[0][1:])
    named = (batch.batch.network_id, checksummed(batch.batch.operator), *batch.batch.abi()[2:])
    call = gate.functions.accept(
        named, (stamp or batch.stamp).pack(), (leaf, opening[1], opening[2])
    )
    return chain.transact(chain.accounts[8], call)


def refused(gate, name):
    """The gate's errors are its own: told by their selectors."""
    from tallystick.chain.abi import signature_hash
    from tallystick.chain.revert import ContractError

    entry = next(entry for entry in gate.abi if entry.get("name") == name)

    class Expect:
        def __enter__(self):
            return self

        def __exit__(self, kind, error, _):
            assert isinstance(error, ContractError), f"not refused; expected {name}"
            assert error.data[:4] == signature_hash(entry)[:4], f"{error}; expected {name}"
            return True

    return Expect()


@pytest.fixture
def audited(chain, network, operator):
    batch = network.commit(operator)
    reference = batch.batch.abi(), batch.stamp.pack()
    chain.send(operator, "attest", *reference, int(Grade.AUDITED), YES)
    return batch


def finalize(chain, network, operator, batch):
    chain.at(batch.closes_at)
    chain.send(operator, "finalize", [batch.ref], network.id, operator)


def test_accept__final_with_the_grade__keeps_the_answer_once(
    chain, network, operator, gate, audited
):
    finalize(chain, network, operator, audited)

    accept(chain, gate, audited, index=2)

    leaf = audited.inferences[2]
    assert gate.functions.outputOf(leaf.leaf()).call() == leaf.output_hash
    with refused(gate, "AlreadyUsed"):
        accept(chain, gate, audited, index=2)


def test_accept__still_open__is_refused(chain, gate, audited):
    with refused(gate, "NotVerified"):
        accept(chain, gate, audited)


def test_accept__settled_only__is_refused(chain, network, operator, gate):
    batch = network.final(operator)

    with refused(gate, "NotVerified"):
        accept(chain, gate, batch)


def test_accept__overwritten__is_refused_unless_archived(chain, network, operator, gate, audited):
    with chain.isolated():
        chain.at(audited.closes_at + ARCHIVE_DELAY).mine()
        network.commit(operator, over=audited)
        with refused(gate, "NotVerified"):
            accept(chain, gate, audited)
    finalize(chain, network, operator, audited)
    chain.send(operator, "archive", network.id, operator, audited.ref)
    network.commit(operator)

    accept(chain, gate, audited)


def test_accept__leaf_of_another_batch__is_refused(chain, network, operator, gate, audited):
    other = network.commit(operator, slot=1, count=7)
    finalize(chain, network, operator, audited)
    mixed = replace(audited, inferences=other.inferences)

    with refused(gate, "NotInBatch"):
        accept(chain, gate, mixed)


def test_accept__another_network__is_refused(chain, network_owner, operator, gate):
    other = register(chain, network_owner, salt=1)
    other.join(operator)

    with refused(gate, "OtherNetwork"):
        accept(chain, gate, other.final(operator))
