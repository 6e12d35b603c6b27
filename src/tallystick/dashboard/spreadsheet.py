"""Rows as CSV that a spreadsheet can open without running what strangers wrote."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

_FORMULA = tuple("=+-@＝＋－＠\t\r\n")  # noqa: RUF001


def to_csv(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return CSV (RFC 4180) with a header; lists and objects as JSON.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.

    >>> to_csv(["name", "count"], [{"name": "=1+1", "count": -2}])
    "name,count\\r\\n'=1+1,-2\\r\\n"
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, list | Mapping):
        value = json.dumps(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
