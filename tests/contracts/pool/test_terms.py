"""Terms of a pool: what is refused at construction, and what can be read back."""

from dataclasses import fields
from typing import Any

import pytest

from tallystick.actions.pool.deployment import need_deployable
from tallystick.chain.pool import PoolTerms
from tallystick.errors import DeployError, FieldError
from tallystick.protocol.hexes import from_hex
from tests.support.chain import Chain, reverts
from tests.support.pool import EXIT_DELAY, deploy, terms

DAY = 24 * 3600


@pytest.mark.parametrize(
    ("term", "changes"),
    [
        (0, {"asset": "0x" + "11" * 20}),
        (2, {"replay": "0x" + "11" * 20}),
        (3, {"seat_stake": 0}),
        (4, {"min_seats": 71}),
        (5, {"panel": 7}),
        (5, {"panel": 10, "min_seats": 100}),
        (5, {"panel": 33, "min_seats": 300}),
        (6, {"min_drawn": 15}),
        (6, {"min_drawn": 257}),
        (7, {"seed_delay": 7}),
        (7, {"seed_delay": 1025}),
        (8, {"exit_delay": 14 * DAY - 1}),
    ],
)
def test_pool__terms_out_of_range__refused(
    chain: Chain, term: int, changes: dict[str, Any]
) -> None:
    with reverts("TermsOutOfRange", term=term):
        deploy(chain, **changes)
    name = fields(PoolTerms)[term].name
    with pytest.raises((FieldError, DeployError), match=f"^{name} is "):
        need_deployable(chain.w3, as_sent(changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"panel": 31, "min_seats": 248},
        {"min_drawn": 256, "seed_delay": 1024},
        {"exit_delay": EXIT_DELAY, "fee_per_leaf": 0, "rule_fee": 0},
    ],
)
def test_terms__at_their_edges__as_they_were_given(chain: Chain, changes: dict[str, Any]) -> None:
    assert deploy(chain, **changes).read("terms") == terms(**changes)
    need_deployable(chain.w3, as_sent(changes))


def as_sent(changes: dict[str, Any]) -> PoolTerms:
    """Terms as the commands have them before they are sent."""
    asset, spec, replay, *numbers = terms(**changes)
    return PoolTerms(from_hex(asset), spec, from_hex(replay), *numbers)


def test_pool__registry_without_code__refused(chain: Chain) -> None:
    with reverts("CoreWithoutCode"):
        chain.deploy("Pool", "0x" + "11" * 20, terms())
