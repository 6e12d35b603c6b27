"""The place at which people find the page."""

from dataclasses import dataclass
from pathlib import Path

from tallystick.errors import TallystickError

SITE_INDEX = "search/search_index.json"
"""A file that a built site of the docs has, whatever its pages."""


class DocsError(TallystickError, ValueError):
    """A folder that is no built site of the docs."""


@dataclass(frozen=True, slots=True)
class Site:
    """A page, and what stands below it."""

    url: str = ""
    """Absolute, without a slash at its end; empty: it is not known, and no picture can be named."""
    docs: bool = False
    """Whether the docs stand below it."""
    files: bool = False
    """Whether files answer, and no server."""


def check_docs(folder: Path) -> None:
    """Check that a folder is a built site of docs/.

    Raises:
        DocsError: it is something else.
    """
    if not (folder / SITE_INDEX).is_file():
        raise DocsError(
            f"{folder} is no built site of the docs; needed: what `make docs-build` wrote"
        )
