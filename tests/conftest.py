"""A folder below tests/ implies its marker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast inputs come, and how long an example takes, is a matter of what else the machine does.
settings.register_profile("busy", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("busy")

MARKERS = {
    "unit": "unit",
    "contracts": "contract",
    "integration": "integration",
    "invariant": "invariant",
    "gas": "gas",
    "node": "node",
    "dashboard": "dashboard",
    "llm": "llm",
    "zk": "zk",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--in-process",
        action="store_true",
        help="run the contracts' tests on an EVM in this process instead of anvil",
    )


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have commands keep what they read of chains, and deploy, away from the user's own folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALLYSTICK_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("TALLYSTICK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


# Before xdist's own, which reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(root).parts[0]
        if folder in MARKERS:
            item.add_marker(MARKERS[folder])
        if folder == "node":
            item.add_marker(pytest.mark.xdist_group(_node_group(item.path)))


def _node_group(path: Path) -> str:
    """Return what a test of nodes shares processes with: its file, or the world of its folder."""
    folder = path.parent.name
    return folder if folder == "together" else f"{folder}/{path.name}"
