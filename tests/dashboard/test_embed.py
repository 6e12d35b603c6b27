"""A network's chart in frames of other people's pages, and nothing else in them."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Page, expect

from tallystick.dashboard.export import export
from tallystick.dashboard.live import Live
from tallystick.dashboard.network_key import NetworkKey
from tests.dashboard.conftest import Visit
from tests.dashboard.test_export import hosting
from tests.dashboard.test_page import AXE
from tests.support.shown import NAME

SANDBOXES = ["", 'sandbox=""', 'sandbox="allow-popups allow-popups-to-escape-sandbox"']


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


@pytest.fixture(scope="module")
def keys(live: Live) -> dict[str, NetworkKey]:
    return {row["name"]: NetworkKey.of(row) for row in live.snapshot.networks()}


@pytest.fixture(scope="module")
def exported(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("embedded") / "deep"
    export(live.snapshot, folder)
    with hosting(folder.parent) as url:
        yield f"{url}/deep"


@pytest.fixture
def stranger(browser: BrowserContext, tmp_path: Path) -> Iterator[tuple[Page, Path, str]]:
    """A tab, and a site of somebody else's that it shows."""
    page = browser.new_page()
    with hosting(tmp_path) as url:
        yield page, tmp_path, url
    page.close()


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_embed__in_a_strangers_frame__shows_number_and_chart(
    stranger: tuple[Page, Path, str],
    site: str,
    exported: str,
    keys: dict[str, NetworkKey],
    live: Live,
    sandbox: str,
) -> None:
    page, folder, url = stranger
    verified = live.snapshot.in_period(keys["Forum"], "30d")["known_verified"]
    for place in (site, exported):
        src = f"{place}/embed/{keys['Forum'].path}/"
        (folder / "blog.html").write_text(f'<h1>Mine</h1><iframe {sandbox} src="{src}"></iframe>')
        page.goto(f"{url}/blog.html")
        frame = page.frame_locator("iframe")
        expect(frame.locator(".sum strong")).to_have_text(f"{verified:,}")
        colour = frame.locator("rect.audited").first.evaluate(
            "one => getComputedStyle(one).fill", timeout=5_000
        )
        assert colour == "rgb(43, 123, 208)"  # the style sheet was let in


def test_embed__columns__sum_up_to_the_number(
    client: TestClient, live: Live, keys: dict[str, NetworkKey]
) -> None:
    text = client.get(f"/embed/{keys['Forum'].path}/").text
    told = re.findall(r"<title>\d+ \w+: ([^<]+)</title>", text)

    counts = [
        int(count.replace(",", ""))
        for line in told
        for count in re.findall(r"\w+ ([\d,]*\d)", line)
    ]
    summed = sum(counts)

    assert summed == live.snapshot.in_period(keys["Forum"], "30d")["known_verified"] > 0


def test_embed__unranked_with_a_hostile_name__no_number_no_element_of_its_own(
    client: TestClient, keys: dict[str, NetworkKey]
) -> None:
    text = client.get(f"/embed/{keys[NAME].path}/").text

    assert "<strong>Unranked</strong>" in text
    assert not {"img", "script", "iframe"} & set(Tags(text).tags)
    assert "\u202e" not in text


def test_frames__embed_alone__is_let_in(client: TestClient, keys: dict[str, NetworkKey]) -> None:
    path = keys["Forum"].path
    let_in = client.get(f"/embed/{path}/")
    assert "frame-ancestors *" in let_in.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in let_in.headers

    unknown = f"/embed/1/0x{'00' * 20}/0x{'00' * 32}/"
    for other in ("/", f"/networks/{path}/", "/embed/..%2findex.html", "/embed/app.js", unknown):
        answer = client.get(other)
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], other
        assert answer.headers["X-Frame-Options"] == "DENY", other


def test_frames__the_page_itself__is_refused(stranger: tuple[Page, Path, str], site: str) -> None:
    page, folder, url = stranger
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    (folder / "blog.html").write_text(f'<iframe src="{site}/"></iframe>')

    page.goto(f"{url}/blog.html")
    page.wait_for_timeout(500)

    assert any("frame-ancestors" in line for line in refused), refused
    assert page.frame_locator("iframe").locator("main").count() == 0


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", ["Forum", NAME], ids=["ranked", "unranked"])
def test_embed__page__is_accessible(
    visit: Visit, keys: dict[str, NetworkKey], screenshots: Path, colours: str, name: str
) -> None:
    visit.page.set_viewport_size({"width": 520, "height": 380})
    visit.page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    visit.page.goto(f"{visit.site}/embed/{keys[name].path}/")
    of = "ranked" if name == "Forum" else "unranked"
    visit.page.screenshot(path=screenshots / f"embed-{of}-{colours}.png")

    session = visit.page.context.new_cdp_session(visit.page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    found = visit.page.evaluate("async () => (await axe.run()).violations")

    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert visit.errors == []
