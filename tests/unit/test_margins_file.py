"""Margins files: each place once, whatever was torn, and by whomever it was written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tallystick.protocol.verdicts import Verdict
from tallystick.storage.margins_file import MarginNote, MarginsFile, MarginsFileError, read_margins

NOTE = MarginNote(
    batch_id=b"\1" * 32,
    leaf_index=3,
    operator=b"\2" * 20,
    model_id=b"\3" * 32,
    verdict=Verdict.DOUBTFUL,
    tokens=48,
    mean=0.0625,
    largest=1.75,
    mismatches=5,
    kernel="avx2",
)


def test_add__notes__are_read_back_in_order(tmp_path: Path) -> None:
    notes = [replace(NOTE, leaf_index=index) for index in (5, 2, 9)]
    MarginsFile(tmp_path / "new" / "margins.jsonl").add(notes)
    assert list(read_margins(tmp_path / "new" / "margins.jsonl")) == notes


def test_add__same_places_by_another_process__are_written_once(tmp_path: Path) -> None:
    path = tmp_path / "margins.jsonl"
    first, second = MarginsFile(path), MarginsFile(path)
    first.add([NOTE])
    second.add([NOTE, replace(NOTE, leaf_index=4)])
    first.add([replace(NOTE, leaf_index=4), replace(NOTE, batch_id=b"\4" * 32)])
    MarginsFile(path).add([NOTE])
    assert len(path.read_bytes().splitlines()) == 3


def test_add__torn_last_line__is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "margins.jsonl"
    other = replace(NOTE, leaf_index=4)
    path.write_text(NOTE.line() + "\n" + other.line()[:-20])
    assert list(read_margins(path)) == [NOTE]
    MarginsFile(path).add([NOTE, other])
    assert list(read_margins(path)) == [NOTE, other]
    assert path.read_text() == f"{NOTE.line()}\n{other.line()}\n"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 2}, "line 2: line of format version 2; needed: 1"),
        ({"verdict": "fine"}, "line 2: 'fine' is not a valid Verdict"),
        ({"tokens": -1}, "line 2: tokens is -1; needed: 0 or more"),
        ({"tokens": True}, "line 2: tokens is True"),
        ({"M": "0"}, "line 2: M is '0'"),
        ({"X": float("nan")}, "line 2: NaN is no number"),
        ({"batchId": "0x01"}, "line 2: "),
    ],
)
def test_read__line_that_is_no_note__is_named(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    path = tmp_path / "margins.jsonl"
    wrong = json.dumps(json.loads(NOTE.line()) | change)
    path.write_text(f"{NOTE.line()}\n{wrong}\n")
    with pytest.raises(MarginsFileError) as caught:
        list(read_margins(path))
    assert told in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ["", "[]", "{", "7", '{"version": 1}', "[" * 100_000])
def test_read__no_json_or_no_object__is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "margins.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(MarginsFileError, match="line 1: "):
        list(read_margins(path))
