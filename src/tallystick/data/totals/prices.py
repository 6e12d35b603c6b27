"""Prices of a fake, by the grade that it would get: an amount, or no more than gas.

The amount is what is burned of a batch of one when it is rejected. The rest of its stake may come
back to the cheat, as the reward for convicting itself (docs/security.md). Where a known pool
audits, it is the lowest of the batches on record: what is burned of the batch, and of its signers'
stake.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.data.resolvers.kinds import ARBITER, ENCLAVE, GRADES, Row
from tallystick.data.resolvers.standing import NONE, Resolver
from tallystick.protocol.pool import FINDERS, Quorums
from tallystick.protocol.rules import REWARD_BONDS

GAS_ONLY = "gas only"
"""Nothing is lost by a fake, or nobody can convict it."""
UNKNOWN = "unknown"
"""A resolver was not looked up."""
UNCHALLENGED = "unchallenged"
PRICED = (*GRADES.values(), UNCHALLENGED)
"""Counters that have a price."""
BECAUSE = "_because"
"""Ends the name of the sentence that a price or a missing rank rests on."""
NO_SPECS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a price."""

    label: str
    amount: int
    """Units of the network's asset; below 0 where it is taken off."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a fake."""

    price: str
    """Decimal text, in the smallest units of the network's asset; or GAS_ONLY, or UNKNOWN."""
    because: str
    """The sentence that it rests on."""
    terms: tuple[Term, ...] = ()
    """What an amount is the sum of; none of words."""


@dataclass(frozen=True, slots=True)
class Conviction:
    """The way by which anybody can convict a fake in a network, if there is one."""

    possible: bool | None
    """None: the arbiter was not looked up."""
    because: str


def conviction_of(
    resolvers: Mapping[str, Resolver], specs: Mapping[str, int] = NO_SPECS
) -> Conviction:
    """Return whether a fake can be convicted, whoever set the network up.

    Args:
        resolvers: of the network, by place.
        specs: how many models have committed inferences, by the hash of their spec (hex text).
    """
    arbiter = resolvers.get(ARBITER)
    if arbiter is None:
        return Conviction(False, "there is no arbiter, so nobody can be convicted")
    if arbiter.standing == "unidentified":
        return Conviction(None, f"the arbiter is unidentified: {arbiter.reason}")
    if arbiter.kind is not None and arbiter.kind.drawn and not arbiter.known:
        return Conviction(False, "the arbiter is a pool that is not known")
    if not arbiter.known or arbiter.kind is None:
        return Conviction(False, "the network's own arbiter decides whether anybody is convicted")
    if arbiter.kind.spec is None:
        return Conviction(False, f"the arbiter, {arbiter.name}, can only uphold a leaf")
    own = arbiter.kind.spec(arbiter.terms)
    if others := sum(models for spec, models in specs.items() if spec != own):
        models = "a model" if others == 1 else f"{others} models"
        return Conviction(
            False, f"inferences are committed under {models} that {arbiter.name} cannot run"
        )
    # Whether anybody but the network has the model's bytes the chain does not tell.
    return Conviction(True, arbiter.kind.convicts)


def prices(
    rules: Row, resolvers: Mapping[str, Resolver], specs: Mapping[str, int] = NO_SPECS
) -> dict[str, Price]:
    """Return the price of a fake for each grade to be had, and for Unchallenged.

    Args:
        rules: a row of NetworkRegistered.
        resolvers: as for conviction_of.
        specs: as for conviction_of.
    """
    found = conviction_of(resolvers, specs)
    priced = {
        grade: _given(place, rules, found, resolvers)
        for place, grade in GRADES.items()
        if place in resolvers
    }
    return priced | {UNCHALLENGED: _price(rules, found, "nobody has to vouch for it")}


def _given(
    place: str, rules: Row, conviction: Conviction, resolvers: Mapping[str, Resolver]
) -> Price:
    resolver, signers = resolvers[place], _signers(place, rules, resolvers)
    if resolver.known and resolver.kind is not None and resolver.kind.drawn:
        return _audited(rules, conviction, signers, resolver)
    return _price(rules, conviction, signers)


def lowest(priced: Mapping[str, Price], grades: tuple[str, ...]) -> Price:
    """Return the lowest price among some grades, or of Unchallenged where there are none."""
    return min((priced[grade] for grade in grades or (UNCHALLENGED,)), key=_order)


def _order(price: Price) -> tuple[int, int]:
    words = (GAS_ONLY, UNKNOWN)
    return (words.index(price.price), 0) if price.price in words else (2, int(price.price))


def burned(rules: Row, count: int = 1) -> int:
    """Return what is burned of a batch when it is rejected, in units of the asset.

    Args:
        rules: a row of NetworkRegistered.
        count: inferences of the batch.
    """
    return sum(term.amount for term in _slash(rules, count))


def _slash(rules: Row, count: int = 1) -> tuple[Term, ...]:
    stake = int(rules["rules_stake_per_inference"], 16) * count
    bond = int(rules["rules_challenge_bond"], 16)
    of = "a batch of one" if count == 1 else f"the batch of {count:,}"
    half, capped = stake // 2, REWARD_BONDS * bond
    why = "half of it" if half <= capped else f"at most {REWARD_BONDS} challenge bonds"
    return (
        Term(f"stake of {of}", stake),
        Term(f"the convictor's reward, {why}", -min(half, capped)),
    )


def _price(rules: Row, conviction: Conviction, signers: str) -> Price:
    if not burned(rules):
        return Price(GAS_ONLY, f"{signers}, and no stake is locked: a rejected batch loses nothing")
    if conviction.possible:
        return Price(
            str(burned(rules)),
            f"{signers}, but {conviction.because}: the stake of a batch of one is then slashed, "
            "and all of it but the capped reward is burned",
            _slash(rules),
        )
    word = GAS_ONLY if conviction.possible is False else UNKNOWN
    return Price(word, f"{signers}, and {conviction.because}")


def _audited(rules: Row, conviction: Conviction, signers: str, pool: Resolver) -> Price:
    """Return the price of a fake that a known pool's panel signs."""
    if not conviction.possible:
        return _price(rules, conviction, signers)
    if not pool.audits:
        plain = _price(rules, conviction, signers)
        said = f"{plain.because}; no audit of it is on record yet"
        return Price(plain.price, said, plain.terms)
    lowest_of = min(pool.audits, key=lambda one: one.at_stake + burned(rules, one.count))
    terms = (
        Term(f"its signers' stake, less a finder's 1/{FINDERS}", lowest_of.at_stake),
        *_slash(rules, lowest_of.count),
    )
    return Price(
        str(sum(term.amount for term in terms)),
        f"{signers}, but {conviction.because}: the stake of the signers on record is then burned, "
        f"less a finder's 1/{FINDERS}, if the draw holds the leaf, and the batch's slash, less the "
        f"capped reward; the lowest of {len(pool.audits)} "
        f"{'audit' if len(pool.audits) == 1 else 'audits'} on record",
        terms,
    )


def _signers(place: str, rules: Row, resolvers: Mapping[str, Resolver]) -> str:
    """Return who can give a fake the grade, in words."""
    resolver = resolvers[place]
    if resolver.standing == "unidentified":
        return "whoever its attestor listens to can sign for it"
    if place == ENCLAVE and resolver.known:
        threshold, of = resolver.terms["threshold"], len(resolver.terms["endorsers"])
        return f"{threshold} of {of} endorsers can endorse a key that signs for it"
    if resolver.name == "Pool" and resolver.terms:
        places = Quorums.of(resolver.terms["terms"]["panel"])
        return f"{places.audit} of {places.panel} places drawn from a pool's seats can sign for it"
    if resolver.name == "Committee" and resolver.terms:
        return _members(rules, resolver.terms)
    return "the network's own attestor can vouch for it"


def _members(rules: Row, terms: Row) -> str:
    threshold, arbiter = terms["terms"]["threshold"], terms["terms"].get("arbiter")
    who = "one member" if threshold == 1 else f"{threshold} members"
    said = f"{who} of the network's own committee can sign for it"
    if arbiter != rules["rules_arbiter"] or arbiter == NONE or terms["core"] != rules["address"]:
        return said
    return f"{said} (who may lose a stake of their own there, which is not counted)"
