"""A pool's statement as a file, and what is refused as one."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.protocol.enums import Ruling
from tallystick.protocol.panel_statement import PanelStatement
from tallystick.protocol.pool import PanelAudit, PanelVerdict, domain_of
from tallystick.protocol.statement import StatementError

DOMAIN = domain_of(31337, b"p" * 20)
AUDIT = PanelStatement(DOMAIN, b"b" * 32, PanelAudit(b"b" * 32, b"s" * 32))
VERDICT = PanelStatement(
    DOMAIN, b"b" * 32, PanelVerdict(b"c" * 32, b"s" * 32, Ruling.REJECTED), leaf_index=4
)
KEYS = st.binary(min_size=20, max_size=20)
SIGNATURES = st.dictionaries(KEYS, st.binary(min_size=65, max_size=65))


@given(st.sampled_from([AUDIT, VERDICT]), SIGNATURES)
def test_statement__written_and_read__is_the_same(
    said: PanelStatement, signatures: dict[bytes, bytes]
) -> None:
    for key, signature in signatures.items():
        said = said.signed(key, signature)

    assert PanelStatement.from_json(said.to_json()) == said


def test_joined__alike__has_every_signature() -> None:
    one, two = AUDIT.signed(b"1" * 20, b"x" * 65), AUDIT.signed(b"2" * 20, b"y" * 65)

    joined = PanelStatement.joined([one, two, one])

    assert joined.signatures == {b"1" * 20: b"x" * 65, b"2" * 20: b"y" * 65}


@pytest.mark.parametrize(
    "other",
    [
        VERDICT,
        PanelStatement(domain_of(1, b"p" * 20), b"b" * 32, AUDIT.says),
        PanelStatement(DOMAIN, b"b" * 32, PanelAudit(b"b" * 32, b"t" * 32)),
    ],
    ids=["a verdict", "another chain", "another seed"],
)
def test_joined__different__is_refused(other: PanelStatement) -> None:
    with pytest.raises(StatementError, match="different statements: an audit of seed 0x7373"):
        PanelStatement.joined([AUDIT, other])


def test_joined__none__is_refused() -> None:
    with pytest.raises(StatementError, match="there is no statement"):
        PanelStatement.joined([])


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "verdict"},
        {"kind": "ruling"},
        {"seed": "0x00"},
        {"pool": "0x00"},
        {"chain_id": 0},
        {"signatures": {"0": "0x00"}},
        {"signatures": {"0x" + "11" * 20: "0x00"}},
        {"leaf_index": 4},
    ],
)
def test_statement__malformed__is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(StatementError):
        PanelStatement.from_json({**AUDIT.to_json(), **change})


@pytest.mark.parametrize("text", ["no", "[]", "7", "null"])
def test_statement__no_statement__names_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "said.json"
    path.write_text(text)

    with pytest.raises(StatementError, match="said.json"):
        PanelStatement.read(path)
