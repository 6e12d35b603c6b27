"""Totals of all networks of a registry, by columns, beside the contract's, at one block."""

from collections import defaultdict

from tallystick.data.analysis import Analysis
from tallystick.data.kept import KeptColumns
from tallystick.data.reconcile.compared import Compared
from tallystick.data.reconcile.folder import reconcile
from tallystick.data.reconcile.tally import NetworkTally
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.totals import Totals


def tally_all(columns: KeptColumns, block: int, boundary: str) -> tuple[list[NetworkTally], int]:
    """Return every network's tally, in the order of registration, and how many events count for
    none: the registry doesn't know the network that they name.

    Where the contract counts more than events, a node may have left logs out: they are read again,
    from each of the nodes.

    Args:
        columns: of the registry.
        block: number, not above the head.
        boundary: the block's hash, hex text.

    Raises:
        MissingLogsError: every node leaves out logs.
        RpcError: no node answers, or none has the state of that block.
    """
    while True:
        analysis = columns.analysis(block, boundary)
        (held,) = analysis.coverage
        compared = reconcile(analysis, {held.contract.chain_id: columns.urls})
        lacking = any(one.from_contract > one.from_events for one in compared)
        if not lacking or not columns.bring_again():
            return _tallies(analysis, compared), sum(row["events"] for row in analysis.strangers())


def _tallies(analysis: Analysis, compared: list[Compared]) -> list[NetworkTally]:
    counters: defaultdict[str, list[Compared]] = defaultdict(list)
    for one in compared:
        counters[one.network_id].append(one)
    registered = sorted(
        analysis.networks().values(), key=lambda row: (row["block_number"], row["log_index"])
    )
    found = []
    for row in registered:
        mine = counters[row["network_id"]]
        events = Totals(**{one.counter: one.from_events for one in mine})
        block = mine[0].block
        found.append(
            NetworkTally(from_hex(row["network_id"]), row["name"], block, events, tuple(mine))
        )
    return found
