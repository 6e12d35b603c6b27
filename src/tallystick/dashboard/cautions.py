"""Where a number rests on little, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FEW_REQUESTERS = 10
LARGE_SHARE = 0.5
FEW_INFERENCES = 1_000
SMALL_AUDITED_SHARE = 0.5
FEW_PROBES = 100
SHORT_PERIOD = 7
"""Days."""


@dataclass(frozen=True, slots=True)
class Caution:
    """A reason to trust a number less."""

    code: str
    about: str
    """The number."""
    reason: str


RESOLVERS = {
    "self-declared": "a resolver of the network is not on the list of known ones: what it attests "
    "is the network's own word",
    "unidentified": "the code of a resolver was not looked up",
    "none": "the network has no resolver: nothing can be verified or challenged",
}


def cautions(network: Mapping[str, Any]) -> Iterator[Caution]:
    """Yield what to tell beside a network's numbers.

    Args:
        network: its totals, measures and utility's parts, by name.
    """
    if network["resolvers"] != "known":
        yield Caution("resolvers", "verified", RESOLVERS[network["resolvers"]])
    if not network["backed"]:
        yield Caution("unbacked", "verified", "no stake: being rejected costs an operator nothing")
    if network["own_arbiter"]:
        yield Caution(
            "own-arbiter",
            "verified",
            "an attestor also rules on challenges: there is no independent conviction",
        )
    if 0 < network["verified"] < FEW_INFERENCES:
        yield Caution(
            "few-verified", "verified", f"{network['verified']} inferences are verified so far"
        )
    audited_share = network["audited_share"]
    if network["audited"] and audited_share < SMALL_AUDITED_SHARE:
        yield Caution(
            "rarely-audited",
            "audited_share",
            f"{audited_share:.0%} of what could have been audited was; an unlucky draw may have "
            "been dropped",
        )
    yield from _demand(network)
    yield from _utility(network)


def _demand(network: Mapping[str, Any]) -> Iterator[Caution]:
    if not network["committed"]:
        return
    found = network["found_share"] or 0.0
    if found < 1:
        yield Caution(
            "data-missing",
            "requesters",
            f"the data of {1 - found:.0%} of the inferences were not found: who asked is unknown",
        )
    if not found:
        return
    if network["requesters"] < FEW_REQUESTERS:
        yield Caution(
            "few-requesters", "requesters", f"{network['requesters']} accounts signed requests"
        )
    if (network["top_share"] or 0.0) > LARGE_SHARE:
        yield Caution(
            "one-requester",
            "top_share",
            f"one requester asked for {network['top_share']:.0%} of the solicited inferences",
        )


def _utility(network: Mapping[str, Any]) -> Iterator[Caution]:
    if network["accessibility"] is None:
        yield Caution("no-probes", "utility", "no probe log names this network: not computed")
    elif network["asked"] < FEW_PROBES:
        yield Caution("few-probes", "utility", f"{network['asked']} probes were made")
    if network["days"] < SHORT_PERIOD:
        yield Caution("short-period", "utility", f"the period has {network['days']:g} days")
