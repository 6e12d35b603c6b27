"""blobs.py: what a blob says, and the one reason why it is refused; where blobs are read."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.opengradient.blobs import BlobSource, blob_name, parse
from tallystick.opengradient.errors import (
    BlobMalformedError,
    BlobMissingError,
    BlobUnreadableError,
)
from tallystick.opengradient.item import SignedItem
from tests.support.opengradient import dump_of

ITEMS = [
    SignedItem(b"t" * 32, bytes([number]) * 32, b"o" * 32, 1_800_000_000 + number, b"s" * 256)
    for number in range(3)
]
NAME = "A" * 43


def dump(**changes: Any) -> dict[str, Any]:
    return dump_of(ITEMS) | changes


def test_parse__dump__items_and_places() -> None:
    found = parse(json.dumps(dump()).encode())

    assert found.items == tuple(ITEMS)
    assert found.leaves == 3
    for item, place in zip(found.items, found.places, strict=True):
        assert found.tree[place] == item.leaf()


@pytest.mark.parametrize("timestamp", ["1800000000", 1_800_000_000, 0, 2**63 - 1])
def test_parse__timestamp_as_number_or_digits__is_read(timestamp: Any) -> None:
    changed = dump()
    changed["values"][0]["value"][4] = timestamp

    assert parse(json.dumps(changed).encode()).items[0].timestamp == int(timestamp)


def value(place: int, content: Any) -> Callable[[dict[str, Any]], None]:
    def change(found: dict[str, Any]) -> None:
        found["values"][1]["value"][place] = content

    return change


REFUSED: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("other format", lambda d: d.update(format="simple-v1"), "standard-v1|Invalid enum"),
    ("other leaf", lambda d: d.update(leafEncoding=["bytes32"] * 3), "leafEncoding is bytes32"),
    ("no tree", lambda d: d.pop("tree"), "missing required field `tree`"),
    ("more fields", lambda d: d.update(more=1), "unknown field `more`"),
    ("empty tree", lambda d: d.update(tree=[]), "tree has 0 nodes"),
    ("even tree", lambda d: d["tree"].pop(), "tree has 4 nodes"),
    ("short node", lambda d: d["tree"].__setitem__(1, "0x00"), r"tree\[1\] has 1 bytes"),
    ("number as node", lambda d: d["tree"].__setitem__(1, 7), "Expected `str`"),
    ("no values", lambda d: d.update(values=[]), "it has 0 values"),
    ("place beyond", lambda d: d["values"][1].update(treeIndex=5), r"values\[1\] has treeIndex 5"),
    ("place below", lambda d: d["values"][1].update(treeIndex=-1), "treeIndex -1, outside"),
    ("place no number", lambda d: d["values"][1].update(treeIndex=1.5), "Expected `int`"),
    ("field lacking", lambda d: d["values"][1]["value"].pop(), "array` of length 5"),
    ("short hash", value(1, "0x" + "00" * 31), r"values\[1\] has 31 bytes"),
    ("no 0x", value(1, "00" * 32), "where hex text with 0x"),
    ("space in hex", value(1, "0x" + " 0" * 32), "where hex text with 0x"),
    ("odd digits", value(3, "0x0"), "where hex text with 0x"),
    ("long signature", value(3, "0x" + "00" * 1025), "signature of 1025 bytes"),
    ("time below zero", value(4, -1), "timestamp below 0"),
    ("time too late", value(4, 2**63), "timestamp below 0, or of 2"),
    ("time a text", value(4, "1e9"), "timestamp '1e9'"),
    ("time in other digits", value(4, "١"), "has the timestamp"),
    ("time a fraction", value(4, 1.5), "Expected `int | str`"),
]


@pytest.mark.parametrize(
    ("change", "reason"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED]
)
def test_parse__anything_else__is_refused_with_one_reason(
    change: Callable[[dict[str, Any]], Any], reason: str
) -> None:
    changed = dump()
    change(changed)

    with pytest.raises(BlobMalformedError, match=reason) as refused:
        parse(json.dumps(changed).encode())

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "blob", [b"", b"null", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 200_000, b'{"format": NaN}']
)
def test_parse__no_dump_at_all__is_refused(blob: bytes) -> None:
    with pytest.raises(BlobMalformedError):
        parse(blob)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_parse__bytes_changed__is_read_or_refused(data: st.DataObject) -> None:
    blob = bytearray(json.dumps(dump()).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(blob) - 1))
        blob[place] = data.draw(st.integers(0, 255))

    try:
        found = parse(bytes(blob))
    except BlobMalformedError:
        return
    assert len(found.items) == len(found.places) == 3


@pytest.mark.parametrize(
    "blob_id", [b"", b"A" * 42, b"A" * 44, b"../" + b"A" * 40, b"A" * 42 + b"\n"]
)
def test_blob_name__no_walrus_id__is_refused(blob_id: bytes) -> None:
    with pytest.raises(BlobMalformedError, match="needed: a Walrus blob id"):
        blob_name(blob_id)


def test_read__folder__bytes_or_missing_or_too_large(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"x" * 100)

    assert BlobSource(str(tmp_path), max_size=100).read(NAME.encode()) == b"x" * 100
    assert BlobSource(f"file://{tmp_path}/").read(bytes(32)) == b"x" * 100
    with pytest.raises(BlobMissingError):
        BlobSource(str(tmp_path)).read(b"B" * 43)
    with pytest.raises(BlobUnreadableError, match="larger than the 99 bytes"):
        BlobSource(str(tmp_path), max_size=99).read(NAME.encode())


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            """Tests' output is not for this."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def endless(handler: BaseHTTPRequestHandler, pause: float = 0.0) -> None:
    """Send without end, and without saying how much; until nobody listens."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"x" * (1 if pause else 10_000))
            time.sleep(pause)
    except OSError:
        return


def test_read__server_sends_without_end__is_given_up_at_the_limit() -> None:
    with (
        answering(endless) as url,
        pytest.raises(BlobUnreadableError, match="larger than the 50000 bytes"),
    ):
        BlobSource(url, max_size=50_000).read(NAME.encode())


def test_read__server_drips__is_given_up_in_time() -> None:
    began = time.monotonic()

    with (
        answering(lambda handler: endless(handler, 0.05)) as url,
        pytest.raises(BlobUnreadableError, match="takes over 0.5 s"),
    ):
        BlobSource(url, timeout=0.5).read(NAME.encode())

    assert time.monotonic() - began < 5


def redirect(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("location", "http://127.0.0.1:1/")
    handler.end_headers()


def test_read__redirect__is_not_followed() -> None:
    with answering(redirect) as url, pytest.raises(BlobUnreadableError, match="HTTP 302"):
        BlobSource(url).read(NAME.encode())


def test_read__nobody_there__is_unreadable() -> None:
    with pytest.raises(BlobUnreadableError, match="cannot be read"):
        BlobSource("http://127.0.0.1:1", timeout=2).read(NAME.encode())
