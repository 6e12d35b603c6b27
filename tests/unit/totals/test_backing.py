"""What stands behind a network's numbers."""

import pytest

from tallystick.resolvers.identify import NONE
from tallystick.totals.backing import backing, resolvers_of

A, B = "0x" + "aa" * 20, "0x" + "bb" * 20


def rules(
    attestor: str = NONE, arbiter: str = NONE, stake: int = 0, bond: int = 0
) -> dict[str, str]:
    return {
        "rules_attestors_0": attestor,
        "rules_attestors_1": NONE,
        "rules_attestors_2": NONE,
        "rules_arbiter": arbiter,
        "rules_stake_per_inference": f"0x{stake:064x}",
        "rules_challenge_bond": f"0x{bond:064x}",
    }


KNOWN = {A: {"name": "Committee"}, B: {"name": None}}


@pytest.mark.parametrize(
    ("given", "codes", "kind"),
    [
        (rules(), KNOWN, "none"),
        (rules(A), KNOWN, "known"),
        (rules(A, A), KNOWN, "known"),
        (rules(A, B), KNOWN, "self-declared"),
        (rules(A, B), {A: KNOWN[A]}, "unidentified"),
    ],
)
def test_resolvers_of__network__is_as_bad_as_its_worst(given, codes, kind) -> None:
    assert resolvers_of(given, codes)[0] == kind


@pytest.mark.parametrize(
    ("stake", "bond", "price"),
    [(0, 9, 0), (11, 0, 11), (11, 101, 6), (1000, 20, 680), (1, 1, 1)],
)
def test_price_of_a_fake__is_what_is_burned(stake: int, bond: int, price: int) -> None:
    assert backing(rules(stake=stake, bond=bond), 3)["price_of_a_fake"] == price


def test_backing__network__says_what_is_at_risk() -> None:
    found = backing(rules(A, A, stake=7, bond=1), 3)

    assert (found["stake_at_risk"], found["backed"], found["own_arbiter"]) == (21, True, True)
    assert backing(rules(A, B), 0)["own_arbiter"] is False
    assert backing(rules(), 0)["own_arbiter"] is False
