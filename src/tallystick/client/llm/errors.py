"""Errors of asking language models, beside OperatorError and AnswerError."""

from typing import Any

from pydantic_core import from_json

from tallystick.errors import OperatorError


class ApiRefusedError(OperatorError):
    """An operator's refusal in the words of the OpenAI API.

    Attributes:
        status: of HTTP.
        error: `{message, type, param, code}`, of which any may be None.
        retry_after: seconds after which asking again makes sense, or None.
    """

    def __init__(self, status: int, error: dict[str, Any], retry_after: str | None = None) -> None:
        self.error = error
        self.retry_after = retry_after
        super().__init__(status, str(error["message"]))

    @classmethod
    def of(cls, status: int, said: bytes, retry_after: str | None) -> "ApiRefusedError":
        """Return the refusal in a response; texts are cut to a line."""
        try:
            found = from_json(said)["error"]
            error = {name: _line(found.get(name)) for name in ("message", "type", "param", "code")}
        except (ValueError, KeyError, TypeError, AttributeError):
            error = dict.fromkeys(("message", "type", "param", "code"))
        error["message"] = error["message"] or "the operator refuses, and gives no reason"
        if retry_after is not None and not retry_after.isdecimal():
            retry_after = None
        return cls(status, error, retry_after)

    @property
    def of_body(self) -> bool:
        """True if every operator would refuse: the body is at fault."""
        return self.status in (400, 413, 415) and not self.of_nonce and not self._of_header

    @property
    def of_nonce(self) -> bool:
        """True if the operator knows the nonce from another request."""
        return str(self.error["code"]) == "nonce_taken"

    @property
    def busy(self) -> bool:
        """True if the very same header may be answered later."""
        return self.status in (408, 409, 429) or (self.status or 0) >= 500

    @property
    def _of_header(self) -> bool:
        return str(self.error["code"]).startswith("request_header")


class StoppedError(OperatorError):
    """An operator began an answer, and did not end it."""

    def __init__(self, reason: str) -> None:
        super().__init__(None, f"the operator stopped midway: {reason}")


def _line(value: object) -> str | None:
    return None if value is None else " ".join(str(value).split())[:500]
