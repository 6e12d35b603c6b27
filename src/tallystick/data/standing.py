"""State of batches, from tables of events: of all of them, or of those that are not over.

Which batches are over the tables tell by columns; the rest are built one by one, from their own
events alone. What was final before costs nothing but to be looked at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import ibis
import ibis.expr.types as ir

from tallystick.data.totals.expression import Tables
from tallystick.data.totals.gas import BATCH_EVENTS
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import Batch, Dispute, Stamp
from tallystick.protocol.enums import Cause, DisputeKind, Grade, State
from tallystick.protocol.events import Position
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.rules import Rules
from tallystick.protocol.standing import Standing

_HISTORY = tuple(name for name in BATCH_EVENTS if name != "BatchCommitted")
_ATTESTORS = 3

Row = Mapping[str, Any]


def standing(tables: Tables, live: bool = False) -> Standing:
    """Return where batches stand; those of networks that no event registers are left out.

    Args:
        tables: of all events of one registry, complete (see completeness.find_gaps).
        live: only batches that are neither final nor rejected.
    """
    registered = tables["NetworkRegistered"]
    rules = {from_hex(row["network_id"]): _rules(row) for row in _rows(registered)}
    committed = tables["BatchCommitted"].semi_join(registered, "network_id")
    taken = committed.filter(committed.finalized_count > 0)
    if live:
        ends = [tables[name].select("batch_id") for name in ("BatchFinalized", "BatchRejected")]
        over = ibis.union(taken.select(batch_id="finalized_id"), *ends)
        committed = ibis.memtable(committed.anti_join(over, "batch_id").to_pyarrow())
    commits = _rows(committed)
    batches = {(found := _batch(row)).id: found for row in sorted(commits, key=_order)}
    steps = [
        (_order(row), name, row)
        for name in _HISTORY
        for row in _rows(tables[name].semi_join(committed, "batch_id"))
    ]
    for _, name, row in sorted(steps, key=lambda step: step[0]):
        record = batches[from_hex(row["batch_id"])]
        _apply(record, name, row, rules[record.batch.network_id])
    if not live:
        for row in _rows(taken.select("finalized_id")):
            batches[from_hex(row["finalized_id"])].state = State.FINAL
    return Standing(rules, batches)


def _apply(record: BatchState, name: str, row: Row, rules: Rules) -> None:
    """Have a batch stand as it does after one more of its events."""
    match name:
        case "BatchAttested":
            record.grade = Grade[row["grade"].upper()]
        case "BatchChallenged":
            leaf, party = from_hex(row["leaf"]), from_hex(row["challenger"])
            record.state, record.dispute = (
                State.DISPUTED,
                Dispute(DisputeKind.CHALLENGE, False, party, row["leaf_index"], row["due"], leaf),
            )
        case "BatchDemanded":
            whole, party = row["with_bytes"], from_hex(row["demander"])
            record.state, record.dispute = (
                State.DISPUTED,
                Dispute(DisputeKind.DEMAND, whole, party, row["leaf_index"], row["due"], ZERO32),
            )
        case "BatchRejected":
            record.state, record.dispute, record.archived = State.REJECTED, None, True
            record.cause, record.leaf_index = Cause[row["cause"].upper()], row["leaf_index"]
        case "BatchFinalized":
            record.state = State.FINAL
        case "BatchArchived":
            record.archived = True
        case _:
            record.reopen(record.stamp.closing_at(row["closes_at"]), rules)
            if name == "ChallengeLapsed":
                record.lapsed = True


def _batch(row: Row) -> BatchState:
    batch = Batch(
        from_hex(row["network_id"]),
        from_hex(row["operator"]),
        row["index"],
        from_hex(row["model_id"]),
        from_hex(row["root"]),
        row["count"],
        int(row["commit_deadline"], 16),
    )
    stamp = Stamp(**{field.name: row[field.name] for field in fields(Stamp)})
    place = Position(
        row["block_number"],
        row["log_index"],
        from_hex(row["transaction_hash"]),
        from_hex(row["address"]),
    )
    return BatchState(from_hex(row["batch_id"]), batch, stamp, place)


def _rules(row: Row) -> Rules:
    """Return a network's rules; amounts are hex text."""
    attestors = tuple(from_hex(row[f"rules_attestors_{one}"]) for one in range(_ATTESTORS))
    return Rules(attestors=attestors, **dict(_plain(row)))  # type: ignore[arg-type]


def _plain(row: Row) -> Iterator[tuple[str, Any]]:
    for field in fields(Rules):
        if field.name == "attestors":
            continue
        value = row[f"rules_{field.name}"]
        if field.name in ("asset", "arbiter"):
            yield field.name, from_hex(value)
        else:
            yield field.name, int(value, 16) if isinstance(value, str) else value


def _order(row: Row) -> tuple[int, int]:
    return row["block_number"], row["log_index"]


def _rows(table: ir.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return rows
