"""Answers that several ask for at once, and how many are kept."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tallystick.dashboard import snapshot
from tallystick.dashboard.live import Live
from tallystick.dashboard.snapshot import Snapshot
from tests.support.shown import Shown

SECONDS = 20


@pytest.fixture
def fresh(shown: Shown) -> Snapshot:
    return Snapshot(shown.data.root)


def test_once__slow_answer__others_do_not_wait_and_the_same_is_worked_out_once(
    fresh: Snapshot,
) -> None:
    begun, go = threading.Event(), threading.Event()
    worked = []

    def slow() -> bytes:
        begun.set()
        assert go.wait(SECONDS)
        worked.append(1)
        return b"slow"

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(fresh.once, "slow", slow) for _ in range(2)]
        assert begun.wait(SECONDS)
        assert pool.submit(fresh.once, "quick", lambda: b"quick").result(SECONDS) == b"quick"
        go.set()
        assert [one.result(SECONDS) for one in asked] == [b"slow", b"slow"]

    assert worked == [1]


def test_once__answer_fails__the_next_one_asks_again(fresh: Snapshot) -> None:
    def fail() -> bytes:
        raise ValueError("now")

    with pytest.raises(ValueError, match="now"):
        fresh.once("question", fail)

    assert fresh.once("question", lambda: b"then") == b"then"


def test_once__more_than_is_kept__the_least_used_goes(
    fresh: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "LARGEST", 10)
    fresh.once("first", lambda: b"1234")
    fresh.once("second", lambda: b"1234")
    fresh.once("first", lambda: b"again")

    fresh.once("third", lambda: b"1234")

    assert fresh.once("first", lambda: b"anew") == b"1234"
    assert fresh.once("second", lambda: b"anew") == b"anew"


def test_answers__asked_by_many_at_once__are_those_of_one(live: Live, fresh: Snapshot) -> None:
    keys = fresh.network_keys()

    def ask(now: Snapshot) -> list[object]:
        return [work(key) for key in keys for work in (now.days, now.operators, now.models)] + [
            now.networks()
        ]

    with ThreadPoolExecutor(6) as pool:
        many = list(pool.map(ask, [fresh] * 6))

    alone = ask(Snapshot(live.snapshot._analysis.data.root))
    assert all(one == alone for one in many)
