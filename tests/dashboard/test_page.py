"""Each page with the demo's data in Debian's Chromium: numbers, keyboard, phone, dark, axe."""

import json
import threading
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, expect

from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live
from tallystick.data.totals.ranking import NONE_RANKED
from tallystick.protocol.hexes import to_hex
from tests.dashboard.conftest import Visit
from tests.support.shown import Shown, served

API = "/api/v1"
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
AGORA = "Agora"


@pytest.fixture(scope="module")
def networks(client: TestClient) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"{API}/networks").json()["rows"]
    return rows


def path_of(row: dict[str, Any]) -> str:
    return f"{row['chain_id']}/{row['core']}/{row['network_id']}"


@pytest.fixture(scope="module")
def routes(networks: list[dict[str, Any]], client: TestClient, shown: Shown) -> dict[str, str]:
    """Each page, by the name of its picture."""
    agora = next(row for row in networks if row["name"] == AGORA)
    hostile = next(row for row in networks if row["network_id"] == to_hex(shown.hostile))
    batch = client.get(f"{API}/networks/{path_of(agora)}/batches").json()["rows"][-1]
    return {
        "networks": "",
        "network": f"network/{path_of(agora)}",
        "hostile": f"network/{path_of(hostile)}",
        "number": f"number/{path_of(agora)}/verified",
        "batch": f"batch/{batch['chain_id']}/{batch['core']}/{batch['batch_id']}",
        "check": "check",
        "disputes": "disputes",
        "counting": "counting",
        "elsewhere": "elsewhere",
    }


PAGES = (
    "networks",
    "network",
    "hostile",
    "number",
    "batch",
    "check",
    "disputes",
    "counting",
    "elsewhere",
)


@pytest.mark.parametrize(
    ("name", "colours"),
    [*((name, "light") for name in PAGES), *((name, "dark") for name in PAGES)],
)
def test_page__each__is_accessible_and_asks_nobody_else(
    visit: Visit, routes: dict[str, str], screenshots: Path, name: str, colours: str
) -> None:
    visit.page.emulate_media(color_scheme=colours)
    visit.go(routes[name])
    visit.page.screenshot(path=screenshots / f"{name}-{colours}.png", full_page=True)

    # A tool of the test's own: the page's policy would not load it.
    session = visit.page.context.new_cdp_session(visit.page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    found = visit.page.evaluate("axe.run(document, {resultTypes: ['violations']})")

    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"]) for one in serious] == []
    assert len(found["passes"]) > 10
    assert visit.errors == []
    assert visit.strangers == []


@pytest.mark.parametrize("name", PAGES)
def test_page__on_a_phone__is_as_wide_as_the_phone(
    visit: Visit, routes: dict[str, str], screenshots: Path, name: str
) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 740})
    visit.go(routes[name])
    visit.page.screenshot(path=screenshots / f"{name}-phone.png", full_page=True)

    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_networks__each_number__equals_the_api_and_leads_to_its_events(
    visit: Visit, networks: list[dict[str, Any]], client: TestClient
) -> None:
    summary = client.get(f"{API}/summary/30d").json()
    visit.go()

    assert len(summary["networks"]) == len(networks) > 3
    for row in summary["networks"]:
        names = ("known_verified",) if row["ranked"] else ("committed", "verified")
        for name in names:
            href = f"#/number/{path_of(row)}/{name}/since/{summary['first_day']}"
            link = visit.page.locator(f"td a[href='{href}']")
            assert int(link.inner_text().replace(",", "")) == row[name]


def test_headline__each_figure__is_the_apis_and_the_sum_of_its_terms(
    visit: Visit, client: TestClient
) -> None:
    found = client.get(f"{API}/summary/all").json()
    visit.go("networks/all")
    page = visit.page

    shown = page.locator("[data-headline]")
    assert found["verified"] > 0
    assert int(shown.inner_text().replace(",", "")) == found["verified"]
    expect(page.locator(".hero")).to_contain_text(found["headline"]["caveat"])
    for grade, value in found["by_grade"].items():
        expect(page.locator(f"[data-grade={grade}]")).to_have_text(f"{value:,}")
    for name in ("unchallenged", "rejected", "unresolved"):
        expect(page.locator(f"[data-not={name}]")).to_have_text(f"{found['not_counted'][name]:,}")
    shown.click()
    page.locator("[data-term]").first.wait_for()
    terms = page.locator("[data-term]").evaluate_all("all => all.map((one) => one.dataset.term)")
    assert sum(map(int, terms)) == found["verified"]
    expect(page.locator("main")).to_contain_text(found["headline"]["definition"]["meaning"])
    page.locator("[data-term]").first.click()
    expect(page.locator("h1")).to_have_text("Verified by known resolvers: what it is made of")
    assert page.locator("strong[data-value]").get_attribute("data-value") == terms[0]


def test_period__pressed__is_in_the_address_and_its_numbers_follow(
    visit: Visit, client: TestClient
) -> None:
    visit.go()
    page = visit.page
    expect(page.get_by_role("button", name="30 d", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )

    page.get_by_role("button", name="1 d", exact=True).focus()
    page.keyboard.press("Enter")

    expect(page.locator("[aria-pressed=true]")).to_have_text("1 d")
    assert page.evaluate("location.hash") == "#/networks/1d"
    assert page.evaluate("document.activeElement.textContent") == "1 d"
    value = client.get(f"{API}/summary/1d").json()["verified"]
    expect(page.locator("[data-headline]")).to_have_text(f"{value:,}")


def test_chart__by_keyboard__tells_each_day_and_has_a_table(
    visit: Visit, client: TestClient
) -> None:
    days = client.get(f"{API}/summary/30d").json()["days"]
    visit.go()
    page = visit.page
    told = page.locator(".readout")
    before = told.inner_text()

    page.locator("canvas").focus()
    page.keyboard.press("ArrowLeft")
    expect(told).not_to_have_text(before)
    page.keyboard.press("End")
    assert told.inner_text() == before
    page.get_by_role("button", name="Table").click()

    rows = page.locator(".plot tbody tr")
    assert rows.count() == 30
    row = rows.filter(has_text=days[-1]["day"])
    shown = [int(one.replace(",", "")) for one in row.locator("td").all_inner_texts()]
    assert shown == [days[-1][grade] for grade in ("audited", "enclave", "proven")]
    page.get_by_role("button", name="Chart").click()
    expect(page.locator("canvas")).to_have_count(1)


def test_networks__one_ranked__stands_first_and_in_the_headline(visit: Visit) -> None:
    visit.go()
    page = visit.page

    expect(page.locator("canvas")).to_have_count(1)
    expect(page.locator("#none-ranked")).to_have_count(0)
    captions = page.locator("caption").all_text_contents()
    assert captions == ["Ranked networks (1)", "Unranked networks (4)"]
    names = page.locator("tbody th a.name").all_inner_texts()
    assert names[0] == "Forum" and "Agora" in names
    expect(page.locator(".ranked .place")).to_have_text("1")


def test_networks__none_ranked__says_why_and_shows_no_table_of_ranks(
    browser: BrowserContext, poolless: TestClient
) -> None:
    with served(cast(FastAPI, poolless.app)) as url:
        visit = Visit(browser.new_page(), url)
        visit.go()
        page = visit.page

        expect(page.locator("#none-ranked")).to_have_text(NONE_RANKED)
        expect(page.locator("[data-headline]")).to_have_text("0")
        assert page.locator("caption").all_text_contents() == ["Unranked networks (5)"]
        page.close()


def test_networks__unranked__say_why_in_a_badge_and_in_full(
    visit: Visit, networks: list[dict[str, Any]]
) -> None:
    visit.go()

    for network in networks:
        if network["rank"] is None:
            row = visit.page.locator(
                ".unranked tr", has=visit.page.locator(f"a[href='#/network/{path_of(network)}']")
            )
            assert row.locator("td.why .badge").count() > 0
            row.locator("td.why summary").click()
            expect(row).to_contain_text(network["unranked_because"])


def test_network__price_of_a_fake__is_an_amount_or_gas_only_and_leads_to_why(
    visit: Visit, networks: list[dict[str, Any]]
) -> None:
    page = visit.page

    for network in networks:
        visit.go(f"network/{path_of(network)}")
        base = f"#/number/{path_of(network)}"
        for grade in ("audited", "enclave", "proven", "unchallenged"):
            price = network[f"price_{grade}"]
            link = page.locator(f".lines a[href='{base}/price_{grade}']")
            assert link.count() == (price is not None)
            if price is not None:
                shown = link.inner_text()
                assert (shown == "gas only") == (price == "gas only")
                assert price == "gas only" or shown.endswith(" ETH")
    (bourse,) = [one for one in networks if one["name"] == "Bourse"]
    visit.go(f"number/{path_of(bourse)}/price_audited")
    expect(page.locator("main")).to_contain_text(bourse["price_audited_because"])
    assert page.locator("strong[data-value]").get_attribute("data-value") == "gas only"


def test_number__shown__equals_the_api_and_the_sum_of_its_events(
    visit: Visit, networks: list[dict[str, Any]]
) -> None:
    for network in networks[:2]:
        visit.go(f"number/{path_of(network)}/verified")
        exact = visit.page.locator("strong[data-value]").get_attribute("data-value")
        amounts = visit.page.locator("table tbody tr td:nth-child(4)").all_inner_texts()
        assert int(exact or "") == network["verified"]
        assert sum(int(one.replace(",", "")) for one in amounts) == network["verified"]


def test_network__one__shows_rules_days_operators_models_and_disputes(
    visit: Visit, routes: dict[str, str], client: TestClient
) -> None:
    visit.go(routes["network"])
    text = visit.page.locator("main").inner_text().lower()

    base = f"{API}/networks/{routes['network'].partition('/')[2]}"
    words = client.get(f"{base}/registration").json()["in_words"]
    words += [one["reason"] for one in client.get(base).json()["cautions"]]
    words += [one["name"] for one in client.get(f"{base}/models").json()["rows"]]
    for name, column in (("operators", "operator"), ("batches", "batch_id")):
        ids = [one[column] for one in client.get(f"{base}/{name}").json()["rows"]]
        words += ids
    words += [one["day"] for one in client.get(f"{base}/days").json()["rows"]]
    for name in ("verified", "closed"):
        words.append(f"{client.get(f'{base}/summary/30d').json()[name]:,}")
    words += [one["ended_as"] for one in client.get(f"{base}/disputes").json()["rows"]]
    assert len(words) > 20
    assert [one for one in words if one.lower() not in text] == []
    blank = visit.page.evaluate(
        """() => {
          const canvas = document.querySelector("canvas");
          const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(pixels.data.buffer)).size;
        }"""
    )
    assert blank > 5


def test_network__number_of_a_part__leads_to_the_events_of_that_part(
    visit: Visit, routes: dict[str, str], client: TestClient
) -> None:
    base = f"{API}/networks/{routes['network'].partition('/')[2]}"
    row = client.get(f"{base}/operators").json()["rows"][0]
    visit.go(routes["network"])

    line = visit.page.locator("tbody tr", has_text=row["operator"]).first
    line.locator("summary").click()
    links = line.locator("a[data-part]")
    assert links.count() == 12
    links.first.click()

    page = visit.page
    expect(page.locator("h1")).to_have_text("Verified: what it is made of")
    assert page.locator("strong[data-value]").get_attribute("data-value") == str(row["verified"])
    amounts = page.locator("table tbody tr td:nth-child(4)").all_inner_texts()
    assert sum(int(one.replace(",", "")) for one in amounts) == row["verified"]
    assert f"operator::VARCHAR = '{row['operator']}'" in page.locator("pre").first.inner_text()
    expect(page.locator("main")).to_contain_text("Hash of the last")


@pytest.mark.parametrize("name", ["networks", "network", "number", "disputes"])
def test_page__any_figure_in_a_table__is_or_stands_beside_a_link(
    visit: Visit, routes: dict[str, str], name: str
) -> None:
    visit.go(routes[name])

    bare = visit.page.locator("tbody tr:has(td.number)").evaluate_all(
        """rows => rows.filter((row) => !row.querySelector(
            "a[href^='#/number/'], a[href^='#/batch/']"
          )).map((row) => row.textContent)"""
    )

    assert bare == []


@pytest.mark.parametrize(
    "route", ["%", "%E0%A4%A", "constructor", "__proto__", "network/../../../openapi", "number/1"]
)
def test_route__of_nothing__says_so(visit: Visit, route: str) -> None:
    visit.go()

    visit.page.evaluate("(to) => { location.hash = to; }", f"#/{route}")

    expect(visit.page.locator("h1")).to_have_text("Nothing to show")
    expect(visit.page.locator("[role=alert]")).to_have_count(1)
    assert [one for one in visit.requests if "openapi" in one] == []


def test_page__back__finds_the_table_as_it_was_left(visit: Visit) -> None:
    visit.go()
    page = visit.page
    page.locator("th", has_text="Verified").first.locator("button").click()
    page.locator("a[data-number]").first.click()
    expect(page.locator("h1")).to_contain_text("what it is made of")

    page.go_back()

    expect(page.locator("th[aria-sort='descending']")).to_have_count(1)


def test_id__in_a_table__is_copied_whole(
    visit: Visit, routes: dict[str, str], client: TestClient
) -> None:
    visit.go(routes["number"])
    page = visit.page
    first = client.get(
        f"{API}/networks/{routes['number'].split('/', 1)[1].rsplit('/', 1)[0]}"
        "/numbers/verified/events"
    ).json()["rows"][0]

    copied = page.evaluate(
        """(hash) => {
          getSelection().selectAllChildren(document.querySelector(`[title="${hash}"]`));
          return getSelection().toString();
        }""",
        first["transaction_hash"],
    )

    assert copied == first["transaction_hash"]


def test_page__keyboard_only__reaches_what_a_number_is_made_of(visit: Visit) -> None:
    visit.go()
    page = visit.page

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.number") == "known_verified":
            break
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text("Verified by known resolvers: what it is made of")
    assert page.evaluate("document.activeElement.id") == "main"


def test_networks__sorted_by_a_heading__says_so_and_is(visit: Visit) -> None:
    visit.go()
    page = visit.page
    table = page.locator(".unranked table")
    heading = table.locator("th", has_text="Committed").first

    heading.locator("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    heading.locator("button").click()

    expect(page.locator("th[aria-sort='ascending']")).to_have_count(1)
    committed = table.locator("[data-number=committed]").all_inner_texts()
    assert committed == sorted(committed, key=lambda one: int(one.replace(",", "")))


@pytest.mark.parametrize("name", ["networks", "hostile", "number", "disputes"])
def test_hostile_names__any_page__are_text_that_does_nothing(
    visit: Visit, routes: dict[str, str], name: str
) -> None:
    visit.go(routes[name])
    page = visit.page

    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script, main iframe").count() == 0
    assert page.locator(".stranger svg, [onload], [onerror]").count() == 0
    schemes = page.evaluate(
        "[...document.querySelectorAll('a')].map((one) => new URL(one.href).origin)"
    )
    assert set(schemes) == {visit.site}
    assert visit.strangers == []
    assert visit.errors == []


def test_hostile_names__shown__spelt_out_and_cut(visit: Visit, routes: dict[str, str]) -> None:
    visit.go(routes["hostile"])

    heading = visit.page.locator("h1").inner_text()
    model = visit.page.locator(".stranger", has_text="=HYPERLINK").inner_text()
    assert '<img src=x onerror="window.hacked=1">' in heading
    assert "\\u{202e}" in heading
    assert "\u202e" not in heading
    assert "\\u{0301}" in model
    assert len(model) < 150


def test_live__block_comes_in__numbers_follow(visit: Visit, shown: Shown) -> None:
    visit.go("disputes")
    page = visit.page
    expect(page.locator("#covered")).to_contain_text("blocks 0 to")
    before = page.locator("#covered").inner_text()

    shown.world.send("griefer", "stake", shown.hostile, 10**15)
    shown.bring()

    expect(page.locator("#news")).to_contain_text("Updated to block", timeout=30_000)
    expect(page.locator("#covered")).not_to_have_text(before)


def test_live__drawn_anew__what_somebody_set_up_stays(
    visit: Visit, shown: Shown, routes: dict[str, str]
) -> None:
    visit.page.set_viewport_size({"width": 760, "height": 900})
    visit.go(routes["network"])
    page = visit.page
    page.locator("summary").first.click()
    wide = page.evaluate(
        """() => {
          const all = [...document.querySelectorAll(".scroll")];
          const wide = all.findIndex((one) => one.scrollWidth > one.clientWidth + 20);
          all[wide].scrollLeft = 20;
          return wide;
        }"""
    )
    page.get_by_role("button", name="Table").last.focus()
    page.locator("#news").evaluate("(one) => { one.textContent = ''; }")

    shown.world.send("griefer", "stake", shown.hostile, 10**15)
    shown.bring()
    expect(page.locator("#news")).to_contain_text("Updated to block", timeout=30_000)

    assert page.locator("details[open]").count() == 1
    assert page.locator(".scroll").nth(wide).evaluate("(one) => one.scrollLeft") == 20
    assert page.evaluate("document.activeElement.textContent") == "Table"


def test_live__new_batch__numbers_move_without_a_reload(
    visit: Visit, shown: Shown, routes: dict[str, str]
) -> None:
    visit.go(routes["hostile"])
    page = visit.page
    committed = page.locator("a[data-number=committed]")
    before = int(committed.inner_text())
    page.evaluate("window.same = true")

    shown.commit_more(7)

    expect(committed).to_have_text(str(before + 7), timeout=30_000)
    assert page.evaluate("window.same") is True


def test_live__node_and_server_gone__said_on_the_page(
    browser: BrowserContext, shown: Shown
) -> None:
    gone = threading.Event()

    def bring() -> None:
        if gone.is_set():
            raise OSError("no node answers")

    page = browser.new_page()
    with served(create_app(Live(shown.data.root, bring=bring), every=0.2)) as url:
        Visit(page, url).go()
        expect(page.locator("#covered")).to_contain_text("blocks 0 to")
        gone.set()
        said = "Newer blocks are not shown: no node answers"
        expect(page.locator("#covered")).to_contain_text(said, timeout=20_000)
        gone.clear()
        expect(page.locator("#covered")).not_to_contain_text(said, timeout=20_000)
    expect(page.locator("#news")).to_contain_text("The server does not answer", timeout=20_000)
    assert page.locator("a[data-number]").count() > 0
    page.close()


def test_batch__id_malformed__says_what_is_wrong(visit: Visit, routes: dict[str, str]) -> None:
    visit.go(routes["batch"].rsplit("/", 1)[0] + "/0x12")

    expect(visit.page.locator("[role=alert]")).to_contain_text("batch_id: ")

    visit.go("check")
    visit.page.get_by_label("Batch id").fill("0x12")
    visit.page.get_by_role("button", name="Find").click()
    assert visit.page.evaluate("location.hash") == "#/check"


@pytest.fixture(scope="module")
def good(shown: Shown) -> dict[str, Any]:
    """A receipt of a solicited inference."""
    found: dict[str, Any] = json.loads(shown.receipts["cyd"][7])
    return found


def flipped(text: str, place: int = -1) -> str:
    digits = list(text)
    digits[place] = "1" if digits[place] != "1" else "2"
    return "".join(digits)


def other_output(receipt: dict[str, Any]) -> None:
    inference = receipt["inference"]
    inference["output_hash"] = flipped(inference["output_hash"])


def other_index(receipt: dict[str, Any]) -> None:
    receipt["batch"]["index"] += 1


def other_count(receipt: dict[str, Any]) -> None:
    receipt["stamp"] = "0x" + (int(receipt["stamp"], 16) + (1 << 120)).to_bytes(32, "big").hex()


def other_sibling(receipt: dict[str, Any]) -> None:
    receipt["proof"][3] = flipped(receipt["proof"][3])


def other_signer(receipt: dict[str, Any]) -> None:
    receipt["signature"] = flipped(receipt["signature"], 20)


def checked(visit: Visit, text: str) -> str:
    visit.go("check")
    visit.page.get_by_label("Paste a receipt").fill(text)
    visit.page.get_by_role("button", name="Check", exact=True).click()
    return visit.page.locator("[data-verdict]").get_attribute("data-verdict") or ""


def test_receipt__good__leads_to_the_root_and_to_the_chain(
    visit: Visit, good: dict[str, Any], screenshots: Path
) -> None:
    assert checked(visit, json.dumps(good)) == "good"

    page = visit.page
    expect(page.locator("[data-part] .good")).to_have_count(6)
    expect(page.locator("[data-chain=committed]")).to_contain_text("final, audited")
    expect(page.locator("[data-contract=final]")).to_contain_text("final, audited at block")
    page.screenshot(path=screenshots / "receipt.png", full_page=True)
    sent = [url for url in visit.requests if good["inference"]["input_hash"] in url]
    assert sent == []


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("leaf", other_output),
        ("batch", other_index),
        ("stamp", other_count),
        ("proof", other_sibling),
        ("signature", other_signer),
    ],
)
def test_receipt__bad__names_the_part(
    visit: Visit, good: dict[str, Any], part: str, change: Any
) -> None:
    bad = json.loads(json.dumps(good))
    change(bad)

    assert checked(visit, json.dumps(bad)) == part
    expect(visit.page.locator(f"[data-part={part}] .bad")).to_have_count(1)
    assert visit.page.locator("[data-chain]").count() == 0


def test_receipt__of_another_root__differs_from_the_events(
    visit: Visit, good: dict[str, Any]
) -> None:
    bad = json.loads(json.dumps(good))
    bad["transaction"] = flipped(bad["transaction"])

    assert checked(visit, json.dumps(bad)) == "good"
    expect(visit.page.locator("[data-chain=differs]")).to_contain_text("transaction is")


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"version": 1}', "<script>"])
def test_receipt__none__is_a_matter_of_format(visit: Visit, text: str) -> None:
    assert checked(visit, text) == "format"
    assert visit.errors == []


def test_receipt__file_of_several_batches__each_against_the_chain(
    visit: Visit, shown: Shown
) -> None:
    lines = [json.loads(line) for line in shown.receipts["cyd"]]
    batches = {one["batch"]["id"]: one for one in lines}
    other = batches.popitem()[1]
    other["transaction"] = flipped(other["transaction"])
    first = next(one for one in lines if one["batch"]["id"] != other["batch"]["id"])

    assert checked(visit, "\n".join(map(json.dumps, [first, other]))) == "good"

    expect(visit.page.locator("[data-chain=differs]")).to_contain_text(other["batch"]["id"][:10])


def test_receipt__no_node__says_so(
    browser: BrowserContext, shown: Shown, good: dict[str, Any]
) -> None:
    with served(create_app(Live(shown.data.root), every=60)) as url:
        page = browser.new_page()
        visit = Visit(page, url)
        assert checked(visit, json.dumps(good)) == "good"
        expect(page.locator("[data-asked]")).to_contain_text("was not asked: this page has no node")
        page.close()


def test_receipt__file_of_many__checked_one_by_one(
    visit: Visit, shown: Shown, tmp_path: Path
) -> None:
    file = tmp_path / "receipts.jsonl"
    lines = shown.receipts["cyd"][:20]
    file.write_text("\n".join(lines))
    visit.go("check")

    visit.page.get_by_label("or choose a file").set_input_files(file)

    expect(visit.page.locator("[data-verdict]")).to_have_text(
        "All 20 receipts are good by their hashes."
    )
