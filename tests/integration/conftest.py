"""Commands run as users run them, against a private chain; everything they write goes to a folder
of the test."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tallystick.ape.main import cli
from tallystick.chain.localnet import localnet
from tallystick.chain.sender import SignerSender
from tests.support.builds import ROOT
from tests.support.chain import Chain
from tests.support.story import RULES, Network, register

GENESIS = 1_800_000_000


@pytest.fixture(scope="session")
def shared_chain() -> Iterator[Chain]:
    with localnet(timestamp=GENESIS) as w3:
        yield Chain(w3)


@pytest.fixture
def chain(shared_chain: Chain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Chain]:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TALLYSTICK_DEPLOYMENTS", str(tmp_path / "deployments"))
    # Tests that begin alike have blocks of one hash: none is to know what another has read.
    monkeypatch.setenv("TALLYSTICK_CACHE", str(tmp_path / "cache"))
    with shared_chain.isolated():
        yield shared_chain


class Commands:
    """The click commands of `ape tallystick`, run in this process."""

    def __init__(self, chain: Chain) -> None:
        self._network = f"ethereum:local:{chain.w3.provider.endpoint_uri}"  # type: ignore[attr-defined]

    def run(self, line: str, *args: object, account: int | None = None) -> Result:
        """Run `ape tallystick <line> <args>` and return what came of it."""
        words = [*line.split(), *(str(arg) for arg in args), "--network", self._network]
        if account is not None:
            words += ["--account", f"TEST::{account}"]
        return CliRunner(mix_stderr=False).invoke(cli, words)

    def json(self, line: str, *args: object, account: int | None = None) -> Any:
        """Run with --json; returns the last thing printed. The command must succeed."""
        result = self.run(line, *args, "--json", account=account)
        assert result.exit_code == 0, f"{line}: {result.stderr} {result.exception!r}"
        rest, value, decoder = result.stdout.strip(), None, json.JSONDecoder()
        while rest:
            value, end = decoder.raw_decode(rest)
            rest = rest[end:].strip()
        return value

    def error(self, line: str, *args: object, account: int | None = None, code: int = 1) -> str:
        """Run, expect failure, and return the one line that says why."""
        result = self.run(line, *args, account=account)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        (text,) = result.stderr.strip().splitlines()
        return text

    def plain(self, line: str, *args: object) -> Any:
        """Run a command that needs no chain, with JSON as its answer; it must succeed."""
        result = self._plain(line, *args)
        assert result.exit_code == 0, f"{line}: {result.stderr} {result.exception!r}"
        return json.loads(result.stdout)

    def refused(self, line: str, *args: object) -> str:
        """Run a command that needs no chain, expect failure, and return its one line."""
        result = self._plain(line, *args)
        assert result.exit_code == 1, (result.stdout, result.stderr, result.exception)
        (text,) = result.stderr.strip().splitlines()
        return text

    def _plain(self, line: str, *args: object) -> Result:
        words = [*line.split(), *(str(arg) for arg in args)]
        return CliRunner(mix_stderr=False).invoke(cli, words)


@pytest.fixture
def commands(chain: Chain) -> Commands:
    return Commands(chain)


@pytest.fixture
def resolver(chain: Chain) -> bytes:
    """Attestor and arbiter that answers the evidence's first word."""
    return bytes.fromhex(chain.deploy("MockResolver").address[2:])


@pytest.fixture
def operator(chain: Chain) -> bytes:
    return chain.accounts[2]


@pytest.fixture
def network(
    chain: Chain, operator: bytes, resolver: bytes, monkeypatch: pytest.MonkeyPatch
) -> Network:
    """With an arbiter, all attestors and the operator's stake; its registry is the one meant."""
    monkeypatch.setenv("TALLYSTICK_REGISTRY", "0x" + chain.registry.address.hex())
    attestors = (resolver, resolver, resolver)
    network = register(
        chain, chain.accounts[1], RULES, arbiter=resolver, attestors=attestors, max_bytes=64
    )
    network.join(operator)
    return network


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of inferences: unsolicited lines, or those given."""

    def write(*lines: dict[str, Any], count: int = 5, name: str = "inferences.jsonl") -> Path:
        plain = [{"input": f"0x{number:04x}", "output": "0x01"} for number in range(count)]
        path = tmp_path / name
        path.write_text("".join(json.dumps(line) + "\n" for line in (lines or plain)))
        return path

    return write


class Killed(BaseException):
    """The process is gone: nothing catches it."""


Kill = Callable[..., None]


@pytest.fixture
def kill(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> Kill:
    """Run a command that is killed once a block holds its nth transaction, before it says so."""

    def run(line: str, *args: object, account: int, after: int = 1) -> None:
        mined = SignerSender._mined
        seen: list[object] = []

        def killed(self: SignerSender, *args: Any) -> Any:
            receipt = mined(self, *args)
            seen.append(receipt)
            if len(seen) == after:
                raise Killed
            return receipt

        with monkeypatch.context() as patch:
            patch.setattr(SignerSender, "_mined", killed)
            with pytest.raises(Killed):
                result = commands.run(line, *args, account=account)
                raise AssertionError((result.stdout, result.stderr))

    return run
