"""Questions to a data folder, answered as Arrow tables (`.to_pandas()` for pandas).

    analysis = Analysis("data")
    analysis.totals(by=["operator"]).to_pandas()

Every answer rests on `coverage`: which registries, up to which block.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from tallystick.data.collected import found_share, unreachable_batches
from tallystick.data.extract.dataset import Dataset
from tallystick.data.pools.read import read_pools
from tallystick.data.probe.accessibility import accessibility
from tallystick.data.probe.log import ProbeLog
from tallystick.data.resolvers.identify import read_resolvers
from tallystick.data.resolvers.kinds import AUDITED, DRAWN
from tallystick.data.resolvers.standing import Resolver, resolvers_of
from tallystick.data.specs import KnownSpec, audited_by_spec
from tallystick.data.totals import expression
from tallystick.data.totals.amounts import whole
from tallystick.data.totals.backing import backing, standing
from tallystick.data.totals.coverage import Coverage, coverage
from tallystick.data.totals.engines import connect, has_files, load, load_files
from tallystick.data.totals.expression import BY, COUNTS, NETWORK
from tallystick.data.totals.gas import gas
from tallystick.data.totals.parties import audited, operators, specs
from tallystick.data.totals.prices import Price, prices
from tallystick.data.totals.ranking import place, ranking
from tallystick.data.totals.requesters import concentration, requesters
from tallystick.data.totals.utility import REFERENCE, Utility
from tallystick.errors import FieldError
from tallystick.protocol.hexes import from_hex, to_hex

Row = dict[str, Any]

BURNED = pa.decimal256(50, 0)
"""160 bits, exact."""


class Analysis:
    """A data folder, open for questions.

    Args:
        data: the folder.
        connection: of Ibis; None: a DuckDB in this process.
        tables: gives the tables of events, where they are not in the folder.

    Raises:
        CoverageError: nothing was extracted, or a run was interrupted before its end.
    """

    def __init__(
        self,
        data: str | Path,
        connection: Any = None,
        tables: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self.data = Dataset(Path(data))
        self.coverage: list[Coverage] = coverage(self.data)
        self._connection = connection or connect()
        self.tables = tables() if tables else load(self._connection, self.data)
        self._networks: dict[tuple[Any, ...], Row] | None = None
        self._strangers: list[Row] | None = None
        self._resolvers: dict[tuple[Any, ...], dict[str, Resolver]] | None = None

    def over(self, tables: Mapping[str, Any]) -> "Analysis":
        """Return an analysis of the same folder over other tables: fewer rows of these, say.

        Args:
            tables: by the event's name, Ibis tables of this analysis's connection.
        """
        other = copy(self)
        other.tables = dict(tables)
        return other

    def networks(self) -> dict[tuple[Any, ...], Row]:
        """Return each network as registered, by chain id, registry and network id; read once."""
        if self._networks is None:
            rows: list[Row] = self.tables["NetworkRegistered"].to_pyarrow().to_pylist()
            self._networks = {_key(row): row for row in rows}
        return self._networks

    def strangers(self) -> list[Row]:
        """Return the networks that events name and none registers; no total counts them.

        Returns:
            chain_id, address, network_id and events of each, in this order; read once.
        """
        if self._strangers is None:
            found = expression.strangers(self.tables).to_pyarrow().to_pylist()
            self._strangers = sorted(found, key=_key)
        return self._strangers

    def totals(
        self,
        by: Sequence[str] = (),
        since: date | None = None,
        until: date | None = None,
    ) -> pa.Table:
        """Return the counters of each network, in inferences; burned in units of its asset.

        Events of a network that none registers don't count; see `strangers`.

        Args:
            by: split further: operator, model, day.
            since: first day (UTC) of what moved the counters; None: all.
            until: first day that does not count any more; None: all.

        Returns:
            chain_id, address, network_id, name, the columns of `by`, the counters, verified, burned
            and, where nothing is split by day and no period is asked for, open; where it is split
            by operator, audited_share.

        Raises:
            FieldError: the period has no day.
        """
        _check_period(since, until)
        flows = "day" in by or since is not None or until is not None
        found = expression.totals(self.tables, by, since, until)
        registered = self.networks()
        rows = []
        for row in found.to_pyarrow().to_pylist():
            if _key(row) not in registered:
                continue
            verified = row["audited"] + row["enclave"] + row["proven"]
            over = row["unchallenged"] + verified + row["rejected"] + row["unresolved"]
            line = {key: row[key] for key in NETWORK} | {"name": registered[_key(row)]["name"]}
            line |= {BY[one]: row[BY[one]] for one in by}
            line |= {counter: row[counter] for counter in COUNTS} | {"verified": verified}
            if "operator" in by:
                line["audited_share"] = audited_share(row)
            if not flows:
                line["open"] = row["committed"] - over
            rows.append(line | {"burned": whole(row, "burned")})
        if not by:
            # A network that nobody has used is a row of zeros.
            known = {_key(row) for row in rows}
            rows += [_unused(row, flows) for key, row in registered.items() if key not in known]
        order = [*NETWORK, *(BY[one] for one in by)]
        return _arrow(sorted(rows, key=lambda row: tuple(row[name] for name in order)))

    def evidence(
        self,
        known: Mapping[str, KnownSpec],
        since: date | None = None,
        until: date | None = None,
    ) -> list[Row]:
        """Return what was audited in each network under each spec, which `totals` adds up.

        Args:
            known: specs whose text is at hand, see known_specs.
            since, until: see totals.

        Returns:
            chain_id, address, network_id, name, and the fields of audited_by_spec.

        Raises:
            FieldError: the period has no day.
        """
        registered = self.tables["ModelRegistered"].select(*NETWORK, "model_id", "spec_hash")
        spec_of = {
            (*_key(row), row["model_id"]): row["spec_hash"]
            for row in registered.to_pyarrow().to_pylist()
        }
        of_network: dict[tuple[Any, ...], list[Row]] = {}
        for row in self.totals(["model"], since, until).to_pylist():
            spec_hash = spec_of[(*_key(row), row["model_id"])]
            of_network.setdefault(_key(row), []).append({**row, "spec_hash": spec_hash})
        named = (*NETWORK, "name")
        return [
            {name: models[0][name] for name in named} | audited
            for _, models in sorted(of_network.items())
            for audited in audited_by_spec(models, known)
        ]

    def measures(self) -> pa.Table:
        """Return what the totals of each network rest on; see the README for each column."""
        leaves = _by_key(concentration(self.requesters_expression()))
        used = self._gas()
        asked = {
            (registry.chain_id, registry.address): unreachable_batches(self.data, registry)
            for registry in self.data.registries()
        }
        registered, models = self.networks(), self._specs()
        accounts = _by_key(operators(self.tables))
        rows: list[Row] = []
        places: list[Row] = []
        for row in self.totals().to_pylist():
            key = _key(row)
            rules, run = registered[key], models.get(key, {})
            resolvers = self.resolvers()[key]
            behind = backing(rules, resolvers, row["open"], run)
            who, by = leaves.get(key, {}), accounts.get(key, {})
            spent = used.get(key, {}).get("gas")
            unreachable = asked[row["chain_id"], from_hex(row["address"])]
            share, because = found_share(who.get("found", 0), row["committed"], unreachable)
            ranked = ranking(row | behind, resolvers, run)
            places.append(row | ranked)
            rows.append(
                {name: row[name] for name in (*NETWORK, "name", "verified")}
                | {"rank": None}
                | standing(resolvers)
                | ranked
                | behind
                | {"burned": row["burned"]}
                | {"operators": by.get("operators", 0)}
                | {"owner_operates": by.get("owner_operates", False)}
                | {"audited_share": audited_share(row)}
                | {"found_share": share, "found_share_because": because}
                | {name: who.get(name) for name in CONCENTRATION}
                | {
                    "gas_per_verified": spent / row["verified"]
                    if spent and row["verified"]
                    else None
                }
            )
        for rank, number in enumerate(_ranked(places), 1):
            rows[number]["rank"] = rank
        return _arrow(rows)

    def resolvers(self) -> dict[tuple[Any, ...], dict[str, Resolver]]:
        """Return each network's resolvers by their place in its rules; read once.

        Returns:
            By chain id, registry and network id.
        """
        if self._resolvers is None:
            found: dict[tuple[Any, ...], dict[str, Resolver]] = {}
            for held in self.coverage:
                address = to_hex(held.contract.address)
                registry = (held.contract.chain_id, address)
                rules = {key: row for key, row in self.networks().items() if key[:2] == registry}
                facts = read_resolvers(self.data, held.contract)
                pools = read_pools(self.data, held, facts, self._audited(rules, facts))
                for key, row in rules.items():
                    found[key] = resolvers_of(row, address, facts, pools)
            self._resolvers = found
        return self._resolvers

    def prices(self) -> dict[tuple[Any, ...], dict[str, Price]]:
        """Return the prices of a fake in each network, by grade, with their terms.

        Returns:
            By chain id, registry and network id.
        """
        models, resolvers = self._specs(), self.resolvers()
        return {
            key: prices(row, resolvers[key], models.get(key, {}))
            for key, row in self.networks().items()
        }

    def _audited(
        self, rules: Mapping[tuple[Any, ...], Row], facts: Mapping[str, Row]
    ) -> dict[str, dict[str, dict[str, int]]]:
        """Return inferences of the batches that pools audited, by pool, network and batch id."""
        pools = {
            key: row[f"rules_{AUDITED}"]
            for key, row in rules.items()
            if facts.get(row[f"rules_{AUDITED}"], {}).get("name") in DRAWN
        }
        found: dict[str, dict[str, dict[str, int]]] = {pool: {} for pool in pools.values()}
        if not pools:
            return found
        ids = sorted({key[2] for key in pools})
        for row in audited(self.tables, ids).to_pyarrow().to_pylist():
            if (key := _key(row)) in pools:
                batches = found[pools[key]].setdefault(row["network_id"], {})
                batches[row["batch_id"]] = row["count"]
        return found

    def _specs(self) -> dict[tuple[Any, ...], dict[str, int]]:
        """Return how many models each network's inferences are under, by their spec's hash."""
        found: dict[tuple[Any, ...], dict[str, int]] = {}
        for row in specs(self.tables).to_pyarrow().to_pylist():
            found.setdefault(_key(row), {})[row["spec_hash"]] = row["models"]
        return found

    def _gas(self) -> dict[tuple[Any, ...], Row]:
        if not has_files(self.data, "transactions"):
            # To look at every event only to find nothing would take long.
            return {}
        return _by_key(gas(self.tables, load_files(self._connection, self.data, "transactions")))

    def requesters(self) -> pa.Table:
        """Return inferences per network and requester, as far as batch data were collected."""
        found = self.requesters_expression().to_pyarrow().to_pylist()
        order = (*NETWORK, "requester")
        return _arrow(sorted(found, key=lambda row: tuple(row[name] for name in order)))

    def requesters_expression(self) -> Any:
        """Return the same as an Ibis table."""
        leaves = load_files(self._connection, self.data, "inferences")
        return requesters(self.tables, leaves)

    def utility(
        self,
        probes: Path | None = None,
        since: date | None = None,
        until: date | None = None,
        reference: int = REFERENCE,
    ) -> dict[tuple[Any, ...], Utility]:
        """Return each network's utility over a period, by chain id, registry and network id.

        Args:
            probes: a probe log; None: accessibility and the product are not known.
            since: first day (UTC); None: the first of any event.
            until: first day that does not count any more; None: the day after the last event.
            reference: verified inferences a day at which scalability is 1.

        Raises:
            FieldError: the period has no day.
        """
        first, last = self.period()
        since, until = since or first, until or last
        _check_period(since, until)
        asked = _asked(probes, since, until) if probes else {}
        found = {}
        for row in self.totals(since=since, until=until).to_pylist():
            probe = asked.get(_key(row), {})
            over = sum(row[name] for name in ("unchallenged", "verified", "rejected", "unresolved"))
            found[_key(row)] = Utility(
                (until - since).days,
                row["verified"],
                over,
                probe.get("asked", 0),
                probe.get("answered", 0),
                reference,
            )
        return found

    def period(self) -> tuple[date, date]:
        """Return the first day of any event, and the day after the last."""
        days = ibis.union(*(table.select("day") for table in self.tables.values()))
        ends = days.agg(first=days.day.min(), last=days.day.max()).to_pyarrow().to_pylist()[0]
        first, last = ends["first"], ends["last"]
        if first is None:
            today = datetime.now(UTC).date()
            return today, today
        return first, date.fromordinal(last.toordinal() + 1)


def audited_share(row: Mapping[str, Any]) -> float | None:
    """Return audited / (audited + unchallenged); None: neither.

    Whoever waits for a lucky panel, or drops the batch whose draw was not, has a low one.

    Args:
        row: the counters of a network or of an operator.
    """
    judged = row["audited"] + row["unchallenged"]
    return row["audited"] / judged if judged else None


def _check_period(since: date | None, until: date | None) -> None:
    if since is not None and until is not None and since >= until:
        raise FieldError("the period", f"from {since} to before {until}", "at least one day")


def _ranked(rows: Sequence[Row]) -> list[int]:
    """Return the numbers of the rows that have a rank, the first rank first."""
    found = [number for number, row in enumerate(rows) if row["unranked_because"] is None]
    return sorted(found, key=lambda number: place(rows[number]))


CONCENTRATION = ("solicited_share", "requesters", "top_share", "herfindahl")


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in NETWORK)


def _by_key(table: Any) -> dict[tuple[Any, ...], Row]:
    return {_key(row): row for row in table.to_pyarrow().to_pylist()}


def _unused(network: Row, flows: bool) -> Row:
    zeros = dict.fromkeys((*COUNTS, "verified"), 0) | ({} if flows else {"open": 0})
    return {name: network[name] for name in (*NETWORK, "name")} | zeros | {"burned": 0}


def _asked(probes: Path, since: date, until: date) -> dict[tuple[Any, ...], Row]:
    """Return asked and answered of each network in a probe log."""
    begin, end = (datetime.combine(day, time(), UTC).timestamp() for day in (since, until))
    rows = (
        accessibility(ibis.memtable(ProbeLog(probes).read()), begin, end).to_pyarrow().to_pylist()
    )
    return {
        (row["chain_id"], "0x" + row["core"].hex(), "0x" + row["network_id"].hex()): row
        for row in rows
    }


def _arrow(rows: Iterable[Row]) -> pa.Table:
    listed = list(rows)
    names = list(listed[0]) if listed else []
    columns = {name: [row[name] for row in listed] for name in names}
    large = {"burned", "stake_per_inference", "stake_at_risk"}
    return pa.table(
        {
            name: pa.array(values, BURNED if name in large else None)
            for name, values in columns.items()
        }
    )
