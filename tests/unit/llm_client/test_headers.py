"""The order in which operators are asked."""

from dataclasses import replace
from time import time

from tallystick.client.llm.book import Asked, State
from tallystick.client.llm.headers import rank_operator

LATER = int(time()) + 1000
SENT = Asked(b"r" * 32, b"o" * 20, "http://a", LATER, "00", State.ASKED, stopped=0, wrong=0)


def order(*noted: Asked) -> list[str]:
    urls = ["http://b", "http://a", "http://c"]
    return [url[-1] for url in sorted(urls, key=lambda url: rank_operator(noted, url))]


def test_rank_operator__nothing_sent__as_they_are_named() -> None:
    assert order() == ["b", "a", "c"]


def test_rank_operator__header_sent_or_answered__its_operator_is_first() -> None:
    assert order(SENT) == ["a", "b", "c"]
    assert order(replace(SENT, state=State.ANSWERED, deadline=1)) == ["a", "b", "c"]
    assert order(replace(SENT, stopped=2)) == ["a", "b", "c"]


def test_rank_operator__refused_late_wrong_or_stopped_too_often__others_first() -> None:
    for change in (
        {"state": State.REFUSED},
        {"deadline": 1},
        {"wrong": 1},
        {"stopped": 3},
    ):
        assert order(replace(SENT, **change)) == ["b", "c", "a"], change
