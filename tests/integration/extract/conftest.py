"""Chains with many events, and runs over them."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from tallystick.chain.call import encode_call
from tallystick.chain.localnet import localnet
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.extractor import Extracted, ExtractPlan, extract
from tests.support.chain import Chain
from tests.support.faulty_rpc import Fault, FaultyRpc, faulty_rpc

GENESIS = 1_800_000_000
RANGE = 16
"""Blocks of a file."""


def url_of(chain: Chain) -> str:
    url: str = chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    return url


def rpc(chain: Chain, method: str, *params: Any) -> Any:
    answer = chain.w3.provider.make_request(method, list(params))  # type: ignore[arg-type]
    assert "error" not in answer, answer
    return answer["result"]


def deposits(chain: Chain, blocks: int, each: int = 3, first: int = 1) -> None:
    """Mine blocks with some deposits in every other one, of amounts that are never the same."""
    address = Web3.to_checksum_address(chain.registry.address)
    rpc(chain, "evm_setAutomine", False)
    for number in range(blocks):
        for place in range(each if number % 2 else 0):
            amount = first + number * each + place
            call = encode_call("Tallystick", chain.registry.address, "deposit", bytes(20), amount)
            sender = chain.w3.eth.accounts[place % len(chain.accounts)]
            transaction = {"from": sender, "to": address, "data": "0x" + call.data.hex()}
            gas = {"value": hex(amount), "gas": hex(200_000)}
            rpc(chain, "eth_sendTransaction", transaction | gas)
        rpc(chain, "evm_mine")
    rpc(chain, "evm_setAutomine", True)


@contextlib.contextmanager
def chain_with_deposits(blocks: int, chain_id: int = 31337) -> Iterator[Chain]:
    with localnet(timestamp=GENESIS, chain_id=chain_id) as w3:
        chain = Chain(w3)
        deposits(chain, blocks)
        yield chain


@pytest.fixture(scope="package")
def history() -> Iterator[Chain]:
    """A chain that no test changes."""
    with chain_with_deposits(110) as chain:
        yield chain


@pytest.fixture
def moving() -> Iterator[Chain]:
    """A chain of the test's own."""
    with chain_with_deposits(70) as chain:
        yield chain


def plan(chain: Chain, *urls: str, **changes: Any) -> ExtractPlan:
    """To the chain's very head, with little patience."""
    quick = {"depth": 0, "block_range": RANGE, "timeout": 0.5, "longest_wait": 0.02}
    return ExtractPlan(urls or (url_of(chain),), chain.registry.address, **quick | changes)


def run(folder: Path, chain: Chain, *urls: str, **changes: Any) -> Extracted:
    return extract(Dataset(folder), plan(chain, *urls, **changes))


def registry_of(chain: Chain) -> ContractKey:
    return ContractKey(chain.w3.eth.chain_id, chain.registry.address)


def content(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def identities(folder: Path, chain: Chain) -> dict[str, tuple[int, int]]:
    """Inode and time of change of each file of raw logs."""
    logs = Dataset(folder).logs(registry_of(chain))
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in sorted(logs.glob("*.parquet"))
    }


def parts(folder: Path, chain: Chain) -> list[dict[str, Any]]:
    """What the manifest says."""
    text = Dataset(folder).manifest(registry_of(chain)).read_text()
    found: list[dict[str, Any]] = json.loads(text)["parts"]
    return found


@pytest.fixture(scope="package")
def clean(history: Chain, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of a run over the history without any fault."""
    folder = tmp_path_factory.mktemp("clean")
    run(folder, history)
    return content(folder)


@pytest.fixture
def proxy() -> Iterator[Callable[[Chain, Fault], FaultyRpc]]:
    """Puts a proxy in front of a chain, for the time of the test."""
    with contextlib.ExitStack() as stack:
        yield lambda chain, fault: stack.enter_context(faulty_rpc(url_of(chain), fault))


@pytest.fixture(scope="package")
def drifting() -> Iterator[Chain]:
    """A chain that tests change; each looks at its last blocks."""
    with chain_with_deposits(50) as chain:
        yield chain
