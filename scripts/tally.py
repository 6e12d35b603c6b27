"""Show totals per network, from events and from the contract, and whether they agree."""

import click

from tallystick.cli import ChainCommand, Session, chain_options
from tallystick.params import BLOCK, BYTES32


@click.command(cls=ChainCommand)
@click.argument("network_ids", type=BYTES32, nargs=-1)
@click.option("--block", type=BLOCK, default="latest", show_default=True, help="Up to which block.")
@chain_options
def cli(session: Session, network_ids: tuple[bytes, ...], block: int | str) -> None:
    """Show totals per network; exit code 1 when events and contract differ in any counter."""
    from dataclasses import asdict

    from tallystick.cli.command import CommandError
    from tallystick.tally import tally

    head = session.block_number(block)
    ledger = session.ledger(head)
    if ledger.passed_over:
        click.echo(
            f"passed over: {ledger.passed_over} events of networks that the core does not know",
            err=True,
        )
    found = tally(ledger, session.registry, head, network_ids)
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
