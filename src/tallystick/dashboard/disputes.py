"""Disputes and how they ended, and rejections: who lost stake, and why."""

from tallystick.dashboard.events import Events, Row
from tallystick.dashboard.network_key import PartKey, ResolverKey, condition

_TABLE = """
CREATE TABLE {place}.disputes AS
WITH fresh AS (
    SELECT chain_id, address, network_id, operator, batch_id, block_number, block_time, log_index,
        transaction_hash, 'challenge' AS kind, challenger AS party, leaf_index, due,
        NULL::VARCHAR AS step, NULL::VARCHAR AS cause
    FROM BatchChallenged
    UNION ALL
    SELECT chain_id, address, network_id, operator, batch_id, block_number, block_time, log_index,
        transaction_hash, 'demand', demander, leaf_index, due, NULL, NULL
    FROM BatchDemanded
    UNION ALL
    SELECT chain_id, address, network_id, operator, batch_id, block_number, block_time, log_index,
        transaction_hash, NULL, NULL, NULL, NULL, 'upheld', NULL FROM ChallengeUpheld
    UNION ALL
    SELECT chain_id, address, network_id, operator, batch_id, block_number, block_time, log_index,
        transaction_hash, NULL, NULL, NULL, NULL, 'lapsed', NULL FROM ChallengeLapsed
    UNION ALL
    SELECT chain_id, address, network_id, operator, batch_id, block_number, block_time, log_index,
        transaction_hash, NULL, NULL, NULL, NULL, 'revealed', NULL FROM LeafRevealed
    UNION ALL
    SELECT chain_id, address, network_id, operator, batch_id, block_number, block_time, log_index,
        transaction_hash, NULL, NULL, NULL, NULL, 'rejected', cause FROM BatchRejected
), steps AS (
    SELECT * FROM fresh{older}
), ordered AS (
    SELECT *, lead(step) OVER batch AS ended_as, lead(cause) OVER batch AS ended_by,
        lead(block_number) OVER batch AS end_block, lead(block_time) OVER batch AS end_time,
        lead(transaction_hash) OVER batch AS end_transaction
    FROM steps
    WINDOW batch AS (PARTITION BY chain_id, address, batch_id ORDER BY block_number, log_index)
)
SELECT * EXCLUDE (step, cause) FROM ordered WHERE kind IS NOT NULL
ORDER BY block_number DESC, log_index DESC
"""
"""While a batch is disputed, the next thing that happens to it ends the dispute."""
_OLDER = """
    UNION ALL
    SELECT * EXCLUDE (ended_as, ended_by, end_block, end_time, end_transaction), NULL, NULL
    FROM {base}.disputes
    WHERE end_block IS NULL
        AND (chain_id, address, batch_id) IN (SELECT chain_id, address, batch_id FROM fresh)"""
"""Disputes after which nothing had happened to their batches, until now."""
_NUMBERED = """
CREATE VIEW {place}.numbered_disputes AS
SELECT *, row_number() OVER (
    PARTITION BY chain_id, address, network_id, batch_id ORDER BY block_number, log_index
) AS number
FROM {place}.disputes
"""
"""With each one's number among its batch's disputes, from 1 on."""
SAME = (
    "x.chain_id = d.chain_id AND x.address = d.address "
    "AND x.block_number = d.block_number AND x.log_index = d.log_index"
)
"""Condition for two rows of one event."""

_COLUMNS = "* EXCLUDE (log_index, address), address AS core"
_STATES = {
    "all": "true",
    "open": "ended_as IS NULL",
    "past": "ended_as IS NOT NULL",
}
_REJECTED = """
SELECT chain_id, address AS core, network_id, operator, batch_id, block_number, block_time,
    transaction_hash, cause, leaf_index, count, payee, reward, burned
FROM BatchRejected
"""


class Disputes:
    """The disputes and rejections of a data folder.

    Args:
        events: of which the table is made.
        new: those that `base` does not have; None: the table is made of all.
        base: with its table of disputes.
    """

    def __init__(
        self, events: Events, new: Events | None = None, base: Events | None = None
    ) -> None:
        self._events = events
        if new is None or base is None:
            events.run(_TABLE.format(place=events.schema, older=""))
            events.run(_NUMBERED.format(place=events.schema))
            return
        new.run(_TABLE.format(place=new.copies, older=_OLDER.format(base=base.schema)))
        events.run(replaced("disputes", events, new, base))
        events.run(_NUMBERED.format(place=events.schema))

    def count(self, state: str, key: PartKey | None = None) -> int:
        """Return how many disputes there are: open, past, or all."""
        query = f"SELECT count(*) FROM numbered_disputes WHERE {_where(state, key)}"
        return int(self._events.value(query, *key or ()))

    def page(self, state: str, offset: int, limit: int, key: PartKey | None = None) -> list[Row]:
        """Return some disputes, the newest first."""
        return self._events.rows(
            f"SELECT {_COLUMNS} FROM numbered_disputes WHERE {_where(state, key)} "
            "ORDER BY block_number DESC, log_index DESC LIMIT ? OFFSET ?",
            *(*(key or ()), limit, offset),
        )

    def find(self, chain_id: int, core: str, batch_id: str, number: int) -> Row | None:
        """Return one of a batch's disputes, counted from 1 on; None when there is no such one."""
        rows = self._events.rows(
            "SELECT *, address AS core FROM numbered_disputes "
            "WHERE chain_id = ? AND address = ? AND batch_id = ? AND number = ?",
            *(chain_id, core, batch_id, number),
        )
        return rows[0] if rows else None

    def rejected_count(self, key: PartKey | None = None) -> int:
        """Return how many batches were rejected; of a resolver: by it, as the arbiter."""
        query = f"SELECT count(*) FROM BatchRejected WHERE {_which(key)}"
        return int(self._events.value(query, *key or ()))

    def rejected(self, offset: int, limit: int, key: PartKey | None = None) -> list[Row]:
        """Return some rejections, the newest first; amounts in units of the network's asset."""
        rows = self._events.rows(
            f"{_REJECTED} WHERE {_which(key)} "
            "ORDER BY block_number DESC, log_index DESC LIMIT ? OFFSET ?",
            *(*(key or ()), limit, offset),
        )
        return [
            row | {name: str(int(row[name], 16)) for name in ("reward", "burned")} for row in rows
        ]


def replaced(table: str, events: Events, new: Events, base: Events) -> str:
    """Return SQL for a view of a table: its rows in `base`, but for those that `new` has anew."""
    return (
        f"CREATE VIEW {events.schema}.{table} AS SELECT * FROM {base.schema}.{table} d "
        f"WHERE NOT EXISTS (SELECT 1 FROM {new.copies}.{table} x WHERE {SAME}) "
        f"UNION ALL SELECT * FROM {new.copies}.{table}"
    )


def _where(state: str, key: PartKey | None) -> str:
    return f"{condition(key) if key else 'true'} AND {_STATES[state]}"


def _which(key: PartKey | None) -> str:
    by_arbiter = " AND cause IN ('ruling', 'disproof')" if isinstance(key, ResolverKey) else ""
    return _where("all", key) + by_arbiter
