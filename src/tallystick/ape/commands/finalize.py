"""ape tallystick finalize: make batches final whose window is over."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.params import ADDRESS, BYTES32
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, view


@click.command(cls=ConsoleCommand, example="ape tallystick finalize --all")
@click.argument("batches", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every batch whose window is over.")
@click.option("--network-id", type=BYTES32, help="With --all: only in this network.")
@click.option("--operator", type=ADDRESS, help="With --all: only of this operator.")
@sending_options
def cli(
    session: Session,
    batches: tuple[str, ...],
    every: bool,
    network_id: bytes | None,
    operator: bytes | None,
) -> None:
    """Finalize BATCHES (ids, or receipts files) of one lane; or --all, a transaction a lane.

    --all without a network or operator reads all networks' events, by columns (extra `totals`).
    """
    from tallystick.actions.finality import finalizable, finalize, finalize_all
    from tallystick.protocol.hexes import to_hex

    if every == bool(batches):
        raise click.UsageError("needed: BATCHES, or --all")
    if not every:
        keys = [batch_id_of(batch) for batch in batches]
        session.perform(finalize(view(session, *keys), session.registry, keys), batch_ids=keys)
        return
    _ = session.sender  # Nobody waits for what is read, only to learn that no account is named.
    live = session.standing(network_id, operator, live=True).batches.values()
    groups = finalizable(live, session.now)
    if not groups:
        session.show({"move": "none: no batch is finalizable"})
    for records in groups:
        ids = [to_hex(record.id) for record in records]
        session.perform(finalize_all(session.registry, records), batch_ids=ids)
