"""Olas: each delivered request counts once, and nothing is verified."""

import pytest

from tests.integration.networks.conftest import Follower
from tests.support.chain import Chain
from tests.support.standins import Standin

MECH, ALICE, BOB = ("0x" + digit * 40 for digit in "123")
ON_REQUEST = ("unchecked", "delivered on a request")
IN_BULK = ("unchecked", "delivered in bulk, on signatures of the requester")


def ids(*numbers: int) -> list[bytes]:
    return [number.to_bytes(32, "big") for number in numbers]


@pytest.fixture
def olas(chain: Chain) -> Standin:
    return Standin(chain, "Olas")


def test_follow__delivered_and_too_late__only_what_was_delivered_counts(
    olas: Standin, follower: Follower
) -> None:
    olas.send("request", MECH, ALICE, ids(1, 2), [b"a", b"b"])
    olas.send("request", MECH, BOB, ids(3), [b"c"])
    olas.send("deliver", MECH, [ALICE, ALICE, BOB], 3, ids(1, 2, 3), [True, False, True])

    state = follower.run("olas", olas)

    assert follower.verdicts("olas") == {ON_REQUEST: 2}
    assert state.measures == {"requests": 3, "requesters": 2, "delivered_again": 0}


def test_follow__settled_in_bulk__counts_without_a_request_on_chain(
    olas: Standin, follower: Follower
) -> None:
    olas.send("deliverSigned", MECH, ALICE, 3, ids(1, 2, 3))

    state = follower.run("olas", olas)

    assert follower.verdicts("olas") == {IN_BULK: 3}
    assert state.measures["requesters"] == 1


def test_follow__delivered_twice__counts_once(olas: Standin, follower: Follower) -> None:
    olas.send("request", MECH, ALICE, ids(1), [b"a"])
    olas.send("deliver", MECH, [ALICE], 1, ids(1), [True])
    olas.send("deliver", MECH, [ALICE], 1, ids(1), [True])
    olas.send("deliverSigned", MECH, ALICE, 1, ids(1))

    state = follower.run("olas", olas)

    assert follower.verdicts("olas") == {ON_REQUEST: 1}
    assert state.measures["delivered_again"] == 2


def test_follow__more_said_than_listed__the_list_counts(olas: Standin, follower: Follower) -> None:
    olas.send("request", MECH, ALICE, ids(1), [b"a"])
    olas.send("deliver", MECH, [ALICE], 10**9, ids(1), [True])
    olas.send("deliverSigned", MECH, ALICE, 10**9, ids(2))

    follower.run("olas", olas)

    assert follower.verdicts("olas") == {ON_REQUEST: 1, IN_BULK: 1}


def test_follow__delivered_without_a_request__is_unseen(olas: Standin, follower: Follower) -> None:
    olas.send("deliver", MECH, [ALICE], 1, ids(9), [True])

    follower.run("olas", olas)

    assert follower.verdicts("olas") == {("unseen", "no request of it was found"): 1}
