"""The openai library, unchanged, before an endpoint that signs: through the proxy, kept."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tallystick.client.kept_exchanges import KeptExchanges
from tallystick.protocol.hexes import checksummed
from tests.support.enclave_proxy import enclave_proxy
from tests.support.local_server import LocalServer
from tests.support.patience import PATIENCE
from tests.support.signing_endpoint import SigningEndpoint, signing_endpoint


@pytest.fixture
def server() -> Iterator[SigningEndpoint]:
    with signing_endpoint() as found:
        yield found


@pytest.fixture
def proxy(server: SigningEndpoint, tmp_path: Path) -> Iterator[LocalServer]:
    with enclave_proxy(tmp_path / "proxy", server.url) as found:
        yield found


def test_openai_client__unchanged__answers_are_kept_under_their_signatures(
    proxy: LocalServer, server: SigningEndpoint
) -> None:
    client = openai.OpenAI(base_url=f"{proxy.url}/v1", api_key=proxy.key, timeout=PATIENCE)
    question = {"role": "user", "content": "2+2?"}

    whole = client.chat.completions.with_raw_response.create(
        model="qwen/qwen3-8b",
        messages=[question],  # type: ignore[list-item]
    )
    streamed = client.chat.completions.create(
        model="qwen/qwen3-8b",
        messages=[question],  # type: ignore[list-item]
        stream=True,
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed)

    assert whole.parse().choices[0].message.content == "vier, äöü \u2713"
    assert whole.headers["X-Tallystick-Signer"] == checksummed(server.enclave.address)
    assert text == "2+2 = vier"
    kept = KeptExchanges(proxy.answers)
    proxy.until(lambda: [one.is_signed for one in kept] == [True, True])
    assert [one.read().answer.request for one in kept] == server.asked
