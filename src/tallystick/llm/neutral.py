"""Parameters of the OpenAI API that are taken only where they change nothing."""

from collections.abc import Callable, Mapping
from typing import Any

from tallystick.llm.strict_json import Number


def _number(*allowed: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, Number) and value.value in allowed


def _equals(*allowed: Any) -> Callable[[Any], bool]:
    # False equals 0 to Python, but a Number equals neither.
    return lambda value: value in allowed


def _anything(value: Any) -> bool:
    return True


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("n", "best_of", "top_p", "repetition_penalty"), (_number(1), "1")),
    "top_k": (_number(0, -1), "0 or -1"),
    **dict.fromkeys(("presence_penalty", "frequency_penalty"), (_number(0), "0")),
    **dict.fromkeys(("logprobs", "echo"), (_equals(False), "false")),
    "logit_bias": (_equals({}), "{}"),
    **dict.fromkeys(("tools", "functions"), (_equals([]), "[]")),
    "tool_choice": (_equals("none", "auto"), '"none" or "auto"'),
    "response_format": (_equals({"type": "text"}), '{"type": "text"}'),
    "modalities": (_equals(["text"]), '["text"]'),
    **dict.fromkeys(
        (
            "seed",
            "user",
            "metadata",
            "store",
            "service_tier",
            "parallel_tool_calls",
            "safety_identifier",
            "prompt_cache_key",
        ),
        (_anything, "anything"),
    ),
}

NAMES = frozenset(_RULES)


def needed_value(name: str, value: Any) -> str | None:
    """Return what a neutral parameter must be where it is something else; None where it is that.

    Args:
        name: one of NAMES.
        value: as `parse_object` gives it, not null.

    >>> needed_value("top_p", Number("1.0"))
    >>> needed_value("top_p", Number("0.9"))
    '1'
    """
    if isinstance(value, dict):
        value = {field: one for field, one in value.items() if one is not None}
    fits, needed = _RULES[name]
    return None if fits(value) else needed
