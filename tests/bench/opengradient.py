"""Print how fast OpenGradient's items are audited: `python -m tests.bench.opengradient`; JSON=1.

ITEMS sets how many (default 20,000). Signatures are real, of eight RSA-2048 keys.
"""

import json
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter
from typing import Any

from tallystick.opengradient.blob_audit import examine
from tallystick.opengradient.blobs import parse
from tallystick.opengradient.item import SignedItem
from tallystick.opengradient.signatures import Signatures
from tests.bench.figures import Figure, tell
from tests.support.opengradient import Tee, dump_of, root_of

FLOOR = 3_000
"""Item signatures a second, on two cores."""
KEYS = 8
TIME = 1_800_000_000


def made(number: int, items: int) -> tuple[bytes, bytes, list[SignedItem]]:
    """Return an enclave's id and key, and items that it signed."""
    tee = Tee(number)
    first = number * items
    return tee.id, tee.der, tee.items(range(first, first + items), TIME)


def rate(run: Callable[[], Any], count: int) -> float:
    """Return items a second."""
    start = perf_counter()
    run()
    return count / (perf_counter() - start)


def measure(count: int) -> list[Figure]:
    """Return a figure for each part of the work."""
    keys, items = {}, []
    with ProcessPoolExecutor() as pool:
        for tee_id, key, signed in pool.map(made, range(KEYS), [count // KEYS] * KEYS):
            keys[tee_id] = key
            items += signed
    dump = dump_of(items)
    blob, root = json.dumps(dump).encode(), root_of(dump)
    told: list[int] = []
    figures = {"parse a blob": rate(lambda: parse(blob), len(items))}
    for workers in (1, 2):
        with Signatures(keys, workers, lambda done, _: told.append(done), few=0) as signatures:
            start = rate(lambda s=signatures: s.check(items[:2_000]), 2_000)
            found: list[bool] = []
            speed = rate(lambda s=signatures, f=found: f.extend(s.check(items)), len(items))
            assert len(found) == len(items) and all(found) and told[-1] == len(items) + 2_000
            figures[f"signatures with progress, {workers} processes"] = speed
            if workers == 2:
                figures["signatures, the first 2,000 with starting the processes"] = start
                whole = rate(lambda s=signatures: examine(root, blob, s), len(items))
                figures["a whole batch: parse, leaves, root, signatures"] = whole
    return [Figure(name, round(value), "items/s", floor=FLOOR) for name, value in figures.items()]


def main() -> None:
    figures = measure(int(os.environ.get("ITEMS", "20000")))
    tell(f"OpenGradient's items, {os.cpu_count()} cores", figures)


if __name__ == "__main__":
    main()
