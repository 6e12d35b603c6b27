"""Errors as the OpenAI API tells them."""

from typing import Any

from tallystick.errors import BodyRefusedError, TallystickError
from tallystick.llm.wire import error_body
from tallystick.node.operator.errors import RefusedError


class ApiError(TallystickError, ValueError):
    """A request that gets no answer, in the words of the OpenAI API.

    Attributes:
        status: of HTTP; OpenAI's client asks again after 408, 409, 429 and from 500 on.
        message: one line.
        param: the parameter that is wrong, or None.
        code: word for the cause, or None.
        retry_after: seconds after which asking again makes sense, or None.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.status, self.message, self.param, self.code = status, message, param, code
        self.retry_after = retry_after
        super().__init__(message)

    @classmethod
    def of(cls, error: TallystickError) -> "ApiError":
        """Return a refusal of the node or of LLM-1 in these words."""
        if isinstance(error, BodyRefusedError):
            return cls(error.status, str(error), param=error.param, code=error.code)
        if isinstance(error, RefusedError):
            message = error.reason.removeprefix("inference 0: ")
            busy = error.status in (429, 503)
            return cls(error.status, message, retry_after=_BUSY if busy else None)
        return cls(503, str(error), retry_after=_BUSY)

    def to_json(self) -> dict[str, Any]:
        """Return the body of the response."""
        return error_body(self.status, self.message, self.param, self.code)


_BUSY = 5
