"""The place at which people find the page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """A page, and what stands below it."""

    url: str = ""
    """Absolute, without a slash at its end; empty: it is not known, and no picture can be named."""
    docs: bool = False
    """Whether the docs stand below it."""
    files: bool = False
    """Whether files answer, and no server."""
