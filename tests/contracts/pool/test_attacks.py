"""Attacks that the pool's rules stand against, tried whole; those on a single check stand with its
function.

own arbiter | foreign spec, another pool's signatures | stale dispute | shield, then exit
timeout, order, finality, overwrite in front of ruled | a place twice | a panel of one key | e - 3
"""

from dataclasses import replace

import pytest

from tallystick.chain.pool import Standing
from tallystick.protocol.abi_words import uint
from tallystick.protocol.batch import Dispute
from tallystick.protocol.enums import Cause, Grade, Ruling, State
from tallystick.protocol.events import BatchRejected, ChallengeLapsed
from tallystick.protocol.inference import Inference
from tallystick.protocol.pool import (
    EPOCH,
    NO_RECORD,
    PanelAudit,
    Quorums,
    Record,
    case_id,
    epoch_of,
    pack_signatures,
    places_of,
)
from tests.contracts.pool.conftest import MANY, SEATS
from tests.contracts.pool.harm import unharmed, worth
from tests.support.chain import Chain, reverts
from tests.support.pool import (
    EXIT_DELAY,
    FEE,
    MIN_DRAWN,
    RULE_FEE,
    SEAT_STAKE,
    SEED_DELAY,
    Pool,
    batch_model,
    deploy,
    filled,
)
from tests.support.story import Committed, Network, register

DAY = 24 * 3600
PANEL = Quorums.of(9)
NOBODY = bytes(20)


@pytest.fixture
def challenger(pool: Pool, audited_network: Network) -> bytes:
    """Somebody without a seat."""
    account = pool.member(99)
    audited_network.fund(account)
    pool.fund(account)
    return account


def pairs(leaves: list[Inference]) -> list[Inference]:
    """Leaves out of order."""
    return [leaves[place ^ 1] for place in range(len(leaves))]


def audited(pool: Pool, batch: Committed) -> Record:
    record, signed = pool.audited(batch, places=PANEL.audit)
    pool.audit(batch, signed)
    return record


def burned(pool: Pool, record: Record) -> bool:
    found = [pool.read("memberOf", key) for key in record.keys]
    return all(one[0] == 0 and one[3] == Standing.CONVICTED for one in found)


class TestOwnArbiter:
    @pytest.fixture
    def rigged(
        self, chain: Chain, pool: Pool, network_owner: bytes, operator: bytes, resolver: bytes
    ) -> Committed:
        """An honest batch, in a network whose owner's own arbiter says what it is told."""
        places = (pool.address, NOBODY, NOBODY)
        network = register(chain, network_owner, salt=6, arbiter=resolver, attestors=places)
        network.join(operator)
        pool.fund(operator)
        pool.send(operator, "fund", 10_000)
        return network.commit(operator, count=40)

    def test_it_rejects_an_honest_batch__no_signer_is_on_record_for_it(
        self, chain: Chain, pool: Pool, operator: bytes, rigged: Committed
    ) -> None:
        record, signed = pool.audited(rigged)
        with unharmed(pool, [*record.keys, operator]):
            with reverts("NetworkForeign", networkId=rigged.batch.network_id):
                pool.audit(rigged, signed)
            finder = chain.accounts[9]
            mined = chain.send(
                *(finder, "disprove", rigged.pre_image(), rigged.opening(3), uint(2))
            )
            assert mined.event(BatchRejected).cause is Cause.DISPROOF
            for told in (record, NO_RECORD):
                with reverts("RecordMismatch"):
                    pool.send(finder, "convict", rigged.batch.abi(), told.abi())
            with reverts("NetworkForeign"):
                pool.appeal(finder, rigged, 3, record)

    def test_objective_one_of_the_terms__audits_and_convicts_by_it(
        self, chain: Chain, network_owner: bytes, operator: bytes, resolver: bytes
    ) -> None:
        pool = filled(deploy(chain, replay=chain.w3.to_checksum_address(resolver)), SEATS)
        places = (pool.address, NOBODY, NOBODY)
        network = register(chain, network_owner, salt=6, arbiter=resolver, attestors=places)
        network.join(operator)
        pool.fund(operator)
        pool.send(operator, "fund", 10_000)
        batch = network.commit(operator, count=40)
        record = audited(pool, batch)
        drawn = pool.drawn(batch, record)
        spared = next(index for index in range(40) if index not in drawn)
        finder, rejected = chain.accounts[9], uint(2)
        with chain.isolated():
            chain.send(finder, "disprove", batch.pre_image(), batch.opening(spared), rejected)
            with unharmed(pool, record.keys), reverts("LeafNotDrawn", leafIndex=spared):
                pool.send(finder, "convict", batch.batch.abi(), record.abi())
        chain.send(finder, "disprove", batch.pre_image(), batch.opening(drawn[0]), rejected)

        pool.send(finder, "convict", batch.batch.abi(), record.abi())

        assert burned(pool, record)


class TestForeignSpec:
    def test_model_of_another_spec__whatever_is_named__is_not_audited(
        self, chain: Chain, operator: bytes, network_owner: bytes
    ) -> None:
        """Honest members can't run it, so those of the attacker would be its only auditors."""
        pool = filled(deploy(chain, spec=b"x" * 32), SEATS)
        places = (pool.address, NOBODY, NOBODY)
        network = register(chain, network_owner, salt=6, arbiter=pool.address, attestors=places)
        network.join(operator)
        pool.fund(operator)
        pool.send(operator, "fund", 10_000)
        batch = network.commit(operator, count=40)
        record, signed = pool.audited(batch)
        owner, content, parent = batch_model(batch, chain)
        with unharmed(pool, [*record.keys, operator]):
            for named in ((owner, content, parent), (owner, b"x" * 32, parent)):
                with reverts("ModelMismatch", modelId=batch.batch.model_id):
                    pool.send(
                        *(chain.accounts[9], "audit", batch.pre_image(), named),
                        pack_signatures(signed),
                    )
        assert batch.status().grade is Grade.UNCHALLENGED

    def test_signatures_for_another_pool_of_the_same_keys__are_none(
        self, chain: Chain, pool: Pool, batch: Committed, operator: bytes
    ) -> None:
        """Where a key has seats in two pools, its word in one binds no stake in the other."""
        twin = filled(deploy(chain, spec=b"x" * 32), SEATS)
        entries, seed = pool.list_of(batch), pool.audit_seed(batch)
        held = places_of(entries, seed, batch.id, pool.panel)
        digest = twin.domain.digest(PanelAudit(batch.id, seed).struct_hash())
        signed = pool.sign(digest, entries, held)
        honest = [*(one.key for one in entries), operator]
        with unharmed(pool, honest), reverts("EntrySignatureInvalid"):
            pool.audit(batch, signed)


class TestStaleDispute:
    @pytest.fixture
    def first(self, pool: Pool, batch: Committed, challenger: bytes) -> Dispute:
        dispute = batch.challenge(challenger, 3)[0]
        pool.appeal(challenger, batch, 3, pre_image=batch.pre_image(dispute))
        return dispute

    @pytest.fixture
    def reopened(
        self, chain: Chain, batch: Committed, challenger: bytes, first: Dispute
    ) -> Committed:
        chain.at(first.due + 1)
        mined = chain.send(challenger, "lapse", batch.pre_image(first))
        closes_at = mined.event(ChallengeLapsed).closes_at
        return replace(batch, stamp=replace(batch.stamp, closes_at=closes_at))

    @pytest.mark.parametrize("ruling", [Ruling.UPHELD, Ruling.REJECTED])
    def test_verdict_on_a_challenge_that_lapsed__ends_no_later_one(
        self,
        chain: Chain,
        pool: Pool,
        batch: Committed,
        reopened: Committed,
        challenger: bytes,
        operator: bytes,
        first: Dispute,
        ruling: Ruling,
    ) -> None:
        second = reopened.challenge(challenger, 3)[0]
        standing = reopened.pre_image(second)
        signed = pool.verdict(batch, 3, ruling, first)
        with unharmed(pool, [challenger, operator]):
            with reverts("CaseMissing", caseId=case_id(batch.id, 3)):
                pool.ruled(batch, 3, ruling, signed, pre_image=standing)
            mixed = reopened.pre_image(first)
            for told in (batch.pre_image(first), mixed):
                if ruling is Ruling.REJECTED:
                    with reverts("StateForbids", state=State.UNKNOWN.name):
                        pool.ruled(batch, 3, ruling, signed, pre_image=told)
        if ruling is Ruling.UPHELD:
            pool.ruled(batch, 3, ruling, signed, pre_image=batch.pre_image(first))

        assert chain.registry.read("stateOf", standing) == State.DISPUTED

        pool.appeal(challenger, reopened, 3, pre_image=standing)
        fresh = pool.verdict(batch, 3, Ruling.REJECTED, second)
        with reverts("EntrySignatureInvalid"):
            pool.ruled(batch, 3, ruling, signed, pre_image=standing)
        mined = pool.ruled(batch, 3, Ruling.REJECTED, fresh, pre_image=standing)
        assert mined.event(BatchRejected).cause is Cause.RULING

    def test_challenge_of_another_leaf__is_no_reason_to_be_asked_of_that_one(
        self, pool: Pool, batch: Committed, challenger: bytes, first: Dispute
    ) -> None:
        """A case on leaf 5 while leaf 3 is challenged: as of a shielded leaf, a case of its own."""
        standing = batch.pre_image(first)
        pool.appeal(challenger, batch, 5, pre_image=standing)

        assert pool.read("caseOf", case_id(batch.id, 5))[3] is False
        signed = pool.verdict(batch, 5, Ruling.UPHELD)
        with reverts("EntrySignatureInvalid"):
            pool.ruled(batch, 3, Ruling.UPHELD, signed, pre_image=standing)


@pytest.mark.parametrize("seats", [MANY], ids=["many"])
def test_shield_then_exit__stake_of_who_signed_is_held_at_the_last_second(
    chain: Chain, pool: Pool, batch: Committed, challenger: bytes
) -> None:
    """The operator keeps its batch disputed, so that nobody can challenge, and its auditors go."""
    record = audited(pool, batch)
    shield = batch.demand(challenger)
    began = epoch_of(batch.stamp.committed_at)
    others = [member for member in range(9, 40) if pool.member(member) not in record.keys]
    for _ in range(2):
        for member in others[:12]:
            pool.enroll(member, 6)
        pool.next_epoch()
    due = (began + 1) * EPOCH + EXIT_DELAY
    index = pool.drawn(batch, record)[0]
    chain.at(due - 1)
    pool.appeal(challenger, batch, index, record, pre_image=batch.pre_image(shield))
    signed = pool.verdict(batch, index, Ruling.REJECTED)

    for key in record.keys:
        with reverts("StakeHeld", key=key):
            pool.send(key, "leave", key)
    pool.ruled(batch, index, Ruling.REJECTED, signed, record, batch.pre_image(shield))

    assert chain.now >= due
    assert burned(pool, record)
    for key in record.keys:
        with reverts("NothingEnrolled", key=key):
            pool.send(key, "leave", key)


@pytest.mark.parametrize("seats", [MANY], ids=["many"])
class TestPlantedInFront:
    """Whoever signed sees the verdict coming, and ends the batch by another way first."""

    def test_timeout_or_order__who_signed_is_convicted_all_the_same(
        self,
        chain: Chain,
        pool: Pool,
        audited_network: Network,
        operator: bytes,
        challenger: bytes,
    ) -> None:
        batch = audited_network.commit(operator, slot=3, count=40, shape=pairs)
        record = audited(pool, batch)
        index = pool.drawn(batch, record)[0]
        dispute = batch.demand(challenger)
        standing = batch.pre_image(dispute)
        pool.appeal(challenger, batch, index, record, pre_image=standing)
        signed = pool.verdict(batch, index, Ruling.REJECTED, barred=record.keys)
        others = {one.key for one in pool.list_of(batch)} - set(record.keys)
        for cause in (Cause.TIMEOUT, Cause.ORDER):
            with chain.isolated(), unharmed(pool, [*others, challenger]):
                if cause is Cause.TIMEOUT:
                    chain.at(dispute.due + 1)
                    mined = chain.send(operator, "timeout", standing)
                else:
                    openings = batch.opening(0), batch.opening(1)
                    mined = chain.send(operator, "faultOrder", standing, *openings)
                assert mined.event(BatchRejected).cause is cause

                pool.ruled(batch, index, Ruling.REJECTED, signed, record, standing)

                assert burned(pool, record)

    def test_order_in_front_of_a_challenge__payer_is_not_left_without_the_verdict(
        self,
        chain: Chain,
        pool: Pool,
        audited_network: Network,
        operator: bytes,
        challenger: bytes,
    ) -> None:
        batch = audited_network.commit(operator, slot=3, count=40, shape=pairs)
        record = audited(pool, batch)
        index = pool.drawn(batch, record)[0]
        dispute = batch.challenge(challenger, index)[0]
        standing = batch.pre_image(dispute)
        pool.appeal(challenger, batch, index, record, pre_image=standing)
        signed = pool.verdict(batch, index, Ruling.REJECTED, dispute, barred=record.keys)
        chain.send(operator, "faultOrder", standing, batch.opening(0), batch.opening(1))
        with unharmed(pool, [challenger]):
            pool.ruled(batch, index, Ruling.REJECTED, signed, record, standing)

        assert burned(pool, record)

    def test_final_and_overwritten__payer_alone_has_it_ruled(
        self, chain: Chain, pool: Pool, audited_network: Network, operator: bytes, challenger: bytes
    ) -> None:
        batch = audited_network.commit(operator, slot=3, count=40)
        record = audited(pool, batch)
        index = pool.drawn(batch, record)[0]
        chain.at(batch.closes_at - 20)
        pool.appeal(challenger, batch, index, record)
        signed = pool.verdict(batch, index, Ruling.REJECTED, barred=record.keys)
        chain.at(batch.closes_at + 3600).mine()
        audited_network.commit(operator, slot=3, count=40, over=batch)
        assert chain.registry.read("stateOf", batch.pre_image()) == State.UNKNOWN

        with reverts("StateForbids", state=State.UNKNOWN.name):
            pool.ruled(batch, index, Ruling.REJECTED, signed, record)
        with unharmed(pool, [challenger]):
            pool.ruled(batch, index, Ruling.REJECTED, signed, record, sender=challenger)

        assert burned(pool, record)

    def test_final__whoever_sends_it(
        self, chain: Chain, pool: Pool, audited_network: Network, operator: bytes, challenger: bytes
    ) -> None:
        batch = audited_network.commit(operator, slot=3, count=40)
        record = audited(pool, batch)
        index = pool.drawn(batch, record)[0]
        chain.at(batch.closes_at - 20)
        pool.appeal(challenger, batch, index, record)
        signed = pool.verdict(batch, index, Ruling.REJECTED, barred=record.keys)
        chain.at(batch.closes_at)
        chain.send(operator, "finalize", [batch.ref], batch.batch.network_id, operator)

        pool.ruled(batch, index, Ruling.REJECTED, signed, record)

        assert burned(pool, record)


class TestPlaceTwice:
    def test_few_say_the_same_again__are_still_few(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes, operator: bytes
    ) -> None:
        dispute = batch.challenge(challenger, 3)[0]
        standing = batch.pre_image(dispute)
        pool.appeal(challenger, batch, 3, pre_image=standing)
        signed = pool.verdict(batch, 3, Ruling.REJECTED, dispute)
        (low, one), (high, other) = list(signed.items())[:2]
        alone = pack_signatures({low: one})
        twice = {low: one, high: replace(other, places=one.places)}
        overlap = {low: one, high: replace(other, places=(*other.places, one.places[0]))}
        stolen = {low: replace(one, places=(*one.places, other.places[0]))}
        told = standing, batch.opening(3), int(Ruling.REJECTED)
        with unharmed(pool, [challenger, operator]):
            with reverts("SignersOutOfOrder", entry=low):
                pool.send(chain.accounts[9], "ruled", *told, alone + alone, NO_RECORD.abi())
            for claimed in (twice, overlap):
                with reverts("PlaceTaken", entry=high):
                    pool.ruled(batch, 3, Ruling.REJECTED, claimed, pre_image=standing)
            with reverts("PlaceNotHeld", place=other.places[0], entry=low):
                pool.ruled(batch, 3, Ruling.REJECTED, stolen, pre_image=standing)
        assert chain.registry.read("stateOf", standing) == State.DISPUTED

        mined = pool.ruled(batch, 3, Ruling.REJECTED, signed, pre_image=standing)
        assert mined.event(BatchRejected).cause is Cause.RULING


@pytest.mark.parametrize("seats", [[100]], ids=["one"])
class TestPanelOfOneKey:
    def test_it_audits_alone__and_is_paid_for_each_place_once(
        self, chain: Chain, pool: Pool, batch: Committed, operator: bytes
    ) -> None:
        record, signed = pool.audited(batch)
        (one,) = signed.values()
        assert one.places == tuple(range(9))

        pool.audit(batch, signed)

        fee = FEE * MIN_DRAWN
        assert pool.read("memberOf", record.keys[0])[4] == 9 * fee
        assert pool.read("escrowOf", operator)[0] == 10_000 - 10 * fee

    def test_it_judges_its_own_fake__has_no_say_and_the_payer_loses_nothing(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        record = audited(pool, batch)
        index = pool.drawn(batch, record)[0]
        with unharmed(pool, [challenger]):
            mined = pool.appeal(challenger, batch, index, record)
            for ruling in (Ruling.UPHELD, Ruling.REJECTED):
                signed = pool.verdict(batch, index, ruling)
                with reverts("SignerBarred", key=record.keys[0]):
                    pool.ruled(batch, index, ruling, signed, record)
            assert worth(pool, record.keys[0]) >= 100 * SEAT_STAKE
            pool.plant_seed(mined.block_number + SEED_DELAY, bytes(32))
            pool.send(chain.accounts[9], "expire", case_id(batch.id, index))

    def test_fault_that_the_registry_shows__burns_it_all_the_same(
        self,
        chain: Chain,
        pool: Pool,
        audited_network: Network,
        operator: bytes,
    ) -> None:
        batch = audited_network.commit(operator, slot=3, count=40, shape=pairs)
        record = audited(pool, batch)
        finder = chain.accounts[9]
        chain.send(finder, "faultOrder", batch.pre_image(), batch.opening(0), batch.opening(1))
        before = pool.credit(finder)

        pool.send(finder, "convict", batch.batch.abi(), record.abi())

        assert burned(pool, record)
        assert pool.credit(finder) - before == 100 * SEAT_STAKE // 16


class TestThreeEpochs:
    """The list of epoch e + 4 grows where that of e was: from e + 3 on, nothing draws from e."""

    @pytest.fixture
    def pool(self, chain: Chain) -> Pool:
        return filled(deploy(chain, exit_delay=70 * DAY), SEATS)

    @pytest.fixture
    def batch(self, chain: Chain, pool: Pool, network_owner: bytes, operator: bytes) -> Committed:
        places = (pool.address, NOBODY, NOBODY)
        network = register(
            *(chain, network_owner),
            salt=5,
            arbiter=pool.address,
            attestors=places,
            challenge_window=40 * DAY,
            ruling_window=4 * DAY,
        )
        network.join(operator)
        network.fund(chain.accounts[6])
        pool.fund(operator)
        pool.send(operator, "fund", 10_000)
        return network.commit(operator, count=40)

    def test_audit__last_second_of_the_second_after__then_gone_though_the_ring_is_full_again(
        self, chain: Chain, pool: Pool, batch: Committed, operator: bytes
    ) -> None:
        record, signed = pool.audited(batch)
        end = (epoch_of(batch.stamp.committed_at) + 3) * EPOCH
        with chain.isolated():
            chain.at(end - 1)
            pool.audit(batch, signed)
            assert batch.status().grade is Grade.AUDITED
        chain.at(end).mine()
        cheat = pool.member(9)
        pool.fund(cheat)
        pool.enroll(9, 100)
        with (
            unharmed(pool, [*record.keys, operator]),
            reverts("EpochGone", oldest=end // EPOCH - 2),
        ):
            pool.audit(batch, signed)
        assert batch.status().state is State.OPEN

    def test_case__as_old__cannot_be_ruled_from_the_new_list(
        self, chain: Chain, pool: Pool, batch: Committed
    ) -> None:
        payer = chain.accounts[6]
        shield = batch.demand(payer)
        standing = batch.pre_image(shield)
        mined = pool.appeal(payer, batch, 3, pre_image=standing)
        signed = pool.verdict(batch, 3, Ruling.UPHELD)
        end = (epoch_of(mined.timestamp) + 3) * EPOCH
        with unharmed(pool, [payer]):
            with chain.isolated():
                chain.at(end - 1)
                pool.ruled(batch, 3, Ruling.UPHELD, signed, pre_image=standing)
            chain.at(end)
            with reverts("EpochGone"):
                pool.ruled(batch, 3, Ruling.UPHELD, signed, pre_image=standing)
            before = pool.credit(payer)
            pool.plant_seed(mined.block_number + SEED_DELAY, bytes(32))
            pool.send(payer, "expire", case_id(batch.id, 3))
        assert pool.credit(payer) - before == RULE_FEE * (PANEL.judges + 1)
