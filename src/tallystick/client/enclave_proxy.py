"""A proxy before an endpoint whose enclave signs its answers: each is kept with its signature.

    POST /v1/chat/completions, /v1/completions    passed on byte for byte, and the answer back
    GET  /v1/models                               the endpoint's own list
    GET  /v1/exchanges/CHAT                       what is kept of an answer, by the id it came with
    GET  /                                        how many answers are signed, and how many wait

Nothing of a client's headers reaches the endpoint, whose key the proxy has. An answer is read to
its end, kept and its signature asked for, whether or not the client stays.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from tallystick.client.enclave_endpoint import EnclaveEndpoint, StreamedExchange
from tallystick.client.kept_exchanges import KeptExchange, KeptExchanges
from tallystick.client.llm.guard import Guard, http_response, read_body, serve_on
from tallystick.client.llm.reply import EVENTS, JSON, Reply, failure, refusal
from tallystick.client.llm.telling import Tell
from tallystick.errors import AnswerError, OperatorError, TallystickError
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.http_signature import SignedExchange

SIGNER = "X-Tallystick-Signer"
"""Header: whose signature over both bodies holds. It says nothing of a chain or an enclave."""
MOST_AT_A_TIME = 64
"""Answers that come in at a time; each has a thread."""
NO_RETRY = {"x-should-retry": "false"}
"""Headers that the openai library heeds."""
STOPPED = OperatorError(None, "the proxy is being stopped")


@dataclass(frozen=True, slots=True)
class _Head:
    """Begin of an answer."""

    status: int
    content_type: str


@dataclass(frozen=True, slots=True)
class _End:
    """End of an answer: under a signature, or not, and why."""

    exchange: SignedExchange | None
    error: TallystickError | None = None
    whole: bool = True
    """False: it broke off, or never began."""


_Part = _Head | bytes | _End


class EnclaveProxy:
    """The routes, and what works behind them.

    Args:
        endpoint: that is asked.
        kept: where exchanges go.
        signers: addresses of which one must have signed, 20 bytes each; none: any.
        tell: is told of each answer.
    """

    def __init__(
        self,
        endpoint: EnclaveEndpoint,
        kept: KeptExchanges,
        signers: frozenset[bytes],
        tell: Tell,
    ) -> None:
        self._endpoint, self._kept, self._signers, self._tell = endpoint, kept, signers, tell
        self._threads = ThreadPoolExecutor(MOST_AT_A_TIME, thread_name_prefix="enclave")
        self._chats: dict[str, KeptExchange] = {}
        self.app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        for path in ("chat/completions", "completions"):
            self.app.post(f"/v1/{path}")(self._route(path))
        self.app.get("/v1/models")(self.models)
        self.app.get("/v1/exchanges/{chat:path}")(self.exchange)
        self.app.get("/")(self.about)

    async def resume(self) -> None:
        """Ask for signatures that are missing since the proxy was stopped."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._sign_waiting)

    def close(self) -> None:
        """Wait for answers that are coming in."""
        self._threads.shutdown()

    async def models(self) -> Response:
        """Pass on the endpoint's list."""
        try:
            status, body = await asyncio.to_thread(self._endpoint.models)
        except OperatorError as error:
            return http_response(failure(error))
        return Response(body, status, media_type=JSON)

    async def exchange(self, chat: str) -> Response:
        """Return what is kept of an answer."""
        kept = self._chats.get(chat)
        if kept is None:
            return http_response(refusal(404, "no such answer is kept here", code="unknown_answer"))
        said: dict[str, Any] = {"chat": chat, "kept": str(kept.folder), "signed": kept.is_signed}
        if not kept.is_signed:
            return JSONResponse(said)
        found = await asyncio.to_thread(kept.read)
        answer = found.answer
        said |= {
            "signer": checksummed(answer.signer),
            "form": found.form,
            "item": f"0x{answer.item().hex()}",
        }
        return JSONResponse(said, headers={SIGNER: said["signer"]})

    async def about(self) -> dict[str, int]:
        """Return numbers of kept exchanges."""
        return await asyncio.to_thread(self._counts)

    def _counts(self) -> dict[str, int]:
        kept = list(self._kept)
        signed, waiting = sum(one.is_signed for one in kept), sum(one.waits for one in kept)
        return {"signed": signed, "waiting": waiting, "in_progress": len(kept) - signed - waiting}

    def _route(self, path: str) -> Any:
        async def answer(request: Request) -> Response:
            body = await read_body(request)
            return (
                http_response(body) if isinstance(body, Reply) else await self._answer(body, path)
            )

        return answer

    async def _answer(self, body: bytes, path: str) -> Response:
        loop = asyncio.get_running_loop()
        parts: asyncio.Queue[_Part] = asyncio.Queue()

        def put(part: _Part) -> None:
            # A loop that has ended has nobody who waits.
            if not loop.is_closed():
                loop.call_soon_threadsafe(parts.put_nowait, part)

        loop.run_in_executor(self._threads, self._fetch, body, path, put)
        head = await parts.get()
        if isinstance(head, _Head) and head.status == 200 and head.content_type.startswith(EVENTS):
            headers = {"Cache-Control": "no-store"}
            return StreamingResponse(_events(parts), 200, headers, media_type=head.content_type)
        received, last = b"", head
        while not isinstance(last, _End):
            last = await parts.get()
            received += last if isinstance(last, bytes) else b""
        return _whole(head if isinstance(head, _Head) else None, received, last)

    def _fetch(self, body: bytes, path: str, put: Any) -> None:
        """Get one answer to its end, with its signature; runs in a thread."""
        kept = self._kept.begin(body)
        try:
            with self._endpoint.stream(body, path) as coming:
                put(_Head(coming.status, coming.content_type))
                for part in coming:
                    put(part)
                if coming.status != 200:
                    kept.drop_unanswered()
                    put(_End(None))
                    return
                self._keep(kept, coming)
            put(_End(self._signed(kept)))
        except TallystickError as error:
            self._tell("not signed", {"kept": str(kept.folder), "reason": str(error)})
            whole = kept.is_answered
            kept.drop_unanswered()
            put(_End(None, error, whole))
        except BaseException:
            put(_End(None, STOPPED, whole=False))
            raise

    def _keep(self, kept: KeptExchange, coming: StreamedExchange) -> None:
        # Before anything else can go wrong: an answer has its price, and comes once.
        kept.receive(coming.received, coming.chat)
        self._chats[coming.chat] = kept

    def _signed(self, kept: KeptExchange) -> SignedExchange:
        exchange = kept.sign(self._endpoint, self._signers)
        facts = {"kept": str(kept.folder), "signer": checksummed(exchange.answer.signer)}
        self._tell("signed", facts | {"form": exchange.form})
        return exchange

    def _sign_waiting(self) -> None:
        for kept in self._kept:
            if not kept.waits:
                continue
            try:
                self._signed(kept)
            except TallystickError as error:
                self._tell("not signed", {"kept": str(kept.folder), "reason": str(error)})


async def _events(parts: "asyncio.Queue[_Part]") -> AsyncIterator[bytes]:
    """Yield a stream's bytes as they come; one that breaks off has no end of its own."""
    while not isinstance(part := await parts.get(), _End):
        if isinstance(part, bytes):
            yield part


def _whole(head: _Head | None, received: bytes, end: _End) -> Response:
    """Return the reply to a request whose answer is no stream.

    An answer whose signature is missing is passed on without the header; one whose signature does
    not hold is not.
    """
    if head is None or isinstance(end.error, AnswerError):
        return http_response(failure(end.error or STOPPED))
    if not end.whole:
        # Asked again, the endpoint would give another answer, and want to be paid for it.
        reply = refusal(502, f"the answer broke off: {end.error}", code="answer_broke_off")
        return http_response(replace(reply, headers=reply.headers | NO_RETRY))
    if head.status in (401, 403):
        # The client's key is the proxy's own: what the endpoint says of another is no word on it.
        return http_response(refusal(502, "the endpoint refuses the proxy's key"))
    if end.exchange is None:
        return Response(received, head.status, media_type=head.content_type)
    answer = end.exchange.answer
    return Response(answer.response, 200, {SIGNER: checksummed(answer.signer)}, head.content_type)


async def serve(
    proxy: EnclaveProxy, listening: socket.socket, key: str, hosts: Collection[str]
) -> None:
    """Serve until a signal ends it; answers that are coming in then are waited for.

    Args:
        proxy: the routes.
        listening: where clients connect to.
        key: see Guard.
        hosts: see Guard.
    """
    resuming = asyncio.create_task(proxy.resume())
    await serve_on(listening, Guard(proxy.app, key, hosts))
    await resuming
    await asyncio.to_thread(proxy.close)
