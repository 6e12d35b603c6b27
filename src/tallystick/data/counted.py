"""Numbers by events beside the contract's, at a block's end.

A hole at the end of a lane, which no later event proves, shows in a counter, in a credit, or in
the coins that the contract holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from ibis import _

from tallystick.chain.abi import Function, contract
from tallystick.chain.rpc.errors import RpcError
from tallystick.data.extract.dataset import ContractKey
from tallystick.data.extract.gaps import Gap
from tallystick.data.extract.manifest import Part
from tallystick.data.extract.rpc import Nodes, RpcNode
from tallystick.data.extract.views import balance_at, views_at
from tallystick.data.totals.amounts import whole
from tallystick.data.totals.expression import COUNTING, COUNTS, Tables, totals
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.totals import Totals

_COUNTERS = (*COUNTS, "burned")
_ORDER = tuple(Totals.__dataclass_fields__)
_COIN = to_hex(ZERO_ADDRESS)
_COINS = "coins"


@dataclass(frozen=True, slots=True, order=True)
class Measure:
    """A number that events and the contract both tell."""

    kind: str
    """A counter of Totals, credit, or coins."""
    subject: tuple[str, ...] = ()
    """Network id; or asset and account; hex text."""

    def __str__(self) -> str:
        if self.kind == "credit":
            return f"credit of {self.subject[1]} in asset {self.subject[0]}"
        return f"counter {self.kind} of network {self.subject[0]}" if self.subject else self.kind


Numbers = Mapping[Measure, int]


class Counts:
    """The numbers by events.

    Args:
        tables: of one registry.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        registered = _rows(
            tables["NetworkRegistered"],
            "network_id",
            "rules_asset",
            "rules_challenge_bond",
            "rules_demand_bond",
        )
        self._rules = {row["network_id"]: row for row in registered}
        self._moves = sorted(self._money(), key=lambda move: move[0])

    def at(self, block: int, networks: Sequence[str] | None = None) -> dict[Measure, int]:
        """Return the numbers at a block's end: the counters of all networks, or of some."""
        tables = {name: self._tables[name].filter(_.block_number <= block) for name in COUNTING}
        if networks is not None:
            tables = {name: one.filter(_.network_id.isin(networks)) for name, one in tables.items()}
        wanted = self._rules if networks is None else dict.fromkeys(networks)
        found = {Measure(kind, (one,)): 0 for one in wanted for kind in _COUNTERS}
        for row in totals(tables).to_pyarrow().to_pylist():
            if (key := row["network_id"]) in wanted:
                found |= {Measure(kind, (key,)): row[kind] for kind in COUNTS}
                found[Measure("burned", (key,))] = whole(row, "burned")
        found[Measure(_COINS)] = 0
        for number, measure, change in self._moves:
            # Of an account whose first move comes later, nothing is owed yet.
            found[measure] = found.get(measure, 0) + (change if number <= block else 0)
        return found

    def _money(self) -> Iterator[tuple[int, Measure, int]]:
        """Yield block, measure and change of each move of money."""
        tables = self._tables
        for name, sign in (("Deposited", 1), ("Withdrawn", -1)):
            for row in _rows(tables[name], "asset", "account", "amount"):
                change = sign * _amount(row["amount"])
                yield row["block_number"], _credit(row["asset"], row["account"]), change
                if row["asset"] == _COIN:
                    yield row["block_number"], Measure(_COINS), change
        for row in _rows(tables["Swept"], "network_id", "asset", "amount"):
            if row["asset"] == _COIN:
                yield row["block_number"], Measure(_COINS), -_amount(row["amount"])
        for name, sign, account, amount in (
            ("Staked", -1, "operator", "amount"),
            ("Unstaked", 1, "operator", "amount"),
            ("BatchChallenged", -1, "challenger", "rules_challenge_bond"),
            ("BatchDemanded", -1, "demander", "rules_demand_bond"),
            ("LeafRevealed", 1, "operator", "bond"),
            ("ChallengeUpheld", 1, "operator", "credited"),
            ("ChallengeLapsed", 1, "challenger", "returned"),
            ("BatchRejected", 1, "payee", "reward"),
            ("BatchRejected", 1, "bond_owner", "bond"),
        ):
            own = [one for one in (account, amount) if not one.startswith("rules_")]
            for row in _rows(tables[name], "network_id", *own):
                if (rules := self._rules.get(row["network_id"])) is None:
                    continue
                change = sign * _amount({**rules, **row}[amount])
                if change:
                    measure = _credit(rules["rules_asset"], row[account])
                    yield row["block_number"], measure, change


async def compare(
    nodes: Nodes, registry: ContractKey, parts: Sequence[Part], counts: Counts
) -> tuple[list[Gap], int]:
    """Return the gaps that the contract shows at the last block, and what it holds beyond events.

    Coins may be forced upon a contract: more of them than events tell of are no proof.

    Args:
        nodes: of the registry's chain.
        registry: the contract.
        parts: of its logs, without gaps between them.
        counts: the numbers by its events.

    Raises:
        RpcError: no node answers, or none has the state of that block.
    """
    last = parts[-1]
    mine = counts.at(last.last)
    theirs = await _told(nodes, registry, last, mine)
    missing = _missing(mine, theirs)
    beyond = max(0, theirs[Measure(_COINS)] - mine[Measure(_COINS)])
    if not missing:
        return [], beyond
    first, end = await _between(nodes, registry, parts, counts, missing)
    return [Gap(first, end, f"the contract's {one} is another") for one in sorted(missing)], beyond


def _missing(mine: Numbers, theirs: Numbers) -> dict[Measure, int]:
    """Return what the contract says beyond events, where that can only come of missing ones."""
    found = {one: theirs[one] - mine[one] for one in mine}
    return {
        one: more
        for one, more in found.items()
        # Counters only grow, and coins leave by an event.
        if (more < 0 if one.kind == _COINS else more if one.kind == "credit" else more > 0)
    }


async def _between(
    nodes: Nodes,
    registry: ContractKey,
    parts: Sequence[Part],
    counts: Counts,
    missing: Mapping[Measure, int],
) -> tuple[int, int]:
    """Return the blocks in which the numbers went apart; all of them where no node can say.

    What lacks once lacks ever after, so that the parts need not be asked one by one.
    """
    networks = sorted({one.subject[0] for one in missing if one.kind in _COUNTERS})
    seen = {len(parts) - 1: dict(missing)}

    async def apart(place: int) -> dict[Measure, int]:
        if place not in seen:
            found = counts.at(parts[place].last, networks)
            mine = {one: found[one] for one in missing}
            theirs = await _told(nodes, registry, parts[place], mine)
            seen[place] = {one: theirs[one] - mine[one] for one in missing}
        return seen[place]

    try:
        first = await _bisect(len(parts) - 1, lambda found: any(found.values()), apart)
        end = await _bisect(len(parts) - 1, lambda found: found == missing, apart)
    except RpcError:
        return parts[0].first, parts[-1].last
    return parts[first].first, parts[end].last


async def _bisect(last: int, holds: Any, ask: Any) -> int:
    """Return the first place from which on something holds, as it does at the last."""
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        if holds(await ask(middle)):
            high = middle
        else:
            low = middle + 1
    return low


async def _told(
    nodes: Nodes, registry: ContractKey, part: Part, wanted: Numbers
) -> dict[Measure, int]:
    """Return what the contract says of some measures, at a part's last block."""
    functions = contract("Tallystick").functions()
    networks = sorted({one.subject[0] for one in wanted if one.kind in _COUNTERS})
    credits = sorted(one for one in wanted if one.kind == "credit")
    calls = [functions["totals"].selector + from_hex(one) for one in networks]
    calls += [_credit_call(functions["creditOf"], one) for one in credits]

    async def ask(node: RpcNode) -> dict[Measure, int]:
        answers = await views_at(node, registry.address, calls, part.last, part.boundary)
        found: dict[Measure, int] = {}
        for network, answer in zip(networks, answers, strict=False):
            (values,) = decode(functions["totals"].outputs, from_hex(answer))
            told = dict(zip(_ORDER, values, strict=True))
            found |= {Measure(kind, (network,)): int(told[kind]) for kind in _COUNTERS}
        for one, answer in zip(credits, answers[len(networks) :], strict=True):
            found[one] = int(answer, 16)
        if Measure(_COINS) in wanted:
            found[Measure(_COINS)] = await balance_at(
                node, registry.address, part.last, part.boundary
            )
        return {one: found[one] for one in wanted}

    return await nodes.at_one(ask)


def _credit_call(function: Function, one: Measure) -> bytes:
    words = (from_hex(value).rjust(32, b"\0") for value in one.subject)
    return function.selector + b"".join(words)


def _credit(asset: str, account: str) -> Measure:
    return Measure("credit", (asset, account))


def _amount(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)


def _rows(table: Any, *names: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.select("block_number", *names).to_pyarrow().to_pylist()
    return rows
