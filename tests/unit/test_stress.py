"""The load of `make stress`: busy while tests run, gone afterwards whatever happens."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.stress import load
from tests.support.builds import ROOT
from tests.support.patience import PATIENCE


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pids: list[int]) -> None:
    end = time.monotonic() + PATIENCE
    while any(map(alive, pids)):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_load__tests_end_or_break__nothing_is_left() -> None:
    with load(2) as pids:
        assert all(map(alive, pids))
    assert not any(map(alive, pids))

    with pytest.raises(KeyError), load(2) as pids:
        raise KeyError
    assert not any(map(alive, pids))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_load__whoever_began_it_is_killed__nothing_is_left(number: signal.Signals) -> None:
    code = (
        "import signal, time; from tests import stress\n"
        "signal.signal(signal.SIGTERM, stress._end)\n"
        "with stress.load(2) as pids:\n"
        "    print(*pids, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as began:
        assert began.stdout is not None
        pids = [int(pid) for pid in began.stdout.readline().split()]
        assert len(pids) == 2
        os.kill(began.pid, number)
        began.wait()
    wait_until_gone(pids)
