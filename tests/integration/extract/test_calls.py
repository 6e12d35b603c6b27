"""Calldata of the transactions behind logs: the cheaper way, once, whatever the chain adds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tallystick.chain.call import encode_call
from tallystick.chain.rpc.errors import UnavailableError
from tallystick.data.extract.calls import CallPlan, FetchedCalls, extract_calls, read_calls
from tallystick.data.extract.dataset import Dataset
from tallystick.data.extract.errors import ExtractError
from tallystick.data.extract.extractor import extract
from tallystick.protocol.hexes import to_hex
from tests.integration.extract.conftest import deposits, plan, registry_of, rpc, run, url_of
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, Fault, FaultyRpc


def topics_of(folder: Path, chain: Chain) -> tuple[bytes, ...]:
    """First topics of the deposits' logs."""
    (file, *_) = sorted(Dataset(folder).logs(registry_of(chain)).glob("*.parquet"))
    return tuple(sorted(set(pq.read_table(file)["topic0"].to_pylist())))


def fetched(folder: Path, chain: Chain, *urls: str, fields: tuple[str, ...] = ()) -> FetchedCalls:
    wanted = CallPlan(topics_of(folder, chain), fields)
    return extract_calls(Dataset(folder), registry_of(chain), urls or [url_of(chain)], wanted)


def calls(folder: Path, chain: Chain) -> pa.Table:
    return read_calls(Dataset(folder), registry_of(chain))


def test_extract_calls__several_transactions_a_block__whole_blocks_are_asked_for(
    history: Chain, tmp_path: Path, proxy: Callable[[Chain, Fault], FaultyRpc]
) -> None:
    run(tmp_path, history)
    between = proxy(history, lambda exchange: False)

    done = fetched(tmp_path, history, between.url)

    table = calls(tmp_path, history)
    blocks = len(set(table["block_hash"].to_pylist()))
    assert done.transactions == len(table) == 3 * blocks
    assert done.requests == blocks
    assert set(between.calls) == {"eth_chainId", "eth_getBlockByHash"}


def test_extract_calls__calldata__is_what_was_sent(history: Chain, tmp_path: Path) -> None:
    run(tmp_path, history)

    fetched(tmp_path, history)

    amounts = set()
    for row in calls(tmp_path, history).to_pylist():
        assert row["to"] == history.registry.address
        amounts.add(int.from_bytes(row["input"][-32:], "big"))
        address = history.registry.address
        call = encode_call("Tallystick", address, "deposit", bytes(20), max(amounts))
        assert row["input"][:4] == call.data[:4]
    assert len(amounts) == len(calls(tmp_path, history))


def test_extract_calls__one_a_block__transactions_are_asked_for_and_none_twice(
    moving: Chain, tmp_path: Path, proxy: Callable[[Chain, Fault], FaultyRpc]
) -> None:
    deposits(moving, 6, each=1, first=10**6)
    run(tmp_path, moving)
    fetched(tmp_path, moving)
    before = len(calls(tmp_path, moving))
    deposits(moving, 6, each=1, first=2 * 10**6)
    run(tmp_path, moving)
    between = proxy(moving, lambda exchange: False)

    done = fetched(tmp_path, moving, between.url)

    assert done.transactions == done.requests == 3
    assert len(calls(tmp_path, moving)) == before + 3
    assert set(between.calls) == {"eth_chainId", "eth_getTransactionByHash"}
    assert fetched(tmp_path, moving) == FetchedCalls()


def test_extract_calls__chain_of_its_own_types_and_fields__are_kept_where_asked_for(
    history: Chain, tmp_path: Path, proxy: Callable[[Chain, Fault], FaultyRpc]
) -> None:
    def strange(exchange: Exchange) -> bool:
        for _, answer in exchange.calls:
            for one in (
                (answer["result"] or {}).get("transactions", ())
                if exchange.method == ("eth_getBlockByHash")
                else ()
            ):
                one |= {"type": "0x77", "settlementTx": "0x01", "spcCalls": [{"output": "0x"}]}
                del one["gas"], one["v"]
        return True

    run(tmp_path, history)

    fetched(tmp_path, history, proxy(history, strange).url, fields=("spcCalls", "absent"))

    assert set(calls(tmp_path, history)["extra"].to_pylist()) == {'{"spcCalls":[{"output":"0x"}]}'}


def test_extract_calls__node_is_on_another_fork__is_refused(
    history: Chain, tmp_path: Path, proxy: Callable[[Chain, Fault], FaultyRpc]
) -> None:
    def without(exchange: Exchange) -> bool:
        for _, answer in exchange.calls if exchange.method == "eth_getBlockByHash" else ():
            answer["result"]["transactions"] = answer["result"]["transactions"][:1]
        return True

    run(tmp_path, history)

    with pytest.raises(UnavailableError, match="two forks"):
        fetched(tmp_path, history, proxy(history, without).url)


def test_extract_calls__reorganised__calls_follow_the_logs(moving: Chain, tmp_path: Path) -> None:
    undo = moving.snapshot()
    deposits(moving, 4, each=1, first=10**6)
    run(tmp_path, moving)
    fetched(tmp_path, moving)
    undo()
    rpc(moving, "evm_mine")
    deposits(moving, 6, each=1, first=2 * 10**6)

    run(tmp_path, moving)
    fetched(tmp_path, moving)

    found = {
        int.from_bytes(one[-32:], "big") for one in calls(tmp_path, moving)["input"].to_pylist()
    }
    assert not any(10**6 <= amount < 2 * 10**6 for amount in found)
    assert sum(amount >= 2 * 10**6 for amount in found) == 3


def test_extract__any_address__logs_of_all_contracts_with_their_addresses(
    moving: Chain, tmp_path: Path
) -> None:
    run(tmp_path / "one", moving)
    topics = [to_hex(one) for one in topics_of(tmp_path / "one", moving)]

    wide = replace(plan(moving, topics=topics), address=None)
    done = extract(Dataset(tmp_path / "all"), wide)

    (folder,) = (tmp_path / "all" / "logs").glob("*/*")
    assert folder.name == "address=0x" + "00" * 20
    addresses = pa.concat_tables(pq.read_table(one) for one in folder.glob("*.parquet"))["address"]
    assert set(addresses.to_pylist()) == {moving.registry.address}
    assert done.rows == len(addresses) > 100


def test_extract__nodes_of_another_chain_than_planned__writes_nothing(
    history: Chain, tmp_path: Path
) -> None:
    with pytest.raises(ExtractError, match="the nodes are of chain 31337; needed: 5"):
        run(tmp_path, history, chain_id=5)

    assert list(tmp_path.iterdir()) == []
