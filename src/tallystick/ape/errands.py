"""Key of a command as it was given, by which a second run of it finds what the first one sent."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tallystick.protocol.keccak import keccak256


def errand_key(command: str, registry: bytes | None, values: Mapping[str, Any]) -> bytes:
    """Return 32 bytes that tell a command from others.

    A file counts as another one when it was changed.

    Args:
        command: its name.
        registry: address, 20 bytes, if one was named.
        values: the command's own parameters, by name.
    """
    words = [command, repr(registry)]
    for name, value in sorted(values.items()):
        words += [name, *_words(value)]
    encoded = (word.encode("utf-8", "surrogateescape") for word in words)
    return keccak256(b"".join(len(word).to_bytes(4, "big") + word for word in encoded))


def _words(value: Any) -> Iterable[str]:
    if isinstance(value, tuple | list):
        for one in value:
            yield from _words(one)
        return
    yield repr(value)
    if isinstance(value, str | Path) and value and os.path.isfile(value):
        found = Path(value).resolve().stat()
        yield f"{Path(value).resolve()} {found.st_size} {found.st_mtime_ns}"
