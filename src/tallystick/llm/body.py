"""The HTTP body of a request, and the fields of it that have an effect.

An inference's input is the body, byte for byte; its input hash is keccak256 of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import Any

from tallystick.errors import BodyRefusedError
from tallystick.llm import neutral
from tallystick.llm.messages import Message, read_messages
from tallystick.llm.strict_json import Number, parse_object

MOST_STOPS = 4
MOST_STOP_BYTES = 64
_LIMITS = ("max_tokens", "max_completion_tokens")
_USAGE = "include_usage"


@dataclass(frozen=True, slots=True)
class Fields:
    """The effective fields of a body; exactly one of messages and prompt is there."""

    messages: tuple[Message, ...] | None = None
    prompt: str | None = None
    max_tokens: int | None = None
    """None: as many as the spec says."""
    temperature: int = 1000
    """In thousandths, 0 to 2000: t."""
    min_p: int = 1
    """In thousandths, 1 to 1000: p."""
    stops: tuple[bytes, ...] = ()
    """UTF-8, of 1 to 64 bytes each."""
    model: str | None = None
    """Without effect: the request names the model."""
    stream: bool = False
    include_usage: bool = False


def read_body(body: bytes) -> Fields:
    """Return the effective fields of a body.

    Args:
        body: as it came, without a content encoding.

    Raises:
        BodyRefusedError: what LLM-1 does not allow, by its parameter; the body's first.

    >>> fields = read_body(b'{"prompt": "Once", "temperature": 0.800000011920929, "top_p": 1.0}')
    >>> fields.prompt, fields.temperature, fields.min_p
    ('Once', 800, 1)
    """
    fields = Fields()
    present = {name: value for name, value in parse_object(body).items() if value is not None}
    for name, value in present.items():
        if name in _READERS:
            fields = _READERS[name](fields, name, value)
        elif name not in neutral.NAMES:
            raise BodyRefusedError(name, "it is not supported")
        elif needed := neutral.needed_value(name, value):
            raise BodyRefusedError(name, f"it is not supported; needed: {needed}, or nothing")
    if all(name in present for name in _LIMITS):
        raise BodyRefusedError(_LIMITS[1], "it stands beside max_tokens; needed: one of them")
    if fields.messages is None and fields.prompt is None:
        raise BodyRefusedError("messages", "needed: messages or prompt")
    if fields.messages is not None and fields.prompt is not None:
        raise BodyRefusedError("prompt", "it stands beside messages; needed: one of them")
    return fields


def thousandths(value: Fraction) -> int:
    """Return a value in thousandths, halves upwards.

    >>> thousandths(Fraction("0.0005")), thousandths(Fraction("0.00049999"))
    (1, 0)
    """
    return floor(1000 * value + Fraction(1, 2))


def _model(fields: Fields, name: str, value: Any) -> Fields:
    return replace(fields, model=_text(name, value))


def _messages(fields: Fields, name: str, value: Any) -> Fields:
    return replace(fields, messages=read_messages(value))


def _prompt(fields: Fields, name: str, value: Any) -> Fields:
    return replace(fields, prompt=_text(name, value))


def _limit(fields: Fields, name: str, value: Any) -> Fields:
    if not isinstance(value, Number) or not value.whole or value.value < 1:
        raise BodyRefusedError(
            name,
            f"it is {_shown(value)}; needed: an integer above zero, without fraction or exponent",
        )
    return replace(fields, max_tokens=int(value.literal))


def _temperature(fields: Fields, name: str, value: Any) -> Fields:
    return replace(fields, temperature=thousandths(_between(name, value, 2)))


def _min_p(fields: Fields, name: str, value: Any) -> Fields:
    return replace(fields, min_p=max(1, thousandths(_between(name, value, 1))))


def _stop(fields: Fields, name: str, value: Any) -> Fields:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not 1 <= len(texts) <= MOST_STOPS:
        raise BodyRefusedError(name, f"needed: a text, or 1 to {MOST_STOPS} of them")
    stops = tuple(_text(name, one).encode() for one in texts)
    for one in stops:
        if not 1 <= len(one) <= MOST_STOP_BYTES:
            raise BodyRefusedError(
                name, f"a text of {len(one)} bytes; needed: 1 to {MOST_STOP_BYTES} bytes each"
            )
    return replace(fields, stops=stops)


def _stream(fields: Fields, name: str, value: Any) -> Fields:
    return replace(fields, stream=_truth(name, value))


def _stream_options(fields: Fields, name: str, value: Any) -> Fields:
    if not isinstance(value, dict):
        raise BodyRefusedError(name, "needed: an object")
    for option, one in value.items():
        if option == _USAGE:
            fields = replace(
                fields, include_usage=one is not None and _truth(f"{name}.{option}", one)
            )
        elif one is not None and one is not False:
            raise BodyRefusedError(f"{name}.{option}", "it is not supported")
    return fields


_READERS: dict[str, Callable[[Fields, str, Any], Fields]] = {
    "model": _model,
    "messages": _messages,
    "prompt": _prompt,
    **dict.fromkeys(_LIMITS, _limit),
    "temperature": _temperature,
    "min_p": _min_p,
    "stop": _stop,
    "stream": _stream,
    "stream_options": _stream_options,
}


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BodyRefusedError(name, "needed: a text")
    return value


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BodyRefusedError(name, "needed: true or false")
    return value


def _between(name: str, value: Any, most: int) -> Fraction:
    if not isinstance(value, Number) or not 0 <= value.value <= most:
        raise BodyRefusedError(name, f"it is {_shown(value)}; needed: a number from 0 to {most}")
    return value.value


def _shown(value: Any) -> str:
    return value.literal if isinstance(value, Number) else "no number"
