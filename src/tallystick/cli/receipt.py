"""tallystick receipt: check receipts, offline and against the chain; make them anew."""

from datetime import datetime
from pathlib import Path

import click

from tallystick.cli.chain import (
    chain_options,
    json_option,
    more_rpc_option,
    reading,
    signing_options,
)
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.output import show
from tallystick.cli.params import FILE, SECONDS
from tallystick.cli.session import Session
from tallystick.cli.targets import store_option


@click.group(cls=ConsoleGroup, example="tallystick receipt check $RECEIPTS --rpc $RPC")
def receipt() -> None:
    """Check receipts, offline and against the chain; make them anew."""


@receipt.command(cls=ConsoleCommand, example="tallystick receipt check $RECEIPTS --rpc $RPC")
@click.argument("file", type=FILE)
@click.option("--rpc", "rpcs", multiple=True, metavar="URL", help="Node to ask about the batches.")
@click.option("--network", metavar="ECOSYSTEM:NETWORK", help="The same, as Ape names the chain.")
@more_rpc_option
@json_option
def check(
    file: Path,
    rpcs: tuple[str, ...],
    network: str | None,
    more_rpcs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check each receipt of FILE (one a line): hashes, proof, signature.

    With --rpc, the chain is asked too: what became of each batch, and which grade it has.
    """
    from tallystick.cli.batch_status import chain_status
    from tallystick.storage.receipt_files import checked

    if rpcs or network:
        with reading(rpcs, network) as w3:
            session = Session(w3, as_json=as_json, more_rpcs=(*rpcs[1:], *more_rpcs))
            session.show(chain_status(session, file))
        return
    found = list(checked(file))
    batches = {one.batch_id for one in found}
    show({"receipts": len(found), "batches": len(batches), "good": True}, as_json)


@receipt.command(
    cls=ConsoleCommand,
    example="tallystick receipt get $BATCH --leaf 0 --out leaf0.jsonl --rpc $RPC",
)
@click.argument("names", metavar="BATCH_ID | REQUEST...", nargs=-1, required=True)
@click.option("--leaf", type=click.IntRange(0), multiple=True, help="Leaf index; else all leaves.")
@store_option
@click.option(
    "--node",
    metavar="URL",
    help="The operator's node: ask it for the receipts of requests, instead of a batch's.",
)
@click.option("--wait", type=SECONDS, help="Ask the node until all are committed, so long at most.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write the receipts to, one a line; else they are printed.",
)
@chain_options
def get(
    session: Session,
    names: tuple[str, ...],
    leaf: tuple[int, ...],
    store: str,
    node: str | None,
    wait: int | None,
    out: Path | None,
) -> None:
    """Get receipts: of a committed batch, or of requests from the operator's node.

    Those of BATCH_ID are made anew, from its data in a store and the chain. With --node, each
    REQUEST (its EIP-712 hash) is looked up at the node; a receipt is taken only if it is of that
    request and the chain has its batch.
    """
    if node is not None:
        if leaf:
            raise click.UsageError("--leaf is of a batch; a node is asked for requests")
        from tallystick.cli.node_receipts import write_receipts_from

        write_receipts_from(session, node, names, wait, out)
        return
    if wait is not None:
        raise click.UsageError("--wait is of no use without --node")
    if len(names) > 1:
        raise click.UsageError(f"{len(names)} batches are named; needed: 1, or --node for requests")
    from tallystick.cli.receipts import write_receipts_of

    write_receipts_of(session, names[0], leaf, store, out)


@receipt.command(
    cls=ConsoleCommand,
    example="tallystick receipt erc8510 $RECEIPTS --out records.jsonl --rpc $RPC",
)
@click.argument("file", type=FILE)
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The list of this UTC day's records, with its root, instead of the records.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; else they are printed.",
)
@signing_options
def erc8510(session: Session, file: Path, day: datetime | None, out: Path | None) -> None:
    """Write the receipts of FILE as ERC-8510 drafts them, one a line, and what became of each.

    The draft's text was not read, only its fields' names; a signature is the account's, if one is
    named. docs/standards.md says more.
    """
    from tallystick.cli.erc8510 import write_list, write_records

    if day is None:
        write_records(session, file, out)
    else:
        write_list(session, file, day.date(), out)
