"""docs/opengradient.md says what the code has."""

from pathlib import Path

import pytest

from tallystick.cli.opengradient import opengradient
from tallystick.opengradient.audit import CLOCK_SKEW, LIES
from tallystick.opengradient.blobs import LEAF_ENCODING, MAX_SIZE, TIMEOUT
from tallystick.opengradient.importer import CONTRACT, TIME_TO_COMMIT
from tallystick.opengradient.registry import CHANGES
from tallystick.opengradient.relay import SETTLEMENTS
from tallystick.opengradient.tables import MOST_CLAIMED, NAME

PAGE = (Path(__file__).parents[3] / "docs" / "opengradient.md").read_text()


@pytest.mark.parametrize("name", LIES)
def test_page__lies__are_named(name: str) -> None:
    assert name in PAGE


@pytest.mark.parametrize("event", [*SETTLEMENTS, *CHANGES], ids=lambda event: event.name)
def test_page__events__are_named(event: object) -> None:
    assert event.name in PAGE  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", opengradient.commands)
def test_page__commands__are_shown(command: str) -> None:
    assert f"tallystick opengradient {command}" in PAGE


def test_page__figures__are_the_codes() -> None:
    assert (MAX_SIZE >> 20, TIMEOUT) == (256, 60.0)
    assert "256 MiB and 60 s" in PAGE
    assert f"at most {CLOCK_SKEW} s after" in PAGE
    assert MOST_CLAIMED == 2**40
    assert "above 2^40: 2^40" in PAGE
    assert TIME_TO_COMMIT == 600
    assert "ten minutes after planning" in PAGE
    assert NAME in PAGE
    assert CONTRACT in PAGE
    assert ", ".join(f'"{kind}"' for kind in LEAF_ENCODING) in PAGE
