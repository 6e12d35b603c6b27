"""`tallystick serve` as its own process, following a chain."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from tallystick.cli.serve import serve
from tallystick.dashboard.snapshot import version
from tests.support.patience import PATIENCE
from tests.support.shown import Shown

COMMAND = "from tallystick.cli.serve import serve; serve()"


@pytest.fixture
def following(shown: Shown) -> Iterator[httpx.Client]:
    """A server that extracts what comes, from the demo's chain."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    asked = ["--data", str(shown.data.root), "--port", str(port), "--every", "0.2"]
    asked += ["--rpc", f"31337={shown.url}", "--follow", "--depth", "0"]
    process = subprocess.Popen([sys.executable, "-c", COMMAND, *asked], env=os.environ)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    client.get("/api/v1/coverage").raise_for_status()
                    break
                except httpx.TransportError:
                    assert process.poll() is None and time.monotonic() < deadline
                    time.sleep(0.1)
            yield client
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) in (0, -signal.SIGTERM)
    finally:
        process.kill()


def test_serve__following__tells_of_a_new_block(following: httpx.Client, shown: Shown) -> None:
    sent = None
    with following.stream("GET", "/api/v1/live") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if not line.startswith("data: "):
                continue
            if sent is None:
                sent = shown.world.send("griefer", "stake", shown.hostile, 10**15)
                continue
            # One that was on its way may come first.
            covered = following.get("/api/v1/coverage").json()
            if (
                covered["cores"][0]["last_block"] >= sent.block_number
                and covered["version"] in line
            ):
                break

    assert covered["trouble"] == ""
    assert covered["version"] == version(shown.data.root)


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (["--follow"], 2, "--follow needs --rpc"),
        (["--rpc", "http://127.0.0.1"], 2, "names no chain"),
        ([], 1, "holds no events"),
    ],
)
def test_serve__not_possible__one_line(
    tmp_path: Path, asked: list[str], code: int, words: str
) -> None:
    done = CliRunner().invoke(serve, ["--data", str(tmp_path), *asked])

    assert done.exit_code == code
    assert words in done.output
    assert "Traceback" not in done.output
