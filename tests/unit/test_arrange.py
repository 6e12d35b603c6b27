"""arrange.py: order, numbers, and all that reveal or a fault would hold against the operator.

order: by (requester, nonce), unsolicited first and in the order given
solicited: signed | not | by another key | high s | field missing | twice | taken
unsolicited: numbered | wrong number given | in a solicited network | with a signature
deadline: earliest and latest second, and one beyond; bytes: at maxBytes, above, missing
"""

import random
from dataclasses import replace

import pytest
from eth_keys.constants import SECPK1_N
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import RecordError
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.arrange import Destination, arrange
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import MAX_COUNT, verify
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.rules import Rules
from tallystick.protocol.signature import account_of

DOMAIN = Domain(31337, b"k" * 20)
OPERATOR, MODEL = b"o" * 20, b"m" * 32
KEYS = {account_of(key): key for key in (b"a" * 32, b"b" * 32, b"c" * 32)}
ALICE, BOB = sorted(KEYS)[:2]
RULES = Rules(challenge_window=101, response_window=50, ruling_window=1)
HERE = Destination(DOMAIN, RULES, OPERATOR, index=6, now=1000)


def solicited(requester: bytes, nonce: int, line: int = 1, deadline: int = 1020) -> InferenceRecord:
    request = Request(MODEL, OPERATOR, keccak256(b"in"), requester, nonce, deadline)
    return InferenceRecord(
        keccak256(b"in"),
        keccak256(b"out"),
        requester,
        nonce,
        deadline,
        signature=request.sign(DOMAIN, KEYS[requester]),
        input=b"in",
        output=b"out",
        line=line,
    )


def unsolicited(
    line: int = 1, nonce: int | None = None, deadline: int | None = None
) -> InferenceRecord:
    return InferenceRecord(
        keccak256(b"in"),
        keccak256(line.to_bytes(4, "big")),
        nonce=nonce,
        deadline=deadline,
        line=line,
    )


def reasons(*records: InferenceRecord, to: Destination = HERE) -> list[tuple[int, str]]:
    with pytest.raises(RecordError) as raised:
        arrange(records, to, MODEL)
    return [tuple(wrong) for wrong in raised.value.wrong]


def test_arrange__mixed_lines__sorts_numbers_and_takes_the_smallest_deadline() -> None:
    records = [
        solicited(BOB, 2, line=1),
        unsolicited(line=2, deadline=1044),
        solicited(ALICE, 9, line=3, deadline=1010),
        unsolicited(line=4),
        solicited(BOB, 1, line=5),
    ]

    arranged = arrange(records, HERE, MODEL)

    assert [record.line for record in arranged.records] == [2, 4, 3, 5, 1]
    assert [inference.nonce for inference in arranged.inferences] == [6 << 20, 6 << 20 | 1, 9, 1, 2]
    assert [inference.deadline for inference in arranged.inferences] == [
        1044,
        1050,
        1010,
        1020,
        1020,
    ]
    assert arranged.commit_deadline == 1010


@given(
    st.lists(
        st.tuples(st.sampled_from([ZERO_ADDRESS, ALICE, BOB]), st.integers(0, 40)),
        min_size=1,
        max_size=12,
        unique=True,
    )
)
@settings(deadline=None, max_examples=30)
def test_arrange__any_mix__leaves_ascend_strictly_and_prove(
    asked: list[tuple[bytes, int]],
) -> None:
    records = [
        solicited(requester, nonce, line) if any(requester) else unsolicited(line)
        for line, (requester, nonce) in enumerate(asked, 1)
    ]
    random.Random(len(asked)).shuffle(records)

    arranged = arrange(records, HERE, MODEL)

    keys = [inference.key for inference in arranged.inferences]
    assert all(before < after for before, after in zip(keys, keys[1:], strict=False))
    tree = arranged.tree()
    for index, inference in enumerate(arranged.inferences):
        proof = tree.proof(index)
        assert verify(tree.root, len(records), inference.leaf(), index, proof)
        if not inference.solicited:
            assert inference.nonce == 6 << 20 | index


def test_arrange__own_default_deadline__fills_what_is_missing() -> None:
    arranged = arrange([unsolicited()], HERE, MODEL, deadline=1001)

    assert arranged.commit_deadline == 1001


def test_arrange__nonce_given_as_it_will_be__passes() -> None:
    arranged = arrange([unsolicited(nonce=6 << 20)], HERE, MODEL)

    assert arranged.inferences[0].nonce == 6 << 20


@pytest.mark.parametrize("deadline", [1000, 1050])
def test_arrange__deadline_at_its_bounds__passes(deadline: int) -> None:
    assert (
        arrange([solicited(ALICE, 1, deadline=deadline)], HERE, MODEL).commit_deadline == deadline
    )


@pytest.mark.parametrize("deadline", [999, 1051, 0])
def test_arrange__deadline_outside__names_the_line(deadline: int) -> None:
    assert reasons(solicited(ALICE, 1, 7, deadline)) == [
        (
            7,
            f"deadline is {deadline}; needed: 1000 to 1050 "
            "(from the commit to half the challenge window later)",
        )
    ]


def test_arrange__same_nonce_twice__names_both_lines() -> None:
    ((line, reason),) = reasons(
        solicited(ALICE, 1, 3), solicited(BOB, 1, 4), solicited(ALICE, 1, 9)
    )

    assert line == 9
    assert reason.endswith("nonce 1 stand on line 3 too")


def test_arrange__nonce_taken_in_the_lane__names_the_line() -> None:
    there = replace(HERE, taken={(ALICE, 1)})

    ((line, reason),) = reasons(solicited(ALICE, 1, 3), solicited(ALICE, 2, 4), to=there)

    assert line == 3
    assert "taken in this lane already" in reason


@pytest.mark.parametrize("field", ["nonce", "deadline", "signature"])
def test_arrange__solicited_field_missing__names_it(field: str) -> None:
    empty = b"" if field == "signature" else None
    record = replace(solicited(ALICE, 1, 5), **{field: empty})

    assert reasons(record) == [(5, f"{field} missing; the requester must have signed")]


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": 2},
        {"deadline": 1021},
        {"input_hash": bytes(32)},
        {"requester": BOB},
        {"signature": bytes(65)},
        {"signature": bytes(64)},
    ],
)
def test_arrange__not_what_the_requester_signed__names_the_line(
    change: dict[str, bytes | int],
) -> None:
    ((line, reason),) = reasons(replace(solicited(ALICE, 1, 5), **change))

    assert line == 5
    assert "signature" in reason or "signed by" in reason


def test_arrange__other_output_than_anybody_signed__passes() -> None:
    record = replace(solicited(ALICE, 1), output_hash=bytes(32))

    assert arrange([record], HERE, MODEL).inferences[0].output_hash == bytes(32)


def test_arrange__signed_with_high_s__is_refused() -> None:
    record = solicited(ALICE, 1, 5)
    signature = record.signature
    high = SECPK1_N - int.from_bytes(signature[32:64], "big")
    flipped = signature[:32] + high.to_bytes(32, "big") + bytes([55 - signature[64]])

    ((_, reason),) = reasons(replace(record, signature=flipped))

    assert "upper half" in reason


def test_arrange__signed_for_another_model__is_refused() -> None:
    with pytest.raises(RecordError, match="signed by"):
        arrange([solicited(ALICE, 1)], HERE, b"?" * 32)


def test_arrange__unsolicited_in_a_solicited_network__is_refused() -> None:
    there = replace(HERE, rules=replace(RULES, solicited=True))

    ((line, reason),) = reasons(solicited(ALICE, 1, 1), unsolicited(2), to=there)

    assert line == 2
    assert "solicited inferences only" in reason


def test_arrange__unsolicited_with_a_signature__is_refused() -> None:
    ((_, reason),) = reasons(replace(unsolicited(), signature=bytes(65)))

    assert reason == "signature is given without a requester"


def test_arrange__unsolicited_with_another_nonce__is_refused() -> None:
    ((_, reason),) = reasons(unsolicited(nonce=7))

    assert reason == f"nonce is 7; needed: {6 << 20}, its place, or none"


def test_arrange__index_beyond_what_a_nonce_holds__is_refused() -> None:
    assert arrange([unsolicited()], replace(HERE, index=2**44 - 1), MODEL)

    ((_, reason),) = reasons(unsolicited(), to=replace(HERE, index=2**44))

    assert "too large" in reason


def test_arrange__bytes_at_the_limit__passes() -> None:
    there = replace(HERE, rules=replace(RULES, max_bytes=5))

    assert arrange([solicited(ALICE, 1)], there, MODEL).commit_deadline == 1020


def test_arrange__more_bytes_than_can_be_revealed__is_refused() -> None:
    there = replace(HERE, rules=replace(RULES, max_bytes=4))

    ((_, reason),) = reasons(solicited(ALICE, 1), to=there)

    assert "5 bytes" in reason and "at most 4" in reason


def test_arrange__bytes_not_here_but_demandable__is_refused_unless_kept_elsewhere() -> None:
    there = replace(HERE, rules=replace(RULES, max_bytes=5))

    ((_, reason),) = reasons(unsolicited(), to=there)
    allowed = arrange([unsolicited()], there, MODEL, hashes_only=True)

    assert "bytes are needed" in reason
    assert len(allowed.inferences) == 1


def test_arrange__many_wrong__names_twenty_by_line() -> None:
    found = [unsolicited(line, nonce=7) for line in range(40, 0, -1)]

    with pytest.raises(RecordError) as raised:
        arrange(found, HERE, MODEL)

    assert [wrong.line for wrong in raised.value.wrong] == list(range(1, 21))
    assert raised.value.more


def test_arrange__no_records__is_refused() -> None:
    with pytest.raises(RecordError, match="no inference"):
        arrange([], HERE, MODEL)


def test_arrange__more_than_a_batch_holds__is_refused() -> None:
    records = [*[unsolicited()] * MAX_COUNT, unsolicited(line=MAX_COUNT + 1)]

    with pytest.raises(RecordError, match="at most") as raised:
        arrange(records, HERE, MODEL)

    assert raised.value.line == MAX_COUNT + 1


def test_arrange__many_records__tells_progress_to_the_end() -> None:
    told: list[tuple[int, int]] = []

    arrange(
        [unsolicited(line) for line in range(600)],
        HERE,
        MODEL,
        progress=lambda done, total: told.append((done, total)),
    )

    assert told == [(256, 600), (512, 600), (600, 600)]
