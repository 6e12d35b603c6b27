"""tallystick tally: totals per network from a chain's events, beside the contract's own."""

import click

from tallystick.cli.chain import chain_options
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.params import BLOCK, BYTES32
from tallystick.cli.session import Session


@click.command(cls=ConsoleCommand, example="tallystick tally $NETWORK --rpc $RPC")
@click.argument("network_ids", type=BYTES32, nargs=-1)
@click.option("--block", type=BLOCK, default="latest", show_default=True, help="Up to which block.")
@chain_options
def tally(session: Session, network_ids: tuple[bytes, ...], block: int | str) -> None:
    """Show totals per network; exit code 1 when events and contract differ in any counter."""
    from dataclasses import asdict

    from tallystick.data.reconcile.ledger import tally as count
    from tallystick.protocol.scope import WHOLE, Scope

    head = session.block_number(block)
    scope = Scope.network(*network_ids) if network_ids else WHOLE
    ledger = session.ledger(head, scope=scope)
    if ledger.passed_over:
        click.echo(
            f"passed over: {ledger.passed_over} events of networks that the registry does not know",
            err=True,
        )
    found = count(ledger, session.registry, head, network_ids)
    session.show(
        [
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
    )
    differences = [str(difference) for one in found for difference in one.differences]
    if differences:
        raise CommandError("; ".join(differences))
