"""Standing of a network's resolvers, from their code and their terms on chain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tallystick.data.resolvers.kinds import GRADES, KINDS, PLACES, ResolverFacts, ResolverKind, Row
from tallystick.data.resolvers.pool_facts import UNREAD, AuditRecord, EpochSeats, PoolFacts
from tallystick.data.resolvers.unmet import Unmet, in_words

Standing = Literal["known", "self-declared", "unidentified"]

NONE = "0x" + "00" * 20
"""No resolver, as hex text."""
NO_POOLS: Mapping[str, PoolFacts] = {}
SHOWN = 10
"""Accounts with most seats that are named."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """A contract that a network's rules name, in its place there."""

    address: str
    standing: Standing
    """unidentified: nobody has asked the chain yet."""
    name: str = ""
    """Name of its code on the published list; empty: its code is not on it."""
    unmet: tuple[Unmet, ...] = ()
    """Conditions that it doesn't meet; none: it is known."""
    terms: Row = field(default_factory=dict)
    """Terms, as read from the chain."""
    seats: EpochSeats | None = None
    """Of a pool: its list of seats at the folder's last block."""
    audits: tuple[AuditRecord, ...] = ()
    """Of a pool: audits of the network's batches."""

    @property
    def reason(self) -> str:
        """The reason why it is not known; empty: it is."""
        return in_words(self.unmet)

    @property
    def kind(self) -> ResolverKind | None:
        """Its entry on the published list; None: its code is not on it."""
        return KINDS.get(self.name)

    @property
    def known(self) -> bool:
        """True if it is on the list, and its terms are what the list asks for."""
        return self.standing == "known"


def resolvers_of(
    rules: Row,
    registry: str,
    facts: Mapping[str, Row],
    pools: Mapping[str, PoolFacts] = NO_POOLS,
) -> dict[str, Resolver]:
    """Return a network's resolvers by their place in its rules; those that it has.

    Args:
        rules: a row of NetworkRegistered.
        registry: the address of the network's registry, hex text.
        facts: by address, as read_resolvers gives them.
        pools: by address, as read_pools gives them.
    """
    return {
        place: _resolver(place, rules, registry, facts, pools)
        for place in PLACES
        if rules[f"rules_{place}"] != NONE
    }


def known_grades(resolvers: Mapping[str, Resolver]) -> tuple[str, ...]:
    """Return the grades that known resolvers give."""
    return tuple(
        grade for place, grade in GRADES.items() if place in resolvers and resolvers[place].known
    )


def _resolver(
    place: str,
    rules: Row,
    registry: str,
    facts: Mapping[str, Row],
    pools: Mapping[str, PoolFacts],
) -> Resolver:
    address = rules[f"rules_{place}"]
    fact, pool = facts.get(address), pools.get(address, UNREAD)
    if fact is None:
        never = Unmet("unread", "its code was not looked up")
        return Resolver(address, "unidentified", unmet=(never,))
    name, terms = fact["name"] or "", fact["terms"] or {}
    unmet = _unmet(place, fact, ResolverFacts(registry, rules, terms, pool))
    standing: Standing = "self-declared" if unmet else "known"
    kind, network = KINDS.get(name), rules.get("network_id", "")
    if kind is not None and kind.drawn and not unmet:
        unmet = _unread(pool, network)
        standing = "unidentified" if unmet else "known"
    audits = pool.audits.get(network, ())
    return Resolver(address, standing, name, unmet, terms, pool.seats, audits)


def _unmet(place: str, fact: Row, asked: ResolverFacts) -> tuple[Unmet, ...]:
    kind = KINDS.get(fact["name"] or "")
    if kind is None:
        return (Unmet("code", "its code is not on the published list"),)
    if fact["terms"] is None:
        return (Unmet("terms", "its terms cannot be read"),)
    if kind.arguments is not None and not fact["constructed"]:
        reason = (
            "its address does not follow from its code and terms (CREATE2 by the deterministic "
            "deployer): its storage may be anything"
        )
        return (Unmet("constructed", reason),)
    found = kind.check(asked)
    if found or place in kind.places:
        return found
    return (Unmet("place", f"a {kind.name} is not known as what it stands for here"),)


def _unread(pool: PoolFacts, network: str) -> tuple[Unmet, ...]:
    """Return what a data folder lacks of a pool."""
    if pool.seats is None:
        reason = "its seats were not read at the folder's last block"
        return (Unmet("unread", reason),)
    if missing := pool.missing.get(network, 0):
        reason = f"the records of {missing} of its audits are not in the folder"
        return (Unmet("unread", reason, str(missing), "0"),)
    return ()


def to_json(resolver: Resolver, of: str) -> dict[str, Any]:
    """Return a resolver as a JSON object.

    Args:
        resolver: of a network.
        of: the grade that it gives, or arbiter.
    """
    names = ("address", "standing", "name", "reason", "terms")
    return {name: getattr(resolver, name) for name in names} | {
        "unmet": [one.to_json(of) for one in resolver.unmet],
        "seats": seats_to_json(resolver.seats) if resolver.seats else None,
        "audits": len(resolver.audits),
    }


def seats_to_json(found: EpochSeats) -> dict[str, Any]:
    """Return an epoch's list of seats as a JSON object, with the accounts that have most."""
    held = sorted(found.accounts.items(), key=lambda one: (-one[1], one[0]))
    return {
        "block": found.block,
        "epoch": found.epoch,
        "seats": found.seats,
        "convicted": found.convicted,
        "accounts": len(held),
        "largest": [{"account": account, "seats": seats} for account, seats in held[:SHOWN]],
    }
