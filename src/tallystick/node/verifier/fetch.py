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
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from tallystick.actions.batch_data import BatchData
from tallystick.errors import (
    BatchMissingError,
    BatchPrunedError,
    StoreError,
    StoreUnreachableError,
    TallystickError,
)
from tallystick.node.verifier.redirects import stream
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.ledger import BatchState
from tallystick.storage.batch_parser import BatchParser, FilePutOffError, GuardedStore
from tallystick.storage.batch_store import BatchStore
from tallystick.storage.store_failure import StoreFailure, failure_of_status

T = TypeVar("T")

REST = 20.0
"""Seconds for which a store that was too slow is passed over, so that it holds up few batches."""


class SlowStoreError(StoreUnreachableError):
    """A store did not answer in time."""


@dataclass(frozen=True, slots=True)
class FetchedData:
    """The result of looking for a batch's data."""

    data: BatchData | None
    """None: no store has them."""
    failures: dict[str, str] = field(default_factory=dict)
    """Why, by store."""
    put_off: bool = False
    """A store has a file that is read later: whether it is the data is not known yet."""


class Stores:
    """Operators' stores, tried in turn, and a folder of one's own for what was good.

    Args:
        urls: of folders of batches, as BatchStore takes them; {operator} in one stands for the
            operator's address.
        kept: folder for what was fetched.
        timeout: seconds for all of a batch from one store.
        max_size: bytes of a batch, packed or unpacked.
        parser: reads what strangers wrote; None: one that remembers nothing.
    """

    def __init__(
        self,
        urls: Sequence[str],
        kept: Path,
        timeout: float,
        max_size: int,
        parser: BatchParser | None = None,
    ) -> None:
        self._urls, self._folder = urls, kept
        # Written here, so read here.
        self.kept = BatchStore(str(kept), max_size)
        self._timeout, self._max_size = timeout, max_size
        self._parser = parser or BatchParser(max_size)
        self._resting: dict[str, float] = {}

    def load(self, record: BatchState) -> FetchedData:
        """Return a batch's data from the first store that has them."""
        try:
            return FetchedData(BatchData.load(self.kept, record))
        except StoreError:
            pass  # Not fetched yet, or spoilt on this disk.
        failures: dict[str, str] = {}
        put_off = False
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
                put_off |= isinstance(error, FilePutOffError)
                continue
            batch = record.batch
            self.kept.put(batch.model_id, batch.operator, data.records, data.tree)
            return FetchedData(data, failures)
        return FetchedData(None, failures, put_off)

    def _load(self, url: str, record: BatchState) -> BatchData:
        if urlsplit(url).scheme not in ("http", "https"):
            return BatchData.load(
                _SlowStore(url, self._max_size, self._parser, self._timeout), record
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._folder) as folder:
            store = GuardedStore(folder, self._max_size, self._parser)
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
            reason = str(error) or type(error).__name__
            raise StoreUnreachableError(f"{url} cannot be asked: {reason}") from error

    async def _stream(self, url: str, path: Path) -> None:
        # Packed by the transport, few bytes could become many.
        headers = {"accept-encoding": "identity"}
        async with (
            httpx.AsyncClient(timeout=self._timeout) as client,
            stream(client, client.build_request("GET", url, headers=headers)) as response,
        ):
            if response.status_code != 200:
                raise _failure(url, response.status_code)
            size = 0
            with path.open("wb") as file:
                async for piece in response.aiter_raw():
                    size += len(piece)
                    if size > self._max_size:
                        raise StoreError(f"{url} is larger than the {self._max_size} bytes allowed")
                    file.write(piece)


def _failure(url: str, status: int) -> StoreError:
    failure = failure_of_status(status)
    if failure is StoreFailure.MISSING:
        return BatchMissingError(f"{url} is not there")
    if failure is StoreFailure.PRUNED:
        return BatchPrunedError(f"{url} was pruned")
    return StoreUnreachableError(f"{url} answers with status {status}")


class _SlowStore(GuardedStore):
    """A store that may never answer; the time for parsing is the parser's."""

    def __init__(self, url: str, max_size: int, parser: BatchParser, timeout: float) -> None:
        super().__init__(url, max_size, parser)
        self._timeout = timeout

    def _read(self, path: str) -> bytes:
        return within(self._timeout, lambda: super(_SlowStore, self)._read(path))


def within(timeout: float, work: Callable[[], T]) -> T:
    """Return what work returns; SlowStoreError when it takes longer: it is left to itself then.

    Args:
        timeout: seconds.
        work: may hang for ever.
    """
    answers: Queue[T | Exception] = Queue()

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
