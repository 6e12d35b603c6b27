"""The data of batches are nowhere to be had: a leaf is demanded on chain, and whoever can answers.

One operator lives and its store does not serve; the other one is dead.
"""

from tallystick.enums import Cause, Grade, State
from tallystick.events import BatchDemanded, BatchRejected, LeafRevealed
from tests.node.together.world import World
from tests.node.verifier.stage import VERIFIERS


def test_withheld__one_answers_demands_and_one_is_dead__only_the_dead_is_rejected(
    here: World,
) -> None:
    alive, dead = here.lanes
    verifiers = {here.chain.accounts[number] for number in VERIFIERS}
    alive.gate.target = dead.gate.target = None
    asked, asked_too = alive.ask(40), dead.ask(40)
    kept = here.committed(alive, asked.requests)
    lost = here.committed(dead, asked_too.requests)
    dead.node.kill()
    before = dead.network.totals()

    # Each verifier asks for what it cannot fetch, once; each is answered with the bytes.
    def answered(batch_id: bytes) -> bool:
        revealed, open_again = here.events(LeafRevealed, batch_id), here.record(batch_id)
        return len(revealed) == len(VERIFIERS) and open_again.state is State.OPEN

    here.until(lambda: all(answered(one) for one in kept), "all demands are answered")
    here.until(
        lambda: all(here.record(one).state is State.DISPUTED for one in lost), "the dead is asked"
    )
    for one in kept:
        demands = here.events(BatchDemanded, one)
        assert {event.demander for event in demands} == verifiers
        assert len(demands) == len(verifiers)
        assert all(event.with_bytes for event in demands)
        assert [event.leaf_index for event in demands] == [
            event.leaf_index for event in here.events(LeafRevealed, one)
        ]

    here.later(dead.network.rules.response_window + 1)
    here.until(lambda: all(here.record(one).state is State.REJECTED for one in lost), "timed out")
    for one in lost:
        assert here.record(one).cause is Cause.TIMEOUT
        (demand,) = here.events(BatchDemanded, one)
        (rejection,) = here.events(BatchRejected, one)
        assert rejection.payee == demand.demander
        assert rejection.leaf_index == demand.leaf_index
        assert demand.demander in verifiers
    assert dead.network.totals().rejected == before.rejected + 40

    # A store that serves again is all that an audit needs.
    alive.gate.target = alive.node.url
    here.until(
        lambda: all(here.record(one).grade is Grade.AUDITED for one in kept), "audited after all"
    )
    assert all(here.record(one).state is State.OPEN for one in kept)
