"""Faults that pydantic finds, as people are told of them: the first one, on a line."""

from pydantic import ValidationError


def first_fault(error: ValidationError, whole: str) -> tuple[str, str]:
    """Return the place of the first fault, and what is wrong there.

    Args:
        error: as pydantic raises it.
        whole: name of what was validated, where it is the place itself.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    return ".".join(str(step) for step in first["loc"]) or whole, first["msg"]
