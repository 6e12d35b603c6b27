"""Run tests beside a load, on few cores: `make stress`; nothing of the load is left at the end.

A node's tests wait for conditions, not for clocks: they hold on a machine that is busy.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from tests.support.builds import ROOT

TESTS = ("tests/node", "tests/integration/extract", "tests/unit/extract")
# It ends with whoever began it, even one that was killed.
_BUSY = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    for _ in range(100_000):
        pass
"""


def main() -> int:
    """Return the exit code of the tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", type=int, default=8, help="busy processes")
    parser.add_argument("--cores", type=int, default=2, help="that all of them share")
    parser.add_argument("--jobs", type=int, default=2, help="test processes")
    parser.add_argument("tests", nargs="*", default=TESTS)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    keep_to(options.cores)
    command = [sys.executable, "-m", "pytest", "-p", "no:ape_test", "--durations=20"]
    command += ["--numprocesses", str(options.jobs), "--dist", "loadgroup", *options.tests]
    with load(options.load):
        return subprocess.run(command, cwd=ROOT).returncode


def keep_to(cores: int) -> None:
    """Have this process and all that it begins share the first few of its cores."""
    with suppress(AttributeError, OSError):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


@contextmanager
def load(count: int) -> Iterator[list[int]]:
    """Have so many processes do nothing, as fast as they can; yields their ids."""
    busy: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            busy.append(subprocess.Popen([sys.executable, "-S", "-c", _BUSY, str(os.getpid())]))
        yield [one.pid for one in busy]
    finally:
        for one in busy:
            one.kill()
        for one in busy:
            one.wait()


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
