"""Exchange with an operator: a body and a header there, an answer back."""

from collections.abc import AsyncGenerator

import httpx

from tallystick.client.llm.book import Asked, Question
from tallystick.client.llm.errors import ApiRefusedError, StoppedError
from tallystick.client.llm.reading import AnswerReader, ReadAnswer
from tallystick.errors import OperatorError
from tallystick.llm.body import Fields
from tallystick.llm.request_header import NAME

CONNECT = 10.0
"""Seconds for a connection."""
_SILENCE = 60.0
"""Seconds without a byte of a stream; operators send a comment every 10."""
_WHOLE = 900.0
"""Seconds for an answer that is no stream."""
_LONGEST_REFUSAL = 1 << 16


async def exchange(
    http: httpx.AsyncClient, question: Question, fields: Fields, asked: Asked
) -> AsyncGenerator[str | ReadAnswer, None]:
    """Yield text as an operator sends it, an empty one while it goes on, and then the answer.

    Raises:
        ApiRefusedError: the operator refuses.
        StoppedError: it began, and did not end.
        OperatorError: it does not answer.
        AnswerError: what it sends is no answer.
    """
    silence = _SILENCE if fields.stream else _WHOLE
    reader = AnswerReader(fields.stream, fields.include_usage)
    begun = False
    try:
        async with http.stream(
            "POST",
            f"{asked.url}/v1/{question.path}",
            content=question.body,
            headers={
                NAME: asked.header,
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
            },
            timeout=httpx.Timeout(CONNECT, read=silence, write=silence),
        ) as response:
            if response.status_code != 200:
                said = await _bounded(response)
                retry_after = response.headers.get("retry-after")
                raise ApiRefusedError.of(response.status_code, said, retry_after)
            begun = True
            async for data in response.aiter_raw():
                for part in reader.feed(data):
                    yield part
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        if begun:
            raise StoppedError(reason) from error
        raise OperatorError(None, f"{asked.url} does not answer: {reason}") from error
    yield reader.answer()


async def _bounded(response: httpx.Response) -> bytes:
    said = b""
    async for data in response.aiter_raw():
        said += data
        if len(said) > _LONGEST_REFUSAL:
            break
    return said
