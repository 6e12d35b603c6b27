"""RSA-PSS signatures of many items, checked on all cores.

OpenSSL takes about 25 µs for one of RSA-2048: a process checks some 30,000 a second. Threads gain
nothing, a call being too short to give up the interpreter's lock for; processes do, but take a
second to come up. So they come when there is much to do.
"""

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tallystick.closing import Closing
from tallystick.opengradient.item import SignedItem
from tallystick.protocol.progress import Progress

BITS = 2048
CHUNK = 500
"""Items that a process is given at once."""
FEW = 20_000
"""Items that are done before new processes are up."""

_SCHEME = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
_HASH = hashes.SHA256()
_loaded: dict[bytes, rsa.RSAPublicKey | None] = {}


class Signatures(Closing):
    """Checks items' signatures; a context, at whose end its processes are gone.

    Args:
        keys: SubjectPublicKeyInfo in DER, by TEE id.
        workers: processes; None: one a core; 1: none but this one.
        progress: told of the items checked, and of those that are to be so far, over all calls.
        few: items, of one call or several, that this process checks before it starts others.
    """

    def __init__(
        self,
        keys: Mapping[bytes, bytes],
        workers: int | None = None,
        progress: Progress | None = None,
        few: int = FEW,
    ) -> None:
        self.keys, self._progress = dict(keys), progress
        self._workers, self._few, self._seen = workers or os.cpu_count() or 1, few, 0
        self._pool: ProcessPoolExecutor | None = None

    def close(self) -> None:
        """Let go of the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def check(self, items: Sequence[SignedItem]) -> list[bool]:
        """Return of each item whether its key is here and made its signature."""
        before, found = self._seen, list[bool]()
        self._seen += len(items)
        for part in self._checked(items):
            found += part
            if self._progress:
                self._progress(before + len(found), self._seen)
        return found

    def _checked(self, items: Sequence[SignedItem]) -> Iterator[list[bool]]:
        parts = (items[at : at + CHUNK] for at in range(0, len(items), CHUNK))
        jobs = [
            [(self.keys.get(item.tee_id, b""), item.message(), item.signature) for item in part]
            for part in parts
        ]
        if self._workers == 1 or self._seen <= self._few:
            return map(check_all, jobs)
        if self._pool is None:
            # A fork would copy the threads' locks of whoever uses this.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._workers, context)
        return self._pool.map(check_all, jobs)


def check_all(jobs: Iterable[tuple[bytes, bytes, bytes]]) -> list[bool]:
    """Return whether each signature is good.

    Args:
        jobs: a key as SubjectPublicKeyInfo in DER, a message of 32 bytes, its signature.
    """
    return [_good(key, message, signature) for key, message, signature in jobs]


def load_key(der: bytes) -> rsa.RSAPublicKey | None:
    """Return an RSA-2048 key; None for anything else, under which no signature is good."""
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, rsa.RSAPublicKey) and key.key_size == BITS else None


def _good(der: bytes, message: bytes, signature: bytes) -> bool:
    if der not in _loaded:
        _loaded[der] = load_key(der)
    key = _loaded[der]
    if key is None:
        return False
    try:
        key.verify(signature, message, _SCHEME, _HASH)
    except InvalidSignature:
        return False
    return True
