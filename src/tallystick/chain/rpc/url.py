"""URLs of nodes: checked where they enter, and shown without what may be secret in them."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from tallystick.errors import FieldError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HTTP = ("http", "https")
_PRINTABLE = re.compile(r"[!-~]+")
_LABELS = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class RpcUrl:
    """URL of a node's JSON-RPC over HTTP.

    Its path and query may hold a key, so only `name` is ever shown.
    """

    url: str = field(repr=False)
    """To connect to; without user and password."""
    headers: Mapping[str, str] = field(repr=False)
    """Authorization, where the text named user and password; else empty."""
    name: str
    """Host and port, to speak of it."""

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, text: str) -> "RpcUrl":
        """Return the URL in a text; blanks and line ends around it do not count.

        Raises:
            FieldError: it is none of HTTP, or its host or port cannot be one.

        >>> RpcUrl.parse("https://me:secret@rpc.example:8545/key").name
        'rpc.example:8545'
        """
        found = text.strip().strip("\ufeff").strip()
        match = _SCHEME.match(found)
        if match is None:
            place = _authority(found)
            # A word alone may as well be a key.
            shown = repr(place if re.search(r"[.:]|^localhost", place) else "...")
            raise FieldError(
                "RPC URL", shown if found else "empty", "http:// or https:// before the host"
            )
        scheme = match[1].lower()
        shown = f"{scheme}://{_authority(found[match.end() :])}"
        if scheme not in _HTTP:
            raise FieldError("RPC URL", repr(shown), "http:// or https://")
        if not _PRINTABLE.fullmatch(found):
            raise FieldError(
                "RPC URL", repr(shown), "printable ASCII without blanks; others as in %20"
            )
        try:
            parts = urlsplit(found)
            port = parts.port
        except ValueError:
            raise FieldError("RPC URL", repr(shown), "a host, and a port from 1 to 65535") from None
        credentials, _, host = parts.netloc.rpartition("@")
        name = host.rpartition(":")[0] if port is None and host.endswith(":") else host
        bare = name if port is None else name.rpartition(":")[0]
        if not _LABELS.fullmatch(bare) or port == 0:
            raise FieldError("RPC URL", repr(shown), "a host, and a port from 1 to 65535")
        return cls(
            urlunsplit((scheme, name, parts.path, parts.query, "")),
            _authorization(credentials),
            name,
        )


def place_of(text: str) -> str:
    """Return scheme, host and port of a URL, without what may be secret in it."""
    match = _SCHEME.match(text)
    return f"{match[1]}://{_authority(text[match.end() :])}/" if match else "another path"


def _authority(rest: str) -> str:
    """Return host and port of what follows a scheme, as far as they can be told from a secret."""
    place = re.split(r"[/?#\\]", rest, maxsplit=1)
    # A password with a slash in it looks like a host.
    if len(place) > 1 and "@" in rest[len(place[0]) :]:
        return "..."
    return place[0].rpartition("@")[2]


def _authorization(credentials: str) -> dict[str, str]:
    if not credentials:
        return {}
    user, _, password = credentials.partition(":")
    word = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    return {"Authorization": f"Basic {word}"}
