"""Redirects of stores: a node follows gateways and signed URLs, but not into its own network."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tallystick.errors import StoreUnreachableError

MOST = 5
"""Redirects of one request."""


@asynccontextmanager
async def stream(
    client: httpx.AsyncClient, request: httpx.Request
) -> AsyncIterator[httpx.Response]:
    """Send a request, follow redirects, and give the last response, its body unread.

    Raises:
        StoreUnreachableError: too many redirects, from https to http, or from a public address to
            one that is not: a store must not have a node ask what only the node can reach.
        httpx.HTTPError: the request failed.
    """
    first = request.url
    for _ in range(MOST + 1):
        response = await client.send(request, stream=True)
        try:
            if response.next_request is None:
                yield response
                return
        finally:
            await response.aclose()
        await check_redirect(first, request.url, response.next_request.url)
        request = response.next_request
    raise StoreUnreachableError(f"{first} redirects more than {MOST} times")


async def check_redirect(first: httpx.URL, before: httpx.URL, target: httpx.URL) -> None:
    """Refuse a redirect from one place to another; `first` is where the request began.

    Raises:
        StoreUnreachableError: see stream.
    """
    if before.scheme == "https" and target.scheme != "https":
        raise StoreUnreachableError(f"{first} redirects from https to {target.scheme}")
    if target.host != first.host and not await _public(target) and await _public(first):
        raise StoreUnreachableError(f"{first} redirects to {target.host}, which is not public")


async def _public(url: httpx.URL) -> bool:
    """Return whether every address of a host can be reached by anybody."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            url.host, url.port or 443, type=socket.SOCK_STREAM
        )
    except OSError as error:
        raise StoreUnreachableError(f"{url.host} is not known: {error}") from error
    return all(ipaddress.ip_address(str(one[4][0])).is_global for one in found)
