"""What a benchmark found, as a table for people or JSON=1 for one object a line."""

import json
import os
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Figure(NamedTuple):
    """One number, and the most or least that it may be."""

    name: str
    value: float
    unit: str
    ceiling: float | None = None
    floor: float | None = None


def tell(title: str, figures: Iterable[Figure]) -> None:
    """Print figures."""
    if os.environ.get("JSON") == "1":
        for one in figures:
            print(json.dumps({k: v for k, v in one._asdict().items() if v is not None}))
        return
    table = Table("figure", "value", "unit", "bound", title=title)
    for one in figures:
        bound = f"<= {one.ceiling:g}" if one.ceiling is not None else ""
        bound = f">= {one.floor:g}" if one.floor is not None else bound
        table.add_row(one.name, f"{one.value:,.4g}", one.unit, bound)
    Console().print(table)


def best(run: Callable[[], object], repeats: int = 3) -> float:
    """Return the seconds of the quickest of several runs."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return min(times)
