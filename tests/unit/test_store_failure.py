"""Stores that are down are told apart from those that have no such batch, whoever asks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tallystick.data.collected import found_share
from tallystick.errors import (
    BatchCorruptError,
    BatchMissingError,
    BatchPrunedError,
    StoreError,
    StoreUnreachableError,
)
from tallystick.storage.batch_store import BatchStore
from tallystick.storage.models.errors import ModelMissingError, ModelStoreError
from tallystick.storage.models.store import ModelStore

ROOT = b"r" * 32


@contextmanager
def answering(status: int, content: bytes = b"", cut: int = 0) -> Iterator[str]:
    """Run an HTTP server that answers everything alike; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(content) + cut))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/batches"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("status", [400, 401, 403, 407, 408, 425, 429, 451, 500, 502, 503, 504])
def test_get__store_does_not_say__is_unreachable(status: int) -> None:
    with answering(status) as url, pytest.raises(StoreUnreachableError, match=f"HTTP {status}"):
        BatchStore(url).get(ROOT)


@pytest.mark.parametrize(("status", "error"), [(404, BatchMissingError), (410, BatchPrunedError)])
def test_get__store_says_that_it_has_none__is_missing(status: int, error: type[StoreError]) -> None:
    with answering(status) as url, pytest.raises(error) as raised:
        BatchStore(url).get(ROOT)
    assert not isinstance(raised.value, StoreUnreachableError)


def test_get__page_in_its_place__is_corrupt() -> None:
    with answering(200, b"<html>log in</html>") as url, pytest.raises(BatchCorruptError):
        BatchStore(url).get(ROOT)


def test_get__cut_off__is_unreachable() -> None:
    with answering(200, b"PAR1", cut=100) as url, pytest.raises(StoreUnreachableError):
        BatchStore(url).get(ROOT)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "nobody.invalid"])
def test_get__nobody_listens__is_unreachable(host: str) -> None:
    with pytest.raises(StoreUnreachableError, match="cannot be asked"):
        BatchStore(f"http://{host}/batches").get(ROOT)


def test_get__folder_is_not_there__is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachableError, match="there is no folder"):
        BatchStore(str(tmp_path / "mistyped")).get(ROOT)
    with pytest.raises(BatchMissingError):
        BatchStore(str(tmp_path)).get(ROOT)


def test_get__folder_instead_of_the_file__is_unreachable(tmp_path: Path) -> None:
    store = BatchStore(str(tmp_path))
    Path(store.path(ROOT)).mkdir()

    with pytest.raises(StoreError):
        store.get(ROOT)


@pytest.mark.parametrize("url", ["nosuch://host/batches", "s3nosuch://x"])
def test_store__kind_is_not_known__says_so(url: str) -> None:
    with pytest.raises(StoreError, match="is no store"):
        BatchStore(url)


@pytest.mark.parametrize(
    ("status", "error"), [(404, ModelMissingError), (403, ModelStoreError), (503, ModelStoreError)]
)
def test_model_store__down_or_missing__told_apart(status: int, error: type[Exception]) -> None:
    with answering(status) as url, pytest.raises(error) as raised:
        ModelStore(url).manifest(ROOT)
    assert isinstance(raised.value, ModelMissingError) is (status == 404)


@pytest.mark.parametrize(
    ("found", "committed", "unreachable", "share", "said"),
    [
        (3, 4, 0, 0.75, ""),
        (0, 4, 0, 0.0, ""),
        (0, 4, None, None, "nobody has looked"),
        (0, 4, 2, None, "no store told of the data of 2 batches"),
        (3, 4, 2, 0.75, "it may be more"),
        (0, 0, None, None, ""),
    ],
)
def test_found_share__nothing_asked__is_no_zero(
    found: int, committed: int, unreachable: int | None, share: float | None, said: str
) -> None:
    told, because = found_share(found, committed, unreachable)

    assert told == share
    assert said in because and bool(said) == bool(because)
