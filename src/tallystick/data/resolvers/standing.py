"""Standing of a network's resolvers, from their code and their terms on chain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tallystick.data.resolvers.kinds import GRADES, KINDS, PLACES, ResolverFacts, ResolverKind, Row

Standing = Literal["known", "self-declared", "unidentified"]

NONE = "0x" + "00" * 20
"""No resolver, as hex text."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """A contract that a network's rules name, in its place there."""

    address: str
    standing: Standing
    """unidentified: nobody has asked the chain yet."""
    name: str = ""
    """Name of its code on the published list; empty: its code is not on it."""
    reason: str = ""
    """The reason why it is not known; empty: it is."""
    terms: Row = field(default_factory=dict)
    """Terms, as read from the chain."""

    @property
    def kind(self) -> ResolverKind | None:
        """Its entry on the published list; None: its code is not on it."""
        return KINDS.get(self.name)

    @property
    def known(self) -> bool:
        """True if it is on the list, and its terms are what the list asks for."""
        return self.standing == "known"


def resolvers_of(rules: Row, registry: str, facts: Mapping[str, Row]) -> dict[str, Resolver]:
    """Return a network's resolvers by their place in its rules; those that it has.

    Args:
        rules: a row of NetworkRegistered.
        registry: the address of the network's registry, hex text.
        facts: by address, as read_resolvers gives them.
    """
    return {
        place: _resolver(place, rules, registry, facts.get(rules[f"rules_{place}"]))
        for place in PLACES
        if rules[f"rules_{place}"] != NONE
    }


def known_grades(resolvers: Mapping[str, Resolver]) -> tuple[str, ...]:
    """Return the grades that known resolvers give."""
    return tuple(
        grade for place, grade in GRADES.items() if place in resolvers and resolvers[place].known
    )


def _resolver(place: str, rules: Row, registry: str, fact: Row | None) -> Resolver:
    address = rules[f"rules_{place}"]
    if fact is None:
        return Resolver(address, "unidentified", reason="its code was not looked up")
    name, terms = fact["name"] or "", fact["terms"] or {}
    reason = _reason(place, fact, ResolverFacts(registry, rules, terms))
    return Resolver(address, "self-declared" if reason else "known", name, reason, terms)


def _reason(place: str, fact: Row, asked: ResolverFacts) -> str:
    kind = KINDS.get(fact["name"] or "")
    if kind is None:
        return "its code is not on the published list"
    if fact["terms"] is None:
        return "its terms cannot be read"
    if kind.arguments is not None and not fact["constructed"]:
        return (
            "its address does not follow from its code and terms (CREATE2 by the deterministic "
            "deployer): its storage may be anything"
        )
    found = kind.check(asked)
    if found or place in kind.places:
        return found
    return f"a {kind.name} is not known as what it stands for here"


def to_json(resolver: Resolver) -> dict[str, Any]:
    """Return a resolver as a JSON object."""
    names = ("address", "standing", "name", "reason", "terms")
    return {name: getattr(resolver, name) for name in names}
