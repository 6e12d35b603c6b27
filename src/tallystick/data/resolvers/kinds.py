"""Conditions, beside its code, under which a contract's word counts as known.

A kind is one entry of KINDS: where in a network's rules it may stand, which views are read for its
terms, and what these have to say. To publish another one, with floors for its terms and a check of
its registry, is to add its entry and to raise the list's version (tools/package_abi.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tallystick.protocol.hexes import to_hex
from tallystick.replay.model import SPEC_ID

Row = Mapping[str, Any]

AUDITED, ENCLAVE, PROVEN, ARBITER = "attestors_0", "attestors_1", "attestors_2", "arbiter"
"""Places in a network's rules that name resolvers."""
PLACES = (AUDITED, ENCLAVE, PROVEN, ARBITER)
GRADES = {AUDITED: "audited", ENCLAVE: "enclave", PROVEN: "proven"}
"""The grade that each attestor gives."""
ENDORSERS = 2
"""Fewest endorsers who have to sign: one alone could endorse a key of its own."""


@dataclass(frozen=True, slots=True)
class ResolverFacts:
    """A contract with listed code, in a network of a registry."""

    registry: str
    """The registry's address, hex text."""
    rules: Row
    """A row of NetworkRegistered."""
    terms: Row
    """The contract's answers: bytes as hex text, structs as mappings."""


@dataclass(frozen=True, slots=True)
class ResolverKind:
    """Conditions that a known contract meets, and one that anybody set up for itself does not."""

    name: str
    """The name on the list of code hashes."""
    places: frozenset[str]
    """Places in which it may be known; in any other place it is self-declared."""
    check: Callable[[ResolverFacts], str]
    """Returns why its terms make it self-declared; empty: they don't."""
    views: Mapping[str, str] = field(default_factory=dict)
    """By term: the view that answers it. One that takes a place is read from 0 on, until it answers
    nothing: the term is a list."""
    arguments: tuple[str, ...] | None = None
    """Terms that are the constructor's arguments, in its order: with the creation code they make
    the CREATE2 address. None: its terms count for nothing, or it has neither storage nor
    immutables."""
    spec: Callable[[Row], str] | None = None
    """For the arbiter: gives, by its terms, the hash of the spec (hex text) of the models that it
    can rule on. None: it convicts nobody."""


def _appointed(_: ResolverFacts) -> str:
    return "its members are those whom its deployer appointed"


def _endorsed(asked: ResolverFacts) -> str:
    endorsers, threshold = set(asked.terms["endorsers"]), asked.terms["threshold"]
    if min(len(endorsers), threshold) >= ENDORSERS:
        return ""
    return (
        f"{threshold} of {len(endorsers)} endorsers can endorse any key; needed: at least "
        f"{ENDORSERS} who have to sign"
    )


def _code_alone(_: ResolverFacts) -> str:
    return ""


def _qi8(_: Row) -> str:
    return to_hex(SPEC_ID)


_KEYS = {"endorsers": "endorserAt", "threshold": "threshold"}
KINDS = {
    kind.name: kind
    for kind in (
        ResolverKind(
            "Committee", frozenset(), _appointed, views={"core": "CORE", "terms": "terms"}
        ),
        ResolverKind(
            "Enclave",
            frozenset({ENCLAVE}),
            _endorsed,
            views=_KEYS,
            arguments=("endorsers", "threshold"),
        ),
        ResolverKind(
            "OpenGradientItem",
            frozenset({ENCLAVE, ARBITER}),
            _endorsed,
            views={**_KEYS, "max_age": "MAX_AGE"},
            arguments=("endorsers", "threshold", "max_age"),
        ),
        ResolverKind("Replay", frozenset({ARBITER}), _code_alone, spec=_qi8),
    )
}
"""By name. A Committee's terms are read to be shown; it is never known."""
