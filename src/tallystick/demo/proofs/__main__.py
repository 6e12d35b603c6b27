"""Plays the story: `python -m tallystick.demo.proofs`; see telling for its variables."""

from typing import Any

from rich.table import Table

from tallystick.demo import report
from tallystick.demo.proofs import kinds
from tallystick.demo.proofs.story import LAST, run
from tallystick.demo.telling import tell_story


def _tables(rows: list[dict[str, Any]]) -> list[Table]:
    network, *by_kind = rows
    return [report.table([network]), kinds.table(by_kind)]


if __name__ == "__main__":
    tell_story(run, _tables, last=LAST)
