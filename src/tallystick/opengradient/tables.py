"""Audited settlements as events of a registry, so that OpenGradient is a network like the others.

The relay is kept as a registry whose raw logs are decoded by an audit: each settlement becomes the
events that it would be worth in Tallystick, in the same tables and files as a registry's own.

claimed                     BatchCommitted.count
verified                    BatchFinalized, enclave: the item's key is an enclave's
blob missing or unreadable  BatchFinalized, unchallenged: nobody could look
all the rest                BatchRejected: claimed, and not so

One network stands for the relay, called "OpenGradient (imported)". Its attestor is the TEE
registry, which no published list knows, so its resolvers are shown as self-declared. Its id is
keccak256("imported" || uint256 chain id || address relay, both as words), a batch's id
keccak256(network id || transaction hash || uint256 log index).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple

from tallystick.chain.abi import contract, signature_hash
from tallystick.data.decode.columns import layouts
from tallystick.data.decode.decode import decode
from tallystick.data.decode.files import note_decoded, write_events
from tallystick.data.extract.dataset import ContractKey
from tallystick.data.extract.lock import locked
from tallystick.data.extract.schema import LOGS
from tallystick.data.resolvers.code import known
from tallystick.opengradient.audit import Audited
from tallystick.opengradient.folder import Folder
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS, address, uint
from tallystick.protocol.batch import Stamp
from tallystick.protocol.enums import Cause, Outcome
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.rules import Rules
from tallystick.storage.durable import replace_file

NAME = "OpenGradient (imported)"
MOST_CLAIMED = 1 << 40
"""Inferences; a settlement that claims more counts as claiming so many, lest sums overflow."""
_COUNT_BITS = 24


def network_id(relay: ContractKey) -> bytes:
    """Return the id of the network that stands for a relay, 32 bytes."""
    return keccak256(b"imported" + uint(relay.chain_id) + address(relay.address))


def batch_id(relay: ContractKey, one: Audited) -> bytes:
    """Return the id of the batch that stands for a settlement, 32 bytes."""
    place = from_hex(one.settlement.transaction_hash, 32) + uint(one.settlement.log_index)
    return keccak256(network_id(relay) + place)


def publish(folder: Folder, results: Sequence[Audited]) -> None:
    """Write the tables of events that audited settlements are worth, in place of earlier ones.

    Args:
        folder: of the settlements.
        results: of the audit, all of them, in the order of the chain.
    """
    data, relay = folder.data, folder.relay
    with locked(data.logs(relay)):
        parts = data.read_manifest(relay).parts
        done = 0
        for number, part in enumerate(parts):
            mine = [
                one for one in results if part.first <= one.settlement.block_number <= part.last
            ]
            tables = event_tables(folder, mine, done)
            write_events(data, relay, part, tables, first=number == 0)
            done += len(mine)
        _remove(folder, {part.name for part in parts})
        _declare(folder)
        note_decoded(data, relay)


def event_tables(
    folder: Folder, results: Sequence[Audited], before: int = 0
) -> Mapping[str, pa.Table]:
    """Return a table for each event of a registry, by name, as decode does.

    Args:
        folder: of the settlements.
        results: audited settlements.
        before: how many there are before these; the first of all brings the network with it.
    """
    rows = list(_logs(folder, results, before))
    columns: dict[str, list[Any]] = {name: [] for name in LOGS.names}
    for row in rows:
        for name, value in row.items():
            columns[name].append(value)
    tables = dict(decode(pa.table(columns, schema=LOGS), folder.relay))
    committed = tables["BatchCommitted"]
    # A stamp has no room for what a relay lets a settler claim.
    counts = pa.array([_claimed(one) for one in results], pa.int64())
    place = committed.schema.get_field_index("count")
    tables["BatchCommitted"] = committed.set_column(place, "count", counts)
    return tables


def _claimed(one: Audited) -> int:
    return min(one.settlement.claimed, MOST_CLAIMED)


def _logs(folder: Folder, results: Sequence[Audited], before: int) -> Iterator[dict[str, Any]]:
    """Yield the raw logs that a registry would have emitted."""
    relay, key = folder.relay, network_id(folder.relay)
    if results and not before:
        rules = Rules(attestors=(ZERO_ADDRESS, folder.registry.address, ZERO_ADDRESS))
        where = f"imported from {to_hex(relay.address)} on chain {relay.chain_id}"
        values = (key, relay.address, ZERO32, ZERO32, rules.abi(), NAME, where)
        yield _log(results[0], "NetworkRegistered", values)
    for index, one in enumerate(results, before):
        place = key, relay.address, batch_id(relay, one)
        claimed, time = _claimed(one), one.settlement.block_time
        count = min(claimed, (1 << _COUNT_BITS) - 1)
        stamp = Stamp(0, count, time, one.settlement.block_number, time).pack()
        root, over = one.settlement.merkle_root, (ZERO32, int(Outcome.UNCHALLENGED), 0)
        yield _log(one, "BatchCommitted", (*place, ZERO32, root, index, time, stamp, *over))
        rest = claimed - one.verified
        if one.verified:
            verified = (*place, int(Outcome.ENCLAVE), one.verified)
            yield _log(one, "BatchFinalized", verified)
        if rest and one.unseen:
            yield _log(one, "BatchFinalized", (*place, int(Outcome.UNCHALLENGED), rest))
        elif rest:
            lost = (int(Cause.DISPROOF), 0, rest, ZERO_ADDRESS, 0, 0, ZERO_ADDRESS, 0)
            yield _log(one, "BatchRejected", (*place, *lost))


def _log(one: Audited, name: str, values: Sequence[Any]) -> dict[str, Any]:
    """Return a raw log at a settlement's place; values in the order of the event's ABI."""
    (entry,) = (found for found in contract("Tallystick").abi if found.get("name") == name)
    indexed = [part["indexed"] for part in entry["inputs"]]
    types = [collapse_if_tuple(part) for part in entry["inputs"]]
    topics: list[bytes | None] = [
        encode([kind], [value])
        for kind, value, is_topic in zip(types, values, indexed, strict=True)
        if is_topic
    ]
    rest = [
        (kind, value)
        for kind, value, is_topic in zip(types, values, indexed, strict=True)
        if not is_topic
    ]
    topics += [None] * (3 - len(topics))
    settlement = one.settlement
    return {
        "block_number": settlement.block_number,
        "block_time": settlement.block_time,
        "block_hash": ZERO32,
        "transaction_hash": from_hex(settlement.transaction_hash),
        "transaction_index": settlement.transaction_index,
        "log_index": settlement.log_index,
        "topic0": signature_hash(entry),
        "topic1": topics[0],
        "topic2": topics[1],
        "topic3": topics[2],
        "data": encode([kind for kind, _ in rest], [value for _, value in rest]),
    }


def _remove(folder: Folder, keep: set[str]) -> None:
    """Remove the files of parts that are gone."""
    for layout in layouts():
        for path in folder.data.events(layout.name, folder.relay).glob("*.parquet"):
            if path.name not in keep:
                path.unlink()


def _declare(folder: Folder) -> None:
    """Note that the network's attestor is a contract that no published list knows."""
    unlisted = {"name": None, "code_hash": None, "size": None, "terms": None, "constructed": False}
    named = {to_hex(folder.registry.address): unlisted}
    body = {"list_version": known()[0], "resolvers": named}
    path = folder.data.resolvers(folder.relay)
    replace_file(path, (json.dumps(body, indent=1) + "\n").encode())
