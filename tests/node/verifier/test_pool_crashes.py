"""kill -9 of a pool's members at random times, over and over: neither stake nor fee is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.chain.pool import Pool, Standing
from tallystick.protocol.enums import Cause, Grade, State
from tests.node.verifier.killing import kill_until
from tests.node.verifier.pool_stage import ESCROW, SEATS, PoolStage, pool_stage
from tests.node.verifier.stage import OPERATOR, VERIFIERS, LiveChain
from tests.support.pool import CREDIT, SEAT_STAKE


@pytest.fixture
def pooled(shared_chain: LiveChain, tmp_path: Path) -> Iterator[PoolStage]:
    with shared_chain.isolated():
        yield pool_stage(shared_chain, tmp_path)


def test_kill__at_random__enrolled_audited_ruled_and_every_unit_accounted_for(
    pooled: PoolStage,
) -> None:
    pool = Pool(pooled.chain.w3, pooled.pool.address)
    keys = [pooled.chain.accounts[number] for number in VERIFIERS]
    pooled.enroll_absent()
    kills = kill_until(lambda: all(one.seats == SEATS for one in pool.members(keys)), pooled)
    pooled.pool.next_epoch()
    good = [pooled.commit(40) for _ in range(2)]
    wrong = pooled.commit(40, wrong=range(40))

    def over() -> bool:
        pooled.blocks()
        found = pooled.chain.ledger().batches
        audited = all(found[one.id].grade is Grade.AUDITED for one in good)
        return audited and found[wrong.id].state is State.REJECTED

    kills += kill_until(over, pooled)

    assert kills >= 6
    assert pooled.record(wrong).cause is Cause.RULING
    members = pool.members(keys)
    assert {(one.standing, one.seats) for one in members} == {(Standing.ACTIVE, SEATS)}
    paid = ESCROW - pool.escrow(pooled.chain.accounts[OPERATOR]).balance
    held = sum(one.seats * SEAT_STAKE + one.earned for one in members)
    # The case's fee went from one of them to all of them.
    assert held + sum(pool.credit(key) for key in keys) == 3 * CREDIT + paid
    verifiers = [pooled.verifier(number) for number in VERIFIERS]
    for one in verifiers:
        one.tick()
        assert one.duty is not None
        assert one.journal.pending() == []
    audits = [one.duty.events.audits for one in verifiers if one.duty]
    # Places are drawn: one of them may have none.
    assert sum(audits) >= len(good) and max(audits) <= len(good)
    assert sum(one.duty.events.earned for one in verifiers if one.duty) >= paid
