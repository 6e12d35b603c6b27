"""Each reason to trust a number less, alone."""

from typing import Any

import pytest

from tallystick.dashboard.cautions import (
    FEW_INFERENCES,
    FEW_PROBES,
    FEW_REQUESTERS,
    SHORT_PERIOD,
    cautions,
)

SOLID: dict[str, Any] = {
    "resolvers": "known",
    "standing_audited": "known",
    "standing_enclave": None,
    "standing_proven": None,
    "backed": True,
    "convictable": True,
    "convictable_because": "whoever may be convicted, and by whom",
    "own_arbiter": False,
    "bytes_forced": True,
    "operators": 2,
    "owner_operates": False,
    "committed": 2 * FEW_INFERENCES,
    "verified": FEW_INFERENCES,
    "audited": FEW_INFERENCES,
    "proven": 0,
    "audited_share": 0.5,
    "found_share": 1.0,
    "found_share_because": "",
    "requesters": FEW_REQUESTERS,
    "top_share": 0.5,
    "accessibility": 0.9,
    "asked": FEW_PROBES,
    "days": SHORT_PERIOD,
}


def test_cautions__much_behind_each_number__none() -> None:
    assert list(cautions(SOLID)) == []


@pytest.mark.parametrize(
    ("change", "code", "about"),
    [
        ({"resolvers": "self-declared"}, "resolvers", "verified"),
        ({"resolvers": "unidentified"}, "resolvers", "verified"),
        ({"resolvers": "none"}, "resolvers", "verified"),
        ({"proven": 1}, "setup", "proven"),
        ({"standing_proven": "self-declared"}, "resolvers", "proven"),
        ({"standing_enclave": "unidentified"}, "resolvers", "enclave"),
        ({"standing_enclave": "known"}, "endorsers", "enclave"),
        ({"backed": False}, "unbacked", "verified"),
        ({"own_arbiter": True}, "own-arbiter", "verified"),
        ({"bytes_forced": False}, "bytes-not-forced", "audited"),
        ({"convictable": False}, "no-conviction", "price_of_a_fake"),
        ({"convictable": None}, "no-conviction", "price_of_a_fake"),
        ({"operators": 1}, "one-operator", "verified"),
        ({"operators": 1, "owner_operates": True}, "one-operator", "verified"),
        ({"owner_operates": True}, "owner-operates", "verified"),
        ({"verified": FEW_INFERENCES - 1}, "few-verified", "verified"),
        ({"audited_share": 0.49}, "rarely-audited", "audited_share"),
        ({"found_share": 0.99}, "data-missing", "requesters"),
        ({"found_share": None, "requesters": None}, "data-missing", "requesters"),
        ({"requesters": FEW_REQUESTERS - 1}, "few-requesters", "requesters"),
        ({"top_share": 0.51}, "one-requester", "top_share"),
        ({"accessibility": None, "asked": 0}, "no-probes", "utility"),
        ({"asked": FEW_PROBES - 1}, "few-probes", "utility"),
        ({"days": SHORT_PERIOD - 1}, "short-period", "utility"),
    ],
)
def test_cautions__little_behind_one__names_it(
    change: dict[str, Any], code: str, about: str
) -> None:
    (found,) = cautions(SOLID | change)

    assert (found.code, found.about) == (code, about)
    assert len(found.reason) > 10


def test_cautions__nothing_happened_yet__no_talk_of_demand() -> None:
    empty = {"committed": 0, "verified": 0, "audited": 0, "audited_share": None}
    nobody = {"found_share": None, "requesters": None, "top_share": None}

    assert list(cautions(SOLID | empty | nobody)) == []


def test_cautions__wholly_made_up__each_of_its_marks() -> None:
    made_up = SOLID | {
        "resolvers": "self-declared",
        "standing_audited": "self-declared",
        "backed": False,
        "own_arbiter": True,
        "convictable": False,
        "operators": 1,
        "owner_operates": True,
    }

    codes = [one.code for one in cautions(made_up)]

    assert codes == ["resolvers", "unbacked", "own-arbiter", "no-conviction", "one-operator"]
