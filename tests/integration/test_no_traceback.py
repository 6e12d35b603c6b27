"""Bad nodes, files, keys and ids: one line on stderr and a non-zero exit, from every command."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tallystick.ape.main import cli as ape_tallystick
from tallystick.chain.rpc.persistent import Persistent
from tallystick.cli.main import main as tallystick
from tests.support.builds import ROOT
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, Fault, faulty_rpc
from tests.support.story import Network

UNKNOWN, NOBODY = "0x" + "77" * 32, "0x" + "66" * 20
OF_NETWORKS = [
    "network admit {unknown} {nobody}",
    "network close {unknown} {nobody}",
    "model register {unknown} --name m --file {file} --spec {file}",
    "stake deposit {unknown} 1",
    "stake withdraw {unknown} 1",
    "stake show {unknown} {nobody}",
    "submit {file} --network-id {unknown} --model-id {model}",
    "submit {file} --network-id {network} --model-id {unknown}",
    "submit {file} {other} --network-id {unknown} --model-id {model}",
    "submit {file} {other} --network-id {network} --model-id {unknown}",
    "tally {unknown}",
]
OF_BATCHES = [
    "attest {unknown} --grade audited --evidence 0x01",
    "challenge {unknown} --leaf 0",
    "demand {unknown} --leaf 0",
    "reveal {unknown}",
    "resolve {unknown} --evidence 0x01",
    "disprove {unknown} --leaf 0 --evidence 0x01",
    "fault {unknown}",
    "timeout {unknown}",
    "lapse {unknown}",
    "finalize {unknown}",
    "archive {unknown}",
    "batch {unknown}",
]
OF_CONTRACTS = [
    "committee stake {nobody} 1",
    "committee exit {nobody}",
    "committee pay-out {nobody}",
    "committee sweep {nobody}",
    "committee show {nobody}",
    "pool deposit {nobody} 1",
    "pool enroll {nobody} 1",
    "pool leave {nobody}",
    "pool fund {nobody} 1",
    "pool appeal {nobody} {unknown} --leaf 0",
    "pool convict {nobody} {unknown}",
    "pool sweep {nobody}",
    "pool show {nobody}",
    "pool members {nobody}",
    "pool draw {nobody} {unknown}",
    "pool panel {nobody} {unknown}",
    "pool cases {nobody} {unknown}",
    "tally --registry {nobody}",
    "stake deposit {network} 1 --registry {nobody}",
    "submit {file} --network-id {network} --model-id {model} --registry {nobody}",
]
KNOWN = [
    "tally",
    "disputes",
    "finalize --all",
    "stake deposit {network} 1",
    "submit {file} --network-id {network} --model-id {model}",
    "network create {yaml}",
]
READING = {
    *("tally", "disputes", "batch", "stake show", "committee show", "pool show", "pool members"),
    *("pool draw", "pool panel", "pool cases"),
}

Run = Callable[..., Result]


@pytest.fixture
def words(network: Network, tmp_path: Path) -> dict[str, str]:
    """Names that stand in lines."""
    for name in ("file", "other"):
        (tmp_path / name).write_text(f'{{"input_text": "{name}", "output": "0x07"}}\n')
    (tmp_path / "yaml").write_text(
        "name: N\nrules: {challenge_window: 60, response_window: 30, ruling_window: 1}\n"
    )
    files = {name: str(tmp_path / name) for name in ("file", "other", "yaml")}
    known = {"network": "0x" + network.id.hex(), "model": "0x" + network.model_id.hex()}
    return {"unknown": UNKNOWN, "nobody": NOBODY, **known, **files}


@pytest.fixture
def run(chain: Chain, words: dict[str, str], tmp_path: Path) -> Run:
    """Runs a line of `ape tallystick` at a node."""

    def run(line: str, *more: str, url: str | None = None, account: str = "TEST::2") -> Result:
        at = url or str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
        found = [*line.format(**words).split(), "--network", f"ethereum:local:{at}"]
        if not any(line.startswith(one) for one in READING):
            found += ["--account", account]
        if found[0] == "submit":
            found += ["--store", str(tmp_path / "batches"), "--receipts", str(tmp_path / "rec")]
        return CliRunner(mix_stderr=False).invoke(ape_tallystick, [*found, *more])

    return run


def assert_one_line(result: Result, line: str) -> str:
    """A failure, and one line that says why; nothing of Python is in it."""
    assert result.exit_code in (1, 2), (line, result.stdout, result.stderr, result.exception)
    assert isinstance(result.exception, SystemExit), (line, repr(result.exception))
    shown = [one for one in result.stderr.splitlines() if one.strip()]
    errors = [one for one in shown if one.lower().startswith("error")]
    assert len(errors) == 1, (line, shown)
    for part in ("Traceback", "{'", "object at 0x", "unexpected "):
        assert part not in result.stderr, (line, result.stderr)
    return errors[0]


@pytest.mark.parametrize("line", [*OF_NETWORKS, *OF_BATCHES, *OF_CONTRACTS])
def test_command__id_that_nobody_knows__one_line(chain: Chain, run: Run, line: str) -> None:
    before = chain.w3.eth.block_number

    text = assert_one_line(run(line), line)

    assert chain.w3.eth.block_number == before
    assert "77" * 8 in text or "66" * 8 in text or "NotFound" in text or "no contract" in text


def refuses_all(exchange: Exchange) -> bool:
    exchange.refuse(-32603, "the database is on fire")
    return True


def busy_for_ever(exchange: Exchange) -> bool:
    exchange.status, exchange.content = 429, b'{"error": {"code": 429, "message": "slow down"}}'
    return True


def down_after_connecting(exchange: Exchange) -> bool:
    if exchange.method in ("eth_chainId", "web3_clientVersion", "net_version"):
        return False
    exchange.status, exchange.content = 503, b"<html>down for maintenance</html>"
    return True


def null_for_ever(exchange: Exchange) -> bool:
    exchange.answer["result"] = None
    return True


def page_of_a_gateway(exchange: Exchange) -> bool:
    exchange.content = b"<html>please log in</html>"
    return True


FAULTS: list[Fault] = [
    refuses_all,
    busy_for_ever,
    down_after_connecting,
    null_for_ever,
    page_of_a_gateway,
]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Persistent, "patience", 1.0)
    monkeypatch.setattr("tallystick.chain.rpc.persistent.FIRST_PAUSE", 0.001)


@pytest.mark.parametrize("fault", FAULTS)
def test_command__node_fails_for_ever__one_line(
    chain: Chain, run: Run, fault: Fault, impatient: None
) -> None:
    with faulty_rpc(str(chain.w3.provider.endpoint_uri), fault) as proxy:  # type: ignore[attr-defined]
        for line in KNOWN:
            assert_one_line(run(line, url=proxy.url), line)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "http://nobody.invalid", "http://127.0.0.1:99999"]
)
def test_command__nobody_listens__one_line(run: Run, url: str, impatient: None) -> None:
    for line in KNOWN:
        assert_one_line(run(line, url=url), line)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe{\0", b"[", b"\0\0", b"PAR1", b'{"version": 7}', b"a: b: c", b"7"]
)
def test_command__file_is_something_else__one_line(
    run: Run, words: dict[str, str], tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    words["bad"] = str(path)
    for line in (
        "submit {bad} --network-id {network} --model-id {model}",
        "submit {bad} {file} --network-id {network} --model-id {model}",
        "network create {bad}",
        "challenge {bad} --leaf 0",
        "committee convict {bad}",
        "deploy --committee {bad}",
    ):
        assert_one_line(run(line), line)
    assert_one_line(run("stake deposit {network} 1", account=str(path)), "--account")


@pytest.mark.parametrize("content", ["{}", '{"address": 7}', '{"address": "zz", "crypto": {}}'])
def test_command__keyfile_is_none_or_locked__one_line(
    chain: Chain, words: dict[str, str], tmp_path: Path, content: str
) -> None:
    path = tmp_path / "key.json"
    path.write_text(content)
    url = f"ethereum:local:{chain.w3.provider.endpoint_uri}"  # type: ignore[attr-defined]
    for account in (str(path), "TEST::99", "nobody", str(tmp_path)):
        found = ["stake", "deposit", words["network"], "1", "--network", url, "--account", account]
        result = CliRunner(mix_stderr=False, env={"TALLYSTICK_PASSPHRASE": "x"}).invoke(
            ape_tallystick, found
        )
        assert_one_line(result, account)


def test_command__interrupted__no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tallystick.chain.rpc.persistent._once", interrupted)
    for line in KNOWN:
        result = run(line)
        assert result.exit_code == 1 and isinstance(result.exception, SystemExit), line
        assert result.stderr.strip() == "Aborted!"


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that accepts and never answers."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            ended.wait()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    ended.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_process__interrupted_while_a_node_is_silent__no_traceback(silent: str) -> None:
    asked = subprocess.Popen(
        [sys.executable, "-c", "from tallystick.cli.main import main; main()"]
        + ["tally", "--rpc", silent, "--registry", NOBODY],
        cwd=ROOT,
        env={**os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(6)
    asked.send_signal(signal.SIGINT)
    _, stderr = asked.communicate(timeout=60)

    assert asked.returncode != 0 and "Traceback" not in stderr, stderr


def test_collect__store_is_down__exit_code_and_what_to_run_again(tmp_path: Path) -> None:
    result = CliRunner(mix_stderr=False).invoke(
        tallystick, ["collect", "http://127.0.0.1:9/x", "--data", str(tmp_path / "none")]
    )
    assert isinstance(result.exception, SystemExit | type(None))
