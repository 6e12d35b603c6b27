"""News posted to a real server on this machine: each item once, in order, signed.

killed      between the post and the note: the same item comes again, under the same id
failing     refusals, redirects, silence: nothing is lost, and nothing else is asked
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tallystick.cli.serve import SECRET, serve
from tallystick.dashboard.live import Live
from tallystick.dashboard.news import Item, news
from tallystick.dashboard.snapshot import Snapshot
from tallystick.dashboard.webhooks import FILE, Told, WebhookError, Webhooks, secret_of
from tests.support.patience import PATIENCE
from tests.support.shown import Shown

KEY = b"k" * 32
TEXT = f"whsec_{base64.b64encode(KEY).decode()}"
COMMAND = "from tallystick.cli.serve import serve; serve()"


@dataclass
class Receiver:
    """What a server took, and how it answers."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    """Status codes of the next answers; then 200."""
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    """Requests that are no POST to its path."""
    hold: threading.Event | None = None
    """Waited for before an answer."""

    @property
    def ids(self) -> list[str]:
        return [json.loads(body)["data"]["id"] for _, body in self.posts]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != "/hook":
                found.other.append(self.path)
            found.posts.append(({k.lower(): v for k, v in self.headers.items()}, body))
            if found.hold is not None:
                found.hold.wait(PATIENCE)
            code = found.answers.pop(0) if found.answers else 200
            self.send_response(code)
            if code in (301, 307, 308):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            found.other.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path / FILE)


@pytest.fixture(scope="module")
def snapshot(live: Live) -> Snapshot:
    return live.snapshot


def hooks(receiver: Receiver, told: Told, **more: Any) -> Webhooks:
    return Webhooks([receiver.url], KEY, told, longest_wait=0.01, **more)


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_tell__url_named_for_the_first_time__is_told_what_comes_after(
    receiver: Receiver, told: Told, shown: Shown
) -> None:
    webhooks = hooks(receiver, told, page="https://numbers.example")
    before = Snapshot(shown.data.root)
    webhooks.tell(receiver.url, before)
    assert receiver.posts == []
    shown.demand_more()
    after = Snapshot(shown.data.root)

    assert webhooks.tell(receiver.url, after)
    assert webhooks.tell(receiver.url, after)

    fresh = [one for one in news(after) if one not in news(before)]
    assert receiver.ids == [one.id for one in reversed(fresh)]
    assert [one.kind for one in fresh] == ["dispute.opened"]
    body = json.loads(receiver.posts[0][1])
    assert body["type"] == "dispute.opened"
    assert body["data"]["network"]["network_id"] == f"0x{shown.hostile.hex()}"
    assert body["data"]["facts"]["transaction_hash"] in body["data"]["id"]
    batch = body["data"]["facts"]["batch_id"]
    assert body["data"]["url"].startswith("https://numbers.example/#/batch/31337/")
    assert body["data"]["url"].endswith(batch)


def test_tell__each__is_signed_by_standard_webhooks(
    receiver: Receiver, told: Told, snapshot: Snapshot
) -> None:
    told.begin(receiver.url, [])

    hooks(receiver, told).tell(receiver.url, snapshot)

    assert receiver.posts
    for headers, body in receiver.posts:
        name, at = headers["webhook-id"], headers["webhook-timestamp"]
        mac = hmac.new(KEY, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
        assert abs(int(at) - time.time()) < PATIENCE
        assert headers["content-type"] == "application/json"
    assert len({headers["webhook-id"] for headers, _ in receiver.posts}) == len(receiver.posts)


def test_tell__refused_for_a_while__goes_on_where_it_was_in_order(
    receiver: Receiver, told: Told, snapshot: Snapshot
) -> None:
    told.begin(receiver.url, [])
    every = [one.id for one in reversed(news(snapshot))]
    receiver.answers = [200, 500, 503, 429]
    webhooks = hooks(receiver, told, attempts=3)

    assert not webhooks.tell(receiver.url, snapshot)
    assert receiver.ids == [every[0], every[1], every[1], every[1]]
    assert webhooks.tell(receiver.url, snapshot)

    assert receiver.ids[4:] == every[1:]
    assert len(every) > 3


def test_tell__redirect__is_not_followed(
    receiver: Receiver, told: Told, snapshot: Snapshot
) -> None:
    told.begin(receiver.url, [])
    receiver.answers = [307, 301]

    assert not hooks(receiver, told, attempts=2).tell(receiver.url, snapshot)

    assert len(receiver.posts) == 2
    assert receiver.other == []


def test_tell__nobody_there__says_so_without_the_path(
    told: Told, snapshot: Snapshot, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://me:word@127.0.0.1:{probe.getsockname()[1]}/key-in-the-path"
    told.begin(url, [])
    webhooks = Webhooks([url], KEY, told, attempts=2, longest_wait=0.01)

    assert not webhooks.tell(url, snapshot)
    assert not webhooks.tell(url, snapshot)

    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1 and "ConnectError" in said[0]
    assert "key-in-the-path" not in said[0] and "word" not in said[0]


def test_tell__network_ranked_from_now_on__its_past_is_no_news(
    receiver: Receiver, told: Told, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = snapshot.network_keys()[0]
    webhooks = hooks(receiver, told)
    webhooks.tell(receiver.url, snapshot)
    over = told.ranked_to(receiver.url)
    moved = [
        Item(f"tag:a,2026:{at}", "rank.changed", key, at, "moved", "network/1", {})
        for at in (over + 86_400, over)
    ]
    monkeypatch.setattr("tallystick.dashboard.webhooks.news", lambda _: [*moved, *news(snapshot)])

    assert webhooks.tell(receiver.url, snapshot)

    assert receiver.ids == [moved[0].id]


def test_start__urls_of_which_one_hangs__others_are_told(
    receiver: Receiver, told: Told, snapshot: Snapshot
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        hanging = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        told.begin(receiver.url, [])
        told.begin(hanging, [])
        webhooks = Webhooks([hanging, receiver.url], KEY, told)
        webhooks.start(lambda: snapshot)

        wait_for(lambda: len(receiver.posts) == len(news(snapshot)))
    webhooks.stop()

    assert told.of(hanging) == set()


def serving(shown: Shown, url: str) -> subprocess.Popen[bytes]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    asked = ["--data", str(shown.data.root), "--port", str(port), "--webhook", url]
    environment = os.environ | {SECRET: TEXT}
    return subprocess.Popen([sys.executable, "-c", COMMAND, *asked], env=environment)


def test_serve__killed_between_post_and_note__posts_the_same_again_and_loses_nothing(
    receiver: Receiver, shown: Shown
) -> None:
    told = Told(shown.data.root / FILE)
    told.begin(receiver.url, [])
    every = [one.id for one in reversed(news(Snapshot(shown.data.root)))]
    receiver.hold = threading.Event()
    first = serving(shown, receiver.url)
    try:
        wait_for(lambda: receiver.posts)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    receiver.hold.set()
    assert told.of(receiver.url) == set()

    second = serving(shown, receiver.url)
    try:
        wait_for(lambda: len(told.of(receiver.url)) == len(every))
    finally:
        second.terminate()
        second.wait(PATIENCE)

    assert receiver.ids == [every[0], *every]
    names = [headers["webhook-id"] for headers, _ in receiver.posts]
    assert names[0] == names[1]
    assert len(set(names)) == len(every) > 1


@pytest.mark.parametrize("text", ["", "whsec_", "short", "a" * 31, base64.b64encode(b"x" * 65)])
def test_secret__that_is_none__is_refused(text: str | bytes) -> None:
    with pytest.raises(WebhookError, match="24 to 64 bytes in base64"):
        secret_of(text if isinstance(text, str) else text.decode())


def test_told__folder_that_is_not_there__is_one_line(tmp_path: Path) -> None:
    with pytest.raises(WebhookError, match="can't be written"):
        Told(tmp_path / "none" / FILE)


def test_secret__with_and_without_its_prefix__is_the_same() -> None:
    assert secret_of(TEXT) == secret_of(TEXT.removeprefix("whsec_")) == KEY


@pytest.mark.parametrize(
    ("secret", "url", "words"),
    [
        (None, "http://127.0.0.1/", f"--webhook needs {SECRET}"),
        ("short", "http://127.0.0.1/", "the webhooks' secret is none"),
        (TEXT, "ftp://127.0.0.1/", "needed: http:// or https://"),
        (TEXT, "hooks", "needed: http:// or https://"),
    ],
)
def test_serve__webhook_that_cannot_be__one_line(
    shown: Shown, secret: str | None, url: str, words: str
) -> None:
    asked = ["--data", str(shown.data.root), "--webhook", url, "--port", "0"]

    done = CliRunner().invoke(serve, asked, env={SECRET: secret})

    assert done.exit_code in (1, 2)
    assert words in done.output
    assert "Traceback" not in done.output
