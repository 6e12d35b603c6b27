"""Rules that a batch's data show to be broken."""

from dataclasses import replace

import pytest

from tallystick.batch import Batch, Stamp
from tallystick.eip712 import Domain
from tallystick.examine import Flaw, first_flaw
from tallystick.inference import Request
from tallystick.network import Rules
from tallystick.record import Record
from tallystick.signature import account_of, sign

KEY = b"k" * 32
DOMAIN = Domain(1, b"c" * 20)
RULES = Rules(challenge_window=100, response_window=10, ruling_window=10)
MODEL, OPERATOR = b"m" * 32, b"o" * 20
BATCH = Batch(b"n" * 32, OPERATOR, 0, MODEL, b"r" * 32, 3, 1000)
STAMP = Stamp(0, 3, committed_at=1000, committed_block=1, closes_at=1100)


def signed(nonce: int, deadline: int = 1050) -> Record:
    requester = account_of(KEY)
    request = Request(MODEL, OPERATOR, b"i" * 32, requester, nonce, deadline)
    signature = sign(request.digest(DOMAIN), KEY)
    return Record(b"i" * 32, b"a" * 32, requester, nonce, deadline, signature=signature)


def unsigned(nonce: int) -> Record:
    return Record(b"i" * 32, b"a" * 32, nonce=nonce, deadline=1000)


GOOD = [unsigned(0), unsigned(1), signed(0), signed(7, 1000), signed(8)]


def flaw(records: list[Record], rules: Rules = RULES) -> Flaw | None:
    return first_flaw(BATCH, STAMP, records, rules, DOMAIN)


def test_first_flaw__good_batch__is_none() -> None:
    assert flaw(GOOD) is None


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (signed(8), "order"),
        (signed(7), "order"),
        (signed(9, 999), "deadline"),
        (signed(9, 1051), "deadline"),
        (replace(signed(9), signature=signed(10).signature), "signature"),
        (replace(signed(9), signature=b""), "signature"),
    ],
)
def test_first_flaw__bad_leaf_at_the_end__is_named(bad: Record, rule: str) -> None:
    assert flaw([*GOOD, bad]) == Flaw(len(GOOD), rule)


def test_first_flaw__unsolicited_leaf_where_none_may_be__is_named() -> None:
    assert flaw(GOOD, replace(RULES, solicited=True)) == Flaw(0, "solicited")
