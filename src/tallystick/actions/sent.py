"""Journal of transactions on their way: noted before they are sent, forgotten when mined.

Those of an errand are forgotten when it has ended. One file serves all commands of a user, so that
a command that was killed finds its transaction when it is run again.
"""

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tallystick.chain.cache import cache_folder
from tallystick.chain.call import Errand
from tallystick.chain.transactions import Purpose, Signed
from tallystick.storage.sqlite_format import SqliteKind
from tallystick.storage.sqlite_journal import SqliteJournal, create_tables

FORMAT = 1
_LOG = logging.getLogger(__name__)
_SCHEMA = """
create table if not exists sent (
    place integer primary key,
    chain blob not null,
    sender blob not null,
    purpose blob not null,
    raw blob not null
) strict
"""
# A file that is older than errands is given the table when it is first needed.
_ERRANDS = """
create table if not exists errands (
    chain blob not null,
    sender blob not null,
    errand blob not null,
    purpose blob not null,
    told text not null,
    primary key (chain, sender, purpose)
) strict
"""
_OF = "where chain = ? and sender = ? and purpose = ?"


class SentJournal:
    """The file; each method raises SqliteFormatError for another kind, or an unknown version.

    Args:
        path: of the file, made when something is noted; None: sent.sqlite3 beside what commands
            read of chains.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or cache_folder() / "sent.sqlite3"

    def waiting(self, purpose: Purpose) -> Sequence[Signed]:
        """Return what was noted for a purpose and not settled, the first one first."""
        if not self._path.exists():
            return ()
        query = f"select raw from sent {_OF} order by place"
        with closing(self._open()) as file:
            rows = file.read(query, purpose.chain, purpose.sender, purpose.key)
        return [Signed(purpose, raw) for (raw,) in rows]

    def note(self, signed: Signed, errand: Errand | None = None) -> None:
        """Note a transaction, before it is sent; on the disk when this returns.

        Where the folder cannot be written, nothing is noted, and a warning is logged.
        """
        of = signed.purpose
        try:
            with closing(self._open()) as file, file.write() as database:
                database.execute(
                    "insert into sent (chain, sender, purpose, raw) values (?, ?, ?, ?)",
                    (of.chain, of.sender, of.key, signed.raw),
                )
                if errand is not None:
                    _adopt(database, of, errand)
        except (OSError, sqlite3.OperationalError) as error:
            _LOG.warning("transactions are not noted: %s; needed: TALLYSTICK_CACHE", error)

    def adopt(self, purpose: Purpose, errand: Errand) -> None:
        """Have what is noted for a purpose be an errand's, whoever noted it."""
        with closing(self._open()) as file, file.write() as database:
            _adopt(database, purpose, errand)

    def settle(self, purpose: Purpose) -> None:
        """Forget what was noted for a purpose: it is known what became of it."""
        if not self._path.exists():
            return
        with closing(self._open()) as file, file.write() as database:
            database.execute(_ERRANDS)
            for table in ("sent", "errands"):
                database.execute(
                    f"delete from {table} {_OF}", (purpose.chain, purpose.sender, purpose.key)
                )

    def of_errand(self, chain: bytes, sender: bytes, key: bytes) -> Sequence[tuple[Purpose, str]]:
        """Return the purposes that a sender's order has noted, with what there is to say of each.

        Args:
            chain: hash of its first block, 32 bytes.
            sender: 20 bytes.
            key: of the order, 32 bytes.
        """
        if not self._path.exists():
            return ()
        with closing(self._open()) as file:
            if not file.read("select 1 from sqlite_master where name = 'errands'"):
                return ()
            rows = file.read(
                "select purpose, told from errands where chain = ? and sender = ? and errand = ? "
                "order by rowid",
                chain,
                sender,
                key,
            )
        return [(Purpose(chain, sender, purpose), told) for purpose, told in rows]

    def _open(self) -> SqliteJournal:
        kind = SqliteKind.SENT_JOURNAL
        return SqliteJournal(self._path, kind, FORMAT, create_tables(_SCHEMA))


def _adopt(database: sqlite3.Connection, purpose: Purpose, errand: Errand) -> None:
    database.execute(_ERRANDS)
    database.execute(
        "insert or replace into errands (chain, sender, errand, purpose, told) "
        "values (?, ?, ?, ?, ?)",
        (purpose.chain, purpose.sender, errand.key, purpose.key, errand.told),
    )
