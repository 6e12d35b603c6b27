"""Committee.convictOnEvidence: the arbiter is asked, whatever became of the batch.

became of it: rejected for a planted fault, a repeat, a timeout | final | overwritten | open
refused: upheld | not drawn | another tree, place or batch | another network's arbiter | none
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import rlp

from tallystick.protocol.batch import ARCHIVE_DELAY
from tallystick.protocol.committee import Audit
from tallystick.protocol.enums import Cause, Ruling, State
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.opening import Opening
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
from tests.support.chain import Chain, Mined, reverts
from tests.support.committee import MIN_STAKE, Committee, found
from tests.support.story import Committed, Network

SWEEP = bytes.fromhex("35faa416")
"""sweep(), which changes state."""
BURNED = [0, MIN_STAKE, 0]
KEPT = [MIN_STAKE] * 3


def audited(chain: Chain, batch: Committed, committee: Committee) -> tuple[Audit, dict[int, bytes]]:
    audit = committee.audit(batch)
    signatures = committee.signed(audit, [0, 2])
    attest(chain, batch, audit.evidence(signatures))
    return audit, signatures


def convict(
    committee: Committee,
    judge: Committee,
    batch: Committed,
    audit: Audit,
    signatures: dict[int, bytes],
    index: int | None = None,
    **changes: Any,
) -> Mined:
    index = drawn_of(audit, batch)[0] if index is None else index
    arguments = {"evidence": rejection(judge, batch, index)} | changes
    return committee.convict_on_evidence(batch, audit, signatures, index, **arguments)


def next_but_one(chain: Chain) -> str:
    """Where the next but one contract of the deploying account will be."""
    deployer = chain.w3.eth.accounts[0]
    nonce = chain.w3.eth.get_transaction_count(deployer) + 1
    made = rlp.encode([bytes.fromhex(deployer[2:]), nonce])
    return chain.w3.to_checksum_address(keccak256(made)[12:])


class TestWhateverBecameOfIt:
    def test_open__burns_every_signers_stake(
        self, chain: Chain, batch: Committed, committee: Committee, judge: Committee
    ) -> None:
        audit, signatures = audited(chain, batch, committee)

        convict(committee, judge, batch, audit, signatures)

        assert committee.stakes() == BURNED
        assert committee.active() == 0b010

    def test_planted_deadline_in_front_of_the_ruling__burns(
        self, chain: Chain, judged: Network, operator: bytes, committee: Committee, judge: Committee
    ) -> None:
        """By an audit of another fork's commit, which the deadline does not convict."""
        batch = judged.commit(operator, count=40, shape=late)
        audit = replace(committee.audit(batch), committed_at=batch.stamp.committed_at - 1)
        signatures = committee.signed(audit, [0, 2])
        fault_deadline(batch, 39)
        with reverts("CommitTimeMismatch"):
            committee.convict(batch, audit, signatures)

        convict(committee, judge, batch, audit, signatures)

        assert committee.stakes() == BURNED

    def test_repeat_in_front_of_the_ruling__burns(
        self, chain: Chain, judged: Network, operator: bytes, committee: Committee, judge: Committee
    ) -> None:
        first = judged.commit(operator, count=40)
        again = judged.commit(operator, count=40, slot=1, shape=lambda _: first.inferences)
        audit, signatures = audited(chain, again, committee)
        openings = again.pre_image(), again.opening(3), first.pre_image(), first.opening(3)
        chain.send(operator, "faultRepeat", *openings)
        with reverts("BatchNotConvicted", cause=Cause.REPEAT.name):
            committee.convict(again, audit, signatures)

        convict(committee, judge, again, audit, signatures)

        assert committee.stakes() == BURNED

    def test_expired_self_demand_in_front_of_the_ruling__burns(
        self,
        chain: Chain,
        judged: Network,
        operator: bytes,
        batch: Committed,
        committee: Committee,
        judge: Committee,
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
        time_out(batch, operator)
        with reverts("BatchNotConvicted", cause=Cause.TIMEOUT.name):
            committee.convict(batch, audit, signatures)

        convict(committee, judge, batch, audit, signatures)

        assert committee.stakes() == BURNED

    def test_final__burns(
        self,
        chain: Chain,
        judged: Network,
        operator: bytes,
        batch: Committed,
        committee: Committee,
        judge: Committee,
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
        chain.at(batch.closes_at)
        chain.send(operator, "finalize", [batch.ref], judged.id, operator)

        convict(committee, judge, batch, audit, signatures)

        assert committee.stakes() == BURNED

    def test_overwritten__burns(
        self,
        chain: Chain,
        judged: Network,
        operator: bytes,
        batch: Committed,
        committee: Committee,
        judge: Committee,
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
        chain.at(batch.closes_at + ARCHIVE_DELAY).mine()
        judged.commit(operator, over=batch)
        assert batch.status().state is State.UNKNOWN

        convict(committee, judge, batch, audit, signatures)

        assert committee.stakes() == BURNED

    def test_never_attested__burns(
        self, batch: Committed, committee: Committee, judge: Committee
    ) -> None:
        audit = committee.audit(batch)

        convict(committee, judge, batch, audit, committee.signed(audit, [1]))

        assert committee.stakes() == [MIN_STAKE, 0, MIN_STAKE]


class TestRefused:
    @pytest.fixture
    def signed(
        self, chain: Chain, batch: Committed, committee: Committee
    ) -> tuple[Audit, dict[int, bytes]]:
        return audited(chain, batch, committee)

    def test_upheld__reverts(
        self, batch: Committed, committee: Committee, judge: Committee, signed: tuple[Any, ...]
    ) -> None:
        index = drawn_of(signed[0], batch)[0]
        leaf = batch.tree.leaf(index)
        upheld = judge.verdict(batch.id, index, leaf, Ruling.UPHELD, [0, 1])

        with reverts("LeafNotRejected", leafIndex=index, ruling=Ruling.UPHELD.name):
            convict(committee, judge, batch, *signed, evidence=upheld)
        assert committee.stakes() == KEPT

    def test_undecided__reverts(
        self, chain: Chain, network_owner: bytes, operator: bytes, resolver: bytes
    ) -> None:
        committee = found(chain, 1, 1, arbiter=resolver)
        network = network_of(chain, network_owner, committee, resolver, salt=6)
        network.join(operator)
        batch = network.commit(operator, count=40)
        audit = committee.audit(batch)
        signatures, index = committee.signed(audit, [0]), drawn_of(audit, batch)[0]

        for ruling in (Ruling.UNDECIDED, Ruling.UPHELD):
            says = int(ruling).to_bytes(32, "big")
            with reverts("LeafNotRejected", ruling=ruling.name):
                committee.convict_on_evidence(batch, audit, signatures, index, says)
        committee.convict_on_evidence(batch, audit, signatures, index, (2).to_bytes(32, "big"))

        assert committee.stakes() == [0]

    def test_leaf_that_was_not_drawn__reverts(
        self, batch: Committed, committee: Committee, judge: Committee, signed: tuple[Any, ...]
    ) -> None:
        spared = spared_of(signed[0], batch)

        with reverts("LeafNotDrawn", batchId=batch.id, leafIndex=spared):
            convict(committee, judge, batch, *signed, index=spared)

    def test_signed_by_too_few_judges__reverts(
        self, batch: Committed, committee: Committee, judge: Committee, signed: tuple[Any, ...]
    ) -> None:
        index = drawn_of(signed[0], batch)[0]
        few = judge.verdict(batch.id, index, batch.tree.leaf(index), Ruling.REJECTED, [0])

        with reverts("TooFewSigners", signers=1, threshold=2):
            convict(committee, judge, batch, *signed, evidence=few)

    def test_evidence_of_another_batch__reverts(
        self,
        chain: Chain,
        judged: Network,
        operator: bytes,
        batch: Committed,
        committee: Committee,
        judge: Committee,
        signed: tuple[Any, ...],
    ) -> None:
        twin = judged.commit(operator, count=40, slot=1, root=batch.batch.root)
        index = drawn_of(signed[0], batch)[0]

        with reverts("SignatureInvalid"):
            convict(committee, judge, batch, *signed, evidence=rejection(judge, twin, index))

    def test_leaf_of_another_tree__reverts(
        self,
        chain: Chain,
        judged: Network,
        operator: bytes,
        batch: Committed,
        committee: Committee,
        judge: Committee,
        signed: tuple[Any, ...],
    ) -> None:
        """A wrong leaf that the operator never put into this batch."""
        other = judged.commit(operator, count=40, slot=1)
        index = drawn_of(signed[0], batch)[0]
        strange = Opening(other.inferences[index], index, other.tree.proof(index))

        with reverts("ProofInvalid", batchId=batch.id, leafIndex=index):
            convict(committee, judge, batch, *signed, opening=strange)

    def test_another_leaf_of_the_tree__reverts(
        self, batch: Committed, committee: Committee, judge: Committee, signed: tuple[Any, ...]
    ) -> None:
        index = drawn_of(signed[0], batch)[0]
        other = (index + 1) % 40
        moved = Opening(batch.inferences[other], index, batch.tree.proof(other))

        with reverts("ProofInvalid", leafIndex=index):
            convict(committee, judge, batch, *signed, opening=moved)

    @pytest.mark.parametrize("proof", [lambda proof: proof[:-1], lambda proof: [*proof, bytes(32)]])
    def test_proof_of_another_length__reverts(
        self,
        batch: Committed,
        committee: Committee,
        judge: Committee,
        signed: tuple[Any, ...],
        proof: Callable[..., Any],
    ) -> None:
        index = drawn_of(signed[0], batch)[0]
        wrong = tuple(proof(list(batch.tree.proof(index))))

        with reverts("ProofInvalid", leafIndex=index):
            opening = Opening(batch.inferences[index], index, wrong)
            convict(committee, judge, batch, *signed, opening=opening)

    @pytest.mark.parametrize("index", [40, 63, 1 << 20])
    def test_place_beyond_the_last__reverts(
        self,
        batch: Committed,
        committee: Committee,
        judge: Committee,
        signed: tuple[Any, ...],
        index: int,
    ) -> None:
        opening = Opening(batch.inferences[0], index, batch.tree.proof(0))

        with reverts("LeafIndexOutOfRange", leafIndex=index, count=40):
            committee.convict_on_evidence(batch, *signed, index, b"", opening=opening)

    def test_fields_of_another_batch__reverts(
        self, batch: Committed, committee: Committee, judge: Committee, signed: tuple[Any, ...]
    ) -> None:
        """The batch that is shown must be the one that was audited, to the bit."""
        smaller = replace(batch, batch=replace(batch.batch, count=39))

        with reverts("StatementMismatch", statedId=batch.id, batchId=smaller.id):
            convict(committee, judge, smaller, *signed, index=drawn_of(signed[0], batch)[0])

    def test_statement_that_the_batch_is_bad__reverts(
        self, batch: Committed, committee: Committee, judge: Committee, signed: tuple[Any, ...]
    ) -> None:
        bad = replace(signed[0], verdict=False)

        with reverts("StatementMismatch", verdict=False):
            convict(committee, judge, batch, bad, committee.signed(bad, [0]))

    def test_nobody_signed__reverts(
        self, batch: Committed, committee: Committee, judge: Committee, signed: tuple[Any, ...]
    ) -> None:
        with reverts("NoStakeToBurn"):
            convict(committee, judge, batch, signed[0], {})

    def test_forged_signature__reverts(
        self, batch: Committed, committee: Committee, judge: Committee, signed: tuple[Any, ...]
    ) -> None:
        audit, signatures = signed

        with reverts("SignatureInvalid", place=1):
            convict(committee, judge, batch, audit, {1: signatures[0]})
        assert committee.stakes() == KEPT

    def test_twice__reverts(
        self, batch: Committed, committee: Committee, judge: Committee, signed: tuple[Any, ...]
    ) -> None:
        convict(committee, judge, batch, *signed)

        with reverts("NoStakeToBurn", batchId=batch.id):
            convict(committee, judge, batch, *signed)


class TestArbiter:
    def test_network_of_the_cheats_own__reverts(
        self,
        chain: Chain,
        network_owner: bytes,
        operator: bytes,
        committee: Committee,
        resolver: bytes,
        judge: Committee,
    ) -> None:
        """It would say Rejected to anything."""
        rogue = network_of(chain, network_owner, committee, resolver, salt=7)
        rogue.join(operator)
        batch = rogue.commit(operator, count=40)
        audit = committee.audit(batch)
        signatures, index = committee.signed(audit, [0, 1]), drawn_of(audit, batch)[0]

        with reverts("ArbiterMismatch", arbiter=resolver, needed=judge.address):
            committee.convict_on_evidence(batch, audit, signatures, index, (2).to_bytes(32, "big"))
        assert committee.stakes() == KEPT

    def test_none__reverts(self, chain: Chain, network_owner: bytes, operator: bytes) -> None:
        committee = found(chain, 1, 1)
        network = network_of(chain, network_owner, committee, bytes(20), salt=8)
        network.join(operator)
        batch = network.commit(operator, count=40)
        audit = committee.audit(batch)
        signatures, index = committee.signed(audit, [0]), drawn_of(audit, batch)[0]

        with reverts("ArbiterMissing", networkId=network.id):
            committee.convict_on_evidence(batch, audit, signatures, index, (2).to_bytes(32, "big"))

    @pytest.mark.parametrize(
        ("mode", "error"),
        [
            (0, "UnknownError"),
            (2, "MalformedAnswer"),
            (3, "MalformedAnswer"),
            (4, "MalformedAnswer"),
        ],
    )
    def test_that_misbehaves__reverts(
        self, chain: Chain, network_owner: bytes, operator: bytes, mode: int, error: str
    ) -> None:
        hostile = chain.deploy("HostileResolver", mode, "0x" + "00" * 20, b"")
        arbiter = bytes.fromhex(hostile.address[2:])
        committee = found(chain, 1, 1, arbiter=arbiter)
        network = network_of(chain, network_owner, committee, arbiter, salt=9)
        network.join(operator)
        batch = network.commit(operator, count=40)
        audit = committee.audit(batch)
        signatures, index = committee.signed(audit, [0]), drawn_of(audit, batch)[0]

        with reverts(error):
            committee.convict_on_evidence(batch, audit, signatures, index, b"")
        assert committee.stakes() == [MIN_STAKE]

    def test_that_calls_back__changes_nothing(
        self, chain: Chain, network_owner: bytes, operator: bytes
    ) -> None:
        """By a STATICCALL, and under the lock."""
        target = next_but_one(chain)
        hostile = chain.deploy("HostileResolver", 5, target, SWEEP)
        arbiter = bytes.fromhex(hostile.address[2:])
        committee = found(chain, 1, 1, arbiter=arbiter, staked=False)
        assert committee.contract.address == target
        chain.transact(
            chain.accounts[0], committee.contract.functions.stake(0, MIN_STAKE), value=MIN_STAKE
        )
        network = network_of(chain, network_owner, committee, arbiter, salt=9)
        network.join(operator)
        batch = network.commit(operator, count=40)
        audit = committee.audit(batch)
        signatures, index = committee.signed(audit, [0]), drawn_of(audit, batch)[0]

        with reverts("ReentrancyGuardReentrantCall"):
            committee.convict_on_evidence(batch, audit, signatures, index, b"")
        assert committee.stakes() == [MIN_STAKE]
