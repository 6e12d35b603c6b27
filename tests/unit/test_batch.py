"""batch.py: ids, stamps, seals and words against eth-abi."""

from typing import Any

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import FieldError, PreImageError
from tallystick.protocol.batch import Batch, Dispute, PreImage, Stamp, StateByte
from tallystick.protocol.enums import DisputeKind, Grade, Outcome, State
from tallystick.protocol.merkle import MAX_COUNT

bytes32 = st.binary(min_size=32, max_size=32)
accounts = st.binary(min_size=20, max_size=20)
uint40 = st.integers(0, 2**40 - 1)
batches = st.builds(
    Batch,
    bytes32,
    accounts,
    st.integers(0, 2**48 - 1),
    bytes32,
    bytes32,
    st.integers(1, MAX_COUNT),
    st.integers(0, 2**64 - 1),
)
stamps = st.builds(
    Stamp, st.integers(0, 2**32 - 1), st.integers(0, 2**24 - 1), uint40, uint40, uint40
)
disputes = st.builds(
    Dispute,
    st.sampled_from([DisputeKind.CHALLENGE, DisputeKind.DEMAND]),
    st.booleans(),
    accounts,
    st.integers(0, 2**32 - 1),
    uint40,
    bytes32,
)
state_bytes = st.builds(StateByte, st.sampled_from(State), st.sampled_from(Grade), st.booleans())

BATCH = Batch(bytes(32), bytes(20), 0, bytes(32), bytes(32), 5, 9)
STAMP = Stamp(1, 5, 3, 4, 60)
BATCH_TYPE = "(bytes32,address,uint48,bytes32,bytes32,uint32,uint64)"
DISPUTE_TYPE = "(uint8,bool,address,uint32,uint40,bytes32)"


@given(batches)
def test_id__any_batch__same_as_eth_abi(batch: Batch) -> None:
    assert batch.id() == keccak(encode([BATCH_TYPE], [batch.abi()]))


@given(stamps)
def test_pack__any_stamp__every_field_where_the_contract_reads_it(stamp: Stamp) -> None:
    word = int.from_bytes(stamp.pack(), "big")

    assert word & (1 << 40) - 1 == stamp.closes_at
    assert word >> 40 & (1 << 40) - 1 == stamp.committed_block
    assert word >> 80 & (1 << 40) - 1 == stamp.committed_at
    assert word >> 120 & (1 << 24) - 1 == stamp.count
    assert word >> 144 == stamp.slot
    assert Stamp.unpack(stamp.pack()) == stamp


@given(stamps, uint40)
def test_closing_at__any_time__changes_nothing_else(stamp: Stamp, closes_at: int) -> None:
    moved = stamp.closing_at(closes_at)

    assert moved.closes_at == closes_at
    assert moved.closing_at(stamp.closes_at) == stamp


@pytest.mark.parametrize("packed", [b"\1" + bytes(31), bytes(9) + b"\1" + bytes(22), bytes(31)])
def test_unpack__more_than_a_stamp__raises(packed: bytes) -> None:
    with pytest.raises(FieldError):
        Stamp.unpack(packed)


@given(batches, stamps)
def test_seal__undisputed__same_as_eth_abi(batch: Batch, stamp: Stamp) -> None:
    digest = keccak(encode(["bytes32", "bytes32"], [batch.id(), stamp.pack()]))

    assert PreImage(batch, stamp).seal() == digest[:31] + b"\0"


@given(batches, stamps, disputes)
def test_seal__disputed__same_as_eth_abi(batch: Batch, stamp: Stamp, dispute: Dispute) -> None:
    values = [batch.id(), stamp.pack(), dispute.abi()]
    digest = keccak(encode(["bytes32", "bytes32", DISPUTE_TYPE], values))

    assert PreImage(batch, stamp, dispute).seal() == digest[:31] + b"\0"


@given(state_bytes)
def test_read__word_of_the_same_pre_image__returns_its_state(state_byte: StateByte) -> None:
    held = PreImage(BATCH, STAMP)

    assert held.read(held.word(*state_byte)) == state_byte


@given(state_bytes)
def test_pack__any_state_byte__bits_where_the_contract_reads_them(state_byte: StateByte) -> None:
    byte = state_byte.pack()

    assert (byte & 7, byte >> 3 & 1, byte >> 4) == (
        state_byte.state,
        state_byte.lapsed,
        state_byte.grade,
    )


@given(state_bytes)
def test_outcome__state_byte__unresolved_when_lapsed(state_byte: StateByte) -> None:
    expected = Outcome.UNRESOLVED if state_byte.lapsed else Outcome[state_byte.grade.name]

    assert state_byte.outcome is expected


@pytest.mark.parametrize(
    "other",
    [
        PreImage(BATCH, STAMP.closing_at(61)),
        PreImage(Batch(bytes(32), bytes(20), 1, bytes(32), bytes(32), 5, 9), STAMP),
        PreImage(BATCH, STAMP, Dispute(DisputeKind.DEMAND, False, bytes(20), 0, 0, bytes(32))),
    ],
)
def test_read__word_of_another_pre_image__raises(other: PreImage) -> None:
    word = other.word(State.OPEN)

    with pytest.raises(PreImageError):
        PreImage(BATCH, STAMP).read(word)


@pytest.mark.parametrize(
    "change",
    [
        {"count": 0},
        {"count": MAX_COUNT + 1},
        {"index": 2**48},
        {"commit_deadline": 2**64},
        {"root": bytes(31)},
        {"operator": bytes(32)},
    ],
)
def test_batch__field_out_of_range__raises(change: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        "network_id": bytes(32),
        "operator": bytes(20),
        "index": 0,
        "model_id": bytes(32),
        "root": bytes(32),
        "count": 1,
        "commit_deadline": 0,
    }

    with pytest.raises(FieldError):
        Batch(**{**fields, **change})
