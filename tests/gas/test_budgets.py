"""Every operation costs what the snapshot says, to the gas, and no more than its budget.

`python -m tests.gas.test_budgets` writes the snapshot anew.
"""

import json
from pathlib import Path

import pytest

from tallystick.chain.abi import contract
from tests.gas.bench import measure
from tests.gas.scenario import BUDGETS
from tests.support.builds import manifest

SNAPSHOT = Path(__file__).with_name("snapshot.json")

OVER = {
    "resolve Rejected, 1 signature",
    "resolve Rejected, 3 signatures",
    "resolve Rejected, 7 signatures",
}
"""Known to miss their budgets, by 1 to 3 %; the README's limits say so."""


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return measure()


def test_figures__all__are_the_snapshots(figures):
    assert figures == json.loads(SNAPSHOT.read_text())


@pytest.mark.parametrize("name", [name for name in BUDGETS if name not in OVER])
def test_figure__within_its_budget(figures, name):
    assert figures[name] <= BUDGETS[name].ceiling


@pytest.mark.parametrize("name", sorted(OVER))
def test_figure__known_to_be_over__is_over_by_at_most_three_percent(figures, name):
    ceiling = BUDGETS[name].ceiling

    # One that has come within its budget belongs among the others.
    assert ceiling < figures[name] <= ceiling * 1.03


@pytest.mark.parametrize("name", ["Tallystick", "Committee"])
def test_code__is_within_eip_170(name):
    runtime = manifest()[name]["runtimeBytecode"]["bytecode"].removeprefix("0x")

    assert len(runtime) // 2 <= 24_576


@pytest.mark.parametrize("name", ["Tallystick", "Committee"])
def test_packaged_contract__is_what_the_compiler_gives(name):
    built, packaged = manifest()[name], contract(name)

    assert list(packaged.abi) == built["abi"]
    assert packaged.bytecode.hex() == built["deploymentBytecode"]["bytecode"].removeprefix("0x")


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(measure(), indent=2) + "\n")
