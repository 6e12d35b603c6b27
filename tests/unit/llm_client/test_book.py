"""Book of requests: which nonce a body is asked under."""

from pathlib import Path

import pytest

from tallystick.client.llm.book import Asked, Book, Place, Question, State

MODEL, REQUESTER = b"m" * 32, b"r" * 20


@pytest.fixture
def book(tmp_path: Path):
    book = Book(tmp_path / "book.sqlite3")
    yield book
    book.close()


def take(book: Book, body: bytes = b"{}", **options) -> Question:
    return book.take(MODEL, REQUESTER, "chat/completions", body, **options)


def asked(number: int = 1, deadline: int = 100) -> Asked:
    return Asked(
        bytes([number]) * 32,
        b"o" * 20,
        "http://node",
        deadline,
        "00",
        State.ASKED,
        stopped=0,
        wrong=0,
    )


def test_take__open_question__same_nonce(book: Book) -> None:
    first = take(book)
    book.note(first, asked())
    assert take(book) == first
    book.answer(first, asked().request)
    assert take(book) == first, "the client does not have it yet"


def test_take__another_body_model_or_path__another_nonce(book: Book) -> None:
    first = take(book)
    others = [
        take(book, b"[]"),
        book.take(bytes(32), REQUESTER, "chat/completions", b"{}"),
        book.take(MODEL, bytes(20), "chat/completions", b"{}"),
        book.take(MODEL, REQUESTER, "completions", b"{}"),
    ]
    assert len({first.nonce, *(one.nonce for one in others)}) == 5


def test_take__received__new_nonce_unless_it_is_retried(book: Book) -> None:
    first = take(book)
    book.receive(first)
    assert take(book, retried=True).nonce == first.nonce
    second = take(book)
    assert second.nonce != first.nonce
    assert take(book, retried=True) == second


def test_take__client_still_there__same_body_beside_it_is_another_question(book: Book) -> None:
    first = take(book)
    second = take(book, live=[first.place])
    assert second.nonce != first.nonce
    assert take(book, live=[second.place]) == first
    assert take(book, live=[first.place, second.place], retried=True) == second


def test_take__given_up__new_nonce_even_if_retried(book: Book) -> None:
    first = take(book)
    book.give_up(first)
    assert take(book, retried=True).nonce != first.nonce


def test_book__opened_again__knows_all(book: Book, tmp_path: Path) -> None:
    first = take(book)
    book.note(first, asked(1, deadline=100))
    book.note(first, asked(2, deadline=200))
    book.refuse(asked(1).request)
    book.stop(asked(2).request)
    book.doubt(asked(2).request)
    other = Book(tmp_path / "book.sqlite3")
    refused, stopped = other.asked(first)
    assert (refused.state, stopped.state) == (State.REFUSED, State.ASKED)
    assert (stopped.stopped, stopped.wrong) == (1, 1)
    assert other.unanswered(199) == [first] and other.unanswered(200) == []
    other.answer(first, stopped.request)
    assert [one.request for one in book.waiting()] == [stopped.request]
    book.settle(stopped.request, Place.KEPT)
    assert other.waiting() == [] and other.place(stopped.request) is Place.KEPT
    assert other.place(refused.request) is None and other.place(bytes(32)) is None
    states = {"asked": 0, "answered": 1, "received": 0, "refused": 0}
    assert other.counts() == states | {"stopped": 1, "wrong": 1}
    other.close()


def test_answer__again_after_its_receipt__receipt_stays(book: Book) -> None:
    first = take(book)
    book.note(first, asked())
    book.answer(first, asked().request)
    book.settle(asked().request, Place.KEPT)
    book.receive(first)
    book.answer(first, asked().request)
    assert book.waiting() == [] and book.counts()["received"] == 1
