"""The docs' site, as `make docs-build` wrote it, in Debian's Chromium under the page's policy.

policy      each page: nothing that the policy forbids, nothing from elsewhere
search      finds a command, a heading, a beginning of a word; opens what it found
phone       no page is wider than the screen
export      the site stands below the page
"""

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import BrowserContext, Error, expect

from tallystick.cli.main import main
from tests.dashboard.conftest import Visit
from tests.dashboard.test_page import AXE
from tests.support.builds import ROOT
from tests.support.shown import Shown, served

SITE = ROOT / "build/docs"
PAGES = sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*.html"))
ALIKE = [page for page in PAGES if not page.startswith(("source/", "decisions/0"))]

pytestmark = pytest.mark.skipif(not PAGES, reason="run `make docs-build`")


@pytest.fixture(scope="module")
def docs() -> Iterator[str]:
    with served(runpy.run_path(str(ROOT / "tools/site/serve.py"))["app"]()) as url:
        yield url


@pytest.fixture
def reader(browser: BrowserContext, docs: str) -> Iterator[Visit]:
    page = browser.new_page()
    yield Visit(page, docs)
    page.close()


def test_site__every_page__breaks_no_policy_and_asks_nobody_else(reader: Visit) -> None:
    for name in PAGES:
        answer = reader.page.goto(f"{reader.site}/{name}")
        assert answer is not None
        assert "trusted-types 'none'" in answer.headers["content-security-policy"]
        reader.page.locator("main h1").first.wait_for()

    assert (reader.errors, reader.strangers) == ([], [])


def test_site__inline_script__is_refused(reader: Visit) -> None:
    reader.page.goto(f"{reader.site}/index.html")

    with pytest.raises(Error, match="TrustedScript"):
        reader.page.evaluate("() => document.body.setAttribute('onclick', 'go()')")
    reader.page.evaluate("() => document.body.setAttribute('style', 'color: red')")

    assert any("Content Security Policy" in error for error in reader.errors)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("limbs", "decisions/0025-amounts-in-limbs.html"),
        ("tallystick reconcile", "commands.html"),
        ("BatchCommit", "events.html"),
        ("connect", "python.html"),
    ],
)
def test_search__words__lead_to_their_page(reader: Visit, text: str, found: str) -> None:
    reader.page.goto(f"{reader.site}/guides/operator.html")

    reader.page.keyboard.press("/")
    reader.page.keyboard.type(text)
    links = reader.page.locator("#found a")
    links.first.wait_for()
    hrefs = [links.nth(number).get_attribute("href") or "" for number in range(links.count())]
    links.first.click()

    assert any(found in href for href in hrefs), hrefs
    expect(reader.page.locator("main h1").first).to_be_visible()
    assert reader.errors == []


def test_search__nothing__says_so(reader: Visit) -> None:
    reader.page.goto(f"{reader.site}/index.html")

    reader.page.get_by_label("Search").fill("<img src=x onerror=alert(1)> xyzzy")

    expect(reader.page.locator("#found")).to_contain_text("Nothing has")
    assert reader.errors == []


def test_site__phone__no_page_is_wider_than_the_screen(reader: Visit) -> None:
    reader.page.set_viewport_size({"width": 390, "height": 844})
    wide = []
    for name in ALIKE:
        reader.page.goto(f"{reader.site}/{name}")
        if reader.page.evaluate("() => document.documentElement.scrollWidth") > 390:
            wide.append(name)

    assert wide == []


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "guides/operator.html", "reference/python.html"])
def test_site__page__is_accessible(
    reader: Visit, screenshots: Path, name: str, colours: str
) -> None:
    reader.page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    reader.page.goto(f"{reader.site}/{name}")
    picture = f"docs-{Path(name).stem}-{colours}.png"
    reader.page.screenshot(path=screenshots / picture)

    session = reader.page.context.new_cdp_session(reader.page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    found = reader.page.evaluate("async () => (await axe.run()).violations")

    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_export__docs__stand_below_the_page(shown: Shown, tmp_path: Path) -> None:
    words = ["export", str(tmp_path / "out"), "--data", str(shown.data.root), "--docs", str(SITE)]

    result = CliRunner().invoke(main, words)

    assert result.exit_code == 0, result.output
    assert (tmp_path / "out/docs/guides/operator.html").read_bytes() == (
        SITE / "guides/operator.html"
    ).read_bytes()
    assert (tmp_path / "out/index.html").exists()


def test_export__docs_of_something_else__one_line(shown: Shown, tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    words = ["export", str(tmp_path / "out"), "--data", str(shown.data.root)]

    result = CliRunner().invoke(main, [*words, "--docs", str(tmp_path / "else")])

    assert result.exit_code == 1
    assert "make docs-build" in result.output
    assert not (tmp_path / "out").exists()
