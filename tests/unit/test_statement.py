"""A statement's file, and what is refused as one."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.protocol.committee import Audit, Verdict
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import Ruling
from tallystick.protocol.statement import Statement, StatementError

DOMAIN = Domain(31337, b"c" * 20)
AUDIT = Audit(b"b" * 32, 90, b"s" * 32)
VERDICT = Verdict(b"b" * 32, 4, b"l" * 32, Ruling.REJECTED)
SIGNATURES = st.dictionaries(st.integers(0, 15), st.binary(max_size=80))


@given(st.sampled_from([AUDIT, VERDICT]), SIGNATURES)
def test_statement__written_and_read__is_the_same(
    says: Audit | Verdict, signatures: dict[int, bytes]
) -> None:
    said = Statement(DOMAIN, says, signatures)

    assert Statement.from_json(said.to_json()) == said


def test_statement__merged__has_both_signatures() -> None:
    one, two = Statement(DOMAIN, AUDIT).signed(2, b"x"), Statement(DOMAIN, AUDIT).signed(0, b"y")

    assert one.merged(two).evidence() == AUDIT.evidence({0: b"y", 2: b"x"})


@pytest.mark.parametrize(
    "other",
    [Statement(DOMAIN, VERDICT), Statement(Domain(1, b"c" * 20), AUDIT)],
    ids=["says something else", "another chain"],
)
def test_statement__merged_with_another__is_refused(other: Statement) -> None:
    with pytest.raises(StatementError, match="different statements"):
        Statement(DOMAIN, AUDIT).merged(other)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "verdict"},
        {"committed_at": -1},
        {"committed_at": 2**40},
        {"committed_at": True},
        {"seed": "0x00"},
        {"drawn": 90},
    ],
)
def test_statement__malformed__is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(StatementError):
        Statement.from_json({**Statement(DOMAIN, AUDIT).to_json(), **change})


def test_statement__no_json__names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "said.json"
    path.write_text("no")

    with pytest.raises(StatementError, match="said.json"):
        Statement.read(path)
