"""Committee.convict: what the core has archived burns the signers' stake, or does not.

ruling and disproof: drawn or not | order: drawn or not, planted by the cheat | deadline: of the
same commit only | repeat, timeout, nothing at all: nobody
whose: who left since | who is gone | who staked again | below the threshold | forged
where: another network's batch | another arbiter | unknown network
"""

from dataclasses import replace

import pytest

from tallystick.batch import Dispute
from tallystick.draw import draw
from tallystick.enums import Cause, DisputeKind, Grade, Ruling
from tallystick.events import BatchChallenged
from tests.contracts.committee.acts import (
    attest,
    disprove,
    drawn_of,
    fault_deadline,
    fault_order,
    late,
    network_of,
    rejection,
    spared_of,
    swapped,
    time_out,
)
from tests.support.chain import reverts
from tests.support.committee import EXIT_DELAY, KEYS, MIN_STAKE, found
from tests.support.keys import KINDS, held
from tests.support.story import RULES

BURN = bytes.fromhex("000000000000000000000000000000000000dead")
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def audited(chain, batch, panel, members=(0, 2)):
    """An audit, its signatures, and the batch attested by them."""
    audit = panel.audit(batch)
    signatures = panel.signed(audit, members)
    attest(chain, batch, audit.evidence(signatures))
    assert batch.status().grade is Grade.AUDITED
    return audit, signatures


def test_disproof_of_a_drawn_leaf__burns_every_signers_stake(chain, batch, panel, judge):
    audit, signatures = audited(chain, batch, panel)
    disprove(chain, batch, judge, drawn_of(audit, batch)[0])
    before = chain.balance(bytes(20), BURN)

    panel.convict(batch, audit, signatures)
    chain.transact(chain.accounts[9], panel.contract.functions.sweep())

    assert panel.stakes() == [0, MIN_STAKE, 0]
    assert panel.active() == 0b010
    assert chain.balance(bytes(20), BURN) - before == 2 * MIN_STAKE


def test_ruling_on_a_drawn_leaf__burns_every_signers_stake(chain, batch, panel, judge, challenger):
    audit, signatures = audited(chain, batch, panel)
    index = drawn_of(audit, batch)[0]
    asked = chain.send(
        challenger, "challenge", batch.batch.abi(), batch.stamp.pack(), batch.opening(index)
    ).event(BatchChallenged)
    dispute = Dispute(DisputeKind.CHALLENGE, False, challenger, index, asked.due, asked.leaf)
    leaf, evidence = batch.inferences[index].abi_leaf(), rejection(judge, batch, index)
    chain.send(challenger, "resolve", batch.pre_image(dispute), leaf, evidence)

    panel.convict(batch, audit, signatures)

    assert panel.stakes() == [0, MIN_STAKE, 0]


def test_leaf_that_was_not_drawn__reverts(chain, batch, panel, judge):
    audit, signatures = audited(chain, batch, panel)
    spared = spared_of(audit, batch)
    disprove(chain, batch, judge, spared)

    with reverts("LeafNotDrawn", batchId=batch.id, leafIndex=spared):
        panel.convict(batch, audit, signatures)


def test_any_leaf_of_a_batch_smaller_than_the_draw__is_drawn(chain, judged, operator, panel, judge):
    batch = judged.commit(operator, count=2)
    audit, signatures = audited(chain, batch, panel)
    disprove(chain, batch, judge, 1)

    panel.convict(batch, audit, signatures)

    assert panel.stakes() == [0, MIN_STAKE, 0]


class TestOrder:
    """Signers stated that leaves are in order: a fault planted there spares nobody."""

    @pytest.mark.parametrize("is_drawn", [True, False])
    def test_drawn_or_not__burns_every_signers_stake(
        self, chain, judged, operator, panel, is_drawn
    ):
        def pairs(leaves):
            return [leaves[place ^ 1] for place in range(40)]

        batch = judged.commit(operator, count=40, shape=pairs)
        audit, signatures = audited(chain, batch, panel)
        drawn = set(drawn_of(audit, batch))
        first = next(
            place for place in range(0, 40, 2) if bool({place, place + 1} & drawn) == is_drawn
        )
        fault_order(batch, first, first + 1)
        status = chain.registry.archived(batch.id)
        assert status.cause is Cause.ORDER and (is_drawn or status.leaf_index not in drawn)

        panel.convict(batch, audit, signatures)

        assert panel.stakes() == [0, MIN_STAKE, 0]

    def test_equal_leaves__burn_every_signers_stake(self, chain, judged, operator, panel):
        def twins(leaves):
            return [*leaves[:-1], leaves[-2]]

        batch = judged.commit(operator, count=40, shape=twins)
        audit, signatures = audited(chain, batch, panel)
        fault_order(batch, 38, 39)

        panel.convict(batch, audit, signatures)

        assert panel.stakes() == [0, MIN_STAKE, 0]

    def test_fork_with_another_commit__burns_all_the_same(self, chain, judged, operator, panel):
        """Order does not hang on when the batch was committed."""
        batch = judged.commit(operator, count=40, shape=swapped(7))
        audit = replace(panel.audit(batch), committed_at=batch.stamp.committed_at - 5)
        fault_order(batch, 7, 8)

        panel.convict(batch, audit, panel.signed(audit, [0]))

        assert panel.stakes() == [0, MIN_STAKE, MIN_STAKE]


class TestDeadline:
    def test_of_the_same_commit__burns_every_signers_stake(self, chain, judged, operator, panel):
        """The planted fault: fired by the cheat itself in front of the ruling."""
        batch = judged.commit(operator, count=40, shape=late)
        audit, signatures = audited(chain, batch, panel)
        fault_deadline(batch, 39)
        status = chain.registry.archived(batch.id)
        assert (status.cause, status.committed_at) == (Cause.DEADLINE, batch.stamp.committed_at)

        panel.convict(batch, audit, signatures)

        assert panel.stakes() == [0, MIN_STAKE, 0]

    @pytest.mark.parametrize("apart", [-1, 1])
    def test_of_a_dead_forks_commit__reverts(self, chain, judged, operator, panel, apart):
        """There the deadline was right; the signature is good for ever, and convicts nobody."""
        batch = judged.commit(operator, count=40, shape=late)
        there = replace(panel.audit(batch), committed_at=batch.stamp.committed_at + apart)
        fault_deadline(batch, 39)

        with reverts("CommitTimeMismatch", needed=batch.stamp.committed_at):
            panel.convict(batch, there, panel.signed(there, [0]))

    def test_fork_that_the_chain_left__convicts_nobody(self, chain, judged, operator, panel):
        """Really reorganised: the same batch, committed an hour later, breaks its deadline."""
        longest = RULES.challenge_window // 2

        def tight(leaves):
            return [replace(leaf, deadline=chain.now + 90 + longest) for leaf in leaves]

        with chain.isolated():
            chain.at(chain.now + 100)
            there = judged.commit(operator, count=40, shape=tight)
            audit = panel.audit(there)
            signatures = panel.signed(audit, [0, 1])
            with reverts("DeadlineInRange"):
                fault_deadline(there, 0)
        # Sooner, so that the deadline is too far off now.
        here = judged.commit(operator, count=40, shape=lambda _: there.inferences)
        assert here.id == there.id and here.stamp.committed_at < there.stamp.committed_at
        fault_deadline(here, 0)

        with reverts("CommitTimeMismatch"):
            panel.convict(here, audit, signatures)
        assert panel.stakes() == [MIN_STAKE] * 3


class TestNobody:
    def test_repeat__reverts(self, chain, judged, operator, panel):
        first = judged.commit(operator, count=40)
        again = judged.commit(operator, count=40, slot=1, shape=lambda _: first.inferences)
        audit, signatures = audited(chain, again, panel)
        chain.send(
            chain.accounts[9],
            "faultRepeat",
            *[again.pre_image(), again.opening(3), first.pre_image(), first.opening(3)],
        )

        with reverts("BatchNotConvicted", batchId=again.id, cause=Cause.REPEAT.name):
            panel.convict(again, audit, signatures)

    def test_timeout__reverts(self, chain, batch, panel, challenger):
        audit, signatures = audited(chain, batch, panel)
        time_out(batch, challenger)

        with reverts("BatchNotConvicted", batchId=batch.id, cause=Cause.TIMEOUT.name):
            panel.convict(batch, audit, signatures)

    def test_open_batch__reverts(self, chain, batch, panel):
        audit, signatures = audited(chain, batch, panel)

        with reverts("BatchNotConvicted", batchId=batch.id, cause=Cause.NONE.name):
            panel.convict(batch, audit, signatures)

    def test_final_batch__reverts(self, chain, judged, operator, batch, panel):
        audit, signatures = audited(chain, batch, panel)
        chain.at(batch.closes_at)
        chain.send(operator, "finalize", [batch.ref], judged.id, operator)
        chain.send(operator, "archive", judged.id, operator, batch.ref)

        with reverts("BatchNotConvicted", batchId=batch.id, cause=Cause.NONE.name):
            panel.convict(batch, audit, signatures)

    def test_statement_that_the_batch_is_bad__reverts(self, chain, batch, panel, judge):
        audit, _ = audited(chain, batch, panel)
        bad = replace(audit, verdict=False)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        with reverts("StatementMismatch", verdict=False):
            panel.convict(batch, bad, panel.signed(bad, [0, 1]))


class TestWhere:
    def test_statement_of_another_batch__reverts(
        self, chain, judged, operator, batch, panel, judge
    ):
        twin = judged.commit(operator, count=40, slot=1, root=batch.batch.root)
        audit, signatures = audited(chain, twin, panel)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        with reverts("StatementMismatch", statedId=twin.id, batchId=batch.id):
            panel.convict(batch, audit, signatures)

    @pytest.mark.parametrize("by", ["ruling", "order"])
    def test_network_of_the_cheats_own_arbiter__reverts(
        self, chain, network_owner, operator, panel, resolver, judge, by
    ):
        """Its owner would have honest members burned who signed before they looked."""
        rogue = network_of(chain, network_owner, panel, resolver, salt=7)
        rogue.join(operator)
        shape = swapped(3) if by == "order" else None
        batch = rogue.commit(operator, count=40, **({"shape": shape} if shape else {}))
        audit = panel.audit(batch)
        signatures = panel.signed(audit, [0, 1])
        if by == "order":
            fault_order(batch, 3, 4)
        else:
            index = drawn_of(audit, batch)[0]
            yes = (2).to_bytes(32, "big")
            chain.send(operator, "disprove", batch.pre_image(), batch.opening(index), yes)

        with reverts("ArbiterMismatch", arbiter=resolver, needed=judge.address):
            panel.convict(batch, audit, signatures)
        assert panel.stakes() == [MIN_STAKE] * 3

    def test_unknown_network__reverts(self, batch, panel):
        strange = replace(batch, batch=replace(batch.batch, network_id=b"x" * 32))
        audit = replace(panel.audit(batch), batch_id=strange.id)

        with reverts("NetworkNotFound", networkId=b"x" * 32):
            panel.convict(strange, audit, panel.signed(audit, [0]))


class TestWhose:
    def test_twice__reverts(self, chain, batch, panel, judge):
        audit, signatures = audited(chain, batch, panel)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])
        panel.convict(batch, audit, signatures)

        with reverts("NoStakeToBurn", batchId=batch.id):
            panel.convict(batch, audit, signatures)

    def test_who_left_since__loses_its_stake_too(self, chain, batch, panel, judge):
        audit, signatures = audited(chain, batch, panel)
        chain.transact(chain.accounts[2], panel.contract.functions.requestExit(2))
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        panel.convict(batch, audit, signatures)

        assert panel.stakes() == [0, MIN_STAKE, 0]

    def test_who_left_and_was_convicted__is_paid_nothing(self, chain, batch, panel, judge):
        audit, signatures = audited(chain, batch, panel)
        left = chain.transact(chain.accounts[2], panel.contract.functions.requestExit(2))
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])
        panel.convict(batch, audit, signatures)
        before = chain.balance(bytes(20), panel.address)

        chain.at(left.timestamp + EXIT_DELAY)
        chain.transact(chain.accounts[9], panel.contract.functions.payOut(2))

        assert chain.balance(bytes(20), panel.address) == before == 3 * MIN_STAKE

    def test_who_is_gone__is_passed_over(self, chain, batch, panel, judge):
        audit, signatures = audited(chain, batch, panel)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])
        left = chain.transact(chain.accounts[2], panel.contract.functions.requestExit(2))
        chain.at(left.timestamp + EXIT_DELAY)
        chain.transact(chain.accounts[9], panel.contract.functions.payOut(2))

        panel.convict(batch, audit, signatures)

        assert panel.stakes() == [0, MIN_STAKE, 0]

    def test_who_staked_again__loses_it_again(self, chain, batch, panel, judge):
        audit, signatures = audited(chain, batch, panel)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])
        panel.convict(batch, audit, signatures)
        again = panel.contract.functions.stake(0, MIN_STAKE)
        chain.transact(chain.accounts[0], again, value=MIN_STAKE)

        panel.convict(batch, audit, signatures)

        assert panel.stakes() == [0, MIN_STAKE, 0]
        assert panel.active() == 0b010

    def test_fewer_than_the_threshold__lose_their_stake(self, chain, batch, panel, judge):
        """A signature that never was evidence is a lie all the same."""
        audit = panel.audit(batch)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        panel.convict(batch, audit, panel.signed(audit, [1]))

        assert panel.stakes() == [MIN_STAKE, 0, MIN_STAKE]

    def test_who_did_not_sign__is_not_convicted(self, chain, batch, panel, judge):
        audit, signatures = audited(chain, batch, panel)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        with reverts("SignatureInvalid", place=1):
            panel.convict(batch, audit, {**signatures, 1: signatures[0]})
        with reverts("SignatureInvalid", place=1):
            panel.convict(batch, audit, {1: bytes(65)})
        with reverts("NoStakeToBurn"):
            panel.convict(batch, audit, {})
        assert panel.stakes() == [MIN_STAKE] * 3

    def test_another_seed_than_signed__reverts(self, chain, batch, panel, judge):
        """Nobody chooses a draw that holds the leaf."""
        audit, signatures = audited(chain, batch, panel)
        spared = spared_of(audit, batch)
        disprove(chain, batch, judge, spared)
        seed = next(
            seed
            for seed in (bytes([number]) * 32 for number in range(256))
            if spared in draw(seed, batch.id, 3, 40)
        )

        with reverts("SignatureInvalid", place=0):
            panel.convict(batch, replace(audit, seed=seed), signatures)

    @pytest.mark.parametrize("change", ["high s", "other v", "v 0", "compact", "longer"])
    def test_signature_in_another_form__reverts(self, chain, batch, panel, judge, change):
        audit, signatures = audited(chain, batch, panel)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])
        good = signatures[0]
        r, s, v = good[:32], int.from_bytes(good[32:64], "big"), good[64]
        form = {
            "high s": r + (SECP256K1_ORDER - s).to_bytes(32, "big") + bytes([55 - v]),
            "other v": good[:64] + bytes([55 - v]),
            "v 0": good[:64] + bytes([v - 27]),
            "compact": r + (s | (v - 27) << 255).to_bytes(32, "big"),
            "longer": good + b"\0",
        }[change]

        with reverts("SignatureInvalid", place=0):
            panel.convict(batch, audit, {0: form})

    @pytest.mark.parametrize("kind", KINDS)
    def test_key_of_each_kind__attests_and_is_convicted(
        self, chain, network_owner, operator, judge, kind
    ):
        key = held(kind)
        panel = found(chain, 1, 1, keys=[key.key], signs=[key.sign], arbiter=judge.address)
        network = network_of(chain, network_owner, panel, judge.address, salt=8)
        network.join(operator)
        batch = network.commit(operator, count=40)
        audit = panel.audit(batch)
        good = panel.signed(audit, [0])
        wrong = {0: good[0][:9] + bytes([good[0][9] ^ 1]) + good[0][10:]}
        with reverts("SignatureInvalid", place=0):
            attest(chain, batch, audit.evidence(wrong))
        attest(chain, batch, audit.evidence(good))
        assert batch.status().grade is Grade.AUDITED
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        with reverts("SignatureInvalid", place=0):
            panel.convict(batch, audit, wrong)
        panel.convict(batch, audit, good)

        assert panel.stakes() == [0]


def test_sixteen_members__all_convicted_within_a_transaction(chain, network_owner, operator, judge):
    """With the longest draw, and the leaf that is drawn last."""
    panel = found(chain, 16, 16, min_drawn=256, arbiter=judge.address)
    network = network_of(chain, network_owner, panel, judge.address, salt=9)
    network.join(operator)
    batch = network.commit(operator, count=300)
    audit = panel.audit(batch)
    signatures = panel.signed(audit, range(16))
    attest(chain, batch, audit.evidence(signatures))
    drawn = draw(audit.seed, batch.id, 256, 300)
    # The one that the search finds last.
    last = max(set(drawn), key=drawn.index)
    disprove(chain, batch, judge, last)

    mined = panel.convict(batch, audit, signatures)

    assert panel.stakes() == [0] * 16
    assert mined.gas_used < 1_000_000


def test_ruling_is_undecided_or_upheld__no_conviction_follows(chain, batch, panel, judge):
    audit, signatures = audited(chain, batch, panel)
    index = drawn_of(audit, batch)[0]
    upheld = judge.verdict(batch.id, index, batch.tree.leaf(index), Ruling.UPHELD, [0, 1])
    with reverts("NotDisproved"):
        chain.send(chain.accounts[9], "disprove", batch.pre_image(), batch.opening(index), upheld)

    with reverts("BatchNotConvicted", cause=Cause.NONE.name):
        panel.convict(batch, audit, signatures)
    assert len(KEYS) == 16
