"""Stores behind gateways and signed URLs: followed, but not into one's own network."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallystick.errors import StoreUnreachableError
from tallystick.node.verifier.redirects import check_redirect
from tallystick.protocol.ledger import BatchState
from tests.node.verifier.test_fetch import RECORDS, stores
from tests.node.verifier.test_fetch import batch as batch
from tests.node.verifier.test_fetch import good as good


@pytest.fixture
def gateway(good: Path) -> Iterator[str]:
    """Serves the store below /plain; /moved and /signed lead there, /round to itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, name = self.path.lstrip("/").partition("/")
            places = {"moved": f"/plain/{name}", "round": self.path}
            places |= {"signed": f"/plain/{name}?signature=abc"}
            if kind in places:
                self.send_response(302 if kind == "signed" else 301)
                self.send_header("location", places[kind])
                self.end_headers()
                self.wfile.write(b"<a href>Moved</a>")
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write((good / name.partition("?")[0]).read_bytes())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("kind", ["plain", "moved", "signed"])
def test_load__store_behind_a_redirect__is_read(
    tmp_path: Path, batch: BatchState, gateway: str, kind: str
) -> None:
    fetched = stores(tmp_path, f"{gateway}/{kind}").load(batch)
    assert fetched.data is not None, fetched.failures
    assert fetched.data.records == RECORDS


def test_load__redirects_without_end__cannot_be_asked(
    tmp_path: Path, batch: BatchState, gateway: str
) -> None:
    fetched = stores(tmp_path, url := f"{gateway}/round").load(batch)
    assert fetched.data is None
    assert "redirects more than 5 times" in fetched.failures[url]


@pytest.mark.parametrize(
    ("before", "target", "reason"),
    [
        ("https://1.1.1.1/a", "http://1.1.1.1/a", "from https to http"),
        ("https://1.1.1.1/a", "https://127.0.0.1/a", "to 127.0.0.1, which is not public"),
        ("http://1.1.1.1/a", "http://169.254.169.254/a", "which is not public"),
        ("http://1.1.1.1/a", "http://[::1]:8545/", "which is not public"),
        ("http://1.1.1.1/a", "http://8.8.8.8/a", None),
        ("http://10.0.0.1/a", "http://10.0.0.2/a", None),
    ],
)
def test_check_redirect__into_ones_own_network__is_refused(
    before: str, target: str, reason: str | None
) -> None:
    asked = check_redirect(httpx.URL(before), httpx.URL(before), httpx.URL(target))
    if reason is None:
        asyncio.run(asked)
        return
    with pytest.raises(StoreUnreachableError, match=reason):
        asyncio.run(asked)
