"""kill -9 at random times, over and over: nothing done twice, nothing missed.

A child of this process is the verifier; it lives for some milliseconds at a time.
"""

import multiprocessing
import random
import time

from tallystick.chain.logs import read_events
from tallystick.node.verifier import tried
from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.events import BatchAttested, BatchChallenged, BatchDemanded
from tests.node.verifier.stage import OTHER, VERIFIERS, Stage


def verify(stage: Stage, number: int) -> None:
    # Killed while it read a file, it would let that one rest for longer than the test lasts.
    tried.AGAIN_AFTER, tried.MOST = 0.0, 1000
    verifier = stage.verifier(number, drawn=200)
    while True:
        verifier.tick()


def test_kill__at_random__each_move_once_and_none_missed(staged: Stage) -> None:
    good = [staged.commit(20 + number) for number in range(4)]
    bad = [staged.commit(100, wrong=[number]) for number in (3, 60)]
    gone = staged.commit(30, operator=OTHER, kept=False)
    staged.seeded()
    before = {number: staged.sent(number) for number in VERIFIERS}
    chance, fork = random.Random(5), multiprocessing.get_context("fork")
    kills, rounds, deadline = 0, 0, time.monotonic() + 180

    def over() -> bool:
        found = staged.chain.ledger().batches
        return (
            all(found[one.id].grade is Grade.AUDITED for one in good)
            and all(found[one.id].state is State.REJECTED for one in bad)
            and found[gone.id].state is not State.OPEN
        )

    while not over() and time.monotonic() < deadline:
        children = [
            fork.Process(target=verify, args=(staged, number), daemon=True) for number in VERIFIERS
        ]
        for child in children:
            child.start()
        # Longer each time: on a busy machine a short life is all beginning.
        time.sleep(chance.uniform(0.05, 0.2) * 1.25**rounds)
        rounds += 1
        for child in children:
            child.kill()
            child.join()
            kills += 1

    assert over(), "not all done"
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
