"""disprove, faultOrder, faultRepeat, faultDeadline: any state before final, no bond

Rules: 11 a leaf, challenge bond 101. A batch of 5: slash 55, reward 27 to the sender, 28 burned.
"""

from dataclasses import replace

import pytest

from tallystick.protocol.batch import ARCHIVE_DELAY, Dispute
from tallystick.protocol.enums import Cause, DisputeKind, Grade, State
from tallystick.protocol.events import BatchChallenged, BatchDemanded, BatchRejected
from tallystick.protocol.inference import Inference
from tests.contracts.committee.acts import Shape
from tests.support.chain import Chain, Mined, reverts
from tests.support.story import CREDIT, STAKE, Committed, Network, conserved, register

UPHELD = (1).to_bytes(32, "big")
REJECTED = (2).to_bytes(32, "big")


def swapped(leaves: list[Inference]) -> list[Inference]:
    return [leaves[1], leaves[0], *leaves[2:]]


def repeating(earlier: Committed) -> Shape:
    """Shape a batch whose last leaf has the key of the earlier batch's first, in order."""

    def shape(leaves: list[Inference]) -> list[Inference]:
        return [*leaves[:-1], replace(leaves[-1], nonce=earlier.inferences[0].nonce)][::-1]

    def first(leaves: list[Inference]) -> list[Inference]:
        return sorted(shape(leaves), key=lambda leaf: leaf.key)

    return first


def disputed(
    chain: Chain, batch: Committed, challenger: bytes, kind: DisputeKind, leaf_index: int = 0
) -> Dispute:
    reference = batch.batch.abi(), batch.stamp.pack()
    if kind is DisputeKind.CHALLENGE:
        event = chain.send(challenger, "challenge", *reference, batch.opening(leaf_index)).event(
            BatchChallenged
        )
        return Dispute(kind, False, challenger, leaf_index, event.due, event.leaf)
    event = chain.send(challenger, "demand", *reference, leaf_index, False).event(BatchDemanded)
    return Dispute(kind, False, challenger, leaf_index, event.due, bytes(32))


class TestDisprove:
    def test_rejected_by_the_arbiter__slashes_without_a_bond(
        self, chain: Chain, network: Network, operator: bytes, stranger: bytes
    ) -> None:
        batch = network.commit(operator)

        event = chain.send(
            stranger, "disprove", batch.pre_image(), batch.opening(3), REJECTED
        ).event(BatchRejected)

        assert (event.cause, event.leaf_index, event.payee) == (Cause.DISPROOF, 3, stranger)
        assert (event.reward, event.burned, event.bond) == (27, 28, 0)
        assert network.credit(stranger) == 27
        assert network.lane(operator).stake == STAKE - 55
        conserved(chain, network)

    def test_archive__tells_why_and_no_grade(
        self, chain: Chain, network: Network, operator: bytes, stranger: bytes
    ) -> None:
        batch = network.commit(operator)
        proof = (int(Grade.AUDITED), UPHELD)
        chain.send(stranger, "attest", batch.batch.abi(), batch.stamp.pack(), *proof)

        chain.send(stranger, "disprove", batch.pre_image(), batch.opening(3), REJECTED)

        found = chain.registry.archived(batch.id)
        assert (found.state, found.cause, found.leaf_index) == (State.REJECTED, Cause.DISPROOF, 3)
        assert (found.grade, found.lapsed) == (Grade.UNCHALLENGED, False)
        assert (found.count, found.committed_at) == (5, batch.stamp.committed_at)

    def test_bond_of_a_single_unit__goes_back(
        self,
        chain: Chain,
        network_owner: bytes,
        operator: bytes,
        challenger: bytes,
        stranger: bytes,
        resolver: bytes,
    ) -> None:
        network = register(chain, network_owner, salt=9, arbiter=resolver, demand_bond=1)
        network.join(operator)
        batch = network.commit(operator)
        dispute = disputed(chain, batch, challenger, DisputeKind.DEMAND)

        chain.send(stranger, "disprove", batch.pre_image(dispute), batch.opening(2), REJECTED)

        assert network.credit(challenger) == CREDIT

    @pytest.mark.parametrize("answer", [bytes(32), UPHELD])
    def test_any_other_ruling__reverts(
        self, chain: Chain, network: Network, operator: bytes, stranger: bytes, answer: bytes
    ) -> None:
        batch = network.commit(operator)

        with reverts("NotDisproved", batchId=batch.id, leafIndex=3):
            chain.send(stranger, "disprove", batch.pre_image(), batch.opening(3), answer)

    def test_without_arbiter__reverts(
        self, chain: Chain, network_owner: bytes, operator: bytes, stranger: bytes
    ) -> None:
        network = register(chain, network_owner, salt=9)
        network.join(operator)
        batch = network.commit(operator)

        with reverts("ArbiterMissing", networkId=network.id):
            chain.send(stranger, "disprove", batch.pre_image(), batch.opening(0), REJECTED)

    def test_proven_batch_past_its_window__is_rejected_all_the_same(
        self, chain: Chain, network: Network, operator: bytes, stranger: bytes
    ) -> None:
        batch = network.commit(operator)
        proof = (int(Grade.PROVEN), UPHELD)
        chain.send(stranger, "attest", batch.batch.abi(), batch.stamp.pack(), *proof)
        chain.at(batch.closes_at + 10).mine()

        chain.send(stranger, "disprove", batch.pre_image(), batch.opening(0), REJECTED)

        assert network.totals().rejected == 5

    def test_final_batch__reverts(
        self, chain: Chain, network: Network, operator: bytes, stranger: bytes
    ) -> None:
        batch = network.final(operator)

        with reverts("StateForbids", state="FINAL"):
            chain.send(stranger, "disprove", batch.pre_image(), batch.opening(0), REJECTED)

    @pytest.mark.parametrize("kind", [DisputeKind.CHALLENGE, DisputeKind.DEMAND])
    def test_disputed_batch__returns_the_pending_bond(
        self,
        chain: Chain,
        network: Network,
        operator: bytes,
        challenger: bytes,
        stranger: bytes,
        kind: DisputeKind,
    ) -> None:
        batch = network.commit(operator)
        dispute = disputed(chain, batch, challenger, kind)

        chain.send(stranger, "disprove", batch.pre_image(dispute), batch.opening(2), REJECTED)

        assert network.credit(challenger) == CREDIT
        assert network.credit(stranger) == 27
        assert network.totals().rejected == 5
        conserved(chain, network)

    def test_challenged_leaf__pays_its_challenger(
        self, chain: Chain, network: Network, operator: bytes, challenger: bytes, stranger: bytes
    ) -> None:
        """The evidence for resolve, copied from the mempool, takes the challenger nothing."""
        batch = network.commit(operator)
        dispute = disputed(chain, batch, challenger, DisputeKind.CHALLENGE, 2)

        for sender in (operator, stranger):
            with chain.isolated():
                before = network.credit(sender)
                mined = chain.send(
                    sender, "disprove", batch.pre_image(dispute), batch.opening(2), REJECTED
                )
                event = mined.event(BatchRejected)
                assert (event.payee, event.bond_owner) == (challenger, challenger)
                assert network.credit(challenger) == CREDIT + 27
                assert network.credit(sender) == before
                conserved(chain, network)

    @pytest.mark.parametrize("kind", [DisputeKind.CHALLENGE, DisputeKind.DEMAND])
    def test_another_leaf_or_a_demanded_one__pays_the_sender(
        self,
        chain: Chain,
        network: Network,
        operator: bytes,
        challenger: bytes,
        stranger: bytes,
        kind: DisputeKind,
    ) -> None:
        batch = network.commit(operator)
        dispute = disputed(chain, batch, challenger, kind, 2)
        leaf_index = 3 if kind is DisputeKind.CHALLENGE else 2

        chain.send(
            stranger, "disprove", batch.pre_image(dispute), batch.opening(leaf_index), REJECTED
        )

        assert (network.credit(challenger), network.credit(stranger)) == (CREDIT, 27)

    def test_rejected_batch__reverts(
        self, chain: Chain, network: Network, operator: bytes, stranger: bytes
    ) -> None:
        batch = network.commit(operator)
        chain.send(stranger, "disprove", batch.pre_image(), batch.opening(3), REJECTED)

        with reverts("StateForbids", state="REJECTED"):
            chain.send(stranger, "disprove", batch.pre_image(), batch.opening(3), REJECTED)


class TestFaultOrder:
    def test_two_out_of_order__rejects(
        self, chain: Chain, network: Network, operator: bytes, stranger: bytes
    ) -> None:
        batch = network.commit(operator, shape=swapped)

        event = chain.send(
            stranger, "faultOrder", batch.pre_image(), batch.opening(0), batch.opening(1)
        ).event(BatchRejected)

        assert (event.cause, event.leaf_index) == (Cause.ORDER, 1)
        conserved(chain, network)

    def test_two_equal_far_apart__rejects(
        self, chain: Chain, network: Network, operator: bytes, stranger: bytes
    ) -> None:
        def shape(leaves: list[Inference]) -> list[Inference]:
            return [*leaves[:-1], replace(leaves[-1], nonce=leaves[0].nonce)]

        batch = network.commit(operator, shape=shape)

        chain.send(stranger, "faultOrder", batch.pre_image(), batch.opening(0), batch.opening(4))

        assert network.totals().rejected == 5

    @pytest.mark.parametrize(("lower", "higher"), [(0, 1), (0, 4), (1, 0), (2, 2)])
    def test_leaves_in_order__reverts(
        self,
        chain: Chain,
        network: Network,
        operator: bytes,
        stranger: bytes,
        lower: int,
        higher: int,
    ) -> None:
        batch = network.commit(operator)

        with reverts("LeavesInOrder", leafIndex=lower, otherLeafIndex=higher):
            openings = batch.opening(lower), batch.opening(higher)
            chain.send(stranger, "faultOrder", batch.pre_image(), *openings)

    def test_greatest_nonce_before_the_next_requesters_least__reverts(
        self, chain: Chain, network: Network, operator: bytes, stranger: bytes
    ) -> None:
        def shape(leaves: list[Inference]) -> list[Inference]:
            lower, higher = bytes(19) + b"\2", bytes(19) + b"\3"
            return [
                replace(leaves[0], requester=lower, nonce=2**64 - 1),
                replace(leaves[1], requester=higher, nonce=0),
                *leaves[2:],
            ]

        batch = network.commit(operator, shape=shape)

        with reverts("LeavesInOrder", leafIndex=0, otherLeafIndex=1):
            openings = batch.opening(0), batch.opening(1)
            chain.send(stranger, "faultOrder", batch.pre_image(), *openings)


class TestFaultRepeat:
    @pytest.fixture
    def earlier(self, network: Network, operator: bytes) -> Committed:
        return network.commit(operator)

    @pytest.fixture
    def later(self, network: Network, operator: bytes, earlier: Committed) -> Committed:
        return network.commit(operator, slot=1, shape=repeating(earlier))

    def prove(
        self,
        chain: Chain,
        sender: bytes,
        later: Committed,
        earlier: Committed,
        dispute: Dispute | None = None,
        place: int = 0,
    ) -> Mined:
        held = earlier.pre_image(dispute) if dispute else earlier.pre_image()
        arguments = later.pre_image(), later.opening(place), held, earlier.opening(0)
        return chain.send(sender, "faultRepeat", *arguments)

    def test_key_of_an_earlier_batch__rejects_the_later(
        self, chain: Chain, network: Network, earlier: Committed, later: Committed, stranger: bytes
    ) -> None:
        event = self.prove(chain, stranger, later, earlier).event(BatchRejected)

        assert (event.batch_id, event.cause) == (later.id, Cause.REPEAT)
        assert earlier.status().state is State.OPEN
        conserved(chain, network)

    def test_earlier_is_disputed__rejects_the_later(
        self,
        chain: Chain,
        network: Network,
        earlier: Committed,
        later: Committed,
        challenger: bytes,
    ) -> None:
        dispute = disputed(chain, earlier, challenger, DisputeKind.DEMAND)

        self.prove(chain, challenger, later, earlier, dispute)

        assert network.totals().rejected == 5

    def test_earlier_is_final__rejects_the_later(
        self, chain: Chain, network: Network, operator: bytes, earlier: Committed, stranger: bytes
    ) -> None:
        chain.at(earlier.closes_at)
        chain.send(stranger, "finalize", [earlier.ref], network.id, operator)
        later = network.commit(operator, slot=1, shape=repeating(earlier))

        self.prove(chain, stranger, later, earlier)

        assert network.totals().rejected == 5

    def test_batch_of_another_network__reverts(
        self, chain: Chain, network: Network, network_owner: bytes, operator: bytes, stranger: bytes
    ) -> None:
        other = register(chain, network_owner, salt=9)
        other.join(operator)
        foreign = other.commit(operator)
        network.commit(operator)
        later = network.commit(operator, slot=1, shape=repeating(foreign))

        with reverts("RepeatNotEarlier", earlierId=foreign.id, batchId=later.id):
            self.prove(chain, stranger, later, foreign)

    def test_earlier_was_rejected__reverts(
        self, chain: Chain, earlier: Committed, later: Committed, stranger: bytes
    ) -> None:
        chain.send(stranger, "disprove", earlier.pre_image(), earlier.opening(3), REJECTED)

        with reverts("StateForbids", batchId=earlier.id, state="REJECTED"):
            self.prove(chain, stranger, later, earlier)

    def test_earliers_slot_is_taken_over__reverts(
        self, chain: Chain, network: Network, operator: bytes, earlier: Committed, stranger: bytes
    ) -> None:
        chain.at(earlier.closes_at + ARCHIVE_DELAY).mine()
        network.commit(operator, over=earlier)
        later = network.commit(operator, slot=1, shape=repeating(earlier))

        with reverts("PreImageMismatch", batchId=earlier.id):
            self.prove(chain, stranger, later, earlier)

    def test_arguments_swapped__reverts(
        self, chain: Chain, earlier: Committed, later: Committed, stranger: bytes
    ) -> None:
        with reverts("RepeatNotEarlier", earlierId=later.id, batchId=earlier.id):
            self.prove(chain, stranger, earlier, later)

    def test_the_same_batch_twice__reverts(
        self, chain: Chain, earlier: Committed, stranger: bytes
    ) -> None:
        with reverts("RepeatNotEarlier"):
            self.prove(chain, stranger, earlier, earlier)

    def test_other_keys__reverts(
        self, chain: Chain, earlier: Committed, later: Committed, stranger: bytes
    ) -> None:
        with reverts("LeavesNotRepeated", earlierId=earlier.id, batchId=later.id):
            self.prove(chain, stranger, later, earlier, place=1)

    def test_batch_of_another_operator__reverts(
        self,
        chain: Chain,
        network: Network,
        earlier: Committed,
        other_operator: bytes,
        stranger: bytes,
    ) -> None:
        network.join(other_operator)
        network.commit(other_operator, slot=5)
        other = network.commit(other_operator, shape=repeating(earlier))

        with reverts("RepeatNotEarlier"):
            self.prove(chain, stranger, other, earlier)


class TestFaultDeadline:
    def shaped(self, deadline: int) -> Shape:
        return lambda leaves: [*leaves[:-1], replace(leaves[-1], deadline=deadline)]

    @pytest.mark.parametrize("off", ["before", "after"])
    def test_outside_the_bounds__rejects(
        self, chain: Chain, network: Network, operator: bytes, stranger: bytes, off: str
    ) -> None:
        at = chain.now + 100
        latest = at + network.rules.challenge_window // 2
        deadline = at - 1 if off == "before" else latest + 1
        chain.at(at)
        batch = network.commit(operator, shape=self.shaped(deadline), commitDeadline=at + 50)

        event = chain.send(stranger, "faultDeadline", batch.pre_image(), batch.opening(4)).event(
            BatchRejected
        )

        assert (event.cause, event.leaf_index) == (Cause.DEADLINE, 4)

    @pytest.mark.parametrize("at_bound", ["earliest", "latest"])
    def test_at_a_bound__reverts(
        self, chain: Chain, network: Network, operator: bytes, stranger: bytes, at_bound: str
    ) -> None:
        at = chain.now + 100
        latest = at + network.rules.challenge_window // 2
        deadline = at if at_bound == "earliest" else latest
        chain.at(at)
        batch = network.commit(operator, shape=self.shaped(deadline))

        with reverts("DeadlineInRange", deadline=deadline, earliest=at, latest=latest):
            chain.send(stranger, "faultDeadline", batch.pre_image(), batch.opening(4))
