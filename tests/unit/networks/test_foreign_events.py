"""Events declared in Solidity's words, and logs that are not what their event says."""

import numpy as np
import pyarrow as pa
import pytest
from eth_abi.abi import encode

from tallystick.data.extract.schema import ADDRESSED
from tallystick.networks.adapters.zero_g import RESULT
from tallystick.networks.decoded import decode_event
from tallystick.networks.errors import AdapterError
from tallystick.networks.events import event

REQUEST = event(
    "event MarketplaceRequest(address indexed priorityMech, address indexed requester, "
    "uint256 numRequests, bytes32[] requestIds, bytes[] requestDatas)"
)


def logs(*rows: tuple[list[bytes], bytes]) -> pa.Table:
    """Logs of one contract, one a block."""
    columns = {
        "block_number": list(range(len(rows))),
        "block_time": [1_800_000_000] * len(rows),
        "block_hash": [bytes(32)] * len(rows),
        "transaction_hash": [bytes(32)] * len(rows),
        "transaction_index": [0] * len(rows),
        "log_index": [0] * len(rows),
    }
    for place in range(4):
        columns[f"topic{place}"] = [
            topics[place] if place < len(topics) else None for topics, _ in rows
        ]
    columns["data"] = [data for _, data in rows]
    columns["address"] = [b"\x11" * 20] * len(rows)
    return pa.table(columns, schema=ADDRESSED)


def request(ids: list[bytes]) -> tuple[list[bytes], bytes]:
    types = ["uint256", "bytes32[]", "bytes[]"]
    data = encode(types, [len(ids), ids, [b"data"] * len(ids)])
    return [REQUEST.topic0, bytes(31) + b"\x01", bytes(31) + b"\x02"], data


def test_event__known_declarations__have_the_published_topics() -> None:
    assert RESULT.topic0.hex().startswith("1f69e5b87fd0ce34")
    assert REQUEST.topic0.hex().startswith("b1ea35a385d4517a")


@pytest.mark.parametrize(
    "text",
    ["Paid(uint256)", "Paid(uint indexed)", "Paid(map a)", "Paid", "Paid((uint256 a) b)"],
)
def test_event__not_a_declaration__is_one_line(text: str) -> None:
    with pytest.raises(AdapterError) as caught:
        event(text)

    assert "\n" not in str(caught.value)


def test_decode_event__arrays__are_lists_of_words() -> None:
    found, malformed = decode_event(REQUEST, logs(request([b"a" * 32, b"b" * 32]), request([])), 7)

    assert malformed == 0
    assert found["request_ids"].to_pylist() == [[b"a" * 32, b"b" * 32], []]
    assert found["chain_id"].to_pylist() == [7, 7]
    assert "request_datas" not in found.column_names


def test_decode_event__malformed_logs__are_counted_and_harm_no_other() -> None:
    topics, data = request([b"a" * 32])
    beyond = bytes(31) + b"\x01" + bytes(27) + b"\xff" * 5 + data[64:]
    wrong = [
        (topics[:2], data),
        (topics, data[:40]),
        (topics, beyond),
        ([*topics, topics[0]], data),
    ]
    order = np.random.default_rng(1).permutation(9)
    rows = [([request([b"c" * 32])] * 5 + wrong)[place] for place in order]

    found, malformed = decode_event(REQUEST, logs(*rows), 1)

    assert (len(found), malformed) == (5, 4)
