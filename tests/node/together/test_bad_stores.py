"""One operator's store serves garbage, bytes without end, or nothing for ever: nobody else feels
it, and the operator, who answers what is demanded, keeps its batches."""

import pytest

from tallystick.protocol.enums import Grade, State
from tallystick.protocol.events import BatchRejected, LeafRevealed
from tests.node.together.world import World
from tests.node.verifier.bad_store import Kind, bad_store

MOST_TAKEN = 16 << 20
"""Bytes of one answer: the limit that is set, and what is on its way by then."""


@pytest.mark.parametrize("kind", ["garbage", "announcing", "hanging"])
def test_bad_store__of_one_operator__the_other_is_audited_meanwhile(
    here: World, kind: Kind
) -> None:
    bad, good = here.lanes
    pids = [one.process.pid for one in here.verifiers]
    bad.gate.most = 0
    with bad_store(kind) as url:
        bad.gate.target = url
        asked, asked_too = bad.ask(20), good.ask(20)
        unseen = here.committed(bad, asked.requests)
        here.until(
            lambda: all(
                here.found(number, one)[:1] == ["withheld"] for number in range(3) for one in unseen
            ),
            "all verifiers have looked in vain",
        )
        seen = here.committed(good, asked_too.requests)
        here.until(
            lambda: all(here.record(one).grade is Grade.AUDITED for one in seen),
            "the other one is audited",
        )
        # Without its data, a batch lives by the leaves that are revealed on chain.
        here.until(
            lambda: all(here.events(LeafRevealed, one) for one in unseen),
            "demands are answered",
        )
        assert all(here.record(one).grade is Grade.UNCHALLENGED for one in unseen)
        taken = bad.gate.most

    bad.gate.target = bad.node.url
    here.until(
        lambda: all(here.record(one).grade is Grade.AUDITED for one in unseen),
        "audited when the store is well again",
    )
    for one in unseen | seen:
        assert here.record(one).state is State.OPEN
        assert not here.events(BatchRejected, one)
    assert [one.process.pid for one in here.verifiers] == pids
    assert all(one.process.poll() is None for one in here.verifiers)
    assert taken < MOST_TAKEN
