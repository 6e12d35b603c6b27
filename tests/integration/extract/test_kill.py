"""kill -9 at any moment: runs that follow end with the files of a run that was left alone."""

import multiprocessing
import random
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tallystick.data.decode.files import decode_logs
from tallystick.data.extract.dataset import Dataset
from tests.integration.extract.conftest import content, plan, registry_of, run, url_of
from tests.integration.extract.interrupted import work
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, Fault, FaultyRpc

LOWER = 40
"""Blocks below the head at which the first half of the work ends; within a file."""

STRIDE = 8
"""Steps on files by which each run lives longer than the one before."""


@pytest.fixture(scope="module")
def alone(history: Chain, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of one run that nothing interrupts, decoded."""
    folder = tmp_path_factory.mktemp("alone")
    run(folder, history)
    decode_logs(Dataset(folder), registry_of(history))
    return content(folder)


@pytest.fixture
def start(history: Chain, tmp_path: Path) -> Callable[..., BaseProcess]:
    """Starts the work in a new process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.integration.extract.interrupted"])

    def start(url: str, die_at: int | None = None) -> BaseProcess:
        plans = plan(history, url), plan(history, url, depth=LOWER)
        process = context.Process(
            target=work, args=(tmp_path, *plans, registry_of(history), die_at)
        )
        process.start()
        return process

    return start


def slow(exchange: Exchange) -> bool:
    exchange.hang = 0.03
    return True


def test_extract__killed_at_random_moments__files_of_a_run_left_alone(
    history: Chain,
    alone: dict[str, str],
    start: Callable[..., BaseProcess],
    proxy: Callable[[Chain, Fault], FaultyRpc],
    tmp_path: Path,
) -> None:
    rpc, choose, killed = proxy(history, slow), random.Random(1), 0
    while True:
        process = start(rpc.url)
        # Longer each time, so that an end is sure.
        process.join(choose.uniform(0.1, 0.3) * (2 + killed))
        if not process.is_alive():
            break
        process.kill()
        process.join()
        killed += 1

    assert process.exitcode == 0
    assert killed >= 2
    assert content(tmp_path) == alone


def test_extract__killed_at_each_step_on_its_files__files_of_a_run_left_alone(
    history: Chain, alone: dict[str, str], start: Callable[..., BaseProcess], tmp_path: Path
) -> None:
    killed = 0
    while True:
        # Later each time, so that an end is sure.
        process = start(url_of(history), die_at=1 + STRIDE * killed)
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -9
        killed += 1

    assert killed >= 6
    assert content(tmp_path) == alone
