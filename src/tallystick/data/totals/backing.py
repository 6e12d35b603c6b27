"""Backing of a network's numbers: whose word they are, its stake, and what a fake costs."""

from collections.abc import Mapping
from typing import Any

from tallystick.data.resolvers.kinds import ARBITER, GRADES, PLACES, Row
from tallystick.data.resolvers.standing import NONE, Resolver, known_grades
from tallystick.data.totals.prices import BECAUSE, NO_SPECS, PRICED, conviction_of, lowest, prices


def standing(resolvers: Mapping[str, Resolver]) -> dict[str, Any]:
    """Return whose word a network's grades are.

    resolvers            known when a known resolver gives at least one of its grades; else
                         unidentified when one was not looked up, self-declared when none of those
                         that give its grades is known, none when no grade is to be had
    resolver_names       of listed code, or the standing of the others
    standing_audited, standing_enclave, standing_proven, standing_arbiter
                         known, self-declared, unidentified; None: there is no such resolver
    """
    attestors = [resolvers[place] for place in GRADES if place in resolvers]
    found = {one.standing for one in attestors}
    order = ("known", "unidentified", "self-declared")
    kind = next((one for one in order if one in found), "none")
    names = sorted({one.name or one.standing for one in resolvers.values()})
    return {"resolvers": kind, "resolver_names": ", ".join(names)} | {
        f"standing_{GRADES.get(place, place)}": resolvers[place].standing
        if place in resolvers
        else None
        for place in PLACES
    }


def backing(
    rules: Row,
    resolvers: Mapping[str, Resolver],
    open_inferences: int,
    specs: Mapping[str, int] = NO_SPECS,
) -> dict[str, Any]:
    """Return what is at stake, in units of the network's asset, and what a fake costs.

    backed               whether stake is locked for an inference
    stake_per_inference
    stake_at_risk        of the inferences that are open
    convictable          whether somebody can convict a fake whom the network did not choose; None:
                         its arbiter was not looked up
    own_arbiter          whether an attestor also rules on challenges: no independent conviction;
                         not a known pool, for who signed an audit has no say in its case
    bytes_forced         whether a demand can force withheld inputs and outputs out
    price_of_a_fake      the lowest of the grades that known resolvers give; without one, of all
                         grades to be had; without any, of Unchallenged
    price_audited, price_enclave, price_proven, price_unchallenged
                         an amount as decimal text, "gas only" or "unknown"; None: not to be had
    ..._because          the sentence that each price rests on

    Args:
        rules: a row of NetworkRegistered.
        resolvers: of the network, by place.
        open_inferences: neither final nor rejected.
        specs: how many models have committed inferences, by the hash of their spec (hex text).
    """
    stake = int(rules["rules_stake_per_inference"], 16)
    arbiter = rules["rules_arbiter"]
    conviction = conviction_of(resolvers, specs)
    priced = prices(rules, resolvers, specs)
    offered = tuple(grade for place, grade in GRADES.items() if place in resolvers)
    shown = {"price_of_a_fake": lowest(priced, known_grades(resolvers) or offered)} | {
        f"price_{name}": priced.get(name) for name in PRICED
    }
    attestors = [rules[f"rules_{place}"] for place in GRADES]
    return (
        {
            "backed": stake > 0,
            "stake_per_inference": stake,
            "stake_at_risk": stake * open_inferences,
            "convictable": conviction.possible,
            f"convictable{BECAUSE}": conviction.because,
            "own_arbiter": arbiter != NONE and arbiter in attestors and not _drawn(resolvers),
            "bytes_forced": rules["rules_max_bytes"] > 0,
        }
        | {name: one and one.price for name, one in shown.items()}
        | {f"{name}{BECAUSE}": one and one.because for name, one in shown.items()}
    )


def _drawn(resolvers: Mapping[str, Resolver]) -> bool:
    """Return whether the arbiter is a known pool, whose panels are drawn."""
    arbiter = resolvers.get(ARBITER)
    return arbiter is not None and arbiter.known and arbiter.kind is not None and arbiter.kind.drawn
