"""challenge, demand, reveal, timeout, resolve, lapse: who may, when, and who is paid

The rules here: challenge bond 101, demand bond 33, 11 a leaf, a batch of 5: slash 55, reward 27.
"""

from dataclasses import replace
from typing import Any

import pytest

from tallystick.protocol.batch import Dispute, PreImage
from tallystick.protocol.enums import Cause, DisputeKind, Grade, State
from tallystick.protocol.events import (
    BatchChallenged,
    BatchDemanded,
    BatchRejected,
    BytesRevealed,
    ChallengeLapsed,
    ChallengeUpheld,
    LeafRevealed,
)
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tests.support.chain import Chain, Mined, reverts
from tests.support.story import CREDIT, HOUR, KEY_OF, STAKE, Committed, Network, conserved, register

UPHELD = (1).to_bytes(32, "big")
REJECTED = (2).to_bytes(32, "big")
UNDECIDED = bytes(32)


def challenged(chain: Chain, batch: Committed, challenger: bytes, index: int = 0) -> Dispute:
    """Challenge a leaf; returns the dispute."""
    mined = chain.send(
        challenger, "challenge", batch.batch.abi(), batch.stamp.pack(), batch.opening(index)
    )
    event = mined.event(BatchChallenged)
    return Dispute(
        DisputeKind.CHALLENGE, False, event.challenger, event.leaf_index, event.due, event.leaf
    )


def demanded(
    chain: Chain, batch: Committed, demander: bytes, index: int = 0, with_bytes: bool = False
) -> Dispute:
    """Demand a leaf; returns the dispute."""
    mined = chain.send(demander, "demand", batch.batch.abi(), batch.stamp.pack(), index, with_bytes)
    event = mined.event(BatchDemanded)
    return Dispute(
        DisputeKind.DEMAND, event.with_bytes, event.demander, event.leaf_index, event.due, bytes(32)
    )


def revealed(
    chain: Chain,
    batch: Committed,
    dispute: Dispute,
    sender: bytes,
    index: int | None = None,
    signature: bytes | None = None,
    bytes_: tuple[Any, ...] = (b"", b""),
) -> Mined:
    place = dispute.leaf_index if index is None else index
    if signature is None:
        signature = batch.signature(place)
    return chain.send(
        sender, "reveal", batch.pre_image(dispute), batch.opening(place), signature, *bytes_
    )


def resolved(
    chain: Chain, batch: Committed, dispute: Dispute, sender: bytes, evidence: bytes
) -> Mined:
    leaf = batch.inferences[dispute.leaf_index].abi_leaf()
    return chain.send(sender, "resolve", batch.pre_image(dispute), leaf, evidence)


@pytest.fixture
def batch(network: Network, operator: bytes) -> Committed:
    return network.commit(operator, count=5)


class TestChallenge:
    def test_open_batch__takes_the_bond_and_seals_the_dispute(
        self, chain: Chain, network: Network, batch: Committed, challenger: bytes
    ) -> None:
        dispute = challenged(chain, batch, challenger, index=4)

        assert dispute.leaf == batch.tree.leaf(4)
        assert dispute.due == chain.now + network.rules.ruling_window
        assert network.credit(challenger) == CREDIT - 101
        held = PreImage(batch.batch, batch.stamp, dispute)
        assert batch.word() == held.word(State.DISPUTED)
        assert chain.registry.state_of(held) is State.DISPUTED
        conserved(chain, network)

    def test_last_second_before_closes_at__is_taken(
        self, chain: Chain, batch: Committed, challenger: bytes
    ) -> None:
        chain.at(batch.closes_at - 1)

        assert challenged(chain, batch, challenger).kind is DisputeKind.CHALLENGE

    def test_at_closes_at__reverts(self, chain: Chain, batch: Committed, challenger: bytes) -> None:
        chain.at(batch.closes_at)
        with reverts("TooLate", timestamp=batch.closes_at, until=batch.closes_at - 1):
            challenged(chain, batch, challenger)

    def test_without_arbiter__reverts(
        self, chain: Chain, network_owner: bytes, operator: bytes, challenger: bytes
    ) -> None:
        network = register(chain, network_owner, salt=9)
        network.join(operator)
        batch = network.commit(operator)

        with reverts("ArbiterMissing", networkId=network.id):
            challenged(chain, batch, challenger)

    def test_proven_batch__reverts(self, chain: Chain, batch: Committed, challenger: bytes) -> None:
        proof = (int(Grade.PROVEN), UPHELD)
        chain.send(challenger, "attest", batch.batch.abi(), batch.stamp.pack(), *proof)

        with reverts("ProvenUnchallengeable", batchId=batch.id):
            challenged(chain, batch, challenger)

    def test_credit_one_unit_short__reverts(
        self, chain: Chain, network: Network, batch: Committed, challenger: bytes
    ) -> None:
        chain.send(challenger, "withdraw", bytes(20), challenger, CREDIT - 100)

        with reverts("InsufficientCredit", credit=100, needed=101):
            challenged(chain, batch, challenger)

    @pytest.mark.parametrize("index", [5, 7])
    def test_index_from_count_on__reverts(
        self, chain: Chain, batch: Committed, challenger: bytes, index: int
    ) -> None:
        leaf, _, proof = batch.opening(4)

        with reverts("LeafIndexOutOfRange", leafIndex=index, count=5):
            opening = (leaf, index, proof)
            chain.send(challenger, "challenge", batch.batch.abi(), batch.stamp.pack(), opening)

    @pytest.mark.parametrize("change", ["short", "long", "other sibling", "other place", "leaf"])
    def test_wrong_proof__reverts(
        self, chain: Chain, batch: Committed, challenger: bytes, change: str
    ) -> None:
        leaf, index, proof = batch.opening(2)
        opening = {
            "short": (leaf, index, proof[:-1]),
            "long": (leaf, index, [*proof, bytes(32)]),
            "other sibling": (leaf, index, [b"x" * 32, *proof[1:]]),
            "other place": (leaf, 3, proof),
            "leaf": ((*leaf[:4], b"x" * 32, leaf[5]), index, proof),
        }[change]

        with reverts("ProofInvalid", batchId=batch.id):
            chain.send(challenger, "challenge", batch.batch.abi(), batch.stamp.pack(), opening)

    @pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 9])
    def test_any_count__first_and_last_leaf_open(
        self, chain: Chain, network: Network, operator: bytes, challenger: bytes, count: int
    ) -> None:
        for slot, index in enumerate({0, count - 1}):
            batch = network.commit(operator, count=count, slot=10 + slot)

            assert challenged(chain, batch, challenger, index).leaf == batch.tree.leaf(index)

    def test_disputed_batch__reverts(
        self, chain: Chain, batch: Committed, challenger: bytes
    ) -> None:
        challenged(chain, batch, challenger)

        with reverts("PreImageMismatch", batchId=batch.id):
            challenged(chain, batch, challenger)

    def test_final_batch__reverts(
        self, chain: Chain, network: Network, operator: bytes, challenger: bytes
    ) -> None:
        batch = network.final(operator, slot=1)

        with reverts("StateForbids", state="FINAL"):
            challenged(chain, batch, challenger)


class TestResolve:
    def test_upheld__odd_bond__half_to_the_operator_and_the_odd_unit_burned(
        self,
        chain: Chain,
        network: Network,
        batch: Committed,
        operator: bytes,
        challenger: bytes,
        stranger: bytes,
    ) -> None:
        dispute = challenged(chain, batch, challenger)

        event = resolved(chain, batch, dispute, stranger, UPHELD).event(ChallengeUpheld)

        assert (event.credited, event.burned) == (50, 51)
        assert network.credit(operator) == CREDIT + 50
        assert network.credit(challenger) == CREDIT - 101
        assert network.totals().burned == 51
        assert network.lane(operator).stake == STAKE
        reopened = replace(batch.stamp, closes_at=event.closes_at)
        assert batch.word() == PreImage(batch.batch, reopened).word(State.OPEN)
        conserved(chain, network)

    def test_rejected__pays_challenger_and_burns_the_rest(
        self,
        chain: Chain,
        network: Network,
        batch: Committed,
        operator: bytes,
        challenger: bytes,
        stranger: bytes,
    ) -> None:
        dispute = challenged(chain, batch, challenger, index=3)

        event = resolved(chain, batch, dispute, stranger, REJECTED).event(BatchRejected)

        assert (event.cause, event.leaf_index, event.count) == (Cause.RULING, 3, 5)
        assert (event.reward, event.burned, event.bond) == (27, 28, 101)
        assert network.credit(challenger) == CREDIT + 27
        assert network.credit(operator) == CREDIT
        lane = network.lane(operator)
        assert (lane.stake, lane.open_inferences) == (STAKE - 55, 0)
        totals = network.totals()
        assert (totals.rejected, totals.burned, totals.open) == (5, 28, 0)
        status = chain.registry.archived(batch.id)
        assert (status.state, status.cause, status.leaf_index) == (State.REJECTED, Cause.RULING, 3)
        conserved(chain, network)

    def test_rejected__large_slash__reward_is_capped_at_16_bonds(
        self,
        chain: Chain,
        network_owner: bytes,
        resolver: bytes,
        operator: bytes,
        challenger: bytes,
    ) -> None:
        rules = {"arbiter": resolver, "challenge_bond": 20, "stake_per_inference": 1000}
        network = register(chain, network_owner, salt=3, **rules)
        network.join(operator)
        batch = network.commit(operator, count=5)
        dispute = challenged(chain, batch, challenger)

        event = resolved(chain, batch, dispute, challenger, REJECTED).event(BatchRejected)

        assert (event.reward, event.burned) == (320, 4680)

    def test_rejected__own_challenge__does_not_pay(
        self, chain: Chain, network: Network, batch: Committed, operator: bytes
    ) -> None:
        dispute = challenged(chain, batch, operator)

        resolved(chain, batch, dispute, operator, REJECTED)

        assert network.credit(operator) + network.lane(operator).stake == CREDIT + STAKE - 28

    def test_undecided__reverts(self, chain: Chain, batch: Committed, challenger: bytes) -> None:
        dispute = challenged(chain, batch, challenger)

        with reverts("NotRuled", batchId=batch.id, leafIndex=0):
            resolved(chain, batch, dispute, challenger, UNDECIDED)

    def test_in_the_due_second__is_taken_and_after_it_reverts(
        self, chain: Chain, batch: Committed, challenger: bytes
    ) -> None:
        dispute = challenged(chain, batch, challenger)

        with chain.isolated():
            chain.at(dispute.due)
            resolved(chain, batch, dispute, challenger, UPHELD)
        chain.at(dispute.due + 1)
        with reverts("TooLate", timestamp=dispute.due + 1, until=dispute.due):
            resolved(chain, batch, dispute, challenger, UPHELD)

    def test_another_leaf__reverts(self, chain: Chain, batch: Committed, challenger: bytes) -> None:
        dispute = challenged(chain, batch, challenger)

        with reverts("LeafNotDisputed", leafIndex=0):
            leaf = batch.inferences[1].abi_leaf()
            chain.send(challenger, "resolve", batch.pre_image(dispute), leaf, REJECTED)

    def test_a_demand__reverts(self, chain: Chain, batch: Committed, challenger: bytes) -> None:
        dispute = demanded(chain, batch, challenger)

        with reverts("DisputeKindMismatch", kind="DEMAND", needed="CHALLENGE"):
            resolved(chain, batch, dispute, challenger, REJECTED)

    def test_an_open_batch__reverts(
        self, chain: Chain, batch: Committed, challenger: bytes
    ) -> None:
        with reverts("StateForbids", state="OPEN"):
            leaf = batch.inferences[0].abi_leaf()
            chain.send(challenger, "resolve", batch.pre_image(), leaf, REJECTED)

    @pytest.mark.parametrize("left", [3 * HOUR, HOUR // 2])
    def test_upheld__time_left__is_what_was_left_or_the_response_window(
        self, chain: Chain, network: Network, batch: Committed, challenger: bytes, left: int
    ) -> None:
        chain.at(batch.closes_at - left)
        dispute = challenged(chain, batch, challenger)
        chain.at(dispute.due)

        event = resolved(chain, batch, dispute, challenger, UPHELD).event(ChallengeUpheld)

        assert event.closes_at == dispute.due + max(left, network.rules.response_window)


class TestLapse:
    def test_in_the_due_second__reverts(
        self, chain: Chain, batch: Committed, challenger: bytes
    ) -> None:
        dispute = challenged(chain, batch, challenger)

        chain.at(dispute.due)
        with reverts("TooEarly", timestamp=dispute.due, from_=dispute.due + 1):
            chain.send(challenger, "lapse", batch.pre_image(dispute))

    @pytest.mark.parametrize("attested", ["before", "after", "never"])
    def test_after_due__counts_as_unresolved_whatever_the_grade(
        self,
        chain: Chain,
        network: Network,
        batch: Committed,
        operator: bytes,
        challenger: bytes,
        stranger: bytes,
        attested: str,
    ) -> None:
        audit = (int(Grade.AUDITED), UPHELD)
        if attested == "before":
            chain.send(stranger, "attest", batch.batch.abi(), batch.stamp.pack(), *audit)
        dispute = challenged(chain, batch, challenger)
        chain.at(dispute.due + 1)

        mined = chain.send(stranger, "lapse", batch.pre_image(dispute))
        event = mined.event(ChallengeLapsed)
        stamp = replace(batch.stamp, closes_at=event.closes_at)
        if attested == "after":
            chain.send(stranger, "attest", batch.batch.abi(), stamp.pack(), *audit)
        assert network.lane(operator).open_inferences == 5
        chain.at(event.closes_at)
        chain.send(stranger, "finalize", [(batch.id, stamp.pack())], network.id, operator)

        assert (event.returned, event.burned) == (50, 51)
        assert network.credit(challenger) == CREDIT - 51
        totals = network.totals()
        assert (totals.unresolved, totals.verified, totals.burned) == (5, 0, 51)
        status = chain.registry.status(network.id, operator, batch.id, stamp)
        assert (status.state, status.grade, status.lapsed) == (
            State.FINAL,
            Grade.UNCHALLENGED,
            True,
        )
        conserved(chain, network)


class TestDemand:
    def test_open_batch__takes_the_bond(
        self, chain: Chain, network: Network, batch: Committed, challenger: bytes
    ) -> None:
        dispute = demanded(chain, batch, challenger, index=4, with_bytes=True)

        assert dispute.due == chain.now + network.rules.response_window
        assert network.credit(challenger) == CREDIT - 33
        held = PreImage(batch.batch, batch.stamp, dispute)
        assert batch.word() == held.word(State.DISPUTED)

    @pytest.mark.parametrize("index", [5, 7])
    def test_index_from_count_on__reverts(
        self, chain: Chain, batch: Committed, challenger: bytes, index: int
    ) -> None:
        with reverts("LeafIndexOutOfRange", leafIndex=index, count=5):
            demanded(chain, batch, challenger, index=index)

    def test_bytes_where_one_is_to_be_had__is_taken(
        self, chain: Chain, network_owner: bytes, operator: bytes, challenger: bytes
    ) -> None:
        network = register(chain, network_owner, salt=9, max_bytes=1)
        network.join(operator)
        batch = network.commit(operator)

        assert demanded(chain, batch, challenger, with_bytes=True).with_bytes is True

    def test_bytes_where_none_are_to_be_had__reverts(
        self, chain: Chain, network_owner: bytes, operator: bytes, challenger: bytes
    ) -> None:
        network = register(chain, network_owner, salt=9, max_bytes=0)
        network.join(operator)
        batch = network.commit(operator)

        with reverts("BytesNotDemandable", networkId=network.id):
            demanded(chain, batch, challenger, with_bytes=True)

    def test_at_closes_at__reverts(self, chain: Chain, batch: Committed, challenger: bytes) -> None:
        chain.at(batch.closes_at)
        with reverts("TooLate", timestamp=batch.closes_at, until=batch.closes_at - 1):
            demanded(chain, batch, challenger)


class TestReveal:
    def test_by_anyone__credits_the_operator_and_opens_again(
        self,
        chain: Chain,
        network: Network,
        batch: Committed,
        operator: bytes,
        challenger: bytes,
        stranger: bytes,
    ) -> None:
        dispute = demanded(chain, batch, challenger, index=2)

        event = revealed(chain, batch, dispute, stranger).event(LeafRevealed)

        assert (event.leaf, event.bond) == (batch.inferences[2].abi_leaf(), 33)
        assert list(event.proof) == batch.opening(2)[2]
        assert network.credit(operator) == CREDIT + 33
        reopened = replace(batch.stamp, closes_at=event.closes_at)
        assert batch.word() == PreImage(batch.batch, reopened).word(State.OPEN)
        conserved(chain, network)

    def test_in_the_due_second__is_taken_and_after_it_reverts(
        self, chain: Chain, batch: Committed, challenger: bytes
    ) -> None:
        dispute = demanded(chain, batch, challenger)

        with chain.isolated():
            chain.at(dispute.due)
            revealed(chain, batch, dispute, challenger)
        chain.at(dispute.due + 1)
        with reverts("TooLate", until=dispute.due):
            revealed(chain, batch, dispute, challenger)

    def test_another_leaf__reverts(self, chain: Chain, batch: Committed, challenger: bytes) -> None:
        dispute = demanded(chain, batch, challenger, index=2)

        with reverts("LeafNotDisputed", leafIndex=3):
            revealed(chain, batch, dispute, challenger, index=3)

    def test_a_challenge__reverts(self, chain: Chain, batch: Committed, challenger: bytes) -> None:
        dispute = challenged(chain, batch, challenger)

        with reverts("DisputeKindMismatch", kind="CHALLENGE", needed="DEMAND"):
            revealed(chain, batch, dispute, challenger)

    def test_solicited_leaf__with_its_requesters_signature__is_taken(
        self, chain: Chain, network: Network, operator: bytes, challenger: bytes
    ) -> None:
        batch = network.commit(operator, slot=1, solicited=True)
        dispute = demanded(chain, batch, challenger)

        assert revealed(chain, batch, dispute, challenger).event(LeafRevealed).leaf_index == 0

    @pytest.mark.parametrize("flaw", ["none", "other signer", "high s", "v", "other request"])
    def test_solicited_leaf__without_a_good_signature__reverts(
        self, chain: Chain, network: Network, operator: bytes, challenger: bytes, flaw: str
    ) -> None:
        batch = network.commit(operator, slot=1, solicited=True)
        dispute = demanded(chain, batch, challenger)
        good = batch.signature(0)
        request, domain = batch.inferences[0].request(), chain.registry.domain
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        s = order - int.from_bytes(good[32:64], "big")
        other = next(account for account in KEY_OF if account != request.requester)
        signature = {
            "none": b"",
            "other signer": replace(request, requester=other).sign(domain, KEY_OF[other]),
            "high s": good[:32] + s.to_bytes(32, "big") + bytes([55 - good[64]]),
            "v": good[:64] + bytes([good[64] - 27]),
            "other request": batch.signature(1),
        }[flaw]

        with reverts("RequestNotSigned", requester=request.requester):
            revealed(chain, batch, dispute, challenger, signature=signature)

    def test_unsolicited_leaf__with_another_nonce_than_its_place__reverts(
        self, chain: Chain, network: Network, operator: bytes, challenger: bytes
    ) -> None:
        def shape(leaves: list[Inference]) -> list[Inference]:
            return [*leaves[:-1], replace(leaves[-1], nonce=leaves[-1].nonce + 1)]

        batch = network.commit(operator, slot=1, shape=shape)
        dispute = demanded(chain, batch, challenger, index=4)

        with reverts("UnsolicitedLeaf", nonce=5, needed=4):
            revealed(chain, batch, dispute, challenger)

    def test_unsolicited_leaf__in_a_solicited_network__reverts(
        self, chain: Chain, network_owner: bytes, operator: bytes, challenger: bytes
    ) -> None:
        network = register(chain, network_owner, salt=9, solicited=True)
        network.join(operator)
        batch = network.commit(operator)
        dispute = demanded(chain, batch, challenger)

        with reverts("UnsolicitedLeaf", leaf=batch.tree.leaf(0), nonce=0, needed=0):
            revealed(chain, batch, dispute, challenger)

    def test_without_bytes__tells_none(
        self, chain: Chain, batch: Committed, challenger: bytes
    ) -> None:
        dispute = demanded(chain, batch, challenger)

        mined = revealed(chain, batch, dispute, challenger, bytes_=(b"in 0", b"out 0"))

        assert not [event for event in mined.events if isinstance(event, BytesRevealed)]

    def test_with_bytes__right_ones__are_taken_and_told(
        self, chain: Chain, batch: Committed, challenger: bytes
    ) -> None:
        dispute = demanded(chain, batch, challenger, index=1, with_bytes=True)

        mined = revealed(chain, batch, dispute, challenger, bytes_=(b"in 1", b"out 1"))

        event = mined.event(BytesRevealed)
        assert (event.batch_id, event.leaf_index) == (batch.id, 1)
        assert (event.input, event.output) == (b"in 1", b"out 1")

    @pytest.mark.parametrize("bytes_", [(b"in 2", b"out 1"), (b"in 1", b""), (b"", b"")])
    def test_with_bytes__other_ones__reverts(
        self, chain: Chain, batch: Committed, challenger: bytes, bytes_: tuple[Any, ...]
    ) -> None:
        dispute = demanded(chain, batch, challenger, index=1, with_bytes=True)

        inputs, outputs = map(keccak256, bytes_)
        with reverts("BytesMismatch", inputHash=inputs, outputHash=outputs):
            revealed(chain, batch, dispute, challenger, bytes_=bytes_)

    def test_with_bytes__one_more_than_the_rules_allow__reverts(
        self, chain: Chain, batch: Committed, challenger: bytes
    ) -> None:
        dispute = demanded(chain, batch, challenger, index=1, with_bytes=True)

        with reverts("TooManyBytes", length=65, highest=64):
            revealed(chain, batch, dispute, challenger, bytes_=(bytes(60), bytes(5)))


class TestTimeout:
    def test_in_the_due_second__reverts(
        self, chain: Chain, batch: Committed, challenger: bytes
    ) -> None:
        dispute = demanded(chain, batch, challenger)

        chain.at(dispute.due)
        with reverts("TooEarly", timestamp=dispute.due, from_=dispute.due + 1):
            chain.send(challenger, "timeout", batch.pre_image(dispute))

    def test_after_due__rejects_and_pays_the_demander(
        self,
        chain: Chain,
        network: Network,
        batch: Committed,
        operator: bytes,
        challenger: bytes,
        stranger: bytes,
    ) -> None:
        dispute = demanded(chain, batch, challenger, index=1)
        chain.at(dispute.due + 1)

        event = chain.send(stranger, "timeout", batch.pre_image(dispute)).event(BatchRejected)

        assert (event.cause, event.payee, event.bond) == (Cause.TIMEOUT, challenger, 33)
        assert network.credit(challenger) == CREDIT + 27
        assert network.lane(operator).stake == STAKE - 55
        assert batch.status().leaf_index == 1
        conserved(chain, network)

    def test_a_challenge__reverts(self, chain: Chain, batch: Committed, challenger: bytes) -> None:
        dispute = challenged(chain, batch, challenger)

        chain.at(dispute.due + 1)
        with reverts("DisputeKindMismatch", kind="CHALLENGE", needed="DEMAND"):
            chain.send(challenger, "timeout", batch.pre_image(dispute))
