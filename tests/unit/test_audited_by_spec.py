"""Audits told apart by what they compared."""

from pathlib import Path

from tallystick.data.specs import UNKNOWN, audited_by_spec, known_specs
from tallystick.llm.spec import Spec
from tallystick.llm.verdicts import DRAFT
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256

TOLERANCE = Spec(context=512, tokens=64, comparison=DRAFT)


def model(spec: bytes, audited: int) -> dict[str, object]:
    return {"spec_hash": to_hex(spec), "committed": 10, "audited": audited}


def test_audited_by_spec__specs_of_every_kind__each_in_a_row_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("ten digits")
    (tmp_path / "tolerance.txt").write_text(TOLERANCE.text())
    (tmp_path / "folder").mkdir()
    qi8, own = keccak256(b"QI8-1"), keccak256(b"ten digits")
    hashes = [rb"\9" * 32, own, TOLERANCE.spec_hash(), qi8, TOLERANCE.spec_hash()]
    models = [model(spec, audited) for audited, spec in enumerate(hashes, 1)]

    rows = audited_by_spec(models, known_specs(tmp_path))

    assert [(row["kind"], row["audited"], row["models"], row["committed"]) for row in rows] == [
        ("exact", 4, 1, 10),
        ("tolerance", 8, 2, 20),
        ("in words of its own", 2, 1, 10),
        (UNKNOWN, 1, 1, 10),
    ]
    assert [row["terms"] for row in rows] == [
        [],
        ["m1 5 250", "m2 40 400", "x1 1500", "x2 3000"],
        [],
        [],
    ]


def test_known_specs__no_folder__only_the_integer_spec() -> None:
    rows = audited_by_spec([model(TOLERANCE.spec_hash(), 3)], known_specs())
    assert [row["kind"] for row in rows] == [UNKNOWN]
