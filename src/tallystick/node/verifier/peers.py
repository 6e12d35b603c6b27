"""Other members' nodes, asked over HTTP for what each has signed itself."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import httpx

Shown = TypeVar("Shown")


def ask_peers(
    urls: Sequence[str],
    target: str,
    read: Callable[[bytes], Shown],
    most: int,
    timeout: float,
    log: Any,
) -> list[Shown]:
    """Return what nodes show under a path; one that fails or has nothing is passed over.

    Args:
        urls: of the nodes.
        target: path, without a slash before it.
        read: what to make of an answer, of which it gets little more than `most` bytes.
        most: bytes that an answer may have.
        timeout: seconds for one node's answer.
        log: told of nodes that are of no use.
    """
    return asyncio.run(_answers(urls, target, read, most, timeout, log)) if urls else []


async def _answers(
    urls: Sequence[str],
    target: str,
    read: Callable[[bytes], Shown],
    most: int,
    timeout: float,
    log: Any,
) -> list[Shown]:
    async with httpx.AsyncClient(timeout=timeout) as client:

        async def ask(url: str) -> Shown | None:
            whole = f"{url.rstrip('/')}/{target}"
            async with asyncio.timeout(timeout), client.stream("GET", whole) as response:
                if response.status_code == 404:
                    return None
                response.raise_for_status()
                body = bytearray()
                async for piece in response.aiter_raw():
                    body += piece
                    if len(body) > most:
                        break
                return read(bytes(body))

        answers = await asyncio.gather(*map(ask, urls), return_exceptions=True)
    found: list[Shown] = []
    for url, answer in zip(urls, answers, strict=True):
        if isinstance(answer, BaseException):
            log.info("a member's node is of no use", url=url, reason=repr(answer))
        elif answer is not None:
            found.append(answer)
    return found
