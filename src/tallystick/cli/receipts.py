"""Receipts made anew: from a batch's data and the chain's events."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ActionError, ChainView
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.receipt import Receipt
from tallystick.storage.batch_parser import GuardedStore


def write_receipts_of(
    session: Session, batch: str, leaves: Sequence[int], store: str, out: Path | None
) -> None:
    """Write or print receipts of a batch.

    Args:
        session: of the command.
        batch: its id as hex text, or a file of receipts of it.
        leaves: indices; empty: all.
        store: folder or URL of its data.
        out: file to write; None: they are printed.

    Raises:
        ActionError: the registry has no such batch, or the batch no such leaf.
        StoreError: the store lacks the data, or has others.
    """
    key = batch_id_of(batch)
    here = ChainView(session.ledger_of(key), session.now, ZERO_ADDRESS)
    data = BatchData.load(GuardedStore(store), here.batch(key))
    for leaf in leaves:
        if leaf >= len(data.records):
            raise ActionError(f"leaf index is {leaf}; needed: 0 to {len(data.records) - 1}")
    chosen = list(leaves) or list(range(len(data.records)))
    window = here.rules(data.record).challenge_window
    lines = _lines(session, data, chosen, window)
    give(session, lines, out, batch_id=data.record.id, receipts=len(chosen))


def give(session: Session, lines: Iterable[str], out: Path | None, **facts: Any) -> None:
    """Print receipts, or write them to a file and tell facts about them."""
    if out is None:
        for line in lines:
            click.echo(line)
        return
    out.write_text("".join(f"{line}\n" for line in lines))
    session.show({**facts, "file": str(out)})


def line_of(receipt: Receipt) -> str:
    """Return a receipt's line in a file."""
    return json.dumps(receipt.to_json(), separators=(",", ":"))


def _lines(session: Session, data: BatchData, leaves: Sequence[int], window: int) -> Iterator[str]:
    chain_id, registry, state = session.w3.eth.chain_id, session.registry.address, data.record
    # As at commit: a dispute since then may have moved the end.
    stamp = state.stamp.closing_at(state.stamp.committed_at + window)
    for leaf in leaves:
        receipt = Receipt.of(
            chain_id,
            registry,
            state.batch,
            stamp,
            data.opening(leaf),
            data.records[leaf].signature,
            state.committed.tx_hash,
        )
        yield line_of(receipt)
