"""The demo on a page: data folder, server, and Debian's Chromium."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live
from tallystick.dashboard.onchain import OnChain
from tallystick.data.extract.dataset import Dataset
from tallystick.data.pools.state import SeatsAtBlock
from tallystick.protocol.ledger import Ledger
from tests.support.shown import Shown, demo_shown, served

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="package")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with demo_shown(tmp_path_factory.mktemp("shown") / "data") as played:
        yield played


@pytest.fixture(scope="package")
def live(shown: Shown) -> Live:
    return Live(shown.data.root)


@pytest.fixture(autouse=True)
def _latest(request: pytest.FixtureRequest) -> None:
    """Have the API answer with what tests before this one have extracted."""
    if "live" in request.fixturenames:
        request.getfixturevalue("live").look()


@pytest.fixture(scope="package")
def client(shown: Shown, live: Live) -> Iterator[TestClient]:
    with TestClient(create_app(live, OnChain({31337: [shown.url]}))) as found:
        yield found


@pytest.fixture
def ledger(shown: Shown, client: TestClient) -> Ledger:
    """The registry's events, folded by the protocol's own twin of the contract."""
    return shown.world.ledger()


@pytest.fixture(scope="package")
def site(shown: Shown) -> Iterator[str]:
    app = create_app(Live(shown.data.root), OnChain({31337: [shown.url]}), every=0.2)
    with served(app) as url:
        yield url


@pytest.fixture(scope="package")
def poolless(
    shown: Shown, live: Live, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """The API over a copy of the folder, made where no node had the state of its last block."""
    folder = Dataset(tmp_path_factory.mktemp("poolless") / "data")
    shutil.copytree(shown.data.root, folder.root)
    path = folder.pools(shown.contract)
    found = SeatsAtBlock.read(path)
    assert found is not None
    replace(found, block_time=None, pools={}).write(path)
    with TestClient(create_app(Live(folder.root))) as client:
        yield client


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium"),
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu"],
            headless=True,
            viewport={"width": 1280, "height": 900},
        )
        context.set_default_timeout(10_000)
        yield context
        context.close()


class Visit:
    """A tab, and what went wrong in it."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self.site = page, site
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type == "error" else None,
        )

    def go(self, route: str = "") -> None:
        """Show a page, drawn in full."""
        self.page.goto(f"{self.site}/#/{route}")
        self.page.locator("main:not([aria-busy]) h1").wait_for()

    @property
    def strangers(self) -> list[str]:
        """Requests that left the site."""
        local = (self.site + "/", "data:", "blob:")
        return [url for url in self.requests if not url.startswith(local)]


@pytest.fixture
def visit(browser: BrowserContext, site: str) -> Iterator[Visit]:
    page = browser.new_page()
    yield Visit(page, site)
    page.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    folder = Path(__file__).parents[2] / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
