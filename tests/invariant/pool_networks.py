"""The networks that a walk of the pool plays in, beside those of networks.py."""

from dataclasses import replace

from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.rules import Rules
from tests.invariant.networks import RULED

DAY = 24 * 3600
FIRST = RULED + 1
(
    QUICK,
    SLOW,
    BY_REPLAY,
    OWN_ARBITER,
    NO_ARBITER,
    TWICE,
    JUDGED_ONLY,
    LASTING,
    OTHER_SPEC,
    OTHER_ASSET,
) = range(FIRST, FIRST + 10)
FOREIGN = OWN_ARBITER, NO_ARBITER, TWICE, JUDGED_ONLY, LASTING, OTHER_SPEC, OTHER_ASSET
"""Those of which no audit is stored."""


def pool_networks(
    pool: bytes, replay: bytes, other: bytes, asset: bytes, other_asset: bytes
) -> list[Rules]:
    """Return their rules, by the numbers above.

    Args:
        pool: whose terms name `replay` and `asset`.
        replay: arbiter and attestor that says what the evidence says.
        other: an arbiter of the owner's own.
        asset: of the pool.
        other_asset: any other.
    """
    quick = Rules(
        asset=asset,
        attestors=(pool, ZERO_ADDRESS, replay),
        arbiter=pool,
        stake_per_inference=20,
        challenge_bond=31,
        demand_bond=7,
        max_bytes=40,
        challenge_window=8000,
        response_window=2000,
        ruling_window=3000,
        permissionless=True,
    )
    slow = replace(quick, challenge_window=9 * DAY, response_window=DAY, ruling_window=DAY)
    return [
        quick,
        slow,
        replace(quick, arbiter=replay),
        replace(quick, arbiter=other),
        replace(quick, arbiter=ZERO_ADDRESS),
        replace(quick, attestors=(pool, pool, replay)),
        replace(quick, attestors=(replay, pool, replay)),
        replace(slow, challenge_window=20 * DAY),
        replace(quick, demand_bond=8),
        replace(quick, asset=other_asset),
    ]
