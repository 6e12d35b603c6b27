"""The data of batches are nowhere to be had: a leaf is demanded on chain, and whoever can answers.

One operator lives and its store does not serve; the other one is dead.
"""

from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.events import BatchDemanded, BatchRejected, LeafRevealed
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

    # One of three verifiers asks for what none can fetch, and is answered with the bytes.
    def answered(batch_id: bytes) -> bool:
        return bool(here.events(LeafRevealed, batch_id)) and (
            here.record(batch_id).state is State.OPEN
        )

    here.until(lambda: all(answered(one) for one in kept), "all demands are answered")
    here.until(
        lambda: all(here.record(one).state is State.DISPUTED for one in lost), "the dead is asked"
    )
    here.pass_turns()
    for one in kept:
        (demand,) = here.events(BatchDemanded, one)
        (revealed,) = here.events(LeafRevealed, one)
        assert demand.demander in verifiers
        assert demand.with_bytes
        assert demand.leaf_index == revealed.leaf_index

    here.later(dead.network.rules.response_window + 1)
    here.until(lambda: all(here.record(one).state is State.REJECTED for one in lost), "timed out")
    for one in lost:
        assert here.record(one).cause is Cause.TIMEOUT
        (demand,) = here.events(BatchDemanded, one)
        (rejection,) = here.events(BatchRejected, one)
        assert rejection.payee == demand.demander
        assert rejection.leaf_index == demand.leaf_index
        assert demand.demander in verifiers

    # Whatever else of that lane nobody had fetched is lost with it, and counted likewise.
    def rejected() -> dict[bytes, int]:
        found = here.events(BatchRejected)
        return {one.batch_id: one.count for one in found if one.network_id == dead.network.id}

    assert sum(rejected()[one] for one in lost) == 40
    here.until(
        lambda: dead.network.totals().rejected == sum(rejected().values()), "all are counted"
    )

    # A store that serves again is all that an audit needs.
    alive.gate.target = alive.node.url
    here.until(
        lambda: all(here.record(one).grade is Grade.AUDITED for one in kept), "audited after all"
    )
    assert all(here.record(one).state is State.OPEN for one in kept)


def test_withheld__one_of_three_verifiers_is_dead__asked_once_all_the_same(here: World) -> None:
    lane, _ = here.lanes
    lane.gate.target = None
    gone, *living = here.verifiers
    gone.kill()
    batches: set[bytes] = set()
    # Some of them it would have been the dead one's turn to ask for.
    while not any(here.first(one) == gone.number for one in batches):
        batches |= here.committed(lane, lane.ask(4).requests)

    here.until(
        lambda: all(here.events(LeafRevealed, one) for one in batches), "each is asked for a leaf"
    )
    here.pass_turns()
    demanders = {here.chain.accounts[one.number] for one in living}
    for one in batches:
        (demand,) = here.events(BatchDemanded, one)
        assert demand.demander in demanders
        assert here.record(one).state is State.OPEN
