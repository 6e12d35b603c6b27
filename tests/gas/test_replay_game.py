"""A move of a replay game costs what the snapshot says, to the gas, and no more than its ceiling.

`python -m tests.gas.test_replay_game` writes the snapshot anew.
"""

import json
from pathlib import Path

import pytest

from tests.gas.replay_game import CASES, measure

SNAPSHOT = Path(__file__).with_name("replay_game_snapshot.json")


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, int]]:
    return measure()


def test_figures__all__are_the_snapshots(figures: dict[str, dict[str, int]]) -> None:
    assert figures == json.loads(SNAPSHOT.read_text())


@pytest.mark.parametrize("name", CASES)
def test_proof__within_its_ceiling(figures: dict[str, dict[str, int]], name: str) -> None:
    assert figures[name]["prove"] <= CASES[name][1]


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(measure(), indent=2) + "\n")
