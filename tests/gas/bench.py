"""Print what each operation costs beside its budget: `make bench`; JSON=1 for objects."""

import json
import os

from rich.console import Console
from rich.table import Table

from tallystick.chain.localnet import localnet
from tests.gas import pool, scenario
from tests.support.chain import Chain

BUDGETS = scenario.BUDGETS | pool.BUDGETS
GENESIS = 1_800_000_000


def measure() -> dict[str, float]:
    with localnet(timestamp=GENESIS) as w3:
        chain = Chain(w3)
        return scenario.Scenario(chain).figures() | pool.figures(chain)


def main() -> None:
    figures = measure()
    if os.environ.get("JSON") == "1":
        for name, value in figures.items():
            row = {"name": name, "value": value, "unit": "gas", "ceiling": BUDGETS[name].ceiling}
            print(json.dumps(row))
        return
    table = Table("operation", "gas", "ceiling", "peers", title="Gas, whole transactions, Osaka")
    for name, value in figures.items():
        budget = BUDGETS[name]
        table.add_row(name, f"{value:,.6g}", f"{budget.ceiling:,}", budget.peers)
    Console().print(table)


if __name__ == "__main__":
    main()
