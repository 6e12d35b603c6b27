"""Totals as one Ibis expression over the tables of events; the same on every engine.

Counters, and the events that they grow by (docs/protocol.md, "Events to totals"):

committed     BatchCommitted.count
unchallenged, audited, enclave, proven, unresolved
              BatchFinalized.count, and BatchCommitted.finalized_count of the batch whose slot was
              taken over by a commit
rejected      BatchRejected.count
burned        BatchRejected, ChallengeUpheld, ChallengeLapsed, in four limbs (see decode.words)
"""

from collections.abc import Mapping, Sequence
from datetime import date

import ibis
import ibis.expr.types as ir
from ibis import _

from tallystick.data.decode.words import LIMBS
from tallystick.protocol.enums import Outcome

Tables = Mapping[str, ir.Table]
"""An Ibis table for each event, by its name."""

NETWORK = ("chain_id", "address", "network_id")
"""Key of a network: an id is of one chain and one registry."""
BY = {"operator": "operator", "model": "model_id", "day": "day"}
"""Ways to split totals, and the column of each."""
BATCH = ("chain_id", "address", "batch_id")
"""Key of a batch: its id is computed without its chain."""
COUNTING = (
    "BatchCommitted",
    "BatchFinalized",
    "BatchRejected",
    "ChallengeUpheld",
    "ChallengeLapsed",
)
"""Events that move a counter."""
OUTCOMES = tuple(outcome.name.lower() for outcome in Outcome)
COUNTS = ("committed", *OUTCOMES[:-1], "rejected", "unresolved")
BURNED = tuple(f"burned_{place}" for place in range(LIMBS))


def totals(
    tables: Tables,
    by: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
) -> ir.Table:
    """Return the counters per network, split further on demand.

    Args:
        tables: those of COUNTING.
        by: of operator, model and day, in this order of columns.
        since: first day (UTC) of what moved the counters; None: the first there is.
        until: first day that is not counted any more; None: all.

    Returns:
        The columns of NETWORK and `by`, of COUNTS (inferences) and of BURNED.
    """
    keys = [BY[one] for one in by]
    return _named(moves(tables, by, since, until), keys)


def moves(
    tables: Tables,
    by: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
) -> ir.Table:
    """Return what each event's kind moved each counter by: totals before counters are named.

    Args:
        tables, by, since, until: see totals.

    Returns:
        counter (chain id, registry, network id and name, between colons), the columns of `by`,
        committed, moved (of any other counter) and BURNED; several rows may move one counter.
    """
    keys = [BY[one] for one in by]
    counting: Tables = {name: _within(tables[name], since, until) for name in COUNTING}
    if "model" in by:
        # A batch that moves a counter in the period may have been committed before it.
        models = tables["BatchCommitted"].select(*BATCH, "model_id")
        counting = _attributed(counting, models)
    return ibis.union(*(_moved(name, table, keys) for name, table in counting.items()))


def strangers(tables: Tables) -> ir.Table:
    """Return the networks that events name and none registers, and how many do.

    Whoever reads only events can't tell an event that the registry emitted for a network that
    it doesn't know from one whose registration is missing: neither counts, and both are told.

    Args:
        tables: of all events.

    Returns:
        The columns of NETWORK, and events.
    """
    named = [
        table.select(
            "chain_id", table.address.cast("string"), network_id=table.network_id.cast("string")
        )
        for table in tables.values()
        if "network_id" in table.columns
    ]
    events = ibis.union(*named).group_by(list(NETWORK)).agg(events=_.count())
    return events.anti_join(tables["NetworkRegistered"], list(NETWORK))


def _within(table: ir.Table, since: date | None, until: date | None) -> ir.Table:
    if since is not None:
        table = table.filter(_.day >= ibis.date(since))
    if until is not None:
        table = table.filter(_.day < ibis.date(until))
    return table


def _attributed(tables: Tables, models: ir.Table) -> Tables:
    """Join each event to the commit of its batch: the events of finality do not name the model."""
    committed = tables["BatchCommitted"]
    taken = committed.filter(committed.finalized_count > 0).drop("batch_id", "model_id", "count")
    taken = taken.rename(batch_id="finalized_id", count="finalized_count").join(models, BATCH)
    rest = {name: tables[name].join(models, BATCH) for name in COUNTING[1:]}
    zero = ibis.literal(0, "int64")
    return {
        "BatchCommitted": committed.mutate(finalized_count=zero),
        "taken over": taken.mutate(finalized_count="count", count=zero),
        **rest,
    }


def _moved(name: str, table: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Aggregate one table by the counter that each row moves, reading no column but those needed.

    One key, that Parquet holds in a dictionary: grouping by it costs DuckDB hardly more than
    reading it.
    """
    zero = ibis.literal(0, "int64")
    sums = dict.fromkeys(("committed", "moved", *BURNED), None)
    if "finalized_count" in table.columns:
        sums["committed"], sums["moved"] = _sum(table["count"]), _sum(table.finalized_count)
    elif "count" in table.columns:
        sums["moved"] = _sum(table["count"])
    if name not in ("BatchCommitted", "taken over", "BatchFinalized"):
        sums |= {limb: _sum(table[limb]) for limb in BURNED}
    told = {one: value for one, value in sums.items() if value is not None}
    found = table.group_by(["counter", *keys]).agg(told)
    return found.select(
        "counter", *keys, **{one: found[one] if one in told else zero for one in sums}
    )


def _named(moved: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Put each counter into its column, a row a network."""
    parts = moved.counter.split(":")
    table = moved.mutate(
        chain_id=parts[0].cast("int64"),
        address=parts[1],
        network_id=parts[2],
        counter=parts[3],
    )
    sums = {"committed": _sum(table.committed)}
    for name in COUNTS[1:]:
        sums[name] = _sum(ibis.ifelse(table.counter == name, table.moved, 0))
    sums |= {limb: _sum(table[limb]) for limb in BURNED}
    return table.group_by([*NETWORK, *keys]).agg(sums)


def _sum(column: ir.Value) -> ir.Value:
    return column.sum().fill_null(0).cast("int64")
