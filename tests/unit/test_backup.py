"""A node's data folder copied while it is written to, and put back."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallystick.cli.main import main
from tallystick.node.operator.journal import OperatorJournal
from tallystick.storage.backup import BackupError, back_up, restore
from tests.unit.node.test_operator_journal import MODEL, accepted, answered, batch_of

LANE = b"n" * 32, b"o" * 20, b"here"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder of one lane, with a batch's data and what processes leave."""
    place = tmp_path / "node" / "1-core"
    OperatorJournal(place / "journal.sqlite3", *LANE).close()
    (place / "batches").mkdir()
    (place / "batches" / "aa.parquet").write_bytes(b"data")
    (place / "batches" / "bb.parquet.7.part").write_bytes(b"half")
    (place / "worker-0.lock").touch()
    return tmp_path / "node"


def test_back_up__running_writer__each_batch_whole_with_its_data(
    folder: Path, tmp_path: Path
) -> None:
    place = folder / "1-core"
    stop = threading.Event()

    def write() -> None:
        # As a node does: answers, then a batch's data, then the batch.
        journal = OperatorJournal(place / "journal.sqlite3", *LANE)
        for index in range(10_000):
            if stop.is_set():
                break
            some = [accepted(index * 4 + place) for place in range(4)]
            journal.accept(MODEL, some, worker=0)
            journal.answer([answered(one) for one in some], now=5)
            taken = journal.take(MODEL, 4, 0, 2000)
            batch = batch_of(taken, index)
            (place / "batches" / batch.root.hex()).write_bytes(b"data")
            journal.note(batch, taken)
        journal.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            back_up(folder, tmp_path / f"copy-{number}")
    finally:
        stop.set()
        writer.join()

    noted = []
    for number in range(5):
        restore(tmp_path / f"copy-{number}", tmp_path / f"back-{number}")
        back = tmp_path / f"back-{number}" / "1-core"
        database = sqlite3.connect(back / "journal.sqlite3")
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
        rows = database.execute(
            "select root, count(inference.id) from batch left join inference"
            " on inference.batch = batch.id group by batch.id"
        ).fetchall()
        assert all(count == 4 for _, count in rows)
        assert all((back / "batches" / root.hex()).exists() for root, _ in rows)
        noted.append(len(rows))
        database.close()
    assert noted == sorted(noted) and noted[-1] > 0


def test_restore__opened_by_a_node__goes_on(folder: Path, tmp_path: Path) -> None:
    OperatorJournal(folder / "1-core" / "journal.sqlite3", *LANE).accept(MODEL, [accepted(7)], 0)

    back_up(folder, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "back")

    journal = OperatorJournal(tmp_path / "back" / "1-core" / "journal.sqlite3", *LANE)
    assert journal.accept(MODEL, [accepted(7)], 0)[0] is not None
    names = {path.name for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    assert names == {"journal.sqlite3", "aa.parquet", "backup.json"}


def _change(copy: Path) -> None:
    (copy / "1-core" / "batches" / "aa.parquet").write_bytes(b"tada")


def _lose(copy: Path) -> None:
    (copy / "1-core" / "batches" / "aa.parquet").unlink()


def _renumber(copy: Path) -> None:
    (copy / "backup.json").write_text('{"version": 2, "files": {}}')


def _reach_out(copy: Path) -> None:
    (copy / "backup.json").write_text('{"version": 1, "files": {"../x": "aa"}}')


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_change, "aa.parquet is not what was backed up"),
        (_lose, "aa.parquet is missing"),
        (_renumber, "backup of format version 2; needed: 1"),
        (_reach_out, "lies outside the backup"),
    ],
)
def test_restore__spoiled_backup__refused_and_nothing_restored(
    folder: Path, tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    back_up(folder, tmp_path / "copy")
    spoil(tmp_path / "copy")

    with pytest.raises(BackupError, match=reason):
        restore(tmp_path / "copy", tmp_path / "back")

    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["backup", "{node}", "{node}/copy"], "lies in"),
        (["backup", "{node}", "{here}"], "is there already; needed: a new folder"),
        (["backup", "{here}/empty", "{here}/copy"], "holds no journal"),
        (["restore", "{node}", "{here}/back"], "is no backup: it has no backup.json"),
        (["restore", "{node}", "{node}"], "is not empty"),
    ],
)
def test_commands__what_cannot_be__one_line_and_exit_code_1(
    folder: Path, tmp_path: Path, arguments: list[str], reason: str
) -> None:
    (tmp_path / "empty").mkdir()

    runner = CliRunner(mix_stderr=False)
    done = runner.invoke(main, [one.format(node=folder, here=tmp_path) for one in arguments])

    assert done.exit_code == 1
    assert done.stderr.startswith("error: ") and reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_commands__backup_and_restore__say_what_was_copied(folder: Path, tmp_path: Path) -> None:
    copy, back = str(tmp_path / "copy"), str(tmp_path / "back")

    first = CliRunner().invoke(main, ["backup", str(folder), copy, "--json"])
    second = CliRunner().invoke(main, ["restore", copy, back, "--json"])

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert '"files": 2' in first.stdout and '"journals": 1' in second.stdout
