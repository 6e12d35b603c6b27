"""Follow: all networks of a file into one data folder; a chain that fails stops no other."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tallystick.data.extract.dataset import Dataset
from tallystick.data.extract.lock import locked
from tallystick.errors import TallystickError
from tallystick.networks import state
from tallystick.networks.adapter import Adapter, Judged, Place, Run, check
from tallystick.networks.chain_reader import bring_place, dataset, key_of
from tallystick.networks.judging import judge_folder
from tallystick.networks.networks_file import ChainNodes, Followed, NetworksFile
from tallystick.networks.proxies import implementations
from tallystick.networks.state import State
from tallystick.protocol.progress import Progress

AT_ONCE = 8
"""Contracts that are read at the same time."""

Brought = tuple[dict[str, int], dict[str, str]]
"""Last blocks and failures, by chain id."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One contract of one network, or one network whose reader reads it whole."""

    followed: Followed
    run: Run
    place: Place | None


def follow(
    root: Path,
    file: NetworksFile,
    only: Sequence[str] = (),
    stage: Callable[[str], Progress] | None = None,
    repair: tuple[int, int, int] | None = None,
) -> list[State]:
    """Bring a data folder up to date for all networks, judge their claims, and keep the findings.

    Run again at any time: it goes on where it was.

    Args:
        root: the data folder.
        file: what is followed.
        only: names of networks; empty: all.
        stage: gives a stage of work what it tells its progress to, by name and unit.
        repair: chain, first and last block of what is read once more; logs that are new are added.

    Returns:
        What is known of each network; failures are in it.

    Raises:
        ExtractError: another process writes to a network's folder.
    """
    followed = [one for one in file.networks if not only or one.name in only]
    jobs = [job for one in followed for job in _jobs(root, file, one, stage, repair)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(zip(jobs, pool.map(_bring, jobs), strict=True))
    found = []
    for one in followed:
        mine = [result for job, result in results if job.followed is one]
        run = next(job.run for job, _ in results if job.followed is one)
        found.append(_judge(root, one, run, mine))
    return found


def _jobs(
    root: Path,
    file: NetworksFile,
    one: Followed,
    stage: Callable[[str], Progress] | None,
    repair: tuple[int, int, int] | None,
) -> list[_Job]:
    def run(nodes: ChainNodes) -> Run:
        data = Dataset(state.folder_of(root, one.name))
        rpcs = {chain_id: chain.rpcs for chain_id, chain in file.chains.items()}
        depth, size = nodes.depth, nodes.block_range
        return Run(data, root, one.places, rpcs, depth, size, one.options, stage, repair)

    if one.adapter.reader is not None:
        first = next((file.chains[place.chain_id] for place in one.places), ChainNodes(()))
        return [_Job(one, run(first), None)]
    return [_Job(one, run(file.chains[place.chain_id]), place) for place in one.places]


def _bring(job: _Job) -> Brought:
    adapter, reader = job.followed.adapter, job.followed.adapter.reader
    chain = "" if job.place is None else str(job.place.chain_id)
    try:
        if job.place is not None:
            return {chain: bring_place(adapter, job.run, job.place)}, {}
        assert reader is not None
        return {str(key): last for key, last in reader.bring(job.run).items()}, {}
    except Exception as error:
        return {}, {chain: _said(error)}


def _judge(root: Path, one: Followed, run: Run, brought: Sequence[Brought]) -> State:
    adapter = one.adapter
    with locked(state.folder_of(root, one.name)):
        before = state.read(root, one.name)
        last = dict(before.last_blocks) if before else {}
        failures: dict[str, str] = {}
        for blocks, failed in brought:
            # Of several contracts on a chain, how far all of them are known.
            for chain, block in blocks.items():
                known = [done[chain] for done, _ in brought if chain in done]
                last[chain] = min(*known, block)
            failures |= failed
        malformed, measures, table = 0, {}, state.findings(root, one.name)
        try:
            judged, malformed = _findings(adapter, run)
            measures, table = dict(judged.measures), judged.table
        except Exception as error:
            failures.setdefault("", _said(error))
            measures = dict(before.measures) if before else {}
        found = State(
            one.name,
            adapter.name,
            adapter.title,
            adapter.unit,
            last,
            failures,
            malformed,
            measures,
            _upgrades(one, run),
            adapter.cautions,
        )
        state.write(root, found, table)
        return found


def _findings(adapter: Adapter, run: Run) -> tuple[Judged, int]:
    if adapter.reader is None:
        return judge_folder(adapter, run)
    rows = adapter.reader.rows(run)
    return check(adapter.name, adapter.judge(rows)), rows.malformed


def _said(error: Exception) -> str:
    """Return an error in one line.

    Whatever an adapter of somebody else's does wrong, the other networks are followed.
    """
    said = " ".join(str(error).split())
    expected = isinstance(error, TallystickError | OSError | ValueError)
    return said if expected and said else f"{type(error).__name__}: {said}"


def _upgrades(one: Followed, run: Run) -> int:
    """Return how many implementations the network's proxies were seen with."""
    return sum(
        len(implementations(dataset(run, place), key_of(place)))
        for place in one.places
        if place.address is not None and not one.adapter.reader
    )
