"""A card of a network, or of all of them: the numbers that people send to each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tallystick.dashboard import definitions, periods, rules
from tallystick.dashboard.badge import PERIOD
from tallystick.dashboard.block_times import block_times
from tallystick.dashboard.chains import chain_name, symbol
from tallystick.dashboard.events import Row
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.periods import TREND
from tallystick.dashboard.snapshot import Snapshot
from tallystick.dashboard.strangers import plain
from tallystick.data.resolvers.kinds import GRADES
from tallystick.data.resolvers.standing import NONE

ALL = "Verified AI inference, by network"
_CHAINS = 2
"""Chains whose blocks are named one by one."""
_WHO = {"audited": "an audit", "enclave": "an enclave's signature", "proven": "a proof"}


@dataclass(frozen=True, slots=True)
class Card:
    """The numbers of a network, or of all ranked ones, over 30 days."""

    key: NetworkKey | None
    """None: all networks."""
    title: str
    """A stranger's words, spelt out."""
    about: str
    verified: int | None
    """By known resolvers; None: the network is not ranked."""
    why: str
    """The reason why it is not ranked; empty: it is."""
    change: float | None
    share: float | None
    grades: dict[str, int]
    """Verified inferences of each grade that a known resolver gives."""
    days: list[tuple[date, dict[str, int]]]
    """The same of each of the last 30 days, the oldest first."""
    fakes: list[str]
    """Sentences on the price of a fake."""
    blocks: str
    time: int | None
    """Unix seconds, of the newest block whose time is known."""

    @property
    def trend(self) -> list[int]:
        """Verified inferences of each day."""
        return [sum(grades.values()) for _, grades in self.days]

    @property
    def as_of(self) -> str:
        """The time and blocks that the numbers are of."""
        if self.time is None:
            return self.blocks
        return f"{datetime.fromtimestamp(self.time, UTC):%-d %b %Y, %H:%M} UTC, {self.blocks}"

    @property
    def description(self) -> str:
        """The card in sentences."""
        if self.verified is None:
            said = [f"Unranked: {self.why}."]
        else:
            of = ", ".join(f"{grade} {count:,}" for grade, count in self.grades.items())
            said = [f"{self.verified:,} verified inferences in 30 days{of and f': {of}'}."]
        said += self.sentences
        return " ".join([*said, f"As of {self.as_of}; definitions {definitions.VERSION}."])

    @property
    def sentences(self) -> list[str]:
        """The share of what closed, and the price of a fake."""
        closed = [] if self.share is None else [f"{self.share:.1%} of what closed is verified."]
        return [one.replace("%", " %") for one in closed] + self.fakes


def card_of(snapshot: Snapshot, key: NetworkKey | None = None) -> Card:
    """Return a network's card, or that of all of them.

    Raises:
        NotHereError: no event tells of the network.
    """
    return snapshot.once(("card", key), lambda: _network(snapshot, key) if key else _all(snapshot))


def _network(snapshot: Snapshot, key: NetworkKey) -> Card:
    row, now = snapshot.network(key), snapshot.in_period(key, PERIOD)
    ranked, chain = row["rank"] is not None, chain_name(key.chain_id)
    days = periods.daily(now, snapshot.state.flows(), now["first_day"], now["last_day"])
    place = f"Rank {row['rank']} of {_networks(now['ranked_networks'])}" if ranked else "Unranked"
    return Card(
        key=key,
        title=plain(row["name"]) or "(no name)",
        about=f"{place}, on {chain}",
        verified=now["known_verified"] if ranked else None,
        why=row["unranked_because"] or "",
        change=now["change"] if ranked else None,
        share=now["share"] if ranked else None,
        grades=now["known"] if ranked else {},
        days=_every(now["last_day"], days, list(now["known"])) if ranked else [],
        fakes=list(_fakes(row)) if ranked else [],
        **_blocks(snapshot, key),
    )


def _all(snapshot: Snapshot) -> Card:
    now, ranked = snapshot.summary(PERIOD), snapshot.ranked()
    days = {one["day"]: {name: one[name] for name in GRADES.values()} for one in now["days"]}
    return Card(
        key=None,
        title=ALL,
        about=_networks(ranked, "ranked "),
        verified=now["verified"],
        why="",
        change=now["change"],
        share=now["share"],
        grades=dict(now["by_grade"]),
        days=_every(now["last_day"], days, list(GRADES.values())),
        fakes=[],
        **_blocks(snapshot, None),
    )


def _networks(count: int, kind: str = "") -> str:
    return f"{count} {kind}{'network' if count == 1 else 'networks'}"


def _every(
    last: date, told: dict[date, dict[str, int]], grades: list[str]
) -> list[tuple[date, dict[str, int]]]:
    """Return the last days, those without an event too."""
    days = [last - timedelta(days=ago) for ago in reversed(range(TREND))]
    return [(day, told.get(day) or dict.fromkeys(grades, 0)) for day in days]


def _fakes(row: Row) -> Iterator[str]:
    currency = symbol(row["chain_id"]) if row["asset"] == NONE else ""
    for grade, what in _WHO.items():
        price = row[f"price_{grade}"]
        if row[f"standing_{grade}"] != "known" or price is None:
            continue
        if price.isdigit():
            yield f"Faking {what} burns {rules.amount(int(price), currency)}."
        elif price == "gas only":
            yield f"Faking {what} costs gas only."


def _blocks(snapshot: Snapshot, key: NetworkKey | None) -> Any:
    of = [one for one in block_times(snapshot) if key is None or one.of == (key.chain_id, key.core)]
    told = [f"{chain_name(one.chain_id)} block {one.last_block:,}" for one in of]
    if key is not None:
        told = [f"block {of[0].last_block:,}"]
    elif len(of) > _CHAINS:
        told = [f"blocks of {len(of)} registries"]
    times = [one.time for one in of if one.time is not None]
    return {"blocks": ", ".join(told), "time": max(times, default=None)}
