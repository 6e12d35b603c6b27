"""Floors for the terms of a pool: published with the package, under a version.

A pool whose terms are below them, or that doesn't bind the network it stands in, is self-declared:
its panels could be packed, or its auditors lose less than they could gain (docs/security.md).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

from tallystick.data.resolvers.pool_facts import AuditRecord, EpochSeats, PoolFacts
from tallystick.data.resolvers.unmet import Unmet
from tallystick.protocol.pool import Quorums

_WORDS = {
    "panel": ("panel", "places of its panel"),
    "minDrawn": ("min_drawn", "leaves drawn for an audit"),
    "seedDelay": ("seed_delay", "blocks until a seed"),
    "exitDelay": ("exit_delay", "seconds until stake can leave"),
    "minSeats": ("min_seats", "seats that a list needs"),
}
"""By term: its condition's name, and what the term counts."""


@dataclass(frozen=True, slots=True)
class Floors:
    """Least terms of a pool that can be known for Audited."""

    version: int
    terms: Mapping[str, int]
    """By their names in the ABI."""
    case_fees_in_bond: int
    """Fees of a case, (m + 1) ruleFee each, that a challenge bond has to cover."""
    largest_share: Fraction
    """Most of an epoch's seats that one account may have."""
    specs: Mapping[str, str]
    """Published specs: the hash, hex text, by name."""


@cache
def floors() -> Floors:
    """Return the published floors."""
    found = json.loads((files("tallystick") / "data" / "resolvers" / "floors.json").read_text())
    return Floors(
        found["version"],
        found["terms"],
        found["case_fees_in_bond"],
        Fraction(*found["largest_share"]),
        found["specs"],
    )


def unmet_terms(terms: Mapping[str, Any], core: str, registry: str) -> Iterator[Unmet]:
    """Yield the conditions that a pool doesn't meet by itself, whatever network names it.

    Args:
        terms: PoolTerms by their names in the ABI.
        core: the registry that it audits for, hex text.
        registry: the one that is counted, hex text.
    """
    if core.lower() != registry.lower():
        reason = f"it audits for another registry, {core}"
        yield Unmet("core", reason, core, registry)
    if terms["spec"] not in floors().specs.values():
        published = ", ".join(f"{name} {key}" for name, key in floors().specs.items())
        reason = f"its models' spec {terms['spec']} is not published; published: {published}"
        yield Unmet("spec", reason, terms["spec"], published)
    for term, least in floors().terms.items():
        value = terms[term]
        if value < least:
            name, counts = _WORDS[term]
            reason = f"{counts}: {value}, below the floor of {least}"
            yield Unmet(name, reason, str(value), str(least))


def unmet_rules(
    terms: Mapping[str, Any], rules: Mapping[str, Any], audits: tuple[AuditRecord, ...]
) -> Iterator[Unmet]:
    """Yield the conditions that a network's rules don't meet beside a pool's terms.

    The stake of the fewest places that make an audit has to cover the largest batch that they
    audited: the largest of the network whose audit counts and is on record.

    Args:
        terms: PoolTerms by their names in the ABI.
        rules: a row of NetworkRegistered.
        audits: of the network's batches.
    """
    if rules["rules_asset"] != terms["asset"].lower():
        reason = "the network's stake is in another asset than the pool's"
        yield Unmet("asset", reason, rules["rules_asset"], terms["asset"])
    places = Quorums.of(terms["panel"])
    stake = int(rules["rules_stake_per_inference"], 16)
    if not stake:
        yield Unmet("stake", "no stake is locked for an inference", "0", "1")
    signers = places.audit * terms["seatStake"]
    count = max((one.count for one in audits), default=0)
    if signers < stake * count:
        reason = (
            f"{places.audit} seats are worth {signers}, less than the stake behind the largest "
            f"batch on record, {stake} for each of {count} inferences"
        )
        yield Unmet("seat_stake", reason, str(signers), str(stake * count))
    bond = int(rules["rules_challenge_bond"], 16)
    fee = (places.judges + 1) * terms["ruleFee"]
    if bond < floors().case_fees_in_bond * fee:
        reason = (
            f"the challenge bond of {bond} is below {floors().case_fees_in_bond} times the fee of "
            f"a case, {fee}"
        )
        yield Unmet("challenge_bond", reason, str(bond), str(floors().case_fees_in_bond * fee))


def unmet_seats(terms: Mapping[str, Any], found: EpochSeats) -> Iterator[Unmet]:
    """Yield the conditions that an epoch's list of seats doesn't meet.

    A list from which nothing can be drawn says nothing of who holds the pool.

    Args:
        terms: PoolTerms by their names in the ABI.
        found: the list.
    """
    least = terms["minSeats"]
    if found.seats < least:
        reason = f"epoch {found.epoch} has {found.seats} seats of the {least} that a draw needs"
        yield Unmet("seats", reason, str(found.seats), str(least))
    largest = found.largest()
    if largest is None:
        return
    account, seats = largest
    share = floors().largest_share
    if Fraction(seats, found.seats) > share:
        reason = (
            f"held by one: {account} has {seats} of the {found.seats} seats of epoch "
            f"{found.epoch}, above {share}"
        )
        most = str(found.seats * share.numerator // share.denominator)
        yield Unmet("held_by_one", reason, str(seats), most)


def unmet(
    terms: Mapping[str, Any],
    core: str,
    registry: str,
    rules: Mapping[str, Any],
    facts: PoolFacts,
) -> tuple[Unmet, ...]:
    """Return all conditions that a pool in a network doesn't meet, as far as it was read.

    Args:
        terms: PoolTerms by their names in the ABI.
        core: the registry that it audits for, hex text.
        registry: the one that is counted, hex text.
        rules: a row of NetworkRegistered.
        facts: see PoolFacts.
    """
    audits = facts.audits.get(rules["network_id"], ())
    seats = unmet_seats(terms, facts.seats) if facts.seats else ()
    return (*unmet_terms(terms, core, registry), *unmet_rules(terms, rules, audits), *seats)
