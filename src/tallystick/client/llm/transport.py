"""Transports for the openai library, or whatever uses httpx: they sign, ask operators and check."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

import httpx

from tallystick.client.llm.asking import CHAT, COMPLETIONS, Asker
from tallystick.client.llm.receipts import ReceiptCollector
from tallystick.client.llm.reply import Replies, Reply, refusal

_Result = TypeVar("_Result")
Open = Callable[[], tuple[Asker, ReceiptCollector]]
"""Open what asks and what collects receipts; called within the event loop that uses them."""


class LoopThread:
    """An event loop in a thread of its own, for code that has none."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="llm", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Return what a coroutine returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a coroutine, and do not wait for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Cancel what is left, and end the thread."""
        self.run(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class SigningTransport(httpx.BaseTransport):
    """A transport of httpx.Client; hosts and keys of its requests are of no effect.

    Args:
        open_asker: called once.
        wait: seconds for which a whole answer waits for its receipt; see Replies.
    """

    def __init__(self, open_asker: Open, wait: float = 0) -> None:
        self._thread = LoopThread()
        self.asker, self.collector = self._thread.run(_opened(open_asker))
        self._replies = Replies(self.asker, self.collector, wait)
        self._thread.start(self.asker.resume())
        self._thread.start(self.collector.run())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx."""
        reply = self._thread.run(_reply(self._replies, request, request.read()))
        if isinstance(reply.body, bytes):
            if reply.answering is not None:
                self._thread.run(reply.answering.received())
            return httpx.Response(reply.status, headers=reply.headers, content=reply.body)
        stream = _Stream(self._thread, reply.body)
        return httpx.Response(reply.status, headers=reply.headers, stream=stream)

    def close(self) -> None:
        """Let go of everything; receipts that are missing come when it is opened again."""
        self._thread.run(self.asker.close())
        self._thread.close()


class AsyncSigningTransport(httpx.AsyncBaseTransport):
    """A transport of httpx.AsyncClient, within one event loop; see SigningTransport."""

    def __init__(self, open_asker: Open, wait: float = 0) -> None:
        self._open, self._wait = open_asker, wait
        self._replies: Replies | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx."""
        if self._replies is None:
            self.asker, self.collector = self._open()
            self._replies = Replies(self.asker, self.collector, self._wait)
            works = self.asker.resume(), self.collector.run()
            self._tasks = [asyncio.create_task(one) for one in works]
        reply = await _reply(self._replies, request, await request.aread())
        if isinstance(reply.body, bytes):
            if reply.answering is not None:
                await reply.answering.received()
            return httpx.Response(reply.status, headers=reply.headers, content=reply.body)
        stream = _AsyncStream(reply.body)
        return httpx.Response(reply.status, headers=reply.headers, stream=stream)

    async def aclose(self) -> None:
        """Let go of everything; receipts that are missing come when it is opened again."""
        for task in self._tasks:
            task.cancel()
        if self._replies is not None:
            await self.asker.close()


class _Stream(httpx.SyncByteStream):
    def __init__(self, thread: LoopThread, events: AsyncIterator[bytes]) -> None:
        self._thread, self._events = thread, events

    def __iter__(self) -> Iterator[bytes]:
        while (event := self._thread.run(_following(self._events))) is not None:
            yield event

    def close(self) -> None:
        self._thread.run(_closed(self._events))


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, events: AsyncIterator[bytes]) -> None:
        self._events = events

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for event in self._events:
            yield event

    async def aclose(self) -> None:
        await _closed(self._events)


async def _opened(open_asker: Open) -> tuple[Asker, ReceiptCollector]:
    return open_asker()


async def _reply(replies: Replies, request: httpx.Request, body: bytes) -> Reply:
    path = next((one for one in (CHAT, COMPLETIONS) if request.url.path.endswith(f"/{one}")), None)
    if path is None or request.method != "POST":
        return refusal(404, f"needed: POST to {CHAT} or {COMPLETIONS}")
    return await replies.reply(path, body, request.headers.get("x-stainless-retry-count"))


async def _following(events: AsyncIterator[bytes]) -> bytes | None:
    return await anext(events, None)


async def _closed(events: Any) -> None:
    await events.aclose()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
