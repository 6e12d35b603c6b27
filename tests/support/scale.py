"""Derived tables of docs/scale.md, from the gas snapshots and rules.

`python -m tests.support.scale` writes the tables into the page; a test holds the page to them.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from tallystick.protocol.merkle import MAX_COUNT
from tallystick.storage.batch_store import FIELDS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "scale.md"
GAS = json.loads((ROOT / "tests/gas/snapshot.json").read_text())
FLOORS = json.loads((ROOT / "src/tallystick/data/resolvers/floors.json").read_text())["terms"]

A_DAY = [10**power for power in range(3, 10)]
"""Inferences."""
SMALL = 1_000
"""Inferences of a small batch."""
CHAIN = 30_000_000 * 86_400 // 12
"""Gas a day of a chain that is assumed: 30,000,000 each 12 seconds."""
BODIES = 2_000
"""Bytes of input and output of an inference, assumed."""
SIGNATURE = 65
COMMIT = GAS["commit over a finalizable batch"]
AUDIT = GAS["pool audit by 8 of 15"]
PANEL = FLOORS["panel"]
SIGNERS = (PANEL + 1) // 2
"""k of docs/pool.md."""


def batches(inferences: int, size: int) -> int:
    """Return how many batches of a size these are, the last of them maybe smaller."""
    return -(-inferences // size)


def leaf() -> int:
    """Return the bytes of an inference in a batch file before packing, but for its bodies."""
    widths = [
        field.type.byte_width if pa.types.is_fixed_size_binary(field.type) else 8
        for field in FIELDS
        if pa.types.is_fixed_size_binary(field.type) or pa.types.is_uint64(field.type)
    ]
    return sum(widths) + SIGNATURE


def tables() -> dict[str, str]:
    """Return each table of the page, by its mark."""
    return {
        "gas": _table(
            ("inferences a day", "batches", "commit", "with audits", "of the chain"),
            (
                (
                    f"{one:,}, by {size:,}",
                    f"{(count := batches(one, size)):,}",
                    f"{count * COMMIT:,}",
                    f"{(total := count * (COMMIT + AUDIT)):,}",
                    f"{100 * total / CHAIN:.3g} %",
                )
                for one in A_DAY
                for size in (SMALL, MAX_COUNT)
                if size == SMALL or one > SMALL * 100
            ),
        ),
        "bytes": _table(
            ("inferences a day", "published", "fetched by the signers", "one signer's line"),
            (
                (
                    f"{one:,}",
                    _size(size := one * (leaf() + BODIES)),
                    _size(size * SIGNERS),
                    f"{size * 8 / 86_400 / 1e6:.3g} Mbit/s",
                )
                for one in A_DAY
            ),
        ),
        "work": _table(
            ("inferences a day", "run again, by 1,000", f"run again, by {MAX_COUNT:,}"),
            (
                (
                    f"{one:,}",
                    *(f"{_again(one, size):,}" for size in (SMALL, MAX_COUNT)),
                )
                for one in A_DAY
            ),
        ),
        "odds": _table(
            ("wrong of a batch", "the draw meets one"),
            (
                (f"{share:g} %", f"{100 * (1 - (1 - share / 100) ** FLOORS['minDrawn']):.1f} %")
                for share in (0.1, 1, 5, 10, 50)
            ),
        ),
        "seats": _table(
            ("largest batch", "a seat, in stakes of one inference", "all seats of a smallest pool"),
            (
                (
                    f"{count:,}",
                    f"{-(-count // SIGNERS):,}",
                    f"{-(-count // SIGNERS) * FLOORS['minSeats']:,}",
                )
                for count in (SMALL, 10_000, 100_000, MAX_COUNT)
            ),
        ),
        "rows": _table(
            ("inferences a day", "rows a year, by 1,000", f"rows a year, by {MAX_COUNT:,}"),
            (
                (
                    f"{one:,}",
                    *(f"{2 * 365 * batches(one, size):,}" for size in (SMALL, MAX_COUNT)),
                )
                for one in A_DAY
            ),
        ),
    }


def filled(page: str) -> str:
    """Return the page with its tables as they are today."""
    for name, table in tables().items():
        marked = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        page, found = re.subn(marked, lambda m, t=table: m[1] + t + m[2], page, flags=re.DOTALL)
        if found != 1:
            raise ValueError(f"{PAGE.name} has {found} places for the table {name}; needed: 1")
    return page


def _again(inferences: int, size: int) -> int:
    """Return how many inferences the signers of all audits run."""
    whole, rest = divmod(inferences, size)
    drawn = FLOORS["minDrawn"]
    return SIGNERS * (whole * min(drawn, size) + min(drawn, rest))


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            break
        count /= 1000
    return f"{count:.3g} {unit}"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    PAGE.write_text(filled(PAGE.read_text()))


if __name__ == "__main__":
    main()
