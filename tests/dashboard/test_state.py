"""A state that shares an older one's copies answers as one that copied everything."""

import gc
import hashlib
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tallystick.dashboard import numbers, state
from tallystick.dashboard.live import Live
from tallystick.dashboard.numbers import Scope
from tallystick.dashboard.snapshot import Snapshot
from tallystick.data.decode.files import decode_logs
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.manifest import LogManifest, Part
from tests.support.shown import Shown

ZERO = "0x" + "00" * 32
NAMES = ("committed", "verified", "open", "burned", "known_verified")


def put(data: Dataset, registry: ContractKey, logs: pa.Table, first: int, last: int) -> None:
    """Keep the logs of some blocks as a file of their own, in place of one that begins there."""
    path = data.manifest(registry)
    manifest = LogManifest.read(path) or LogManifest(*_key(registry), 0, 1_000)
    rows = logs.filter((pc.field("block_number") >= first) & (pc.field("block_number") <= last))
    sink = io.BytesIO()
    pq.write_table(rows, sink)
    for one in manifest.parts:
        if one.first == first:
            (data.logs(registry) / one.name).unlink()
    part = Part(first, last, ZERO, ZERO, len(rows), hashlib.sha256(sink.getvalue()).hexdigest())
    data.logs(registry).mkdir(parents=True, exist_ok=True)
    (data.logs(registry) / part.name).write_bytes(sink.getvalue())
    manifest.put(part)
    path.parent.mkdir(parents=True, exist_ok=True)
    manifest.write(path)
    decode_logs(data, registry)


def _key(registry: ContractKey) -> tuple[int, bytes]:
    return registry.chain_id, registry.address


def answers(now: Snapshot) -> dict[str, Any]:
    """Whatever a snapshot can be asked for."""
    found: dict[str, Any] = {"networks": now.networks(), "rejected": now.disputes.rejected(0, 99)}
    for period in ("1d", "30d", "all"):
        found[period] = now.summary(period)
    for asked in ("open", "past", "all"):
        found[asked] = now.disputes.page(asked, 0, 99), now.disputes.count(asked)
    for key in now.network_keys():
        batches = now.batches.page(key, 0, 999)
        split = now.days(key), now.operators(key), now.models(key)
        whole = [now.batches.find(one["chain_id"], one["core"], one["batch_id"]) for one in batches]
        told = [
            (now.number(scope, name), numbers.events_of(now.events, scope, parts, 0, 999))
            for scope, names in (
                (Scope(key), NAMES),
                *((Scope(key, "model", one["model_id"]), ["verified"]) for one in split[2]),
            )
            for name in names
            for parts in [now.parts(scope, name)]
        ]
        found[key.path] = split, batches, whole, now.batches.count(key), told
    return found


@pytest.fixture
def logs(shown: Shown) -> pa.Table:
    folder = shown.data.logs(shown.contract)
    return pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("*.parquet"))])


def test_live__blocks_come_in__as_a_folder_that_was_read_at_once(
    shown: Shown, logs: pa.Table, tmp_path: Path
) -> None:
    data, registry = Dataset(tmp_path), shown.contract
    blocks = sorted(set(logs["block_number"].to_pylist()))
    put(data, registry, logs, 0, blocks[len(blocks) // 2])
    live, shared = Live(tmp_path), 0

    for block in blocks[len(blocks) // 2 + 1 :: 4]:
        put(data, registry, logs, 0, block)
        before, known = live.snapshot, live.snapshot.disputes.page("all", 0, 99)
        assert live.look()
        if live.snapshot.state.base is before.state.base:
            shared += 1
            assert answers(live.snapshot) == answers(Snapshot(tmp_path))
            # Nothing of the newer blocks is in the older state.
            assert before.disputes.page("all", 0, 99) == known

    assert shared > 2
    del before
    gc.collect()
    schemas = live.snapshot.events.rows("SELECT schema_name AS name FROM duckdb_schemas()")
    assert sum(one["name"].startswith("state") for one in schemas) <= 4


def test_live__other_history__is_read_anew(shown: Shown, logs: pa.Table, tmp_path: Path) -> None:
    data, registry = Dataset(tmp_path), shown.contract
    last = max(logs["block_number"].to_pylist())
    put(data, registry, logs, 0, last - 3)
    live = Live(tmp_path)
    gone = logs.filter(pc.field("block_number") != last - 3)

    put(data, registry, gone, 0, last - 2)

    assert live.look()
    assert live.snapshot.state.base is live.snapshot.state
    assert answers(live.snapshot) == answers(Snapshot(tmp_path))


def test_live__next_file_of_logs__stands_on_the_one_before(
    shown: Shown, logs: pa.Table, tmp_path: Path
) -> None:
    data, registry = Dataset(tmp_path), shown.contract
    last = max(logs["block_number"].to_pylist())
    put(data, registry, logs, 0, last - 1)
    live = Live(tmp_path)

    put(data, registry, logs, last, last)

    assert live.look()
    assert live.snapshot.state.base is not live.snapshot.state
    assert answers(live.snapshot) == answers(Snapshot(tmp_path))


def test_live__more_than_stands_apart__is_copied_with_the_rest(
    shown: Shown, logs: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "FEW", 1)
    monkeypatch.setattr(state, "SHARE", 0)
    last = max(logs["block_number"].to_pylist())
    put(Dataset(tmp_path), shown.contract, logs, 0, last - 9)
    live = Live(tmp_path)

    put(Dataset(tmp_path), shown.contract, logs, 0, last)

    assert live.look()
    assert live.snapshot.state.base is live.snapshot.state
