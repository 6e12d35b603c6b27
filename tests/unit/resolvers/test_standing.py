"""Whose word a resolver's is, by code, terms, place and registry.

resolvers_of   not asked | unlisted | listed: terms unread, not constructed, terms below the floor
               | another place than the kind's | known
"""

from typing import Any

import pytest

from tallystick.chain.abi import contract
from tallystick.data.resolvers.kinds import ARBITER, AUDITED, ENCLAVE, KINDS, PLACES, PROVEN
from tallystick.data.resolvers.standing import NONE, known_grades, resolvers_of

REGISTRY, A, B = ("0x" + digits * 20 for digits in ("cc", "aa", "bb"))
KEYS = ["0x" + digits * 20 for digits in ("01", "02", "03")]


def rules(**places: str) -> dict[str, Any]:
    named = {f"rules_{place}": places.get(place, NONE) for place in PLACES}
    windows = {"rules_response_window": 3600, "rules_ruling_window": 5 * 3600}
    return named | windows | {"address": REGISTRY}


def fact(name: str | None, terms: Any = None, constructed: bool = True) -> dict[str, Any]:
    return {"name": name, "size": 1, "terms": terms, "constructed": constructed}


def endorsed(endorsers: list[str], threshold: int) -> dict[str, Any]:
    return {"endorsers": endorsers, "threshold": threshold}


COMMITTEE = fact("Committee", {"core": REGISTRY, "terms": {"threshold": 3, "arbiter": B}})
ENCLAVED = fact("Enclave", endorsed(KEYS, 2))
REPLAY = fact("Replay", {})
GAME = fact("ReplayGame", {"core": REGISTRY})


@pytest.mark.parametrize(
    ("place", "found", "standing", "reason"),
    [
        (ENCLAVE, None, "unidentified", "was not looked up"),
        (ENCLAVE, fact(None), "self-declared", "not on the published list"),
        (ENCLAVE, fact("Enclave", None), "self-declared", "terms cannot be read"),
        (ENCLAVE, fact("Enclave", {}, constructed=False), "self-declared", "does not follow from"),
        (ENCLAVE, fact("Enclave", endorsed(KEYS[:1], 1)), "self-declared", "1 of 1 endorsers"),
        (ENCLAVE, fact("Enclave", endorsed(KEYS, 1)), "self-declared", "1 of 3 endorsers"),
        (ENCLAVE, fact("Enclave", endorsed([KEYS[0]] * 2, 2)), "self-declared", "2 of 1"),
        (ENCLAVE, ENCLAVED, "known", ""),
        (ENCLAVE, fact("OpenGradientItem", endorsed(KEYS, 2)), "known", ""),
        (ENCLAVE, fact("EnclaveHttp", endorsed(KEYS, 2)), "known", ""),
        (ENCLAVE, fact("EnclaveHttp", endorsed(KEYS, 1)), "self-declared", "1 of 3 endorsers"),
        (ARBITER, fact("EnclaveHttp", endorsed(KEYS, 2)), "known", ""),
        (PROVEN, fact("Proof", {}), "self-declared", "chooses the verifier"),
        (PROVEN, fact("EnclaveHttp", endorsed(KEYS, 2)), "self-declared", "not known as what"),
        (AUDITED, ENCLAVED, "self-declared", "not known as what it stands for here"),
        (PROVEN, ENCLAVED, "self-declared", "not known as what it stands for here"),
        (AUDITED, REPLAY, "self-declared", "not known as what it stands for here"),
        (ARBITER, REPLAY, "known", ""),
        (ARBITER, GAME, "known", ""),
        (AUDITED, GAME, "self-declared", "not known as what it stands for here"),
        (ARBITER, fact("ReplayGame", {"core": B}), "self-declared", "plays for another registry"),
        (ARBITER, ENCLAVED, "self-declared", "not known as what it stands for here"),
        (AUDITED, COMMITTEE, "self-declared", "whom its deployer appointed"),
        (ARBITER, COMMITTEE, "self-declared", "whom its deployer appointed"),
    ],
)
def test_resolvers_of__one_resolver__stands_as_its_code_and_terms_say(
    place: str, found: Any, standing: str, reason: str
) -> None:
    facts = {} if found is None else {A: found}

    (resolver,) = resolvers_of(rules(**{place: A}), REGISTRY, facts).values()

    assert (resolver.standing, resolver.address) == (standing, A)
    assert reason in resolver.reason and bool(resolver.reason) == (standing != "known")


def test_resolvers_of__replay_game_without_time_for_it__is_self_declared() -> None:
    short = rules(arbiter=A) | {"rules_ruling_window": 17_999}

    (resolver,) = resolvers_of(short, REGISTRY, {A: GAME}).values()

    assert resolver.standing == "self-declared"
    assert "rulingWindow is 17999 s; a game needs five responseWindows" in resolver.reason


def test_known_grades__mixed_network__are_those_of_known_resolvers() -> None:
    found = resolvers_of(rules(attestors_0=A, attestors_1=B), REGISTRY, {A: COMMITTEE, B: ENCLAVED})

    assert known_grades(found) == ("enclave",)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_kind__each__names_views_that_its_contract_has(kind: Any) -> None:
    functions = contract(kind.name).functions()

    assert set(kind.views.values()) <= set(functions)
    if kind.arguments is not None:
        assert len(kind.arguments) == len(contract(kind.name).constructor_types())
        assert set(kind.arguments) <= set(kind.views)
