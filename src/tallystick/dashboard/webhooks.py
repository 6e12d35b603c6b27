"""News as JSON to URLs that the server's owner names, by Standard Webhooks (standardwebhooks.com).

Each item is posted at least once: it is noted as told after the URL took it, so a process that is
killed between the two posts it again, under the same id. Items come in their order.
"""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import httpx
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
    stop_when_event_set,
    wait_random_exponential,
)

from tallystick import __version__
from tallystick.chain.rpc.url import place_of
from tallystick.dashboard.news import Item, days_over, news
from tallystick.dashboard.snapshot import Snapshot
from tallystick.errors import TallystickError

FILE = "webhooks.sqlite"
"""The file of a data folder that says what was told."""
NEEDED = "24 to 64 bytes in base64, as of `openssl rand -base64 32`"
TIMEOUT = 10.0
"""Seconds to connect, and between two bytes."""
ATTEMPTS = 5
LONGEST_WAIT = 30.0
"""Seconds between two attempts."""
AGAIN = 60.0
"""Seconds after which a URL that took nothing is tried anew."""
_TICK = 0.5
_SECRET_BYTES = range(24, 65)
_TABLES = """
CREATE TABLE IF NOT EXISTS hooks (url TEXT PRIMARY KEY, ranked_to INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (url TEXT, id TEXT, PRIMARY KEY (url, id)) WITHOUT ROWID;
"""
_LOG = logging.getLogger(__name__)


class WebhookError(TallystickError, ValueError):
    """A secret that is none, or a folder that can't be noted in."""


class _RefusedError(Exception):
    """A URL that did not take what was posted."""


def secret_of(text: str) -> bytes:
    """Return the bytes of a secret: `whsec_`, and 24 to 64 bytes in base64.

    Raises:
        WebhookError: it is something else.
    """
    try:
        found = base64.b64decode(text.strip().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) not in _SECRET_BYTES:
        raise WebhookError(f"the webhooks' secret is none; needed: {NEEDED}")
    return found


def body_of(item: Item, page: str = "") -> bytes:
    """Return what is posted: type, timestamp and data, as JSON.

    Args:
        item: to tell.
        page: where people find the page, without a slash at its end; empty: no link is told.
    """
    data = {"id": item.id, "title": item.title, "network": item.key._asdict()}
    if page:
        data["url"] = f"{page}/#/{item.path}"
    body = {
        "type": item.kind,
        "timestamp": f"{datetime.fromtimestamp(item.time, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "data": {**data, "facts": dict(item.facts)},
    }
    return json.dumps(body, separators=(",", ":")).encode()


def signed(item: Item, body: bytes, secret: bytes, now: int) -> dict[str, str]:
    """Return the headers that tell an item's id, the time, and that we sent it.

    Args:
        item: that is told.
        body: of the request.
        secret: that both sides have.
        now: Unix seconds.
    """
    # The id is followed by a full stop in what is signed, so it has none.
    name = f"msg_{hashlib.sha256(item.id.encode()).hexdigest()[:32]}"
    mac = hmac.new(secret, f"{name}.{now}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


class Told:
    """Items that each URL took, in a file; of a URL there is only its hash, for it may hold a key.

    Args:
        path: of the file, made if need be.

    Raises:
        WebhookError: it can't be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with closing(self._open()) as connection:
                connection.executescript(_TABLES)
        except sqlite3.Error as error:
            raise WebhookError(f"{path} can't be written: {error}") from error

    def begin(self, url: str, ids: Iterable[str]) -> bool:
        """Take what there is for told, of a URL that is new; return whether it is."""
        with closing(self._open()) as connection, connection:
            cursor = connection.execute("INSERT OR IGNORE INTO hooks VALUES (?, 0)", [_hash(url)])
            new = cursor.rowcount == 1
            if new:
                rows = ((_hash(url), one) for one in ids)
                connection.executemany("INSERT OR IGNORE INTO told VALUES (?, ?)", rows)
        return new

    def ranked_to(self, url: str) -> int:
        """Return the end of the last day whose ranks a URL was told, in Unix seconds."""
        with closing(self._open()) as connection:
            query = "SELECT ranked_to FROM hooks WHERE url = ?"
            return int(connection.execute(query, [_hash(url)]).fetchone()[0])

    def note_ranked(self, url: str, to: int) -> None:
        """Note the end of the last day whose ranks a URL was told."""
        with closing(self._open()) as connection, connection:
            connection.execute("UPDATE hooks SET ranked_to = ? WHERE url = ?", [to, _hash(url)])

    def of(self, url: str) -> set[str]:
        """Return the ids of what a URL took."""
        with closing(self._open()) as connection:
            found = connection.execute("SELECT id FROM told WHERE url = ?", [_hash(url)])
            return {row[0] for row in found}

    def note(self, url: str, item: Item) -> None:
        """Note that a URL took an item; it stays noted whatever happens to the machine."""
        with closing(self._open()) as connection, connection:
            connection.execute("INSERT OR IGNORE INTO told VALUES (?, ?)", [_hash(url), item.id])

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30)


class Webhooks:
    """URLs that are told the news of a data folder as it comes.

    A URL that is named for the first time is told what comes after that.

    Args:
        urls: http or https; redirects are not followed.
        secret: that signs, see secret_of.
        told: what they took before.
        page: where people find the page; empty: it is not known.
        attempts: at one item, before the URL is left for a while.
        longest_wait: seconds between two attempts.
        again: seconds after which it is tried anew.
    """

    def __init__(
        self,
        urls: Sequence[str],
        secret: bytes,
        told: Told,
        page: str = "",
        attempts: int = ATTEMPTS,
        longest_wait: float = LONGEST_WAIT,
        again: float = AGAIN,
    ) -> None:
        self._urls, self._secret, self._told, self._page = urls, secret, told, page
        self._attempts, self._longest_wait, self._again = attempts, longest_wait, again
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._silent: set[str] = set()

    def start(self, newest: Callable[[], Snapshot]) -> None:
        """Tell each URL in a thread of its own, which ends with the process.

        Args:
            newest: gives the newest state of the data folder.
        """
        for url in dict.fromkeys(self._urls):
            thread = threading.Thread(target=self._run, args=(url, newest), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End the telling."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def tell(self, url: str, snapshot: Snapshot) -> bool:
        """Post what a URL was not told yet, the oldest first; return whether it took all."""
        every = news(snapshot)
        if not self._told.begin(url, (one.id for one in every)):
            # A network that is ranked from now on moves others in the past: that is no news.
            took, to = self._told.of(url), self._told.ranked_to(url)
            left = [
                one
                for one in reversed(every)
                if one.id not in took and not (one.kind == "rank.changed" and one.time <= to)
            ]
            if left and not self._take(url, left):
                return False
        self._told.note_ranked(url, days_over(snapshot))
        return True

    def _take(self, url: str, items: Sequence[Item]) -> bool:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"tallystick/{__version__}",
        }
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False, headers=headers) as client:
            return all(self._posted(client, url, item) for item in items)

    def _posted(self, client: httpx.Client, url: str, item: Item) -> bool:
        retrying = Retrying(
            stop=stop_after_attempt(self._attempts) | stop_when_event_set(self._stop),
            wait=wait_random_exponential(multiplier=0.5, max=self._longest_wait),
            retry=retry_if_exception_type((httpx.TransportError, _RefusedError)),
            sleep=sleep_using_event(self._stop),
        )
        try:
            retrying(self._post, client, url, item)
        except RetryError as error:
            self._left(url, error.last_attempt.exception())
            return False
        self._told.note(url, item)
        self._silent.discard(url)
        return True

    def _post(self, client: httpx.Client, url: str, item: Item) -> None:
        body = body_of(item, self._page)
        headers = signed(item, body, self._secret, int(time.time()))
        # What it answers is not read: it may have no end.
        with client.stream("POST", url, content=body, headers=headers) as response:
            if not response.is_success:
                raise _RefusedError(f"it answers {response.status_code}")

    def _left(self, url: str, error: BaseException | None) -> None:
        """Say once that a URL takes nothing; its path may be a key, and is not shown."""
        if url not in self._silent:
            why = error if isinstance(error, _RefusedError) else type(error).__name__
            _LOG.warning("webhook %s is not told for now, and tried again: %s", place_of(url), why)
        self._silent.add(url)

    def _run(self, url: str, newest: Callable[[], Snapshot]) -> None:
        seen, again = "", 0.0
        while not self._stop.is_set():
            now = newest()
            if now.version != seen or time.monotonic() >= again:
                seen, again = now.version, float("inf")
                try:
                    whole = self.tell(url, now)
                except (sqlite3.Error, duckdb.Error, OSError) as error:
                    _LOG.warning("webhook %s is not told for now: %s", place_of(url), error)
                    whole = False
                if not whole:
                    again = time.monotonic() + self._again
            self._stop.wait(_TICK)


def _hash(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
