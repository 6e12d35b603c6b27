"""Batch files that hostile stores may serve: none takes down who reads it, or takes it for long.

honest     the same records as without a process between, by one process that stays
hostile    bombs, nests, lies, random damage: refused, and the next file is read as ever
broken     a process killed, hung, out of memory: said so, and noted before it was tried
"""

import io
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tallystick.errors import BatchCorruptError
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_parser import BatchParser, GuardedStore, ParserBrokenError
from tallystick.storage.batch_store import BatchStore
from tests.support.nested_parquet import nested
from tests.support.patience import PATIENCE

MODEL, OPERATOR = b"m" * 32, b"o" * 20
SIZE, MEMORY = 1 << 20, 128 << 20
RECORDS = [
    InferenceRecord(nonce=n, deadline=9, input=b"in %d" % n, output=b"out") for n in range(3000)
]


@pytest.fixture(scope="module")
def parser() -> Iterator[BatchParser]:
    with_little = BatchParser(SIZE, MEMORY, 60)
    yield with_little
    with_little.close()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    BatchStore(str(folder)).put(MODEL, OPERATOR, RECORDS)
    (path,) = folder.iterdir()
    return path


class Remembered:
    """What was noted, in turn."""

    def __init__(self, refused: str | None = None) -> None:
        self.told: list[str] = []
        self.refused = refused

    def begin(self, digest: bytes) -> None:
        self.told.append(f"begin {len(digest)}")
        if self.refused:
            raise ParserBrokenError(self.refused)

    def end(self, digest: bytes, broken: str) -> None:
        self.told.append(f"end {broken}".rstrip())


def rewritten(good: Path, input: pa.Array, use_dictionary: bool | list[str] = False) -> bytes:
    """The good file with other inputs."""
    table = parquet.read_table(good)
    place = table.column_names.index("input")
    sink = io.BytesIO()
    parquet.write_table(
        table.set_column(place, table.schema.field("input"), input),
        sink,
        compression="zstd",
        use_dictionary=use_dictionary,
        write_statistics=False,
    )
    return sink.getvalue()


def read(parser: BatchParser, folder: Path, good: Path, packed: bytes) -> list[InferenceRecord]:
    (folder / good.name).write_bytes(packed)
    return GuardedStore(str(folder), SIZE, parser).get(bytes.fromhex(good.stem))


def test_get__honest_files__same_records_by_one_process(
    parser: BatchParser, tmp_path: Path, good: Path
) -> None:
    assert read(parser, tmp_path, good, good.read_bytes()) == RECORDS
    before = parser.waiting()
    assert read(parser, tmp_path, good, good.read_bytes()) == RECORDS
    assert parser.waiting() == before
    assert len(before) == 1


def test_get__passphrases_in_the_environment__not_in_the_process(
    parser: BatchParser, tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APE_ACCOUNTS_NAME_PASSPHRASE", "open sesame")
    fresh = BatchParser(SIZE, MEMORY, 61)
    read(fresh, tmp_path, good, good.read_bytes())
    (pid,) = fresh.waiting()
    assert b"open sesame" not in Path(f"/proc/{pid}/environ").read_bytes()
    fresh.close()


def zstd_bomb(good: Path) -> bytes:
    """One value of 150 MB in a few KB."""
    zeros = pa.array([bytes(150 << 20)] + [None] * 2999, pa.large_binary())
    return rewritten(good, zeros)


def dictionary_bomb(good: Path) -> bytes:
    """One value of 64 KB that each of 3,000 rows has."""
    many = pa.array([bytes(1 << 16)] * 3000, pa.large_binary())
    return rewritten(good, many, use_dictionary=["input"])


def many_rows(good: Path) -> bytes:
    """Two million rows in a few KB: runs of one value."""
    many = parquet.read_table(good).take(pa.array([0] * 2_000_000, pa.int32()))
    sink = io.BytesIO()
    parquet.write_table(many, sink, compression="zstd", use_dictionary=["requester"])
    return sink.getvalue()


def deep(good: Path) -> bytes:
    return nested(80_000)


def nothing(good: Path) -> bytes:
    return b""


def garbage(good: Path) -> bytes:
    return b"PAR1" + bytes(4000) + b"PAR1"


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (zstd_bomb, "takes more memory"),
        (dictionary_bomb, "the bytes of column input are by a dictionary"),
        (many_rows, "unpacks to more than the 1048576 bytes"),
        (deep, "was ended by SIGSEGV"),
        (nothing, "is not a batch"),
        (garbage, "is not a batch"),
    ],
)
def test_get__hostile_file__refused_and_the_next_is_read(
    parser: BatchParser,
    tmp_path: Path,
    good: Path,
    hostile: Callable[[Path], bytes],
    reason: str,
) -> None:
    packed = hostile(good)
    assert len(packed) < SIZE
    with pytest.raises(BatchCorruptError, match=reason):
        read(parser, tmp_path, good, packed)
    assert read(parser, tmp_path, good, good.read_bytes()) == RECORDS


def test_put__any_batch__no_bytes_by_a_dictionary(good: Path) -> None:
    group = parquet.ParquetFile(good).metadata.row_group(0)

    by_dictionary = [
        column.path_in_schema
        for column in map(group.column, range(group.num_columns))
        if "RLE_DICTIONARY" in column.encodings
    ]

    assert {"requester", "deadline", "trace_root"} <= set(by_dictionary)
    assert not {"signature", "input", "output"} & set(by_dictionary)


def test_get__random_damage__refused_or_right(
    parser: BatchParser, tmp_path: Path, good: Path
) -> None:
    choose, whole, seen = random.Random(1), good.read_bytes(), set()
    for _ in range(60):
        packed = bytearray(whole)
        # Most of what tells how to read a file is at its end.
        start = choose.choice([0, len(packed) - 3000])
        for _ in range(choose.randrange(1, 5)):
            packed[choose.randrange(max(start, 4), len(packed))] = choose.randrange(256)
        try:
            seen.add(read(parser, tmp_path, good, bytes(packed)) == RECORDS)
        except BatchCorruptError:
            seen.add(None)
    assert None in seen
    # A signature is in no hash.
    assert read(parser, tmp_path, good, whole) == RECORDS


def test_clean__process_is_killed__named_and_noted_ahead(good: Path) -> None:
    notes = Remembered()
    parser = BatchParser(SIZE, MEMORY, 62, notes)
    parser.clean(good.read_bytes())
    assert notes.told == ["begin 32", "end"]
    (pid,) = parser.waiting()
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (pid, signal.SIGSEGV)).start()
    threading.Timer(0.3, os.kill, (pid, signal.SIGCONT)).start()

    with pytest.raises(ParserBrokenError, match="was ended by SIGSEGV"):
        parser.clean(good.read_bytes())

    assert notes.told[2:] == ["begin 32", "end the process that read it was ended by SIGSEGV"]
    parser.clean(good.read_bytes())
    parser.close()


def test_clean__hangs__given_up_in_time(good: Path) -> None:
    parser = BatchParser(SIZE, MEMORY, timeout=1)
    parser.clean(good.read_bytes())
    (pid,) = parser.waiting()
    os.kill(pid, signal.SIGSTOP)

    with pytest.raises(ParserBrokenError, match="longer than 1 s"):
        parser.clean(good.read_bytes())

    parser.clean(good.read_bytes())
    parser.close()


def test_clean__broke_one_before__not_tried(good: Path) -> None:
    notes = Remembered("it was ended by SIGSEGV")
    parser = BatchParser(SIZE, MEMORY, 63, notes)

    with pytest.raises(ParserBrokenError, match="it was ended by SIGSEGV"):
        parser.clean(good.read_bytes())

    assert notes.told == ["begin 32"]


def test_clean__in_a_forked_process__by_one_of_its_own(
    parser: BatchParser, tmp_path: Path, good: Path
) -> None:
    parser.clean(good.read_bytes())
    before = parser.waiting()

    def in_child() -> None:
        assert parser.waiting() == []
        parser.clean(good.read_bytes())

    child = multiprocessing.get_context("fork").Process(target=in_child)
    child.start()
    parser.clean(good.read_bytes())
    child.join()

    assert child.exitcode == 0
    assert parser.waiting() == before


def test_process__whoever_began_it_is_killed__ends(good: Path) -> None:
    script = (
        "import pathlib, sys, time\n"
        "from tallystick.storage.batch_parser import BatchParser\n"
        "parser = BatchParser(1 << 20)\n"
        "parser.clean(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "print(parser.waiting()[0], flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(good)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
