"""Every operation costs what the snapshot says, to the gas, and no more than its budget.

`python -m tests.gas.test_budgets` writes the snapshot anew.
"""

import json
from pathlib import Path

import pytest

from tests.gas.bench import BUDGETS, measure

SNAPSHOT = Path(__file__).with_name("snapshot.json")


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return measure()


def test_figures__all__are_the_snapshots(figures: dict[str, float]) -> None:
    assert figures == json.loads(SNAPSHOT.read_text())


@pytest.mark.parametrize("name", BUDGETS)
def test_figure__within_its_budget(figures: dict[str, float], name: str) -> None:
    assert figures[name] <= BUDGETS[name].ceiling


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(measure(), indent=2) + "\n")
