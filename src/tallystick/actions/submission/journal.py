"""Write-ahead journal: which batch a submission became, noted before it is sent."""

import hashlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tallystick.protocol.batch import Batch
from tallystick.storage.sqlite_format import SqliteKind
from tallystick.storage.sqlite_journal import SqliteJournal, create_tables

FORMAT = 1
_SCHEMA = """
create table if not exists submission (
    key blob primary key,
    network_id blob not null,
    operator blob not null,
    batch_index integer not null,
    model_id blob not null,
    root blob not null,
    count integer not null,
    deadline integer not null
) strict
"""


@dataclass(frozen=True, slots=True)
class Source:
    """Identity of a submission: two with equal fields are the same one."""

    chain_id: int
    registry: bytes
    network_id: bytes
    operator: bytes
    model_id: bytes
    content: bytes
    """digest_of the records, 32 bytes."""
    label: str = ""
    """Tells apart submissions of equal records."""

    @property
    def key(self) -> bytes:
        """Key of the source in the journal, 32 bytes."""
        fixed = self.registry + self.network_id + self.operator + self.model_id + self.content
        head = self.chain_id.to_bytes(32, "big") + fixed
        return hashlib.sha256(head + self.label.encode()).digest()


class SubmissionJournal:
    """The batches that sources became, in an SQLite file that survives crashes.

    Each method raises SqliteFormatError for another kind of file, or an unknown version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def beside(cls, receipts: Path) -> "SubmissionJournal":
        """Return the journal that lies in a folder of receipts."""
        return cls(receipts / "journal.sqlite3")

    def find(self, source: Source) -> Batch | None:
        """Return the batch noted for a source; None when it has none."""
        if not self._path.exists():
            return None
        with closing(self._open()) as file:
            rows = file.read(
                "select network_id, operator, batch_index, model_id, root, count, deadline"
                " from submission where key = ?",
                source.key,
            )
        return Batch(*rows[0]) if rows else None

    def note(self, source: Source, batch: Batch) -> None:
        """Note the batch that is about to be sent, in place of one that can no longer be."""
        row = (
            source.key,
            batch.network_id,
            batch.operator,
            batch.index,
            batch.model_id,
            batch.root,
            batch.count,
            batch.commit_deadline,
        )
        with closing(self._open()) as file, file.write() as database:
            database.execute("insert or replace into submission values (?,?,?,?,?,?,?,?)", row)

    def _open(self) -> SqliteJournal:
        kind = SqliteKind.SUBMISSION_JOURNAL
        return SqliteJournal(self._path, kind, FORMAT, create_tables(_SCHEMA))
