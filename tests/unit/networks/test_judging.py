"""A network that is judged bit by bit has the findings of one that is judged at once."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.data.extract.dataset import Dataset
from tallystick.data.extract.manifest import LogManifest, Part
from tallystick.networks import judging
from tallystick.networks.adapter import Adapter, Judged, Place, Rows, Run
from tallystick.networks.chain_reader import key_of
from tallystick.networks.judging import Signers, judge_folder
from tallystick.networks.recovery import Signed, recover
from tallystick.networks.registered import adapter
from tallystick.storage.durable import parquet, replace_file
from tests.bench.networks import CHAIN, CONTRACT, settled

BLOCKS = 6
LOGS, CALLS = settled(BLOCKS * 50 - 1)
ZERO_G = adapter("0g")
ZERO = "0x" + "00" * 32


def run_of(root: Path) -> Run:
    return Run(Dataset(root), root, (Place(CHAIN, CONTRACT),), {})


def fill(root: Path, blocks: int) -> Run:
    """What a folder holds when this many blocks were followed, a file a block."""
    run = run_of(root)
    key = key_of(run.places[0])
    manifest = LogManifest(CHAIN, CONTRACT, 0, 1)
    for block in range(blocks):
        content = parquet(LOGS.slice(block * 50, 50))
        part = Part(block, block, ZERO, ZERO, 50, hashlib.sha256(content).hexdigest())
        replace_file(run.data.logs(key) / part.name, content)
        first = CALLS.slice(block, 2)
        name = f"{block:012d}-{part.sha256[:16]}.parquet"
        replace_file(run.data.calls(key) / name, parquet(first))
        manifest.put(part)
    manifest.write(run.data.manifest(key))
    return run


def counted(found: Adapter) -> tuple[Adapter, list[int]]:
    """The adapter, and how many claims each call of its judge was given."""
    given: list[int] = []

    def judge(rows: Rows) -> Judged:
        given.append(len(rows.tables["TEESettlementResult"]))
        return found.judge(rows)

    judge.__module__ = found.judge.__module__
    return replace(found, judge=judge), given


def signed_of(judged: Judged) -> int:
    """Claims whose signature was recovered; a call whose events are cut in two has none yet."""
    rows = judged.table.to_pylist()
    return sum(row["count"] for row in rows if row["verdict"] == "enclave")


@pytest.fixture
def recovered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many signatures each call recovered."""
    return watch(monkeypatch)


def watch(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    numbers: list[int] = []

    def counting(signed: list[Signed], workers: int | None = None) -> list[bytes]:
        numbers.append(len(signed))
        return recover(signed, workers)

    monkeypatch.setattr(judging, "recover", counting)
    return numbers


@settings(max_examples=12, deadline=None)
@given(st.sets(st.integers(1, BLOCKS), min_size=1))
def test_judge_folder__after_any_cuts__is_what_one_run_finds(cuts: set[int]) -> None:
    with TemporaryDirectory() as bit_by_bit, TemporaryDirectory() as at_once:
        with pytest.MonkeyPatch.context() as patch:
            recovered = watch(patch)
            for cut in sorted(cuts):
                found = judge_folder(ZERO_G, fill(Path(bit_by_bit), cut))
            met = sum(recovered)
        expected = judge_folder(ZERO_G, fill(Path(at_once), max(cuts)))
    assert found[0].table.equals(expected[0].table)
    assert (found[0].measures, found[1]) == (expected[0].measures, expected[1])
    # Each signature is recovered once, however often the folder is judged.
    assert met == signed_of(found[0])


def test_judge_folder__nothing_new__is_not_judged(tmp_path: Path, recovered: list[int]) -> None:
    found, given = counted(ZERO_G)

    first = judge_folder(found, fill(tmp_path, 2))
    second = judge_folder(found, run_of(tmp_path))

    assert given == [99]
    assert second[0].table.equals(first[0].table) and second[0].measures == first[0].measures
    assert sum(recovered) == signed_of(first[0]) == 50


def test_judge_folder__history_replaced__is_judged_anew(tmp_path: Path) -> None:
    found, given = counted(ZERO_G)
    judge_folder(found, fill(tmp_path, 3))

    run = fill(tmp_path, 2)
    judged, _ = judge_folder(found, run)

    assert given == [149, 99]
    assert sum(judged.table["count"].to_pylist()) == 99


def test_judge_folder__other_code_or_places__is_judged_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, given = counted(ZERO_G)
    run = fill(tmp_path, 1)
    judge_folder(found, run)
    judge_folder(found, replace(run, places=(*run.places, Place(CHAIN, b"\x77" * 20))))
    changed = tmp_path / "changed.py"
    changed.write_text("# another judge\n")
    monkeypatch.setattr(judging, "_code", lambda _: [changed])
    judge_folder(found, run)

    assert len(given) == 3


@pytest.mark.parametrize("name", ["judged.json", "signers.parquet"])
def test_judge_folder__kept_file_is_broken__is_made_again(tmp_path: Path, name: str) -> None:
    run = fill(tmp_path, 1)
    first, _ = judge_folder(ZERO_G, run)
    (tmp_path / "judged.json").write_text("[]")
    (tmp_path / name).write_bytes(b"broken")

    again, _ = judge_folder(ZERO_G, run)

    assert again.table.equals(first.table)


def test_signers__not_asked_for_again__are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "signers.parquet"
    signed = [(bytes([number]) * 32, bytes(65)) for number in range(3)]
    one = Signers(path)
    assert one.recover([*signed, (bytes(32), b"short")]) == recover([*signed, (bytes(32), b"")])
    one.write()

    other = Signers(path)
    other.recover(signed[:1])
    other.write()

    assert len(pq.read_table(path)) == 1


def test_inputs__empty_blocks_added__are_the_same(tmp_path: Path) -> None:
    run = fill(tmp_path, 1)
    before = judging.inputs(ZERO_G, run)
    key = key_of(run.places[0])
    manifest = run.data.read_manifest(key)
    sink: Any = io.BytesIO()
    pq.write_table(LOGS.slice(0, 0), sink)
    empty = Part(1, 9, ZERO, ZERO, 0, hashlib.sha256(sink.getvalue()).hexdigest())
    replace_file(run.data.logs(key) / empty.name, sink.getvalue())
    manifest.put(empty)
    manifest.write(run.data.manifest(key))

    assert judging.inputs(ZERO_G, run) != "" and judging.inputs(ZERO_G, run) == before
