"""Examples of commands that run on: each is started as it stands, answers, and ends as it is told.

A server's port is another one here: many run on a machine.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

import httpx
import pytest

from tallystick.cli.network import read_template
from tallystick.demo.processes import free_port
from tests.integration.examples.prepare import endpoint, extracted, replayable
from tests.integration.examples.stage import Stage
from tests.support.commands import Line, every_command
from tests.support.enclave_http import REQUEST
from tests.support.patience import PATIENCE

SECONDS = 120
"""Until a process must have answered."""
ZERO = "0x" + 64 * "0"


@contextmanager
def started(stage: Stage, example: str, more: tuple[str, ...] = ()) -> Iterator[Path]:
    """Start a line as a shell would; yields its log. It must end well when it is told to."""
    line = Line.of(Template(example).substitute(stage.names))
    log = stage.folder / "log"
    tools = Path(sys.executable).parent
    with log.open("wb") as output:
        process = subprocess.Popen(
            [tools / line.words[0], *line.words[1:], *more],
            cwd=stage.folder,
            env=os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield log
        assert process.poll() is None, log.read_text()
        process.terminate()
        assert process.wait(timeout=PATIENCE) in (0, -signal.SIGTERM), log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()


def until(said: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while not said():
        assert time.monotonic() < end, log.read_text()[-5000:]
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def settings(stage: Stage, kind: str) -> str:
    """The template of a node's settings, with the stage's chain, account and model in it."""
    stage.run("ape tallystick deploy")
    replayable(stage)
    text = read_template(kind)
    for old, new in {
        "ethereum:sepolia": f"ethereum:local:{stage.url}",
        f"account: {kind} ": "account: TEST::2 ",
        "~/.tallystick/node": "node",
        f'network_id: "{ZERO}"': f'network_id: "{stage.names["NETWORK"]}"',
        f'id: "{ZERO}"': f'id: "{stage.names["MODEL"]}"',
    }.items():
        text = text.replace(old, new)
    return text


def serve(stage: Stage, example: str) -> None:
    extracted(stage)
    port = free_port()

    with started(stage, example, ("--port", str(port))) as log:
        until(lambda: answers(f"http://127.0.0.1:{port}/api/v1/coverage"), log)


def operator(stage: Stage, example: str) -> None:
    port = free_port()
    text = settings(stage, "operator").replace("port: 8100", f"port: {port}")
    Path("operator.yaml").write_text(text)

    with started(stage, example) as log:
        until(lambda: answers(f"http://127.0.0.1:{port}/"), log)
        said = httpx.get(f"http://127.0.0.1:{port}/").json()
        assert said["network_id"] == stage.names["NETWORK"]


def verifier(stage: Stage, example: str) -> None:
    text = settings(stage, "verifier").replace("https://operator.example/batches", "batches")
    Path("verifier.yaml").write_text(text)

    with started(stage, example) as log:
        until(lambda: '"event": "started"' in log.read_text(), log)


def enclave_proxy(stage: Stage, example: str) -> None:
    endpoint(stage)
    port = free_port()

    with started(stage, example, ("--port", str(port), "--json")) as log:
        until(lambda: '"event": "listening"' in log.read_text(), log)
        key = (stage.folder / "answers/proxy.key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        answer = httpx.post(url, content=REQUEST, headers=headers, timeout=SECONDS)
        assert "X-Tallystick-Signer" in answer.headers


PROCESSES: dict[str, Callable[[Stage, str], None]] = {
    "tallystick serve": serve,
    "tallystick enclave-http proxy": enclave_proxy,
    "ape tallystick node": operator,
    "ape tallystick node operator": operator,
    "ape tallystick node verifier": verifier,
}
EXAMPLES = {one.name: one.example for one in every_command() if one.name in PROCESSES}


def test_processes__each__is_a_command() -> None:
    assert EXAMPLES.keys() == PROCESSES.keys()


# Of those that are told twice, one.
@pytest.mark.parametrize("name", {text: name for name, text in EXAMPLES.items()}.values())
def test_example__of_a_process__starts_answers_and_ends(name: str, stage: Stage) -> None:
    stage.submit()

    PROCESSES[name](stage, EXAMPLES[name])
