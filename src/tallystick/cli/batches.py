"""tallystick batches, batch, disputes: where batches stand, and what may be done next."""

from typing import Any

import click

from tallystick.actions.chain_view import BEFORE_FINAL, ChainView
from tallystick.actions.phase import LIVE, Phase, moves_of, phase_of
from tallystick.cli.accounts import ACCOUNT, address_of
from tallystick.cli.brief import Brief, Column, wide_option
from tallystick.cli.chain import chain_options
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.human import count, duration
from tallystick.cli.params import ADDRESS, BYTES32
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import DisputeKind
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import BatchState

_COLOURS = {"open": "cyan", "finalizable": "green", "disputed": "yellow", "due": "bold yellow"}
BRIEF = Brief(
    {
        "batch": Column("batch", lambda row: to_hex(row["batch_id"])),
        "state": Column(
            "state",
            lambda row: row["state"],
            style=lambda row: {**_COLOURS, "rejected": "red"}.get(row["state"], ""),
        ),
        "count": Column("count", lambda row: count(row["count"]), right=True),
        "closes": Column(
            "closes in",
            lambda row: duration(row["closes_in"]) if row["state"] == "open" else "-",
            right=True,
        ),
    },
    spare=("closes",),
)
"""Ids stand in full: the next command takes one."""
network_option = click.option("--network-id", type=BYTES32, help="Only batches of this network.")


@click.command(cls=ConsoleCommand, example="tallystick batches --state finalizable --rpc $RPC")
@network_option
@click.option("--operator", type=ADDRESS, help="Only batches of this operator.")
@click.option(
    "--mine",
    is_flag=True,
    help=f"Only batches of --account: an address, a keyfile, or an Ape account ({ACCOUNT}).",
)
@click.option("--account", envvar=ACCOUNT, metavar="0x...|FILE|ALIAS", help="Who --mine means.")
@click.option(
    "--state",
    "states",
    type=click.Choice([phase.value for phase in Phase]),
    multiple=True,
    help="Only batches that stand so; several may be given.",
)
@wide_option
@chain_options
def batches(
    session: Session,
    network_id: bytes | None,
    operator: bytes | None,
    mine: bool,
    account: str | None,
    states: tuple[str, ...],
    wide: bool,
) -> None:
    """List batches, the oldest first, and where each stands.

    \b
    open         can be attested, challenged, demanded
    finalizable  its window is over: `ape tallystick finalize --all`
    disputed     waits for a ruling, or for a leaf to be revealed
    due          nobody answered in time: lapse or timeout ends the dispute
    """
    if mine:
        if not account:
            raise CommandError(f"no account is named; needed: --account, or {ACCOUNT}")
        operator = address_of(account)
    wanted = {Phase(state) for state in states} or set(Phase)
    found, now = session.standing(network_id, operator, live=wanted <= LIVE), session.now
    rows = [
        {
            "batch_id": record.id,
            "network_id": record.batch.network_id,
            "operator": record.batch.operator,
            "index": record.batch.index,
            "count": record.batch.count,
            "state": phase_of(record, now).value,
            "grade": record.grade.name.lower(),
            "closes_in": max(0, record.stamp.closes_at - now),
        }
        for record in found.batches.values()
        if phase_of(record, now) in wanted
    ]
    if wide or session.as_json:
        session.show(rows)
    else:
        BRIEF.show(rows)


@click.command(cls=ConsoleCommand, example="tallystick batch $BATCH --rpc $RPC")
@click.argument("batch_id", metavar="BATCH")
@chain_options
def batch(session: Session, batch_id: str) -> None:
    """Show all that the chain says of BATCH (an id, or a receipts file), and what may come next."""
    from tallystick.cli.named_pools import next_in_pools
    from tallystick.cli.standing_game import standing_game

    key = batch_id_of(batch_id)
    here = ChainView(session.ledger_of(key), session.now, ZERO_ADDRESS)
    record = here.batch(key)
    rules, now, said = here.rules(record), here.now, record.batch
    dispute, still_open = record.dispute, record.state in BEFORE_FINAL
    game = standing_game(session, here, record)
    result: dict[str, Any] = {
        "batch_id": record.id,
        "network_id": said.network_id,
        "operator": said.operator,
        "index": said.index,
        "model_id": said.model_id,
        "root": said.root,
        "count": said.count,
        "commit_deadline": said.commit_deadline,
        "slot": record.stamp.slot,
        "committed_at": record.stamp.committed_at,
        "closes_at": record.stamp.closes_at,
        "transaction": record.committed.tx_hash,
        "state": phase_of(record, now).value,
        "grade": record.grade.name.lower(),
        "outcome": record.outcome.name.lower(),
        "archived": record.archived,
        "cause": record.cause.name.lower() if record.cause else None,
        "leaf": record.leaf_index if record.cause else None,
        "dispute": _dispute(record, now) if dispute else None,
        **({"game": game} if game else {}),
        "stake_locked": rules.stake_per_inference * said.count if still_open else 0,
        "next": [*moves_of(record, now, game is not None), *next_in_pools(session, here, record)],
    }
    session.show(result)


@click.command(cls=ConsoleCommand, example="tallystick disputes --rpc $RPC")
@network_option
@chain_options
def disputes(session: Session, network_id: bytes | None) -> None:
    """List pending challenges and demands: what each waits for, and for how long."""
    found, now = session.standing(network_id, live=True), session.now
    rows = []
    for record in found.batches.values():
        if record.dispute is None:
            continue
        rules = found.rules[record.batch.network_id]
        is_demand = record.dispute.kind is DisputeKind.DEMAND
        rows.append(
            {
                "batch_id": record.id,
                "operator": record.batch.operator,
                **_dispute(record, now),
                "bond": rules.demand_bond if is_demand else rules.challenge_bond,
                "next": moves_of(record, now)[0],
            }
        )
    session.show(rows)


def _dispute(record: BatchState, now: int) -> dict[str, Any]:
    assert record.dispute is not None
    dispute = record.dispute
    return {
        "kind": dispute.kind.name.lower(),
        "leaf": dispute.leaf_index,
        "party": dispute.party,
        "with_bytes": dispute.with_bytes,
        "due": dispute.due,
        "left": max(0, dispute.due - now),
    }
