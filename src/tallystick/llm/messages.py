"""Messages of a chat, as a body gives them and a template takes them."""

from dataclasses import dataclass
from typing import Any

from tallystick.errors import BodyRefusedError

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


@dataclass(frozen=True, slots=True)
class Message:
    """One message: who speaks, and the text."""

    role: str
    """system, user or assistant."""
    content: str


def read_messages(value: Any) -> tuple[Message, ...]:
    """Return the messages of a body.

    Args:
        value: of the field `messages`, as `parse_object` gives it.

    Raises:
        BodyRefusedError: something else than a list of messages of text, by its place.

    >>> read_messages([{"role": "developer", "content": "Be brief.", "name": None}])
    (Message(role='system', content='Be brief.'),)
    """
    if not isinstance(value, list) or not value:
        raise BodyRefusedError("messages", "needed: a list of at least one message")
    return tuple(_message(one, f"messages[{place}]") for place, one in enumerate(value))


def _message(value: Any, place: str) -> Message:
    fields = _present(value, place)
    role = fields.pop("role", None)
    if not isinstance(role, str) or role not in _ROLES:
        raise BodyRefusedError(f"{place}.role", f"needed: one of {', '.join(_ROLES)}")
    content = _content(fields.pop("content", None), f"{place}.content")
    for name, other in fields.items():
        if other is not False and other not in ("", [], {}):
            raise BodyRefusedError(f"{place}.{name}", "it is not supported")
    return Message(_ROLES[role], content)


def _content(value: Any, place: str) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        raise BodyRefusedError(place, "needed: a text, or a list of at least one part of text")
    return "\n".join(_part(one, f"{place}[{number}]") for number, one in enumerate(value))


def _part(value: Any, place: str) -> str:
    fields = _present(value, place)
    if fields.pop("type", None) != "text":
        raise BodyRefusedError(f"{place}.type", 'needed: "text"')
    text = fields.pop("text", None)
    if not isinstance(text, str):
        raise BodyRefusedError(f"{place}.text", "needed: a text")
    if fields:
        raise BodyRefusedError(f"{place}.{next(iter(fields))}", "it is not supported")
    return text


def _present(value: Any, place: str) -> dict[str, Any]:
    """Return an object's fields that are not null."""
    if not isinstance(value, dict):
        raise BodyRefusedError(place, "needed: an object")
    return {name: one for name, one in value.items() if one is not None}
