"""Files that the node is about to parse, and those that broke what parsed them.

Noted ahead: a node that ends while it reads a file does not read it again at its next start.
"""

import os
import time
from pathlib import Path

from tallystick.storage.batch_parser import FilePutOffError, ParserBrokenError
from tallystick.storage.sqlite_journal import SqliteJournal

TRIED = """
create table if not exists tried (
    digest blob primary key,
    process text not null,
    times integer not null,
    tried_at real not null,
    broken text not null
) strict, without rowid;
"""
AGAIN_AFTER = 600.0
"""Seconds until a file is tried once more: what ended may have been killed by chance, or memory may
have been short."""
MOST = 3
"""Attempts that end so; then the file is never read again."""


class TriedFiles:
    """Attempts of a node's processes, as tallystick.storage.batch_parser has them.

    Args:
        file: of the node's journal, with the table.
    """

    def __init__(self, file: SqliteJournal) -> None:
        self._file = file
        self._process, self._trying = _identity(os.getpid()), set[bytes]()

    def begin(self, digest: bytes) -> None:
        """See Attempts."""
        rows = self._file.read(
            "select process, times, tried_at, broken from tried where digest = ?", digest
        )
        times = 0
        if rows:
            process, times, tried_at, broken = rows[0]
            if broken or not self._is_tried_now(digest, process):
                reason = broken or "this node ended while it was read"
                if times >= MOST:
                    raise ParserBrokenError(f"not tried again: {reason}, {times} times")
                if time.time() < tried_at + AGAIN_AFTER:
                    error = ParserBrokenError if broken else FilePutOffError
                    raise error(f"not tried again for {AGAIN_AFTER:g} s: {reason}")
        with self._file.write() as database:
            database.execute(
                "insert or replace into tried values (?,?,?,?,'')",
                (digest, self._process, times + 1, time.time()),
            )
        self._trying.add(digest)

    def end(self, digest: bytes, broken: str) -> None:
        """See Attempts."""
        self._trying.discard(digest)
        with self._file.write() as database:
            if broken:
                database.execute("update tried set broken = ? where digest = ?", (broken, digest))
            else:
                database.execute("delete from tried where digest = ?", (digest,))

    def _is_tried_now(self, digest: bytes, process: str) -> bool:
        if process == self._process:
            return digest in self._trying
        return _identity(int(process.partition(" ")[0])) == process


def _identity(pid: int) -> str:
    """Return what tells a process from those that had its number before, or will have it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return f"{pid} "
    # The name, in brackets, may hold anything; the start is the 20th field after it.
    return f"{pid} {stat.rpartition(')')[2].split()[19]}"
