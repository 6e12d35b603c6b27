"""store.py: several threads of one process may put the same batch at a time."""

import threading
from pathlib import Path

from tallystick.protocol.keccak import keccak256
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore

WRITERS, TIMES = 4, 30
RECORDS = [
    InferenceRecord(keccak256(b"%d" % nonce), keccak256(b"out"), nonce=nonce, deadline=2**64 - 1)
    for nonce in range(50)
]


def test_put__same_batch_by_threads_at_a_time__none_fails_and_it_is_whole(tmp_path: Path) -> None:
    store, together = BatchStore(str(tmp_path)), threading.Barrier(WRITERS)
    failures: list[Exception] = []

    def write() -> None:
        for _ in range(TIMES):
            together.wait()
            try:
                root = store.put(b"m" * 32, b"o" * 20, RECORDS)
                assert store.get(root) == RECORDS
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert len(list(tmp_path.iterdir())) == 1
