"""The audit: of each settlement what is claimed, what is found, and what of it holds.

An item counts when its leaf is the tree's and the tree's root is the one that was settled, its key
signed it and was valid at the item's own time, and it was not counted before, in any settlement of
either mode. Never more count than are claimed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.opengradient.blob_audit import (
    INNER_NODE,
    LEAF,
    WRONG_LEAF,
    examine_batches,
    read_items,
    table_of,
)
from tallystick.opengradient.blobs import BlobSource
from tallystick.opengradient.errors import BlobError
from tallystick.opengradient.folder import Folder
from tallystick.opengradient.registry import Validity
from tallystick.opengradient.relay import Settlement
from tallystick.opengradient.signatures import Signatures
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.progress import Progress
from tallystick.storage.durable import parquet, replace_file

CLOCK_SKEW = 300
"""Seconds that an enclave's clock may be ahead of the chain's."""

LIES: Mapping[str, str] = {
    "overclaimed": "inferences claimed beyond those found",
    "underclaimed": "inferences found beyond those claimed",
    "malformed": "blobs that are no dump of a tree of items",
    "wrong_root": "trees whose root is not the one settled",
    INNER_NODE: "items at a node of the tree that is no leaf",
    WRONG_LEAF: "items at a leaf that is not theirs",
    "unknown_key": "items of a TEE that the registry has no key of",
    "bad_signature": "items that their TEE's key did not sign",
    "key_not_valid": "items at whose own time the key was not valid",
    "ahead_of_time": "items later than their settlement",
    "duplicate": "items that were counted before",
}
"""Lies that an audit may find, and what is counted of each."""

NEEDED = ["identity", "tee_id", "timestamp", "place", "known", "signed"]


@dataclass(frozen=True, slots=True)
class Audited:
    """Findings about one settlement, in inferences."""

    settlement: Settlement
    blob: str
    """read, missing, unreadable or malformed; of an individual settlement: in the event."""
    reason: str
    """The reason why the blob is not read; else empty."""
    found: int
    """Items that are shown, but those at inner nodes."""
    valid_signatures: int
    duplicates: int
    verified: int
    lies: Mapping[str, int]
    """By the names of LIES; those that were not told are not named."""
    counted: NDArray[np.int64]
    """Places of the verified items, ascending."""

    @property
    def day(self) -> date:
        """UTC day of the settlement."""
        return datetime.fromtimestamp(self.settlement.block_time, UTC).date()

    @property
    def unseen(self) -> bool:
        """True if nobody could look: nothing is known for or against it."""
        return self.blob in ("missing", "unreadable")

    def row(self) -> dict[str, Any]:
        """Return it as a line of output."""
        one = self.settlement
        return {
            "day": self.day,
            "block_number": one.block_number,
            "log_index": one.log_index,
            "transaction_hash": one.transaction_hash,
            "mode": one.mode,
            "merkle_root": to_hex(one.merkle_root),
            "claimed": one.claimed,
            "found": self.found,
            "valid_signatures": self.valid_signatures,
            "duplicates": self.duplicates,
            "verified": self.verified,
            "blob": self.blob,
            "lies": dict(self.lies),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Shown:
    """A settlement's items as examined."""

    table: pa.Table
    """The columns NEEDED."""
    root_right: bool
    blob: str
    reason: str


Stage = Callable[[str], Progress | None]
"""Given the name of a stage that begins, returns how it tells how far it is."""


def audit(
    folder: Folder,
    source: BlobSource,
    workers: int | None = None,
    stage: Stage = lambda name: None,
) -> list[Audited]:
    """Audit all settlements in a folder, and keep what is found in it.

    Args:
        folder: extracted.
        source: of the blobs that were not examined before.
        workers: processes that check signatures; None: one a core.
        stage: asked for "blobs" (told in batches) and "signatures" (told in items), both at once.

    Returns:
        A result a settlement, in the order of the chain.

    Raises:
        AuditError: logs are missing.
        DecodeError: a log is not what its event's ABI says.
    """
    found = folder.settlements()
    batches = [one for one in found if one.item is None]
    with Signatures(folder.keys.read(), workers, stage("signatures")) as signatures:
        failed = examine_batches(folder, batches, source, signatures, stage("blobs"))
        items = [one.item for one in found if one.item is not None]
        single = table_of(items, [LEAF] * len(items), signatures)
    results = judge(found, _shown(folder, found, single.select(NEEDED), failed), folder.validity())
    _write(folder, results)
    return results


def _shown(
    folder: Folder,
    found: Sequence[Settlement],
    single: pa.Table,
    failed: Mapping[bytes, BlobError],
) -> list[Shown]:
    shown, singles = [], 0
    for one in found:
        if one.item is not None:
            shown.append(Shown(single.slice(singles, 1), True, "in the event", ""))
            singles += 1
        elif one.content in failed:
            error = failed[one.content]
            shown.append(Shown(single.slice(0, 0), False, error.status, str(error)))
        else:
            table = read_items(folder, one, NEEDED)
            said = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
            reason = said.get("malformed", "")
            blob = "malformed" if reason else "read"
            shown.append(Shown(table, said["root"] == "right", blob, reason))
    return shown


def judge(found: Sequence[Settlement], shown: Sequence[Shown], validity: Validity) -> list[Audited]:
    """Return what holds of settlements, in the order of the chain, whose items are examined."""
    looks = [_Look.of(one, what, validity) for one, what in zip(found, shown, strict=True)]
    sizes = np.array([len(look.good) for look in looks], np.int64)
    ends = np.cumsum(sizes)
    good = _joined([look.good for look in looks], np.bool_)
    first = _first_good(_joined([look.identity for look in looks], np.uint64, 2), good)
    again = first < np.arange(len(good))
    results = []
    for one, what, look, start, end in zip(found, shown, looks, ends - sizes, ends, strict=True):
        repeated = again[start:end]
        counted = np.flatnonzero(look.good & ~repeated)
        duplicates = int(repeated.sum())
        lies = {name: count for name, count in look.lies.items() if count}
        if duplicates:
            lies["duplicate"] = duplicates
        results.append(
            Audited(
                one,
                what.blob,
                what.reason,
                look.found,
                look.signed,
                duplicates,
                len(counted),
                lies,
                counted,
            )
        )
    return results


@dataclass(frozen=True, slots=True)
class _Look:
    """Findings about one settlement's items by themselves."""

    good: NDArray[np.bool_]
    """Nothing is wrong with the item, whether or not it was counted before."""
    identity: NDArray[np.uint64]
    """Shape (n, 2): the first 128 bits."""
    found: int
    signed: int
    lies: Mapping[str, int]

    @classmethod
    def of(cls, one: Settlement, shown: Shown, validity: Validity) -> "_Look":
        table = shown.table.combine_chunks()
        tees, timestamps = _words(table["tee_id"]), table["timestamp"].to_numpy()
        valid = np.zeros(len(table), np.bool_)
        kinds, which = np.unique(tees.view("V32").reshape(-1), return_inverse=True)
        for number, tee_id in enumerate(kinds):
            mine = which == number
            valid[mine] = validity.valid(bytes(tee_id), timestamps[mine])
        place, known, signed = (
            table[name].to_numpy(zero_copy_only=False) for name in ("place", "known", "signed")
        )
        ahead = timestamps > one.block_time + CLOCK_SKEW
        good = (place == LEAF) & signed & valid & ~ahead & shown.root_right
        # An inference that nobody claims is not counted.
        good &= np.cumsum(good) <= min(one.claimed, len(good))
        found = int((place != INNER_NODE).sum())
        read = shown.blob in ("read", "in the event")
        lies = {
            "overclaimed": max(0, one.claimed - found) if read else 0,
            "underclaimed": max(0, found - one.claimed) if read else 0,
            "malformed": int(shown.blob == "malformed"),
            "wrong_root": int(read and not shown.root_right),
            INNER_NODE: int((place == INNER_NODE).sum()),
            WRONG_LEAF: int((place == WRONG_LEAF).sum()),
            "unknown_key": int((~known).sum()),
            "bad_signature": int((known & ~signed).sum()),
            "key_not_valid": int((known & ~valid).sum()),
            "ahead_of_time": int(ahead.sum()),
        }
        identity = np.ascontiguousarray(_words(table["identity"])[:, :16]).view(np.uint64)
        return cls(good, identity, found, int(signed.sum()), lies)


def _first_good(identity: NDArray[np.uint64], good: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return of each item the place of the first good one that is the same; else beyond all."""
    count = len(good)
    if not count:
        return np.zeros(0, np.int64)
    order = np.lexsort((identity[:, 1], identity[:, 0]))
    ordered = identity[order]
    starts = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)])
    firsts = np.minimum.reduceat(np.where(good[order], order, count), starts)
    found = np.empty(count, np.int64)
    found[order] = np.repeat(firsts, np.diff(np.r_[starts, count]))
    return found


def _words(column: pa.ChunkedArray) -> NDArray[np.uint8]:
    """Return a column of 32-byte values, shape (n, 32)."""
    return np.frombuffer(b"".join(column.to_pylist()), np.uint8).reshape(-1, 32)


def _joined(parts: Sequence[NDArray[Any]], kind: Any, width: int = 0) -> NDArray[Any]:
    empty = np.zeros((0, width) if width else 0, kind)
    return np.concatenate([empty, *parts])


def by_day(results: Sequence[Audited]) -> list[dict[str, Any]]:
    """Return claimed beside verified, a row a UTC day, ascending."""
    days: dict[date, dict[str, Any]] = {}
    for one in results:
        row = days.setdefault(one.day, {"day": one.day} | dict.fromkeys(DAILY, 0))
        row["settlements"] += 1
        row["claimed"] += one.settlement.claimed
        for name in ("found", "valid_signatures", "duplicates", "verified"):
            row[name] += getattr(one, name)
        row["unseen"] += one.settlement.claimed if one.unseen else 0
    return [days[day] for day in sorted(days)]


DAILY = (
    "settlements",
    "claimed",
    "found",
    "valid_signatures",
    "duplicates",
    "verified",
    "unseen",
)


def _write(folder: Folder, results: Sequence[Audited]) -> None:
    """Keep a row a settlement; claims of any size, so as decimal text."""
    rows = [one.row() for one in results]
    for row in rows:
        row["claimed"] = str(row["claimed"])
        row["lies"] = [(name, str(count)) for name, count in row["lies"].items()]
    replace_file(folder.audited, parquet(pa.Table.from_pylist(rows, schema=AUDIT)))


AUDIT = pa.schema(
    [
        pa.field("day", pa.date32()),
        pa.field("block_number", pa.int64()),
        pa.field("log_index", pa.int32()),
        pa.field("transaction_hash", pa.string()),
        pa.field("mode", pa.string()),
        pa.field("merkle_root", pa.string()),
        pa.field("claimed", pa.string()),
        pa.field("found", pa.int64()),
        pa.field("valid_signatures", pa.int64()),
        pa.field("duplicates", pa.int64()),
        pa.field("verified", pa.int64()),
        pa.field("blob", pa.string()),
        pa.field("lies", pa.map_(pa.string(), pa.string())),
        pa.field("reason", pa.string()),
    ]
)
