"""Definitions where their numbers stand, and files that are dropped on the search box."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from tests.dashboard.conftest import Visit
from tests.dashboard.test_charts import path_of, violations
from tests.support.shown import Shown

API = "/api/v1"
DROP = """(text) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], "receipts.jsonl"));
  const at = document.getElementById("words");
  for (const kind of ["dragover", "drop"]) {
    const told = { dataTransfer: carried, bubbles: true, cancelable: true };
    at.dispatchEvent(new DragEvent(kind, told));
  }
}"""


@pytest.fixture
def agora(client: TestClient) -> str:
    rows = client.get(f"{API}/networks").json()["rows"]
    return f"network/{path_of(next(row for row in rows if row['name'] == 'Agora'))}"


def test_word__by_keyboard__tells_leads_on_and_closes(visit: Visit, client: TestClient) -> None:
    definitions = client.get(f"{API}/definitions").json()["definitions"]
    meaning = next(one["meaning"] for one in definitions if one["name"] == "audited")
    visit.go()
    page, note = visit.page, visit.page.locator("#note")
    word = page.locator("main [data-about=audited]").first

    word.focus()
    expect(note).to_contain_text(meaning)
    expect(word).to_have_attribute("aria-expanded", "true")
    assert violations(visit) == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "How it is counted"
    page.keyboard.press("Escape")
    expect(note).to_have_count(0)
    assert page.evaluate("document.activeElement.dataset.about") == "audited"
    word.blur()
    word.focus()
    note.get_by_role("link", name="How it is counted").click()

    expect(page.locator("h1")).to_have_text("How it is counted")
    expect(page.locator("#number-audited")).to_be_in_viewport()
    assert visit.errors == []


def test_word__under_the_pointer__tells_until_it_leaves(visit: Visit) -> None:
    visit.go()
    note = visit.page.locator("#note")

    visit.page.locator("main [data-about=enclave]").first.hover()
    expect(note).to_be_visible()
    note.hover()
    expect(note).to_be_visible()
    visit.page.mouse.move(2, 2)
    expect(note).to_have_count(0)


def test_word__tapped_on_a_phone__stays_within_the_screen(visit: Visit, agora: str) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 740})
    visit.go(agora)
    note = visit.page.locator("#note")

    visit.page.locator("[data-grade-price=audited] [data-about]").click()

    expect(note).to_be_visible()
    box = note.bounding_box()
    assert box is not None
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360
    assert box["y"] >= 0 and box["y"] + box["height"] <= 740
    visit.page.locator("h1").click()
    expect(note).to_have_count(0)


@pytest.mark.parametrize("name", ["", "agora"])
def test_column__that_has_a_definition__tells_it(
    visit: Visit, client: TestClient, agora: str, name: str
) -> None:
    found = client.get(f"{API}/definitions").json()["definitions"]
    labels = {one["label"] for one in found}
    visit.go(agora if name else "")
    bare = visit.page.locator("main th[scope=col]").evaluate_all(
        "all => all.filter((one) => !one.querySelector('[data-about]'))"
        ".map((one) => one.textContent)"
    )
    known = visit.page.locator("main [data-about]").evaluate_all(
        "all => all.map((one) => one.dataset.about)"
    )

    assert sorted(labels & set(bare)) == []
    assert len(set(known)) > 5
    assert set(known) <= {one["name"] for one in found} | {"ranked_verified"}


def test_search_box__file_dropped__is_checked(visit: Visit, shown: Shown) -> None:
    visit.go()

    visit.page.evaluate(DROP, "\n".join(shown.receipts["cyd"][:3]))

    expect(visit.page.locator("h1")).to_have_text("Batch or receipt")
    verdict = visit.page.locator("[data-verdict]")
    expect(verdict).to_have_text("All 3 receipts are good by their hashes.")
    visit.page.evaluate(DROP, "{}")
    expect(verdict).to_have_attribute("data-verdict", "format")
    assert visit.errors == []


def test_search_box__file_picked__is_checked(visit: Visit, shown: Shown, tmp_path: Path) -> None:
    file = tmp_path / "receipts.jsonl"
    file.write_text(shown.receipts["cyd"][7])
    visit.page.set_viewport_size({"width": 360, "height": 740})
    visit.go("disputes")

    with visit.page.expect_file_chooser() as chosen:
        visit.page.get_by_role("button", name="Check a file of receipts").click()
    chosen.value.set_files(file)

    expect(visit.page.locator("[data-verdict]")).to_have_attribute("data-verdict", "good")
