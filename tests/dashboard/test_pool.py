"""Networks of pools on the page: ranked, held by one, and with what each doesn't meet."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import schemathesis
from click.testing import CliRunner
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from tallystick.chain.localnet import localnet
from tallystick.cli.main import main
from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live
from tests.dashboard.conftest import Visit
from tests.dashboard.test_page import AXE, path_of
from tests.support.chain import Chain
from tests.support.pool_story import COUNT, MEMBERS, SEATS, PoolStory, extracted, play
from tests.support.shown import served

GENESIS = 1_800_000_000
UNRANKED = ("small bond", "low", "held", "foreign", "friends")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PoolStory, Live]]:
    with localnet(timestamp=GENESIS) as w3:
        played = play(Chain(w3))
        folder = tmp_path_factory.mktemp("pools") / "data"
        words = [str(word) for word in extracted(played, folder)]
        # The browser has an event loop in this thread.
        with ThreadPoolExecutor(1) as thread:
            done = thread.submit(CliRunner().invoke, main, words).result()
        assert done.exit_code == 0, done.output
        yield played, Live(folder)


@pytest.fixture(scope="module")
def site(story: tuple[PoolStory, Live]) -> Iterator[str]:
    with served(create_app(story[1])) as url:
        yield url


@pytest.fixture(scope="module")
def rows(story: tuple[PoolStory, Live]) -> dict[str, dict[str, Any]]:
    """The API's row of each network, by its name in the story."""
    played, live = story
    with TestClient(create_app(live)) as client:
        found = {row["network_id"]: row for row in client.get("/api/v1/networks").json()["rows"]}
    return {name: found[played.id(name)] for name in played.networks}


def test_networks__pools__only_the_known_one_is_in_the_table_of_ranks(
    visit: Visit, rows: dict[str, dict[str, Any]]
) -> None:
    visit.go()
    page = visit.page

    captions = page.locator("caption").all_text_contents()
    assert captions == ["Ranked networks (1)", f"Unranked networks ({len(UNRANKED)})"]
    ranked = page.locator(".ranked")
    assert ranked.locator("tbody tr").count() == 1
    expect(ranked.locator(".place")).to_have_text("1")
    expect(ranked.locator("[data-number=known_verified]")).to_have_text(str(COUNT))
    base = f"#/number/{path_of(rows['honest'])}"
    assert ranked.locator(f"a[href='{base}/price_audited']").inner_text().endswith(" ETH")
    unranked = page.locator(".unranked")
    assert unranked.locator("tbody tr").count() == len(UNRANKED)
    expect(unranked.locator(".badge", has_text="held by one")).to_have_count(1)


@pytest.mark.parametrize("path", ["", "/registration", "/operators", "/numbers/price_audited"])
@pytest.mark.parametrize("name", ["honest", "held", "friends"])
def test_openapi__networks_of_pools__answered_as_documented(
    story: tuple[PoolStory, Live], rows: dict[str, dict[str, Any]], path: str, name: str
) -> None:
    described = schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(story[1]))
    whole = described["/api/v1/networks"]["GET"].Case()
    asked = dict(
        zip(("chain_id", "core", "network_id"), path_of(rows[name]).split("/"), strict=True)
    )
    of_one = "/api/v1/networks/{chain_id}/{core}/{network_id}"
    template = of_one + path.replace("price_audited", "{name}")
    named = {"name": "price_audited"} if "{name}" in template else {}

    assert whole.call_and_validate().status_code == 200
    case = described[template]["GET"].Case(path_parameters=asked | named)
    assert case.call_and_validate().status_code == 200


@pytest.mark.parametrize("name", UNRANKED)
def test_network__without_a_rank__lists_each_condition_that_is_not_met(
    visit: Visit, rows: dict[str, dict[str, Any]], name: str
) -> None:
    row = rows[name]
    visit.go(f"network/{path_of(row)}")

    listed = visit.page.locator("#unmet li")
    assert len(row["unmet"]) == listed.count() > 0
    for place, one in enumerate(row["unmet"]):
        expect(listed.nth(place)).to_have_attribute(
            "data-condition", f"{one['of']} {one['condition']}"
        )
        expect(listed.nth(place)).to_contain_text(one["reason"])


def test_network__known_pool__shows_its_seats_and_what_a_fake_costs(
    visit: Visit, rows: dict[str, dict[str, Any]]
) -> None:
    row = rows["honest"]
    visit.go(f"network/{path_of(row)}")
    page = visit.page

    assert page.locator("#unmet").count() == 0
    main_part = page.locator("main")
    expect(main_part).to_contain_text(f"{SEATS * len(MEMBERS)} seats in {len(MEMBERS)} accounts")
    expect(main_part).to_contain_text("Audits of this network on record: 1")
    expect(main_part).to_contain_text(row["price_audited_because"][1:])
    seats = page.locator("table", has_text="The accounts with most seats")
    assert seats.locator("tbody tr").count() == 10
    expect(seats.locator("tbody tr").first).to_contain_text("8.3 %")
    visit.go(f"number/{path_of(row)}/price_audited")
    assert page.locator("strong[data-value]").get_attribute("data-value") == row["price_audited"]
    expect(main_part).to_contain_text("BatchAttested")
    assert visit.errors == [] and visit.strangers == []


@pytest.mark.parametrize("name", ["", "honest", "held"])
def test_page__pools__is_accessible_and_as_wide_as_a_phone(
    visit: Visit, rows: dict[str, dict[str, Any]], name: str
) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 740})
    visit.go(f"network/{path_of(rows[name])}" if name else "")

    session = visit.page.context.new_cdp_session(visit.page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    found = visit.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"]) for one in serious] == []
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
