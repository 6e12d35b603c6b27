"""Hex text at the edges: files, options, output. Inside the package there are bytes."""

from functools import lru_cache

from eth_utils.address import to_checksum_address

from tallystick.errors import FieldError

ADDRESS = 20
"""Bytes of an address."""


def to_hex(value: bytes) -> str:
    """Return 0x and lower-case hex.

    >>> to_hex(bytes([1, 255]))
    '0x01ff'
    """
    return "0x" + value.hex()


def from_hex(text: str, length: int | None = None, field: str = "hex text") -> bytes:
    """Return the bytes of hex text, with or without 0x.

    Of 20 bytes it is an address: in mixed case, the case is its checksum (ERC-55).

    Args:
        text: hex digits, two a byte.
        length: bytes needed, or None for any length.
        field: what to call the text in an error.

    Raises:
        FieldError: not hex, of another length, or an address whose checksum is wrong.

    >>> from_hex("0x01ff")
    b'\\x01\\xff'
    """
    needed = "hex digits" if length is None else f"{length} bytes in hex"
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    # bytes.fromhex would skip spaces.
    if not digits.isalnum() and digits:
        raise FieldError(field, repr(text), needed)
    try:
        value = bytes.fromhex(digits)
    except ValueError as error:
        raise FieldError(field, repr(text), needed) from error
    if length is not None and len(value) != length:
        raise FieldError(field, f"{len(value)} bytes", needed)
    if length == ADDRESS and not digits.islower() and not digits.isupper():
        _check_case(digits, value, field)
    return value


def _check_case(digits: str, address: bytes, field: str) -> None:
    # All digits, or letters of one case, have none. The right one is not told: whoever copied it
    # over would trust a mistyped address.
    if any(one.isalpha() for one in digits) and digits != checksummed(address)[2:]:
        needed = "an address whose mixed case is its checksum (ERC-55); is a character mistyped?"
        raise FieldError(field, f"0x{digits}", needed)


@lru_cache(maxsize=4096)
def checksummed(account: bytes) -> str:
    """Return a 20-byte address as people read it (ERC-55).

    >>> checksummed(bytes(20))
    '0x0000000000000000000000000000000000000000'
    """
    return str(to_checksum_address(account))
