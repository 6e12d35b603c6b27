"""The parts of a number: queries over events, and the events themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from tallystick.dashboard.events import Events, Row
from tallystick.dashboard.memory_tables import LARGE
from tallystick.dashboard.network_key import NetworkKey
from tallystick.data.decode.words import LIMBS
from tallystick.data.totals.expression import COUNTS
from tallystick.data.totals.gas import BATCH_EVENTS

_AMOUNTS = ("amount", "burned", "reward")
"""Columns that stand for their limbs."""
_OF_NO_BATCH = ("Staked", "Unstaked")


@dataclass(frozen=True, slots=True)
class Scope:
    """A network, or what an operator, a model or a day has of it."""

    key: NetworkKey
    by: str = ""
    """operator, model, day or since (a day); empty: the whole network."""
    value: str = ""

    def where(self) -> str:
        """Return the network's condition in SQL.

        Values are literals, not parameters: the query is shown, to be run elsewhere.
        """
        chain_id, core, network_id = map(literal, self.key)
        return f"chain_id = {chain_id} AND address = {core}\n  AND network_id = {network_id}"


@dataclass(frozen=True, slots=True)
class Part:
    """Events of one kind that a number is made of."""

    event: str
    column: str
    """The column that is summed; an amount stands for its limbs."""
    where: str = ""

    def query(self, scope: Scope, last_block: int, copies: bool = False) -> str:
        """Return SQL that sums this part up, over the views of Events or the copies in memory."""
        return (
            f"SELECT {self._sum()}\nFROM {self.event}\nWHERE {self._of(scope, copies)}\n"
            f"  AND block_number <= {last_block}"
        )

    def value(self, events: Events, scope: Scope, last_block: int) -> int:
        """Return what the query says."""
        (row,) = events.of_copies(self.query(scope, last_block, copies=True))
        return sum(int(value or 0) << 32 * place for place, value in enumerate(row.values()))

    def listed(self, scope: Scope) -> str:
        """Return SQL for where its events stand in memory, and for which of their fields."""
        return (
            f"SELECT '{self.column}' AS adds, block_number, log_index FROM {self.event} "
            f"WHERE {self._of(scope, copies=True)}"
        )

    def told(self, scope: Scope) -> str:
        """Return SQL for its events in full; amounts as hex text."""
        return (
            f"SELECT '{self.column}' AS adds, '{self.event}' AS event, block_number, block_time, "
            f"log_index, transaction_hash, {self.column}::VARCHAR AS amount, {self._named()} "
            f"FROM {self.event} WHERE {self._of(scope)}"
        )

    def _sum(self) -> str:
        if self.column in _AMOUNTS:
            return ", ".join(f"sum({self.column}_{place})" for place in range(LIMBS))
        return "count(*)" if self.column == "1" else f"sum({self.column})"

    def _of(self, scope: Scope, copies: bool = False) -> str:
        split = {
            "operator": f"operator::VARCHAR = {literal(scope.value)}",
            "day": f"day = DATE {literal(scope.value)}",
            "since": f"day >= DATE {literal(scope.value)}",
            # Events of finality do not name the model.
            "model": f"{self._batch(copies)} IN (SELECT {'key' if copies else 'batch_id'} "
            f"FROM BatchCommitted\n    WHERE {scope.where()}\n"
            f"      AND model_id::VARCHAR = {literal(scope.value)})",
        }
        conditions = [scope.where(), self.where, split.get(scope.by, "")]
        return "\n  AND ".join(one for one in conditions if one)

    def _batch(self, copies: bool = False) -> str:
        name = "finalized_id" if self.column == "finalized_count" else "batch_id"
        if not copies:
            return name
        if self.event not in LARGE:
            return f"hash({name})"
        return "finalized_key" if name == "finalized_id" else "key"

    def _named(self) -> str:
        if self.event == "NetworkRegistered":
            return "NULL AS operator, NULL AS batch_id"
        batch = "NULL" if self.event in _OF_NO_BATCH else self._batch()
        return f"operator, {batch} AS batch_id"


def _final(outcome: str) -> tuple[Part, ...]:
    where = f"outcome = '{outcome}'"
    return (
        Part("BatchFinalized", "count", where),
        Part("BatchCommitted", "finalized_count", f"finalized_count > 0 AND {where}"),
    )


COMMITTED = (Part("BatchCommitted", "count"),)
REJECTED = (Part("BatchRejected", "count"),)
VERIFIED = _final("audited") + _final("enclave") + _final("proven")
LEFT = _final("unchallenged") + VERIFIED + _final("unresolved") + REJECTED
RULES = (Part("NetworkRegistered", "1"),)
ATTESTED = (Part("BatchAttested", "1", "grade = 'audited'"),)
"""The batches of which a pool has a record, where one audits."""
KNOWN_VERIFIED = "known_verified"
PARTS: dict[str, tuple[Part, ...]] = {
    "committed": COMMITTED,
    "unchallenged": _final("unchallenged"),
    "audited": _final("audited"),
    "enclave": _final("enclave"),
    "proven": _final("proven"),
    "rejected": REJECTED,
    "unresolved": _final("unresolved"),
    "verified": VERIFIED,
    "burned": tuple(
        Part(name, "burned") for name in ("BatchRejected", "ChallengeUpheld", "ChallengeLapsed")
    ),
    "open": COMMITTED + LEFT,
    "stake_per_inference": RULES,
    KNOWN_VERIFIED: VERIFIED,
    "price_of_a_fake": RULES + ATTESTED,
    "price_audited": RULES + ATTESTED,
    "price_enclave": RULES,
    "price_proven": RULES,
    "price_unchallenged": RULES,
    "stake_at_risk": RULES + COMMITTED + LEFT,
    "audited_share": _final("audited") + _final("unchallenged"),
    "found_share": COMMITTED,
    "solicited_share": COMMITTED,
    "requesters": COMMITTED,
    "top_share": COMMITTED,
    "herfindahl": COMMITTED,
    "gas_per_verified": tuple(Part(name, "1") for name in BATCH_EVENTS) + VERIFIED,
    "accessibility": (),
    "verifiability": LEFT,
    "scalability": VERIFIED,
    "utility": LEFT,
}
"""By the number's name; see beside.py for what is no event. Of KNOWN_VERIFIED a network has those
of its known grades."""
STAKE_IN = (Part("Staked", "amount"),)
STAKE_OUT = (
    Part("Unstaked", "amount"),
    Part("BatchRejected", "reward"),
    Part("BatchRejected", "burned"),
)
"""An operator's stake is what came in less what went out."""
_COUNTERS = (*COUNTS, "verified")
SPLIT = {
    "operator": {name: PARTS[name] for name in (*_COUNTERS, "open", "audited_share", "burned")}
    | {"stake": STAKE_IN + STAKE_OUT},
    "model": {name: PARTS[name] for name in _COUNTERS},
    "day": {name: PARTS[name] for name in (*_COUNTERS, "burned")},
    "since": {name: PARTS[name] for name in (*_COUNTERS, KNOWN_VERIFIED)},
}
"""The same of an operator, a model, a day, the days from one on."""


def parts_of(scope: Scope, name: str, known: Sequence[str] = ()) -> tuple[Part, ...]:
    """Return the parts of a number; KeyError when there is no such number.

    Args:
        scope: whose number.
        name: the number's.
        known: the grades that known resolvers give in the network.
    """
    if name == KNOWN_VERIFIED and scope.by in ("", "since"):
        return tuple(part for grade in known for part in _final(grade))
    return SPLIT[scope.by][name] if scope.by else PARTS[name]


def made_of(events: Events, scope: Scope, parts: Sequence[Part], last_block: int) -> list[Row]:
    """Return each part of a number: its event, its query and what that says."""
    return [
        {
            "event": part.event,
            "query": part.query(scope, last_block),
            "value": str(part.value(events, scope, last_block)),
        }
        for part in parts
    ]


def events_of(
    events: Events, scope: Scope, made: Sequence[Part], offset: int, limit: int
) -> list[Row]:
    """Return some of the events that a number is made of, the newest first."""
    parts = dict.fromkeys(made)
    if not parts:
        return []
    order = "ORDER BY block_number DESC, log_index DESC, adds LIMIT ? OFFSET ?"
    # Where they stand first: the rest is read of few blocks then.
    every = " UNION ALL ".join(part.listed(scope) for part in parts)
    places = events.of_copies(f"SELECT * FROM ({every}) {order}", limit, offset)
    if not places:
        return []
    ends = places[-1]["block_number"], places[0]["block_number"]
    told = " UNION ALL ".join(part.told(scope) for part in parts)
    rows = {
        (row["block_number"], row["log_index"], row["adds"]): row
        for row in events.rows(f"SELECT * FROM ({told}) WHERE block_number BETWEEN ? AND ?", *ends)
    }
    found = [rows[place["block_number"], place["log_index"], place["adds"]] for place in places]
    return [row | {"amount": _amount(row["amount"])} for row in found]


def events_count(events: Events, scope: Scope, parts: Sequence[Part]) -> int:
    """Return how many events a number is made of."""
    every = " UNION ALL ".join(part.listed(scope) for part in dict.fromkeys(parts))
    if not every:
        return 0
    (row,) = events.of_copies(f"SELECT count(*) AS count FROM ({every})")
    return int(row["count"])


def literal(value: object) -> str:
    """Return a value as DuckDB's SQL writes it.

    >>> literal("it's")
    "'it''s'"
    """
    return exp.convert(value).sql("duckdb")


def _amount(text: str) -> str:
    return str(int(text, 16)) if text.startswith("0x") else text
