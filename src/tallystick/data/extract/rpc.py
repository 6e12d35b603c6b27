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
)

from tallystick.chain.rpc.errors import (
    BehindError,
    BusyError,
    DeniedError,
    PrunedError,
    RangeError,
    RpcError,
    SlowError,
    UnavailableError,
)
from tallystick.chain.rpc.refusals import answer_refusal, http_refusal, seconds_to_wait
from tallystick.chain.rpc.url import RpcUrl
from tallystick.data.extract.errors import ExtractError
from tallystick.data.extract.window import Window

T = TypeVar("T")

ATTEMPTS = 5
"""Attempts of one call at one node, before another node is tried."""
LONGEST_WAIT = 30.0
"""Seconds between two attempts."""
GET_LOGS = "eth_getLogs"
ROUNDS = 3
"""Times that all nodes are tried."""
BATCH = 100
"""Calls in one JSON-RPC batch; what public nodes allow."""
TRIES = 2
"""Attempts of what may be asked in smaller pieces."""
_BATCH_STREAK = 32
"""Batches in a row that a node takes before it is given larger ones."""
_OF_BLOCKS = ("eth_getBlockByNumber", "eth_getBlockByHash")

_NULL = msgspec.Raw(b"null")
_MEMBER = rb'"(?:jsonrpc|id)"\s*:\s*(?:"[^"\\]*"|\d+)\s*'
_BEFORE = re.compile(rb"\s*\{\s*(?:" + _MEMBER + rb',\s*)*"result"\s*:\s*(?=\[)')
_AFTER = re.compile(rb"\s*(?:,\s*" + _MEMBER + rb")*\}\s*")


def _pause(attempt: int, longest: float) -> float:
    """Return the seconds to wait after an attempt, the first being 1."""
    full = min(longest, 0.2 * 2.0**attempt)
    # Half of it by chance, so that clients which failed together do not come back together.
    return full * (1 + random.random()) / 2


@dataclass
class RpcNode:
    """One JSON-RPC URL.

    Args:
        url: http or https; may hold a key or user:password@, so it is never shown whole.
        client: that connects.
        attempts: of one call.
        longest_wait: seconds between two attempts; a node that asks for longer is given up for now.
    """

    url: str
    client: httpx.AsyncClient
    attempts: int = ATTEMPTS
    longest_wait: float = LONGEST_WAIT
    _ids: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._place = RpcUrl.parse(self.url)
        self._batch = Window(BATCH, _BATCH_STREAK)

    @property
    def name(self) -> str:
        """Host and port, to speak of it."""
        return self._place.name

    async def ask(self, kind: type[T], method: str, *params: Any) -> T:
        """Return a method's result, decoded as `kind`; of an array as msgspec.Raw nothing is read.

        Raises:
            RpcError: by its kind, see chain.rpc.errors; RangeError only of eth_getLogs.
        """
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        result = kind if kind is msgspec.Raw else kind | None
        answer = msgspec.defstruct("Answer", [("result", result, None), ("error", Any, None)])

        def read(content: bytes) -> Any:
            if kind is msgspec.Raw and (array := _array(content)) is not None:
                return answer(result=array)
            found: Any = msgspec.json.decode(content, type=answer)
            if found.result in (None, _NULL) and (said := answer_refusal(_json(content))):
                raise said
            return found

        try:
            found = await self._post(body, read)
        except RangeError as error:
            if method == GET_LOGS:
                raise
            # Nothing else is ever too much: the words mean something else.
            raise UnavailableError(str(error)) from error
        if found.result in (None, _NULL):
            nothing = BehindError if method in _OF_BLOCKS else UnavailableError
            raise nothing(f"{self.name} answers {method} with null")
        return found.result  # type: ignore[no-any-return]

    async def call(self, kind: type[T], method: str, *params: Any) -> T:
        """Ask, and ask again while that may help; see ask for errors."""
        return await self.again(partial(self.ask, kind, method, *params))

    async def calls(self, kind: type[T], method: str, params: Sequence[Sequence[Any]]) -> list[T]:
        """Return the results of several calls of one method, sent in batches.

        A batch that fails twice is halved, down to one call; what was answered is kept.

        Raises:
            RpcError: a call that is sent alone fails, see call; or no block or state is there.
        """
        found: dict[int, T] = {}
        while len(found) < len(params):
            missing = (place for place in range(len(params)) if place not in found)
            some = list(itertools.islice(missing, self._batch.size))
            if len(some) == 1:
                found[some[0]] = await self.call(kind, method, *params[some[0]])
                self._batch.accepted(1)
                continue
            try:
                await self.again(partial(self._together, kind, method, params, some, found), TRIES)
                self._batch.accepted(len(some))
            except (BehindError, PrunedError):
                raise
            except RpcError as error:
                if isinstance(error, UnavailableError) and not self._may_help(error):
                    raise
                # Who does not allow batches does not allow small ones either.
                self._batch.refused(2 if isinstance(error, DeniedError) else len(some))
        return [found[place] for place in range(len(params))]

    async def _together(
        self,
        kind: type[T],
        method: str,
        params: Sequence[Sequence[Any]],
        places: Sequence[int],
        found: dict[int, T],
    ) -> None:
        """Send calls as one batch, of those in `places` that are not found; fills in `found`."""
        # Some nodes write ids back as text.
        ids = {str(next(self._ids)): place for place in places if place not in found}
        body = [
            {"jsonrpc": "2.0", "id": int(one), "method": method, "params": params[place]}
            for one, place in ids.items()
        ]
        wrong: list[RpcError] = []
        nothing = BehindError if method in _OF_BLOCKS else UnavailableError

        def read(content: bytes) -> None:
            answers = _json(content)
            if not isinstance(answers, list):
                raise answer_refusal(answers) or RpcError(
                    f"{self.name} answers a batch with a single answer"
                )
            for answer in answers:
                place = ids.get(str(answer.get("id"))) if isinstance(answer, dict) else None
                if error := answer_refusal(answer):
                    wrong.append(error)
                elif answer["result"] is None:
                    wrong.append(nothing(f"{self.name} answers {method} with null"))
                elif place is not None:
                    found[place] = msgspec.convert(answer["result"], kind)

        await self._post(body, read)
        if wrong:
            raise wrong[0]
        if any(place not in found for place in places):
            raise UnavailableError(f"{self.name} leaves out answers of a batch of {method}")

    async def _post(self, body: Any, read: Callable[[bytes], Any]) -> Any:
        headers = {"content-type": "application/json", **self._place.headers}
        try:
            response = await self.client.post(
                self._place.url, content=msgspec.json.encode(body), headers=headers
            )
        except httpx.TimeoutException as error:
            raise SlowError(f"{self.name} does not answer in time") from error
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise UnavailableError(f"{self.name} does not answer: {reason}") from error
        if response.status_code != 200:
            wait, leads = response.headers.get("retry-after"), response.headers.get("location")
            raise http_refusal(response.status_code, response.text, seconds_to_wait(wait), leads)
        try:
            return read(response.content)
        except msgspec.MsgspecError as error:
            said = " ".join(response.text[:100].split())
            raise UnavailableError(
                f"{self.name} answers with something else: {error}; it begins {said!r}"
            ) from error

    async def again(self, once: Callable[[], Awaitable[T]], attempts: int | None = None) -> T:
        """Return what an attempt gives; attempts follow upon UnavailableError.

        Args:
            once: the attempt.
            attempts: most of them, where a rate limit is not what stops them; None: the node's.
        """
        most = min(attempts or self.attempts, self.attempts)

        def is_over(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            limit = self.attempts if isinstance(error, BusyError) else most
            # What takes too long whole takes as long again.
            return state.attempt_number >= limit or (
                attempts is not None and isinstance(error, SlowError)
            )

        retrying = AsyncRetrying(
            retry=retry_if_exception(self._may_help),
            stop=is_over,
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
        return max(asked or 0.0, _pause(state.attempt_number, self.longest_wait))


def _json(content: bytes) -> Any:
    """Return JSON of any shape; msgspec.MsgspecError where it is none."""
    return msgspec.json.decode(content)


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

    def __init__(self, nodes: Sequence[RpcNode], rounds: int = ROUNDS) -> None:
        if not nodes:
            raise ExtractError("no RPC URL is given")
        self.all = tuple(nodes)
        self._loop, self._first = rounds, 0
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

    async def at_one(self, work: Callable[[RpcNode], Awaitable[T]]) -> T:
        """Return what work gives, all of it done at one node: the first one that can.

        Raises:
            RpcError: none can; the last one's reason.
        """
        last: RpcError | None = None
        for turn in range(1, self._loop + 1):
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
            if not hopeful or turn == self._loop or asked > 10 * longest:
                break
            await asyncio.sleep(max(asked, _pause(turn, longest)))
        assert last is not None
        raise last

    async def _know(self, node: RpcNode) -> None:
        """Make sure, once, that a node is of the others' chain."""
        if node.url in self._chain_ids:
            return
        self._chain_ids[node.url] = int(await node.call(str, "eth_chainId"), 16)
        if len(found := set(self._chain_ids.values())) > 1:
            raise ExtractError(f"the RPC URLs are of different chains: {sorted(found)}")
