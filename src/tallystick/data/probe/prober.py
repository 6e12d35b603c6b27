"""Probes of endpoints, several at a time: who answers, how soon, and whether it is signed.

An endpoint has answered when a 2xx response is in to its last byte, within the timeout and the size
limit, and, where a signer is named, is signed as `tallystick.protocol.answer` says. Redirects
aren't followed. Every probe opens a connection of its own, and neither proxies nor passwords are
taken from the environment, so what is measured is the endpoint's.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from tallystick.data.probe.endpoints import Endpoint
from tallystick.data.probe.result import ProbeResult, Signature
from tallystick.errors import SignatureError
from tallystick.protocol.answer import NONCE_HEADER, SIGNATURE_HEADER, Answer
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256

DEFAULT_CONCURRENCY = 16
MAX_BODY = 1 << 20
"""Most bytes of a body unless told otherwise."""


def probe_all(
    endpoints: Sequence[Endpoint],
    concurrency: int = DEFAULT_CONCURRENCY,
    max_body: int = MAX_BODY,
) -> list[ProbeResult]:
    """Probe each endpoint once, in an event loop of its own.

    Args:
        endpoints: whom to ask.
        concurrency: at most so many at a time; an endpoint's clock starts when its turn comes.
        max_body: bytes after which an answer doesn't count and is read no further.

    Returns:
        One result for each endpoint, in the order given.
    """
    return asyncio.run(_probe_all(endpoints, concurrency, max_body))


async def _probe_all(
    endpoints: Sequence[Endpoint], concurrency: int, max_body: int
) -> list[ProbeResult]:
    # A look-up of a name goes on in its thread after its probe has timed out; with a thread for
    # each endpoint, names that nobody resolves don't keep the other endpoints waiting.
    threads = ThreadPoolExecutor(max(1, len(endpoints)))
    asyncio.get_running_loop().set_default_executor(threads)
    turns = asyncio.Semaphore(concurrency)
    async with httpx.AsyncClient(
        timeout=None,  # httpx's is for each read, so a slow drip would never end
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        trust_env=False,
    ) as client:

        async def in_turn(endpoint: Endpoint) -> ProbeResult:
            async with turns:
                return await _probe(client, endpoint, max_body)

        return await asyncio.gather(*(in_turn(endpoint) for endpoint in endpoints))


class _UnansweredError(Exception):
    """Raised with the reason, in one line, why an exchange does not count."""


@dataclass(slots=True)
class _Exchange:
    """The known part of a request and its response."""

    nonce: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    begin: float = field(default_factory=time.perf_counter)
    first: float | None = None
    last: float | None = None
    status: int | None = None
    signature: Signature = "absent"


async def _probe(client: httpx.AsyncClient, endpoint: Endpoint, max_body: int) -> ProbeResult:
    now, exchange, error = time.time(), _Exchange(), None
    try:
        async with asyncio.timeout(endpoint.timeout):
            response, body = await _exchange(client, endpoint, exchange, max_body)
        _check(endpoint, exchange, response, body)
    except TimeoutError:
        error = f"no whole answer within {endpoint.timeout:g} s"
    except (_UnansweredError, httpx.HTTPError, httpx.InvalidURL) as reason:
        error = _one_line(reason)
    answered = error is None
    return ProbeResult(
        now,
        endpoint.chain_id,
        endpoint.core,
        endpoint.network_id,
        endpoint.operator,
        endpoint.url,
        answered,
        exchange.first if answered else None,
        exchange.last if answered else None,
        exchange.status,
        exchange.signature,
        error,
    )


async def _exchange(
    client: httpx.AsyncClient, endpoint: Endpoint, exchange: _Exchange, max_body: int
) -> tuple[httpx.Response, bytes]:
    headers = [
        ("Accept-Encoding", "identity"),
        *endpoint.headers,
        (NONCE_HEADER, to_hex(exchange.nonce)),
    ]
    async with client.stream(
        endpoint.method, endpoint.url, content=endpoint.body, headers=headers
    ) as response:
        exchange.first = time.perf_counter() - exchange.begin
        exchange.status = response.status_code
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > max_body:
                raise _UnansweredError(f"the body exceeds {max_body} bytes")
        exchange.last = time.perf_counter() - exchange.begin
    return response, bytes(body)


def _check(endpoint: Endpoint, exchange: _Exchange, response: httpx.Response, body: bytes) -> None:
    """Note the signature; raise _UnansweredError unless the response counts as an answer."""
    unsigned = _signature_fault(endpoint, exchange, response, body)
    if not response.is_success:
        raise _UnansweredError(f"status is {response.status_code}; needed: 2xx")
    if unsigned:
        raise _UnansweredError(unsigned)


def _signature_fault(
    endpoint: Endpoint, exchange: _Exchange, response: httpx.Response, body: bytes
) -> str | None:
    if endpoint.signer is None:
        return None
    header = response.headers.get(SIGNATURE_HEADER)
    if header is None:
        return f"no {SIGNATURE_HEADER}"
    answer = Answer(endpoint.network_id, endpoint.operator, exchange.nonce, keccak256(body))
    try:
        answer.check(endpoint.domain, header, endpoint.signer)
    except SignatureError as error:
        exchange.signature = "invalid"
        return str(error)
    exchange.signature = "valid"
    return None


def _one_line(error: Exception) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    return said.encode(errors="replace").decode()
