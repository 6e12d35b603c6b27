"""News of networks: disputes opened, batches rejected, answers overdue, ranks that changed.

All of it follows from events, so every server with the same events tells the same news under the
same ids. At a block that is not final, what an id stands for may vanish.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from tallystick.dashboard import periods
from tallystick.dashboard.block_times import block_times
from tallystick.dashboard.events import Row
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.snapshot import Snapshot
from tallystick.dashboard.strangers import plain

Kind = Literal["dispute.opened", "batch.rejected", "demand.due", "rank.changed"]
_AUTHORITY = "tag:tallystick,2026:"
"""Of ids (RFC 4151); not of a site, so that an event has one id wherever it is told of."""
_DISPUTES = """
SELECT chain_id, address AS core, network_id, operator, batch_id, kind, party, leaf_index, due,
    block_number, block_time, log_index, transaction_hash, end_time
FROM disputes
"""
_REJECTED = """
SELECT chain_id, address AS core, network_id, operator, batch_id, cause, leaf_index, count,
    block_number, block_time, log_index, transaction_hash
FROM BatchRejected
"""
CAUSES = {
    "ruling": "the arbiter ruled against a challenged inference",
    "disproof": "an inference was proved wrong",
    "timeout": "a demand stayed unanswered",
    "order": "its inferences are out of order or equal",
    "repeat": "an inference was counted before",
    "deadline": "a deadline out of bounds",
}


@dataclass(frozen=True, slots=True)
class Item:
    """Something that happened to a network."""

    id: str
    """A tag URI, the same wherever it is told."""
    kind: Kind
    key: NetworkKey
    time: int
    """Unix seconds: of its block, of the moment at which an answer was due, or of a day's end."""
    title: str
    """Plain text; strangers' words are spelt out."""
    path: str
    """The place on the page."""
    facts: Mapping[str, Any] = field(compare=False)
    """Its event's fields."""


def news(snapshot: Snapshot, key: NetworkKey | None = None) -> list[Item]:
    """Return what happened to a network, or to all of them, the newest first.

    Raises:
        NotHereError: no event tells of the network.
    """
    if key is not None:
        snapshot.network(key)
    every: list[Item] = snapshot.once("news", lambda: _news(snapshot))
    return [one for one in every if key is None or one.key == key]


def _news(snapshot: Snapshot) -> list[Item]:
    names = {key: _named(snapshot.network(key)) for key in snapshot.network_keys()}
    found = [*_disputes(snapshot, names), *_rejected(snapshot, names), *_ranks(snapshot, names)]
    return sorted(found, key=lambda one: (-one.time, one.id))


def _named(network: Row) -> str:
    return plain(network["name"]) or f"the network {network['network_id'][:10]}"


def _id_of(row: Row, kind: Kind) -> str:
    place = f"{row['chain_id']}/{row['core']}/{row['transaction_hash']}/{row['log_index']}"
    return f"{_AUTHORITY}{place}/{kind}"


def _item(row: Row, kind: Kind, title: str, time: int) -> Item:
    batch = f"batch/{row['chain_id']}/{row['core']}/{row['batch_id']}"
    return Item(_id_of(row, kind), kind, NetworkKey.of(row), time, title, batch, row)


def _disputes(snapshot: Snapshot, names: Mapping[NetworkKey, str]) -> Iterator[Item]:
    now = {one.of: one.time or 0 for one in block_times(snapshot)}
    for row in snapshot.events.rows(_DISPUTES):
        # How it ended is told by what came later; an item stays as it is.
        end, name = row.pop("end_time"), names[NetworkKey.of(row)]
        doing = "challenged" if row["kind"] == "challenge" else "demanded"
        title = f"Inference {row['leaf_index']:,} of a batch of {name} was {doing}"
        yield _item(row, "dispute.opened", title, row["block_time"])
        due = row["due"]
        overdue = due < now[row["chain_id"], row["core"]] and (end is None or end > due)
        if row["kind"] == "demand" and overdue:
            title = f"Inference {row['leaf_index']:,} of a batch of {name} was not revealed in time"
            yield _item(row, "demand.due", title, due)


def _rejected(snapshot: Snapshot, names: Mapping[NetworkKey, str]) -> Iterator[Item]:
    for row in snapshot.events.rows(_REJECTED):
        why = CAUSES.get(row["cause"], row["cause"])
        title = f"A batch of {row['count']:,} inferences of {names[NetworkKey.of(row)]} "
        yield _item(row, "batch.rejected", f"{title}was rejected: {why}", row["block_time"])


def _ranks(snapshot: Snapshot, names: Mapping[NetworkKey, str]) -> Iterator[Item]:
    whole, flows = snapshot.summary("all"), snapshot.state.flows()
    ends = whole["first_day"], whole["last_day"]
    verified = {
        NetworkKey.of(row): {
            day: sum(grades.values()) for day, grades in periods.daily(row, flows, *ends).items()
        }
        for row in whole["networks"]
        if row["ranked"]
    }
    for day, key, before, rank in rank_changes(verified, whole["last_day"]):
        yield _moved(key, names[key], day, before, rank)


def rank_changes(
    flows: Mapping[NetworkKey, Mapping[date, int]], last: date
) -> Iterator[tuple[date, NetworkKey, int | None, int]]:
    """Yield day, network, rank before (None: it had none) and rank, of each change of rank.

    Ranks are by what was verified up to a day's end; a day that isn't over changes nothing yet.

    Args:
        flows: inferences that networks ranked now verified, by day (UTC).
        last: the day that isn't over.
    """
    days = sorted({day for counted in flows.values() for day in counted if day < last})
    sums: dict[NetworkKey, int] = dict.fromkeys(flows, 0)
    before: dict[NetworkKey, int] = {}
    for day in days:
        for key, counted in flows.items():
            sums[key] += counted.get(day, 0)
        ranks = _placed(sums)
        for key, rank in ranks.items():
            if before.get(key) != rank:
                yield day, key, before.get(key), rank
        before = ranks


def _placed(sums: Mapping[NetworkKey, int]) -> dict[NetworkKey, int]:
    """Return the ranks of networks that verified something, from 1."""
    counted: Sequence[NetworkKey] = sorted(
        (key for key, count in sums.items() if count),
        key=lambda key: (-sums[key], key.chain_id, key.network_id),
    )
    return {key: at + 1 for at, key in enumerate(counted)}


def days_over(snapshot: Snapshot) -> int:
    """Return the end of the last day (UTC) that is over, in Unix seconds."""
    return _begin(snapshot.summary("all")["last_day"])


def _begin(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _moved(key: NetworkKey, name: str, day: date, before: int | None, rank: int) -> Item:
    moved = f"has rank {rank} now" if before is None else f"went from rank {before} to {rank}"
    return Item(
        id=f"{_AUTHORITY}{key.path}/{day}/rank.changed",
        kind="rank.changed",
        key=key,
        time=_begin(day + timedelta(days=1)),
        title=f"{name} {moved}",
        path=f"network/{key.path}",
        facts={**key._asdict(), "day": str(day), "rank_before": before, "rank": rank},
    )
