"""After a reorg, however deep and whenever, the files are those of a run that never saw the fork
given up, and files below it were not touched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.chain.rpc.errors import BehindError, UnavailableError
from tallystick.data.decode.files import decode_logs
from tallystick.data.extract.dataset import Dataset
from tests.integration.extract.conftest import (
    RANGE,
    content,
    deposits,
    identities,
    parts,
    registry_of,
    rpc,
    run,
    url_of,
)
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, Fault, FaultyRpc, behind, never

Proxy = Callable[[Chain, Fault], FaultyRpc]


def reorg(chain: Chain, depth: int) -> None:
    """Replace the last blocks by as many empty ones."""
    rpc(chain, "anvil_reorg", depth, [])


def shrink(chain: Chain, depth: int) -> None:
    rpc(chain, "anvil_rollback", depth)


def fresh(tmp_path: Path, chain: Chain, first_block: int = 0) -> dict[str, str]:
    """The files of a run into a folder of its own."""
    folder = tmp_path / f"fresh-{len(list(tmp_path.iterdir()))}"
    run(folder, chain, first_block=first_block)
    return content(folder)


def test_extract__chain_grows__the_last_file_grows_and_others_stay(
    moving: Chain, tmp_path: Path
) -> None:
    run(tmp_path / "a", moving)
    before = identities(tmp_path / "a", moving)
    for turn in range(5):
        deposits(moving, 7, first=1000 * (turn + 1))
        run(tmp_path / "a", moving)
    after = identities(tmp_path / "a", moving)

    assert content(tmp_path / "a") == fresh(tmp_path, moving)
    full = [name for name in before if int(name.split("-")[1][:12]) % RANGE == RANGE - 1]
    assert len(full) >= 4
    assert all(after[name] == before[name] for name in full)


def test_extract__nothing_new__writes_nothing(moving: Chain, tmp_path: Path) -> None:
    run(tmp_path / "a", moving)
    before = identities(tmp_path / "a", moving)

    again = run(tmp_path / "a", moving)

    assert (again.written, again.replaced) == (0, 0)
    assert identities(tmp_path / "a", moving) == before


@pytest.mark.parametrize("depth", [1, 3, RANGE, 3 * RANGE + 5])
def test_extract__reorg_between_runs__files_of_the_new_chain(
    moving: Chain, tmp_path: Path, depth: int
) -> None:
    run(tmp_path / "a", moving)
    before = identities(tmp_path / "a", moving)
    fork = moving.w3.eth.block_number - depth
    reorg(moving, depth)
    deposits(moving, 9, first=5000)

    done = run(tmp_path / "a", moving)

    assert done.replaced >= 1
    assert content(tmp_path / "a") == fresh(tmp_path, moving)
    after = identities(tmp_path / "a", moving)
    below = [name for name in before if int(name.split("-")[1][:12]) <= fork]
    assert len(below) >= 1
    assert all(after[name] == before[name] for name in below)


@pytest.mark.parametrize("depth", [2, 2 * RANGE + 3])
def test_extract__node_has_not_come_so_far__is_behind_and_nothing_is_lost(
    moving: Chain, tmp_path: Path, depth: int
) -> None:
    run(tmp_path / "a", moving)
    before = identities(tmp_path / "a", moving)
    shrink(moving, depth)

    with pytest.raises(BehindError, match=r"is behind: its latest block is \d+, and block 7\d was"):
        run(tmp_path / "a", moving)

    assert identities(tmp_path / "a", moving) == before


@pytest.mark.parametrize("fork", [3, RANGE + 3])
def test_extract__shorter_chain_of_another_fork__files_of_the_short_chain(
    moving: Chain, tmp_path: Path, fork: int
) -> None:
    """The fork is below the new head, at a height that both chains have."""
    run(tmp_path / "a", moving)
    shrink(moving, fork + 2)
    deposits(moving, 4, first=6000)

    done = run(tmp_path / "a", moving)

    assert done.last_block == moving.w3.eth.block_number
    assert done.replaced >= 1
    assert content(tmp_path / "a") == fresh(tmp_path, moving)


def test_extract__one_of_two_nodes_is_behind__the_other_is_read(
    moving: Chain, proxy: Proxy, tmp_path: Path
) -> None:
    run(tmp_path / "a", moving)
    deposits(moving, 5, first=8000)
    late = proxy(moving, behind(url_of(moving), 12))

    done = run(tmp_path / "a", moving, late.url, url_of(moving))

    assert done.replaced == 0
    assert content(tmp_path / "a") == fresh(tmp_path, moving)


def test_extract__pool_whose_machines_are_behind_now_and_then__reads_on(
    moving: Chain, proxy: Proxy, tmp_path: Path
) -> None:
    """Each machine's answers are right; which of them answers is by chance."""
    head, turn = moving.w3.eth.block_number, 0
    late = behind(url_of(moving), head - 3)

    def flapping(exchange: Exchange) -> bool:
        nonlocal turn
        turn += 1
        return turn % 3 == 0 and late(exchange)

    pool = proxy(moving, flapping)

    runs = []
    while pool.faulted.total() < 3:
        runs.append(run(tmp_path / "a", moving, pool.url))
        assert len(runs) < 20, "a run asks a few questions, and every third answer is late"

    last = [done.last_block for done in runs]
    assert head - 3 <= last[0]
    assert last == sorted(last)
    assert last[-1] <= head
    assert sum(done.replaced for done in runs) == 0
    assert (content(tmp_path / "a") == fresh(tmp_path, moving)) == (last[-1] == head)


def test_decode__after_a_reorg__events_of_the_new_chain(moving: Chain, tmp_path: Path) -> None:
    for turn in range(3):
        for folder in (tmp_path / "a", tmp_path / f"fresh-{turn}"):
            run(folder, moving)
            decode_logs(Dataset(folder), registry_of(moving))
        assert content(tmp_path / "a") == content(tmp_path / f"fresh-{turn}")
        reorg(moving, RANGE + 4)
        deposits(moving, 7, first=1000 * (turn + 1))


def test_extract__whole_chain_is_another__files_of_the_new_chain(
    moving: Chain, tmp_path: Path
) -> None:
    run(tmp_path / "a", moving)
    reorg(moving, moving.w3.eth.block_number - 1)
    deposits(moving, 5, first=7000)

    run(tmp_path / "a", moving)

    assert content(tmp_path / "a") == fresh(tmp_path, moving)


@pytest.mark.parametrize("depth", [1, RANGE + 2])
@pytest.mark.parametrize("method", ["eth_getLogs", "eth_getBlockByNumber"])
@pytest.mark.parametrize("call", [1, 3, 5])
@pytest.mark.parametrize("grown", [False, True], ids=["new", "grown"])
def test_extract__reorg_during_a_run__files_of_the_new_chain(
    drifting: Chain, proxy: Proxy, tmp_path: Path, depth: int, method: str, call: int, grown: bool
) -> None:
    chain, first_block, seen = drifting, drifting.w3.eth.block_number - 50, 0

    def fault(exchange: Exchange) -> bool:
        nonlocal seen
        seen += exchange.method == method
        if seen != call or exchange.method != method:
            return False
        # The answer is the old fork's still.
        reorg(chain, depth)
        deposits(chain, 2, first=9000)
        return True

    through = proxy(chain, never)
    if grown:
        run(tmp_path / "a", chain, through.url, first_block=first_block)
        deposits(chain, RANGE + 5, first=8000)
    through.fault = fault

    run(tmp_path / "a", chain, through.url, first_block=first_block, concurrency=2)
    happened = through.faulted.total()
    # One that came after the last call that counts is for the next run.
    run(tmp_path / "a", chain, through.url, first_block=first_block)

    assert happened <= 1
    assert content(tmp_path / "a") == fresh(tmp_path, chain, first_block)


def test_extract__head_never_keeps_still__says_so(
    moving: Chain, proxy: Proxy, tmp_path: Path
) -> None:
    def fault(exchange: Exchange) -> bool:
        if exchange.method == "eth_getLogs":
            reorg(moving, 2)
        return exchange.method == "eth_getLogs"

    with pytest.raises(UnavailableError, match="another fork|does not keep still"):
        run(tmp_path / "a", moving, proxy(moving, fault).url)
    run(tmp_path / "a", moving)

    assert content(tmp_path / "a") == fresh(tmp_path, moving)


def test_extract__head_moves_to_another_fork_while_files_are_read__no_file_of_the_old(
    moving: Chain, proxy: Proxy, tmp_path: Path
) -> None:
    """Each file is of one fork, and the last one of the right one; a file before it is not."""
    done = 0

    def fault(exchange: Exchange) -> bool:
        nonlocal done
        if exchange.method != "eth_getLogs":
            return False
        done += 1
        if done != 4:
            return False
        reorg(moving, moving.w3.eth.block_number - RANGE - 2)
        return True

    run(tmp_path / "a", moving, proxy(moving, fault).url, concurrency=1)

    assert len(parts(tmp_path / "a", moving)) >= 4
    assert content(tmp_path / "a") == fresh(tmp_path, moving)


def test_extract__killed_after_a_reorg_in_between__next_run_mends_it(
    moving: Chain, tmp_path: Path
) -> None:
    """A manifest with parts of two forks, as a run leaves it that ends before its last look."""
    folder = tmp_path / "a"
    run(folder, moving)
    dataset, registry = Dataset(folder), registry_of(moving)
    old = dataset.read_manifest(registry)
    reorg(moving, moving.w3.eth.block_number - RANGE - 2)
    run(folder, moving)
    mixed = dataset.read_manifest(registry)
    stale = [part for part in old.parts if part.first == 2 * RANGE]
    assert stale[0] not in mixed.parts
    mixed.put(stale[0])
    mixed.write(dataset.manifest(registry))

    run(folder, moving)

    assert content(folder) == fresh(tmp_path, moving)
