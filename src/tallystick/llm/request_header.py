"""The header of an HTTP request that makes it a signed one: X-Tallystick-Request.

266 hex digits, without 0x: model id (32 bytes) | requester (20) | nonce (8) | deadline (8)
| signature (65). Operator and input hash are not in it: who is asked knows the one, and makes the
other of the body.
"""

import re
from dataclasses import dataclass
from struct import Struct

from tallystick.errors import FieldError
from tallystick.protocol.abi_words import check_bytes, check_uint
from tallystick.protocol.inference import Request
from tallystick.protocol.signature import LENGTH

NAME = "X-Tallystick-Request"
_PARTS = Struct(f">32s20sQQ{LENGTH}s")
_DIGITS = re.compile(f"[0-9a-fA-F]{{{2 * _PARTS.size}}}")


@dataclass(frozen=True, slots=True)
class RequestHeader:
    """A request without its operator and input, and the requester's signature of it.

    >>> header = RequestHeader(bytes(32), bytes(20), nonce=7, deadline=9, signature=bytes(65))
    >>> len(header.encode()), RequestHeader.decode(header.encode()) == header
    (266, True)
    """

    model_id: bytes
    requester: bytes
    nonce: int
    deadline: int
    """Unix seconds; the latest commit that the requester accepts."""
    signature: bytes
    """65 bytes, of the Request under the registry's domain; not checked here."""

    def __post_init__(self) -> None:
        check_bytes("model_id", self.model_id, 32)
        check_bytes("requester", self.requester, 20)
        check_uint("nonce", self.nonce, 64)
        check_uint("deadline", self.deadline, 64)
        check_bytes("signature", self.signature, LENGTH)

    def encode(self) -> str:
        """Return the header's value, in lower case."""
        return _PARTS.pack(
            self.model_id, self.requester, self.nonce, self.deadline, self.signature
        ).hex()

    @classmethod
    def decode(cls, value: str) -> "RequestHeader":
        """Return what a header's value says.

        Raises:
            FieldError: it is not 266 hex digits.
        """
        if not _DIGITS.fullmatch(value):
            raise FieldError(NAME, f"{len(value)} characters", f"{2 * _PARTS.size} hex digits")
        return cls(*_PARTS.unpack(bytes.fromhex(value)))

    def request(self, operator: bytes, input_hash: bytes) -> Request:
        """Return the request that was signed.

        Args:
            operator: who is asked, 20 bytes.
            input_hash: keccak256 of the body, 32 bytes.
        """
        return Request(
            self.model_id, operator, input_hash, self.requester, self.nonce, self.deadline
        )
