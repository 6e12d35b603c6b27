"""Cases: a panel rules on a leaf, and what it says happens in the registry at once.

appeal    challenged | drawn, in any state | shielded by another dispute | none of these
ruled     Upheld | Rejected: resolve, disprove, conviction | too few | signers' own | late
expire    once the seed is gone, the whole fee
convict   by what the registry archived: drawn or not, order, timeout
rule      Undecided but within ruled
"""

from dataclasses import replace

import pytest

from tallystick.protocol.enums import Cause, Ruling, State
from tallystick.protocol.events import BatchRejected
from tallystick.protocol.inference import Inference
from tallystick.protocol.pool import EPOCH, FINDERS, HOLD, NO_RECORD, Quorums, Record, case_id
from tests.contracts.pool.conftest import MANY
from tests.support.chain import Chain, reverts
from tests.support.pool import (
    EXIT_DELAY,
    RULE_FEE,
    SEAT_STAKE,
    SEED_DELAY,
    Pool,
)
from tests.support.story import Committed, Network

PANEL = Quorums.of(9)
WHOLE_FEE = RULE_FEE * (PANEL.judges + 1)


@pytest.fixture
def challenger(chain: Chain, pool: Pool, audited_network: Network) -> bytes:
    account = chain.accounts[6]
    audited_network.fund(account)
    return account


def audited(pool: Pool, batch: Committed) -> Record:
    """Whoever was drawn says that the batch is good."""
    record, signed = pool.audited(batch, places=PANEL.audit)
    pool.audit(batch, signed)
    return record


def spared(pool: Pool, batch: Committed, record: Record) -> int:
    drawn = pool.drawn(batch, record)
    return next(index for index in range(batch.batch.count) if index not in drawn)


class TestAppeal:
    def test_challenged_leaf__opens_a_case_and_takes_the_fees(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        dispute = batch.challenge(challenger, 3)[0]
        before = pool.credit(challenger)

        mined = pool.appeal(challenger, batch, 3, pre_image=batch.pre_image(dispute))

        found = pool.read("caseOf", case_id(batch.id, 3, dispute))
        assert found[0] == chain.w3.to_checksum_address(challenger)
        assert found[1] == mined.block_number + SEED_DELAY and found[3]
        assert before - pool.credit(challenger) == WHOLE_FEE
        with reverts("CaseOpen"):
            pool.appeal(challenger, batch, 3, pre_image=batch.pre_image(dispute))

    def test_leaf_that_nothing_speaks_for__reverts(
        self, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        with reverts("StateForbids", batchId=batch.id, state=State.OPEN.name):
            pool.appeal(challenger, batch, 3)

    def test_drawn_leaf__whatever_its_batchs_state(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        record = audited(pool, batch)
        chain.at(batch.closes_at)
        chain.send(
            challenger, "finalize", [batch.ref], batch.batch.network_id, batch.batch.operator
        )
        drawn = pool.drawn(batch, record)[0]
        with reverts("StateForbids"):
            pool.appeal(challenger, batch, spared(pool, batch, record), record)

        pool.appeal(challenger, batch, drawn, record)

        held = [pool.read("memberOf", key)[2] for key in record.keys]
        assert all(until == chain.now + HOLD for until in held)

    def test_leaf_shielded_by_a_demand__opens_a_case(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        """A cheat demands of its own batch, so that nobody can challenge."""
        shield = batch.demand(challenger)

        pool.appeal(challenger, batch, 3, pre_image=batch.pre_image(shield))

        assert pool.read("caseOf", case_id(batch.id, 3))[3] is False

    def test_dispute_that_stands_no_more__reverts(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        dispute = batch.challenge(challenger, 3)[0]
        stale = replace(dispute, due=dispute.due - 1)
        with reverts("StateForbids"):
            pool.appeal(challenger, batch, 3, pre_image=batch.pre_image(stale))
        chain.at(dispute.due + 1)
        with reverts("StateForbids"):
            pool.appeal(challenger, batch, 3, pre_image=batch.pre_image(dispute))

    def test_record_of_others__reverts(
        self, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        record = audited(pool, batch)
        drawn = pool.drawn(batch, record)[0]
        for wrong in (NO_RECORD, replace(record, keys=record.keys[1:])):
            with reverts("RecordMismatch", batchId=batch.id):
                pool.appeal(challenger, batch, drawn, wrong)

    def test_seed_of_a_record_that_is_not_there__reverts(
        self, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        shield = batch.demand(challenger)
        with reverts("RecordMismatch", batchId=batch.id):
            pool.appeal(challenger, batch, 3, Record(b"s" * 32), batch.pre_image(shield))

    def test_leaf_that_the_root_does_not_hold__reverts(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        shield = batch.demand(challenger)
        leaf, _, proof = batch.opening(3)
        for opening in ((leaf, 4, proof), (leaf, 40, proof), (leaf, 3, proof[:-1])):
            with reverts("ProofInvalid"):
                pool.send(
                    *(challenger, "appeal", batch.pre_image(shield), opening, NO_RECORD.abi())
                )


class TestRuled:
    def test_upheld__the_challenge_ends_for_the_operator(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        dispute = batch.challenge(challenger, 3)[0]
        standing = batch.pre_image(dispute)
        pool.appeal(challenger, batch, 3, pre_image=standing)
        signed = pool.verdict(batch, 3, Ruling.UPHELD, dispute)
        places = sum(len(one.places) for one in signed.values())
        before = pool.credit(challenger)

        pool.ruled(batch, 3, Ruling.UPHELD, signed, pre_image=standing)

        assert pool.credit(challenger) - before == RULE_FEE * (PANEL.judges - places) == 0
        assert pool.read("caseOf", case_id(batch.id, 3, dispute))[1] == 0
        with reverts("CaseMissing"):
            pool.ruled(batch, 3, Ruling.UPHELD, signed, pre_image=standing)

    @pytest.mark.parametrize("seats", [MANY], ids=["many"])
    def test_rejected__rejects_the_batch_and_convicts_who_signed(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        record = audited(pool, batch)
        index = pool.drawn(batch, record)[0]
        dispute = batch.challenge(challenger, index)[0]
        standing = batch.pre_image(dispute)
        pool.appeal(challenger, batch, index, record, pre_image=standing)
        signed = pool.verdict(batch, index, Ruling.REJECTED, dispute, barred=record.keys)
        stakes = [pool.read("memberOf", key)[0] * SEAT_STAKE for key in record.keys]
        places = sum(len(one.places) for one in signed.values())
        before = pool.credit(challenger)

        mined = pool.ruled(batch, index, Ruling.REJECTED, signed, record, pre_image=standing)

        assert mined.event(BatchRejected).cause is Cause.RULING
        shares = [stake // FINDERS for stake in stakes]
        returned = RULE_FEE * (PANEL.judges - places)
        assert pool.credit(challenger) - before == sum(shares) + returned
        assert [pool.read("memberOf", key)[0] for key in record.keys] == [0] * len(record.keys)
        burn = bytes.fromhex("000000000000000000000000000000000000dead")
        held = chain.balance(bytes(20), burn)
        pool.send(chain.accounts[9], "sweep")
        assert chain.balance(bytes(20), burn) - held == sum(stakes) - sum(shares)

    def test_rejected_without_a_challenge__disproves_and_rewards_the_payer(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        shield = batch.demand(challenger)
        shielded = batch.pre_image(shield)
        pool.appeal(challenger, batch, 3, pre_image=shielded)
        signed = pool.verdict(batch, 3, Ruling.REJECTED)
        before = pool.credit(challenger)

        mined = pool.ruled(batch, 3, Ruling.REJECTED, signed, pre_image=shielded)

        rejected = mined.event(BatchRejected)
        assert (rejected.cause, rejected.leaf_index) == (Cause.DISPROOF, 3)
        assert rejected.payee == pool.address and rejected.reward > 0
        assert pool.credit(challenger) - before == rejected.reward
        assert chain.registry.read("creditOf", bytes(20), pool.address) == 0

    def test_too_few_places__reverts(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        dispute = batch.challenge(challenger, 3)[0]
        standing = batch.pre_image(dispute)
        pool.appeal(challenger, batch, 3, pre_image=standing)
        for ruling, needed in ((Ruling.UPHELD, PANEL.uphold), (Ruling.REJECTED, PANEL.reject)):
            signed = pool.verdict(batch, 3, ruling, dispute)
            few = {}
            for entry, one in signed.items():
                if sum(len(other.places) for other in few.values()) + len(one.places) < needed:
                    few[entry] = one
            with reverts("TooFewPlaces", needed=needed):
                pool.ruled(batch, 3, ruling, few, pre_image=standing)

    def test_signatures_for_the_other_ruling__reverts(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        dispute = batch.challenge(challenger, 3)[0]
        standing = batch.pre_image(dispute)
        pool.appeal(challenger, batch, 3, pre_image=standing)
        signed = pool.verdict(batch, 3, Ruling.UPHELD, dispute)

        with reverts("EntrySignatureInvalid"):
            pool.ruled(batch, 3, Ruling.REJECTED, signed, pre_image=standing)
        with reverts("NotRuled"):
            pool.ruled(batch, 3, Ruling.UNDECIDED, signed, pre_image=standing)

    def test_by_who_signed_the_audit__reverts(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        record, by = pool.audited(batch)
        pool.audit(batch, by)
        index = pool.drawn(batch, record)[0]
        pool.appeal(challenger, batch, index, record)
        signed = pool.verdict(batch, index, Ruling.REJECTED)
        held = {pool.list_of(batch)[entry].key: entry for entry in signed}
        barred = [key for key in record.keys if key in held]
        # The contract looks for a key by its last byte first, of which every bit counts.
        assert {key[-1] & 1 for key in barred} == {0, 1}

        for key in barred:
            with reverts("SignerBarred", key=key):
                alone = {held[key]: signed[held[key]]}
                pool.ruled(batch, index, Ruling.REJECTED, alone, record)
        with reverts("SignerBarred"):
            pool.ruled(batch, index, Ruling.REJECTED, signed, record)

    def test_stamp_that_never_was__does_not_spare_the_batch(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        """Whoever sends first could else close the case without a word to the registry."""
        shield = batch.demand(challenger)
        pool.appeal(challenger, batch, 3, pre_image=batch.pre_image(shield))
        signed = pool.verdict(batch, 3, Ruling.REJECTED)
        false = replace(batch.stamp, closes_at=batch.stamp.closes_at + 1)

        with reverts("StateForbids", state=State.UNKNOWN.name):
            pool.ruled(batch, 3, Ruling.REJECTED, signed, pre_image=batch.pre_image(stamp=false))

        assert chain.registry.read("stateOf", batch.pre_image(shield)) == State.DISPUTED

    def test_stamp_that_never_was__does_not_end_a_challenge(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        dispute = batch.challenge(challenger, 3)[0]
        pool.appeal(challenger, batch, 3, pre_image=batch.pre_image(dispute))
        false = replace(batch.stamp, closes_at=batch.stamp.closes_at + 1)
        for ruling in (Ruling.UPHELD, Ruling.REJECTED):
            signed = pool.verdict(batch, 3, ruling, dispute)
            for sender in (chain.accounts[9], challenger):
                with reverts("StateForbids", state=State.UNKNOWN.name):
                    pool.ruled(
                        *(batch, 3, ruling, signed),
                        pre_image=batch.pre_image(dispute, false),
                        sender=sender,
                    )

    @pytest.mark.parametrize("seats", [MANY], ids=["many"])
    def test_batch_rejected_meanwhile__who_signed_is_convicted_all_the_same(
        self,
        chain: Chain,
        pool: Pool,
        audited_network: Network,
        operator: bytes,
        challenger: bytes,
    ) -> None:
        """A timeout planted in front of the ruling spares nobody."""
        batch = audited_network.commit(operator, slot=3, count=40)
        record = audited(pool, batch)
        index = pool.drawn(batch, record)[0]
        dispute = batch.demand(challenger)
        pool.appeal(challenger, batch, index, record, pre_image=batch.pre_image(dispute))
        signed = pool.verdict(batch, index, Ruling.REJECTED, barred=record.keys)
        chain.at(dispute.due + 1)
        chain.send(challenger, "timeout", batch.pre_image(dispute))

        pool.ruled(batch, index, Ruling.REJECTED, signed, record)

        assert [pool.read("memberOf", key)[0] for key in record.keys] == [0] * len(record.keys)

    def test_convicted_meanwhile__has_no_say_and_never_enrolls_again(
        self,
        chain: Chain,
        pool: Pool,
        audited_network: Network,
        operator: bytes,
        challenger: bytes,
    ) -> None:
        def pairs(leaves: list[Inference]) -> list[Inference]:
            return [leaves[place ^ 1] for place in range(40)]

        bad = audited_network.commit(operator, slot=3, count=40, shape=pairs)
        record = audited(pool, bad)
        chain.send(
            *(chain.accounts[9], "faultOrder", bad.pre_image(), bad.opening(0), bad.opening(1))
        )
        pool.send(chain.accounts[8], "convict", bad.batch.abi(), record.abi())
        # Whom a panel has is chance: one that none of them sits on shows nothing.
        for slot in range(4, 12):
            good = audited_network.commit(operator, slot=slot, count=40)
            drawn, signed = pool.audited(good)
            if set(drawn.keys) & set(record.keys):
                break
        with reverts("SignerBarred"):
            pool.audit(good, signed)
        member = chain.accounts.index(record.keys[0])
        with reverts("KeyBarred"):
            pool.enroll(member, 1)


class TestExpire:
    def test_while_the_seed_can_be_had__reverts(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        shield = batch.demand(challenger)
        mined = pool.appeal(challenger, batch, 3, pre_image=batch.pre_image(shield))
        key = case_id(batch.id, 3)
        with reverts("CaseNotOver", caseId=key, seedBlock=mined.block_number + SEED_DELAY):
            pool.send(challenger, "expire", key)
        chain.mine(SEED_DELAY + 300)
        with reverts("CaseNotOver"):
            pool.send(challenger, "expire", key)

    def test_once_the_seed_is_gone__the_whole_fee_goes_back(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        shield = batch.demand(challenger)
        before = pool.credit(challenger)
        mined = pool.appeal(challenger, batch, 3, pre_image=batch.pre_image(shield))
        pool.plant_seed(mined.block_number + SEED_DELAY, bytes(32))

        pool.send(chain.accounts[9], "expire", case_id(batch.id, 3))

        assert pool.credit(challenger) == before
        with reverts("CaseMissing"):
            pool.send(chain.accounts[9], "expire", case_id(batch.id, 3))
        pool.appeal(challenger, batch, 3, pre_image=batch.pre_image(shield))


class TestConvict:
    @pytest.fixture
    def disordered(self, audited_network: Network, operator: bytes) -> Committed:
        def pairs(leaves: list[Inference]) -> list[Inference]:
            return [leaves[place ^ 1] for place in range(40)]

        return audited_network.commit(operator, slot=3, count=40, shape=pairs)

    def test_order__every_signer_and_the_finder_is_paid(
        self, chain: Chain, pool: Pool, disordered: Committed
    ) -> None:
        record = audited(pool, disordered)
        finder = chain.accounts[9]
        seats = [pool.read("memberOf", key)[0] for key in record.keys]
        chain.send(
            *(finder, "faultOrder", disordered.pre_image()),
            *(disordered.opening(0), disordered.opening(1)),
        )
        before = pool.credit(finder)

        pool.send(finder, "convict", disordered.batch.abi(), record.abi())

        assert pool.credit(finder) - before == sum(one * SEAT_STAKE // FINDERS for one in seats)
        with reverts("NotConvictable"):
            pool.send(finder, "convict", disordered.batch.abi(), record.abi())

    def test_timeout__nobody(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        record = audited(pool, batch)
        dispute = batch.demand(challenger)
        chain.at(dispute.due + 1)
        chain.send(challenger, "timeout", batch.pre_image(dispute))

        with reverts("NotConvictable", cause=Cause.TIMEOUT.name):
            pool.send(challenger, "convict", batch.batch.abi(), record.abi())

    def test_open_batch__nobody(self, chain: Chain, pool: Pool, batch: Committed) -> None:
        record = audited(pool, batch)

        with reverts("NotConvictable", cause=Cause.NONE.name):
            pool.send(chain.accounts[9], "convict", batch.batch.abi(), record.abi())
        with reverts("RecordMismatch"):
            pool.send(chain.accounts[9], "convict", batch.batch.abi(), NO_RECORD.abi())


class TestHold:
    def test_exit__while_a_case_is_about_its_word__waits(
        self, chain: Chain, pool: Pool, batch: Committed, challenger: bytes
    ) -> None:
        record = audited(pool, batch)
        enrolled = chain.now // EPOCH
        chain.at((enrolled + 1) * EPOCH + EXIT_DELAY - 10).mine()
        # A list of now, for the case's panel.
        chain.at(chain.now + 1)
        for member in range(9):
            if chain.accounts[member] not in record.keys:
                pool.enroll(member, 15)
        pool.next_epoch()
        index = pool.drawn(batch, record)[0]
        pool.appeal(challenger, batch, index, record)
        key = record.keys[0]

        with reverts("StakeHeld", key=key, until=chain.now + HOLD):
            pool.send(key, "leave", key)
        chain.at(chain.now + HOLD)
        pool.send(key, "leave", key)


def test_rule__outside_ruled__is_undecided(
    chain: Chain, pool: Pool, batch: Committed, challenger: bytes
) -> None:
    shield = batch.demand(challenger)
    shielded = batch.pre_image(shield)
    pool.appeal(challenger, batch, 3, pre_image=shielded)
    signed = pool.verdict(batch, 3, Ruling.REJECTED)
    inference = (batch.batch.model_id, batch.batch.operator, *batch.inferences[3].abi_leaf())
    assert pool.read("rule", batch.id, inference, 3, b"") == Ruling.UNDECIDED
    with reverts("NotDisproved"):
        chain.send(challenger, "disprove", shielded, batch.opening(3), b"")

    pool.ruled(batch, 3, Ruling.REJECTED, signed, pre_image=shielded)

    assert pool.read("rule", batch.id, inference, 3, b"") == Ruling.UNDECIDED
