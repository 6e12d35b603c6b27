"""Stores that nobody trusts.

bad ones   garbage, gigabytes, drops, silence, errors: over within the time, and another is asked
good data  kept, so that a store that is gone later does no harm
"""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import pytest

from tallystick.errors import StoreError
from tallystick.node.verifier.fetch import Stores, within
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.events import Position
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore
from tests.node.verifier.bad_store import Kind, bad_store
from tests.support.patience import PATIENCE

MODEL, OPERATOR = b"m" * 32, b"o" * 20
RECORDS = [
    InferenceRecord(
        keccak256(b"in %d" % n), keccak256(b"out"), nonce=n, deadline=9, input=b"in %d" % n
    )
    for n in range(5)
]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    BatchStore(str(tmp_path / "good")).put(MODEL, OPERATOR, RECORDS)
    return tmp_path / "good"


@pytest.fixture
def batch(good: Path) -> BatchState:
    (path,) = good.iterdir()
    made = Batch(bytes(32), OPERATOR, 0, MODEL, bytes.fromhex(path.stem), len(RECORDS), 9)
    return BatchState(made.id(), made, Stamp(0, 5, 1, 1, 99), Position(1, 0, bytes(32), bytes(20)))


def stores(folder: Path, *urls: str, timeout: float = PATIENCE, size: int = 1 << 18) -> Stores:
    return Stores(urls, folder / "kept", timeout, size)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("garbage", "Parquet|thrift|not a batch"),
        ("endless", "larger than the 262144 bytes allowed"),
        ("announcing", "larger than the 262144 bytes allowed"),
        ("dripping", "took longer than 0.5 s"),
        ("hanging", "took longer than 0.5 s"),
        ("failing", "answers with status 500"),
        ("pruned", "was pruned"),
    ],
)
def test_load__bad_store__given_up_in_time_for_the_next(
    tmp_path: Path, batch: BatchState, good: Path, kind: Kind, reason: str
) -> None:
    slow = kind in ("dripping", "hanging")
    with bad_store(kind) as url:
        begun = time.monotonic()
        here = stores(tmp_path, url, str(good), timeout=0.5 if slow else PATIENCE)
        fetched = here.load(batch)
        took = time.monotonic() - begun
    assert fetched.data is not None
    assert fetched.data.records == RECORDS
    assert re.search(reason, fetched.failures[url])
    assert took < PATIENCE / 2
    assert [path.suffix for path in (tmp_path / "kept").iterdir()] == [".parquet"]


def test_load__slow_a_moment_ago__passed_over(
    tmp_path: Path, batch: BatchState, good: Path
) -> None:
    with bad_store("hanging") as url:
        both = stores(tmp_path, url, str(tmp_path / "empty"), timeout=0.2)
        both.load(batch)
        begun = time.monotonic()
        fetched = both.load(batch)
        # It has a rest of 20 s, in which it is not asked at all.
        assert time.monotonic() - begun < 20
    assert fetched.failures[url] == "was too slow a moment ago"


def test_load__nowhere__says_why(tmp_path: Path, batch: BatchState) -> None:
    fetched = stores(tmp_path, "http://127.0.0.1:1", str(tmp_path / "empty")).load(batch)
    assert fetched.data is None
    assert "cannot be asked" in fetched.failures["http://127.0.0.1:1"]
    assert "there is no folder" in fetched.failures[str(tmp_path / "empty")]


def test_load__kept__needs_no_store(tmp_path: Path, batch: BatchState, good: Path) -> None:
    assert stores(tmp_path, str(good)).load(batch).data is not None
    fetched = stores(tmp_path).load(batch)
    assert fetched.data is not None
    assert fetched.failures == {}


def test_load__kept_data_spoilt__fetched_anew(
    tmp_path: Path, batch: BatchState, good: Path
) -> None:
    stores(tmp_path, str(good)).load(batch)
    (path,) = (tmp_path / "kept").iterdir()
    path.write_bytes(b"spoilt")
    assert stores(tmp_path, str(good)).load(batch).data is not None
    assert path.read_bytes() != b"spoilt"


def test_load__too_large_a_file__not_read(tmp_path: Path, batch: BatchState, good: Path) -> None:
    (path,) = good.iterdir()
    os.truncate(path, 1 << 30)
    fetched = stores(tmp_path, str(good)).load(batch)
    assert fetched.data is None
    assert "1073741824 bytes; allowed" in fetched.failures[str(good)]


def test_load__store_by_operator__named_in_the_url(
    tmp_path: Path, batch: BatchState, good: Path
) -> None:
    good.rename(tmp_path / checksummed(OPERATOR))
    fetched = stores(tmp_path, str(tmp_path / "{operator}")).load(batch)
    assert fetched.data is not None


@pytest.mark.parametrize(
    ("work", "reason"), [(lambda: time.sleep(5), "longer than 0.1 s"), (lambda: 1 / 0, "division")]
)
def test_within__hangs_or_fails__says_so(work: Callable[[], None], reason: str) -> None:
    with pytest.raises((StoreError, ZeroDivisionError), match=reason):
        within(0.1, work)  # type: ignore[arg-type]


def test_load__file_system_that_hangs__given_up_in_time(
    tmp_path: Path, batch: BatchState, good: Path
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    class Hanging(MemoryFileSystem):  # type: ignore[misc]
        protocol = "hanging"

        def size(self, path: str) -> int:
            time.sleep(600)
            return 0

    fsspec.register_implementation("hanging", Hanging)
    fetched = stores(tmp_path, "hanging://here", str(good), timeout=0.2).load(batch)
    assert fetched.data is not None
    assert fetched.failures["hanging://here"] == "the store took longer than 0.2 s"
