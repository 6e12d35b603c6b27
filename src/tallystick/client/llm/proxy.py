"""The proxy: an OpenAI-compatible server on this machine, for one requester and model.

    POST /v1/chat/completions    messages; whole or as server-sent events
    POST /v1/completions         a prompt
    GET  /v1/models              the one model
    GET  /v1/receipts/ID         a kept answer, by the id that it came with
    GET  /                       how many questions are in which state

Whoever asks needs the proxy's own key, and must call it by a name of this machine: a web page that
is open in a browser has neither. Nothing of a client's headers reaches an operator.
"""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from tallystick.client.llm.asking import CHAT, COMPLETIONS, Asker
from tallystick.client.llm.book import Place
from tallystick.client.llm.receipts import ReceiptCollector
from tallystick.client.llm.reply import VERIFIED, Replies, Reply, refusal
from tallystick.errors import AnswerError
from tallystick.protocol.hexes import to_hex

MOST_BYTES = 16 << 20
"""Bytes of a body that are read at most."""
_LOOK = 0.5
"""Seconds between two looks at whether a client is still there."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Guard:
    """Lets through who has the key and means this server.

    Args:
        app: behind it.
        key: that clients give as bearer.
        hosts: values of Host that are meant for it, in lower case.
    """

    def __init__(self, app: Any, key: str, hosts: Collection[str]) -> None:
        self._app, self._key, self._hosts = app, key.encode(), frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http" and (reply := self._refuse(dict(scope["headers"]))) is not None:
            await _response(reply)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refuse(self, headers: dict[bytes, bytes]) -> Reply | None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if host not in self._hosts:
            # A page whose name leads here, by its own DNS, would be of one origin with this server.
            return refusal(403, "Host is not this server's", code="wrong_host")
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not secrets.compare_digest(given.strip(), self._key):
            return refusal(
                401, "the key is not this proxy's; it is in its key file", code="invalid_api_key"
            )
        return None


class Proxy:
    """The routes.

    Args:
        asker: gets the answers.
        collector: gets their receipts.
        wait: see Replies.
    """

    def __init__(self, asker: Asker, collector: ReceiptCollector, wait: float = 0) -> None:
        self._asker = asker
        self._replies = Replies(asker, collector, wait)
        self.app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        self.app.post(f"/v1/{CHAT}")(self.chat_completions)
        self.app.post(f"/v1/{COMPLETIONS}")(self.completions)
        self.app.get("/v1/models")(self.models)
        self.app.get("/v1/receipts/{key}")(self.receipt)
        self.app.get("/")(self.about)

    async def chat_completions(self, request: Request) -> Response:
        """Answer messages."""
        return await self._answer(request, CHAT)

    async def completions(self, request: Request) -> Response:
        """Go on with a text."""
        return await self._answer(request, COMPLETIONS)

    async def models(self) -> dict[str, Any]:
        """List the model."""
        model = {
            "id": to_hex(self._asker.model_id),
            "object": "model",
            "created": 0,
            "owned_by": "tallystick",
        }
        return {"object": "list", "data": [model]}

    async def receipt(self, key: str) -> Response:
        """Return a kept answer; the header says whether the chain has it."""
        try:
            kept = await asyncio.to_thread(self._asker.answers.get, key)
        except AnswerError as error:
            return _response(refusal(400, str(error), param="id"))
        if kept is None:
            return _response(refusal(404, "no such answer is kept here", code="unknown_answer"))
        headers = {}
        if kept.receipt and self._asker.book.place(kept.request.struct_hash()) is Place.KEPT:
            headers[VERIFIED] = to_hex(kept.receipt.batch_id)
        return JSONResponse(kept.to_json(), headers=headers)

    async def about(self) -> dict[str, Any]:
        """Return numbers of questions, by state."""
        counts = await asyncio.to_thread(self._asker.book.counts)
        return {"model_id": to_hex(self._asker.model_id), "questions": counts}

    async def _answer(self, request: Request, path: str) -> Response:
        if request.headers.get("content-encoding", "identity") != "identity":
            return _response(refusal(415, "the body is encoded; needed: as it is"))
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return _response(refusal(413, f"the body exceeds {MOST_BYTES} bytes"))
        retry_count = request.headers.get("x-stainless-retry-count")
        replying = asyncio.create_task(self._replies.reply(path, body, retry_count))
        try:
            while True:
                done, _ = await asyncio.wait({replying}, timeout=_LOOK)
                if await request.is_disconnected():
                    return await _left(replying)
                if done:
                    return _response(replying.result())
        except asyncio.CancelledError:
            replying.cancel()
            raise


async def _left(replying: asyncio.Task[Reply]) -> Response:
    """Close what nobody waits for any more."""
    replying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        reply = await replying
        if reply.answering is not None:
            reply.answering.close()
        elif not isinstance(reply.body, bytes):
            return _response(reply)
    return Response(status_code=499)


def _response(reply: Reply) -> Response:
    if not isinstance(reply.body, bytes):
        return StreamingResponse(reply.body, reply.status, reply.headers)
    done = None if reply.answering is None else BackgroundTask(reply.answering.received)
    return Response(reply.body, reply.status, reply.headers, background=done)


def hosts_of(host: str, port: int) -> set[str]:
    """Return the values of Host by which a server is called.

    >>> sorted(hosts_of("127.0.0.1", 8200))
    ['127.0.0.1:8200', '[::1]:8200', 'localhost:8200']
    """
    names = {host if ":" not in host else f"[{host}]", "127.0.0.1", "localhost", "[::1]"}
    found = {f"{name.lower()}:{port}" for name in names}
    return found | names if port == 80 else found


def read_key(path: Path) -> str:
    """Return the key in a file; where there is none, it is made, for its owner's eyes only.

    Raises:
        AnswerError: the file is empty.
    """
    with contextlib.suppress(FileExistsError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", opener=_owners) as file:
            file.write(f"tallystick-{secrets.token_urlsafe(24)}\n")
    key = path.read_text().strip()
    if not key:
        raise AnswerError(f"{path} holds no key; delete it, and another one is made")
    return key


def _owners(path: str, flags: int) -> int:
    import os

    return os.open(path, flags, 0o600)


async def serve(
    asker: Asker,
    collector: ReceiptCollector,
    listening: socket.socket,
    key: str,
    hosts: Collection[str],
    wait: float = 0,
) -> None:
    """Serve until a signal ends it.

    Args:
        asker: gets the answers.
        collector: gets their receipts.
        listening: where clients connect to.
        key: see Guard.
        hosts: see Guard.
        wait: see Replies.
    """
    app = Guard(Proxy(asker, collector, wait).app, key, hosts)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5
    )
    async with _behind(asker.resume(), collector.run()):
        await uvicorn.Server(config).serve(sockets=[listening])
    await asker.close()


@contextlib.asynccontextmanager
async def _behind(*works: Any) -> AsyncIterator[None]:
    """Do works in the background for as long as something else is done."""
    tasks = [asyncio.create_task(one) for one in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
