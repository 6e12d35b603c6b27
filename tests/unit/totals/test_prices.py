"""What a fake costs in networks of every make.

conviction_of   no arbiter | not looked up | self-declared | known, upholds only | known: other
                specs, its own
prices          no stake | nobody convicts | somebody does: what is burned of a batch of one
lowest          gas only < unknown < amounts
"""

from typing import Any

import pytest

from tallystick.data.resolvers.kinds import ARBITER, AUDITED, ENCLAVE, PROVEN
from tallystick.data.resolvers.standing import NONE, Resolver, resolvers_of
from tallystick.data.totals.prices import GAS_ONLY, UNKNOWN, Price, conviction_of, lowest, prices
from tallystick.protocol.hexes import to_hex
from tallystick.replay.model import SPEC_ID
from tests.unit.resolvers.test_standing import (
    COMMITTEE,
    ENCLAVED,
    KEYS,
    REGISTRY,
    REPLAY,
    endorsed,
    fact,
)

A, B, C, D = ("0x" + digits * 20 for digits in ("a1", "b1", "c1", "d1"))
OWN, ITEM = fact(None), fact("OpenGradientItem", endorsed(KEYS, 2))
FACTS = {A: COMMITTEE, B: ENCLAVED, C: REPLAY, D: OWN, "0x" + "e1" * 20: ITEM}
EARLIER = "0x" + "f1" * 20
"""Not looked up."""


def rules(stake: int = 1000, bond: int = 20, max_bytes: int = 0, **places: str) -> dict[str, Any]:
    every = {f"rules_{place}": NONE for place in (AUDITED, ENCLAVE, PROVEN, ARBITER)}
    return (
        every
        | {f"rules_{place}": address for place, address in places.items()}
        | {
            "address": REGISTRY,
            "rules_stake_per_inference": f"0x{stake:064x}",
            "rules_challenge_bond": f"0x{bond:064x}",
            "rules_max_bytes": max_bytes,
        }
    )


def resolvers(given: dict[str, Any]) -> dict[str, Resolver]:
    return resolvers_of(given, REGISTRY, FACTS)


@pytest.mark.parametrize(
    ("arbiter", "specs", "possible", "because"),
    [
        (NONE, {}, False, "no arbiter"),
        (EARLIER, {}, None, "not looked up"),
        (D, {}, False, "own arbiter decides"),
        (A, {}, False, "own arbiter decides"),
        ("0x" + "e1" * 20, {}, False, "can only uphold"),
        (C, {to_hex(SPEC_ID): 2}, True, "rejects a challenged leaf"),
        (C, {to_hex(SPEC_ID): 2, "0x55": 1}, False, "a model that Replay cannot run"),
        (C, {"0x55": 1, "0x66": 2}, False, "3 models that Replay cannot run"),
    ],
)
def test_conviction_of__each_arbiter__says_whether_and_why(
    arbiter: str, specs: dict[str, int], possible: bool | None, because: str
) -> None:
    found = conviction_of(resolvers(rules(arbiter=arbiter)), specs)

    assert found.possible is possible
    assert because in found.because


@pytest.mark.parametrize(
    ("stake", "bond", "price"),
    [(0, 9, GAS_ONLY), (11, 0, "11"), (11, 101, "6"), (1000, 20, "680"), (1, 1, "1")],
)
def test_prices__known_arbiter__are_what_is_burned_of_a_batch_of_one(
    stake: int, bond: int, price: str
) -> None:
    given = rules(stake, bond, attestors_0=A, attestors_1=B, arbiter=C)

    found = prices(given, resolvers(given))

    assert {name: one.price for name, one in found.items()} == dict.fromkeys(
        ("audited", "enclave", "unchallenged"), price
    )
    assert all(len(one.because) > 20 for one in found.values())


@pytest.mark.parametrize("arbiter", [NONE, A, D, "0x" + "e1" * 20])
def test_prices__nobody_convicts__are_gas_only_whatever_the_stake(arbiter: str) -> None:
    given = rules(10**18, 1, attestors_0=A, attestors_1=B, attestors_2=D, arbiter=arbiter)

    found = prices(given, resolvers(given))

    assert {one.price for one in found.values()} == {GAS_ONLY}
    assert list(found) == ["audited", "enclave", "proven", "unchallenged"]


def test_prices__arbiter_not_looked_up__are_unknown() -> None:
    given = rules(attestors_0=A, arbiter=EARLIER)

    assert {one.price for one in prices(given, resolvers(given)).values()} == {UNKNOWN}


def test_prices__each_grade__names_who_can_sign() -> None:
    given = rules(attestors_0=A, attestors_1=B, attestors_2=D, arbiter=C)

    found = {name: one.because for name, one in prices(given, resolvers(given)).items()}

    assert found["audited"].startswith("3 members of the network's own committee")
    assert found["enclave"].startswith("2 of 3 endorsers")
    assert found["proven"].startswith("the network's own attestor")
    assert found["unchallenged"].startswith("nobody has to vouch")


@pytest.mark.parametrize(("arbiter", "told"), [(C, False), (B, True)])
def test_prices__committee_with_the_networks_arbiter__says_that_its_stake_is_not_counted(
    arbiter: str, told: bool
) -> None:
    # The committee's terms name bb…; here that is B's address.
    facts = FACTS | {
        A: fact("Committee", {"core": REGISTRY, "terms": {"threshold": 1, "arbiter": B}})
    }
    given = rules(attestors_0=A, arbiter=arbiter)

    because = prices(given, resolvers_of(given, REGISTRY, facts))["audited"].because

    assert because.startswith("one member of")
    assert ("not counted" in because) is told


def test_lowest__some_grades__is_gas_only_before_unknown_before_amounts() -> None:
    priced = {
        name: Price(price, "")
        for name, price in zip("abcd", ("90", "1000", UNKNOWN, GAS_ONLY), strict=True)
    } | {"unchallenged": Price("7", "")}

    assert lowest(priced, ("a", "b")).price == "90"
    assert lowest(priced, ("a", "c")).price == UNKNOWN
    assert lowest(priced, ("a", "c", "d")).price == GAS_ONLY
    assert lowest(priced, ()).price == "7"
