"""The demo's last table: a row per network, and whether events and contract agree."""

from typing import Any

from rich.table import Table

from tallystick.demo.world import World

COUNTERS = ("committed", "unchallenged", "audited", "enclave", "proven", "rejected", "unresolved")


def rows(world: World) -> list[dict[str, Any]]:
    """Return a row per network, from the contract, with what the events say beside it."""
    ledger, block = world.ledger(), world.w3.eth.block_number
    found = []
    for stage in world.stages.values():
        totals = world.registry.totals(stage.id, block)
        row: dict[str, Any] = {"network": stage.name, "id": "0x" + stage.id.hex()}
        row |= {counter: getattr(totals, counter) for counter in COUNTERS}
        row |= {
            "open": totals.open,
            "verified": totals.verified,
            "burned": totals.burned,
            "gas": stage.gas,
            "events_agree": ledger.totals[stage.id] == totals,
        }
        found.append(row)
    return found


def titled(title: str) -> Table:
    """Return an empty table as a story's end shows them."""
    return Table(title=title, title_justify="left", box=None, padding=(0, 0, 0, 1), pad_edge=False)


def table(found: list[dict[str, Any]]) -> Table:
    """Return the rows as people read them; burned amounts in ether."""
    shown = titled("Verified inference per network")
    shown.add_column("network", no_wrap=True)
    for heading in ("committed", "unchallenged", "audited", "rejected", "open", "verified"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("burned", justify="right", no_wrap=True)
    shown.add_column("gas each", justify="right", no_wrap=True)
    for row in found:
        counters = ("committed", "unchallenged", "audited", "rejected", "open", "verified")
        shown.add_row(
            row["network"],
            *(str(row[name]) for name in counters),
            f"{row['burned'] / 10**18:.3f}",
            f"{row['gas'] / row['committed']:,.0f}",
        )
    return shown
