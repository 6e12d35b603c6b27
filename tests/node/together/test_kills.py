"""kill -9 of any of five, at random times, while one RPC call in five fails: nothing is committed
twice, no demand is missed, no receipt is lost, and the counters say what was asked.

TALLYSTICK_TEST_SEED sets another order of events.
"""

import contextlib
import os
import random
import time
from collections import Counter
from dataclasses import replace

from tallystick.chain.revert import ContractError
from tallystick.protocol.enums import Grade, State
from tallystick.protocol.events import (
    BatchAttested,
    BatchChallenged,
    BatchDemanded,
    BatchRejected,
    LeafRevealed,
)
from tallystick.protocol.ledger import BatchState
from tallystick.storage.batch_store import BatchStore
from tests.node.together.asker import Asker
from tests.node.together.lane import Lane
from tests.node.together.world import DEMANDER, World
from tests.support.faulty_rpc import (
    bad_gateway,
    cut_off,
    not_json,
    rate_limited,
    server_error,
    sometimes,
    truncated,
)

FAULTS = (rate_limited, server_error, bad_gateway, cut_off, not_json, truncated)
PART = 8
KILLS_MORE = 3
"""After each of the five was killed once."""


def demand_one(here: World, lane: Lane, since: int, choose: random.Random) -> None:
    """Demand a leaf, with its bytes, of one of an operator's batches since a block, unless others
    are faster."""
    record = choose.choice(committed(lane, since))
    index = choose.randrange(record.batch.count)
    arguments = (record.batch.abi(), record.stamp.pack(), index, True)
    with contextlib.suppress(ContractError):
        here.chain.send(here.chain.accounts[DEMANDER], "demand", *arguments)


def committed(lane: Lane, since: int) -> list[BatchState]:
    """An operator's batches since a block."""
    return [one for one in lane.batches() if one.committed.block_number >= since]


def kill_at_random(here: World, since: int, choose: random.Random) -> None:
    """kill -9 each of the five at least once, and start it again; when an operator is gone, one of
    its batches since a block is asked about."""
    five = [*here.lanes, *here.verifiers]
    for one in [*choose.sample(five, 5), *choose.choices(five, k=KILLS_MORE)]:
        time.sleep(choose.uniform(0.5, 4))
        if isinstance(one, Lane):
            one.node.kill()
            demand_one(here, one, since, choose)
            one.node.launch()
        else:
            one.restart()


def leaves(lane: Lane) -> Counter[tuple[bytes, int]]:
    """How often each (requester, nonce) is in a batch of the lane, by the data in its store."""
    store = BatchStore(str(lane.folder / "batches"))
    return Counter(
        (leaf.requester, leaf.nonce)
        for one in lane.batches()
        for leaf in store.get(one.batch.root, one.batch.model_id, one.batch.operator)
    )


def test_kills__of_any_of_five_with_a_failing_rpc__nothing_twice_and_nothing_lost(
    here: World,
) -> None:
    seed = int(os.environ.get("TALLYSTICK_TEST_SEED", "1"))
    print(f"TALLYSTICK_TEST_SEED={seed}")
    choose = random.Random(seed)
    before = [(lane.network.totals(), leaves(lane)) for lane in here.lanes]
    since = here.chain.w3.eth.block_number + 1
    calls, faulted = here.rpc.calls.total(), here.rpc.faulted.total()
    here.rpc.fault = sometimes(FAULTS, share=0.2, seed=seed)
    askers = [Asker(lane, PART) for lane in here.lanes]
    for asker in askers:
        asker.start()

    here.until(
        lambda: all(committed(lane, since) for lane in here.lanes), "both have committed something"
    )
    kill_at_random(here, since, choose)

    for asker in askers:
        asker.lane.node.wait()
        asker.enough.set()
    here.until(lambda: not any(asker.is_alive() for asker in askers), "all is answered")
    batches = set()
    for asker in askers:
        assert asker.failure is None
        assert sorted(asker.answers) == sorted(asker.requests)
        receipts = here.receipts(asker.lane, asker.requests)
        assert asker.receipts
        assert asker.receipts.items() <= receipts.items()
        batches |= {one.batch_id for one in receipts.values()}
    here.until(
        lambda: all(
            (one.state, one.grade) == (State.OPEN, Grade.AUDITED)
            for one in map(here.record, batches)
        ),
        "all is answered for, and audited",
    )
    assert here.rpc.faulted.total() - faulted > (here.rpc.calls.total() - calls) / 8

    for asker, (totals, held) in zip(askers, before, strict=True):
        lane, count = asker.lane, len(asker.requests)
        assert set(leaves(lane).values()) == {1}
        assert leaves(lane).total() == held.total() + count
        assert lane.network.totals() == replace(totals, committed=totals.committed + count)
    demander = here.chain.accounts[DEMANDER]
    for one in batches:
        demands, revealed = here.events(BatchDemanded, one), here.events(LeafRevealed, one)
        assert [event.leaf_index for event in demands] == [event.leaf_index for event in revealed]
        assert len(here.events(BatchAttested, one)) == 1
        assert not here.events(BatchChallenged, one) + here.events(BatchRejected, one)
        by_verifiers = Counter(event.demander for event in demands if event.demander != demander)
        assert set(by_verifiers.values()) <= {1}
    assert any(
        event.demander == demander for one in batches for event in here.events(BatchDemanded, one)
    )
