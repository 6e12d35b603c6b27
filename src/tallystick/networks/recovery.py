"""Signers of many secp256k1 signatures, on all cores.

libsecp256k1 recovers some 17,000 a second and core, by coincurve; processes are added where there
is much to do, for they take a second to come up.
"""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tallystick.protocol.keccak import keccak256

CHUNK = 2_000
"""Signatures that a process is given at once."""
FEW = 20_000
"""Signatures that are done without other processes."""

Signed = tuple[bytes, bytes]
"""Digest of 32 bytes and signature of 65."""


def recover(signed: Sequence[Signed], workers: int | None = None) -> list[bytes]:
    """Return the address that made each signature; empty bytes where it is none.

    Args:
        signed: digests and signatures; v is 0, 1, 27 or 28.
        workers: processes; None: one a core.
    """
    workers = workers or os.cpu_count() or 1
    if workers == 1 or len(signed) <= FEW:
        return _recover_all(signed)
    parts = [signed[start : start + CHUNK] for start in range(0, len(signed), CHUNK)]
    # A fork would copy the threads' locks of whoever uses this.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool:
        return [signer for part in pool.map(_recover_all, parts) for signer in part]


def _recover_all(signed: Sequence[Signed]) -> list[bytes]:
    from coincurve import PublicKey

    found = []
    for digest, signature in signed:
        if len(signature) != 65:
            found.append(b"")
            continue
        v = signature[64]
        compact = signature[:64] + bytes([v - 27 if v >= 27 else v])
        try:
            key = PublicKey.from_signature_and_message(compact, digest, hasher=None)
        except Exception:  # coincurve raises bare Exception and ValueError for what is no signature
            found.append(b"")
            continue
        found.append(keccak256(key.format(compressed=False)[1:])[12:])
    return found
