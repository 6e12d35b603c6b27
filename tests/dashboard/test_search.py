"""The search box and what it asks."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from tests.dashboard.conftest import Visit

API = "/api/v1"


def hits(client: TestClient, words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{API}/search", params={"q": words}).json()["hits"]
    return found


@pytest.fixture(scope="module")
def batch(client: TestClient) -> dict[str, Any]:
    agora = next(
        row for row in client.get(f"{API}/networks").json()["rows"] if row["name"] == "Agora"
    )
    path = f"{agora['chain_id']}/{agora['core']}/{agora['network_id']}"
    row: dict[str, Any] = client.get(f"{API}/networks/{path}/batches").json()["rows"][0]
    return row


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("network", "network_id"),
        ("model", "model_id"),
        ("operator", "operator"),
        ("batch", "batch_id"),
        ("transaction", "transaction_hash"),
    ],
)
def test_search__id_cut_short__finds_what_has_it(
    client: TestClient, batch: dict[str, Any], kind: str, column: str
) -> None:
    found = [
        one
        for one in hits(client, batch[column][:14].upper().replace("X", "x", 1))
        if one["kind"] == kind
    ]

    assert batch[column] in [one["id"] for one in found]
    if kind != "operator":
        assert batch["network_id"] in [one["network_id"] for one in found]


def test_search__part_of_a_name__finds_network_and_model(client: TestClient) -> None:
    assert [one["title"] for one in hits(client, "gOr")] == ["Agora"]
    assert {one["kind"] for one in hits(client, "digits")} == {"model"}


@pytest.mark.parametrize("words", ["", " ", "%", "_", "\\", "0x", "'; DROP TABLE x", "agorra"])
def test_search__nothing_or_signs_of_sql__finds_nothing(client: TestClient, words: str) -> None:
    assert [one for one in hits(client, words) if one["kind"] not in ("network", "model")] == []
    assert words == "0x" or hits(client, words) == []


def test_box__by_keyboard__opens_chooses_goes_and_closes(
    visit: Visit, batch: dict[str, Any]
) -> None:
    visit.go()
    page = visit.page

    page.keyboard.press("/")
    page.keyboard.type("bour")
    expect(page.locator("#found [role=option]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type(batch["batch_id"][:12])
    expect(page.locator("#found [aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text(f"Batch {batch['batch_id'][:10]}")
    assert visit.errors == []


def test_box__on_a_phone__opens_by_its_button(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 740})
    visit.go()
    page = visit.page

    page.get_by_role("button", name="Search").click()
    page.keyboard.type("nobody")

    expect(page.locator("#found")).to_contain_text("Nothing found for “nobody”")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
