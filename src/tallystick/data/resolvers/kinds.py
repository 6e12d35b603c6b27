"""Conditions, beside its code, under which a contract's word counts as known.

A kind is one entry of KINDS: where in a network's rules it may stand, which views are read for its
terms, and what these have to say. To publish another one, with floors for its terms and a check of
its registry, is to add its entry and to raise the list's version (tools/package_abi.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tallystick.data.resolvers import floors
from tallystick.data.resolvers.pool_facts import UNREAD, PoolFacts
from tallystick.data.resolvers.unmet import Unmet
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
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
    pool: PoolFacts = UNREAD
    """Of a pool: its seats and audits."""


@dataclass(frozen=True, slots=True)
class ResolverKind:
    """Conditions that a known contract meets, and one that anybody set up for itself does not."""

    name: str
    """The name on the list of code hashes."""
    places: frozenset[str]
    """Places in which it may be known; in any other place it is self-declared."""
    check: Callable[[ResolverFacts], tuple[Unmet, ...]]
    """Returns the conditions that its terms don't meet; any makes it self-declared."""
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
    convicts: str = ""
    """With a spec: the way by which it rejects a wrong leaf, in words."""
    drawn: bool = False
    """Whether its panels are drawn from a list of seats, which is read at a data folder's last
    block."""


def _appointed(_: ResolverFacts) -> tuple[Unmet, ...]:
    return (Unmet("appointed", "its members are those whom its deployer appointed"),)


def _chosen(_: ResolverFacts) -> tuple[Unmet, ...]:
    reason = (
        "whoever registers a model chooses the verifier that takes its proofs, and who made its "
        "setup could forge them"
    )
    return (Unmet("verifier", reason),)


def _endorsed(asked: ResolverFacts) -> tuple[Unmet, ...]:
    endorsers, threshold = set(asked.terms["endorsers"]), asked.terms["threshold"]
    signing = min(len(endorsers), threshold)
    if signing >= ENDORSERS:
        return ()
    reason = (
        f"{threshold} of {len(endorsers)} endorsers can endorse any key; needed: at least "
        f"{ENDORSERS} who have to sign"
    )
    return (Unmet("endorsers", reason, str(signing), str(ENDORSERS)),)


def _code_alone(_: ResolverFacts) -> tuple[Unmet, ...]:
    return ()


def _drawn(asked: ResolverFacts) -> tuple[Unmet, ...]:
    terms = asked.terms
    return floors.unmet(terms["terms"], terms["core"], asked.registry, asked.rules, asked.pool)


def _qi8(_: Row) -> str:
    return to_hex(SPEC_ID)


def _qi8_tree(_: Row) -> str:
    return to_hex(keccak256(b"QI8-1T"))


def _playable(asked: ResolverFacts) -> tuple[Unmet, ...]:
    core, rules = str(asked.terms["core"]), asked.rules
    unmet = []
    if core.lower() != asked.registry.lower():
        reason = f"it plays for another registry, {core}"
        unmet.append(Unmet("core", reason, core, asked.registry))
    ruling, needed = int(rules["rules_ruling_window"]), 5 * int(rules["rules_response_window"])
    if ruling < needed:
        reason = f"rulingWindow is {ruling} s; a game needs five responseWindows, {needed} s"
        unmet.append(Unmet("ruling_window", reason, str(ruling), str(needed)))
    return tuple(unmet)


def _spec(terms: Row) -> str:
    return str(terms["terms"]["spec"])


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
            "EnclaveHttp",
            frozenset({ENCLAVE, ARBITER}),
            _endorsed,
            views={**_KEYS, "named": "NAMED"},
            arguments=("endorsers", "threshold", "named"),
        ),
        ResolverKind(
            "OpenGradientItem",
            frozenset({ENCLAVE, ARBITER}),
            _endorsed,
            views={**_KEYS, "max_age": "MAX_AGE"},
            arguments=("endorsers", "threshold", "max_age"),
        ),
        ResolverKind(
            "Pool",
            frozenset({AUDITED, ARBITER}),
            _drawn,
            views={"core": "CORE", "terms": "terms"},
            arguments=("core", "terms"),
            spec=_spec,
            convicts="a panel drawn from the pool's seats rejects a leaf that one verifier shows "
            "to be wrong, when most of the panel is honest",
            drawn=True,
        ),
        ResolverKind("Proof", frozenset(), _chosen),
        ResolverKind(
            "Replay",
            frozenset({ARBITER}),
            _code_alone,
            spec=_qi8,
            convicts="Replay, given the model, rejects a challenged leaf that it cannot reproduce",
        ),
        ResolverKind(
            "ReplayGame",
            frozenset({ARBITER}),
            _playable,
            views={"core": "CORE"},
            arguments=("core",),
            spec=_qi8_tree,
            convicts="whoever has the model and the input wins a game of four moves about a wrong "
            "leaf",
        ),
    )
}
"""By name. A Committee's terms are read to be shown; it is never known, nor is Proof."""
DRAWN = frozenset(name for name, kind in KINDS.items() if kind.drawn)
"""Names of the kinds that draw their panels."""
