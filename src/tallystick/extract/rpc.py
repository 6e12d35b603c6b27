"""JSON-RPC over HTTP: one node that is asked again when it may help, and several of them.

Retries wait exponentially longer with jitter, or as long as the node says (Retry-After).
"""

import asyncio
import itertools
import random
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import httpx
import msgspec
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
)

from tallystick.extract.errors import ExtractError, RangeError, RpcError, UnavailableError
from tallystick.extract.refusals import http_refusal, refusal

T = TypeVar("T")

ATTEMPTS = 5
"""Of one call at one node, before another node is tried."""
LONGEST_WAIT = 30.0
"""Seconds between two attempts."""
GET_LOGS = "eth_getLogs"
ROUNDS = 3
"""How many times all nodes are tried."""


_NULL = msgspec.Raw(b"null")
_MEMBER = rb'"(?:jsonrpc|id)"\s*:\s*(?:"[^"\\]*"|\d+)\s*'
_BEFORE = re.compile(rb"\s*\{\s*(?:" + _MEMBER + rb',\s*)*"result"\s*:\s*(?=\[)')
_AFTER = re.compile(rb"\s*(?:,\s*" + _MEMBER + rb")*\}\s*")


class _Error(msgspec.Struct):
    code: int = 0
    message: str = ""
    data: Any = None

    def refusal(self) -> RpcError:
        return refusal(self.code, self.message, self.data)


def _pause(attempt: int, longest: float) -> float:
    """Return the seconds to wait after an attempt, the first being 1."""
    full = min(longest, 0.2 * 2.0**attempt)
    # Half of it by chance, so that clients which failed together do not come back together.
    return full * (1 + random.random()) / 2


@dataclass
class Node:
    """One JSON-RPC URL.

    Args:
        url: http or https; may hold a key, so it is never shown whole.
        client: that connects.
        attempts: of one call.
        longest_wait: seconds between two attempts; a node that asks for longer is given up for now.
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

    async def ask(self, kind: type[T], method: str, *params: Any) -> T:
        """Return a method's result, decoded as `kind`; of an array as msgspec.Raw nothing is read.

        Raises:
            RangeError: the node does not give that many logs at once.
            UnavailableError: another attempt may help.
            RpcError: the node refuses.
        """
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        result = kind if kind is msgspec.Raw else kind | None
        answer = msgspec.defstruct(
            "Answer", [("result", result, None), ("error", _Error | None, None)]
        )

        def read(content: bytes) -> Any:
            if kind is msgspec.Raw and (array := _array(content)) is not None:
                return answer(result=array)
            return msgspec.json.decode(content, type=answer)

        try:
            found = await self._post(body, read)
            if found.error is not None:
                raise found.error.refusal()
        except RangeError as error:
            if method == GET_LOGS:
                raise
            # Nothing else is ever too much: the words mean something else.
            raise UnavailableError(str(error)) from error
        if found.result in (None, _NULL):
            raise UnavailableError(f"{self.name} answers {method} with null")
        return found.result  # type: ignore[no-any-return]

    async def call(self, kind: type[T], method: str, *params: Any) -> T:
        """As ask; asks again while that may help."""
        return await self.again(partial(self.ask, kind, method, *params))

    async def calls(self, kind: type[T], method: str, params: Sequence[Sequence[Any]]) -> list[T]:
        """Return the results of several calls of one method, sent as one batch.

        To a node that does not take it, they are sent one by one.
        """
        ids = [next(self._ids) for _ in params]
        body = [
            {"jsonrpc": "2.0", "id": one, "method": method, "params": values}
            for one, values in zip(ids, params, strict=True)
        ]
        answer = msgspec.defstruct(
            "Answer",
            [
                ("id", int | str | None, None),
                ("result", kind | None, None),
                ("error", _Error | None, None),
            ],
        )

        read = partial(msgspec.json.decode, type=list[answer] | answer)  # type: ignore[valid-type]

        async def once() -> list[T]:
            answers = await self._post(body, read)
            if not isinstance(answers, list):
                raise RpcError(f"{self.name} answers a batch with a single answer")
            found = {one.id: one for one in answers}
            for one in found.values():
                if one.error is not None:
                    raise one.error.refusal()
            if any(one not in found or found[one].result is None for one in ids):
                raise UnavailableError(f"{self.name} answers a part of {method} with null")
            return [found[one].result for one in ids]

        try:
            return await self.again(once) if params else []
        except UnavailableError:
            raise
        except RpcError:
            return [await self.call(kind, method, *values) for values in params]

    async def _post(self, body: Any, read: Callable[[bytes], Any]) -> Any:
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
            return read(response.content)
        except msgspec.MsgspecError as error:
            said = " ".join(response.text[:100].split())
            raise UnavailableError(
                f"{self.name} answers with something else: {error}; it begins {said!r}"
            ) from error

    async def again(self, once: Callable[[], Awaitable[T]]) -> T:
        """Return what an attempt gives; attempts follow upon UnavailableError."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(self._may_help),
            stop=stop_after_attempt(self.attempts),
            wait=self._wait,
            reraise=True,
        )
        return await retrying(once)

    def _may_help(self, error: BaseException) -> bool:
        return isinstance(error, UnavailableError) and (
            error.retry_after is None or error.retry_after <= self.longest_wait
        )

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, UnavailableError) else None
        return _pause(state.attempt_number, self.longest_wait) if asked is None else asked


def _array(content: bytes) -> msgspec.Raw | None:
    """Return an answer's result without reading it; None if it is no array, or not to be found."""
    before, end = _BEFORE.match(content), content.rfind(b"]") + 1
    if before is None or _AFTER.fullmatch(content, end) is None:
        return None
    return msgspec.Raw(memoryview(content)[before.end() : end])


class Nodes:
    """Several nodes of one chain; whatever one of them cannot do is tried at the next.

    Args:
        nodes: in the order of preference.
        rounds: how many times all of them are tried.
    """

    def __init__(self, nodes: Sequence[Node], rounds: int = ROUNDS) -> None:
        if not nodes:
            raise ExtractError("no RPC URL is given")
        self.all = tuple(nodes)
        self._rounds, self._first = rounds, 0
        self._chain_ids: dict[str, int] = {}

    async def chain_id(self) -> int:
        """Return the chain that all nodes that answer are of.

        Raises:
            ExtractError: they are of different ones.
            RpcError: none answers; the first one's reason.
        """
        answers = await asyncio.gather(*map(self._know, self.all), return_exceptions=True)
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        for error in errors:
            if not self._chain_ids or not isinstance(error, RpcError):
                raise error
        return next(iter(self._chain_ids.values()))

    async def at_one(self, work: Callable[[Node], Awaitable[T]]) -> T:
        """Return what work gives, all of it done at one node: the first one that can.

        Raises:
            RpcError: none can; the last one's reason.
        """
        last: RpcError | None = None
        for turn in range(1, self._rounds + 1):
            hopeful: list[UnavailableError] = []
            start = self._first
            for step in range(len(self.all)):
                place = (start + step) % len(self.all)
                node = self.all[place]
                try:
                    await self._know(node)
                    result = await work(node)
                except RpcError as error:
                    last = error
                    if isinstance(error, UnavailableError):
                        hopeful.append(error)
                    continue
                # A node that works is asked first from now on.
                self._first = place
                return result
            longest = self.all[0].longest_wait
            asked = min((error.retry_after or 0 for error in hopeful), default=0)
            if not hopeful or turn == self._rounds or asked > 10 * longest:
                break
            await asyncio.sleep(asked or _pause(turn, longest))
        assert last is not None
        raise last

    async def _know(self, node: Node) -> None:
        """Make sure, once, that a node is of the others' chain."""
        if node.url in self._chain_ids:
            return
        self._chain_ids[node.url] = int(await node.call(str, "eth_chainId"), 16)
        if len(found := set(self._chain_ids.values())) > 1:
            raise ExtractError(f"the RPC URLs are of different chains: {sorted(found)}")
