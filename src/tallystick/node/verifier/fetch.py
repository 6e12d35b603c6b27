"""Batch data from stores that nobody trusts: late, wrong and endless answers cost time, no more.

What a store says is kept only when it hashes to the batch's root, and looked for again elsewhere.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx

from tallystick.errors import BatchMissingError, BatchPrunedError, StoreError, TallystickError
from tallystick.hexes import checksummed
from tallystick.ledger import BatchRecord
from tallystick.moves.data import BatchData
from tallystick.store import BatchStore

REST = 20.0
"""Seconds for which a store that was too slow is passed over, so that it holds up few batches."""


class SlowStoreError(StoreError):
    """A store did not answer in time."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of looking for a batch's data."""

    data: BatchData | None
    """None: no store has them."""
    failures: dict[str, str] = field(default_factory=dict)
    """Why, by store."""


class Stores:
    """Operators' stores, tried in turn, and a folder of one's own for what was good.

    Args:
        urls: of folders of batches, as BatchStore takes them; {operator} in one stands for the
            operator's address.
        kept: folder for what was fetched.
        timeout: seconds for all of a batch from one store.
        max_size: bytes of a batch, packed or unpacked.
    """

    def __init__(self, urls: Sequence[str], kept: Path, timeout: float, max_size: int) -> None:
        self._urls, self._folder = urls, kept
        self.kept = BatchStore(str(kept), max_size)
        self._timeout, self._max_size = timeout, max_size
        self._resting: dict[str, float] = {}

    def load(self, record: BatchRecord) -> Fetched:
        """Return a batch's data from the first store that has them."""
        try:
            return Fetched(BatchData.load(self.kept, record))
        except StoreError:
            pass  # Not fetched yet, or spoilt on this disk.
        failures: dict[str, str] = {}
        for template in self._urls:
            url = template.replace("{operator}", checksummed(record.batch.operator))
            if time.monotonic() < self._resting.get(url, 0.0):
                failures[url] = "was too slow a moment ago"
                continue
            try:
                data = self._load(url, record)
            except SlowStoreError as error:
                self._resting[url] = time.monotonic() + REST
                failures[url] = str(error)
                continue
            except (TallystickError, OSError, ValueError) as error:
                failures[url] = " ".join(str(error).split())
                continue
            batch = record.batch
            self.kept.put(batch.model_id, batch.operator, data.records, data.tree)
            return Fetched(data, failures)
        return Fetched(None, failures)

    def _load(self, url: str, record: BatchRecord) -> BatchData:
        if urlsplit(url).scheme not in ("http", "https"):
            return within(
                self._timeout,
                lambda: BatchData.load(BatchStore(url, self._max_size), record),
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._folder) as folder:
            store = BatchStore(folder, self._max_size)
            path = Path(store.path(record.batch.root))
            asyncio.run(self._download(f"{url.rstrip('/')}/{path.name}", path))
            return BatchData.load(store, record)

    async def _download(self, url: str, path: Path) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._stream(url, path)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise SlowStoreError(f"{url} took longer than {self._timeout:g} s") from error
        except httpx.HTTPError as error:
            raise StoreError(f"{url} cannot be read: {error or type(error).__name__}") from error

    async def _stream(self, url: str, path: Path) -> None:
        # Packed by the transport, few bytes could become many.
        headers = {"accept-encoding": "identity"}
        async with (
            httpx.AsyncClient(timeout=self._timeout, follow_redirects=False) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            if response.status_code == 404:
                raise BatchMissingError(f"{url} is not there")
            if response.status_code == 410:
                raise BatchPrunedError(f"{url} was pruned")
            if response.status_code != 200:
                raise StoreError(f"{url} answers with status {response.status_code}")
            size = 0
            with path.open("wb") as file:
                async for piece in response.aiter_raw():
                    size += len(piece)
                    if size > self._max_size:
                        raise StoreError(f"{url} is larger than the {self._max_size} bytes allowed")
                    file.write(piece)


def within(timeout: float, work: Callable[[], BatchData]) -> BatchData:
    """Return what work returns; SlowStoreError when it takes longer: it is left to itself then.

    Args:
        timeout: seconds.
        work: may hang for ever.
    """
    answers: Queue[BatchData | Exception] = Queue()

    def run() -> None:
        try:
            answers.put(work())
        except Exception as error:
            answers.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except Empty:
        raise SlowStoreError(f"the store took longer than {timeout:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
