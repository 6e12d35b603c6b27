"""Ranks of networks: which may have one, and by how much."""

from collections.abc import Iterator, Mapping
from typing import Any

from tallystick.data.resolvers.kinds import GRADES
from tallystick.data.resolvers.standing import Resolver, known_grades
from tallystick.data.resolvers.unmet import Unmet
from tallystick.data.totals.prices import NO_SPECS, conviction_of

NONE_RANKED = (
    "No network is ranked yet: there is no network yet whose auditors a pool draws from everybody, "
    "under terms at the published floors, or whose enclaves' keys at least two named endorsers "
    "vouch for, with stake behind each inference and an arbiter that can convict. Whoever deploys "
    "a committee appoints its members, so what it audits is self-declared."
)
"""Said where the ranked networks would stand."""
NO_GRADE = "no resolver gives it a grade: nothing can be verified"
UNBACKED = "it is unbacked: no stake is locked, so a rejected batch loses nothing"


def place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what networks are sorted by: the ranked ones first, by what known resolvers verified.

    Args:
        row: its chain_id, network_id, counters, and what ranking returns.
    """
    counted = -row["known_verified"], -row["verified"], -row["committed"]
    return row["unranked_because"] is not None, *counted, row["chain_id"], row["network_id"]


def ranking(
    row: Mapping[str, Any], resolvers: Mapping[str, Resolver], specs: Mapping[str, int] = NO_SPECS
) -> dict[str, Any]:
    """Return what a network would rank by, and why it has no rank.

    known_verified       inferences that became final with a grade that a known resolver gives
    unranked_because     None: it is ranked
    unmet                conditions that it, or a resolver of it, doesn't meet: of (a grade, arbiter
                         or network), condition, reason, actual, needed. A network that is ranked by
                         one grade may have some of another.

    Args:
        row: its counters, and `backed`.
        resolvers: of the network, by place.
        specs: how many models have committed inferences, by the hash of their spec (hex text).
    """
    counted = sum(row[grade] for grade in known_grades(resolvers))
    return {
        "known_verified": counted,
        "unranked_because": _why_not(row, resolvers, specs),
        "unmet": list(_unmet(row, resolvers, specs)),
    }


def _unmet(
    row: Mapping[str, Any], resolvers: Mapping[str, Resolver], specs: Mapping[str, int]
) -> Iterator[dict[str, str | None]]:
    for place, resolver in resolvers.items():
        for one in resolver.unmet:
            yield one.to_json(GRADES.get(place, place))
    if not any(place in resolvers for place in GRADES):
        yield Unmet("grade", NO_GRADE).to_json("network")
    if not row["backed"]:
        yield Unmet("backed", UNBACKED).to_json("network")
    conviction = conviction_of(resolvers, specs)
    if not conviction.possible:
        yield Unmet("convictable", conviction.because).to_json("network")


def _why_not(
    row: Mapping[str, Any], resolvers: Mapping[str, Resolver], specs: Mapping[str, int]
) -> str | None:
    attestors = {GRADES[place]: one for place, one in resolvers.items() if place in GRADES}
    if not attestors:
        return NO_GRADE
    if not known_grades(resolvers):
        told = "; ".join(f"{grade}: {_said(one)}" for grade, one in attestors.items())
        return f"no grade of it is given by a known resolver ({told})"
    if not row["backed"]:
        return UNBACKED
    conviction = conviction_of(resolvers, specs)
    return None if conviction.possible else conviction.because


def _said(resolver: Resolver) -> str:
    name = f"{resolver.name}, " if resolver.name else ""
    return f"{name}{resolver.standing}, {resolver.reason}"
