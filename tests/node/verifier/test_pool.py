"""Verifiers in a pool, in one process: enrolment, audits, cases, and what each journal keeps.

seats   enrolled each epoch | as far as credit goes | closed
fees    above what is left, collected once a day | withdrawn where the key is the account
        told in a line, once an hour
audit   sealed, opened, sent once | too few sealed | escrow empty
        a wrong leaf that this node alone draws: never sealed, challenged
case    ruled on before a batch is audited
        a challenge appealed, ruled on, resolved
        a wrong leaf on record, the batch final, or open
        nobody ruled: expired by its payer, once its seed is gone
        nobody ruled on a wrong leaf on record: expired, whoever paid, and opened again
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tallystick.demo.digits.model import content_hash
from tallystick.node.verifier.findings import FindingKind
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.pool import (
    EPOCH,
    Quorums,
    Record,
    epoch_of,
    pack_signatures,
    places_of,
)
from tallystick.protocol.sampling import draw
from tests.node.verifier.pool_stage import ABSENT, SEATS, PoolStage, pool_stage
from tests.node.verifier.stage import BOND, OPERATOR, VERIFIERS, LiveChain, rounds
from tests.support.pool import CREDIT, HISTORY_BLOCKS, SEAT_STAKE
from tests.support.story import Committed, fund

LAZY, CONVICTED = 3, 3
NOBODY = "0x" + "00" * 20


@pytest.fixture
def pooled(shared_chain: LiveChain, tmp_path: Path) -> Iterator[PoolStage]:
    with shared_chain.isolated():
        yield pool_stage(shared_chain, tmp_path)


@pytest.fixture
def three(pooled: PoolStage) -> list[Verifier]:
    """Three verifiers whose seats are drawn from now on."""
    made = [pooled.verifier(number) for number in VERIFIERS]
    pooled.enroll_absent()
    rounds(*made, count=1)
    pooled.pool.next_epoch()
    return made


def test_step__new_key__enrols_once_an_epoch(pooled: PoolStage) -> None:
    one = pooled.verifier()
    key = pooled.chain.accounts[VERIFIERS[0]]
    rounds(one, count=3)

    seats, last, *_, account = pooled.pool.read("memberOf", key)
    assert (seats, last) == (SEATS, epoch_of(pooled.chain.now) + 1)
    assert bytes.fromhex(account[2:]) == key

    pooled.pool.next_epoch()
    rounds(one, count=2)
    assert pooled.pool.read("memberOf", key)[:2] == (SEATS, last + 1)
    assert pooled.pool.credit(key) == 1_000_000 - SEATS * SEAT_STAKE


def test_step__credit_for_some_seats__buys_those(pooled: PoolStage) -> None:
    key = pooled.chain.accounts[VERIFIERS[0]]
    pooled.pool.send(key, "withdraw", 1_000_000 - 7 * SEAT_STAKE - 1)

    rounds(pooled.verifier(), count=2)

    assert pooled.pool.read("memberOf", key)[0] == 7


def test_step__closed_key__does_not_enrol(pooled: PoolStage) -> None:
    one, key = pooled.verifier(), pooled.chain.accounts[VERIFIERS[0]]
    rounds(one, count=1)
    pooled.pool.send(key, "close", key)
    before = pooled.pool.read("memberOf", key)[1]
    pooled.pool.next_epoch()

    rounds(one, count=2)

    assert pooled.pool.read("memberOf", key)[1] == before


@pytest.mark.parametrize("left", (0, 10**6))
def test_step__fees_above_what_is_left__collected_and_withdrawn(
    pooled: PoolStage, three: list[Verifier], left: int
) -> None:
    pooled.commit(40)
    rounds(*three, count=1)
    pooled.blocks()
    rounds(*three, count=6)
    keys = [pooled.chain.accounts[number] for number in VERIFIERS]
    earned = {key: pooled.pool.read("memberOf", key)[4] for key in keys}
    number = max(VERIFIERS, key=lambda number: earned[pooled.chain.accounts[number]])
    key = pooled.chain.accounts[number]
    settings = {"address": to_hex(pooled.pool.address), "seats": SEATS, "collect_above": str(left)}
    credit = pooled.pool.credit(key)
    one = pooled.verifier(number, pool=settings)

    rounds(one, count=3)

    assert one.duty is not None
    kept = left + one.duty.auditor.terms.case_fee
    assert earned[key] > 0
    assert pooled.pool.read("memberOf", key)[4] == (0 if left == 0 else earned[key])
    assert pooled.pool.credit(key) == (kept if left == 0 else credit)
    sent = pooled.sent(number)
    rounds(one, count=3)
    assert pooled.sent(number) == sent


def test_step__account_is_another__fees_go_to_its_credit(pooled: PoolStage) -> None:
    number, account = VERIFIERS[0], pooled.chain.accounts[9]
    key = pooled.chain.accounts[number]
    settings = {
        "address": to_hex(pooled.pool.address),
        "seats": 100,
        "account": to_hex(account),
        "collect_above": "0",
    }
    one = pooled.verifier(number, pool=settings)
    rounds(one, count=2)
    pooled.pool.next_epoch()
    pooled.commit(40)
    rounds(one, count=1)
    pooled.blocks()
    credit = pooled.pool.credit(key)

    rounds(one, count=6)

    assert one.duty is not None
    assert one.duty.events.audits == 1
    fees = pooled.pool.read("memberOf", key)[4] + pooled.pool.credit(account)
    assert pooled.pool.credit(account) > 0
    assert fees + pooled.pool.credit(key) - credit == one.duty.events.earned


def test_step__earned_before_a_restart__says_so_once_an_hour(
    pooled: PoolStage, three: list[Verifier]
) -> None:
    pooled.commit(40)
    rounds(*three, count=1)
    pooled.blocks()
    rounds(*three, count=6)
    accounts = {number: pooled.chain.accounts[number] for number in VERIFIERS}
    fees = {number: pooled.pool.read("memberOf", key)[4] for number, key in accounts.items()}
    number = max(VERIFIERS, key=lambda number: fees[number])
    # A place's fee waits until it is collected; the sender's is credit at once.
    credit = pooled.pool.credit(accounts[number])
    earned = fees[number] + credit - (CREDIT - SEATS * SEAT_STAKE)
    one = pooled.verifier(number)

    with capture_logs() as told:
        rounds(one, count=3)

    (line,) = [facts for facts in told if facts["event"] == "pool"]
    assert line["seats"] == SEATS
    assert (line["audits"], line["rulings"]) == (1, 0)
    assert line["earned"] == earned > 0
    # All three have enrolled for the epoch after this one, which has just begun.
    assert line["next_enrolment_in"] == "7 d"


def test_audit__good_batch__stored_once_and_paid(pooled: PoolStage, three: list[Verifier]) -> None:
    batch = pooled.commit(40)
    rounds(*three, count=1)
    pooled.blocks()

    rounds(*three, count=6)

    assert pooled.record(batch).grade is Grade.AUDITED
    stored = [move for one in three for move in one.journal.moves(batch.id, "audit")]
    assert sum(move.status == "mined" for move in stored) == 1
    assert all(one.duty is not None for one in three)
    earned = [pooled.pool.read("memberOf", pooled.chain.accounts[n])[4] for n in VERIFIERS]
    assert sum(earned) > 0


def test_audit__too_few_sealed__no_signature_is_shown(
    pooled: PoolStage, three: list[Verifier]
) -> None:
    batch = pooled.commit(40)
    pooled.blocks()
    seed = pooled.pool.audit_seed(batch)
    epoch = epoch_of(batch.stamp.committed_at)
    assert three[0].duty is not None
    entries = three[0].duty.auditor.pool.entries(epoch)
    held = places_of(entries, seed, batch.id, 9)
    few = [
        one
        for one, number in zip(three, VERIFIERS, strict=True)
        if any(
            entries[entry].key == pooled.chain.accounts[number] and len(of) < Quorums.of(9).audit
            for entry, of in held.items()
        )
    ]

    rounds(few[0], count=4)

    kept = few[0].journal.seal(batch.id, seed)
    assert kept is not None and not kept.opened
    shown = list((pooled.folder / "shared" / "seals").glob("*/*.json"))
    assert len(shown) == 1
    assert "signature" not in shown[0].read_text()


def test_audit__empty_escrow__nothing_is_signed(pooled: PoolStage, three: list[Verifier]) -> None:
    operator = pooled.chain.accounts[OPERATOR]
    pooled.pool.send(operator, "notice")
    pooled.chain.at(pooled.chain.now + EPOCH).mine()
    pooled.pool.send(operator, "defund")
    rounds(*three, count=1)
    pooled.pool.next_epoch()
    pooled.commit(40)
    pooled.blocks()

    rounds(*three, count=3)

    assert [one.journal.seals() for one in three] == [(0, 0)] * 3


def test_audit__wrong_leaf_that_one_alone_draws__challenged_and_never_sealed(
    pooled: PoolStage, three: list[Verifier]
) -> None:
    assert three[0].duty is not None
    terms, wrong = three[0].duty.auditor.terms, 7
    while True:
        batch = pooled.commit(40, wrong=[wrong])
        pooled.blocks()
        seed = pooled.pool.audit_seed(batch)
        if wrong not in draw(seed, batch.id, terms.min_drawn, 40):
            break
    finder = pooled.verifier(VERIFIERS[0], name="finder", drawn_private=400)
    blind = pooled.verifier(VERIFIERS[1], name="blind", drawn_private=0)

    rounds(finder, blind, count=2)

    found = finder.journal.finding(batch.id)
    assert found is not None
    assert (found.kind, found.leaf_index) == (FindingKind.WRONG, wrong)
    assert finder.journal.seal(batch.id, seed) is None
    missed = blind.journal.finding(batch.id)
    assert missed is not None
    assert missed.kind == FindingKind.GOOD
    record = pooled.record(batch)
    assert (record.state, record.dispute.leaf_index) == (State.DISPUTED, wrong)


def test_case__open_beside_a_batch_to_audit__ruled_on_first(pooled: PoolStage) -> None:
    one, stranger = (
        pooled.verifier(pool={"address": to_hex(pooled.pool.address), "seats": 100}),
        pooled.chain.accounts[ABSENT],
    )
    rounds(one, count=1)
    pooled.pool.next_epoch()
    challenged = pooled.commit(40)
    fund(pooled.chain, ZERO_ADDRESS, stranger, BOND)
    arguments = challenged.batch.abi(), challenged.stamp.pack(), challenged.opening(3)
    pooled.chain.send(stranger, "challenge", *arguments)
    pooled.pool.fund(stranger)
    standing = challenged.pre_image(pooled.record(challenged).dispute)
    pooled.pool.appeal(stranger, challenged, 3, pre_image=standing)
    pooled.commit(40)
    pooled.blocks()

    with capture_logs() as told:
        rounds(one, count=3)

    sealed = [facts["kind"] for facts in told if facts["event"] == "sealed"]
    assert sealed[0] == "verdict"
    assert "audit" in sealed[1:]
    moves = [facts["move"] for facts in told if facts["event"] == "sent"]
    assert moves.index("ruled") < moves.index("audit")


def test_case__wrong_leaf__challenged_appealed_and_rejected(
    pooled: PoolStage, three: list[Verifier]
) -> None:
    batch = pooled.commit(40, wrong=range(40))
    pooled.blocks()
    rounds(*three, count=4)
    assert pooled.record(batch).state is State.DISPUTED
    pooled.blocks()

    rounds(*three, count=8)

    record = pooled.record(batch)
    assert (record.state, record.cause) == (State.REJECTED, Cause.RULING)
    assert [one.journal.seals()[0] for one in three] == [0, 0, 0]
    assert sum(one.journal.seals()[1] for one in three) >= 2


def test_case__nobody_rules_until_its_seed_is_gone__payer_gets_the_whole_fee_back(
    pooled: PoolStage, three: list[Verifier]
) -> None:
    # Two of three are away: one alone makes no quorum.
    one, key = three[0], pooled.chain.accounts[VERIFIERS[0]]
    pooled.commit(40, wrong=range(40))
    pooled.blocks()
    before = pooled.pool.credit(key)
    rounds(one, count=4)
    assert one.duty is not None
    (case,) = one.duty.events.cases()
    assert case.payer == key
    assert pooled.pool.credit(key) == before - one.duty.auditor.terms.case_fee

    # A transaction of one of the next blocks could still rule.
    pooled.pool.mine_to(case.seed_block + HISTORY_BLOCKS - 5)
    rounds(one, count=2)
    assert pooled.pool.read("caseOf", case.id)[0] != NOBODY
    assert one.journal.moves(case.batch_id, "expire") == []
    pooled.chain.mine(6)
    rounds(one, count=4)

    assert pooled.pool.read("caseOf", case.id)[0] == NOBODY
    assert one.duty.events.cases() == []
    assert pooled.pool.credit(key) == before
    expired = one.journal.moves(case.batch_id, "expire")
    assert [move.status for move in expired] == ["mined"]


def lazily_audited(pooled: PoolStage, three: list[Verifier]) -> tuple[Committed, Record]:
    """A wrong batch whose audit two keys without nodes have signed without looking."""
    chain, pool = pooled.chain, pooled.pool
    for number, seats in ((LAZY, 150), (LAZY + 1, 90)):
        pool.fund(chain.accounts[number])
        pool.enroll(number, seats)
    epoch = epoch_of(chain.now) + 1
    rounds(*three, count=2)
    pool.next_epoch()
    assert three[0].duty is not None
    pool.lists[epoch] = three[0].duty.auditor.pool.entries(epoch)
    lazy = {chain.accounts[number] for number in (LAZY, LAZY + 1)}
    others = [n for n, one in enumerate(pool.lists[epoch]) if one.key not in lazy]

    for _ in range(10):
        batch = pooled.commit(40, wrong=range(40))
        record, signed = pool.audited(batch, but=others)
        if sum(len(one.places) for one in signed.values()) >= Quorums.of(9).audit:
            break
    named = chain.accounts[1], content_hash(), ZERO32
    pool.send(chain.accounts[9], "audit", batch.pre_image(), named, pack_signatures(signed))
    rounds(*three, count=1)
    return batch, record


def convicted(pooled: PoolStage, record: Record) -> bool:
    return all(pooled.pool.read("memberOf", key)[3] == CONVICTED for key in record.keys)


def lazily_finished(pooled: PoolStage, three: list[Verifier]) -> tuple[Committed, Record]:
    """Such a batch that is final: nobody had credit for a bond."""
    for number in VERIFIERS:
        key = pooled.chain.accounts[number]
        credit = pooled.chain.registry.credit(ZERO_ADDRESS, key)
        pooled.chain.send(key, "withdraw", ZERO_ADDRESS, key, credit)
    batch, record = lazily_audited(pooled, three)
    pooled.pool.next_epoch()
    operator = pooled.chain.accounts[OPERATOR]
    pooled.chain.send(operator, "finalize", [batch.ref], pooled.network.id, operator)
    return batch, record


def test_case__wrong_leaf_on_record_of_a_final_batch__signers_convicted(
    pooled: PoolStage, three: list[Verifier]
) -> None:
    batch, record = lazily_finished(pooled, three)

    rounds(*three, count=2)
    pooled.blocks()
    rounds(*three, count=8)

    assert pooled.record(batch).state is State.FINAL
    assert convicted(pooled, record)
    finder = [pooled.chain.accounts[number] for number in VERIFIERS]
    assert sum(one.duty.events.rulings > 0 for one in three if one.duty) >= 2
    assert any(pooled.pool.credit(key) > 1_000_000 - SEATS * SEAT_STAKE for key in finder)


@pytest.mark.parametrize("payer", (VERIFIERS[0], ABSENT), ids=("its own", "a stranger's"))
def test_case__nobody_rules_on_a_leaf_on_record__expired_and_opened_again(
    pooled: PoolStage, three: list[Verifier], payer: int
) -> None:
    one = pooled.verifier(VERIFIERS[0])
    batch, record = lazily_finished(pooled, [one, *three[1:]])
    assert three[0].duty is not None
    if payer == ABSENT:
        leaf = draw(record.seed, batch.id, three[0].duty.auditor.terms.min_drawn, 40)[0]
        pooled.pool.appeal(pooled.chain.accounts[ABSENT], batch, leaf, record)
    rounds(one, count=3)
    assert one.duty is not None
    (first,) = [case for case in one.duty.events.cases() if case.batch_id == batch.id]
    assert first.payer == pooled.chain.accounts[payer]

    pooled.pool.mine_to(first.seed_block + HISTORY_BLOCKS + 1)
    rounds(one, count=6)

    (second,) = [case for case in one.duty.events.cases() if case.batch_id == batch.id]
    assert (second.id, second.payer) == (first.id, pooled.chain.accounts[VERIFIERS[0]])
    assert second.seed_block > first.seed_block + HISTORY_BLOCKS
    expired = one.journal.moves(batch.id, "expire")
    assert [move.status for move in expired] == ["mined"]
    pooled.blocks()
    rounds(one, *three[1:], count=8)
    assert convicted(pooled, record)
    appeals = one.journal.moves(batch.id, "appeal")
    assert [move.status for move in appeals] == ["mined"] * (2 if payer != ABSENT else 1)


def test_case__looks_seldom__opened_in_the_round_that_finds_the_leaf(
    pooled: PoolStage, three: list[Verifier]
) -> None:
    seldom = pooled.verifier(VERIFIERS[0], look_every=3600.0, turn_every=3600.0)
    batch, _ = lazily_finished(pooled, three)

    rounds(seldom, count=3)

    assert [move.kind for move in seldom.journal.moves(batch.id, "appeal")] == ["appeal"]


def test_case__wrong_leaf_on_record_of_an_open_batch__appealed_and_signers_held(
    pooled: PoolStage, three: list[Verifier]
) -> None:
    batch, record = lazily_audited(pooled, three)
    rounds(*three, count=3)

    after = pooled.record(batch)
    assert (after.state, after.grade) == (State.DISPUTED, Grade.AUDITED)
    assert three[0].duty is not None
    # Wrong batches for which the lazy ones were not drawn have cases of their own.
    cases = [case for case in three[0].duty.events.cases() if case.batch_id == batch.id]
    assert len(cases) == 1
    held = [pooled.pool.read("memberOf", key)[2] for key in record.keys]
    assert min(held) > pooled.chain.now
