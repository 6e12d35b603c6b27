"""What has to hold of a contract, beside its code, for its word to count as known.

A kind is one entry of KINDS: where in a network's rules it may stand, which views are read for its
terms, and what these have to say. To publish another one, with floors for its terms and a check of
its core, is to add its entry and to raise the list's version (tools/package_abi.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tallystick.hexes import to_hex
from tallystick.replay.model import SPEC_ID

Row = Mapping[str, Any]

AUDITED, ENCLAVE, PROVEN, ARBITER = "attestors_0", "attestors_1", "attestors_2", "arbiter"
"""Where a network's rules name resolvers."""
PLACES = (AUDITED, ENCLAVE, PROVEN, ARBITER)
GRADES = {AUDITED: "audited", ENCLAVE: "enclave", PROVEN: "proven"}
"""The grade that each attestor gives."""
ENDORSERS = 2
"""Fewest endorsers who have to sign: one alone could endorse a key of its own."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A contract with listed code, in a network of a core."""

    core: str
    """The core's address, hex text."""
    rules: Row
    """A row of NetworkRegistered."""
    terms: Row
    """As the contract answered: bytes as hex text, structs as mappings."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells a known contract from one that anybody could have set up for itself."""

    name: str
    """As on the list of code hashes."""
    places: frozenset[str]
    """Where it may stand as known; in any other place it is self-declared."""
    check: Callable[[Asked], str]
    """Returns why its terms make it self-declared; empty: they don't."""
    views: Mapping[str, str] = field(default_factory=dict)
    """By term: the view that answers it. One that takes a place is read from 0 on, until it answers
    nothing: the term is a list."""
    arguments: tuple[str, ...] | None = None
    """Terms that are the constructor's arguments, in its order: with the creation code they make
    the CREATE2 address. None: its terms count for nothing, or it has neither storage nor
    immutables."""
    spec: Callable[[Row], str] | None = None
    """As the arbiter: gives, by its terms, the hash of the spec (hex text) of the models that it
    can rule on. None: it convicts nobody."""


def _appointed(_: Asked) -> str:
    return "its members are those whom its deployer appointed"


def _endorsed(asked: Asked) -> str:
    endorsers, threshold = set(asked.terms["endorsers"]), asked.terms["threshold"]
    if min(len(endorsers), threshold) >= ENDORSERS:
        return ""
    return (
        f"{threshold} of {len(endorsers)} endorsers can endorse any key; needed: at least "
        f"{ENDORSERS} who have to sign"
    )


def _code_alone(_: Asked) -> str:
    return ""


def _qi8(_: Row) -> str:
    return to_hex(SPEC_ID)


_KEYS = {"endorsers": "endorserAt", "threshold": "threshold"}
KINDS = {
    kind.name: kind
    for kind in (
        Kind("Committee", frozenset(), _appointed, views={"core": "CORE", "terms": "terms"}),
        Kind(
            "Enclave",
            frozenset({ENCLAVE}),
            _endorsed,
            views=_KEYS,
            arguments=("endorsers", "threshold"),
        ),
        Kind(
            "OpenGradientItem",
            frozenset({ENCLAVE, ARBITER}),
            _endorsed,
            views={**_KEYS, "max_age": "MAX_AGE"},
            arguments=("endorsers", "threshold", "max_age"),
        ),
        Kind("Replay", frozenset({ARBITER}), _code_alone, spec=_qi8),
    )
}
"""By name. A Committee's terms are read to be shown; it is never known."""
