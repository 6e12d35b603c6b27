"""tallystick tally: totals per network from a chain's events, beside the contract's own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from tallystick.cli.brief import SPARE, Brief, Column, counters, short, wide_option
from tallystick.cli.chain import chain_options
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.params import BLOCK, BYTES32
from tallystick.cli.session import Session
from tallystick.protocol.hexes import to_hex


@click.command(cls=ConsoleCommand, example="tallystick tally $NETWORK --rpc $RPC")
@click.argument("network_ids", type=BYTES32, nargs=-1)
@click.option("--block", type=BLOCK, default="latest", show_default=True, help="Up to which block.")
@wide_option
@chain_options
def tally(session: Session, network_ids: tuple[bytes, ...], block: int | str, wide: bool) -> None:
    """Show totals per network; exit code 1 when events and contract differ in any counter.

    Without an id, of all networks: their events are read by columns (extra `totals`), once.
    """
    head = session.block_number(block)
    found, passed_over = (
        _of_networks(session, network_ids, head) if network_ids else _of_all(session, head)
    )
    if passed_over:
        click.echo(
            f"passed over: {passed_over} events of networks that the registry does not know",
            err=True,
        )
    rows = [
        {
            "network_id": one.network_id,
            "name": one.name,
            "block": one.block,
            **asdict(one.from_events),
            "verified": one.from_events.verified,
            "open": one.from_events.open,
            "agrees": not one.differences,
        }
        for one in found
    ]
    if wide or session.as_json:
        session.show(rows)
    else:
        _brief(rows).show(rows)
    differences = [str(difference) for one in found for difference in one.differences]
    if differences:
        raise CommandError("; ".join(differences))


def _brief(rows: Sequence[Mapping[str, Any]]) -> Brief:
    network = Column("network", lambda row: row["name"] or short(row["network_id"]))
    agrees = Column(
        "agrees",
        lambda row: "yes" if row["agrees"] else "NO",
        style=lambda row: "green" if row["agrees"] else "bold red",
    )
    return Brief({"network": network, **counters(rows), "agrees": agrees}, "network", SPARE)


def _of_networks(
    session: Session, network_ids: tuple[bytes, ...], block: int
) -> tuple[Sequence[Any], int]:
    """Return the tallies of some networks, and how many of their events count for none."""
    from tallystick.data.reconcile.ledger import tally as count
    from tallystick.protocol.scope import Scope

    ledger = session.ledger(block, scope=Scope.network(*network_ids))
    return count(ledger, session.registry, block, network_ids), ledger.passed_over


def _of_all(session: Session, block: int) -> tuple[Sequence[Any], int]:
    """Return the tallies of all networks, and how many events count for none."""
    from tallystick.data.reconcile.columns import tally_all

    boundary = to_hex(session.w3.eth.get_block(block)["hash"])
    with session.columns() as columns:
        return tally_all(columns, block, boundary)
