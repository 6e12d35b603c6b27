"""What any journal's file promises: all or nothing, on the disk, for threads and processes."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.storage.sqlite_format import SqliteFormatError, SqliteKind
from tallystick.storage.sqlite_journal import SqliteJournal, create_tables

KIND = SqliteKind.SUBMISSION_JOURNAL
SCHEMA = """
create table if not exists note (number integer primary key) strict;
create index if not exists numbers on note (number);
"""
WRITER = """
import sys
from pathlib import Path
from tests.unit.test_sqlite_journal import opened

file = opened(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 20):
    with file.write() as database:
        database.execute("insert into note values (?)", (number,))
print("done", flush=True)
if "killed" in sys.argv:
    with file.write() as database:
        database.execute("insert into note values (-1)")
        print("half", flush=True)
        sys.stdin.read()
"""


def opened(path: Path, version: int = 1) -> SqliteJournal:
    return SqliteJournal(path, KIND, version, create_tables(SCHEMA))


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteJournal]:
    found = opened(tmp_path / "folder" / "journal.sqlite3")
    yield found
    found.close()


def numbers(file: SqliteJournal) -> list[int]:
    return [number for (number,) in file.read("select number from note order by number")]


def note(file: SqliteJournal, number: int) -> None:
    with file.write() as database:
        database.execute("insert into note values (?)", (number,))


def test_write__raises__nothing_of_it_is_kept(file: SqliteJournal) -> None:
    note(file, 1)

    with pytest.raises(KeyboardInterrupt), file.write() as database:
        database.execute("insert into note values (2)")
        raise KeyboardInterrupt

    assert numbers(file) == [1]
    note(file, 2)
    assert numbers(file) == [1, 2]


def test_read__while_another_writes__waits_for_nobody(file: SqliteJournal) -> None:
    with file.write() as database:
        database.execute("insert into note values (1)")
        assert numbers(file) == []

    assert numbers(file) == [1]


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
def test_write__durable_or_not__flushed_as_said(
    file: SqliteJournal, durable: bool, synchronous: int
) -> None:
    with file.write(durable) as database:
        assert database.execute("pragma synchronous").fetchone() == (synchronous,)
        assert database.execute("pragma journal_mode").fetchone() == ("wal",)


def test_write__many_threads__each_once(file: SqliteJournal) -> None:
    def write(first: int) -> None:
        for number in range(first, first + 20):
            note(file, number)
            assert number in numbers(file)

    threads = [threading.Thread(target=write, args=(first,)) for first in range(0, 160, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert numbers(file) == list(range(160))


def test_write__many_processes_on_a_new_file__each_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(first)])
        for first in range(0, 80, 20)
    ]

    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert numbers(opened(path)) == list(range(80))


def test_write__killed_in_between__what_was_done_is_there_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "0", "killed"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"done\n"
    assert writer.stdout.readline() == b"half\n"
    writer.kill()
    writer.communicate()

    file = opened(path)
    assert numbers(file) == list(range(20))
    note(file, 20)


def test_opened__again__tables_are_not_made_again(tmp_path: Path) -> None:
    def never(database: sqlite3.Connection) -> None:
        raise AssertionError

    path = tmp_path / "journal.sqlite3"
    opened(path).close()

    SqliteJournal(path, KIND, 1, never).close()


def test_opened__tables_cannot_be_made__new_file_has_no_version(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    broken = create_tables(SCHEMA + "create nonsense;\n")

    with pytest.raises(sqlite3.OperationalError):
        SqliteJournal(path, KIND, 1, broken)

    assert numbers(opened(path)) == []


def test_opened__unknown_version__refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    opened(path, version=2).close()
    before = path.read_bytes()

    with pytest.raises(SqliteFormatError, match="submission journal of format version 2"):
        opened(path)

    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
