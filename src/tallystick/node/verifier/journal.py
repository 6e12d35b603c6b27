"""A verifier's journal: what it knows and has done, in an SQLite file that survives kill -9.

Written ahead: a transaction is in here, signed, before the chain can see it, and a statement before
any other member can. Several processes of one node share one file.
"""

import os
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from tallystick.node.verifier.heads import HEADS, Heads
from tallystick.node.verifier.tried import TRIED, TriedFiles
from tallystick.storage.sqlite_format import SqliteKind
from tallystick.storage.sqlite_journal import SqliteJournal, create_tables

FORMAT = 1
_SCHEMA = """
create table if not exists finding (
    batch_id blob primary key,
    kind text not null,
    leaf_index integer not null,
    note text not null,
    executed integer not null,
    seed blob not null
) strict, without rowid;
create table if not exists statement (
    digest blob primary key,
    subject blob not null unique,
    kind text not null,
    json text not null,
    signed_at real not null
) strict, without rowid;
create table if not exists move (
    id integer primary key,
    batch_id blob,  -- null: about no batch, but about the asset
    kind text not null,
    turn integer not null,
    status text not null,
    sender blob not null,
    nonce integer not null,
    tx_hash blob not null,
    raw blob not null,
    asset blob not null,
    bond text not null,
    gas_cost text not null,
    made_at integer not null
) strict;
create index if not exists move_of on move (batch_id, kind, turn);
create index if not exists move_by on move (status);
"""
_ADDED = """
create table if not exists doubt (
    batch_id blob primary key,
    leaves integer not null
) strict, without rowid;
create table if not exists secret (
    name text primary key,
    value blob not null
) strict, without rowid;
create table if not exists asked (
    batch_id blob primary key,
    first_at integer not null,
    last_at integer not null,
    got integer not null
) strict, without rowid;
create table if not exists seal (
    panel_id blob not null,
    seed blob not null,
    key blob not null,
    ruling integer not null,
    signature blob not null,
    proof blob not null,
    opened integer not null,
    primary key (panel_id, seed)
) strict, without rowid;
"""
"""Tables that a file of the same version may lack; a release that knows none of them reads on."""


class StatementKind(StrEnum):
    """Kinds of statements that a member of a committee signs."""

    AUDIT = "audit"
    VERDICT = "verdict"


class MoveStatus(StrEnum):
    """The fate of an action."""

    SIGNED = "signed"
    """May be on its way; sent again until a block holds it or another took its nonce."""
    MINED = "mined"
    REVERTED = "reverted"
    LOST = "lost"
    """Another transaction took its nonce: it can never be mined."""
    DRY = "dry"
    """Only said, not sent."""


@dataclass(frozen=True, slots=True)
class Move:
    """A transaction about a batch, or about credit in an asset."""

    batch_id: bytes | None
    """None: about credit."""
    kind: str
    """Name of the registry's function."""
    turn: int
    """Tells apart moves of one kind that may each be made once."""
    status: MoveStatus
    sender: bytes
    nonce: int
    tx_hash: bytes
    raw: bytes
    """Signed, as it is sent."""
    asset: bytes
    """Of the bond, or of the credit."""
    bond: int
    gas_cost: int
    """Wei: what it can cost at most; once mined, what it cost."""
    made_at: int
    """Unix seconds of the chain."""
    id: int = 0
    """In the journal."""


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """A finding about a batch, as the journal keeps it."""

    kind: str
    leaf_index: int
    note: str
    executed: int
    """Leaves re-executed."""
    seed: bytes
    """Of the draw, 32 bytes, or empty."""
    doubtful: int = 0
    """Leaves, of those re-executed, that are neither good nor wrong."""


@dataclass(frozen=True, slots=True)
class StoredSeal:
    """A signature on a pool's panel, as the journal keeps it."""

    key: bytes
    ruling: int
    """Of a case; 0 for an audit."""
    signature: bytes
    proof: bytes
    """The key's signature over the seal."""
    opened: bool = False
    """Others may see the signature."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests of this node for a batch's data before the draw was known."""

    first_at: int
    """Unix seconds of the chain."""
    last_at: int
    """The same; an answer that came later than the draw counts too."""
    got: bool
    """The data came, all of them, before the draw was known."""


class VerifierJournal:
    """A node's journal.

    Args:
        path: its file; the folder is made.

    Raises:
        SqliteFormatError: it is another kind of file, or of an unknown version.
    """

    def __init__(self, path: Path) -> None:
        self._file = SqliteJournal(
            path, SqliteKind.VERIFIER_JOURNAL, FORMAT, create_tables(_SCHEMA)
        )
        self._read, self._write = self._file.read, self._file.write
        with self._write() as database:
            create_tables(_ADDED + TRIED + HEADS)(database)
        self.tried, self.heads = TriedFiles(self._file), Heads(self._file)

    # Findings

    def finding(self, batch_id: bytes) -> StoredFinding | None:
        """Return what is known of a batch; None while it was not looked at."""
        rows = self._read(
            "select kind, leaf_index, note, executed, seed, coalesce(leaves, 0)"
            " from finding left join doubt using (batch_id) where batch_id = ?",
            batch_id,
        )
        return StoredFinding(*rows[0]) if rows else None

    def note_finding(self, batch_id: bytes, found: StoredFinding) -> None:
        """Keep what was found, in place of what was before."""
        row = batch_id, found.kind, found.leaf_index, found.note, found.executed, found.seed
        with self._write() as database:
            database.execute("insert or replace into finding values (?,?,?,?,?,?)", row)
            database.execute(
                "insert or replace into doubt values (?,?)", (batch_id, found.doubtful)
            )

    def forget_finding(self, batch_id: bytes) -> None:
        """Have a batch be looked at again."""
        with self._write() as database:
            database.execute("delete from finding where batch_id = ?", (batch_id,))

    def unsay_good(self, batch_id: bytes, leaf_index: int) -> None:
        """Note that a leaf is wrong that this node had not drawn: it signs no audit from now on."""
        found = self.finding(batch_id)
        if found is not None and found.kind in ("good", "late", "doubtful"):
            note = "another output at a leaf that was challenged"
            wrong = replace(found, kind="wrong", leaf_index=leaf_index, note=note)
            self.note_finding(batch_id, wrong)

    def found(self, kind: str) -> list[bytes]:
        """Return the batches with a finding of a kind."""
        return [one for (one,) in self._read("select batch_id from finding where kind = ?", kind)]

    def findings(self) -> dict[str, tuple[int, int]]:
        """Return batches and leaves re-executed, by kind of finding."""
        rows = self._read("select kind, count(*), sum(executed) from finding group by kind")
        return {kind: (batches, leaves) for kind, batches, leaves in rows}

    def doubtful(self) -> int:
        """Return how many re-executed leaves were neither good nor wrong."""
        return int(self._read("select coalesce(sum(leaves), 0) from doubt")[0][0])

    def secret(self, name: str) -> bytes:
        """Return 32 random bytes that this node alone knows, made when first asked for."""
        with self._write() as database:
            database.execute("insert or ignore into secret values (?,?)", (name, os.urandom(32)))
        return bytes(self._read("select value from secret where name = ?", name)[0][0])

    # Data

    def asked(self, batch_id: bytes) -> Asked | None:
        """Return when a batch's data were asked for in time; None: they were not."""
        rows = self._read("select first_at, last_at, got from asked where batch_id = ?", batch_id)
        return Asked(rows[0][0], rows[0][1], bool(rows[0][2])) if rows else None

    def note_asked(self, batch_id: bytes, now: int, got: bool = False) -> None:
        """Keep that a batch's data are asked for, or that they came, at a time of the chain."""
        with self._write() as database:
            database.execute(
                "insert into asked values (?1,?2,?2,?3) on conflict do update set"
                " last_at = max(last_at, ?2), got = max(got, ?3)",
                (batch_id, now, got),
            )

    # Statements

    def statement(self, subject: bytes) -> tuple[str, float] | None:
        """Return what this node signed on a subject, as JSON, and when, in Unix seconds."""
        rows = self._read("select json, signed_at from statement where subject = ?", subject)
        return rows[0] if rows else None

    def statement_by_digest(self, digest: bytes) -> str | None:
        """Return what this node signed under a digest, as JSON."""
        rows = self._read("select json from statement where digest = ?", digest)
        return rows[0][0] if rows else None

    def audits(self) -> int:
        """Return how many audits this node signed."""
        rows = self._read("select count(*) from statement where kind = ?", StatementKind.AUDIT)
        return int(rows[0][0]) + self.seals()[0]

    def note_statement(
        self, digest: bytes, subject: bytes, kind: StatementKind, json: str, signed_at: float
    ) -> bool:
        """Keep a statement; False when another one on the subject is here: it stays."""
        with self._write() as database:
            done = database.execute(
                "insert or ignore into statement values (?,?,?,?,?)",
                (digest, subject, kind, json, signed_at),
            )
            return done.rowcount == 1

    # Seals

    def seal(self, panel_id: bytes, seed: bytes) -> StoredSeal | None:
        """Return what this node signed on a pool's panel; None: nothing."""
        rows = self._read(
            "select key, ruling, signature, proof, opened from seal"
            " where panel_id = ? and seed = ?",
            panel_id,
            seed,
        )
        if not rows:
            return None
        key, ruling, signature, proof, opened = rows[0]
        return StoredSeal(key, ruling, signature, proof, bool(opened))

    def note_seal(self, panel_id: bytes, seed: bytes, found: StoredSeal) -> None:
        """Keep what this node signs on a panel; what was kept before stays."""
        row = panel_id, seed, found.key, found.ruling, found.signature, found.proof, found.opened
        with self._write() as database:
            database.execute("insert or ignore into seal values (?,?,?,?,?,?,?)", row)

    def open_seal(self, panel_id: bytes, seed: bytes) -> None:
        """Have a signature be shown from now on."""
        with self._write() as database:
            database.execute(
                "update seal set opened = 1 where panel_id = ? and seed = ?", (panel_id, seed)
            )

    def seals(self) -> tuple[int, int]:
        """Return how many audits and how many verdicts this node signed in pools."""
        rows = self._read("select count(*), coalesce(sum(ruling != 0), 0) from seal")
        every, verdicts = rows[0]
        return every - verdicts, verdicts

    # Moves

    def moves(self, batch_id: bytes, kind: str, turn: int | None = None) -> list[Move]:
        """Return the moves of a kind about a batch, the oldest first."""
        return self._moves(
            "batch_id = ? and kind = ? and (? is null or turn = ?)", batch_id, kind, turn, turn
        )

    def claims(self, asset: bytes, kind: str, turn: int) -> list[Move]:
        """Return the moves of a kind about credit in an asset, the oldest first."""
        return self._moves(
            "batch_id is null and asset = ? and kind = ? and turn = ?", asset, kind, turn
        )

    def pending(self) -> list[Move]:
        """Return the moves that may be on their way, in the order of nonces."""
        return sorted(self._moves("status = ?", MoveStatus.SIGNED), key=lambda move: move.nonce)

    def note_move(self, move: Move) -> None:
        """Keep a move that is about to be sent."""
        row = (
            *(move.batch_id, move.kind, move.turn, move.status, move.sender, move.nonce),
            *(move.tx_hash, move.raw, move.asset, str(move.bond), str(move.gas_cost), move.made_at),
        )
        with self._write() as database:
            database.execute(f"insert into move values (null,{','.join('?' * len(row))})", row)

    def settle(self, move: Move, status: MoveStatus, gas_cost: int) -> None:
        """Keep what became of a move, and what its gas cost in wei."""
        with self._write() as database:
            database.execute(
                "update move set status = ?, gas_cost = ? where id = ?",
                (status, str(gas_cost), move.id),
            )

    def spent(self, since: int) -> dict[bytes, int]:
        """Return what moves made since then put up: bonds by asset, and gas as the zero asset.

        Args:
            since: Unix seconds of the chain.
        """
        sums: dict[bytes, int] = {}
        for status, asset, bond, gas_cost in self._read(
            "select status, asset, bond, gas_cost from move where made_at > ? and status != ?",
            since,
            MoveStatus.DRY,
        ):
            if status == MoveStatus.LOST:
                continue
            sums[bytes(20)] = sums.get(bytes(20), 0) + int(gas_cost)
            if status != MoveStatus.REVERTED:
                sums[asset] = sums.get(asset, 0) + int(bond)
        return sums

    def made(self) -> list[tuple[str, str, int]]:
        """Return how many moves there are, by kind and status."""
        return self._read("select kind, status, count(*) from move group by kind, status")

    def _moves(self, where: str, *values: object) -> list[Move]:
        found = []
        for row in self._read(
            "select batch_id, kind, turn, status, sender, nonce, tx_hash, raw, asset, bond,"
            f" gas_cost, made_at, id from move where {where} order by id",
            *values,
        ):
            batch_id, kind, turn, status, sender, nonce, tx_hash, raw, asset, bond, gas, *rest = row
            known = batch_id, kind, turn, MoveStatus(status), sender, nonce, tx_hash, raw, asset
            found.append(Move(*known, int(bond), int(gas), *rest))
        return found
