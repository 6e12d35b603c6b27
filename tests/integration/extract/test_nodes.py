"""Several chains in one folder, several nodes of one chain, several processes at once."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from tallystick.chain.rpc.errors import RpcError, UnavailableError
from tallystick.data.decode.files import decode_logs
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.errors import ExtractError, ManifestError
from tallystick.data.extract.extractor import extract
from tallystick.data.extract.lock import locked
from tallystick.data.extract.manifest import Part
from tallystick.data.extract.rpc import GET_LOGS
from tests.integration.extract.conftest import (
    chain_with_deposits,
    content,
    deposits,
    parts,
    plan,
    registry_of,
    run,
    url_of,
)
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, Fault, FaultyRpc, never

Proxy = Callable[[Chain, Fault], FaultyRpc]


def dead_url() -> str:
    """Of a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def refusing(exchange: Exchange) -> bool:
    exchange.status, exchange.content = 429, b"Too Many Requests"
    exchange.headers["Retry-After"] = "3600"
    return True


def unauthorised(exchange: Exchange) -> bool:
    exchange.status, exchange.content = 401, b"invalid project id"
    return True


def without_logs(exchange: Exchange) -> bool:
    """A node that gives no logs at all, in words that could mean a range."""
    if exchange.method == "eth_getLogs":
        exchange.refuse(-32005, "limit exceeded")
    return exchange.method == "eth_getLogs"


def test_extract__two_chains_with_one_address__are_kept_apart(
    history: Chain, clean: dict[str, str], tmp_path: Path
) -> None:
    with chain_with_deposits(20, chain_id=10) as other:
        assert other.registry.address == history.registry.address
        run(tmp_path / "other", other)

        run(tmp_path / "both", history)
        run(tmp_path / "both", other)
        run(tmp_path / "both", history)

        dataset = Dataset(tmp_path / "both")
        assert dataset.registries() == [registry_of(other), registry_of(history)]
        assert content(tmp_path / "both") == clean | content(tmp_path / "other")
        for registry in dataset.registries():
            decode_logs(dataset, registry)
        rows = {
            registry.chain_id: dataset.read_manifest(registry).rows
            for registry in dataset.registries()
        }
        assert rows == {10: 30, 31337: 165}


def test_extract__one_node_dead_one_refusing_one_good__same_files(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path
) -> None:
    limited, good = proxy(history, refusing), proxy(history, never)

    run(tmp_path, history, dead_url(), limited.url, good.url)

    assert content(tmp_path) == clean
    assert good.calls["eth_getLogs"] >= 5
    # Told to come back in an hour, it is not asked by every range anew.
    assert limited.calls.total() <= 10


@pytest.mark.parametrize("fault", [unauthorised, without_logs])
def test_extract__first_node_refuses_for_good__second_one_serves(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path, fault: Fault
) -> None:
    run(tmp_path, history, proxy(history, fault).url, url_of(history))

    assert content(tmp_path) == clean


def test_extract__node_dies_in_the_middle__the_other_one_goes_on(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path
) -> None:
    first = proxy(history, never)
    first.fault = lambda exchange: first.calls["eth_getLogs"] > 3 and unauthorised(exchange)

    run(tmp_path, history, first.url, url_of(history))

    assert first.faulted.total() >= 1
    assert content(tmp_path) == clean


def test_extract__all_nodes_refuse__one_line_says_why(
    history: Chain, proxy: Proxy, tmp_path: Path
) -> None:
    with pytest.raises(RpcError, match="HTTP 401: invalid project id") as caught:
        run(tmp_path, history, proxy(history, unauthorised).url)

    assert "\n" not in str(caught.value)


def test_extract__nobody_listens__one_line_says_where(history: Chain, tmp_path: Path) -> None:
    url = dead_url()

    with pytest.raises(UnavailableError, match=url.removeprefix("http://")):
        run(tmp_path, history, url, attempts=2)


def test_extract__urls_of_different_chains__are_refused(history: Chain, tmp_path: Path) -> None:
    with (
        chain_with_deposits(1, chain_id=10) as other,
        pytest.raises(ExtractError, match=r"different chains: \[10, 31337\]"),
    ):
        run(tmp_path, history, url_of(history), url_of(other))

    assert not list(tmp_path.iterdir())


def test_extract__node_of_another_chain_comes_up_later__is_refused(
    history: Chain, proxy: Proxy, tmp_path: Path
) -> None:
    with chain_with_deposits(1, chain_id=10) as other:
        first, late = proxy(history, never), proxy(other, never)
        first.fault = lambda exchange: first.calls["eth_getLogs"] > 3 and unauthorised(exchange)
        late.fault = lambda exchange: not first.calls["eth_getLogs"] and unauthorised(exchange)

        with pytest.raises(ExtractError, match=r"different chains: \[10, 31337\]"):
            run(tmp_path, history, first.url, late.url)


def test_extract__folder_of_another_range__is_refused(history: Chain, tmp_path: Path) -> None:
    run(tmp_path, history)

    with pytest.raises(ManifestError, match="ranges of 16 blocks from block 0 on; asked for: 32"):
        run(tmp_path, history, block_range=32)


def test_extract__first_block_within_a_range__only_later_blocks(
    moving: Chain, tmp_path: Path
) -> None:
    run(tmp_path / "grown", moving, first_block=21)
    deposits(moving, 5, first=9000)
    run(tmp_path / "grown", moving, first_block=21)
    run(tmp_path / "fresh", moving, first_block=21)

    assert parts(tmp_path / "grown", moving)[0]["first"] == 21
    assert content(tmp_path / "grown") == content(tmp_path / "fresh")


def test_extract__while_another_process_does__is_refused_by_one_line(
    history: Chain, tmp_path: Path
) -> None:
    folder = Dataset(tmp_path).logs(registry_of(history))
    holder = (
        "import sys; from pathlib import Path; from tallystick.data.extract.lock import locked\n"
        f"with locked(Path({str(folder)!r})): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            with pytest.raises(ExtractError, match="another process is writing to") as caught:
                run(tmp_path, history)
        finally:
            process.kill()

    assert "\n" not in str(caught.value)
    # Gone with its process.
    run(tmp_path, history)


def test_decode__while_files_are_extracted__is_refused(history: Chain, tmp_path: Path) -> None:
    run(tmp_path, history)
    dataset, registry = Dataset(tmp_path), registry_of(history)

    with locked(dataset.logs(registry)), pytest.raises(ExtractError, match="another process"):
        decode_logs(dataset, registry)


def test_extract__files_are_written_slowly__little_more_is_asked_for(
    history: Chain, proxy: Proxy, tmp_path: Path
) -> None:
    """Ranges wait in memory while they are written: as many as are asked for at once."""
    node, asked = proxy(history, never), []

    def slowly(registry: ContractKey, part: Part, logs: pa.Table) -> None:
        time.sleep(0.1)
        asked.append(node.calls[GET_LOGS])

    quick = plan(history, node.url, concurrency=1, timeout=10)
    done = extract(Dataset(tmp_path), quick, on_part=slowly)

    assert done.written == len(asked) >= 7
    # One is written, one waits for its turn, one is asked for.
    assert all(count <= written + 3 for written, count in enumerate(asked))
    assert asked[0] > 1
