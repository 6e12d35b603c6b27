"""Nonces that the lane's earlier batches have taken."""

from typing import NamedTuple

from tallystick.errors import StoreError
from tallystick.hexes import to_hex
from tallystick.ledger import Ledger
from tallystick.store import BatchStore


class Taken(NamedTuple):
    """(requester, nonce) of solicited leaves, and what could not be looked at."""

    keys: frozenset[tuple[bytes, int]]
    warnings: list[str]


def taken_keys(ledger: Ledger, store: BatchStore, network_id: bytes, operator: bytes) -> Taken:
    """Return what the lane's batches hold, rejected ones included; unreadable data is a warning."""
    keys: set[tuple[bytes, int]] = set()
    warnings = []
    for record in ledger.batches.values():
        batch = record.batch
        if (batch.network_id, batch.operator) != (network_id, operator):
            continue
        try:
            found = store.get(batch.root, batch.model_id, batch.operator)
        except StoreError as error:
            warnings.append(f"nonces of batch {to_hex(record.id)} are not checked: {error}")
            continue
        keys.update((one.requester, one.nonce or 0) for one in found if one.solicited)
    return Taken(frozenset(keys), warnings)
