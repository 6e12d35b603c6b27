"""The routes of the OpenAI API.

    POST /v1/chat/completions    messages; whole or, with "stream": true, as server-sent events
    POST /v1/completions         a prompt
    GET  /v1/models              the language models that are served

Each request carries X-Tallystick-Request. Errors are {"error": {message, type, param, code}}.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from tallystick.llm.request_header import NAME
from tallystick.llm.wire import DONE, Wire, event
from tallystick.node.operator.errors import RefusedError
from tallystick.node.operator.llm.errors import ApiError
from tallystick.node.operator.llm.handler import LlmHandler
from tallystick.node.operator.llm.running import Running
from tallystick.protocol.hexes import to_hex

KEEP_ALIVE = 10.0
"""Seconds without a chunk after which a comment says that the answer is still to come."""
_THREADS = 4

ReadBody = Callable[[Request], Awaitable[bytes]]


class LlmRoutes:
    """The language models' routes.

    Args:
        handler: answers.
        read_body: returns the body of a request, within its bounds.
        operator: checksummed address, for the list of models.
    """

    def __init__(self, handler: LlmHandler, read_body: ReadBody, operator: str) -> None:
        self._handler, self._read_body, self._operator = handler, read_body, operator
        # Templates may take seconds; receipts must not wait behind them.
        self._threads = ThreadPoolExecutor(_THREADS, "prompts")

    def add(self, app: FastAPI) -> None:
        """Add the routes to an app."""
        app.post("/v1/chat/completions")(self.chat_completions)
        app.post("/v1/completions")(self.completions)
        app.get("/v1/models")(self.models)
        app.exception_handler(ApiError)(self._refused)

    async def chat_completions(self, request: Request) -> Response:
        """Answer messages."""
        return await self._answer(request, chat=True)

    async def completions(self, request: Request) -> Response:
        """Go on with a text."""
        return await self._answer(request, chat=False)

    async def models(self) -> dict[str, Any]:
        """List the language models."""
        return {
            "object": "list",
            "data": [
                {"id": to_hex(key), "object": "model", "created": 0, "owned_by": self._operator}
                for key in self._handler.models
            ],
        }

    async def _answer(self, request: Request, chat: bool) -> Response:
        if request.headers.get("content-encoding", "identity") != "identity":
            raise ApiError(415, "the body is encoded; needed: as it is", param="content-encoding")
        try:
            body = await self._read_body(request)
        except RefusedError as error:
            raise ApiError.of(error) from error
        loop = asyncio.get_running_loop()
        running = await loop.run_in_executor(
            self._threads, self._handler.begin, request.headers.get(NAME), body, chat
        )
        wire = Wire(
            running.fields,
            running.accepted.request,
            running.model_id,
            running.created,
            self._handler.models[running.model_id].spec_hash,
        )
        if running.fields.stream:
            return StreamingResponse(
                _events(running, wire),
                media_type="text/event-stream",
                headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            )
        return JSONResponse(wire.whole(await running.answer()))

    async def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        return JSONResponse(error.to_json(), error.status, headers)


async def _events(running: Running, wire: Wire) -> AsyncIterator[bytes]:
    for chunk in wire.first():
        yield event(chunk)
    try:
        async for part in running.parts(KEEP_ALIVE):
            yield b": generating\n\n" if part is None else event(wire.part(part))
        for chunk in wire.last(await running.answer()):
            yield event(chunk)
    except ApiError as error:
        yield event(error.to_json())
    else:
        yield DONE
