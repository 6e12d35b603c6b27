"""A node that is behind: the verifier says so and waits; it neither accuses nor signs.

running    a node that falls back behind what was seen
restarted  on one that has not come as far as before
fork       another chain is none of both: what was seen there is forgotten
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tallystick.node.verifier.journal import VerifierJournal
from tallystick.node.verifier.verifier import Verifier
from tests.node.verifier.stage import Stage, rounds
from tests.support.faulty_rpc import Exchange, FaultyRpc, faulty_rpc, never


@pytest.fixture
def proxy(staged: Stage) -> Iterator[FaultyRpc]:
    endpoint = staged.chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    with faulty_rpc(str(endpoint), never) as rpc:
        yield rpc


class StoppedAt:
    """A node that has come as far as a block, and no further."""

    def __init__(self, block: int) -> None:
        self._block = block

    def __call__(self, exchange: Exchange) -> bool:
        params = exchange.request.get("params") or [None]
        if exchange.method == "eth_blockNumber":
            exchange.answer["result"] = hex(self._block)
            return True
        asked = params[0]
        if exchange.method == "eth_getBlockByNumber" and str(asked).startswith("0x"):
            if int(asked, 16) <= self._block:
                return False
            exchange.answer["result"] = None
            return True
        return False


def told(verifier: Verifier) -> list[str]:
    with capture_logs() as logs:
        rounds(verifier, count=2)
    return [one["event"] for one in logs if one["log_level"] == "warning"]


@pytest.mark.parametrize("restarted", [False, True])
def test_tick__node_is_behind__says_so_and_waits(
    staged: Stage, proxy: FaultyRpc, restarted: bool
) -> None:
    wrong, gone = staged.commit(50, wrong=[1]), staged.commit(20, kept=False)
    staged.seeded()
    far = staged.chain.w3.eth.block_number
    verifier = staged.verifier(rpc=proxy.url, challenge=False, demands="never", drawn=50)
    rounds(verifier, count=1)
    verifier = staged.verifier(rpc=proxy.url, drawn=50)
    if not restarted:
        verifier.refresh()

    # The latest that it has is older than both commits, or younger: it makes no difference.
    for block in (far - 1, gone.stamp.committed_block - 3):
        proxy.fault = StoppedAt(block)
        warned = told(verifier)
        assert warned in (["the node is behind; waiting for it"], [])
        assert verifier.watch.behind > 0
        assert verifier.journal.made() == []
        assert verifier.journal.audits() == 0

    proxy.fault = never
    rounds(verifier)
    assert verifier.watch.behind == 0
    kinds = {kind for kind, _, _ in verifier.journal.made()}
    assert kinds == {"challenge", "demand"}
    assert staged.record(wrong).dispute is not None


# Heads


def hash_of(block: int) -> bytes:
    return bytes([block]) * 32


def other_hash_of(block: int) -> bytes:
    return b"other" + bytes([block]) * 27


@pytest.mark.parametrize("looks", [[5], [5, 9], [5, 9, 9], [*range(1, 200)]])
def test_behind__not_lower_than_before__0(tmp_path: Path, looks: list[int]) -> None:
    heads = VerifierJournal(tmp_path / "journal.sqlite3").heads

    assert [heads.behind(block, hash_of) for block in looks] == [0] * len(looks)


def test_behind__lower_in_another_process__by_how_many(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    for block in range(3, 200, 7):
        VerifierJournal(path).heads.behind(block, hash_of)

    heads = VerifierJournal(path).heads
    assert [heads.behind(block, hash_of) for block in (198, 150, 5, 1)] == [1, 49, 194, 198]
    assert heads.behind(201, hash_of) == 0


def test_behind__another_chain__forgotten(tmp_path: Path) -> None:
    heads = VerifierJournal(tmp_path / "journal.sqlite3").heads
    for block in range(3, 200):
        heads.behind(block, hash_of)

    assert heads.behind(150, other_hash_of) == 0
    assert heads.behind(151, other_hash_of) == 0
    assert heads.behind(150, other_hash_of) == 1
