"""The networks that a walk plays in: each differs from the others in what a rule may hang on."""

from dataclasses import dataclass, replace

from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.rules import Rules

HIGHEST = 2**96 - 1
MAX_BYTES = 90_000


@dataclass(frozen=True)
class Assets:
    """Tokens, 20 bytes each."""

    plain: bytes
    fee: bytes
    """Keeps one percent of each transfer."""
    reentrant: bytes
    """Calls back on each transfer."""
    refusing: bytes
    """Refuses to be burned."""
    deep: bytes
    """Plain, and so plentiful that stakes and bonds reach the ends of their types."""

    def all(self) -> tuple[bytes, ...]:
        return ZERO_ADDRESS, self.plain, self.fee, self.reentrant, self.refusing, self.deep


JUDGED, TOKEN, UNJUDGED, UNBACKED, FEE, REENTRANT, REFUSING, DEEP = REGISTRY = range(8)
AUDITED, ELSEWHERE, LONG, RULED = COMMITTEE = range(8, 12)


def networks(resolver: bytes, other: bytes, committee: bytes, assets: Assets) -> list[Rules]:
    """Return their rules, by the numbers above.

    Args:
        resolver: attests and rules as the evidence says.
        other: another of the kind.
        committee: whose arbiter is the resolver.
        assets: of the networks.
    """
    judged = Rules(
        attestors=(resolver, resolver, resolver),
        arbiter=resolver,
        stake_per_inference=11,
        challenge_bond=3,
        demand_bond=7,
        max_bytes=40,
        challenge_window=8000,
        response_window=2000,
        ruling_window=3000,
        permissionless=True,
    )
    token = replace(
        judged,
        asset=assets.plain,
        permissionless=False,
        challenge_bond=101,
        max_bytes=0,
        attestors=(resolver, ZERO_ADDRESS, resolver),
    )
    unjudged = replace(
        judged,
        arbiter=ZERO_ADDRESS,
        attestors=(ZERO_ADDRESS, resolver, ZERO_ADDRESS),
        challenge_bond=5,
        solicited=True,
    )
    unbacked = replace(token, stake_per_inference=0, demand_bond=0, permissionless=True)
    short = replace(judged, challenge_window=90, response_window=40, ruling_window=7)
    deep = replace(
        judged,
        asset=assets.deep,
        stake_per_inference=HIGHEST,
        challenge_bond=HIGHEST,
        demand_bond=HIGHEST,
        max_bytes=MAX_BYTES,
    )
    audited = replace(judged, attestors=(committee, ZERO_ADDRESS, resolver))
    return [
        judged,
        token,
        unjudged,
        unbacked,
        replace(short, asset=assets.fee, permissionless=False),
        replace(short, asset=assets.reentrant, stake_per_inference=200),
        replace(judged, asset=assets.refusing),
        deep,
        audited,
        replace(audited, arbiter=other),
        replace(audited, challenge_window=80_000),
        replace(judged, arbiter=committee, demand_bond=8),
    ]
