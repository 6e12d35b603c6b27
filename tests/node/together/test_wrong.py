"""One operator answers one request in a hundred wrongly: its batches that hold such an answer are
rejected, once each, and nobody else's."""

from dataclasses import replace

from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.events import (
    BatchChallenged,
    BatchRejected,
    ChallengeLapsed,
    ChallengeUpheld,
)
from tests.node.together.bendable import BENT_EVERY
from tests.node.together.lane import Asked, Lane
from tests.node.together.world import World
from tests.node.verifier.stage import VERIFIERS

COUNT = 200


def wrong(lane: Lane, asked: Asked) -> list[bytes]:
    """The requests whose answers are not the model's."""
    right = lane.model.honest.infer(asked.inputs)
    return [
        request
        for request, output, needed in zip(asked.requests, asked.outputs, right, strict=True)
        if output != needed
    ]


def rejected_for_a_wrong_answer(here: World, lane: Lane, cause: Cause) -> list[bytes]:
    """Ask a bent operator and the honest one; see the one rejected and the other audited.

    Returns:
        The ids of the rejected batches.
    """
    other = here.other(lane)
    before = lane.network.totals(), other.network.totals()
    lane.run(lane.model.bent_runner)
    lane.node.wait()
    asked, asked_too = lane.ask(COUNT), other.ask(COUNT)
    bad_requests = wrong(lane, asked)
    assert len(bad_requests) == COUNT // BENT_EVERY
    assert wrong(other, asked_too) == []

    batches = here.committed(lane, asked.requests)
    bad = here.committed(lane, bad_requests)
    good = (batches - bad) | here.committed(other, asked_too.requests)
    here.until(
        lambda: all(here.record(one).state is State.REJECTED for one in bad), "the wrong rejected"
    )
    here.until(
        lambda: all(here.record(one).grade is Grade.AUDITED for one in good), "the rest audited"
    )

    shares = {one: here.record(one).batch.count for one in batches}
    for one in bad:
        assert here.record(one).cause is cause
        (event,) = here.events(BatchRejected, one)
        assert event.payee in {here.chain.accounts[number] for number in VERIFIERS}
    for one in good:
        assert here.record(one).state is State.OPEN
        assert not here.events(BatchChallenged, one)
    lost = sum(shares[one] for one in bad)
    counted = lane.network.totals()
    assert counted.rejected == before[0].rejected + lost
    assert counted.committed == before[0].committed + COUNT
    assert counted.burned > before[0].burned
    assert other.network.totals() == replace(before[1], committed=before[1].committed + COUNT)
    return sorted(bad)


def test_wrong__where_the_arbiter_replays__disproved_by_one_of_three(here: World) -> None:
    bad = rejected_for_a_wrong_answer(here, here.replayed, Cause.DISPROOF)

    for one in bad:
        assert not here.events(BatchChallenged, one)
        sent = [here.sent(number, one, "disprove", "challenge") for number in range(3)]
        assert max(sent) == 1


def test_wrong__where_a_committee_judges__challenged_by_one_of_three(here: World) -> None:
    bad = rejected_for_a_wrong_answer(here, here.judged, Cause.RULING)

    for one in bad:
        (challenge,) = here.events(BatchChallenged, one)
        (rejection,) = here.events(BatchRejected, one)
        assert rejection.payee == rejection.bond_owner == challenge.challenger
        assert not here.events(ChallengeUpheld, one) + here.events(ChallengeLapsed, one)
        sent = [here.sent(number, one, "disprove", "challenge") for number in range(3)]
        assert max(sent) == 1
