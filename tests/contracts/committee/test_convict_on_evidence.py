"""Committee.convictOnEvidence: the arbiter is asked, whatever became of the batch.

became of it: rejected for a planted fault, a repeat, a timeout | final | overwritten | open
refused: upheld | not drawn | another tree, place or batch | another network's arbiter | none
"""

from dataclasses import replace

import pytest
import rlp

from tallystick.batch import ARCHIVE_DELAY
from tallystick.enums import Cause, Ruling, State
from tallystick.keccak import keccak256
from tallystick.opening import Opening
from tests.contracts.committee.acts import (
    attest,
    drawn_of,
    fault_deadline,
    late,
    network_of,
    rejection,
    spared_of,
    time_out,
)
from tests.support.chain import reverts
from tests.support.committee import MIN_STAKE, found

SWEEP = bytes.fromhex("35faa416")
"""sweep(), which changes state."""
BURNED = [0, MIN_STAKE, 0]
KEPT = [MIN_STAKE] * 3


def audited(chain, batch, panel):
    audit = panel.audit(batch)
    signatures = panel.signed(audit, [0, 2])
    attest(chain, batch, audit.evidence(signatures))
    return audit, signatures


def convict(panel, judge, batch, audit, signatures, index=None, **changes):
    index = drawn_of(audit, batch)[0] if index is None else index
    arguments = {"evidence": rejection(judge, batch, index)} | changes
    return panel.convict_on_evidence(batch, audit, signatures, index, **arguments)


def next_but_one(chain):
    """Where the next but one contract of the deploying account will be."""
    deployer = chain.w3.eth.accounts[0]
    nonce = chain.w3.eth.get_transaction_count(deployer) + 1
    made = rlp.encode([bytes.fromhex(deployer[2:]), nonce])
    return chain.w3.to_checksum_address(keccak256(made)[12:])


class TestWhateverBecameOfIt:
    def test_open__burns_every_signers_stake(self, chain, batch, panel, judge):
        audit, signatures = audited(chain, batch, panel)

        convict(panel, judge, batch, audit, signatures)

        assert panel.stakes() == BURNED
        assert panel.active() == 0b010

    def test_planted_deadline_in_front_of_the_ruling__burns(
        self, chain, judged, operator, panel, judge
    ):
        """By an audit of another fork's commit, which the deadline does not convict."""
        batch = judged.commit(operator, count=40, shape=late)
        audit = replace(panel.audit(batch), committed_at=batch.stamp.committed_at - 1)
        signatures = panel.signed(audit, [0, 2])
        fault_deadline(batch, 39)
        with reverts("CommitTimeMismatch"):
            panel.convict(batch, audit, signatures)

        convict(panel, judge, batch, audit, signatures)

        assert panel.stakes() == BURNED

    def test_repeat_in_front_of_the_ruling__burns(self, chain, judged, operator, panel, judge):
        first = judged.commit(operator, count=40)
        again = judged.commit(operator, count=40, slot=1, shape=lambda _: first.inferences)
        audit, signatures = audited(chain, again, panel)
        openings = again.pre_image(), again.opening(3), first.pre_image(), first.opening(3)
        chain.send(operator, "faultRepeat", *openings)
        with reverts("BatchNotConvicted", cause=Cause.REPEAT.name):
            panel.convict(again, audit, signatures)

        convict(panel, judge, again, audit, signatures)

        assert panel.stakes() == BURNED

    def test_expired_self_demand_in_front_of_the_ruling__burns(
        self, chain, judged, operator, batch, panel, judge
    ):
        audit, signatures = audited(chain, batch, panel)
        time_out(batch, operator)
        with reverts("BatchNotConvicted", cause=Cause.TIMEOUT.name):
            panel.convict(batch, audit, signatures)

        convict(panel, judge, batch, audit, signatures)

        assert panel.stakes() == BURNED

    def test_final__burns(self, chain, judged, operator, batch, panel, judge):
        audit, signatures = audited(chain, batch, panel)
        chain.at(batch.closes_at)
        chain.send(operator, "finalize", [batch.ref], judged.id, operator)

        convict(panel, judge, batch, audit, signatures)

        assert panel.stakes() == BURNED

    def test_overwritten__burns(self, chain, judged, operator, batch, panel, judge):
        audit, signatures = audited(chain, batch, panel)
        chain.at(batch.closes_at + ARCHIVE_DELAY).mine()
        judged.commit(operator, over=batch)
        assert batch.status().state is State.UNKNOWN

        convict(panel, judge, batch, audit, signatures)

        assert panel.stakes() == BURNED

    def test_never_attested__burns(self, batch, panel, judge):
        audit = panel.audit(batch)

        convict(panel, judge, batch, audit, panel.signed(audit, [1]))

        assert panel.stakes() == [MIN_STAKE, 0, MIN_STAKE]


class TestRefused:
    @pytest.fixture
    def signed(self, chain, batch, panel):
        return audited(chain, batch, panel)

    def test_upheld__reverts(self, batch, panel, judge, signed):
        index = drawn_of(signed[0], batch)[0]
        leaf = batch.tree.leaf(index)
        upheld = judge.verdict(batch.id, index, leaf, Ruling.UPHELD, [0, 1])

        with reverts("LeafNotRejected", leafIndex=index, ruling=Ruling.UPHELD.name):
            convict(panel, judge, batch, *signed, evidence=upheld)
        assert panel.stakes() == KEPT

    def test_undecided__reverts(self, chain, network_owner, operator, resolver):
        panel = found(chain, 1, 1, arbiter=resolver)
        network = network_of(chain, network_owner, panel, resolver, salt=6)
        network.join(operator)
        batch = network.commit(operator, count=40)
        audit = panel.audit(batch)
        signatures, index = panel.signed(audit, [0]), drawn_of(audit, batch)[0]

        for ruling in (Ruling.UNDECIDED, Ruling.UPHELD):
            says = int(ruling).to_bytes(32, "big")
            with reverts("LeafNotRejected", ruling=ruling.name):
                panel.convict_on_evidence(batch, audit, signatures, index, says)
        panel.convict_on_evidence(batch, audit, signatures, index, (2).to_bytes(32, "big"))

        assert panel.stakes() == [0]

    def test_leaf_that_was_not_drawn__reverts(self, batch, panel, judge, signed):
        spared = spared_of(signed[0], batch)

        with reverts("LeafNotDrawn", batchId=batch.id, leafIndex=spared):
            convict(panel, judge, batch, *signed, index=spared)

    def test_signed_by_too_few_judges__reverts(self, batch, panel, judge, signed):
        index = drawn_of(signed[0], batch)[0]
        few = judge.verdict(batch.id, index, batch.tree.leaf(index), Ruling.REJECTED, [0])

        with reverts("TooFewSigners", signers=1, threshold=2):
            convict(panel, judge, batch, *signed, evidence=few)

    def test_evidence_of_another_batch__reverts(
        self, chain, judged, operator, batch, panel, judge, signed
    ):
        twin = judged.commit(operator, count=40, slot=1, root=batch.batch.root)
        index = drawn_of(signed[0], batch)[0]

        with reverts("SignatureInvalid"):
            convict(panel, judge, batch, *signed, evidence=rejection(judge, twin, index))

    def test_leaf_of_another_tree__reverts(
        self, chain, judged, operator, batch, panel, judge, signed
    ):
        """A wrong leaf that the operator never put into this batch."""
        other = judged.commit(operator, count=40, slot=1)
        index = drawn_of(signed[0], batch)[0]
        strange = Opening(other.inferences[index], index, other.tree.proof(index))

        with reverts("ProofInvalid", batchId=batch.id, leafIndex=index):
            convict(panel, judge, batch, *signed, opening=strange)

    def test_another_leaf_of_the_tree__reverts(self, batch, panel, judge, signed):
        index = drawn_of(signed[0], batch)[0]
        other = (index + 1) % 40
        moved = Opening(batch.inferences[other], index, batch.tree.proof(other))

        with reverts("ProofInvalid", leafIndex=index):
            convict(panel, judge, batch, *signed, opening=moved)

    @pytest.mark.parametrize("proof", [lambda proof: proof[:-1], lambda proof: [*proof, bytes(32)]])
    def test_proof_of_another_length__reverts(self, batch, panel, judge, signed, proof):
        index = drawn_of(signed[0], batch)[0]
        wrong = tuple(proof(list(batch.tree.proof(index))))

        with reverts("ProofInvalid", leafIndex=index):
            opening = Opening(batch.inferences[index], index, wrong)
            convict(panel, judge, batch, *signed, opening=opening)

    @pytest.mark.parametrize("index", [40, 63, 1 << 20])
    def test_place_beyond_the_last__reverts(self, batch, panel, judge, signed, index):
        opening = Opening(batch.inferences[0], index, batch.tree.proof(0))

        with reverts("LeafIndexOutOfRange", leafIndex=index, count=40):
            panel.convict_on_evidence(batch, *signed, index, b"", opening=opening)

    def test_fields_of_another_batch__reverts(self, batch, panel, judge, signed):
        """The batch that is shown must be the one that was audited, to the bit."""
        smaller = replace(batch, batch=replace(batch.batch, count=39))

        with reverts("StatementMismatch", statedId=batch.id, batchId=smaller.id):
            convict(panel, judge, smaller, *signed, index=drawn_of(signed[0], batch)[0])

    def test_statement_that_the_batch_is_bad__reverts(self, batch, panel, judge, signed):
        bad = replace(signed[0], verdict=False)

        with reverts("StatementMismatch", verdict=False):
            convict(panel, judge, batch, bad, panel.signed(bad, [0]))

    def test_nobody_signed__reverts(self, batch, panel, judge, signed):
        with reverts("NoStakeToBurn"):
            convict(panel, judge, batch, signed[0], {})

    def test_forged_signature__reverts(self, batch, panel, judge, signed):
        audit, signatures = signed

        with reverts("SignatureInvalid", place=1):
            convict(panel, judge, batch, audit, {1: signatures[0]})
        assert panel.stakes() == KEPT

    def test_twice__reverts(self, batch, panel, judge, signed):
        convict(panel, judge, batch, *signed)

        with reverts("NoStakeToBurn", batchId=batch.id):
            convict(panel, judge, batch, *signed)


class TestArbiter:
    def test_network_of_the_cheats_own__reverts(
        self, chain, network_owner, operator, panel, resolver, judge
    ):
        """It would say Rejected to anything."""
        rogue = network_of(chain, network_owner, panel, resolver, salt=7)
        rogue.join(operator)
        batch = rogue.commit(operator, count=40)
        audit = panel.audit(batch)
        signatures, index = panel.signed(audit, [0, 1]), drawn_of(audit, batch)[0]

        with reverts("ArbiterMismatch", arbiter=resolver, needed=judge.address):
            panel.convict_on_evidence(batch, audit, signatures, index, (2).to_bytes(32, "big"))
        assert panel.stakes() == KEPT

    def test_none__reverts(self, chain, network_owner, operator):
        panel = found(chain, 1, 1)
        network = network_of(chain, network_owner, panel, bytes(20), salt=8)
        network.join(operator)
        batch = network.commit(operator, count=40)
        audit = panel.audit(batch)
        signatures, index = panel.signed(audit, [0]), drawn_of(audit, batch)[0]

        with reverts("ArbiterMissing", networkId=network.id):
            panel.convict_on_evidence(batch, audit, signatures, index, (2).to_bytes(32, "big"))

    @pytest.mark.parametrize(
        ("mode", "error"),
        [
            (0, "UnknownError"),
            (2, "MalformedAnswer"),
            (3, "MalformedAnswer"),
            (4, "MalformedAnswer"),
        ],
    )
    def test_that_misbehaves__reverts(self, chain, network_owner, operator, mode, error):
        hostile = chain.deploy("HostileResolver", mode, "0x" + "00" * 20, b"")
        arbiter = bytes.fromhex(hostile.address[2:])
        panel = found(chain, 1, 1, arbiter=arbiter)
        network = network_of(chain, network_owner, panel, arbiter, salt=9)
        network.join(operator)
        batch = network.commit(operator, count=40)
        audit = panel.audit(batch)
        signatures, index = panel.signed(audit, [0]), drawn_of(audit, batch)[0]

        with reverts(error):
            panel.convict_on_evidence(batch, audit, signatures, index, b"")
        assert panel.stakes() == [MIN_STAKE]

    def test_that_calls_back__changes_nothing(self, chain, network_owner, operator):
        """By a STATICCALL, and under the lock."""
        target = next_but_one(chain)
        hostile = chain.deploy("HostileResolver", 5, target, SWEEP)
        arbiter = bytes.fromhex(hostile.address[2:])
        panel = found(chain, 1, 1, arbiter=arbiter, staked=False)
        assert panel.contract.address == target
        chain.transact(
            chain.accounts[0], panel.contract.functions.stake(0, MIN_STAKE), value=MIN_STAKE
        )
        network = network_of(chain, network_owner, panel, arbiter, salt=9)
        network.join(operator)
        batch = network.commit(operator, count=40)
        audit = panel.audit(batch)
        signatures, index = panel.signed(audit, [0]), drawn_of(audit, batch)[0]

        with reverts("ReentrancyGuardReentrantCall"):
            panel.convict_on_evidence(batch, audit, signatures, index, b"")
        assert panel.stakes() == [MIN_STAKE]
