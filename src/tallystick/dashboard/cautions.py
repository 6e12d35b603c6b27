"""Cautions beside numbers that rest on little, with the reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.data.resolvers.kinds import GRADES

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
    "self-declared": "the network's own word: no resolver that gives it a grade is known",
    "unidentified": "code and terms of a resolver were not looked up",
    "none": "no resolver gives the network a grade: nothing can be verified",
}


def cautions(network: Mapping[str, Any]) -> Iterator[Caution]:
    """Yield what to tell beside a network's numbers.

    Args:
        network: its totals, measures and utility's parts, by name.
    """
    yield from _resolvers(network)
    if not network["backed"]:
        yield Caution("unbacked", "verified", "no stake: being rejected costs an operator nothing")
    if network["own_arbiter"]:
        yield Caution(
            "own-arbiter",
            "verified",
            "an attestor also rules on challenges: there is no independent conviction",
        )
    if not network["bytes_forced"]:
        yield Caution(
            "bytes-not-forced",
            "audited",
            "inputs and outputs that are withheld can't be forced out (max_bytes is 0): what an "
            "operator does not want to be audited is not",
        )
    if not network["convictable"]:
        yield Caution("no-conviction", "price_of_a_fake", network["convictable_because"])
    if network["operators"] == 1:
        who = "the network's owner alone" if network["owner_operates"] else "one account"
        yield Caution("one-operator", "verified", f"{who} committed everything")
    elif network["owner_operates"]:
        yield Caution("owner-operates", "verified", "the network's owner is one of its operators")
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
    if network["proven"]:
        reason = (
            "it is worth what the models' verifiers are worth, and whoever made the setup of a "
            "circuit alone can forge its proofs"
        )
        yield Caution("setup", "proven", reason)
    yield from _demand(network)
    yield from _utility(network)


def _resolvers(network: Mapping[str, Any]) -> Iterator[Caution]:
    if network["resolvers"] != "known":
        yield Caution("resolvers", "verified", RESOLVERS[network["resolvers"]])
        return
    for grade in GRADES.values():
        standing = network[f"standing_{grade}"]
        if standing in RESOLVERS:
            reason = f"the network does not rank by it: its resolver is {standing}"
            yield Caution("resolvers", grade, reason)
    if network["standing_enclave"] == "known":
        reason = "it is worth what the endorsers named in the rules are worth, and the hardware"
        yield Caution("endorsers", "enclave", reason)


def _demand(network: Mapping[str, Any]) -> Iterator[Caution]:
    if not network["committed"]:
        return
    found, because = network["found_share"], network["found_share_because"]
    if found is None or found < 1:
        missing = "the data" if found is None else f"the data of {1 - found:.0%}"
        reason = f"{missing} of the inferences were not found: who asked is not available"
        yield Caution("data-missing", "requesters", f"{reason} ({because})" if because else reason)
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
