"""A move of a replay game costs what the snapshot says, to the gas, and no more than its ceiling.

`python -m tests.gas.test_replay_game` writes the snapshot anew.
"""

import json
from pathlib import Path

import pytest

from tests.gas.replay_game import CASES, Figures, measure

SNAPSHOT = Path(__file__).with_name("replay_game_snapshot.json")


@pytest.fixture(scope="module")
def figures() -> dict[str, Figures]:
    return measure()


def moves(figures: dict[str, Figures]) -> dict[str, dict[str, int]]:
    return {name: found.moves for name, found in figures.items()}


def test_figures__all__are_the_snapshots(figures: dict[str, Figures]) -> None:
    assert moves(figures) == json.loads(SNAPSHOT.read_text())


@pytest.mark.parametrize("name", CASES)
def test_proof__within_its_ceiling(figures: dict[str, Figures], name: str) -> None:
    assert figures[name].moves["prove"] <= CASES[name].ceiling


@pytest.mark.parametrize("name", CASES)
def test_proof__never_below_the_floor_of_its_calldata(
    figures: dict[str, Figures], name: str
) -> None:
    assert all(gas >= 0 for gas in figures[name].proof.values())
    assert figures[name].moves["prove"] >= sum(figures[name].proof.values())


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(moves(measure()), indent=2) + "\n")
