"""A folder below tests/ implies its marker."""

from pathlib import Path

import pytest

MARKERS = {
    "unit": "unit",
    "contracts": "contract",
    "integration": "integration",
    "invariant": "invariant",
    "gas": "gas",
    "node": "node",
    "dashboard": "dashboard",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--in-process",
        action="store_true",
        help="run the contracts' tests on an EVM in this process instead of anvil",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(root).parts[0]
        if folder in MARKERS:
            item.add_marker(MARKERS[folder])
