"""How it is counted: what each number means, in words, under a version.

A change of a meaning, a formula or a threshold makes a new version; the old words stay in CHANGES.
"""

from dataclasses import dataclass
from typing import Literal

VERSION = "1.0.0"
CHANGES = (("1.0.0", "The first."),)

Unit = Literal["inferences", "amount", "share", "requesters", "gas", "score"]


@dataclass(frozen=True, slots=True)
class Definition:
    """What one number means."""

    name: str
    """As the API's field is called."""
    label: str
    unit: Unit
    """An amount is in the smallest units of the network's asset; a share and a score in [0, 1]."""
    meaning: str
    formula: str


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
        "Final, and staked verifiers re-executed a random sample and signed.",
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
        "price_of_a_fake",
        "Price of a fake",
        "amount",
        "Burned when a batch of one is rejected. The rest of the stake may come back to a cheat "
        "as the reward for convicting itself.",
        "stake per inference - min(stake per inference / 2, 16 * challenge bond)",
    ),
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
        "are known.",
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
        "Gas of all transactions about the network's batches; one of several moves is shared "
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
        "The three parts together; always shown beside them, unknown when one is.",
        "accessibility * verifiability * scalability",
    ),
)

BY_NAME = {one.name: one for one in DEFINITIONS}
