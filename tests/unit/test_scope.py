"""A ledger of a part of a registry: right about that part, and never silent about the rest.

covers    a network | a lane | networks and models alone
refuses   look-ups, membership and iteration of what it does not have; events of others
"""

from collections.abc import Callable
from typing import Any

import pytest

from tallystick.chain.logs import filters
from tallystick.errors import NotCoveredError
from tallystick.protocol import events
from tallystick.protocol.enums import Grade, Outcome
from tallystick.protocol.events import Event, Position
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.scope import WHOLE, Scope
from tests.unit.test_ledger import ASSET, NETWORK, OPERATOR, OWNER, RULES, STRANGER, Story

ELSEWHERE = b"e" * 32
LANE = Scope.lane(NETWORK, OPERATOR)


@pytest.fixture
def told() -> list[Event]:
    """Two networks, two lanes in one of them, keys, money, batches that end."""
    story = Story()
    for network in (NETWORK, ELSEWHERE):
        story.tell(
            events.NetworkRegistered, network, OWNER, bytes(32), bytes(32), RULES, "name", "uri"
        )
        for account in (OPERATOR, STRANGER, b"c" * 20):
            story.tell(events.Deposited, ASSET, account, 1000)
        for operator in (OPERATOR, STRANGER):
            story.tell(events.OperatorAdmitted, network, operator)
            story.tell(events.Staked, network, operator, 300)
    for operator in (OPERATOR, STRANGER):
        story.tell(events.KeySet, operator, b"k" * 20)
    first = story.commit()
    story.challenge(first)
    story.about(events.ChallengeUpheld, first, 1200, 11, 10)
    story.about(events.BatchAttested, first, Grade.AUDITED)
    story.about(events.BatchFinalized, first, Outcome.AUDITED, 5)
    story.commit(count=2, slot=1)
    story.tell(events.Swept, NETWORK, ASSET, 3)
    return story.told


def part(told: list[Event], scope: Scope) -> Ledger:
    return Ledger.of([event for event in told if scope.has_event(event)], scope)


def test_ledger__of_a_network__as_the_whole_ledger_has_it(told: list[Event]) -> None:
    whole, found = Ledger.of(told), part(told, Scope.network(NETWORK))

    assert found.networks == {NETWORK: whole.networks[NETWORK]}
    assert found.batches == whole.batches
    assert found.totals[NETWORK] == whole.totals[NETWORK]
    assert found.swept[NETWORK] == whole.swept[NETWORK] == 3
    for operator in (OPERATOR, STRANGER):
        assert found.lanes[NETWORK, operator] == whole.lanes[NETWORK, operator]


def test_ledger__of_a_lane__as_the_whole_ledger_has_it(told: list[Event]) -> None:
    whole, found = Ledger.of(told), part(told, LANE)

    assert dict(found.lanes) == {(NETWORK, OPERATOR): whole.lanes[NETWORK, OPERATOR]}
    assert found.batches == whole.batches
    assert found.key_of(OPERATOR) == whole.key_of(OPERATOR) == b"k" * 20


def test_ledger__of_networks_and_models__no_lanes(told: list[Event]) -> None:
    found = part(told, Scope.directory())

    assert list(found.networks) == [NETWORK, ELSEWHERE]
    with pytest.raises(NotCoveredError):
        found.lanes[NETWORK, OPERATOR]


@pytest.mark.parametrize(
    ("scope", "ask"),
    [
        (Scope.network(NETWORK), lambda ledger: ledger.networks[ELSEWHERE]),
        (Scope.network(NETWORK), lambda ledger: ELSEWHERE in ledger.networks),
        (Scope.network(NETWORK), lambda ledger: ledger.totals.get(ELSEWHERE)),
        (Scope.network(NETWORK), lambda ledger: ledger.totals[ELSEWHERE]),
        (Scope.network(NETWORK), lambda ledger: ledger.lanes[ELSEWHERE, OPERATOR]),
        (Scope.network(NETWORK), lambda ledger: ledger.credits[ASSET, OPERATOR]),
        (Scope.network(NETWORK), lambda ledger: list(ledger.credits.items())),
        (Scope.network(NETWORK), lambda ledger: ledger.key_of(OPERATOR)),
        (Scope.network(NETWORK), lambda ledger: ledger.held(ASSET)),
        (LANE, lambda ledger: ledger.totals[NETWORK]),
        (LANE, lambda ledger: list(ledger.totals)),
        (LANE, lambda ledger: len(ledger.totals.values())),
        (LANE, lambda ledger: ledger.swept.get(NETWORK, 0)),
        (LANE, lambda ledger: ledger.lanes.get((NETWORK, STRANGER))),
        (LANE, lambda ledger: ledger.keys_at(STRANGER, 9)),
        (LANE, lambda ledger: ledger.networks.get(ELSEWHERE)),
    ],
)
def test_ledger__asked_about_the_rest__raises_and_never_zero(
    told: list[Event], scope: Scope, ask: Callable[[Ledger], Any]
) -> None:
    with pytest.raises(NotCoveredError, match="covers a part of the registry"):
        ask(part(told, scope))


def test_apply__event_of_another_lane__refused_and_nothing_changes(told: list[Event]) -> None:
    found, last = part(told, LANE), Position(99, 0, b"t" * 32, b"k" * 20)

    with pytest.raises(NotCoveredError, match="Staked"):
        found.apply(events.Staked(NETWORK, STRANGER, 5, position=last))
    with pytest.raises(NotCoveredError):
        found.apply(events.Deposited(ASSET, OPERATOR, 5, position=last))

    assert vars(found) == vars(part(told, LANE))


@pytest.mark.parametrize(
    ("scope", "requests"),
    [
        (WHOLE, 1),
        (Scope.network(NETWORK, ELSEWHERE), 1),
        (LANE, 2),
        (Scope.directory(NETWORK), 1),
        (Scope.directory(), 1),
        (Scope(None, frozenset({OPERATOR})), 3),
    ],
)
def test_filters__any_scope__as_few_requests_as_can_be(scope: Scope, requests: int) -> None:
    assert len(filters(scope)) == requests
    assert scope.name != WHOLE.name or scope == WHOLE
