"""Three members of a pool as real processes, one absent member, and an operator's batches.

They enrol by themselves; a good batch is audited; a wrong one is challenged, appealed and rejected
by a panel, with one of the three killed in between and begun anew.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tallystick.demo.processes import free_port
from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.pool import epoch_of
from tests.node.verifier.pool_stage import SEATS, PoolStage, pool_stage
from tests.node.verifier.running import Running, until
from tests.node.verifier.stage import VERIFIERS, LiveChain
from tests.support.pool import Pool


@pytest.fixture
def pooled(shared_chain: LiveChain, tmp_path: Path) -> Iterator[PoolStage]:
    with shared_chain.isolated():
        made = pool_stage(shared_chain, tmp_path)
        shared_chain.w3.provider.make_request("evm_setIntervalMining", [1])  # type: ignore[arg-type]
        yield made
        shared_chain.w3.provider.make_request("evm_setIntervalMining", [0])  # type: ignore[arg-type]


@pytest.fixture
def members(pooled: PoolStage) -> Iterator[list[Running]]:
    """Their processes, which exchange seals over HTTP alone."""
    ports = [free_port() for _ in VERIFIERS]
    started: list[Running] = []
    for number, port in zip(VERIFIERS, ports, strict=True):
        others = [f"http://127.0.0.1:{one}" for one in ports if one != port]
        shared = {"share_folder": "", "share_port": port, "share_peers": others}
        own = shared | {"look_every": 1.0, "turn_every": 1.0, "missing_after": 60.0}
        settings = pooled.settings(f"verifier {number}", **own)
        started.append(Running(pooled, number, pooled.folder, settings))
    yield started
    for one in started:
        one.end()


def enrolled(pool: Pool, epoch: int) -> Callable[[], bool]:
    """Whether all three sit in an epoch's list."""
    keys = [pool.chain.accounts[number] for number in VERIFIERS]
    return lambda: all(pool.read("memberOf", key)[1] >= epoch for key in keys)


def test_pool__one_absent_and_one_killed__audits_and_rules(
    pooled: PoolStage, members: list[Running]
) -> None:
    pool, chain = pooled.pool, pooled.chain
    pooled.enroll_absent()
    epoch = epoch_of(chain.now) + 1
    until(enrolled(pool, epoch), "all enrol", *members)
    pool.next_epoch()

    good = pooled.commit(40)
    pooled.blocks()
    until(lambda: pooled.record(good).grade is Grade.AUDITED, "an audit is stored", *members)

    # Killed with its word on the good batch in its journal, and the wrong one's panel to come.
    members[0].kill()
    wrong = pooled.commit(40, wrong=range(40))
    pooled.blocks()
    until(lambda: pooled.record(wrong).state is State.DISPUTED, "challenged", *members[1:])
    members[0].restart()
    until(lambda: '"move": "appeal"' in "".join(one.text() for one in members), "a case", *members)
    pooled.blocks()
    until(lambda: pooled.record(wrong).state is State.REJECTED, "a panel rejects it", *members)

    assert pooled.record(wrong).cause is Cause.RULING
    assert pooled.record(good).state is State.OPEN
    until(enrolled(pool, epoch + 1), "all enrol again, the killed one too", *members)
    seats = [pool.read("memberOf", chain.accounts[number])[0] for number in VERIFIERS]
    assert seats == [SEATS] * 3
