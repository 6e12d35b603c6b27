"""Leaves that one verifier draws for itself, by a secret that it never shows.

drawn      checked as those that everybody draws; other ones for each node, the same after a restart
wrong      found where the draw misses it: no audit, and a challenge
demanded   a leaf that nobody can foretell
"""

from structlog.testing import capture_logs

from tallystick.node.verifier.findings import FindingKind
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.sampling import draw
from tests.node.verifier.stage import DRAWN, VERIFIERS, Stage, rounds
from tests.support.story import Committed, fund

COUNT = 300


def public(staged: Stage, batch: Committed) -> set[int]:
    return set(draw(staged.committee.seed(batch), batch.id, DRAWN, COUNT))


def own(staged: Stage, batch: Committed, verifier: Verifier) -> set[int]:
    """The leaves that a verifier alone draws."""
    verifier.watch.sync()
    open_batch = verifier.watch.open_batch(batch.id)
    assert open_batch is not None
    drawn = verifier._inspector._drawn(open_batch, staged.committee.seed(batch))
    assert public(staged, batch) <= set(drawn)
    return set(drawn) - public(staged, batch)


def missed_by_the_draw(staged: Stage) -> Committed:
    """Commit batches whose leaf 7 is wrong, until a draw misses it."""
    while True:
        batch = staged.commit(COUNT, wrong=[7])
        staged.seeded()
        if 7 not in public(staged, batch):
            return batch


def test_drawn__three_nodes__each_its_own_also_after_a_restart(staged: Stage) -> None:
    batch = staged.commit(COUNT)
    staged.seeded()

    drawn = [own(staged, batch, staged.verifier(number)) for number in VERIFIERS]

    assert all(8 <= len(leaves) <= 16 for leaves in drawn)
    assert len({frozenset(leaves) for leaves in drawn}) == 3
    assert own(staged, batch, staged.verifier(VERIFIERS[0])) == drawn[0]
    assert own(staged, batch, staged.verifier(VERIFIERS[0], drawn_private=0)) == set()


def test_tick__whatever_is_logged__not_the_secret(staged: Stage) -> None:
    staged.commit(20)
    staged.commit(20, kept=False)
    staged.seeded()
    verifier = staged.verifier()

    with capture_logs() as told:
        rounds(verifier)

    secret = verifier.journal.secret("draw")
    assert len(secret) == 32
    assert secret != staged.verifier(VERIFIERS[1]).journal.secret("draw")
    assert told
    assert secret.hex() not in repr(told)
    assert repr(secret) not in repr(told)


def test_tick__wrong_leaf_that_is_not_drawn__no_audit_and_a_challenge(staged: Stage) -> None:
    batch = missed_by_the_draw(staged)
    finder = staged.verifier(VERIFIERS[0], drawn_private=COUNT)
    blind = [staged.verifier(number, drawn_private=0) for number in VERIFIERS[1:]]

    rounds(finder)

    found = finder.journal.finding(batch.id)
    assert found is not None
    assert (found.kind, found.leaf_index) == (FindingKind.WRONG, 7)
    assert finder.journal.audits() == 0
    record = staged.record(batch)
    assert (record.state, record.dispute.leaf_index) == (State.DISPUTED, 7)
    # The others drew nothing wrong, and rule on the challenged leaf.
    rounds(finder, *blind)
    record = staged.record(batch)
    assert (record.state, record.cause) == (State.REJECTED, Cause.RULING)


def test_tick__no_money_for_a_challenge__no_audit_either(staged: Stage) -> None:
    batch = staged.commit(COUNT, wrong=[7])
    staged.seeded()
    finder = staged.verifier(drawn_private=COUNT, spending_cap_per_day=0)

    rounds(finder)

    assert finder.journal.audits() == 0
    assert staged.record(batch).grade is Grade.UNCHALLENGED


def test_tick__good_until_a_challenged_leaf_is_run__no_audit_from_then_on(staged: Stage) -> None:
    batch = missed_by_the_draw(staged)
    judges = "0x" + staged.judges.address.hex()
    verifier = staged.verifier(drawn_private=0, drawn=1, committees=[judges])
    rounds(verifier, count=1)
    found = verifier.journal.finding(batch.id)
    assert found is not None
    assert found.kind == FindingKind.GOOD
    challenger = staged.chain.accounts[8]
    arguments = batch.batch.abi(), batch.stamp.pack(), batch.opening(7)
    staged.chain.send(challenger, "challenge", *arguments)

    rounds(verifier)

    found = verifier.journal.finding(batch.id)
    assert found is not None
    assert (found.kind, found.leaf_index) == (FindingKind.WRONG, 7)


def test_tick__withheld__another_leaf_each_time_and_of_those_drawn(staged: Stage) -> None:
    verifier = staged.verifier(drawn_private=0)
    batches = [staged.commit(COUNT, kept=False) for _ in range(8)]
    staged.seeded()
    fund(staged.chain, bytes(20), staged.chain.accounts[VERIFIERS[0]], 10**17)

    rounds(verifier)

    places = []
    for batch in batches:
        drawn = sorted(public(staged, batch))
        index = staged.record(batch).dispute.leaf_index
        assert index in drawn
        places.append(drawn.index(index))
    assert len(set(places)) > 2
