"""Operators that may be asked: who they are, by their own word, and when they can answer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from pydantic import ValidationError

from tallystick.errors import AnswerError, OperatorError
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.wire import OperatorSaid

_FRESH = 60.0
"""Seconds for which what an operator says of itself is not asked for again."""
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator's node, and what it says of itself.

    Nothing of it is trusted but the way to it: the address is in each request that is signed, and
    the registry tells whether the model is of the network.
    """

    url: str
    address: bytes
    network_id: bytes
    said: OperatorSaid
    seen_at: float
    """Of the monotonic clock."""

    @property
    def now(self) -> int:
        """Unix seconds, by the operator's view of the chain's clock."""
        return self.said.now + int(time.monotonic() - self.seen_at)

    def deadline(self, within: int | None) -> int:
        """Return the deadline of a new request.

        Args:
            within: seconds; None: the middle between what the operator needs and what the network
                allows.
        """
        return self.now + (self.said.usual_within if within is None else within)


class Operators:
    """Operators in the order in which they are asked.

    Args:
        urls: of their nodes, one at least.
        domain: chain and registry that they must be of.
        http: what they are asked with.
    """

    def __init__(self, urls: Sequence[str], domain: Domain, http: httpx.AsyncClient) -> None:
        self.urls = [one.rstrip("/") for one in urls]
        self._domain, self._http = domain, http
        self._known: dict[str, Operator] = {}

    async def about(self, url: str) -> Operator:
        """Return what an operator says of itself, at most a minute ago.

        Raises:
            OperatorError: it does not answer, or has not seen the chain yet.
            AnswerError: it is of another chain or registry.
        """
        known = self._known.get(url)
        if known is not None and time.monotonic() - known.seen_at < _FRESH:
            return known
        try:
            response = await self._http.get(f"{url}/")
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise OperatorError(None, f"{url} does not answer: {reason}") from error
        if response.status_code != 200 or len(response.content) > _MOST_BYTES:
            raise OperatorError(response.status_code, f"{url} does not say who it is")
        try:
            said = OperatorSaid.model_validate_json(response.content)
        except ValidationError as error:
            raise AnswerError(f"{url} is no operator's node") from error
        said.check_place(self._domain, url)
        if not said.ready:
            raise OperatorError(None, f"{url} has not seen the chain yet")
        found = Operator(
            url, from_hex(said.operator), from_hex(said.network_id), said, time.monotonic()
        )
        self._known[url] = found
        return found
