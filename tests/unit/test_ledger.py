"""ledger.py: whole lives of batches, told by the events that the contract would emit.

over: finalized | taken over | rejected (ruling, timeout, without a dispute)
disputed: challenge upheld | lapsed; demand answered
refused: out of order, twice, from elsewhere, without what must precede, against what is known; then
nothing changes
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tallystick.errors import LedgerError, UnknownEventError, UnknownNetworkError
from tallystick.protocol import events
from tallystick.protocol.batch import Batch, PreImage, Stamp
from tallystick.protocol.enums import Cause, DisputeKind, Grade, Outcome, State
from tallystick.protocol.events import Event, Position
from tallystick.protocol.inference import Leaf
from tallystick.protocol.ledger import BatchState, Ledger
from tallystick.protocol.rules import Rules, model_id
from tallystick.protocol.totals import Totals

ASSET = b"$" * 20
OWNER, OPERATOR, CHALLENGER, STRANGER = b"w" * 20, b"o" * 20, b"c" * 20, b"s" * 20
NETWORK = b"n" * 32
MODEL = model_id(NETWORK, OWNER, b"1" * 32, b"2" * 32)
RULES = Rules(
    asset=ASSET,
    arbiter=b"a" * 20,
    stake_per_inference=10,
    challenge_bond=21,
    demand_bond=6,
    max_bytes=100,
    challenge_window=100,
    response_window=50,
    ruling_window=80,
)
LEAF = Leaf(bytes(20), 2, 1020, b"i" * 32, b"o" * 32, bytes(32))


class Story:
    """Events one after another, and the ledger that follows them."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.told: list[Event] = []
        self.moved = 0
        """What tokens the registry must hold by deposits, withdrawals and sweeps."""

    def tell(self, kind: Callable[..., Event], *args: Any, **fields: Any) -> None:
        position = Position(1 + len(self.told) // 3, len(self.told) % 3, b"t" * 32, b"k" * 20)
        event = kind(*args, **fields, position=position)
        self.told.append(event)
        self.ledger.apply(event)
        if isinstance(event, events.Deposited):
            self.moved += event.amount
        if isinstance(event, events.Withdrawn | events.Swept):
            self.moved -= event.amount
        assert self.ledger.held(ASSET) == self.moved
        for network, totals in self.ledger.totals.items():
            lanes = [lane for (named, _), lane in self.ledger.lanes.items() if named == network]
            assert sum(lane.open_inferences for lane in lanes) == totals.open

    def commit(self, count: int = 5, slot: int = 0, over: BatchState | None = None) -> bytes:
        index = self.ledger.lanes[NETWORK, OPERATOR].next_index
        stamp = Stamp(slot, count, 1000 + index, 50 + index, 1100 + index)
        batch = Batch(NETWORK, OPERATOR, index, MODEL, bytes([index]) * 32, count, 1020)
        self.tell(
            events.BatchCommitted,
            NETWORK,
            OPERATOR,
            batch.id(),
            MODEL,
            batch.root,
            index,
            batch.commit_deadline,
            stamp,
            over.id if over else bytes(32),
            over.outcome if over else Outcome.UNCHALLENGED,
            over.batch.count if over else 0,
        )
        return batch.id()

    def about(self, kind: Callable[..., Event], batch: bytes, *args: Any) -> None:
        self.tell(kind, NETWORK, OPERATOR, batch, *args)

    def challenge(self, batch: bytes) -> None:
        self.about(events.BatchChallenged, batch, CHALLENGER, 3, b"l" * 32, 1080)

    def demand(self, batch: bytes) -> None:
        self.about(events.BatchDemanded, batch, CHALLENGER, 2, True, 1050)

    def reject(self, batch: bytes, cause: Cause, bond: int, payee: bytes = CHALLENGER) -> None:
        count = self.ledger.batches[batch].batch.count
        slash = RULES.stake_per_inference * count
        reward = RULES.reward(slash)
        dispute = self.ledger.batches[batch].dispute
        owner = dispute.party if dispute else bytes(20)
        self.about(
            events.BatchRejected,
            batch,
            cause,
            3,
            count,
            payee,
            reward,
            slash - reward,
            owner,
            bond,
        )

    @property
    def totals(self) -> Totals:
        return self.ledger.totals[NETWORK]

    def credit(self, account: bytes) -> int:
        return self.ledger.credits[ASSET, account]


def state(ledger: Ledger) -> dict[str, Any]:
    """All that a ledger says, but where it stands; entries of what was never named are none."""
    said = copy.deepcopy(vars(ledger))
    del said["last"], said["passed_over"]
    return said


REJECTED = events.BatchRejected
LOST = (Cause.ORDER, 1, 5, STRANGER, 25, 25)


@pytest.fixture
def story() -> Story:
    story = Story()
    story.tell(
        events.NetworkRegistered,
        NETWORK,
        OWNER,
        bytes(32),
        b"x" * 32,
        RULES,
        "net",
        "https://net",
    )
    story.tell(
        events.ModelRegistered,
        NETWORK,
        OWNER,
        MODEL,
        b"1" * 32,
        b"2" * 32,
        bytes(32),
        "model",
        "uri",
    )
    story.tell(events.OperatorAdmitted, NETWORK, OPERATOR)
    for account in (OPERATOR, CHALLENGER):
        story.tell(events.Deposited, ASSET, account, 1000)
    story.tell(events.Staked, NETWORK, OPERATOR, 900)
    return story


def test_apply__registrations__fill_networks_models_and_lanes(story: Story) -> None:
    story.tell(events.OperatorClosed, NETWORK, OPERATOR)

    network, model = story.ledger.networks[NETWORK], story.ledger.models[MODEL]
    lane = story.ledger.lanes[NETWORK, OPERATOR]
    assert (network.owner, network.rules, network.name) == (OWNER, RULES, "net")
    assert (model.network_id, model.registrant, model.name) == (NETWORK, OWNER, "model")
    assert (lane.stake, lane.admitted, lane.closed) == (900, True, True)


def test_apply__admitted_again__opens_the_lane(story: Story) -> None:
    story.tell(events.OperatorClosed, NETWORK, OPERATOR)

    story.tell(events.OperatorAdmitted, NETWORK, OPERATOR)

    assert not story.ledger.lanes[NETWORK, OPERATOR].closed


def test_apply__money_in_and_out__moves_credit(story: Story) -> None:
    story.tell(events.Unstaked, NETWORK, OPERATOR, 400)
    story.tell(events.Withdrawn, ASSET, OPERATOR, STRANGER, 450)

    assert story.credit(OPERATOR) == 50
    assert story.ledger.lanes[NETWORK, OPERATOR].stake == 500
    assert story.credit(STRANGER) == 0


def test_apply__committed__opens_a_batch_in_its_slot(story: Story) -> None:
    batch = story.commit(count=7, slot=3)

    record, lane = story.ledger.batches[batch], story.ledger.lanes[NETWORK, OPERATOR]
    assert (record.state, record.grade, record.dispute) == (State.OPEN, Grade.UNCHALLENGED, None)
    assert (lane.next_index, lane.open_inferences, lane.slots) == (1, 7, {3: batch})
    assert story.totals == Totals(committed=7)
    assert record.committed == story.told[-1].position
    assert record.word == PreImage(record.batch, record.stamp).word(State.OPEN)


@pytest.mark.parametrize("grade", [Grade.AUDITED, Grade.ENCLAVE, Grade.PROVEN])
def test_apply__finalized_with_a_grade__counts_as_verified(story: Story, grade: Grade) -> None:
    batch = story.commit()
    story.about(events.BatchAttested, batch, grade)

    story.about(events.BatchFinalized, batch, Outcome[grade.name], 5)

    assert story.totals == Totals(committed=5, **{grade.name.lower(): 5})
    assert (story.totals.verified, story.totals.open) == (5, 0)
    assert story.ledger.batches[batch].word[31] == grade << 4 | State.FINAL


def test_apply__finalized_without_evidence__is_unchallenged_and_not_verified(story: Story) -> None:
    batch = story.commit()

    story.about(events.BatchFinalized, batch, Outcome.UNCHALLENGED, 5)
    story.about(events.BatchArchived, batch)

    assert story.totals == Totals(committed=5, unchallenged=5)
    assert story.totals.verified == 0
    assert story.ledger.batches[batch].archived


def test_apply__slot_taken_over__finalizes_the_batch_before(story: Story) -> None:
    first = story.commit(count=5)
    story.about(events.BatchAttested, first, Grade.AUDITED)

    second = story.commit(count=3, over=story.ledger.batches[first])

    lane = story.ledger.lanes[NETWORK, OPERATOR]
    assert story.totals == Totals(committed=8, audited=5)
    assert story.ledger.batches[first].state is State.FINAL
    assert (lane.open_inferences, lane.slots) == (3, {0: second})


def test_apply__slot_of_a_final_batch_reused__final_stays_final(story: Story) -> None:
    first = story.commit()
    story.about(events.BatchFinalized, first, Outcome.UNCHALLENGED, 5)

    story.commit()

    assert story.ledger.batches[first].state is State.FINAL
    assert story.totals == Totals(committed=10, unchallenged=5)


def test_apply__challenged__holds_the_bond_and_tells_the_pre_image(story: Story) -> None:
    batch = story.commit()

    story.challenge(batch)

    record = story.ledger.batches[batch]
    dispute = record.pre_image.dispute
    assert record.state is State.DISPUTED
    assert (dispute.kind, dispute.party, dispute.leaf_index, dispute.leaf, dispute.due) == (
        DisputeKind.CHALLENGE,
        CHALLENGER,
        3,
        b"l" * 32,
        1080,
    )
    assert story.credit(CHALLENGER) == 1000 - 21


def test_apply__challenge_upheld__splits_the_bond_and_moves_the_window(story: Story) -> None:
    batch = story.commit()
    story.challenge(batch)

    story.about(events.ChallengeUpheld, batch, 1180, 10, 11)

    record = story.ledger.batches[batch]
    assert (record.state, record.dispute, record.lapsed) == (State.OPEN, None, False)
    assert record.stamp.closes_at == 1180
    assert (story.credit(OPERATOR), story.credit(CHALLENGER)) == (110, 979)
    assert story.totals == Totals(committed=5, burned=11)


def test_apply__challenge_lapsed__is_unresolved_whatever_the_grade(story: Story) -> None:
    batch = story.commit()
    story.about(events.BatchAttested, batch, Grade.AUDITED)
    story.challenge(batch)

    story.about(events.ChallengeLapsed, batch, 1190, CHALLENGER, 10, 11)
    story.about(events.BatchFinalized, batch, Outcome.UNRESOLVED, 5)

    assert story.credit(CHALLENGER) == 1000 - 21 + 10
    assert story.totals == Totals(committed=5, unresolved=5, burned=11)
    assert story.ledger.batches[batch].lapsed


@pytest.mark.parametrize(("closes_at", "lapsed"), [(2220, False), (2221, True)])
@pytest.mark.parametrize("kind", ["revealed", "upheld"])
def test_apply__reopened_behind_its_life__is_lapsed(
    story: Story, kind: str, closes_at: int, lapsed: bool
) -> None:
    batch = story.commit()
    story.about(events.BatchAttested, batch, Grade.AUDITED)

    if kind == "revealed":
        story.demand(batch)
        story.about(events.LeafRevealed, batch, 2, LEAF, closes_at, 6, ())
    else:
        story.challenge(batch)
        story.about(events.ChallengeUpheld, batch, closes_at, 10, 11)

    record = story.ledger.batches[batch]
    assert story.ledger.networks[NETWORK].rules.lapse_after == 1220
    assert record.lapsed is lapsed
    assert record.outcome is (Outcome.UNRESOLVED if lapsed else Outcome.AUDITED)


def test_key_of__set_twice__the_latest_and_at_each_block(story: Story) -> None:
    block = story.told[-1].position.block_number
    assert story.ledger.key_of(OPERATOR) == bytes(20)
    story.tell(events.KeySet, OPERATOR, b"1" * 20)
    story.tell(events.KeySet, STRANGER, b"?" * 20)
    story.tell(events.Deposited, ASSET, STRANGER, 1)
    story.tell(events.KeySet, OPERATOR, b"2" * 20)
    story.tell(events.KeySet, OPERATOR, bytes(20))
    first, _, _, second, none = (one.position.block_number for one in story.told[-5:])
    assert first < second == none

    ledger = story.ledger
    assert (ledger.key_of(OPERATOR), ledger.key_of(STRANGER)) == (bytes(20), b"?" * 20)
    assert ledger.keys_at(OPERATOR, block) == set()
    assert ledger.keys_at(OPERATOR, first) == {b"1" * 20}
    assert ledger.keys_at(OPERATOR, second) == {b"1" * 20, b"2" * 20}
    assert ledger.keys_at(OPERATOR, none + 1) == set()
    assert ledger.keys_at(b"never" * 4, none) == set()


def test_apply__cargo__changes_nothing(story: Story) -> None:
    batch = story.commit()
    before = state(story.ledger)

    story.tell(events.EvidenceAccepted, batch, Grade.AUDITED, b"signatures")
    story.tell(events.BytesRevealed, b"?" * 32, 1, b"in", b"out")

    assert state(story.ledger) == before


def test_pass_over__an_event__counted_and_behind(story: Story) -> None:
    before = state(story.ledger)
    stray = events.Unstaked(b"?" * 32, OPERATOR, 0, position=Position(99, 0, b"t" * 32, b"k" * 20))

    story.ledger.pass_over(stray)

    assert (story.ledger.passed_over, state(story.ledger)) == (1, before)
    with pytest.raises(LedgerError, match="not after"):
        story.ledger.pass_over(stray)
    story.ledger.apply(
        replace(stray, network_id=NETWORK, position=replace(stray.position, log_index=1))
    )


def test_apply__demand_answered__pays_the_operator(story: Story) -> None:
    batch = story.commit()
    story.demand(batch)
    dispute = story.ledger.batches[batch].pre_image.dispute

    story.about(events.LeafRevealed, batch, 2, LEAF, 1110, 6, (b"p" * 32,))

    assert (dispute.kind, dispute.with_bytes, dispute.leaf) == (DisputeKind.DEMAND, True, bytes(32))
    assert (story.credit(OPERATOR), story.credit(CHALLENGER)) == (106, 994)
    assert story.ledger.batches[batch].stamp.closes_at == 1110
    assert story.totals.burned == 0


def test_apply__rejected_by_ruling__slashes_rewards_and_archives(story: Story) -> None:
    batch = story.commit(count=80)
    story.challenge(batch)

    story.reject(batch, Cause.RULING, bond=21)

    record, lane = story.ledger.batches[batch], story.ledger.lanes[NETWORK, OPERATOR]
    assert (record.state, record.cause, record.leaf_index) == (State.REJECTED, Cause.RULING, 3)
    assert record.archived and record.dispute is None
    assert record.word[31] == State.REJECTED
    assert (lane.stake, lane.open_inferences) == (100, 0)
    assert story.credit(CHALLENGER) == 1000 + 16 * 21
    assert story.totals == Totals(committed=80, rejected=80, burned=800 - 16 * 21)


def test_apply__rejected_by_timeout__gives_the_demand_bond_back(story: Story) -> None:
    batch = story.commit()
    story.demand(batch)

    story.reject(batch, Cause.TIMEOUT, bond=6)

    assert story.credit(CHALLENGER) == 1000 + 25
    assert story.totals == Totals(committed=5, rejected=5, burned=25)


def test_apply__fault_during_a_challenge__pays_prover_and_bond_owner(story: Story) -> None:
    batch = story.commit()
    story.challenge(batch)

    story.about(
        events.BatchRejected,
        batch,
        Cause.ORDER,
        1,
        5,
        STRANGER,
        25,
        25,
        CHALLENGER,
        21,
    )

    assert (story.credit(STRANGER), story.credit(CHALLENGER)) == (25, 1000)


def test_apply__swept__leaves_the_registry(story: Story) -> None:
    batch = story.commit()
    story.reject(batch, Cause.DISPROOF, bond=0)

    story.tell(events.Swept, NETWORK, ASSET, 25)

    assert story.ledger.swept[NETWORK] == 25
    assert story.totals.burned == 25


def test_apply__unknown_network__says_which(story: Story) -> None:
    with pytest.raises(UnknownNetworkError) as raised:
        story.tell(events.Unstaked, b"?" * 32, OPERATOR, 0)

    assert raised.value.network_id == b"?" * 32
    assert (b"?" * 32, OPERATOR) not in story.ledger.lanes


def test_of__the_same_events__same_ledger(story: Story) -> None:
    batch = story.commit()
    story.challenge(batch)

    again = Ledger.of(story.told)

    assert vars(again) == vars(story.ledger)


def test_apply__event_twice__raises(story: Story) -> None:
    with pytest.raises(LedgerError, match="not after"):
        story.ledger.apply(story.told[-1])


def test_apply__event_of_another_contract__raises(story: Story) -> None:
    position = Position(99, 0, bytes(32), b"?" * 20)

    with pytest.raises(LedgerError, match="not from contract"):
        story.ledger.apply(events.Deposited(ASSET, OPERATOR, 1, position=position))


def test_apply__no_event_at_all__raises(story: Story) -> None:
    with pytest.raises(UnknownEventError, match="dict"):
        story.ledger.apply({})  # type: ignore[arg-type]


def test_apply__event_kind_of_no_contract__raises(story: Story) -> None:
    class Renamed(Event):
        pass

    with pytest.raises(UnknownEventError, match="Renamed"):
        story.ledger.apply(Renamed(position=Position(99, 0, bytes(32), b"k" * 20)))


@pytest.mark.parametrize(
    ("tell", "reason"),
    [
        (lambda s, b: s.tell(events.Withdrawn, ASSET, OPERATOR, OPERATOR, 101), "below zero"),
        (lambda s, b: s.tell(events.Staked, NETWORK, OPERATOR, 101), "below zero"),
        (lambda s, b: s.tell(events.Unstaked, NETWORK, OPERATOR, 901), "stake would fall"),
        (lambda s, b: s.tell(events.Staked, b"?" * 32, OPERATOR, 1), "has registered network"),
        (lambda s, b: s.tell(events.Swept, NETWORK, ASSET, 1), "more was swept"),
        (lambda s, b: s.tell(events.BatchAttested, NETWORK, OPERATOR, b"?" * 32, 1), "committed"),
        (lambda s, b: s.tell(events.BatchArchived, NETWORK, OPERATOR, b), "is open"),
        (lambda s, b: s.tell(events.BatchAttested, NETWORK, STRANGER, b, Grade.AUDITED), "lane"),
        (
            lambda s, b: s.about(events.BatchAttested, b, Grade.UNCHALLENGED),
            "is UNCHALLENGED already",
        ),
        (lambda s, b: s.about(events.BatchFinalized, b, Outcome.AUDITED, 5), "is UNCHALLENGED by"),
        (lambda s, b: s.about(events.BatchFinalized, b, Outcome.UNCHALLENGED, 4), "5 inferences"),
        (lambda s, b: s.about(events.ChallengeUpheld, b, 1180, 10, 11), "is open"),
        (lambda s, b: (s.demand(b), s.about(events.ChallengeUpheld, b, 1, 3, 3)), "no challenge"),
        (
            lambda s, b: (s.demand(b), s.about(events.LeafRevealed, b, 2, LEAF, 1, 7, ())),
            "bond is 6",
        ),
        (lambda s, b: (s.demand(b), s.challenge(b)), "is disputed"),
        (lambda s, b: (s.demand(b), s.reject(b, Cause.TIMEOUT, bond=0)), "bond is 6"),
        (lambda s, b: (s.challenge(b), s.about(REJECTED, b, *LOST, STRANGER, 21)), "bond is of"),
        (lambda s, b: s.about(REJECTED, b, *LOST, STRANGER, 0), "bond is of"),
        (lambda s, b: (s.demand(b), s.about(events.LeafRevealed, b, 2, LEAF, 2**40, 6, ())), "40"),
        (lambda s, b: s.about(REJECTED, b, *LOST[:4], 900, 1, bytes(20), 0), "stake would fall"),
        (lambda s, b: s.tell(events.Swept, NETWORK, STRANGER, 0), "asset is"),
        (lambda s, b: s.commit(slot=0), "not over"),
        (lambda s, b: s.commit(slot=1, over=s.ledger.batches[b]), "slot 1 held"),
    ],
)
def test_apply__event_that_cannot_follow__raises(
    story: Story, tell: Callable[[Story, bytes], None], reason: str
) -> None:
    batch = story.commit()

    with pytest.raises(LedgerError, match=reason):
        tell(story, batch)

    # All but the event that was refused, wholly.
    assert state(story.ledger) == state(Ledger.of(story.told[:-1]))
    assert story.ledger.last == story.told[-2].position


@pytest.mark.parametrize("change", [{"index": 1}, {"root": b"?" * 32}, {"commit_deadline": 1}])
def test_apply__commit_whose_fields_miss_its_id__raises(
    story: Story, change: dict[str, Any]
) -> None:
    story.commit()
    ledger = Ledger.of(story.told[:-1])
    committed = story.told[-1]
    assert isinstance(committed, events.BatchCommitted)

    with pytest.raises(LedgerError, match="hash to batch"):
        ledger.apply(replace(committed, **change))


def test_apply__a_commit_missing__raises_at_the_next(story: Story) -> None:
    story.commit(slot=0)
    story.commit(slot=1)
    gap = [*story.told[:-2], story.told[-1]]

    with pytest.raises(LedgerError, match="next index is 0"):
        Ledger.of(gap)


def test_apply__model_whose_fields_miss_its_id__raises(story: Story) -> None:
    model = story.told[1]
    assert isinstance(model, events.ModelRegistered)

    with pytest.raises(LedgerError, match="hash to model"):
        Ledger.of([story.told[0], replace(model, spec_hash=bytes(32))])


def test_apply__network_registered_twice__raises(story: Story) -> None:
    with pytest.raises(LedgerError, match="registered already"):
        story.tell(
            events.NetworkRegistered, NETWORK, OWNER, bytes(32), bytes(32), RULES, "again", ""
        )
