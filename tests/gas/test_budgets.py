"""Every operation costs what the snapshot says, to the gas, and no more than its budget.

`python -m tests.gas.test_budgets` writes the snapshot anew.
"""

import json
from pathlib import Path

import pytest

from tests.gas.bench import measure
from tests.gas.scenario import BUDGETS

SNAPSHOT = Path(__file__).with_name("snapshot.json")


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return measure()


def test_figures__all__are_the_snapshots(figures):
    assert figures == json.loads(SNAPSHOT.read_text())


@pytest.mark.parametrize("name", BUDGETS)
def test_figure__within_its_budget(figures, name):
    assert figures[name] <= BUDGETS[name].ceiling


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(measure(), indent=2) + "\n")
