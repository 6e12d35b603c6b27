"""Cells of CSV that a spreadsheet would take for formulas."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.dashboard.spreadsheet import to_csv


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b"])
def test_to_csv__text_like_a_formula__stands_behind_an_apostrophe(start: str) -> None:
    (row,) = read(to_csv(["name"], [{"name": f'{start}HYPERLINK("https://tracker.example")'}]))

    assert row["name"] == f'\'{start}HYPERLINK("https://tracker.example")'


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1))
def test_to_csv__any_text__comes_back_in_one_cell(text: str) -> None:
    (row,) = read(to_csv(["name", "count"], [{"name": text, "count": -2}]))

    assert row["name"] in (text, f"'{text}")
    assert row["count"] == "-2"
