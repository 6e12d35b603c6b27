"""A pool in a network that meets all conditions for a rank, and each condition broken alone.

terms   core | spec | panel | drawn leaves | seed delay | exit delay | least seats
rules   asset | no stake | stake of k seats below that of the largest batch | bond below two cases
seats   fewer than a draw needs | one account above a third | at a third | not read | records gone
"""

import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from tallystick.data.resolvers.floors import floors
from tallystick.data.resolvers.pool_facts import AuditRecord, EpochSeats, PoolFacts
from tallystick.data.resolvers.standing import NONE, resolvers_of, to_json
from tallystick.data.totals.backing import backing
from tallystick.data.totals.prices import GAS_ONLY, UNKNOWN
from tallystick.data.totals.ranking import ranking
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.pool import FINDERS, Quorums
from tallystick.protocol.pool_odds import stake_at_risk
from tallystick.replay.model import SPEC_ID
from tests.support.builds import ROOT
from tests.unit.resolvers.test_standing import COMMITTEE, REGISTRY, REPLAY, fact

POOL, OWN, RUN, NETWORK = ("0x" + digits * 20 for digits in ("a1", "b1", "c1", "d1"))
COUNT = 300
SPECS = {to_hex(SPEC_ID): 1}
PLACES = Quorums.of(15)
TERMS = {
    "asset": NONE,
    "spec": to_hex(SPEC_ID),
    "replay": NONE,
    "seatStake": 1000 * COUNT // PLACES.audit,
    "minSeats": 120,
    "panel": 15,
    "minDrawn": 32,
    "seedDelay": 8,
    "exitDelay": 14 * 24 * 3600,
    "feePerLeaf": 3,
    "ruleFee": 10,
}
"""At the floors, to the unit."""
BOND = 2 * (PLACES.judges + 1) * TERMS["ruleFee"]  # type: ignore[operator]
RULES = {"stake_per_inference": 1000, "challenge_bond": BOND}
COUNTED = {"audited": COUNT, "enclave": 0, "proven": 0, "backed": True}


def rules(asset: str = NONE, arbiter: str = POOL, **amounts: int) -> dict[str, Any]:
    amounts = RULES | amounts
    return {
        "address": REGISTRY,
        "network_id": NETWORK,
        "rules_asset": asset,
        "rules_attestors_0": POOL,
        "rules_attestors_1": NONE,
        "rules_attestors_2": NONE,
        "rules_arbiter": arbiter,
        "rules_max_bytes": 0,
    } | {f"rules_{name}": f"0x{amount:064x}" for name, amount in amounts.items()}


def seats(*of_accounts: int) -> EpochSeats:
    accounts = {f"0x{number:040x}": count for number, count in enumerate(of_accounts, 1)}
    return EpochSeats(99, 2976, sum(of_accounts), accounts)


THIRDS = seats(40, 40, 40)
"""None above a third."""
AUDIT = AuditRecord(COUNT, stake_at_risk(15, 37_500))
FACTS = PoolFacts(THIRDS, {NETWORK: (AUDIT,)})


def pool(core: str = REGISTRY, **changes: Any) -> dict[str, Any]:
    return fact("Pool", {"core": core, "terms": TERMS | changes})


def found(
    given: dict[str, Any] | None = None,
    listed: dict[str, Any] | None = None,
    facts: PoolFacts = FACTS,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The network's standing: what it ranks by, its backing, and its auditor."""
    of_network = given or rules()
    resolvers = resolvers_of(
        of_network, REGISTRY, {POOL: listed or pool(), RUN: REPLAY, OWN: COMMITTEE}, {POOL: facts}
    )
    behind = backing(of_network, resolvers, 0, SPECS)
    ranked = ranking(COUNTED | {"backed": behind["backed"]}, resolvers, SPECS)
    return ranked, behind, to_json(resolvers["attestors_0"], "audited")


def test_floors__published__are_the_first_version() -> None:
    assert floors().version == 1
    assert floors().largest_share == Fraction(1, 3)
    assert floors().specs == {"QI8-1": to_hex(SPEC_ID)}


def test_pool__meets_all_to_the_unit__is_ranked() -> None:
    ranked, behind, auditor = found()

    assert (ranked["known_verified"], ranked["unranked_because"]) == (COUNT, None)
    assert (ranked["unmet"], auditor["standing"], auditor["reason"]) == ([], "known", "")
    assert behind["convictable"] and not behind["own_arbiter"]


def test_pool__replay_is_the_arbiter__is_ranked() -> None:
    ranked, _, _ = found(rules(arbiter=RUN), pool(replay=RUN))

    assert ranked["unranked_because"] is None


@pytest.mark.parametrize(
    ("condition", "given", "listed", "facts"),
    [
        ("core", {}, {"core": OWN}, FACTS),
        ("spec", {}, {"spec": "0x" + "66" * 32}, FACTS),
        ("panel", {}, {"panel": 13, "seatStake": 50_000}, FACTS),
        ("min_drawn", {}, {"minDrawn": 31}, FACTS),
        ("seed_delay", {}, {"seedDelay": 7}, FACTS),
        ("exit_delay", {}, {"exitDelay": 14 * 24 * 3600 - 1}, FACTS),
        ("min_seats", {}, {"minSeats": 119}, FACTS),
        ("asset", {"asset": OWN}, {}, FACTS),
        ("seat_stake", {}, {"seatStake": TERMS["seatStake"] - 1}, FACTS),  # type: ignore[operator]
        ("seat_stake", {"stake_per_inference": 1001}, {}, FACTS),
        ("seat_stake", {}, {}, PoolFacts(THIRDS, {NETWORK: (AUDIT, replace(AUDIT, count=301))})),
        ("challenge_bond", {"challenge_bond": BOND - 1}, {}, FACTS),
        ("challenge_bond", {}, {"ruleFee": 11}, FACTS),
        ("seats", {}, {}, replace(FACTS, seats=seats(30, 30, 30, 29))),
        ("seats", {}, {}, replace(FACTS, seats=seats())),
        ("held_by_one", {}, {}, replace(FACTS, seats=seats(41, 40, 40))),
    ],
)
def test_pool__one_condition_broken__is_unranked_and_says_which(
    condition: str, given: dict[str, Any], listed: dict[str, Any], facts: PoolFacts
) -> None:
    ranked, _, auditor = found(rules(**given), pool(**listed), facts)

    (one,) = [one for one in ranked["unmet"] if one["of"] == "audited"]
    assert one["condition"] == condition
    assert (ranked["known_verified"], auditor["standing"]) == (0, "self-declared")
    assert one["reason"] and one["reason"] in ranked["unranked_because"]
    assert one["actual"] != one["needed"] and None not in (one["actual"], one["needed"])


def test_pool__no_stake__is_unranked_and_says_so() -> None:
    ranked, behind, _ = found(rules(stake_per_inference=0))

    assert {one["condition"] for one in ranked["unmet"]} == {"stake", "backed", "convictable"}
    assert behind["price_audited"] == GAS_ONLY


def test_pool__held_by_one__is_shown_as_held_by_one() -> None:
    ranked, _, auditor = found(facts=replace(FACTS, seats=seats(60, 30, 30)))

    assert ranked["unmet"][-1]["reason"] == "the arbiter is a pool that is not known"
    assert "held by one: 0x" in ranked["unranked_because"] and "60 of the 120" in auditor["reason"]
    assert auditor["seats"]["largest"][0] == {"account": f"0x{1:040x}", "seats": 60}


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (PoolFacts(), "were not read"),
        (PoolFacts(THIRDS, {NETWORK: ()}, {NETWORK: 2}), "the records of 2 of its audits"),
    ],
)
def test_pool__not_read__is_unidentified_and_prices_are_unknown(
    facts: PoolFacts, reason: str
) -> None:
    ranked, behind, auditor = found(facts=facts)

    assert auditor["standing"] == "unidentified" and reason in auditor["reason"]
    assert ranked["known_verified"] == 0 and reason in ranked["unranked_because"]
    assert behind["price_audited"] == behind["price_unchallenged"] == UNKNOWN


def test_pool__not_read_and_below_a_floor__is_self_declared() -> None:
    _, _, auditor = found(listed=pool(minDrawn=16), facts=PoolFacts())

    assert auditor["standing"] == "self-declared"


def test_prices__audits_on_record__are_the_lowest_of_signers_and_slash() -> None:
    light = AuditRecord(2, 500)
    _, behind, _ = found(facts=PoolFacts(THIRDS, {NETWORK: (AUDIT, light)}))

    # A slash of 2,000, of which no more than half comes back as the reward.
    assert behind["price_audited"] == str(500 + 1000)
    assert behind["price_of_a_fake"] == "1500"
    assert "8 of 15 places drawn" in behind["price_audited_because"]
    assert f"1/{FINDERS}" in behind["price_audited_because"]
    assert "the lowest of 2 audits on record" in behind["price_audited_because"]
    assert behind["price_unchallenged"] == "500"


def test_prices__large_batch__its_reward_is_capped() -> None:
    _, behind, _ = found()

    slash = 1000 * COUNT
    assert behind["price_audited"] == str(AUDIT.at_stake + slash - min(slash // 2, 16 * BOND))


def test_prices__no_audit_on_record__counts_no_signers_stake() -> None:
    ranked, behind, _ = found(facts=PoolFacts(THIRDS))

    assert behind["price_audited"] == behind["price_unchallenged"] == "500"
    assert "no audit of it is on record yet" in behind["price_audited_because"]
    assert ranked["unranked_because"] is None


@pytest.mark.parametrize("arbiter", [NONE, OWN])
def test_prices__nobody_outside_convicts__are_gas_only(arbiter: str) -> None:
    ranked, behind, _ = found(rules(arbiter=arbiter))

    assert behind["price_audited"] == behind["price_of_a_fake"] == GAS_ONLY
    assert {one["condition"] for one in ranked["unmet"] if one["of"] == "network"} == {
        "convictable"
    }
    assert ranked["unranked_because"]


def test_pool__model_of_another_spec__has_no_rank() -> None:
    resolvers = resolvers_of(rules(), REGISTRY, {POOL: pool()}, {POOL: FACTS})

    ranked = ranking(COUNTED, resolvers, SPECS | {"0x55": 1})

    assert "cannot run" in ranked["unranked_because"]


ROWS = re.findall(
    r"^\| ([\d,]+) \| (\d+), (\d+)[^|]* \| ([\d,]+), ([\d,]+) \| .* = ([\d,]+) \|$",
    (ROOT / "docs" / "security.md").read_text(),
    re.MULTILINE,
)


@pytest.mark.parametrize("row", ROWS, ids=["/".join(row) for row in ROWS])
def test_security_page__row_of_prices__is_what_measures_would_show(row: tuple[str, ...]) -> None:
    seat_stake, keys, held, slash, rewards, price = (int(one.replace(",", "")) for one in row)
    stake = held * seat_stake
    audit = AuditRecord(slash, keys * (stake - stake // FINDERS))
    given = rules(stake_per_inference=1, challenge_bond=rewards // 16)
    listed = pool(seatStake=seat_stake, ruleFee=1)

    ranked, behind, _ = found(given, listed, PoolFacts(THIRDS, {NETWORK: (audit,)}))

    assert ranked["unranked_because"] is None
    assert behind["price_audited"] == str(price)


def test_security_page__prices__are_four_rows() -> None:
    assert len(ROWS) == 4
