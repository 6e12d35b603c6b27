"""Results in each format, exact whatever their size."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tallystick.cli.output import OutputError, show, write

LARGE = 2**160 - 1
ROWS = [
    {"id": b"\x01" * 32, "n": 3, "burned": LARGE, "share": 1 / 3, "name": "a,b\n[red]", "x": None},
    {"id": b"\x02" * 32, "n": 4, "burned": 0, "share": 0.5, "name": "", "x": None},
]


def test_write__json__keeps_whole_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    write([{"burned": Decimal(LARGE)}, *ROWS[1:]], "json")

    found = json.loads(capsys.readouterr().out)
    assert found[0]["burned"] == LARGE
    assert found[1]["id"] == "0x" + "02" * 32


def test_write__csv__quotes_what_needs_it(tmp_path: Path) -> None:
    write(ROWS, "csv", tmp_path / "out.csv")

    found = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert (found[0]["name"], int(found[0]["burned"]), found[0]["x"]) == ("a,b\n[red]", LARGE, "")


def test_write__parquet__keeps_whole_numbers(tmp_path: Path) -> None:
    write(ROWS, "parquet", tmp_path / "out.parquet")

    found = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [int(row["burned"]) for row in found] == [LARGE, 0]
    assert [row["n"] for row in found] == [3, 4]


def test_write__parquet_without_a_file__is_refused() -> None:
    with pytest.raises(OutputError, match="--output FILE"):
        write(ROWS, "parquet")


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_write__no_rows__is_no_failure(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    write([], form)

    assert capsys.readouterr().out.strip() in ("", "[]")


def test_show__strangers_text__is_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show({"name": "[bold]x[/bold]", "id": b"\x01" * 32}, as_json=False)

    out = capsys.readouterr().out
    assert "[bold]x[/bold]" in out and "0x" + "01" * 32 in out
