"""Copies in memory of what is asked for most: the large tables, ids as enums and hashes.

They stand in a schema of their own under the events' names, with the same rows and columns of the
same names and values; of ids of batches there are hashes, 64 bits, to be compared in full.
"""

from tallystick.dashboard.events import COPIES, Events

LARGE = ("BatchCommitted", "BatchFinalized")
_ENUMS = ("address", "network_id", "operator", "counter", "outcome")
_PLAIN = "chain_id, block_number, log_index, day, count"
_OWN = {
    "BatchCommitted": "finalized_count, committed_at::UINTEGER AS committed_at, "
    "model_id::{copies}.model_id AS model_id, hash(batch_id) AS key, "
    "hash(finalized_id) AS finalized_key",
    "BatchFinalized": "hash(batch_id) AS key",
}


def copy_tables(events: Events) -> None:
    """Copy the large tables into memory."""
    for name in _ENUMS:
        every = " UNION ".join(f"SELECT {name} FROM {table}" for table in LARGE)
        events.run(f"CREATE TYPE {COPIES}.{name} AS ENUM (SELECT {name} FROM ({every}) ORDER BY 1)")
    events.run(
        f"CREATE TYPE {COPIES}.model_id AS ENUM "
        "(SELECT DISTINCT model_id FROM BatchCommitted ORDER BY 1)"
    )
    _copy(events)


def copy_new(events: Events, new: Events, base: Events) -> None:
    """Copy what is new of the large tables, and put it under what `base` has of them.

    Args:
        events: of the whole state.
        new: the events that `base` does not have.
        base: with copies.

    Raises:
        duckdb.ConversionException: a new event names somebody whom no older one does.
    """
    _copy(new)
    for table in LARGE:
        events.run(
            f"CREATE VIEW {events.copies}.{table} AS SELECT * FROM {base.copies}.{table} "
            f"UNION ALL SELECT * FROM {new.copies}.{table}"
        )


def _copy(events: Events) -> None:
    enums = ", ".join(f"{name}::{COPIES}.{name} AS {name}" for name in _ENUMS)
    for table in LARGE:
        own = _OWN[table].format(copies=COPIES)
        events.run(
            f"CREATE TABLE {events.copies}.{table} AS SELECT {_PLAIN}, {enums}, {own} FROM {table}"
        )
