"""Keccak-256, as fast as this machine has it.

safe-pysha3 is about six times as fast as eth-hash's default backend, but has wheels for Linux only.

>>> keccak256(b"").hex()
'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'
"""

from collections.abc import Callable

Bytes = bytes | bytearray | memoryview


def _backend() -> Callable[[Bytes], bytes]:
    try:
        from sha3 import keccak_256  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        from eth_hash.auto import keccak

        return lambda data: keccak(bytes(data))
    return lambda data: keccak_256(data).digest()  # type: ignore[no-any-return, unused-ignore]


keccak256: Callable[[Bytes], bytes] = _backend()
"""The 32-byte Keccak-256 of some bytes, as in the EVM."""
