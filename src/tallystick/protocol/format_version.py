"""Format versions of what outlives a program: an unknown one is refused by name.

A version is raised when an older release would misread what a newer one writes.
"""

from typing import Any

from pydantic_core import PydanticCustomError


def unknown_version(kind: str, found: object, known: int) -> str | None:
    """Return what is wrong with a version, or None when it is the known one.

    Args:
        kind: what was read, such as "receipt".
        found: the version that it names; None when it names none.
        known: the version that this release writes and reads.

    >>> unknown_version("receipt", 1, 1)
    >>> unknown_version("receipt", 2, 1)
    'receipt of format version 2; needed: 1'
    >>> unknown_version("receipt", None, 1)
    'receipt without a format version; needed: 1'
    """
    # True equals 1, and 1.0 too; neither is a version.
    if type(found) is int and found == known:
        return None
    named = "without a format version" if found is None else f"of format version {found!r}"
    return f"{kind} {named}; needed: {known}"


def need_version(kind: str, data: Any, known: int) -> Any:
    """Return a pydantic model's raw input: for its validator with mode "before".

    A version that is unknown is then the one thing said about the input, whatever else is new.

    Raises:
        PydanticCustomError: `data` is an object of another version.
    """
    if isinstance(data, dict) and (wrong := unknown_version(kind, data.get("version"), known)):
        raise PydanticCustomError("format_version", "{wrong}", {"wrong": wrong})
    return data
