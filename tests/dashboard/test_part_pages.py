"""Pages of one operator and so on: on a phone and a wide screen, as served and as exported."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, expect

from tallystick.dashboard.export import export
from tallystick.dashboard.live import Live
from tallystick.dashboard.network_key import path_of
from tallystick.dashboard.requesters import requester_keys
from tallystick.dashboard.resolvers import resolver_keys
from tests.dashboard.conftest import Visit
from tests.dashboard.test_export import hosting
from tests.dashboard.test_page import AXE

API = "/api/v1"
SIZES = {"phone": (360, 740), "wide": (1280, 900)}
KINDS = ("operator", "model", "requester", "resolver", "transaction", "dispute")
COMMANDS = dict.fromkeys(KINDS, "tallystick extract") | {"requester": "tallystick collect"}
"""What a page says to do when its thing is not here."""


@pytest.fixture(scope="module")
def routes(client: TestClient, live: Live) -> dict[str, str]:
    """A page of each kind, by its kind, of what the network Bourse has."""
    bourse = next(
        row for row in client.get(f"{API}/networks").json()["rows"] if row["name"] == "Bourse"
    )
    registry = f"{bourse['chain_id']}/{bourse['core']}"
    path = f"networks/{registry}/{bourse['network_id']}"

    def first(name: str) -> dict[str, Any]:
        found: dict[str, Any] = client.get(f"{API}/{path}/{name}").json()["rows"][0]
        return found

    disputed = client.get(f"{API}/disputes", params={"state": "past"}).json()["rows"][0]
    batch = f"{registry}/{disputed['batch_id']}"
    return {
        "dispute": f"dispute/{batch}/{disputed['number']}",
        "transaction": f"transaction/{bourse['chain_id']}/{disputed['transaction_hash']}",
        "operator": f"operator/{registry}/{first('operators')['operator']}",
        "model": f"model/{registry}/{first('models')['model_id']}",
        "resolver": f"resolver/{path_of(resolver_keys(live.snapshot, 1)[0])}",
        "requester": f"requester/{path_of(requester_keys(live.snapshot, 1)[0])}",
    }


@pytest.fixture(scope="module")
def hosted(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("parts") / "public"
    export(live.snapshot, folder)
    with hosting(folder) as url:
        yield url


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_page__of_one_thing__is_accessible_fits_and_asks_nobody_else(
    visit: Visit, routes: dict[str, str], screenshots: Path, kind: str, size: str
) -> None:
    width, height = SIZES[size]
    visit.page.emulate_media(color_scheme="dark" if size == "phone" else "light")
    visit.page.set_viewport_size({"width": width, "height": height})
    visit.go(routes[kind])
    visit.page.screenshot(path=screenshots / f"{kind}-{size}.png", full_page=True)

    session = visit.page.context.new_cdp_session(visit.page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    found = visit.page.evaluate("axe.run(document, {resultTypes: ['violations']})")

    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert visit.page.locator("main .card").count() >= 2
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.errors == [] and visit.strangers == []


@pytest.mark.parametrize("kind", KINDS)
def test_page__of_nothing__says_why_and_which_command_comes_next(
    visit: Visit, routes: dict[str, str], kind: str
) -> None:
    gone = routes[kind].split("/")
    place = next(at for at in range(len(gone) - 1, 0, -1) if gone[at].startswith("0x"))
    gone[place] = "0x" + "9" * (len(gone[place]) - 2)
    visit.go("/".join(gone))

    shown = visit.page.locator("[data-missing]")
    expect(shown).to_have_attribute("data-missing", kind)
    expect(shown).to_contain_text(gone[place][:8])
    expect(shown.locator("pre").first).to_contain_text(COMMANDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_export__page_of_one_thing__is_there_without_a_server(
    browser: BrowserContext, hosted: str, visit: Visit, routes: dict[str, str], kind: str
) -> None:
    visit.go(routes[kind])
    served = visit.page.locator("main h1, main .key, main caption").all_inner_texts()
    page = browser.new_page()
    exported = Visit(page, hosted)
    exported.go(routes[kind])

    assert page.locator("main h1, main .key, main caption").all_inner_texts() == served
    assert page.locator("[data-missing]").count() == 0
    name = routes[kind].rsplit("/", 1)[-1]
    if kind not in ("dispute", "transaction"):
        page.keyboard.press("/")
        page.keyboard.type(name[:14])
        expect(page.locator(f"#found a[href='#/{routes[kind]}']")).to_have_count(1)
    assert exported.errors == [] and exported.strangers == []
    page.close()


# A dispute has no id of its own: its batch does.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "dispute"])
def test_search__id_cut_short__leads_to_the_page_of_one_thing(
    visit: Visit, routes: dict[str, str], kind: str
) -> None:
    visit.go()
    page = visit.page
    name = routes[kind].rsplit("/", 1)[-1]

    page.keyboard.press("/")
    page.keyboard.type(name if kind == "transaction" else name[:14])
    page.locator(f"#found a[href='#/{routes[kind]}']").click()

    expect(page.locator(".about")).to_contain_text(name[:8])
    assert visit.errors == []
