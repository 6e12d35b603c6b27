"""The dashboard's answers at one state of a data folder; nothing is worked out twice."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from tallystick.dashboard import definitions, numbers, periods, rules
from tallystick.dashboard.cautions import cautions
from tallystick.dashboard.events import Row
from tallystick.dashboard.network_key import OF_NETWORK, NetworkKey
from tallystick.dashboard.numbers import Scope
from tallystick.dashboard.side_tables import queries
from tallystick.dashboard.state import State
from tallystick.data.analysis import audited_share
from tallystick.data.decode.words import LIMBS
from tallystick.data.extract.dataset import Dataset
from tallystick.data.resolvers.kinds import GRADES
from tallystick.data.resolvers.standing import Resolver, to_json
from tallystick.data.totals.amounts import whole
from tallystick.data.totals.coverage import Coverage
from tallystick.data.totals.engines import EVENTS
from tallystick.data.totals.expression import COUNTS
from tallystick.data.totals.prices import BECAUSE
from tallystick.data.totals.ranking import place
from tallystick.protocol.hexes import from_hex

Answer = TypeVar("Answer")

KEPT = 2_000
"""Answers in memory; the least used go first."""
LARGEST = 1 << 29
"""Bytes of JSON and CSV in memory."""
MEMORY = "4GB"
_PARTS = ("accessibility", "verifiability", "scalability", "utility")


_ADMITTED = f"""
SELECT operator, block_number, log_index, 'admitted' AS standing FROM OperatorAdmitted
WHERE {OF_NETWORK}
UNION ALL
SELECT operator, block_number, log_index, 'closed' FROM OperatorClosed
WHERE {OF_NETWORK}
ORDER BY block_number, log_index
"""


_ENDS = "SELECT min(first) AS first, max(last) AS last FROM ({})".format(
    " UNION ALL ".join(f"SELECT min(day) AS first, max(day) AS last FROM {name}" for name in EVENTS)
)
_NO_DAY = date(1970, 1, 1)


class NotHereError(LookupError):
    """No event tells of what was asked for."""


class Snapshot:
    """A data folder as it was when this was made.

    Args:
        folder: the data folder.
        probes: a probe log; without one utility is not known.
        memory: most that DuckDB takes.
        before: an older one of the same folder, whose copies in memory are shared where they can
            be; None: everything is copied.

    Raises:
        CoverageError: nothing was extracted, or a run was interrupted before its end.
    """

    def __init__(
        self,
        folder: Path,
        probes: Path | None = None,
        memory: str = MEMORY,
        before: "Snapshot | None" = None,
    ) -> None:
        self.version, self.folder = version(folder, probes), folder
        shared = before.state.next(folder) if before else None
        self.state: State = shared or State(folder, memory)
        self.coverage, self.events = self.state.coverage, self.state.events
        self.disputes, self.batches = self.state.disputes, self.state.batches
        self._analysis, self._copies = self.state.analysis, self.state.copies
        self._turn = self.state.turn
        self._probes = probes
        self._lock = threading.Lock()
        self._working: dict[Hashable, threading.Lock] = {}
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._size = 0

    def once(self, question: Hashable, answer: Callable[[], Answer]) -> Answer:
        """Return an answer, worked out the first time that it is asked for.

        Whoever asks for the same meanwhile waits for it; other questions do not.
        """
        found: Answer
        with self._lock:
            if question in self._answers:
                found = self._known(question)
                return found
            working = self._working.setdefault(question, threading.Lock())
        with working:
            with self._lock:
                if question in self._answers:
                    found = self._known(question)
                    return found
            try:
                found = answer()
                self._remember(question, found)
                return found
            finally:
                with self._lock:
                    self._working.pop(question, None)

    def _known(self, question: Hashable) -> Any:
        self._answers.move_to_end(question)
        return self._answers[question]

    def _remember(self, question: Hashable, answer: Any) -> None:
        with self._lock:
            self._size += _size(answer) - _size(self._answers.get(question))
            self._answers[question] = answer
            while len(self._answers) > KEPT or self._size > LARGEST:
                _, gone = self._answers.popitem(last=False)
                self._size -= _size(gone)

    def networks(self) -> list[Row]:
        """Return each network with all its numbers; the ranked ones first.

        Ranks and headlines hold only networks that are known and backed, by their known grades.
        """
        return self.once("networks", self._networks)

    def network_keys(self) -> list[NetworkKey]:
        """Return what names each network, in the order of the ranking."""
        return list(self.once("by key", self._by_key))

    def network(self, key: NetworkKey) -> Row:
        """Return a network with all its numbers; NotHereError for an unknown one."""
        try:
            return self.once("by key", self._by_key)[key]
        except KeyError:
            raise NotHereError(f"no event tells of network {key.path}") from None

    def registration(self, key: NetworkKey) -> Row:
        """Return a network's rules, as registered and in words."""
        self.network(key)
        return self.once(("registration", key), lambda: self._registration(key))

    def resolvers(self, key: NetworkKey) -> Mapping[str, Resolver]:
        """Return a network's resolvers by their place in its rules."""
        self.network(key)
        return self._analysis.resolvers()[key]

    def days(self, key: NetworkKey) -> list[Row]:
        """Return how a network's counters grew on each day (UTC)."""
        self.network(key)
        return self.once(("days", key), lambda: self._split(key, "day"))

    def summary(self, period: str) -> Row:
        """Return the headline, the days and each network's counters of one of periods.LENGTHS."""
        return self.once(("summary", period), lambda: self._summary(period))

    def in_period(self, key: NetworkKey, period: str) -> Row:
        """Return a network's counters of one of periods.LENGTHS, and the period's days."""
        self.network(key)
        whole_period = self.summary(period)
        of = self.once(
            ("summary by key", period),
            lambda: {NetworkKey.of(row): row for row in whole_period["networks"]},
        )
        told = {name: whole_period[name] for name in ("period", "first_day", "last_day")}
        found: Row = of[key]
        return found | told | {"ranked_networks": self.ranked()}

    def since(self, key: NetworkKey, first: date) -> Row:
        """Return a network's counters from a day (UTC) on."""
        network = self.network(key)
        flows, (_, last) = self.state.flows(), self.once("ends", self._ends)
        days = periods.Days(first, max(first, last), None)
        found: Row = periods.summary([network], flows, days)["networks"][0]
        return found

    def operators(self, key: NetworkKey) -> list[Row]:
        """Return the counters of each of a network's operators, and its stake."""
        self.network(key)
        return self.once(("operators", key), lambda: self._operators(key))

    def models(self, key: NetworkKey) -> list[Row]:
        """Return a network's models with their counters."""
        self.network(key)
        return self.once(("models", key), lambda: self.batches.models(key))

    def prices(self, key: NetworkKey) -> list[Row]:
        """Return the price of a fake by each grade of a network, term by term."""
        network = self.network(key)
        return [
            {"grade": grade, "standing": network.get(f"standing_{grade}"), **asdict(one)}
            for grade, one in self.once("prices", self._prices)[key].items()
        ]

    def number(self, scope: Scope, name: str) -> Row:
        """Return a number of a network, or of a part of it, and what it is made of."""
        row, parts = self._row(scope), self.parts(scope, name)
        return self.once(("number", scope, name), lambda: self._number(row, scope, name, parts))

    def parts(self, scope: Scope, name: str) -> tuple[numbers.Part, ...]:
        """Return what events a number is made of; NotHereError when there is no such number."""
        network = self.network(scope.key)
        known = [one for one in GRADES.values() if network[f"standing_{one}"] == "known"]
        try:
            return numbers.parts_of(scope, name, known)
        except KeyError:
            of = f" of {scope.by}s" if scope.by else ""
            raise NotHereError(f"no number{of} is called {name}") from None

    def ranked(self) -> int:
        """Return how many networks have a rank."""
        return sum(row["rank"] is not None for row in self.networks())

    def _networks(self) -> list[Row]:
        with self._turn:
            measures = {_key(row): row for row in self._analysis.measures().to_pylist()}
            registered = self._analysis.networks()
            utility = self._analysis.utility(self._probes)
            totals = self._analysis.totals().to_pylist()
        rows = []
        for total in totals:
            key = _key(total)
            part = utility.get(key)
            row = total | measures[key] | {"uri": registered[key]["uri"]}
            row["asset"] = registered[key]["rules_asset"]
            row |= {name: part and getattr(part, name) for name in _PARTS}
            facts = asdict(part) if part else {}
            row |= {name: facts.get(name, 0) for name in ("asked", "answered", "days", "reference")}
            row |= {"verified_in_period": facts.get("verified", 0)}
            row |= {"left_open": facts.get("left_open", 0)}
            row["cautions"] = [asdict(one) for one in cautions(row)]
            row["core"] = row.pop("address")
            rows.append(row)
        rows.sort(key=place)
        return rows

    def _summary(self, period: str) -> Row:
        flows = self.state.flows()
        days = periods.days_of(period, *self.once("ends", self._ends))
        return {"period": period, **periods.summary(self.networks(), flows, days)}

    def _ends(self) -> tuple[date, date]:
        """Return the days of the first and the last event."""
        ends = self.events.rows(_ENDS)[0]
        return ends["first"] or _NO_DAY, ends["last"] or _NO_DAY

    def _by_key(self) -> dict[NetworkKey, Row]:
        return {NetworkKey.of(row): row for row in self.networks()}

    def _registration(self, key: NetworkKey) -> Row:
        row = self._analysis.networks()[key]
        resolvers = self._analysis.resolvers()[key]
        found = {
            name: str(int(value, 16)) if f"{name}_0" in row and "attestors" not in name else value
            for name, value in row.items()
            if name.startswith("rules_") and not _limb(name)
        }
        return {
            **{name: row[name] for name in ("owner", "parent", "salt", "block_number")},
            **{name: row[name] for name in ("block_time", "transaction_hash")},
            "rules": {name.removeprefix("rules_"): value for name, value in found.items()},
            "resolvers": {
                place: to_json(one, GRADES.get(place, place)) for place, one in resolvers.items()
            },
            "in_words": rules.in_words(row, resolvers),
        }

    def _prices(self) -> dict[tuple[Any, ...], Any]:
        with self._turn:
            return self._analysis.prices()

    def _split(self, key: NetworkKey, by: str) -> list[Row]:
        within = _within(dict(self._analysis.tables) | self._copies, key)
        with self._turn:
            return list(self._analysis.over(within).totals(by=[by]).to_pylist())

    def _operators(self, key: NetworkKey) -> list[Row]:
        counted = {row["operator"]: row for row in self._split(key, "operator")}
        stakes: dict[str, int] = {}
        for sign, parts in ((1, numbers.STAKE_IN), (-1, numbers.STAKE_OUT)):
            for part in parts:
                for operator, moved in self._moved(key, part).items():
                    stakes[operator] = stakes.get(operator, 0) + sign * moved
        admitted = self._admitted(key)
        zeros = dict.fromkeys((*COUNTS, "verified", "open", "burned"), 0)
        rows = []
        for operator in sorted(set(counted) | set(stakes) | set(admitted)):
            row = zeros | {
                name: value
                for name, value in counted.get(operator, {}).items()
                if name in zeros or name == "operator"
            }
            rows.append(
                {"operator": operator}
                | row
                | {
                    "audited_share": audited_share(row),
                    "stake": stakes.get(operator, 0),
                    "standing": admitted.get(operator),
                }
            )
        return sorted(rows, key=lambda row: (-row["verified"], row["operator"]))

    def _moved(self, key: NetworkKey, part: numbers.Part) -> dict[str, int]:
        """Return the sum of an amount in a network's events of a kind, by operator."""
        name = part.column
        limbs = ", ".join(f"sum({name}_{place}) AS {name}_{place}" for place in range(LIMBS))
        query = f"SELECT operator, {limbs} FROM {part.event} WHERE {OF_NETWORK} GROUP BY 1"
        return {row["operator"]: whole(row, name) for row in self.events.rows(query, *key)}

    def _admitted(self, key: NetworkKey) -> dict[str, str]:
        """Return what a network's owner last said of each operator."""
        rows = self.events.rows(_ADMITTED, *key, *key)
        return {row["operator"]: row["standing"] for row in rows}

    def _row(self, scope: Scope) -> Row:
        """Return the row that a number stands in."""
        if not scope.by:
            return self.network(scope.key)
        if scope.by == "since":
            try:
                return self.since(scope.key, date.fromisoformat(scope.value))
            except ValueError:
                raise NotHereError(f"no day is called {scope.value}") from None
        rows = {"operator": self.operators, "model": self.models, "day": self.days}[scope.by]
        column = "model_id" if scope.by == "model" else scope.by
        for row in rows(scope.key):
            if str(row[column]) == scope.value:
                return row
        raise NotHereError(f"the network has no {scope.by} {scope.value}")

    def _number(self, row: Row, scope: Scope, name: str, parts: tuple[numbers.Part, ...]) -> Row:
        coverage = next(one for one in self.coverage if _is(one, scope.key))
        value = row[name]
        return {
            "name": name,
            "value": None if value is None else str(value),
            "because": row.get(f"{name}{BECAUSE}") or None,
            "definition": asdict(definitions.BY_NAME[name]),
            "definitions_version": definitions.VERSION,
            "first_block": coverage.first_block,
            "last_block": coverage.last_block,
            "boundary": coverage.boundary,
            "beside": queries(scope, name, coverage.last_block),
            **self.once(
                ("parts", scope, parts), lambda: self._parts(scope, parts, coverage.last_block)
            ),
        }

    def _parts(self, scope: Scope, parts: tuple[numbers.Part, ...], last_block: int) -> Row:
        """Return what a number is made of; several numbers are made of the same."""
        return {
            "parts": numbers.made_of(self.events, scope, parts, last_block),
            "events": numbers.events_count(self.events, scope, parts),
        }


def version(folder: Path, probes: Path | None = None) -> str:
    """Return what tells one state of a data folder from another: a hash over its small files.

    Logs and decoded events are named by the manifests; the rest by name, size and time.
    """
    data = Dataset(folder)
    seen = hashlib.sha256(definitions.VERSION.encode())
    for name in ("manifest", "resolvers", "pools"):
        for path in sorted((data.root / name).rglob("*.json")):
            seen.update(f"\n{path.relative_to(data.root)}\n".encode() + path.read_bytes())
    for path in sorted((data.root / "networks").glob("*/state.json")):
        seen.update(f"\n{path.parent.name}\n".encode() + path.read_bytes())
    others = sorted(
        path for name in ("transactions", "inferences") for path in (data.root / name).rglob("*.p*")
    )
    for path in [*others, *([probes] if probes and probes.exists() else [])]:
        found = path.stat()
        seen.update(f"\n{path.name} {found.st_size} {found.st_mtime_ns}".encode())
    return seen.hexdigest()[:32]


def _within(tables: Mapping[str, Any], key: NetworkKey) -> dict[str, Any]:
    """Return what tables have of a network."""
    return {
        name: table.filter(
            (table.chain_id == key.chain_id)
            & (table.address == key.core)
            & (table.network_id == key.network_id)
        )
        if "network_id" in table.columns
        else table
        for name, table in tables.items()
    }


def _size(answer: Any) -> int:
    return len(answer) if isinstance(answer, bytes) else 0


def _key(row: Row) -> NetworkKey:
    return NetworkKey(row["chain_id"], row["address"], row["network_id"])


def _is(coverage: Coverage, key: NetworkKey) -> bool:
    registry = coverage.contract
    return (registry.chain_id, registry.address) == (key.chain_id, from_hex(key.core))


def _limb(name: str) -> bool:
    return name[-2:-1] == "_" and name[-1].isdigit() and "attestors" not in name
