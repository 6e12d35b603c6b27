"""Static ABI words: each value is 32 bytes, and a struct of them is their concatenation."""

from tallystick.errors import FieldError

ZERO32 = bytes(32)
ZERO_ADDRESS = bytes(20)


def uint(value: int) -> bytes:
    """Return an unsigned integer, an enum or a bool as one word."""
    return value.to_bytes(32, "big")


def address(value: bytes) -> bytes:
    """Return a 20-byte address as one word."""
    return bytes(12) + value


def check_bytes(field: str, value: bytes, length: int) -> None:
    """Raise FieldError unless `value` is `length` bytes long."""
    if type(value) is not bytes or len(value) != length:
        shown = f"{len(value)} bytes" if isinstance(value, bytes) else repr(value)
        raise FieldError(field, shown, f"{length} bytes")


def check_uint(field: str, value: int, bits: int) -> None:
    """Raise FieldError unless `value` is an integer that fits in `bits` bits."""
    if not isinstance(value, int) or value < 0 or value >> bits:
        raise FieldError(field, value, f"an integer from 0 to 2^{bits} - 1")
