"""What there is to read: no finalized block, none yet of the registry, none so high."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.chain.rpc.errors import RpcError
from tallystick.data.extract.dataset import Dataset
from tallystick.data.extract.errors import HeadError
from tallystick.data.extract.extractor import ExtractPlan, extract
from tallystick.errors import NoContractError
from tests.integration.extract.conftest import content, run, url_of
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, Fault, FaultyRpc

Proxy = Callable[[Chain, Fault], FaultyRpc]

NO_FINALIZED: dict[str, Callable[[Exchange], None]] = {
    "-32602": lambda exchange: exchange.refuse(-32602, "invalid argument 0: hex string"),
    "-32000": lambda exchange: exchange.refuse(-32000, "'finalized' tag not supported"),
    "-32601": lambda exchange: exchange.refuse(-32601, "tag not supported"),
    "-39001": lambda exchange: exchange.refuse(-39001, "unknown block"),
    "null": lambda exchange: exchange.answer.update(result=None),
}


@pytest.mark.parametrize("how", NO_FINALIZED.values(), ids=NO_FINALIZED.keys())
def test_extract__no_finalized_block__names_the_latest_and_depth(
    history: Chain, proxy: Proxy, tmp_path: Path, how: Callable[[Exchange], None]
) -> None:
    def fault(exchange: Exchange) -> bool:
        asked = exchange.method == "eth_getBlockByNumber"
        asked = asked and exchange.request["params"][0] == "finalized"
        if asked:
            how(exchange)
        return asked

    head = history.w3.eth.block_number
    with pytest.raises(RpcError, match=f"its latest is {head}; needed: --depth"):
        run(tmp_path, history, proxy(history, fault).url, depth=None)


def test_extract__registry_is_not_final_yet__says_what_is(moving: Chain, tmp_path: Path) -> None:
    """Of anvil's chain the block 64 below the latest is final: here one without the registry."""
    head = moving.w3.eth.block_number
    assert head - 64 > 0

    run(tmp_path / "final", moving, depth=None)
    with pytest.raises(HeadError) as caught:
        run(tmp_path / "early", moving, depth=head)

    assert f"--depth {head} leaves blocks up to 0, the latest is {head}" in str(caught.value)
    assert "a smaller --depth" in str(caught.value)


def test_extract__depth_is_more_than_the_chain__says_so(history: Chain, tmp_path: Path) -> None:
    with pytest.raises(HeadError, match="--depth 5000 leaves blocks up to -"):
        run(tmp_path, history, depth=5000)


def test_extract__first_block_is_beyond_the_head__says_so(history: Chain, tmp_path: Path) -> None:
    head = history.w3.eth.block_number

    with pytest.raises(HeadError, match=f"5000 is beyond the chain's latest block {head}"):
        run(tmp_path, history, first_block=5000)


def test_extract__first_block_is_not_final__says_so(history: Chain, tmp_path: Path) -> None:
    head = history.w3.eth.block_number

    with pytest.raises(HeadError, match=f"finalized block is {head - 64}, the latest {head}; --d"):
        run(tmp_path, history, first_block=head - 3, depth=None)


def test_extract__address_without_code__says_so(history: Chain, tmp_path: Path) -> None:
    plan = ExtractPlan((url_of(history),), bytes([0x12] * 20), depth=0)

    with pytest.raises(NoContractError, match="no contract is at 0x1212.* on chain 31337"):
        extract(Dataset(tmp_path), plan)


def test_extract__interrupted_above_the_head_that_is_asked_for__gap_is_filled(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path
) -> None:
    low = 0

    def fault(exchange: Exchange) -> bool:
        nonlocal low
        span = exchange.span
        first = int(exchange.request["params"][0]["fromBlock"], 16) if span else 0
        low += bool(span)
        if 40 <= first < 60:
            exchange.refuse(-32601, "not here")
        return 40 <= first < 60

    with pytest.raises(RpcError):
        run(tmp_path, history, proxy(history, fault).url, concurrency=8)
    run(tmp_path, history, depth=history.w3.eth.block_number - 20)
    run(tmp_path, history)

    assert content(tmp_path) == clean
