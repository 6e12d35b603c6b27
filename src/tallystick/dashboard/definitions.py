"""Definitions of the numbers, in words, under a version.

A change of a meaning, a formula or a threshold makes a new version; the old words stay in CHANGES.
"""

from dataclasses import dataclass
from typing import Literal

VERSION = "3.1.0"
CHANGES = (
    ("1.0.0", "The first. A resolver was known by its code alone; a fake had one price."),
    (
        "2.0.0",
        "Known by code and by terms read on chain: a committee, whose deployer appoints its "
        "members, is self-declared. Ranks by known grades only, for networks with stake and an "
        "arbiter that can convict. A price of a fake for each grade, gas only where nothing is "
        "lost by one.",
    ),
    (
        "3.0.0",
        "A pool is known by its code, its registry, a published spec, terms at the published "
        "floors, the network's rules beside them, and no account above a third of the epoch's "
        "seats. A fake that it audits costs the stake of the signers on record too.",
    ),
    (
        "3.1.0",
        "Audited says what it merges: audits by equal answers and audits within a tolerance. They "
        "are told apart by spec.",
    ),
)

Unit = Literal["inferences", "amount", "price", "share", "requesters", "gas", "score"]


@dataclass(frozen=True, slots=True)
class Definition:
    """The meaning of one number."""

    name: str
    """The name of the API's field."""
    label: str
    unit: Unit
    """An amount is in the smallest units of the network's asset; a price is one, or says in words
    why there is none; a share and a score in [0, 1]."""
    meaning: str
    formula: str


_BURNED = (
    "stake per inference - min(stake per inference / 2, 16 * challenge bond), where a known "
    "arbiter can convict; else gas only"
)


_AUDITED = (
    f"{_BURNED}; of a known pool the least, over the audits on record, of 15/16 of the signers' "
    "stake + the batch's slash - min(slash / 2, 16 * challenge bond)"
)


def _price(name: str, of: str, who: str, formula: str = _BURNED) -> Definition:
    return Definition(
        f"price_{name}",
        f"Price of a fake: {name}",
        "price",
        f"Lost by {of}: what is burned of a batch of one when it is rejected, since the rest of "
        "its stake may come back to a cheat as the reward for convicting itself. Gas only where "
        f"no stake is locked, or where nobody can convict it: {who}",
        formula,
    )


def _of_grades() -> tuple[Definition, ...]:
    grades = {
        "audited": "whoever appoints a committee has it sign, and an arbiter of the network's own "
        "upholds what it likes. Of a known pool's audits the price holds when one verifier looks "
        "and most of its panel is honest, and the signers' part of it where the draw holds the "
        "leaf.",
        "enclave": "the endorsers can endorse a key of their own.",
        "proven": "the network's own attestor can vouch for it; no proof system is known yet.",
    }
    every = tuple(
        _price(
            *(name, f"a fake that counts as {name}", who),
            _AUDITED if name == "audited" else _BURNED,
        )
        for name, who in grades.items()
    )
    nobody = "there is no arbiter, or one of the network's own."
    return *every, _price("unchallenged", "a fake that is left unchallenged until then", nobody)


DEFINITIONS = (
    Definition(
        "committed",
        "Committed",
        "inferences",
        "What operators said that they did. Nothing is verified by it.",
        "sum of count over BatchCommitted",
    ),
    Definition(
        "unchallenged",
        "Unchallenged",
        "inferences",
        "Final, unchallenged, without positive evidence: nobody may have looked. Not verified.",
        "sum of count over batches that became final as unchallenged",
    ),
    Definition(
        "audited",
        "Audited",
        "inferences",
        "Final, and staked verifiers re-executed a random sample and signed. By equal answers or "
        "within a tolerance, as each model's spec has it: told apart by spec, and one number here.",
        "sum of count over batches that became final as audited",
    ),
    Definition(
        "enclave",
        "Enclave",
        "inferences",
        "Final, and signed by a key bound to an approved enclave measurement.",
        "sum of count over batches that became final as enclave",
    ),
    Definition(
        "proven",
        "Proven",
        "inferences",
        "Final, and zk proofs of every leaf were checked on chain.",
        "sum of count over batches that became final as proven",
    ),
    Definition(
        "rejected",
        "Rejected",
        "inferences",
        "A ruling, a disproof or a fault went against the batch, or a demand stayed unanswered.",
        "sum of count over BatchRejected",
    ),
    Definition(
        "unresolved",
        "Unresolved",
        "inferences",
        "Final, after an arbiter once failed to rule on the batch. Not verified.",
        "sum of count over batches that became final as unresolved",
    ),
    Definition(
        "open",
        "Open",
        "inferences",
        "Committed, and neither final nor rejected yet.",
        "committed - unchallenged - audited - enclave - proven - rejected - unresolved",
    ),
    Definition(
        "verified",
        "Verified",
        "inferences",
        "Final with positive evidence. Always shown with its split by grade; totals of different "
        "networks are not additive, since one work may be committed in several.",
        "audited + enclave + proven",
    ),
    Definition(
        "burned",
        "Burned",
        "amount",
        "Stake and bonds that were lost for good.",
        "sum of burned over BatchRejected, ChallengeUpheld and ChallengeLapsed",
    ),
    Definition(
        "stake_per_inference",
        "Stake per inference",
        "amount",
        "What an operator locks for each inference until it is final or rejected.",
        "stakePerInference of the network's rules",
    ),
    Definition(
        "stake",
        "Stake",
        "amount",
        "Of an operator: what it put into the network, and neither took back nor lost.",
        "staked - unstaked - reward and burned of its rejected batches",
    ),
    Definition(
        "stake_at_risk",
        "Stake at risk",
        "amount",
        "What operators would lose if everything that is open were rejected.",
        "stake per inference * open",
    ),
    Definition(
        "known_verified",
        "Verified by known resolvers",
        "inferences",
        "Final with evidence whose resolver is known by its code and its terms: what networks rank "
        "by.",
        "sum over audited, enclave and proven, of those whose resolver is known",
    ),
    Definition(
        "price_of_a_fake",
        "Price of a fake",
        "price",
        "The lowest price of a fake among the grades that known resolvers give; without one, among "
        "all grades there are; without any, of an unchallenged one.",
        "min over grades",
    ),
    *_of_grades(),
    Definition(
        "audited_share",
        "Audited share",
        "share",
        "How much of what could have been audited was.",
        "audited / (audited + unchallenged)",
    ),
    Definition(
        "found_share",
        "Data found",
        "share",
        "Of the committed inferences, those whose batch data were found: only their requesters "
        "are known. Unknown where nobody has looked, or no store could be asked: never zero then.",
        "inferences in batches with data / committed",
    ),
    Definition(
        "solicited_share",
        "Solicited",
        "share",
        "Of the inferences with data, those that a requester signed for.",
        "inferences with a requester / inferences in batches with data",
    ),
    Definition(
        "requesters",
        "Requesters",
        "requesters",
        "Distinct accounts that signed requests, as far as batch data were found.",
        "count of distinct requesters",
    ),
    Definition(
        "top_share",
        "Top requester",
        "share",
        "The greatest requester's share of the solicited inferences.",
        "largest requester's inferences / solicited inferences",
    ),
    Definition(
        "herfindahl",
        "Herfindahl index",
        "score",
        "How concentrated the demand is: 1 for a single requester, 1 / n for n equal ones.",
        "sum over requesters of (their share of the solicited inferences) squared",
    ),
    Definition(
        "gas_per_verified",
        "Gas per verified",
        "gas",
        "Gas of all transactions about the network's batches; one of several actions is shared "
        "equally.",
        "gas of the network's batches / verified",
    ),
    Definition(
        "accessibility",
        "Accessibility",
        "score",
        "How often endpoints answered, in a named probe log. Unknown without one: never zero, "
        "and never taken from demands, which can be self-made.",
        "answered / asked",
    ),
    Definition(
        "verifiability",
        "Verifiability",
        "score",
        "Of the inferences whose batches left open in the period, the verified ones.",
        "verified / (unchallenged + verified + rejected + unresolved)",
    ),
    Definition(
        "scalability",
        "Scalability",
        "score",
        "Verified inferences a day, on a logarithmic scale up to the reference.",
        "min(1, log10(1 + verified per day) / log10(1 + reference per day))",
    ),
    Definition(
        "utility",
        "Utility",
        "score",
        "The three parts together; always shown beside them, not available when one is not.",
        "accessibility * verifiability * scalability",
    ),
)

BY_NAME = {one.name: one for one in DEFINITIONS}

HEADLINE_VERSION = "1.0.0"
"""Of the headline alone: no number of a network changes with it."""
HEADLINE = Definition(
    "ranked_verified",
    "Verified inferences, all ranked networks",
    "inferences",
    "The sum over ranked networks in the unit inference, of what became final in the days of the "
    "period (UTC) with a grade that a known resolver gives. Work committed to two networks counts "
    "in both: an upper bound of distinct work. The period ends with the last day of which an event "
    "tells, however little of it is over; the change is against as many days before.",
    "sum of known_verified in the period over networks with a rank",
)
CAVEAT = "Work committed to two networks counts in both, so distinct work may be less."
"""Said beside the headline."""
