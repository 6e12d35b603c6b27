"""Whatever a node does wrong on the way, the files are those of a run without faults."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.chain.rpc.errors import RpcError, UnavailableError
from tests.integration.extract.conftest import content, parts, run
from tests.support.chain import Chain
from tests.support.faulty_rpc import (
    Exchange,
    Fault,
    FaultyRpc,
    adorned,
    at_most,
    bad_gateway,
    batch_reversed,
    compact,
    contradicting,
    cut_off,
    doubled,
    every_other,
    hangs,
    in_turn,
    malformed,
    no_batches,
    no_batches_http,
    not_json,
    null_block,
    other_blocks,
    other_contract,
    other_fork,
    other_head,
    out_of_order,
    rate_limited,
    removed,
    server_error,
    sometimes,
    truncated,
    unstamped,
)

Proxy = Callable[[Chain, Fault], FaultyRpc]

PASSING = (
    rate_limited,
    server_error,
    bad_gateway,
    cut_off,
    truncated,
    not_json,
    null_block,
    other_blocks,
    other_contract,
    other_fork,
    contradicting,
    malformed,
)
"""Asking again helps."""
HARMLESS = (adorned, compact, out_of_order, doubled, removed, unstamped)
"""The answer serves all the same."""


@pytest.mark.parametrize("fault", [*PASSING, other_head], ids=lambda fault: fault.__name__)
def test_extract__every_other_answer_is_faulty__same_files(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path, fault: Fault
) -> None:
    rpc = proxy(history, every_other(fault))

    run(tmp_path, history, rpc.url)

    assert rpc.faulted.total() >= 5
    assert content(tmp_path) == clean


@pytest.mark.parametrize("fault", HARMLESS, ids=lambda fault: fault.__name__)
def test_extract__every_answer_is_odd__same_files(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path, fault: Fault
) -> None:
    rpc = proxy(history, fault)

    run(tmp_path, history, rpc.url)

    assert rpc.faulted["eth_getLogs"] >= 5
    assert content(tmp_path) == clean


@pytest.mark.parametrize("odd", [batch_reversed, no_batches, no_batches_http])
def test_extract__logs_without_times_and_odd_batches__same_files(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path, odd: Fault
) -> None:
    batches = 0

    def fault(exchange: Exchange) -> bool:
        nonlocal batches
        batches += odd(exchange)
        return unstamped(exchange)

    run(tmp_path, history, proxy(history, fault).url)

    assert batches >= 5
    assert content(tmp_path) == clean


def test_extract__node_hangs__same_files(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path
) -> None:
    rpc = proxy(history, sometimes([hangs], 0.2, seed=1))

    run(tmp_path, history, rpc.url, timeout=0.15)

    assert rpc.faulted.total() >= 3
    assert content(tmp_path) == clean


@pytest.mark.parametrize(
    "words",
    [
        (-32005, "query returned more than 10000 results. Try with this block range [0x0, 0x1]."),
        (-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K "
         "block range and no limit on the response size"),
        (-32614, "eth_getLogs is limited to a 10,000 range", None, 413),
        (-32600, "block range is too wide"),
        (-32602, "invalid params", {"payload": "range 900 is bigger than range limit 2"}, 400),
    ],
    ids=["infura", "alchemy", "quicknode", "ankr", "tenderly"],
)  # fmt: skip
def test_extract__ranges_too_large__same_files(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path, words: tuple[object, ...]
) -> None:
    rpc = proxy(history, at_most(5, *words))  # type: ignore[arg-type]

    run(tmp_path, history, rpc.url)

    assert rpc.faulted["eth_getLogs"] >= 2
    assert content(tmp_path) == clean


def test_extract__one_block_is_too_much__says_which(
    history: Chain, proxy: Proxy, tmp_path: Path
) -> None:
    rpc = proxy(history, at_most(2, -32005, "query returned more than 2 results"))

    with pytest.raises(RpcError, match=r"block \d+ alone is too much"):
        run(tmp_path, history, rpc.url)


@pytest.mark.parametrize("seed", range(4))
def test_extract__all_faults_mixed__same_files(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path, seed: int
) -> None:
    mixed = sometimes([*PASSING, *HARMLESS, batch_reversed, no_batches], 0.3, seed)
    refused = at_most(8, -32005, "query returned more than 8 results")
    rpc = proxy(history, in_turn(refused, mixed))

    run(tmp_path, history, rpc.url, attempts=8)

    assert rpc.faulted.total() >= 5
    assert content(tmp_path) == clean


def test_extract__node_never_answers_right__keeps_what_it_had(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path
) -> None:
    rpc = proxy(history, at_most(0, -32603, "internal error"))

    with pytest.raises(UnavailableError, match="internal error"):
        run(tmp_path, history, rpc.url, attempts=2)
    empty = parts(tmp_path, history)
    run(tmp_path, history)

    assert all(part["rows"] == 0 for part in empty)
    assert content(tmp_path) == clean
