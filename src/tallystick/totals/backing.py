"""What stands behind a network's numbers: its resolvers, its stake, and what a fake costs."""

from collections.abc import Mapping
from typing import Any

from tallystick.network import REWARD_BONDS
from tallystick.resolvers.identify import NONE, PLACES

Row = Mapping[str, Any]


def resolvers_of(rules: Row, codes: Mapping[str, Row]) -> tuple[str, dict[str, str]]:
    """Return what a network's resolvers are, and the name of each that it has.

    Args:
        rules: a row of NetworkRegistered.
        codes: by address, as read_resolvers gives them.

    Returns:
        "known" when each of them is on the published list of code hashes, "self-declared" when one
        is not, "unidentified" when one was not looked up, "none" when it has none.
    """
    named = {}
    for place in PLACES:
        address = rules[place]
        if address != NONE:
            code = codes.get(address)
            named[place.removeprefix("rules_")] = (
                "unidentified" if code is None else code["name"] or "self-declared"
            )
    for kind in ("unidentified", "self-declared"):
        if kind in named.values():
            return kind, named
    return ("known" if named else "none"), named


def backing(rules: Row, open_inferences: int) -> dict[str, Any]:
    """Return what is at stake, in units of the network's asset.

    backed            whether being rejected costs anything
    stake_at_risk     of the inferences that are open
    stake_per_inference
    price_of_a_fake   burned when a batch of one is rejected; the rest of its stake may come back to
                      the cheat as the reward for convicting itself (DESIGN, section 6)
    own_arbiter       whether an attestor also rules on challenges: no independent conviction
    """
    stake = int(rules["rules_stake_per_inference"], 16)
    bond = int(rules["rules_challenge_bond"], 16)
    arbiter = rules["rules_arbiter"]
    return {
        "backed": stake > 0,
        "stake_per_inference": stake,
        "stake_at_risk": stake * open_inferences,
        "price_of_a_fake": stake - min(stake // 2, REWARD_BONDS * bond),
        "own_arbiter": arbiter != NONE and arbiter in [rules[place] for place in PLACES[:3]],
    }
