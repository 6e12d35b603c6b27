"""What is kept of a chain between two commands.

reopened   everything is there | another format, no database at all: refused by name
extend     follows the latest checkpoint, else nothing is kept
take_back  forgets, and is noticed by whoever was reading
killed     between any two statements: whole before, or whole after
"""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.chain import cache as chain_cache
from tallystick.chain.abi import contract
from tallystick.chain.cache import (
    FORMAT,
    CacheChangedError,
    CacheError,
    ChainCache,
    Checkpoint,
    cache_folder,
)
from tallystick.chain.logs import decode_log, topic_of
from tallystick.protocol.events import (
    EVENTS,
    BatchAttested,
    BatchChallenged,
    BytesRevealed,
    Event,
    EvidenceAccepted,
)
from tests.support.raw_logs import raw_log

BATCH, SCOPE, OTHER = b"b" * 32, "one", "other"
BEFORE = (-1, -1)
OF_A_BATCH = [
    kind for kind in EVENTS.values() if any(one.name == "batch_id" for one in fields(kind))
]


def at(block: int) -> Checkpoint:
    return Checkpoint(block, bytes([block % 256]) * 32)


def log(block: int, place: int = 0, batch_id: bytes = BATCH) -> Any:
    return {
        "blockNumber": block,
        "logIndex": place,
        "transactionHash": bytes([block % 256]) * 32,
        "address": "0x" + "ab" * 20,
        "topics": [b"t" * 32, bytes(32), bytes(32), batch_id],
        "data": bytes([place]),
    }


def blocks(cache: ChainCache, scope: str = SCOPE, last: int = 10**9) -> list[int]:
    found = cache.logs(scope, cache.generation(scope), BEFORE, last)
    return [one["blockNumber"] for one in found]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "chain.sqlite3"


@pytest.fixture
def cache(path: Path) -> ChainCache:
    return ChainCache(path)


def test_chain_cache__reopened__has_all(cache: ChainCache, path: Path) -> None:
    cache.extend(SCOPE, None, [log(1)], at(3))
    cache.note_origin(at(1))
    cache.note_accepted_range("http://node/key", 500)
    cache.note_lane_of(BATCH, b"n" * 32, b"o" * 20)

    again = ChainCache(path)

    assert again.checkpoints(SCOPE) == [at(3)]
    (told,) = again.logs(SCOPE, again.generation(SCOPE), BEFORE, 9)
    assert (told["topics"], told["address"]) == (log(1)["topics"], log(1)["address"])
    assert again.origin() == at(1)
    assert (again.accepted_range("http://node/key"), again.accepted_range("http://b")) == (
        500,
        None,
    )
    assert again.lane_of(BATCH) == (b"n" * 32, b"o" * 20)
    assert again.lane_of(bytes(32)) is None
    assert b"key" not in path.read_bytes()


def test_chain_cache__another_format__refused_by_name(cache: ChainCache, path: Path) -> None:
    cache.close()
    with sqlite3.connect(path) as database:
        database.execute("pragma user_version = 7")

    with pytest.raises(
        CacheError, match=rf"chain\.sqlite3 has format 7; needed: format {FORMAT} .delete"
    ):
        ChainCache(path)


def test_chain_cache__no_database__refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "chain.sqlite3"
    path.write_bytes(b"something else entirely" * 100)

    with pytest.raises(
        CacheError, match=rf"chain\.sqlite3 cannot be used: .*; needed: format {FORMAT}"
    ):
        ChainCache(path)


def test_of__folder_cannot_be_made__kept_for_the_process_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")

    cache = ChainCache.of(7, b"r" * 20, tmp_path / "file")

    cache.extend(SCOPE, None, [log(1)], at(3))
    assert (cache.path, blocks(cache)) == (None, [1])
    assert "TALLYSTICK_CACHE" in caplog.text


def test_cache_folder__variables__named_one_then_the_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("TALLYSTICK_CACHE", raising=False)
    if sys.platform == "linux":
        assert cache_folder() == tmp_path / "xdg" / "tallystick"
    monkeypatch.setenv("TALLYSTICK_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_extend__another_process_was_first__nothing_kept(cache: ChainCache, path: Path) -> None:
    cache.extend(SCOPE, None, [log(1)], at(5))
    other = ChainCache(path)

    with pytest.raises(CacheChangedError):
        other.extend(SCOPE, None, [log(1), log(6)], at(6))
    with pytest.raises(CacheChangedError):
        other.extend(SCOPE, Checkpoint(5, b"fork".ljust(32)), [log(6)], at(6))

    other.extend(SCOPE, at(5), [log(6)], at(6))
    assert blocks(cache) == [1, 6]
    assert blocks(cache, last=5) == [1]


def test_take_back__blocks_of_a_lost_fork__forgotten_in_that_scope(cache: ChainCache) -> None:
    for scope in (SCOPE, OTHER):
        cache.extend(scope, None, [log(1), log(2)], at(2))
        cache.extend(scope, at(2), [log(3), log(3, 1)], at(3))

    cache.take_back(SCOPE, 2)

    assert (blocks(cache), cache.checkpoints(SCOPE)) == ([1, 2], [at(2)])
    assert blocks(cache, OTHER) == [1, 2, 3, 3]


def test_logs__taken_back_between_two_pages__raises(
    cache: ChainCache, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_cache, "_PAGE", 2)
    cache.extend(SCOPE, None, [log(number) for number in range(5)], at(5))
    reading = cache.logs(SCOPE, cache.generation(SCOPE), BEFORE, 9)
    assert [next(reading)["blockNumber"] for _ in range(2)] == [0, 1]

    ChainCache(path).take_back(SCOPE, 1)

    with pytest.raises(CacheChangedError):
        next(reading)


def told(block: int, name: str, *values: Any) -> dict[str, Any]:
    """A log of an event; values in the order of its ABI."""
    raw = raw_log(name, *values)
    return {**log(block), "topics": raw.topics, "data": raw.data}


def test_logs_of__a_batch_and_an_event__only_those_in_order(cache: ChainCache) -> None:
    lane, other = (b"n" * 32, b"o" * 20), b"?" * 32
    logs = [
        told(1, "BytesRevealed", BATCH, 3, b"in", b"out" * 50),
        told(2, "BatchAttested", *lane, BATCH, 1),
        told(3, "BytesRevealed", other, 4, b"", b""),
        told(4, "BytesRevealed", BATCH, 5, b"", b"x"),
        told(5, "BatchAttested", *lane, other, 1),
        told(6, "EvidenceAccepted", BATCH, 1, b"signatures"),
    ]
    cache.extend(SCOPE, None, logs, at(6))

    def of(kind: type, batch_id: bytes) -> list[Any]:
        return [decode_log(one) for one in cache.logs_of(SCOPE, topic_of(kind), batch_id)]

    revealed = of(BytesRevealed, BATCH)
    assert [(one.leaf_index, one.output) for one in revealed] == [(3, b"out" * 50), (5, b"x")]
    assert [one.batch_id for one in of(BatchAttested, other)] == [other]
    assert [one.evidence for one in of(EvidenceAccepted, BATCH)] == [b"signatures"]
    assert of(EvidenceAccepted, other) == of(BatchChallenged, BATCH) == []


@pytest.mark.parametrize("kind", OF_A_BATCH)
def test_events__each_kind_of_a_batch__found_where_the_abi_has_its_id(
    cache: ChainCache, kind: type[Event]
) -> None:
    (entry,) = (one for one in contract("Tallystick").abi if one.get("name") == kind.__name__)

    def of(block: int, batch_id: bytes) -> dict[str, Any]:
        values = (batch_id if one["name"] == "batchId" else some(one) for one in entry["inputs"])
        return told(block, kind.__name__, *values)

    cache.extend(SCOPE, None, [of(1, BATCH), of(2, b"?" * 32)], at(2))

    found = cache.logs_of(SCOPE, topic_of(kind), BATCH)
    assert [one["blockNumber"] for one in found] == [1]


def some(argument: dict[str, Any]) -> Any:
    """A value of an argument's type."""
    if argument["type"] == "tuple":
        return tuple(some(one) for one in argument["components"])
    if argument["type"].endswith("[]"):
        return []
    kinds = {"address": "0x" + "00" * 20, "bytes32": bytes(32), "bytes": b"", "bool": False}
    return kinds.get(argument["type"], 0)


@settings(max_examples=20, deadline=None)
@given(steps=st.lists(st.integers(1, 700), min_size=1, max_size=300))
def test_checkpoints__many__thinned_and_still_in_order(steps: list[int]) -> None:
    cache, block, after = ChainCache(), 0, None
    for step in steps:
        block += step
        cache.extend(SCOPE, after, [], at(block))
        after = at(block)

    known = [one.block for one in cache.checkpoints(SCOPE)]

    assert known == sorted(known, reverse=True)
    assert (known[0], known[-1]) == (block, steps[0])
    assert len(known) <= 128 + block.bit_length() + 1


_WRITER = """
    import sys
    from pathlib import Path
    from tallystick.chain.cache import ChainCache
    from tests.unit.test_chain_cache import SCOPE, at, log

    cache, block = ChainCache(Path(sys.argv[1])), 0
    known = cache.checkpoints(SCOPE)
    block = known[0].block if known else 0
    print("ready", flush=True)
    while True:
        logs = [log(block + 1, place) for place in range(20)]
        cache.extend(SCOPE, at(block) if block else None, logs, at(block + 1))
        block += 1
        if block % 7 == 0:
            cache.take_back(SCOPE, block - 2)
            block -= 2
            cache.extend(SCOPE, at(block), [log(block + 1, p) for p in range(20)], at(block + 1))
            block += 1
            cache.extend(SCOPE, at(block), [log(block + 1, p) for p in range(20)], at(block + 1))
            block += 1
"""


def test_extend__killed_at_any_time__each_block_whole_and_none_beyond(path: Path) -> None:
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(_WRITER), str(path)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        ) as writer:
            assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
            before = ChainCache(path).checkpoints(SCOPE)
            while ChainCache(path).checkpoints(SCOPE) == before:
                pass
            writer.send_signal(signal.SIGKILL)

        cache = ChainCache(path)
        (last, _), *_ = cache.checkpoints(SCOPE)
        found = blocks(cache)
        assert found == [block for block in range(1, last + 1) for _ in range(20)]
