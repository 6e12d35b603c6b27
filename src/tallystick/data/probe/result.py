"""One probe of one endpoint, and the line of the log that it is."""

import json
import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tallystick.errors import FieldError
from tallystick.protocol.abi_words import check_bytes, check_uint
from tallystick.protocol.address_text import AddressText
from tallystick.protocol.format_version import need_version
from tallystick.protocol.hexes import checksummed, from_hex, to_hex

VERSION = 1
"""Of a line of the log."""
Signature = Literal["valid", "invalid", "absent"]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The finding of one probe.

    >>> result = ProbeResult(1700000000.5, 1, b"c" * 20, b"n" * 32, b"o" * 20, "http://a", False)
    >>> ProbeResult.from_line(result.to_line()) == result
    True
    """

    time: float
    """Unix seconds, when the probe began."""
    chain_id: int
    core: bytes
    """20 bytes."""
    network_id: bytes
    """32 bytes."""
    operator: bytes
    """20 bytes."""
    url: str
    answered: bool
    """2xx within the timeout and the size limit, signed where a signer is named."""
    seconds_to_first_byte: float | None = None
    """From the start, connecting included, until the answer's head is in; None: not answered."""
    seconds_to_last_byte: float | None = None
    """From the start until the answer's last byte; None: not answered."""
    status: int | None = None
    """HTTP status; None when no answer's head came."""
    signature: Signature = "absent"
    """Absent too when there was nobody to check it against, or no whole body to check it over."""
    error: str | None = None
    """One line: why it doesn't count as answered."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.time) or self.time < 0:
            raise FieldError("time", self.time, "Unix seconds")
        check_uint("chain_id", self.chain_id, 63)
        check_bytes("core", self.core, 20)
        check_bytes("network_id", self.network_id, 32)
        check_bytes("operator", self.operator, 20)
        for field in ("seconds_to_first_byte", "seconds_to_last_byte"):
            seconds = getattr(self, field)
            if (seconds is not None) != self.answered:
                raise FieldError(field, seconds, "seconds if answered, null if not")
            if seconds is not None and not 0 <= seconds < math.inf:
                raise FieldError(field, seconds, "seconds from 0")
        if self.answered and (self.status is None or not 200 <= self.status < 300):
            raise FieldError("status", self.status, "2xx if answered")
        if self.error is not None and len(self.error.splitlines()) != 1:
            raise FieldError("error", repr(self.error), "one line")

    def to_json(self) -> dict[str, Any]:
        """Return what json.dumps takes: ids and addresses as hex text."""
        return {
            "version": VERSION,
            "time": self.time,
            "chain_id": self.chain_id,
            "core": checksummed(self.core),
            "network_id": to_hex(self.network_id),
            "operator": checksummed(self.operator),
            "url": self.url,
            "answered": self.answered,
            "seconds_to_first_byte": self.seconds_to_first_byte,
            "seconds_to_last_byte": self.seconds_to_last_byte,
            "status": self.status,
            "signature": self.signature,
            "error": self.error,
        }

    def to_line(self) -> bytes:
        """Return the result as a line of JSON, its newline included."""
        return json.dumps(self.to_json(), allow_nan=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "ProbeResult":
        """Return the result that a line of JSON describes.

        Raises:
            pydantic.ValidationError: not JSON, of an unknown version, or a field is missing,
                unknown or malformed.
            FieldError: fields that contradict each other.
        """
        parsed = _Line.model_validate_json(line)
        return cls(
            parsed.time,
            parsed.chain_id,
            from_hex(parsed.core),
            from_hex(parsed.network_id),
            from_hex(parsed.operator),
            parsed.url,
            parsed.answered,
            parsed.seconds_to_first_byte,
            parsed.seconds_to_last_byte,
            parsed.status,
            parsed.signature,
            parsed.error,
        )


_Hex32 = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]


class _Line(BaseModel):
    """A result as written; no field may be left out."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    time: float
    chain_id: int
    core: AddressText
    network_id: _Hex32
    operator: AddressText
    url: str
    answered: bool
    seconds_to_first_byte: float | None
    seconds_to_last_byte: float | None
    status: Annotated[int, Field(ge=100, le=999)] | None
    signature: Signature
    error: str | None

    @model_validator(mode="before")
    @classmethod
    def _version(cls, data: Any) -> Any:
        return need_version("probe", data, VERSION)
