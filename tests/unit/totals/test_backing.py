"""What stands behind a network's numbers, and whether it may be ranked."""

from typing import Any

import pytest

from tallystick.data.resolvers.standing import NONE
from tallystick.data.totals.backing import backing, standing
from tallystick.data.totals.ranking import ranking
from tests.unit.totals.test_prices import EARLIER, A, B, C, D, resolvers, rules


@pytest.mark.parametrize(
    ("places", "kind"),
    [
        ({}, "none"),
        ({"arbiter": C}, "none"),
        ({"attestors_1": B}, "known"),
        ({"attestors_0": A, "attestors_1": B}, "known"),
        ({"attestors_0": A, "attestors_1": EARLIER}, "unidentified"),
        ({"attestors_0": A, "attestors_2": D, "arbiter": C}, "self-declared"),
    ],
)
def test_standing__network__is_known_by_one_grade_that_is(
    places: dict[str, str], kind: str
) -> None:
    found = standing(resolvers(rules(**places)))

    assert found["resolvers"] == kind
    assert (found["standing_arbiter"] is None) == ("arbiter" not in places)


def test_backing__network__says_what_is_at_risk() -> None:
    given = rules(7, 1, attestors_0=A, arbiter=A)
    found = backing(given, resolvers(given), 3)

    assert (found["stake_at_risk"], found["backed"], found["own_arbiter"]) == (21, True, True)
    assert backing(rules(attestors_0=A, arbiter=B), {}, 0)["own_arbiter"] is False
    assert backing(rules(), {}, 0)["own_arbiter"] is False
    assert backing(rules(max_bytes=0), {}, 0)["bytes_forced"] is False
    assert backing(rules(max_bytes=1), {}, 0)["bytes_forced"] is True


def test_backing__known_and_own_grades__price_is_of_the_known_ones() -> None:
    given = rules(1000, 20, attestors_0=A, attestors_1=B, arbiter=C)
    found = backing(given, resolvers(given), 0)

    assert found["price_of_a_fake"] == "680"
    assert found["price_proven"] is None and found["price_proven_because"] is None
    assert found["convictable"] is True


COUNTS: dict[str, Any] = {"audited": 5, "enclave": 7, "proven": 11, "backed": True}


@pytest.mark.parametrize(
    ("places", "backed", "counted", "because"),
    [
        ({"attestors_1": B, "arbiter": C}, True, 7, None),
        ({"attestors_0": A, "attestors_1": B, "arbiter": C}, True, 7, None),
        ({"attestors_1": B, "arbiter": C}, False, 7, "unbacked"),
        ({"attestors_1": B}, True, 7, "nobody can be convicted"),
        ({"attestors_1": B, "arbiter": D}, True, 7, "own arbiter decides"),
        ({"attestors_1": B, "arbiter": EARLIER}, True, 7, "not looked up"),
        ({"attestors_0": A, "arbiter": C}, True, 0, "Committee, self-declared"),
        ({"attestors_1": EARLIER, "arbiter": C}, True, 0, "enclave: unidentified"),
        ({"arbiter": C}, True, 0, "nothing can be verified"),
    ],
)
def test_ranking__network__is_by_known_grades_or_says_why_not(
    places: dict[str, str], backed: bool, counted: int, because: str | None
) -> None:
    found = ranking(COUNTS | {"backed": backed}, resolvers(rules(**places)))

    assert found["known_verified"] == counted
    if because is None:
        assert found["unranked_because"] is None
    else:
        assert because in found["unranked_because"]


def test_ranking__model_that_the_arbiter_cannot_run__none() -> None:
    given = rules(attestors_1=B, arbiter=C)

    found = ranking(COUNTS, resolvers(given), {"0x55": 1})

    assert "cannot run" in found["unranked_because"]


def test_standing__no_resolver__names_nobody() -> None:
    assert standing({})["resolver_names"] == "" and NONE not in str(standing({}))
