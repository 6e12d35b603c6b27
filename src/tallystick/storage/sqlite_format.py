"""Kind and format version of an SQLite file, in the header that SQLite reserves for them."""

import sqlite3
from enum import IntEnum

from tallystick.errors import TallystickError
from tallystick.protocol.format_version import unknown_version


class SqliteFormatError(TallystickError, ValueError):
    """An SQLite file of another kind, or of a version that this release does not know."""


class SqliteKind(IntEnum):
    """The application_id of each kind of file: "tl" and two letters that tell which."""

    OPERATOR_JOURNAL = 0x746C6F6A
    VERIFIER_JOURNAL = 0x746C766A
    SUBMISSION_JOURNAL = 0x746C736A
    IMPORT_BATCHES = 0x746C6962
    SENT_JOURNAL = 0x746C7374
    LLM_REQUESTS = 0x746C6C72

    @property
    def title(self) -> str:
        """The kind in words."""
        return self.name.lower().replace("_", " ")


def need_format(database: sqlite3.Connection, kind: SqliteKind, version: int) -> None:
    """Check a file before anything is read from it or written to it.

    A file without a kind and a version is new, or older than the first version: both pass.

    Raises:
        SqliteFormatError: the file is of another kind or version; the message names the file.
    """
    (found_kind,) = database.execute("pragma application_id").fetchone()
    (found,) = database.execute("pragma user_version").fetchone()
    if (found_kind, found) == (0, 0):
        return
    if found_kind != kind:
        raise SqliteFormatError(f"{_path(database)} is no {kind.title}")
    if wrong := unknown_version(kind.title, found, version):
        raise SqliteFormatError(f"{_path(database)}: {wrong}")


def set_format(database: sqlite3.Connection, kind: SqliteKind, version: int) -> None:
    """Write kind and version; part of the transaction that is open, if one is."""
    database.execute(f"pragma application_id = {int(kind)}")
    database.execute(f"pragma user_version = {int(version)}")


def _path(database: sqlite3.Connection) -> str:
    return str(database.execute("pragma database_list").fetchone()[2])
