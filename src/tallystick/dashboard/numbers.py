"""What a network's number is made of: queries over events, and the events themselves."""

from dataclasses import dataclass

from tallystick.dashboard.events import Events, Row
from tallystick.dashboard.network_key import NetworkKey
from tallystick.decode.words import LIMBS
from tallystick.totals.gas import BATCH_EVENTS


@dataclass(frozen=True, slots=True)
class Part:
    """Events of one kind that a number is made of."""

    event: str
    column: str
    """What of each is summed; burned stands for its limbs."""
    where: str = "true"

    def query(self, key: NetworkKey, last_block: int) -> str:
        """Return SQL over the views of Events that sums this part up."""
        return (
            f"SELECT {self._sum()}\nFROM {self.event}\nWHERE {self._of(key)}\n"
            f"  AND block_number <= {last_block}"
        )

    def value(self, events: Events, key: NetworkKey, last_block: int) -> int:
        """Return what the query says."""
        (row,) = events.near(self.query(key, last_block))
        return sum(int(value or 0) << 32 * place for place, value in enumerate(row.values()))

    def listed(self, key: NetworkKey, columns: str = "block_number, log_index") -> str:
        """Return SQL for its events, and for which of their fields they are here."""
        return f"SELECT '{self.column}' AS adds, {columns} FROM {self.event} WHERE {self._of(key)}"

    def told(self, key: NetworkKey) -> str:
        """Return SQL for its events in full; amounts as hex text."""
        return self.listed(
            key,
            f"'{self.event}' AS event, block_number, block_time, log_index, transaction_hash, "
            f"{self.column}::VARCHAR AS amount, {self._named()}",
        )

    def _sum(self) -> str:
        if self.column == "burned":
            return ", ".join(f"sum(burned_{place})" for place in range(LIMBS))
        return "count(*)" if self.column == "1" else f"sum({self.column})"

    def _of(self, key: NetworkKey) -> str:
        return (
            f"chain_id = {key.chain_id} AND address = '{key.core}'\n"
            f"  AND network_id = '{key.network_id}' AND {self.where}"
        )

    def _named(self) -> str:
        if self.event == "NetworkRegistered":
            return "NULL AS operator, NULL AS batch_id"
        batch = "finalized_id" if self.column == "finalized_count" else "batch_id"
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
LEFT = _final("settled") + VERIFIED + _final("unresolved") + REJECTED
RULES = (Part("NetworkRegistered", "1"),)
PARTS: dict[str, tuple[Part, ...]] = {
    "committed": COMMITTED,
    "settled": _final("settled"),
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
    "price_of_a_fake": RULES,
    "stake_at_risk": RULES + COMMITTED + LEFT,
    "audited_share": _final("audited") + _final("settled"),
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
"""By the number's name; a probe log holds no events, and batch data are found by their roots."""


def made_of(events: Events, key: NetworkKey, name: str, last_block: int) -> list[Row]:
    """Return each part of a number: its event, its query and what that says."""
    return [
        {
            "event": part.event,
            "query": part.query(key, last_block),
            "value": str(part.value(events, key, last_block)),
        }
        for part in PARTS[name]
    ]


def events_of(events: Events, key: NetworkKey, name: str, offset: int, limit: int) -> list[Row]:
    """Return some of the events that a number is made of, the newest first."""
    parts = dict.fromkeys(PARTS[name])
    if not parts:
        return []
    order = "ORDER BY block_number DESC, log_index DESC, adds LIMIT ? OFFSET ?"
    # Where they stand first: the rest is read of few blocks then.
    every = " UNION ALL ".join(part.listed(key) for part in parts)
    places = events.near(f"SELECT * FROM ({every}) {order}", limit, offset)
    if not places:
        return []
    ends = places[-1]["block_number"], places[0]["block_number"]
    told = " UNION ALL ".join(part.told(key) for part in parts)
    rows = {
        (row["block_number"], row["log_index"], row["adds"]): row
        for row in events.rows(f"SELECT * FROM ({told}) WHERE block_number BETWEEN ? AND ?", *ends)
    }
    found = [rows[place["block_number"], place["log_index"], place["adds"]] for place in places]
    return [row | {"amount": _amount(row["amount"])} for row in found]


def events_count(events: Events, key: NetworkKey, name: str) -> int:
    """Return how many events a number is made of."""
    every = " UNION ALL ".join(part.listed(key) for part in dict.fromkeys(PARTS[name]))
    if not every:
        return 0
    (row,) = events.near(f"SELECT count(*) AS count FROM ({every})")
    return int(row["count"])


def _amount(text: str) -> str:
    return str(int(text, 16)) if text.startswith("0x") else text
