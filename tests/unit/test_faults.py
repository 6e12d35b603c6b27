"""Rules that a batch's data show to be broken.

convict at once   deadline, order, repeat: in this order, whatever else is wrong
demanded          a missing leaf, an unsolicited one, its nonce, a signature
not at all        leaves that the batch does not count
"""

from collections.abc import Collection
from dataclasses import replace

import pytest

from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.faults import Key, LeafRule, find_convictions, find_faults
from tallystick.protocol.inference import Request
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.rules import Rules
from tallystick.protocol.signature import account_of, sign

KEY = b"k" * 32
DOMAIN = Domain(1, b"c" * 20)
RULES = Rules(challenge_window=100, response_window=10, ruling_window=10)
MODEL, OPERATOR = b"m" * 32, b"o" * 20
STAMP = Stamp(0, 3, committed_at=1000, committed_block=1, closes_at=1100)


def signed(nonce: int, deadline: int = 1050) -> InferenceRecord:
    requester = account_of(KEY)
    request = Request(MODEL, OPERATOR, b"i" * 32, requester, nonce, deadline)
    signature = sign(request.digest(DOMAIN), KEY)
    return InferenceRecord(b"i" * 32, b"a" * 32, requester, nonce, deadline, signature=signature)


def unsigned(nonce: int) -> InferenceRecord:
    return InferenceRecord(b"i" * 32, b"a" * 32, nonce=nonce, deadline=1000)


GOOD = [unsigned(0), unsigned(1), signed(0), signed(7, 1000), signed(8)]
FORGED = replace(signed(9), signature=signed(10).signature)


def faults(
    records: list[InferenceRecord],
    rules: Rules = RULES,
    count: int | None = None,
    taken: Collection[Key] = (),
) -> list[tuple[int, str]]:
    batch = Batch(b"n" * 32, OPERATOR, 0, MODEL, b"r" * 32, count or len(records), 1000)
    found = find_faults(batch, STAMP, records, rules, DOMAIN, lambda: taken)
    return [(fault.leaf_index, fault.rule) for fault in found]


def test_find_faults__good_batch__none() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (signed(8), "order"),
        (signed(7), "order"),
        (signed(9, 999), "deadline"),
        (signed(9, 1051), "deadline"),
        (FORGED, "signature"),
        (replace(signed(9), signature=b""), "signature"),
    ],
)
def test_find_faults__bad_leaf_at_the_end__named(bad: InferenceRecord, rule: str) -> None:
    assert faults([*GOOD, bad]) == [(len(GOOD), rule)]


def test_find_faults__unsolicited_leaves_where_none_may_be__each_named() -> None:
    expected = [(0, "solicited"), (1, "solicited")]
    assert faults(GOOD, replace(RULES, solicited=True)) == expected


def test_find_faults__unsolicited_nonce_of_another_place__named() -> None:
    assert faults([unsigned(0), unsigned(2)]) == [(1, "nonce")]


def test_find_faults__taken_in_the_lane__named() -> None:
    assert faults(GOOD, taken={signed(7).key, signed(6).key}) == [(3, "repeat")]


def test_find_faults__several__cheapest_conviction_first() -> None:
    records = [replace(signed(9), signature=b""), unsigned(5), signed(0), signed(1, 999)]

    assert faults(records, taken={signed(0).key}) == [
        (3, "deadline"),
        (1, "order"),
        (2, "repeat"),
        (1, "nonce"),
        (0, "signature"),
    ]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (6, [(5, "missing")]),
        # Proofs have a length for each count: none of these leaves can be shown.
        (9, [(0, "missing")]),
        (4, [(0, "missing")]),
    ],
)
def test_find_faults__another_count__first_leaf_that_nobody_can_reveal(
    count: int, expected: list[tuple[int, str]]
) -> None:
    assert faults(GOOD, count=count) == expected


def test_find_faults__leaves_beyond_the_count__surplus_after_all_that_is_counted() -> None:
    records = [*GOOD, FORGED, signed(10)]

    assert faults(records, count=6) == [(5, "signature"), (6, "surplus")]


def test_find_faults__one_found__looks_no_further() -> None:
    def never() -> Collection[Key]:
        raise AssertionError

    batch = Batch(b"n" * 32, OPERATOR, 0, MODEL, b"r" * 32, 2, 1000)
    arguments = batch, STAMP, [unsigned(1), unsigned(0)], RULES

    assert next(find_faults(*arguments, DOMAIN, never)).rule is LeafRule.ORDER
    assert next(find_convictions(*arguments, never)).rule is LeafRule.ORDER


@pytest.mark.parametrize("rule", LeafRule)
def test_convicts__each_rule__those_of_the_fault_moves(rule: LeafRule) -> None:
    assert rule.convicts == (rule in ("order", "deadline", "repeat"))
