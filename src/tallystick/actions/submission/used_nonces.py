"""Nonces that the lane's earlier batches have taken."""

from typing import NamedTuple

from tallystick.errors import StoreError
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.storage.batch_store import BatchStore


class UsedNonce(NamedTuple):
    """(requester, nonce) of solicited leaves, and what could not be looked at."""

    keys: frozenset[tuple[bytes, int]]
    warnings: list[str]


def used_nonces(ledger: Ledger, store: BatchStore, network_id: bytes, operator: bytes) -> UsedNonce:
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
        keys.update(one.key for one in found if one.solicited)
    return UsedNonce(frozenset(keys), warnings)
