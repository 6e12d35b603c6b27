"""Committee.convict: what the registry has archived burns the signers' stake, or does not.

ruling and disproof: drawn or not | order: drawn or not, planted by the cheat | deadline: of the
same commit only | repeat, timeout, nothing at all: nobody
whose: who left since | who is gone | who staked again | below the threshold | forged
where: another network's batch | another arbiter | unknown network
"""

from dataclasses import replace

import pytest

from tallystick.protocol.batch import Dispute
from tallystick.protocol.committee import Audit
from tallystick.protocol.enums import Cause, DisputeKind, Grade, Ruling
from tallystick.protocol.events import BatchChallenged
from tallystick.protocol.inference import Inference
from tallystick.protocol.sampling import draw
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
from tests.support.chain import Chain, reverts
from tests.support.committee import EXIT_DELAY, KEYS, MIN_STAKE, Committee, found
from tests.support.keys import KINDS, held
from tests.support.story import RULES, Committed, Network

BURN = bytes.fromhex("000000000000000000000000000000000000dead")
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def audited(
    chain: Chain, batch: Committed, committee: Committee, members: tuple[int, ...] = (0, 2)
) -> tuple[Audit, dict[int, bytes]]:
    """An audit, its signatures, and the batch attested by them."""
    audit = committee.audit(batch)
    signatures = committee.signed(audit, members)
    attest(chain, batch, audit.evidence(signatures))
    assert batch.status().grade is Grade.AUDITED
    return audit, signatures


def test_disproof_of_a_drawn_leaf__burns_every_signers_stake(
    chain: Chain, batch: Committed, committee: Committee, judge: Committee
) -> None:
    audit, signatures = audited(chain, batch, committee)
    disprove(chain, batch, judge, drawn_of(audit, batch)[0])
    before = chain.balance(bytes(20), BURN)

    convicted = committee.convict(batch, audit, signatures)
    functions, events = committee.contract.functions, committee.contract.events
    swept = chain.transact(chain.accounts[9], functions.sweep())

    assert committee.stakes() == [0, MIN_STAKE, 0]
    assert committee.active() == 0b010
    assert chain.balance(bytes(20), BURN) - before == 2 * MIN_STAKE
    told = events.MemberConvicted().get_logs(from_block=convicted.block_number)
    assert [dict(log["args"]) for log in told] == [
        {"member": member, "batchId": batch.id, "amount": MIN_STAKE} for member in (0, 2)
    ]
    (log,) = events.BurnSwept().get_logs(from_block=swept.block_number)
    assert dict(log["args"]) == {"amount": 2 * MIN_STAKE}
    with reverts("NothingBurned"):
        chain.transact(chain.accounts[9], functions.sweep())


def test_ruling_on_a_drawn_leaf__burns_every_signers_stake(
    chain: Chain, batch: Committed, committee: Committee, judge: Committee, challenger: bytes
) -> None:
    audit, signatures = audited(chain, batch, committee)
    index = drawn_of(audit, batch)[0]
    asked = chain.send(
        challenger, "challenge", batch.batch.abi(), batch.stamp.pack(), batch.opening(index)
    ).event(BatchChallenged)
    dispute = Dispute(DisputeKind.CHALLENGE, False, challenger, index, asked.due, asked.leaf)
    leaf, evidence = batch.inferences[index].abi_leaf(), rejection(judge, batch, index)
    chain.send(challenger, "resolve", batch.pre_image(dispute), leaf, evidence)

    committee.convict(batch, audit, signatures)

    assert committee.stakes() == [0, MIN_STAKE, 0]


def test_leaf_that_was_not_drawn__reverts(
    chain: Chain, batch: Committed, committee: Committee, judge: Committee
) -> None:
    audit, signatures = audited(chain, batch, committee)
    spared = spared_of(audit, batch)
    disprove(chain, batch, judge, spared)

    with reverts("LeafNotDrawn", batchId=batch.id, leafIndex=spared):
        committee.convict(batch, audit, signatures)


def test_any_leaf_of_a_batch_smaller_than_the_draw__is_drawn(
    chain: Chain, judged: Network, operator: bytes, committee: Committee, judge: Committee
) -> None:
    batch = judged.commit(operator, count=2)
    audit, signatures = audited(chain, batch, committee)
    disprove(chain, batch, judge, 1)

    committee.convict(batch, audit, signatures)

    assert committee.stakes() == [0, MIN_STAKE, 0]


class TestOrder:
    """Signers stated that leaves are in order: a fault planted there spares nobody."""

    @pytest.mark.parametrize("is_drawn", [True, False])
    def test_drawn_or_not__burns_every_signers_stake(
        self, chain: Chain, judged: Network, operator: bytes, committee: Committee, is_drawn: bool
    ) -> None:
        def pairs(leaves: list[Inference]) -> list[Inference]:
            return [leaves[place ^ 1] for place in range(40)]

        batch = judged.commit(operator, count=40, shape=pairs)
        audit, signatures = audited(chain, batch, committee)
        drawn = set(drawn_of(audit, batch))
        first = next(
            place for place in range(0, 40, 2) if bool({place, place + 1} & drawn) == is_drawn
        )
        fault_order(batch, first, first + 1)
        status = chain.registry.archived(batch.id)
        assert status.cause is Cause.ORDER and (is_drawn or status.leaf_index not in drawn)

        committee.convict(batch, audit, signatures)

        assert committee.stakes() == [0, MIN_STAKE, 0]

    def test_equal_leaves__burn_every_signers_stake(
        self, chain: Chain, judged: Network, operator: bytes, committee: Committee
    ) -> None:
        def twins(leaves: list[Inference]) -> list[Inference]:
            return [*leaves[:-1], leaves[-2]]

        batch = judged.commit(operator, count=40, shape=twins)
        audit, signatures = audited(chain, batch, committee)
        fault_order(batch, 38, 39)

        committee.convict(batch, audit, signatures)

        assert committee.stakes() == [0, MIN_STAKE, 0]

    def test_fork_with_another_commit__burns_all_the_same(
        self, chain: Chain, judged: Network, operator: bytes, committee: Committee
    ) -> None:
        """Order does not hang on when the batch was committed."""
        batch = judged.commit(operator, count=40, shape=swapped(7))
        audit = replace(committee.audit(batch), committed_at=batch.stamp.committed_at - 5)
        fault_order(batch, 7, 8)

        committee.convict(batch, audit, committee.signed(audit, [0]))

        assert committee.stakes() == [0, MIN_STAKE, MIN_STAKE]


class TestDeadline:
    def test_of_the_same_commit__burns_every_signers_stake(
        self, chain: Chain, judged: Network, operator: bytes, committee: Committee
    ) -> None:
        """The planted fault: fired by the cheat itself in front of the ruling."""
        batch = judged.commit(operator, count=40, shape=late)
        audit, signatures = audited(chain, batch, committee)
        fault_deadline(batch, 39)
        status = chain.registry.archived(batch.id)
        assert (status.cause, status.committed_at) == (Cause.DEADLINE, batch.stamp.committed_at)

        committee.convict(batch, audit, signatures)

        assert committee.stakes() == [0, MIN_STAKE, 0]

    @pytest.mark.parametrize("apart", [-1, 1])
    def test_of_a_dead_forks_commit__reverts(
        self, chain: Chain, judged: Network, operator: bytes, committee: Committee, apart: int
    ) -> None:
        """There the deadline was right; the signature is good for ever, and convicts nobody."""
        batch = judged.commit(operator, count=40, shape=late)
        there = replace(committee.audit(batch), committed_at=batch.stamp.committed_at + apart)
        fault_deadline(batch, 39)

        with reverts("CommitTimeMismatch", needed=batch.stamp.committed_at):
            committee.convict(batch, there, committee.signed(there, [0]))

    def test_fork_that_the_chain_left__convicts_nobody(
        self, chain: Chain, judged: Network, operator: bytes, committee: Committee
    ) -> None:
        """Really reorganised: the same batch, committed an hour later, breaks its deadline."""
        longest = RULES.challenge_window // 2

        def tight(leaves: list[Inference]) -> list[Inference]:
            return [replace(leaf, deadline=chain.now + 90 + longest) for leaf in leaves]

        with chain.isolated():
            chain.at(chain.now + 100)
            there = judged.commit(operator, count=40, shape=tight)
            audit = committee.audit(there)
            signatures = committee.signed(audit, [0, 1])
            with reverts("DeadlineInRange"):
                fault_deadline(there, 0)
        # Sooner, so that the deadline is too far off now.
        here = judged.commit(operator, count=40, shape=lambda _: there.inferences)
        assert here.id == there.id and here.stamp.committed_at < there.stamp.committed_at
        fault_deadline(here, 0)

        with reverts("CommitTimeMismatch"):
            committee.convict(here, audit, signatures)
        assert committee.stakes() == [MIN_STAKE] * 3


class TestNobody:
    def test_repeat__reverts(
        self, chain: Chain, judged: Network, operator: bytes, committee: Committee
    ) -> None:
        first = judged.commit(operator, count=40)
        again = judged.commit(operator, count=40, slot=1, shape=lambda _: first.inferences)
        audit, signatures = audited(chain, again, committee)
        chain.send(
            chain.accounts[9],
            "faultRepeat",
            *[again.pre_image(), again.opening(3), first.pre_image(), first.opening(3)],
        )

        with reverts("BatchNotConvicted", batchId=again.id, cause=Cause.REPEAT.name):
            committee.convict(again, audit, signatures)

    def test_timeout__reverts(
        self, chain: Chain, batch: Committed, committee: Committee, challenger: bytes
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
        time_out(batch, challenger)

        with reverts("BatchNotConvicted", batchId=batch.id, cause=Cause.TIMEOUT.name):
            committee.convict(batch, audit, signatures)

    def test_open_batch__reverts(
        self, chain: Chain, batch: Committed, committee: Committee
    ) -> None:
        audit, signatures = audited(chain, batch, committee)

        with reverts("BatchNotConvicted", batchId=batch.id, cause=Cause.NONE.name):
            committee.convict(batch, audit, signatures)

    def test_final_batch__reverts(
        self, chain: Chain, judged: Network, operator: bytes, batch: Committed, committee: Committee
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
        chain.at(batch.closes_at)
        chain.send(operator, "finalize", [batch.ref], judged.id, operator)
        chain.send(operator, "archive", judged.id, operator, batch.ref)

        with reverts("BatchNotConvicted", batchId=batch.id, cause=Cause.NONE.name):
            committee.convict(batch, audit, signatures)

    def test_statement_that_the_batch_is_bad__reverts(
        self, chain: Chain, batch: Committed, committee: Committee, judge: Committee
    ) -> None:
        audit, _ = audited(chain, batch, committee)
        bad = replace(audit, verdict=False)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        with reverts("StatementMismatch", verdict=False):
            committee.convict(batch, bad, committee.signed(bad, [0, 1]))


class TestWhere:
    def test_statement_of_another_batch__reverts(
        self,
        chain: Chain,
        judged: Network,
        operator: bytes,
        batch: Committed,
        committee: Committee,
        judge: Committee,
    ) -> None:
        twin = judged.commit(operator, count=40, slot=1, root=batch.batch.root)
        audit, signatures = audited(chain, twin, committee)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        with reverts("StatementMismatch", statedId=twin.id, batchId=batch.id):
            committee.convict(batch, audit, signatures)

    @pytest.mark.parametrize("by", ["ruling", "order"])
    def test_network_of_the_cheats_own_arbiter__reverts(
        self,
        chain: Chain,
        network_owner: bytes,
        operator: bytes,
        committee: Committee,
        resolver: bytes,
        judge: Committee,
        by: str,
    ) -> None:
        """Its owner would have honest members burned who signed before they looked."""
        rogue = network_of(chain, network_owner, committee, resolver, salt=7)
        rogue.join(operator)
        shape = swapped(3) if by == "order" else None
        batch = rogue.commit(operator, count=40, **({"shape": shape} if shape else {}))
        audit = committee.audit(batch)
        signatures = committee.signed(audit, [0, 1])
        if by == "order":
            fault_order(batch, 3, 4)
        else:
            index = drawn_of(audit, batch)[0]
            yes = (2).to_bytes(32, "big")
            chain.send(operator, "disprove", batch.pre_image(), batch.opening(index), yes)

        with reverts("ArbiterMismatch", arbiter=resolver, needed=judge.address):
            committee.convict(batch, audit, signatures)
        assert committee.stakes() == [MIN_STAKE] * 3

    def test_unknown_network__reverts(self, batch: Committed, committee: Committee) -> None:
        strange = replace(batch, batch=replace(batch.batch, network_id=b"x" * 32))
        audit = replace(committee.audit(batch), batch_id=strange.id)

        with reverts("NetworkNotFound", networkId=b"x" * 32):
            committee.convict(strange, audit, committee.signed(audit, [0]))


class TestWhose:
    def test_twice__reverts(
        self, chain: Chain, batch: Committed, committee: Committee, judge: Committee
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])
        committee.convict(batch, audit, signatures)

        with reverts("NoStakeToBurn", batchId=batch.id):
            committee.convict(batch, audit, signatures)

    def test_who_left_since__loses_its_stake_too(
        self, chain: Chain, batch: Committed, committee: Committee, judge: Committee
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
        chain.transact(chain.accounts[2], committee.contract.functions.requestExit(2))
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        committee.convict(batch, audit, signatures)

        assert committee.stakes() == [0, MIN_STAKE, 0]

    def test_who_left_and_was_convicted__is_paid_nothing(
        self, chain: Chain, batch: Committed, committee: Committee, judge: Committee
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
        left = chain.transact(chain.accounts[2], committee.contract.functions.requestExit(2))
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])
        committee.convict(batch, audit, signatures)
        before = chain.balance(bytes(20), committee.address)

        chain.at(left.timestamp + EXIT_DELAY)
        chain.transact(chain.accounts[9], committee.contract.functions.payOut(2))

        assert chain.balance(bytes(20), committee.address) == before == 3 * MIN_STAKE

    def test_who_is_gone__is_passed_over(
        self, chain: Chain, batch: Committed, committee: Committee, judge: Committee
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])
        left = chain.transact(chain.accounts[2], committee.contract.functions.requestExit(2))
        chain.at(left.timestamp + EXIT_DELAY)
        chain.transact(chain.accounts[9], committee.contract.functions.payOut(2))

        committee.convict(batch, audit, signatures)

        assert committee.stakes() == [0, MIN_STAKE, 0]

    def test_who_staked_again__loses_it_again(
        self, chain: Chain, batch: Committed, committee: Committee, judge: Committee
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])
        committee.convict(batch, audit, signatures)
        again = committee.contract.functions.stake(0, MIN_STAKE)
        chain.transact(chain.accounts[0], again, value=MIN_STAKE)

        committee.convict(batch, audit, signatures)

        assert committee.stakes() == [0, MIN_STAKE, 0]
        assert committee.active() == 0b010

    def test_fewer_than_the_threshold__lose_their_stake(
        self, chain: Chain, batch: Committed, committee: Committee, judge: Committee
    ) -> None:
        """A signature that never was evidence is a lie all the same."""
        audit = committee.audit(batch)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        committee.convict(batch, audit, committee.signed(audit, [1]))

        assert committee.stakes() == [MIN_STAKE, 0, MIN_STAKE]

    def test_who_did_not_sign__is_not_convicted(
        self, chain: Chain, batch: Committed, committee: Committee, judge: Committee
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        with reverts("SignatureInvalid", place=1):
            committee.convict(batch, audit, {**signatures, 1: signatures[0]})
        with reverts("SignatureInvalid", place=1):
            committee.convict(batch, audit, {1: bytes(65)})
        with reverts("NoStakeToBurn"):
            committee.convict(batch, audit, {})
        assert committee.stakes() == [MIN_STAKE] * 3

    def test_another_seed_than_signed__reverts(
        self, chain: Chain, batch: Committed, committee: Committee, judge: Committee
    ) -> None:
        """Nobody chooses a draw that holds the leaf."""
        audit, signatures = audited(chain, batch, committee)
        spared = spared_of(audit, batch)
        disprove(chain, batch, judge, spared)
        seed = next(
            seed
            for seed in (bytes([number]) * 32 for number in range(256))
            if spared in draw(seed, batch.id, 3, 40)
        )

        with reverts("SignatureInvalid", place=0):
            committee.convict(batch, replace(audit, seed=seed), signatures)

    @pytest.mark.parametrize("change", ["high s", "other v", "v 0", "compact", "longer"])
    def test_signature_in_another_form__reverts(
        self, chain: Chain, batch: Committed, committee: Committee, judge: Committee, change: str
    ) -> None:
        audit, signatures = audited(chain, batch, committee)
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
            committee.convict(batch, audit, {0: form})

    @pytest.mark.parametrize("kind", KINDS)
    def test_key_of_each_kind__attests_and_is_convicted(
        self, chain: Chain, network_owner: bytes, operator: bytes, judge: Committee, kind: str
    ) -> None:
        key = held(kind)
        committee = found(chain, 1, 1, keys=[key.key], signs=[key.sign], arbiter=judge.address)
        network = network_of(chain, network_owner, committee, judge.address, salt=8)
        network.join(operator)
        batch = network.commit(operator, count=40)
        audit = committee.audit(batch)
        good = committee.signed(audit, [0])
        wrong = {0: good[0][:9] + bytes([good[0][9] ^ 1]) + good[0][10:]}
        with reverts("SignatureInvalid", place=0):
            attest(chain, batch, audit.evidence(wrong))
        attest(chain, batch, audit.evidence(good))
        assert batch.status().grade is Grade.AUDITED
        disprove(chain, batch, judge, drawn_of(audit, batch)[0])

        with reverts("SignatureInvalid", place=0):
            committee.convict(batch, audit, wrong)
        committee.convict(batch, audit, good)

        assert committee.stakes() == [0]


def test_stake_of_one_unit__is_burned(
    chain: Chain, network_owner: bytes, operator: bytes, judge: Committee
) -> None:
    committee = found(chain, 1, 1, min_stake=1, arbiter=judge.address)
    network = network_of(chain, network_owner, committee, judge.address, salt=9)
    network.join(operator)
    batch = network.commit(operator, count=40)
    audit, signatures = audited(chain, batch, committee, members=(0,))
    disprove(chain, batch, judge, drawn_of(audit, batch)[0])

    committee.convict(batch, audit, signatures)

    assert committee.stakes() == [0]


def test_sixteen_members__all_convicted_within_a_transaction(
    chain: Chain, network_owner: bytes, operator: bytes, judge: Committee
) -> None:
    """With the longest draw, and the leaf that is drawn last."""
    committee = found(chain, 16, 16, min_drawn=256, arbiter=judge.address)
    network = network_of(chain, network_owner, committee, judge.address, salt=9)
    network.join(operator)
    batch = network.commit(operator, count=300)
    audit = committee.audit(batch)
    signatures = committee.signed(audit, range(16))
    attest(chain, batch, audit.evidence(signatures))
    drawn = draw(audit.seed, batch.id, 256, 300)
    # The one that the search finds last.
    last = max(set(drawn), key=drawn.index)
    disprove(chain, batch, judge, last)

    mined = committee.convict(batch, audit, signatures)

    assert committee.stakes() == [0] * 16
    assert mined.gas_used < 1_000_000


def test_ruling_is_undecided_or_upheld__no_conviction_follows(
    chain: Chain, batch: Committed, committee: Committee, judge: Committee
) -> None:
    audit, signatures = audited(chain, batch, committee)
    index = drawn_of(audit, batch)[0]
    upheld = judge.verdict(batch.id, index, batch.tree.leaf(index), Ruling.UPHELD, [0, 1])
    with reverts("NotDisproved"):
        chain.send(chain.accounts[9], "disprove", batch.pre_image(), batch.opening(index), upheld)

    with reverts("BatchNotConvicted", cause=Cause.NONE.name):
        committee.convict(batch, audit, signatures)
    assert len(KEYS) == 16
