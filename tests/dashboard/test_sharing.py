"""Links that people send: the picture and words that other sites show, and where they lead.

preview     PNG of each network and of all, by colours: grades stand there as far as they count
words       Open Graph's tags, with strangers' names as text
link        a network's own file opens the page at it; one of an older block says so
"""

import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from PIL import Image
from playwright.sync_api import BrowserContext, expect

from tallystick.cli.main import main
from tallystick.dashboard.app import create_app
from tallystick.dashboard.card import Card, card_of
from tallystick.dashboard.definitions import VERSION
from tallystick.dashboard.export import export
from tallystick.dashboard.live import Live
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.preview import preview
from tests.dashboard.conftest import Visit
from tests.dashboard.test_export import hosting
from tests.support.shown import NAME

API = "/api/v1"
URL = "https://numbers.example/deep"
AUDITED, ENCLAVE = (0x2B, 0x7B, 0xD0), (0xBF, 0x75, 0x00)
KEY = NetworkKey(8453, f"0x{'aa' * 20}", f"0x{'94653c' * 10}1234")


class Head(HTMLParser):
    """The meta tags of a file, and the elements it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = {name: value or "" for name, value in attrs}
        if tag == "meta" and "content" in found:
            self.meta[found.get("property") or found.get("name", "")] = found["content"]


def colours(png: bytes) -> dict[tuple[int, int, int], int]:
    with Image.open(io.BytesIO(png)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1200, 630))
        found = picture.convert("RGB").getcolors(1 << 20) or []
    return {colour: count for count, colour in found if isinstance(colour, tuple)}


def card(title: str = "Agora", verified: int | None = 400, **more: object) -> Card:
    grades = {} if verified is None else {"audited": verified * 3 // 4, "enclave": verified // 4}
    first = date(2026, 11, 1)
    made = {
        "key": KEY, "title": title, "about": "on Base", "verified": verified, "change": 0.124,
        "why": "" if verified else "no stake is locked", "share": 0.923, "grades": grades,
        "days": [(first + timedelta(days=at), {"audited": at}) for at in range(30)],
        "fakes": ["Faking an audit burns 0.75 ETH."], "blocks": "block 75", "time": None,
    }  # fmt: skip
    return Card(**(made | more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def keys(live: Live) -> dict[str, NetworkKey]:
    return {row["name"]: NetworkKey.of(row) for row in live.snapshot.networks()}


@pytest.fixture(scope="module")
def linked(live: Live) -> Iterator[TestClient]:
    with TestClient(create_app(live, url=URL)) as found:
        yield found


@pytest.fixture(scope="module")
def hosted(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("linked") / "deep"
    export(live.snapshot, folder, url=URL)
    with hosting(folder.parent) as url:
        yield f"{url}/deep"


@pytest.fixture
def elsewhere(browser: BrowserContext, hosted: str) -> Iterator[Visit]:
    page = browser.new_page()
    yield Visit(page, hosted)
    page.close()


def test_preview__each_network_and_all__shows_the_grades_that_count(
    client: TestClient, live: Live, keys: dict[str, NetworkKey]
) -> None:
    drawn = {}
    for name, path in [("", ""), *((name, f"networks/{key.path}/") for name, key in keys.items())]:
        answer = client.get(f"{API}/{path}preview.png")
        assert answer.headers["Content-Type"] == "image/png"
        drawn[name] = colours(answer.content)

    for row in live.snapshot.summary("30d")["networks"]:
        name = next(name for name, key in keys.items() if key == NetworkKey.of(row))
        shows = bool(row["ranked"] and row["known"].get("audited"))
        assert (drawn[name].get(AUDITED, 0) > 0) == shows, name
    assert drawn[""][AUDITED] > 0


def test_preview__bar__is_divided_as_the_grades_are() -> None:
    found = colours(preview(card()))

    assert found[AUDITED] / found[ENCLAVE] == pytest.approx(3, rel=0.05)


def test_preview__unranked__shows_no_grade_whatever_it_says() -> None:
    found = colours(preview(card(verified=None)))

    assert not {AUDITED, ENCLAVE} & set(found)


@pytest.mark.parametrize("title", ["中文网络", "W" * 80, "", "\u0645" * 30, "a\u0301\u0302"])
def test_preview__any_name__is_drawn_the_same_twice(title: str) -> None:
    assert preview(card(title)) == preview(card(title))
    assert preview(card(title)) != preview(card("Agora"))


def test_preview__letters_that_the_font_lacks__leave_the_id() -> None:
    assert preview(card("中文网络")) == preview(card("网络"))


def test_preview__unknown_network__is_not_found(client: TestClient) -> None:
    path = f"1/0x{'00' * 20}/0x{'00' * 32}"

    assert client.get(f"{API}/networks/{path}/preview.png").status_code == 404
    assert client.get(f"/networks/{path}/").status_code == 404


def test_words__of_all__name_picture_and_place(linked: TestClient, live: Live) -> None:
    for path in ("/", "/index.html"):
        meta = Head(linked.get(path).text).meta
        assert meta["og:url"] == f"{URL}/"
        assert meta["og:image"] == f"{URL}/api/v1/preview.png"
        assert meta["twitter:card"] == "summary_large_image"
        assert meta["og:description"] == meta["description"] == card_of(live.snapshot).description
        assert f"definitions {VERSION}" in meta["description"]
        assert f"{live.snapshot.summary('30d')['verified']:,} verified" in meta["description"]


def test_words__of_a_network__are_its_names_letters_and_nothing_else(
    linked: TestClient, keys: dict[str, NetworkKey]
) -> None:
    tame = Head(linked.get(f"/networks/{keys['Forum'].path}/").text)
    hostile = Head(linked.get(f"/networks/{keys[NAME].path}/").text)

    assert tame.meta["og:title"] == "Forum: verified AI inference"
    assert hostile.tags == tame.tags
    assert hostile.meta["og:title"].startswith('"><img src=x onerror="window.hacked=1">')
    assert "\u202e" not in hostile.meta["og:title"]
    assert hostile.meta["og:image"] == f"{URL}/api/v1/networks/{keys[NAME].path}/preview.png"


def test_words__place_not_known__name_no_picture(client: TestClient) -> None:
    meta = Head(client.get("/").text).meta

    assert "og:image" not in meta and "og:url" not in meta
    assert meta["twitter:card"] == "summary"


@pytest.mark.parametrize(
    "url", ["ftp://a", "numbers.example", "https://", "https://a/?b", 'https://a/"', "https://a:x"]
)
def test_url__that_is_none__one_line(url: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["export", str(tmp_path / "out"), "--url", url])

    assert done.exit_code == 2
    assert "needed: http:// or https://" in done.output


def test_link__of_a_network__opens_the_page_at_it(
    elsewhere: Visit, keys: dict[str, NetworkKey]
) -> None:
    elsewhere.page.goto(f"{elsewhere.site}/networks/{keys['Forum'].path}/")

    expect(elsewhere.page.locator("main:not([aria-busy]) h1")).to_have_text("Forum")
    assert urlsplit(elsewhere.page.url).fragment == f"/network/{keys['Forum'].path}"
    assert (elsewhere.errors, elsewhere.strangers) == ([], [])


@pytest.mark.parametrize("place", ["networks", "embed"])
def test_link__without_its_last_slash__leads_to_the_same(
    client: TestClient, keys: dict[str, NetworkKey], place: str
) -> None:
    path = f"/{place}/{keys['Forum'].path}"

    answer = client.get(f"{path}?block=3&definitions=1.0.0")

    assert answer.url.path == f"{path}/"
    assert answer.url.query == b"block=3&definitions=1.0.0"
    assert answer.text == client.get(f"{path}/").text


def test_link__permanent__says_of_which_block_it_was(
    elsewhere: Visit, keys: dict[str, NetworkKey]
) -> None:
    elsewhere.go(f"network/{keys['Forum'].path}")
    link = elsewhere.page.locator("[data-permanent]")
    href = link.get_attribute("href") or ""
    link.click()
    elsewhere.page.wait_for_url(re.compile("/30d/"))
    elsewhere.page.locator("main:not([aria-busy]) h1").wait_for()
    told = elsewhere.page.locator("#linked").count()

    elsewhere.page.goto(f"{elsewhere.site}/{re.sub(r'block=[0-9]+', 'block=3', href)}")

    expect(elsewhere.page.locator("#linked")).to_contain_text("made at block 3, under definitions")
    assert told == 0
    assert elsewhere.errors == []


def test_snippets__on_a_networks_page__name_badge_and_place(
    visit: Visit, client: TestClient, keys: dict[str, NetworkKey]
) -> None:
    visit.go(f"network/{keys['Forum'].path}")

    texts = visit.page.locator("[data-snippet]").all_text_contents()

    for text in texts:
        urls = re.findall(rf"{re.escape(visit.site)}([^\"\s)\]]+)", text)
        assert urls
        assert {client.get(url).status_code for url in urls} == {200}
    assert any(text.startswith("[![verified inferences](") for text in texts)
