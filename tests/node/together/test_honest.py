"""Everybody does what they should: everything is counted, audited and final, nobody is disputed."""

from dataclasses import replace

from tallystick.protocol.enums import Grade, Outcome, State
from tallystick.protocol.events import (
    BatchAttested,
    BatchChallenged,
    BatchDemanded,
    BatchFinalized,
    BatchRejected,
)
from tests.node.together.world import World


def test_honest__both_asked_over_http__all_receipted_audited_and_final(here: World) -> None:
    here.finish()
    before = [lane.network.totals() for lane in here.lanes]
    asked = [here.replayed.ask(130), here.judged.ask(170)]
    for lane, one in zip(here.lanes, asked, strict=True):
        assert one.outputs == lane.model.honest.infer(one.inputs)

    ids = [here.committed(lane, one.requests) for lane, one in zip(here.lanes, asked, strict=True)]
    batches = set.union(*ids)

    # Each verifier looks for itself; enough of them sign, and one of them sends the signatures.
    here.until(
        lambda: all(here.found(number, one) == ["good"] for number in range(3) for one in batches),
        "three verifiers look at all batches",
    )
    here.until(
        lambda: all(here.record(one).grade is Grade.AUDITED for one in batches), "all are audited"
    )
    for one in batches:
        assert len(here.events(BatchAttested, one)) == 1
    counted = [lane.network.totals() for lane in here.lanes]
    assert counted == [
        replace(totals, committed=totals.committed + len(one))
        for totals, one in zip(before, asked, strict=True)
    ]

    here.finish()

    counted = [lane.network.totals() for lane in here.lanes]
    assert counted == [
        replace(totals, committed=totals.committed + len(one), audited=totals.audited + len(one))
        for totals, one in zip(before, asked, strict=True)
    ]
    for one in batches:
        assert here.record(one).state is State.FINAL
        (event,) = here.events(BatchFinalized, one)
        assert event.outcome is Outcome.AUDITED
        for kind in (BatchChallenged, BatchDemanded, BatchRejected):
            assert not here.events(kind, one)
