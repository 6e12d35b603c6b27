"""AiohttpTransport: what goes wrong is said in httpx's words, and never with the URL."""

import asyncio

import httpx
import pytest

from tallystick.data.extract.transport import AiohttpTransport


@pytest.mark.parametrize(
    "url", ["ftp://node/the-key", "http:///the-key", "http://127.0.0.1:1/the-key"]
)
def test_request__no_answer_can_come__transport_error_without_the_url(url: str) -> None:
    async def ask() -> None:
        async with httpx.AsyncClient(transport=AiohttpTransport(1)) as client:
            await client.post(url, content=b"{}")

    with pytest.raises(httpx.TransportError) as caught:
        asyncio.run(ask())

    assert "the-key" not in str(caught.value)
