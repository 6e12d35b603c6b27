"""HTTP to an operator's node: what it says, read with care."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from tallystick.errors import AnswerError, MissingExtraError, OperatorError
from tallystick.protocol.validation import first_fault

MAX_BODY = 64 << 20
"""Bytes of an answer that are read at most."""
_TRIES = 3
_Said = TypeVar("_Said", bound=BaseModel)


class Connection:
    """A connection to one node.

    Args:
        url: of the node.
        timeout: seconds for an answer.

    Raises:
        MissingExtraError: httpx is not installed.
    """

    def __init__(self, url: str, timeout: float) -> None:
        try:
            import httpx
        except ImportError as error:
            raise MissingExtraError("httpx", "client") from error
        self._failures = (httpx.HTTPError, httpx.InvalidURL)
        self._http = httpx.Client(base_url=url, timeout=timeout)

    def close(self) -> None:
        """Let go of it."""
        self._http.close()

    def get(self, path: str, kind: type[_Said]) -> _Said:
        """Return what a GET is answered with; errors as of post."""
        return self._exchange("GET", path, None, kind)

    def post(self, path: str, body: BaseModel, kind: type[_Said]) -> _Said:
        """Return what a POST is answered with.

        Raises:
            OperatorError: the node refuses, or does not answer.
            AnswerError: it says something else than a `kind`.
        """
        return self._exchange("POST", path, body.model_dump_json().encode(), kind)

    def _exchange(self, method: str, path: str, body: bytes | None, kind: type[_Said]) -> _Said:
        status, said = self._patiently(method, path, body)
        if status >= 300:
            raise OperatorError(status, _reason(said))
        try:
            return kind.model_validate_json(said)
        except ValidationError as error:
            where, reason = first_fault(error, "body")
            raise AnswerError(f"the answer is malformed: {where}: {reason}") from error

    def _patiently(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Ask again where the connection broke: a node repeats what it has answered."""
        for tries_left in reversed(range(_TRIES)):
            try:
                return self._once(method, path, body)
            except self._failures as error:
                if not tries_left:
                    reason = str(error) or type(error).__name__
                    raise OperatorError(None, f"the operator does not answer: {reason}") from error
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        said = bytearray()
        with self._http.stream(method, path, content=body, headers=headers) as response:
            for part in response.iter_bytes():
                said += part
                if len(said) > MAX_BODY:
                    raise AnswerError(f"the answer exceeds {MAX_BODY} bytes")
        return response.status_code, bytes(said)


def _reason(said: bytes) -> str:
    """Return why a node refuses, on one line."""
    try:
        reason = from_json(said)["error"]
    except (ValueError, KeyError, TypeError):
        return "the operator refuses, and gives no reason"
    return " ".join(str(reason).split())[:500]
