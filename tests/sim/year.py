"""A year of a pool: honest networks, cheats who wait for a lucky panel, a builder who grinds.

Cheats are one holder. They sign each fake whose panel is theirs, appeal each honest audit, reject
it where they can, and buy anew what was burned, so that their share stays. Whoever is honest signs
what is right and rejects what is wrong, if it is there.
"""

from collections import Counter
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from tallystick.protocol.pool import FINDERS, Quorums
from tallystick.protocol.pool_odds import at_least
from tests.sim.lists import Flags, Ints, Members

WEEKS = 52


@dataclass(frozen=True)
class World:
    """What a year is played with."""

    panel: int
    """Places of an audit's panel, n."""
    share: float
    """Of all seats that one holder has, about."""
    networks: int = 1_000
    members: int = 10_000
    cheating: float = 0.1
    """Part of the networks whose every batch is a fake."""
    batches: int = 4
    """Of a network in a week."""
    returning: float = 0.97
    """Part of the honest who enrol again in an epoch."""
    looked_at: float = 0.5
    """Part of the batches that one verifier looks at."""
    built: float = 0.1
    """Part of the seeds' blocks that the cheats build."""
    candidates: int = 1_024
    """Blocks among which they choose one."""
    seat_stake: int = 1_000
    mistaken: float = 0.001
    """Part of the honest judges that reject a leaf which is right."""
    slash: int = 4_000
    """Units that a rejected batch costs its operator, less the reward."""
    weeks: int = WEEKS


@dataclass
class Rate:
    """How often something came, beside how often odds say that it comes."""

    name: str
    tried: int = 0
    came: int = 0
    expected: float = 0
    variance: float = 0

    def add(self, tried: int, came: int, probability: float) -> None:
        """Take in some trials of one probability."""
        self.tried += tried
        self.came += came
        self.expected += tried * probability
        self.variance += tried * probability * (1 - probability)

    @property
    def found(self) -> float:
        """Part of the trials in which it came."""
        return self.came / self.tried

    @property
    def odds(self) -> float:
        """The same, as the formula has it."""
        return self.expected / self.tried

    @property
    def off(self) -> float:
        """How far it came from the formula, in standard deviations; one event is no distance."""
        return max(abs(self.came - self.expected) - 1, 0) / sqrt(self.variance + 1)


@dataclass
class Year:
    """What came of a year."""

    world: World
    rates: dict[str, Rate] = field(default_factory=dict)
    fakes: Counter[str] = field(default_factory=Counter)
    """Of the cheats' batches: committed, audited, verified, rejected, unresolved."""
    burned: int = 0
    """Units of the cheats' stake."""
    slashed: int = 0
    """Units of the cheats' operators."""
    honest_burned: Counter[str] = field(default_factory=Counter)
    """Honest audits that a panel rejected, their signers, those that no majority of cheats did."""

    def rate(self, name: str) -> Rate:
        return self.rates.setdefault(name, Rate(name))

    @property
    def cost(self) -> float | None:
        """Units that a verified fake cost, on average; None where there was none."""
        verified = self.fakes["verified"]
        return (self.burned + self.slashed) / verified if verified else None


LUCKY, UPHELD, CAPTURED = "gets k of n", "upholds its fake", "rejects an honest leaf"
AUDITED, REJECTED, GROUND = "audit completes", "wrong leaf is rejected at once", "builder's panel"


def simulate(world: World, seed: int) -> Year:
    """Play a year.

    Args:
        world: see there.
        seed: of all chance.
    """
    chance, year = np.random.default_rng(seed), Year(world)
    members = Members.of(chance, world.members, world.share)
    for week in range(world.weeks):
        _epoch(chance, year, members, week)
    return year


def _epoch(chance: np.random.Generator, year: Year, members: Members, week: int) -> None:
    world, places = year.world, Quorums.of(year.world.panel)
    listed = members.enrolled(chance, world.returning)
    share = members.share(listed)
    fakes = round(world.networks * world.cheating) * world.batches
    total = world.networks * world.batches
    audits = listed.panels(chance, total, places.panel)
    cases = listed.panels(chance, total, places.judges)
    # Of each batch a case too, on its own panel: what would come of it.
    first = 2 * week * total
    signs, rules = members.signing(audits, first), members.signing(cases, first + total)
    wrong = members.mistaken(cases, first + total, world.mistaken).sum(1)
    mine, theirs = members.cheats[audits].sum(1), members.cheats[cases].sum(1)
    turnout = _turnout(members, listed.keys)
    lucky, upheld = mine >= places.audit, theirs >= places.uphold
    captured = theirs >= places.reject
    completes = signs.sum(1) >= places.audit
    rejected = rules.sum(1) >= places.reject
    for name, came, needed, size, part in (
        (LUCKY, lucky, places.audit, places.panel, share),
        (UPHELD, upheld, places.uphold, places.judges, share),
        (CAPTURED, captured, places.reject, places.judges, share),
        (AUDITED, completes, places.audit, places.panel, turnout),
        (REJECTED, rejected, places.reject, places.judges, turnout),
    ):
        year.rate(name).add(total, int(came.sum()), at_least(needed, size, part))
    _honest(year, completes[fakes:], signs[fakes:], theirs[fakes:] + wrong[fakes:])
    year.honest_burned["by panels without a majority of cheats"] += int(
        (completes & (theirs + wrong >= places.reject) & ~upheld)[fakes:].sum()
    )
    _fakes(chance, year, members, audits[:fakes], lucky, upheld, rejected, share)


def _honest(year: Year, audited: Flags, signs: Flags, rejecting: Ints) -> None:
    """Have the cheats appeal every honest audit: who signed it burns where R of m say so."""
    lost = audited & (rejecting >= Quorums.of(year.world.panel).reject)
    year.honest_burned["audits"] += int(lost.sum())
    year.honest_burned["signers"] += int(signs[lost].sum())


def _fakes(
    chance: np.random.Generator,
    year: Year,
    members: Members,
    panels: Ints,
    lucky: Flags,
    upheld: Flags,
    rejected: Flags,
    share: float,
) -> None:
    """Have the cheats sign each fake whose panel is theirs; a verifier looks at some."""
    world, places, fakes = year.world, Quorums.of(year.world.panel), len(panels)
    built = chance.random(fakes) < world.built
    ground = np.zeros(fakes, dtype=np.bool_)
    tries = chance.binomial(places.panel, share, (int(built.sum()), world.candidates))
    ground[built] = tries.max(1, initial=0) >= places.audit
    odds = 1 - (1 - at_least(places.audit, places.panel, share)) ** world.candidates
    year.rate(GROUND).add(int(built.sum()), int(ground.sum()), odds)
    audited = np.where(built, ground, lucky[:fakes])
    looked = chance.random(fakes) < world.looked_at
    saved = looked & audited & upheld[:fakes]
    lost = looked & ~saved & rejected[:fakes]
    lapsed = looked & ~saved & ~lost
    verified = audited & (~looked | saved)
    year.fakes["committed"] += fakes
    year.fakes["audited"] += int(audited.sum())
    year.fakes["verified"] += int(verified.sum())
    year.fakes["rejected"] += int(lost.sum())
    year.fakes["unresolved"] += int(lapsed.sum())
    year.slashed += int(lost.sum()) * world.slash
    # k places sign, no more than must; a key that does loses all the seats that it has.
    cheats = np.flatnonzero(members.cheats)
    odds_of = members.seats[cheats] / members.seats[cheats].sum()
    for panel, chosen in zip(panels[lost & audited], built[lost & audited], strict=True):
        mine = panel[members.cheats[panel]]
        if chosen:
            mine = chance.choice(cheats, places.audit, p=odds_of)
        stake = int(members.seats[np.unique(mine[: places.audit])].sum()) * world.seat_stake
        year.burned += stake - stake // FINDERS


def _turnout(members: Members, keys: Ints) -> float:
    """How probable it is that a place is an honest member's who signs."""
    seats = members.seats[keys]
    honest = np.where(members.cheats[keys], 0, members.turnout[keys])
    return float((seats * honest).sum() / seats.sum())
