"""Kinds of evidence side by side: what each counts, costs and rests on."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from tallystick.demo.report import titled
from tallystick.demo.world import World
from tallystick.protocol.enums import Grade, State

RESTS_ON = {
    Grade.PROVEN: "a proof of each answer; who made the setup (here: this machine)",
    Grade.AUDITED: "2 of 3 staked auditors who ran what the chain drew",
    Grade.ENCLAVE: "a key that 2 of 3 endorsers endorse (here: this process's)",
    Grade.UNCHALLENGED: "nothing: nobody showed evidence; not verified",
}


def rows(world: World, network: bytes, gas: Mapping[Grade, int]) -> list[dict[str, Any]]:
    """Return a row for each kind of evidence in a network.

    Args:
        world: where all of the network's batches are final.
        network: its id, 32 bytes.
        gas: spent on the batches of each grade: commit, evidence, finality.
    """
    totals = world.registry.totals(network)
    final = [
        one
        for one in world.ledger().batches.values()
        if one.batch.network_id == network and one.state is State.FINAL
    ]
    found = []
    for grade, rests_on in RESTS_ON.items():
        name = grade.name.lower()
        batches = [one for one in final if one.outcome.name == grade.name]
        counted, told = getattr(totals, name), sum(one.batch.count for one in batches)
        found.append(
            {
                "evidence": name,
                "batches": len(batches),
                "inferences": counted,
                "from_events": told,
                "events_agree": counted == told,
                "gas": gas[grade],
                "gas_each": round(gas[grade] / counted),
                "rests_on": rests_on,
            }
        )
    return found


def table(found: list[dict[str, Any]]) -> Table:
    """Return the rows as people read them."""
    shown = titled("By kind of evidence")
    shown.add_column("evidence", no_wrap=True)
    for heading in ("inferences", "from events", "gas each"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("rests on")
    for row in found:
        counted = str(row["inferences"]), str(row["from_events"]), f"{row['gas_each']:,}"
        shown.add_row(row["evidence"], *counted, row["rests_on"])
    return shown
