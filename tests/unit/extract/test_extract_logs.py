"""to_table: the same columns from however a node writes its logs, and nothing from what is none."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.chain.rpc.errors import UnavailableError
from tallystick.data.extract.logs import to_table

ADDRESS = b"\xab" * 20
HASHES = ("blockHash", "transactionHash")

words = st.binary(min_size=32, max_size=32)
logs = st.fixed_dictionaries(
    {
        "topics": st.lists(words, max_size=4),
        "data": st.binary(max_size=3) | st.binary(min_size=64, max_size=64),
        "blockNumber": st.integers(0, 300) | st.integers(0, 16**12),
        "blockHash": words,
        "transactionHash": words,
        "transactionIndex": st.integers(0, 2**28 - 1) | st.integers(0, 40),
        "blockTimestamp": st.integers(0, 16**9),
        "removed": st.sampled_from([False, False, True, None]),
    }
)


def told(values: dict[str, Any], index: int) -> dict[str, Any]:
    """As a node tells a log."""
    log: dict[str, Any] = {"address": "0x" + ADDRESS.hex(), "logIndex": hex(index)}
    for name, value in values.items():
        match value:
            case bytes():
                log[name] = "0x" + value.hex()
            case list():
                log[name] = ["0x" + one.hex() for one in value]
            case bool() | None:
                log[name] = value
            case _:
                log[name] = hex(value)
    return log


def row(values: dict[str, Any], index: int) -> dict[str, Any]:
    """As the table is to have it."""
    topics = [*values["topics"], None, None, None, None]
    return {
        "block_number": values["blockNumber"],
        "block_time": values["blockTimestamp"],
        "block_hash": values["blockHash"],
        "transaction_hash": values["transactionHash"],
        "transaction_index": values["transactionIndex"],
        "log_index": index,
        **{f"topic{place}": topics[place] for place in range(4)},
        "data": values["data"],
    }


def plain(**changes: Any) -> dict[str, Any]:
    word = "0x" + "11" * 32
    return {
        "address": "0x" + ADDRESS.hex(),
        "topics": [word],
        "data": "0x0102",
        "blockNumber": "0x7",
        "blockHash": word,
        "transactionHash": word,
        "transactionIndex": "0x0",
        "logIndex": "0x1",
    } | changes


def table(answer: list[dict[str, Any]], **style: Any) -> list[dict[str, Any]]:
    found = to_table(json.dumps(answer, **style).encode(), ADDRESS, 0, 16**15)
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


@settings(deadline=None)
@given(
    st.lists(logs, max_size=12),
    st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 1}, {"sort_keys": True}]),
    st.sampled_from([{}, {"l1": {"tags": ["}", "]"]}}, {"note": '#0 "\\'}, {"fee": "0x12"}]),
    st.booleans(),
)
def test_to_table__however_written__same_rows(
    found: list[dict[str, Any]], style: dict[str, Any], more: dict[str, Any], upper: bool
) -> None:
    answer = [told(values, index) | more for index, values in enumerate(found)]
    if upper:
        answer[1:2] = [log | {"address": "0x" + ADDRESS.hex().upper()} for log in answer[1:2]]
    rows = [row(values, index) for index, values in enumerate(found) if not values["removed"]]

    assert table(answer, **style) == sorted(
        rows, key=lambda one: (one["block_number"], one["log_index"])
    )


def test_to_table__more_patterns_than_it_pays__same_rows() -> None:
    answer = [plain(logIndex=hex(index)) | {f"own{index}": 1} for index in range(300)]

    assert [one["log_index"] for one in table(answer)] == list(range(300))


def test_to_table__time_missing_from_one_log__is_minus_one() -> None:
    answer = [plain(blockTimestamp="0x5"), plain(logIndex="0x2")]

    assert [one["block_time"] for one in table(answer)] == [5, -1]


@pytest.mark.parametrize(
    "changes",
    [
        {"data": "0x012"},
        {"data": "0102"},
        {"data": "0x01zz"},
        {"data": None},
        {"data": "#0"},
        {"blockHash": "0x" + "11" * 31},
        {"blockNumber": "0x"},
        {"blockNumber": 7},
        {"blockNumber": "0x" + "1" * 16},
        {"blockNumber": "0x-7"},
        {"logIndex": "0xfffffffff"},
        {"topics": ["0x" + "11" * 32] * 5},
        {"topics": [None]},
        {"topics": ["0x11"]},
        {"transactionHash": "\\u0023"},
    ],
    ids=str,
)
@pytest.mark.parametrize("place", [0, 1, 40])
def test_to_table__one_log_is_malformed__is_refused(changes: dict[str, Any], place: int) -> None:
    answer = [plain(logIndex=hex(index + 16)) for index in range(41)]
    answer[place] |= changes

    with pytest.raises(UnavailableError, match="malformed"):
        table(answer, separators=(",", ":"))


@pytest.mark.parametrize("missing", ["data", "topics", "blockHash", "logIndex", "address"])
def test_to_table__a_field_is_missing__is_refused(missing: str) -> None:
    log = plain()
    del log[missing]

    with pytest.raises(UnavailableError, match="malformed"):
        table([plain(logIndex="0x2"), log])


@pytest.mark.parametrize(
    "text", [b"", b"[", b"{}", b"[}]", b"[{}]", b"[1]", b'[{"data":"0x"}]', b"[]]", b"null"]
)
def test_to_table__no_array_of_logs__is_refused(text: bytes) -> None:
    with pytest.raises(UnavailableError, match="malformed"):
        to_table(text, ADDRESS, 0, 9)


@pytest.mark.parametrize("cut", [1, 2, 30, 200])
def test_to_table__answer_is_cut_off__is_refused(cut: int) -> None:
    text = json.dumps([plain(), plain(logIndex="0x2")]).encode()

    with pytest.raises(UnavailableError, match="malformed"):
        to_table(text[:-cut], ADDRESS, 0, 9)


def test_to_table__no_comma_between_logs__is_refused() -> None:
    text = json.dumps([plain(), plain(logIndex="0x2")]).replace("}, {", "}; {").encode()

    with pytest.raises(UnavailableError, match="malformed"):
        to_table(text, ADDRESS, 0, 9)


def test_to_table__one_log_of_another_contract__is_refused() -> None:
    with pytest.raises(UnavailableError, match="another contract"):
        table([plain(), plain(logIndex="0x2", address="0x" + "cd" * 20)])


def test_to_table__block_out_of_range__is_refused() -> None:
    with pytest.raises(UnavailableError, match="not of blocks 0 to 6"):
        to_table(json.dumps([plain()]).encode(), ADDRESS, 0, 6)
