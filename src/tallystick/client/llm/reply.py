"""Replies to clients of the OpenAI API: statuses, bodies, events, for servers and transports."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from tallystick.client.llm.asking import Answering, Asker
from tallystick.client.llm.errors import ApiRefusedError
from tallystick.client.llm.kept import KeptAnswer
from tallystick.client.llm.receipts import ReceiptCollector
from tallystick.errors import AnswerError, BodyRefusedError, OperatorError, TallystickError
from tallystick.llm.wire import DONE, error_body, event
from tallystick.protocol.hexes import to_hex

VERIFIED = "X-Tallystick-Verified"
"""Header: the id of the batch that the chain has the answer in. Without it nothing is said."""
JSON, EVENTS = "application/json", "text/event-stream"


@dataclass(frozen=True, slots=True)
class Reply:
    """A response before it is sent."""

    status: int
    headers: dict[str, str]
    body: bytes | AsyncIterator[bytes]
    answering: Answering | None = None
    """To be told that it was received, or closed; None: an iterator does it, or there is none."""


class Replies:
    """Replies to bodies that clients send.

    Args:
        asker: gets the answers.
        collector: gets their receipts.
        wait: seconds for which an answer that is no stream is held back until its receipt is there;
            0: none is.
    """

    def __init__(self, asker: Asker, collector: ReceiptCollector, wait: float = 0) -> None:
        self._asker, self._collector, self._wait = asker, collector, wait

    async def reply(self, path: str, body: bytes, retry_count: str | None) -> Reply:
        """Return the reply to a body.

        Args:
            path: of the API, behind /v1/.
            body: byte for byte as it came.
            retry_count: value of x-stainless-retry-count, None where there is none.
        """
        try:
            retried = (retry_count or "0").strip() not in ("", "0")
            answering = await self._asker.ask(path, body, retried)
        except BodyRefusedError as error:
            return refusal(error.status, str(error), param=error.param, code=error.code)
        try:
            if answering.fields.stream:
                return await self._stream(answering)
            async for _ in answering.parts():
                pass
            kept = answering.kept
            headers = await self._verified(kept) if self._wait else {}
        except TallystickError as error:
            answering.close()
            return failure(error)
        except BaseException:
            answering.close()
            raise
        whole = answering.wire(kept.request.struct_hash()).whole(kept.answer)
        return Reply(200, {"Content-Type": JSON, **headers}, to_json(whole), answering)

    async def _verified(self, kept: KeptAnswer) -> dict[str, str]:
        found = await self._collector.wait(kept.id, self._wait)
        if found is None or found.receipt is None:
            return {}
        return {VERIFIED: to_hex(found.receipt.batch_id)}

    async def _stream(self, answering: Answering) -> Reply:
        parts = answering.parts()
        # A refusal comes before the first part, and has a status of its own.
        request, first = await anext(parts)
        headers = {"Content-Type": EVENTS, "Cache-Control": "no-store"}
        return Reply(200, headers, _events(answering, request, first, parts))


async def _events(
    answering: Answering, request: bytes, first: str, parts: AsyncIterator[tuple[bytes, str]]
) -> AsyncIterator[bytes]:
    try:
        wire = answering.wire(request)
        for chunk in wire.first():
            yield event(chunk)
        if first:
            yield event(wire.part(first))
        async for now, part in parts:
            if now != request:
                request, wire = now, answering.wire(now)
            yield event(wire.part(part)) if part else b": generating\n\n"
        wire = answering.wire(answering.kept.request.struct_hash())
        for chunk in wire.last(answering.kept.answer):
            yield event(chunk)
        yield DONE
        await answering.received()
    except TallystickError as error:
        yield event(_failed(error)[2])
    finally:
        answering.close()


def refusal(
    status: int, message: str, *, param: str | None = None, code: str | None = None
) -> Reply:
    """Return a refusal in OpenAI's form."""
    return Reply(status, {"Content-Type": JSON}, to_json(error_body(status, message, param, code)))


def failure(error: TallystickError) -> Reply:
    """Return the reply that says why there is no answer."""
    status, headers, body = _failed(error)
    return Reply(status, {"Content-Type": JSON, **headers}, to_json(body))


def _failed(error: TallystickError) -> tuple[int, dict[str, str], dict[str, Any]]:
    if isinstance(error, ApiRefusedError):
        headers = {} if error.retry_after is None else {"Retry-After": error.retry_after}
        status = error.status or 502
        # The client's key is the proxy's own: what an operator says of the header is no word on it.
        status = 502 if status in (401, 403) else status
        return status, headers, {"error": error.error}
    if isinstance(error, AnswerError):
        # The same operators would be asked for the same lie.
        return (
            502,
            {"x-should-retry": "false"},
            error_body(502, f"no answer holds: {error}", code="answer_does_not_hold"),
        )
    code = "no_operator_answers" if isinstance(error, OperatorError) else None
    return 503, {"Retry-After": "2"}, error_body(503, str(error), code=code)
