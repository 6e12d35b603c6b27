"""Locks of files, between processes.

free    a second one is refused | shared ones are not | after its holder was killed
locked  waits until the other lets go; makes its folder
"""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tallystick.storage.file_lock import locked, try_lock

_HOLD = (
    "import sys, time; from pathlib import Path\n"
    "from tallystick.storage.file_lock import try_lock\n"
    "held = try_lock(Path(sys.argv[1])); print(held is not None, flush=True); time.sleep(60)"
)


def held_elsewhere(path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", _HOLD, path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"True\n"
    return process


@pytest.mark.parametrize(
    ("first", "second", "free"),
    [(False, False, False), (False, True, False), (True, False, False), (True, True, True)],
)
def test_try_lock__held__only_shared_ones_go_together(
    tmp_path: Path, first: bool, second: bool, free: bool
) -> None:
    one = try_lock(tmp_path / "a.lock", first)
    other = try_lock(tmp_path / "a.lock", second)

    assert one is not None
    assert (other is not None) is free
    for file in (one, other):
        if file is not None:
            file.close()
    again = try_lock(tmp_path / "a.lock")
    assert again is not None
    again.close()


def test_try_lock__holder_killed__is_free(tmp_path: Path) -> None:
    process = held_elsewhere(tmp_path / "a.lock")
    assert try_lock(tmp_path / "a.lock") is None

    process.kill()
    process.communicate()

    file = try_lock(tmp_path / "a.lock")
    assert file is not None
    file.close()


def test_locked__held_elsewhere__waits(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.lock"
    path.parent.mkdir()
    process = held_elsewhere(path)
    killer = threading.Timer(0.5, process.kill)
    start = time.monotonic()
    killer.start()

    with locked(path):
        waited = time.monotonic() - start

    process.communicate()
    assert waited > 0.3


def test_locked__no_folder__is_made(tmp_path: Path) -> None:
    with locked(tmp_path / "new" / "a.lock"):
        assert try_lock(tmp_path / "new" / "a.lock") is None
