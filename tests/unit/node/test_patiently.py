"""Connecting through a node that fails."""

import random

import pytest

from tallystick.node.verifier import connection
from tallystick.node.verifier.connection import patiently

TRIALS = 2_000


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long is waited between attempts, in place of waiting."""
    found: list[float] = []
    monkeypatch.setattr(connection.time, "sleep", found.append)
    return found


def test_patiently__one_connection_in_two_fails__hardly_ever_gives_up(pauses: list[float]) -> None:
    choose, given_up = random.Random(1), 0

    def connect() -> str:
        if choose.random() < 0.5:
            raise OSError("reset")
        return "connected"

    for _ in range(TRIALS):
        try:
            assert patiently(connect) == "connected"
        except OSError:
            given_up += 1

    assert given_up <= TRIALS // 1000


def test_patiently__nobody_there__says_so_within_seconds(pauses: list[float]) -> None:
    def connect() -> None:
        raise OSError("refused")

    with pytest.raises(OSError, match="refused"):
        patiently(connect)
    assert 3 < sum(pauses) < 6
