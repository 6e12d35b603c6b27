"""Periods: the API's sums beside `tallystick totals`, and days that nothing is compared with."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from tallystick.cli.main import main
from tallystick.dashboard.flows import Flows, since_1970
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.periods import CLOSED, LENGTHS, TREND, Days, days_of, summary
from tallystick.data.totals.expression import COUNTS
from tests.support.shown import Shown

API = "/api/v1"
KEY = NetworkKey(1, "0xaa", "0xbb")
LAST = date(2026, 3, 31)
ZEROS = dict.fromkeys(("committed", "unchallenged", "enclave", "proven", "rejected"), 0)


def network(**changed: Any) -> dict[str, Any]:
    standings = {"standing_audited": "known", "standing_enclave": None, "standing_proven": None}
    return {**KEY._asdict(), "rank": 1, **standings, **changed}


def flow(ago: int, audited: int, **more: int) -> dict[str, Any]:
    day = LAST - timedelta(days=ago)
    return {"day": day, **ZEROS, "unresolved": 0, "audited": audited, **more}


def moves_of(rows: list[dict[str, Any]], key: NetworkKey = KEY) -> pa.Table:
    """What expression.moves has of one network."""
    of_network = f"{key.chain_id}:{key.core}:{key.network_id}:"
    return pa.Table.from_pylist(
        [
            {
                "counter": of_network + name,
                "day": row["day"],
                "committed": row["committed"] if name == "rejected" else 0,
                "moved": row[name],
            }
            for row in rows
            for name in CLOSED
        ]
    )


def flows_of(rows: list[dict[str, Any]]) -> Flows:
    return Flows(moves_of(rows))


def test_flows__on_top_of_older_ones__are_those_of_all_at_once() -> None:
    other = NetworkKey(1, "0xaa", "0xcc")
    older, newer = [flow(9, 4), flow(3, 7)], [flow(3, 2, rejected=1), flow(0, 5)]
    first, last = LAST - timedelta(days=9), LAST

    both = Flows(moves_of(newer), flows_of(older))
    grown = Flows(moves_of([flow(1, 8)], other), both)

    assert grown.sums(KEY, first, last) == flows_of(older + newer).sums(KEY, first, last)
    assert grown.sums(KEY, LAST - timedelta(days=3), last)["audited"] == 14
    assert grown.daily(KEY, first, last).days.tolist() == [
        since_1970(LAST - timedelta(days=ago)) for ago in (9, 3, 0)
    ]
    assert grown.sums(other, first, last)["audited"] == 8
    assert grown.sums(NetworkKey(2, "0xaa", "0xbb"), first, last) == dict.fromkeys(COUNTS, 0)


@pytest.mark.parametrize("period", LENGTHS)
def test_summary__each_period__equals_tallystick_totals(
    client: TestClient, shown: Shown, period: str, tmp_path: Path
) -> None:
    found = client.get(f"{API}/summary/{period}").json()
    asked = ["totals", "--data", str(shown.data.root), "--since", found["first_day"]]
    asked += ["--format", "json", "--output", str(tmp_path / "totals.json")]

    done = CliRunner().invoke(main, asked)

    assert done.exit_code == 0, done.output
    totals = {row["network_id"]: row for row in json.loads((tmp_path / "totals.json").read_text())}
    assert len(found["networks"]) == len(totals) > 3
    names = ("committed", "unchallenged", "audited", "verified", "rejected", "unresolved")
    for row in found["networks"]:
        assert [row[name] for name in names] == [totals[row["network_id"]][name] for name in names]
    ranked = [row for row in found["networks"] if row["ranked"]]
    assert found["verified"] == sum(totals[row["network_id"]]["verified"] for row in ranked) > 0
    assert (
        sum(day[grade] for day in found["days"] for grade in found["by_grade"])
        == (found["verified"])
    )


def test_summary__number_of_the_period__is_the_sum_of_its_events(client: TestClient) -> None:
    found = client.get(f"{API}/summary/1d").json()
    row = found["networks"][0]
    base = f"{API}/networks/{row['chain_id']}/{row['core']}/{row['network_id']}/numbers"
    asked = {"by": "since", "of": found["first_day"]}

    number = client.get(f"{base}/known_verified", params=asked).json()
    events = client.get(f"{base}/known_verified/events", params=asked).json()["rows"]

    assert int(number["value"]) == row["known_verified"] > 0
    assert sum(int(one["amount"]) for one in events) == row["known_verified"]
    assert sum(int(one["value"]) for one in number["parts"]) == row["known_verified"]
    bad = client.get(f"{base}/verified", params={"by": "since", "of": "2026-99-99"})
    assert bad.status_code == 404


def test_days__events_begin_later_than_the_period_before__nothing_is_compared() -> None:
    first = LAST - timedelta(days=13)

    assert days_of("7d", first, LAST) == Days(LAST - timedelta(days=6), LAST, first)
    assert days_of("7d", first + timedelta(days=1), LAST).before is None


def test_summary__period_before__change_and_trend() -> None:
    flows = flows_of([flow(40, 100), flow(8, 20), flow(3, 25, unchallenged=5), flow(0, 5)])

    found = summary([network()], flows, days_of("7d", LAST - timedelta(days=60), LAST))

    assert (found["verified"], found["before"], found["change"]) == (30, 20, 0.5)
    assert (found["closed"], found["not_counted"]["unchallenged"]) == (35, 5)
    (row,) = found["networks"]
    assert len(row["trend"]) == TREND
    assert (row["trend"][-1], row["trend"][-4], sum(row["trend"])) == (5, 25, 50)


def test_summary__grade_that_is_not_known__stays_out_of_the_headline() -> None:
    flows = flows_of([flow(0, 5, enclave=7)])
    days = days_of("1d", LAST, LAST)

    found = summary([network(standing_enclave="self-declared")], flows, days)
    unranked = summary([network(rank=None)], flows, days)

    assert (found["verified"], found["not_counted"]["not_known"]) == (5, 7)
    assert (unranked["verified"], unranked["days"]) == (0, [])
