"""The proxy: an OpenAI-compatible server on this machine, for one requester and model.

    POST /v1/chat/completions    messages; whole or as server-sent events
    POST /v1/completions         a prompt
    GET  /v1/models              the one model
    GET  /v1/receipts/ID         a kept answer, by the id that it came with
    GET  /                       how many questions are in which state

Nothing of a client's headers reaches an operator.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Collection
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from tallystick.client.llm.asking import CHAT, COMPLETIONS, Asker
from tallystick.client.llm.book import Place
from tallystick.client.llm.guard import Guard, http_response, read_body, serve_on
from tallystick.client.llm.receipts import ReceiptCollector
from tallystick.client.llm.reply import VERIFIED, Replies, Reply, refusal
from tallystick.errors import AnswerError
from tallystick.protocol.hexes import to_hex

_LOOK = 0.5
"""Seconds between two looks at whether a client is still there."""


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
            return http_response(refusal(400, str(error), param="id"))
        if kept is None:
            return http_response(refusal(404, "no such answer is kept here", code="unknown_answer"))
        headers = {}
        if kept.receipt and self._asker.book.place(kept.request.struct_hash()) is Place.KEPT:
            headers[VERIFIED] = to_hex(kept.receipt.batch_id)
        return JSONResponse(kept.to_json(), headers=headers)

    async def about(self) -> dict[str, Any]:
        """Return numbers of questions, by state."""
        counts = await asyncio.to_thread(self._asker.book.counts)
        return {"model_id": to_hex(self._asker.model_id), "questions": counts}

    async def _answer(self, request: Request, path: str) -> Response:
        body = await read_body(request)
        if isinstance(body, Reply):
            return http_response(body)
        retry_count = request.headers.get("x-stainless-retry-count")
        replying = asyncio.create_task(self._replies.reply(path, body, retry_count))
        try:
            while True:
                done, _ = await asyncio.wait({replying}, timeout=_LOOK)
                if await request.is_disconnected():
                    return await _left(replying)
                if done:
                    return http_response(replying.result())
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
            return http_response(reply)
    return Response(status_code=499)


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
    async with _behind(asker.resume(), collector.run()):
        await serve_on(listening, app)
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
