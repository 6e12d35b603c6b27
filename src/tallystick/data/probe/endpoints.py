"""Endpoints to probe, from a YAML file: a list of entries, counted from 1.

Fields of an entry: chain_id, core, network_id, operator and url; method (GET), body (text),
headers, signer and timeout (seconds) where they differ from the default. Hex text is in quotes,
for YAML takes 0x... for a number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tallystick.data.probe.errors import EndpointsError
from tallystick.errors import FieldError
from tallystick.protocol.abi_words import check_bytes, check_uint
from tallystick.protocol.address_text import AddressText
from tallystick.protocol.answer import NONCE_HEADER
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import from_hex
from tallystick.storage.yaml_file import YamlFile, YamlFileError, unknown_key

DEFAULT_TIMEOUT = 10.0
"""Seconds from the start of a probe to the answer's last byte."""
MAX_TIMEOUT = 3600.0
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?|")
_URL = re.compile(r"https?://[!-~]+")
# The client frames the body, and the nonce must be the probe's.
_RESERVED = {NONCE_HEADER.lower(), "content-length", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One URL under which an operator of a network answers."""

    chain_id: int
    core: bytes
    """20 bytes."""
    network_id: bytes
    """32 bytes."""
    operator: bytes
    """20 bytes."""
    url: str
    """http or https, without user and password: the log is for others to read."""
    method: str = "GET"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    signer: bytes | None = None
    """20-byte address of the key that signs the answers; None: they need no signature."""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds from the start of a probe to the answer's last byte."""

    def __post_init__(self) -> None:
        check_uint("chain_id", self.chain_id, 63)
        check_bytes("core", self.core, 20)
        check_bytes("network_id", self.network_id, 32)
        check_bytes("operator", self.operator, 20)
        _check_url(self.url)
        if not _TOKEN.fullmatch(self.method):
            raise FieldError("method", repr(self.method), "an HTTP method")
        for name, value in self.headers:
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
                raise FieldError(f"header {name!r}", repr(value), "a name and printable ASCII")
            if name.lower() in _RESERVED:
                raise FieldError(f"header {name!r}", "given", "left to the probe")
        if self.signer is not None:
            check_bytes("signer", self.signer, 20)
        if not 0 < self.timeout <= MAX_TIMEOUT:
            raise FieldError("timeout", self.timeout, f"seconds, more than 0, to {MAX_TIMEOUT:.0f}")

    @property
    def domain(self) -> Domain:
        """Under which its answers are signed."""
        return Domain(self.chain_id, self.core)


def read_endpoints(path: Path) -> list[Endpoint]:
    """Return the endpoints of a YAML file, in the file's order.

    Raises:
        EndpointsError: not a list in YAML, an empty one, or the wrong entries, by number and URL.
        OSError: the file cannot be read.
    """
    try:
        file = YamlFile(path, object)
    except YamlFileError as error:
        raise EndpointsError([str(error)]) from error
    found = file.content
    if not isinstance(found, list) or not found:
        raise EndpointsError([f"{path} is not a list of endpoints"])
    endpoints: dict[Endpoint, int] = {}
    wrong: list[str] = []
    for number, entry in enumerate(found, 1):
        try:
            endpoint = _Entry.model_validate(entry).endpoint()
        except ValidationError as error:
            wrong += [
                f"{_name(number, entry)}: {reason}" for reason in _reasons(error, file, number - 1)
            ]
        except FieldError as error:
            wrong.append(f"{_name(number, entry)}: {error}")
        else:
            first = endpoints.setdefault(endpoint, number)
            if first != number:
                wrong.append(f"{_name(number, entry)}: the same as entry {first}")
    if wrong:
        raise EndpointsError(wrong)
    return list(endpoints)


def _check_url(url: str) -> None:
    needed = "http:// or https://, a host, printable ASCII, no user and no password"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        # What the resolver does with a name; it refuses empty labels and those over 63 letters.
        host.encode("idna")
    except ValueError as error:
        raise FieldError("url", repr(url), needed) from error
    if not _URL.fullmatch(url) or not host or port == 0 or parts.username is not None:
        raise FieldError("url", repr(url), needed)


def _name(number: int, entry: Any) -> str:
    url = entry.get("url") if isinstance(entry, dict) else None
    return f"entry {number} ({url})" if isinstance(url, str) else f"entry {number}"


def _reasons(error: ValidationError, file: YamlFile, index: int) -> Iterator[str]:
    for one in error.errors(include_url=False):
        place = list(one["loc"])
        if one["type"] == "extra_forbidden":
            yield str(file.error([index, *place], unknown_key(place[-1], _Entry.model_fields)))
        else:
            yield ": ".join([*[".".join(str(step) for step in place)] * bool(place), one["msg"]])


_Hex32 = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]


class _Entry(BaseModel):
    """An endpoint as people write it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    chain_id: int
    core: AddressText
    network_id: _Hex32
    operator: AddressText
    url: str
    method: str = "GET"
    body: str = ""
    headers: dict[str, str] = {}
    signer: AddressText | None = None
    timeout: float = DEFAULT_TIMEOUT

    def endpoint(self) -> Endpoint:
        return Endpoint(
            self.chain_id,
            from_hex(self.core),
            from_hex(self.network_id),
            from_hex(self.operator),
            self.url,
            self.method,
            self.body.encode(),
            tuple(self.headers.items()),
            from_hex(self.signer) if self.signer else None,
            self.timeout,
        )
