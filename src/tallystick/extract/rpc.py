"""JSON-RPC over HTTP: one node that is asked again when it may help, and several of them.

Retries wait exponentially longer with jitter, or as long as the node says (Retry-After).
"""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import msgspec
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from tallystick.extract.errors import RpcError, UnavailableError
from tallystick.extract.refusals import http_refusal, refusal

T = TypeVar("T")

ATTEMPTS = 5
"""Of one call at one node, before another node is tried."""
LONGEST_WAIT = 30.0
"""Seconds between two attempts, unless the node asks for longer."""


class _Error(msgspec.Struct):
    code: int = 0
    message: str = ""


def _pause(longest: float) -> Callable[[RetryCallState], float]:
    exponential = wait_exponential_jitter(
        initial=min(0.2, longest), max=longest, jitter=longest / 10
    )

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, UnavailableError) else None
        return asked if asked is not None else exponential(state)

    return wait


@dataclass
class Node:
    """One JSON-RPC URL.

    Args:
        url: http or https; may hold a key, so it is never shown whole.
        client: that connects.
        attempts: of one call.
        longest_wait: seconds between two attempts.
    """

    url: str
    client: httpx.AsyncClient
    attempts: int = ATTEMPTS
    longest_wait: float = LONGEST_WAIT
    _ids: Any = field(default_factory=itertools.count)

    @property
    def name(self) -> str:
        """Host and port, to speak of it."""
        parsed = httpx.URL(self.url)
        return parsed.netloc.decode()

    async def call(self, kind: type[T], method: str, *params: Any) -> T:
        """Return a method's result, decoded as `kind`; asks again while that may help.

        Raises:
            RangeError: the node does not give that much at once.
            UnavailableError: no attempt helped.
            RpcError: the node refuses.
        """
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        answer = msgspec.defstruct(
            "Answer", [("result", kind | None, None), ("error", _Error | None, None)]
        )

        async def once() -> T:
            found = await self._post(body, answer)
            if found.error is not None:
                raise refusal(found.error.code, found.error.message)
            if found.result is None:
                raise UnavailableError(f"{self.name} answers {method} with null")
            return found.result  # type: ignore[no-any-return]

        return await self._again(once)

    async def calls(self, kind: type[T], method: str, params: Sequence[Sequence[Any]]) -> list[T]:
        """Return the results of several calls of one method, sent as one batch."""
        ids = [next(self._ids) for _ in params]
        body = [
            {"jsonrpc": "2.0", "id": one, "method": method, "params": values}
            for one, values in zip(ids, params, strict=True)
        ]
        answer = msgspec.defstruct(
            "Answer",
            [("id", int), ("result", kind | None, None), ("error", _Error | None, None)],
        )

        async def once() -> list[T]:
            found = {one.id: one for one in await self._post(body, list[answer])}  # type: ignore[valid-type]
            for one in found.values():
                if one.error is not None:
                    raise refusal(one.error.code, one.error.message)
            if any(one not in found or found[one].result is None for one in ids):
                raise UnavailableError(f"{self.name} answers a part of {method} with null")
            return [found[one].result for one in ids]

        return await self._again(once) if params else []

    async def _post(self, body: Any, kind: Any) -> Any:
        headers = {"content-type": "application/json"}
        try:
            response = await self.client.post(
                self.url, content=msgspec.json.encode(body), headers=headers
            )
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise UnavailableError(f"{self.name} does not answer: {reason}") from error
        if response.status_code != 200:
            wait = response.headers.get("retry-after", "")
            seconds = float(wait) if wait.isdecimal() else None
            raise http_refusal(response.status_code, response.text, seconds)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.MsgspecError as error:
            said = " ".join(response.text[:100].split())
            raise UnavailableError(
                f"{self.name} answers with something else: {error}; it begins {said!r}"
            ) from error

    async def _again(self, once: Callable[[], Awaitable[T]]) -> T:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(UnavailableError),
            stop=stop_after_attempt(self.attempts),
            wait=_pause(self.longest_wait),
            reraise=True,
        )
        return await retrying(once)


class Nodes:
    """Several nodes of one chain; whatever one of them cannot do is tried at the next.

    Args:
        nodes: in the order of preference.
        rounds: how many times all of them are tried.
    """

    def __init__(self, nodes: Sequence[Node], rounds: int = 2) -> None:
        if not nodes:
            raise RpcError("no RPC URL is given")
        self.all = tuple(nodes)
        self._rounds, self._first = rounds, 0

    async def at_one(self, work: Callable[[Node], Awaitable[T]]) -> T:
        """Return what work gives, all of it done at one node: the first one that can.

        Raises:
            RpcError: none can; the last one's reason.
        """
        last: RpcError | None = None
        for attempt in range(len(self.all) * self._rounds):
            place = (self._first + attempt) % len(self.all)
            try:
                result = await work(self.all[place])
            except UnavailableError as error:
                last = error
                continue
            # A node that works is asked first from now on.
            self._first = place
            return result
        assert last is not None
        raise last
