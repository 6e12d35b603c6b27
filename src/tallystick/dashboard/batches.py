"""Batches: an index in memory of which there are and what became of them, and each in full."""

from tallystick.dashboard.disputes import replaced
from tallystick.dashboard.events import COPIES, Events, Row
from tallystick.dashboard.network_key import OF_NETWORK, NetworkKey, PartKey, condition
from tallystick.data.totals.gas import BATCH_EVENTS
from tallystick.protocol.rules import LIFE_RESPONSES, LIFE_RULINGS

ENDINGS = ("unchallenged", "audited", "enclave", "proven", "rejected", "unresolved")

_GRADES = "['unchallenged', 'audited', 'enclave', 'proven']"
_ADDRESS = f"TRY_CAST(address AS {COPIES}.address)"
_OWN = (
    "chain_id, address, network_id, operator, model_id, block_number, log_index, "
    "count::INTEGER AS count, key"
)
_INDEX = f"""
CREATE TABLE {{place}}.batches AS
WITH ends AS (
    SELECT chain_id, address, key, outcome::VARCHAR AS ending, block_number AS end_block
    FROM {{copies}}.BatchFinalized
    UNION ALL
    SELECT chain_id, address, finalized_key, outcome, block_number
    FROM {{copies}}.BatchCommitted WHERE finalized_count > 0
    UNION ALL
    SELECT chain_id, {_ADDRESS}, hash(batch_id), 'rejected', block_number FROM BatchRejected
), grades AS (
    SELECT chain_id, {_ADDRESS} AS address, hash(batch_id) AS key,
        max(list_position({_GRADES}, grade)) AS grade
    FROM BatchAttested GROUP BY ALL
), reopened AS (
    SELECT chain_id, {_ADDRESS} AS address, network_id, hash(batch_id) AS key, closes_at
    FROM LeafRevealed
    UNION ALL
    SELECT chain_id, {_ADDRESS}, network_id, hash(batch_id), closes_at FROM ChallengeUpheld
), lapses AS (
    SELECT chain_id, {_ADDRESS} AS address, hash(batch_id) AS key FROM ChallengeLapsed
    UNION
    SELECT r.chain_id, r.address, r.key
    FROM reopened r
    JOIN {{every_copies}}.BatchCommitted c USING (chain_id, address, key)
    JOIN {{every}}.NetworkRegistered n ON n.chain_id = r.chain_id AND n.network_id = r.network_id
        AND TRY_CAST(n.address AS {COPIES}.address) = r.address
    WHERE r.closes_at > c.committed_at::BIGINT + n.rules_challenge_window
        + {LIFE_RESPONSES} * n.rules_response_window + {LIFE_RULINGS} * n.rules_ruling_window
), known AS (
    {{known}}
)
SELECT known.* EXCLUDE (grade, lapsed, ending, end_block),
    greatest(known.grade, coalesce(grades.grade, 1))::UTINYINT AS grade,
    known.lapsed OR lapses.key IS NOT NULL AS lapsed,
    coalesce(known.ending, ends.ending) AS ending,
    coalesce(known.end_block, ends.end_block) AS end_block
FROM known
LEFT JOIN ends USING (chain_id, address, key)
LEFT JOIN grades USING (chain_id, address, key)
LEFT JOIN lapses USING (chain_id, address, key)
"""
"""A batch is looked up by 64 bits of hash, and then compared in full.

Whatever reopens a batch behind its life marks it lapsed, as Rules.lapse_after says.
"""
_COMMITTED = f"""
    SELECT {_OWN}, 1::UTINYINT AS grade, false AS lapsed, NULL::VARCHAR AS ending,
        NULL::BIGINT AS end_block
    FROM {{copies}}.BatchCommitted"""
_TOUCHED = """
    UNION ALL
    SELECT * FROM {base}.batches SEMI JOIN (
        SELECT chain_id, address, key FROM ends
        UNION SELECT chain_id, address, key FROM grades
        UNION SELECT chain_id, address, key FROM lapses
    ) USING (chain_id, address, key)"""
"""Batches that were known, and to which something happened since."""

_FULL = f"""
SELECT c.* EXCLUDE (finalized_id, outcome, finalized_count, counter, day, transaction_index),
    {_GRADES}[b.grade] AS grade, b.lapsed, b.ending, b.end_block,
    EXISTS (
        FROM disputes d WHERE d.ended_as IS NULL AND d.batch_id = c.batch_id
        AND d.chain_id = c.chain_id AND d.address = c.address
    ) AS disputed
FROM BatchCommitted c JOIN batches b ON b.chain_id = c.chain_id AND b.address = c.address
    AND b.block_number = c.block_number AND b.log_index = c.log_index
"""

_HISTORY = tuple(name for name in BATCH_EVENTS if name != "BatchCommitted")


class Batches:
    """The batches of a data folder.

    Args:
        events: with copies in memory, and the table of disputes.
        new: those that `base` does not have; None: the index is made of all.
        base: with its index.
    """

    def __init__(
        self, events: Events, new: Events | None = None, base: Events | None = None
    ) -> None:
        self._events = events
        if new is None or base is None:
            known = _COMMITTED.format(copies=events.copies)
            events.run(_index(events.schema, events, events, known))
            return
        known = _COMMITTED.format(copies=new.copies) + _TOUCHED.format(base=base.schema)
        new.run(_index(new.copies, new, events, known))
        events.run(replaced("batches", events, new, base))

    def count(self, key: PartKey) -> int:
        """Return how many batches a network, an operator or a model has."""
        query = f"SELECT count(*) FROM batches WHERE {condition(key)}"
        return int(self._events.value(query, *key))

    def page(self, key: PartKey, offset: int, limit: int) -> list[Row]:
        """Return some of the batches of a network, an operator or a model, the newest first."""
        places = self._events.rows(
            f"SELECT block_number, log_index FROM batches WHERE {condition(key)} "
            "ORDER BY block_number DESC, log_index DESC LIMIT ? OFFSET ?",
            *key,
            limit,
            offset,
        )
        if not places:
            return []
        ends = places[-1]["block_number"], places[0]["block_number"]
        rows = self._events.rows(
            f"{_FULL} WHERE {condition(key, 'c.')} "
            "AND c.block_number BETWEEN ? AND ? AND b.block_number BETWEEN ? AND ? "
            "ORDER BY c.block_number DESC, c.log_index DESC",
            *key,
            *ends * 2,
        )
        wanted = {(place["block_number"], place["log_index"]) for place in places}
        return [_told(row) for row in rows if (row["block_number"], row["log_index"]) in wanted]

    def models(self, key: NetworkKey) -> list[Row]:
        """Return a network's models as registered, with the counters of their batches."""
        sums = [f"sum(count) FILTER (ending = '{one}') AS {one}" for one in ENDINGS]
        query = (
            f"SELECT model_id::VARCHAR AS model_id, sum(count) AS committed, {', '.join(sums)} "
            f"FROM batches WHERE {OF_NETWORK} GROUP BY 1"
        )
        counted = {row["model_id"]: row for row in self._events.rows(query, *key)}
        registered = self._events.rows(
            "SELECT model_id, name, uri, registrant, parent, content_hash, spec_hash, "
            f"block_number, transaction_hash FROM ModelRegistered WHERE {OF_NETWORK} "
            "ORDER BY block_number, log_index",
            *key,
        )
        rows = []
        for row in registered:
            sums_of = counted.get(row["model_id"], {})
            row |= {name: int(sums_of.get(name) or 0) for name in ("committed", *ENDINGS)}
            row["verified"] = row["audited"] + row["enclave"] + row["proven"]
            rows.append(row)
        return rows

    def find(self, chain_id: int, core: str, batch_id: str) -> Row | None:
        """Return a batch with its history; None when no event tells of it."""
        places = self._events.rows(
            "SELECT block_number, log_index FROM batches "
            "WHERE key = hash(?) AND chain_id = ? AND address::VARCHAR = ?",
            *(batch_id, chain_id, core),
        )
        for place in places:
            rows = self._events.rows(
                f"{_FULL} WHERE c.block_number = ? AND c.log_index = ? AND c.batch_id = ? "
                "AND c.chain_id = ? AND c.address = ?",
                *(place["block_number"], place["log_index"], batch_id, chain_id, core),
            )
            for row in rows:
                history = self._history(row)
                moved = [step["closes_at"] for step in history if step.get("closes_at")]
                return (
                    _told(row)
                    | {"closes_at": [row["closes_at"], *moved][-1]}
                    | {"history": history}
                )
        return None

    def _history(self, batch: Row) -> list[Row]:
        """Return what happened to a batch, in order; each step with its event's own fields."""
        of = "chain_id = ? AND address = ? AND block_number >= ?"
        known = batch["chain_id"], batch["address"], batch["block_number"]
        steps = []
        for name in _HISTORY:
            query = f"SELECT * FROM {name} WHERE {of} AND network_id = ? AND batch_id = ?"
            rows = self._events.rows(query, *known, batch["network_id"], batch["batch_id"])
            steps += [{"event": name, **_own(row)} for row in rows]
        if batch["end_block"] is not None:
            # Finality that came with the next batch in its slot.
            query = (
                "SELECT block_number, block_time, log_index, transaction_hash, outcome, "
                "finalized_count AS count, batch_id AS taken_by FROM BatchCommitted "
                f"WHERE {of} AND block_number = ? AND finalized_id = ?"
            )
            rows = self._events.rows(query, *known, batch["end_block"], batch["batch_id"])
            steps += [{"event": "BatchCommitted", **row} for row in rows]
        return sorted(steps, key=lambda step: (step["block_number"], step["log_index"]))


def _index(place: str, of: Events, every: Events, known: str) -> str:
    """Return SQL that makes an index of the batches `known`, by what `of` says of them."""
    return _INDEX.format(
        place=place,
        copies=of.copies,
        every=every.schema,
        every_copies=every.copies,
        known=known,
    )


_NAMING = {"network_id", "operator", "batch_id", "chain_id", "address", "counter", "day"}


def _own(row: Row) -> Row:
    """Return an event's own fields: what names the batch and limbs of amounts left out."""
    return {
        name: str(int(value, 16)) if f"{name}_0" in row else value
        for name, value in row.items()
        if name not in _NAMING and not name[-1].isdigit() and name != "transaction_index"
    }


def _told(row: Row) -> Row:
    """Return a batch with its state in one word, and `commit_deadline` as a number."""
    ending, disputed = row.pop("ending"), row.pop("disputed")
    row["core"] = row.pop("address")
    if ending:
        row["state"] = "rejected" if ending == "rejected" else "final"
    else:
        row["state"] = "disputed" if disputed else "open"
    row["outcome"] = ending if row["state"] == "final" else None
    row["commit_deadline"] = str(int(row["commit_deadline"], 16))
    return row
