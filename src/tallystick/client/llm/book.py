"""Book of requests: nonces and headers noted before they are sent, and what came of them.

A question is a body that somebody asked; it has one nonce, and is open until its answer has reached
the client whole. Each operator that is asked gets a header of its own under that nonce.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tallystick.protocol.keccak import keccak256
from tallystick.storage.sqlite_format import SqliteKind
from tallystick.storage.sqlite_journal import SqliteJournal, create_tables

FORMAT = 1
_SCHEMA = """
create table if not exists questions (
    place integer primary key,
    key blob not null,
    nonce blob not null,
    state text not null,
    path text not null,
    body blob
) strict;
create index if not exists questions_by_key on questions (key);
create table if not exists asked (
    request blob primary key,
    question integer not null references questions,
    operator blob not null,
    url text not null,
    deadline integer not null,
    header text not null,
    state text not null,
    stopped integer not null default 0,
    wrong integer not null default 0,
    receipt text
) strict;
create index if not exists asked_by_question on asked (question);
create index if not exists asked_by_receipt on asked (receipt) where receipt = 'waiting'
"""


class State(StrEnum):
    """States of a question, and of each header under it."""

    ASKED = "asked"
    """Noted; it may have been sent."""
    ANSWERED = "answered"
    """The answer is here and holds."""
    RECEIVED = "received"
    """The client has it whole; of questions alone."""
    REFUSED = "refused"
    """By the operator; of a question: by all of them, for good."""


class Place(StrEnum):
    """States of an answer's receipt."""

    WAITING = "waiting"
    KEPT = "kept"
    MISSED = "missed"
    """The deadline is over, and the operator has none: it broke its word."""
    WRONG = "wrong"
    """The operator gave one that does not hold."""


@dataclass(frozen=True, slots=True)
class Question:
    """A body with its nonce."""

    place: int
    nonce: int
    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A header that was noted for an operator."""

    request: bytes
    """hashStruct of the Request, 32 bytes."""
    operator: bytes
    url: str
    deadline: int
    header: str
    state: State
    stopped: int
    """Times that the operator began this answer and did not end it."""
    wrong: int
    """Times that its answer did not hold."""


class Book:
    """The file; threads and processes may share it.

    Args:
        path: of the file; made with its folder when it is missing.

    Raises:
        SqliteFormatError: it is something else, or of an unknown version.
    """

    def __init__(self, path: Path) -> None:
        self._file = SqliteJournal(path, SqliteKind.LLM_REQUESTS, FORMAT, create_tables(_SCHEMA))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def take(
        self,
        model_id: bytes,
        requester: bytes,
        path: str,
        body: bytes,
        *,
        retried: bool = False,
        live: Collection[int] = (),
    ) -> Question:
        """Return the question that a body is: one that is open, or a new one with a new nonce.

        Args:
            model_id: 32 bytes.
            requester: 20 bytes.
            path: of the API, such as "chat/completions".
            body: byte for byte.
            retried: the client says that it asks again; then an answered question is meant, too.
            live: places of questions whose clients are being answered now; the same body beside
                them is another question, unless it is retried.
        """
        key = keccak256(model_id + requester + path.encode() + b"\0" + body)
        with self._file.write() as database:
            rows = database.execute(
                "select place, nonce, state from questions where key = ? order by place desc",
                (key,),
            ).fetchall()
            found = _same(rows, retried, live)
            if found is not None:
                place, nonce = found
                database.execute("update questions set body = ? where place = ?", (body, place))
                return Question(place, int.from_bytes(nonce), path, body)
            nonce = secrets.token_bytes(8)
            row = database.execute(
                "insert into questions (key, nonce, state, path, body) values (?, ?, ?, ?, ?)",
                (key, nonce, State.ASKED, path, body),
            ).lastrowid
        return Question(row or 0, int.from_bytes(nonce), path, body)

    def asked(self, question: Question) -> list[Asked]:
        """Return the headers of a question, the first one first."""
        return self._asked("where question = ?", question.place)

    def note(self, question: Question, asked: Asked) -> None:
        """Note a header, before it is sent; the same one may go to another node of its operator."""
        with self._file.write() as database:
            database.execute(
                "insert into asked (request, question, operator, url, deadline, header, state) "
                "values (?, ?, ?, ?, ?, ?, ?) "
                "on conflict (request) do update set url = excluded.url, state = excluded.state",
                (
                    asked.request,
                    question.place,
                    asked.operator,
                    asked.url,
                    asked.deadline,
                    asked.header,
                    State.ASKED,
                ),
            )

    def answer(self, question: Question, request: bytes) -> None:
        """Note that an answer is here and holds; its receipt is waited for from now on."""
        with self._file.write() as database:
            database.execute(
                "update asked set state = ?, receipt = coalesce(receipt, ?) where request = ?",
                (State.ANSWERED, Place.WAITING, request),
            )
            database.execute(
                "update questions set state = ? where place = ? and state != ?",
                (State.ANSWERED, question.place, State.RECEIVED),
            )

    def receive(self, question: Question) -> None:
        """Note that the client has the answer whole; the body is in the answer's file."""
        self._settle(question, State.RECEIVED)

    def refuse(self, request: bytes) -> None:
        """Note that an operator refused a header, for good."""
        with self._file.write() as database:
            database.execute(
                "update asked set state = ? where request = ?", (State.REFUSED, request)
            )

    def give_up(self, question: Question) -> None:
        """Note that a question gets no answer under its nonce."""
        self._settle(question, State.REFUSED)

    def stop(self, request: bytes) -> None:
        """Count that an operator began an answer and did not end it."""
        with self._file.write() as database:
            database.execute("update asked set stopped = stopped + 1 where request = ?", (request,))

    def doubt(self, request: bytes) -> None:
        """Count that an operator's answer did not hold."""
        with self._file.write() as database:
            database.execute("update asked set wrong = wrong + 1 where request = ?", (request,))

    def unanswered(self, now: int) -> list[Question]:
        """Return questions that were asked and not answered, while an operator still may.

        Args:
            now: Unix seconds.
        """
        rows = self._file.read(
            "select distinct place, nonce, path, body from questions join asked on question = place"
            " where questions.state = ? and asked.state = ? and deadline > ? order by place",
            State.ASKED,
            State.ASKED,
            now,
        )
        return [
            Question(place, int.from_bytes(nonce), path, body) for place, nonce, path, body in rows
        ]

    def waiting(self) -> list[Asked]:
        """Return the answers whose receipts are waited for, the oldest first."""
        return self._asked("where receipt = ?", Place.WAITING)

    def place(self, request: bytes) -> Place | None:
        """Return the state of an answer's receipt; None: there is no such answer."""
        for (found,) in self._file.read("select receipt from asked where request = ?", request):
            return None if found is None else Place(found)
        return None

    def settle(self, request: bytes, place: Place) -> None:
        """Note what became of a receipt."""
        with self._file.write() as database:
            database.execute("update asked set receipt = ? where request = ?", (place, request))

    def counts(self) -> dict[str, int]:
        """Return how many questions are in each state, and how often operators let them down."""
        rows = self._file.read("select state, count(*) from questions group by state")
        ((stopped, wrong),) = self._file.read(
            "select coalesce(sum(stopped), 0), coalesce(sum(wrong), 0) from asked"
        )
        counted = {one.value: 0 for one in State} | dict(rows)
        return counted | {"stopped": stopped, "wrong": wrong}

    def _settle(self, question: Question, state: State) -> None:
        with self._file.write() as database:
            database.execute(
                "update questions set state = ?, body = null where place = ?",
                (state, question.place),
            )

    def _asked(self, where: str, *values: object) -> list[Asked]:
        rows = self._file.read(
            "select request, operator, url, deadline, header, state, stopped, wrong from asked "
            f"{where} order by rowid",
            *values,
        )
        return [
            Asked(request, operator, url, deadline, header, State(state), stopped, wrong)
            for request, operator, url, deadline, header, state, stopped, wrong in rows
        ]


def _same(rows: list[Any], retried: bool, live: Collection[int]) -> tuple[int, bytes] | None:
    """Return place and nonce of the question that the same body is, of rows the newest first."""
    opened = [
        (place, nonce) for place, nonce, state in rows if state in (State.ASKED, State.ANSWERED)
    ]
    idle = [one for one in opened if one[0] not in live]
    if idle or not retried:
        return idle[0] if idle else None
    received = [(place, nonce) for place, nonce, state in rows if state == State.RECEIVED]
    return next(iter(opened + received), None)
