"""docs/scale.md says what follows from the gas snapshots and rules of today."""

import re

import pytest

from tests.support import scale


def test_page__derived_tables__are_todays() -> None:
    page = scale.PAGE.read_text()

    assert scale.filled(page) == page, "run python -m tests.support.scale"


def test_page__constants_in_its_text__are_todays() -> None:
    page = scale.PAGE.read_text()

    for number in (scale.COMMIT, scale.AUDIT, scale.MAX_COUNT, scale.CHAIN, scale.leaf()):
        assert re.search(rf"(?<![\d,]){number:,}(?![\d,])", page), number


def test_tables__gas_of_an_operation_changes__the_page_is_stale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scale, "AUDIT", scale.AUDIT + 1)
    page = scale.PAGE.read_text()

    assert scale.filled(page) != page


def test_tables__of_one_step__by_hand() -> None:
    """A million inferences in batches of 1,000: 1,000 commits and audits, 8 signers, 32 leaves."""
    rows = scale.tables()

    assert f"| 1,000,000, by 1,000 | 1,000 | {1000 * scale.COMMIT:,} |" in rows["gas"]
    assert "| 1,000,000 | 256,000 | 256 |" in rows["work"]
    assert "| 1,000,000 | 730,000 | 730 |" in rows["rows"]
    assert "| 10 % | 96.6 % |" in rows["odds"]
    assert "| 1,000 | 125 | 15,000 |" in rows["seats"]
