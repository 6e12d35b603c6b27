"""kill -9 at random times, over and over: nothing done twice, nothing missed."""

from tallystick.chain.logs import read_events
from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.events import BatchAttested, BatchChallenged, BatchDemanded
from tests.node.verifier.killing import kill_until
from tests.node.verifier.stage import OTHER, VERIFIERS, Stage


def test_kill__at_random__each_move_once_and_none_missed(staged: Stage) -> None:
    good = [staged.commit(20 + number) for number in range(4)]
    bad = [staged.commit(100, wrong=[number]) for number in (3, 60)]
    gone = staged.commit(30, operator=OTHER, kept=False)
    staged.seeded()
    before = {number: staged.sent(number) for number in VERIFIERS}

    def over() -> bool:
        found = staged.chain.ledger().batches
        return (
            all(found[one.id].grade is Grade.AUDITED for one in good)
            and all(found[one.id].state is State.REJECTED for one in bad)
            and found[gone.id].state is not State.OPEN
        )

    kills = kill_until(over, staged, drawn=200)

    assert kills >= 9
    found = {one.id: staged.record(one) for one in [*good, *bad, gone]}
    assert {found[one.id].cause for one in bad} == {Cause.RULING}
    w3 = staged.chain.w3
    events = list(read_events(w3, staged.chain.registry.address, 0, w3.eth.block_number))
    for kind, batches in ((BatchAttested, good), (BatchChallenged, bad), (BatchDemanded, [gone])):
        ids = [event.batch_id for event in events if isinstance(event, kind)]
        assert sorted(ids) == sorted(one.id for one in batches)
    for number in VERIFIERS:
        verifier = staged.verifier(number)
        verifier.outbox.settle()
        assert sum(count for _, _, count in verifier.journal.made()) == (
            staged.sent(number) - before[number]
        )
