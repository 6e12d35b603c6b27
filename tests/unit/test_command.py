"""Commands: the chain must be named, failures are one line, bugs are told as such."""

import sqlite3
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from tallystick.ape.main import cli as ape_tallystick
from tallystick.cli.chain import url_in
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.main import main as tallystick
from tallystick.errors import TallystickError
from tests.support.commands import Named, every_command

SENDING = [
    named
    for named in every_command()
    if {"--network", "--dry-run"} <= {one for param in named.command.params for one in param.opts}
]


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("NETWORK", "RPC", "ACCOUNT", "REGISTRY", "DEBUG"):
        monkeypatch.delenv(f"TALLYSTICK_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def run(group: click.Command, *words: str) -> Result:
    return CliRunner(mix_stderr=False).invoke(group, list(words))


@pytest.mark.parametrize("words", ["deploy", "tally", "batches", "finalize --all", "disputes"])
def test_command__no_network__one_line_that_says_what_to_set(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spawned(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("subprocess.Popen", spawned)

    done = run(ape_tallystick, *words.split())

    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: no chain is named; needed: --network")
    assert "TALLYSTICK_NETWORK" in line


def test_sending__every_command__has_network_and_account() -> None:
    assert len(SENDING) > 25
    for named in SENDING:
        options = {param.name: param for param in named.command.params}
        assert options["network"].envvar == "TALLYSTICK_NETWORK", named.name
        assert options["account"].envvar == "TALLYSTICK_ACCOUNT", named.name


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["tally", "--rpc", "localhost"], "needed: http:// or https:// before the host"),
        (
            ["tally", "--rpc", "http://127.0.0.1:1"],
            "127.0.0.1:1 does not answer: Connection",
        ),
        (["tally", "--network", "ethereum:local:http://127.0.0.1:1"], "does not answer"),
        (["tally", "--network", "no:such"], "no"),
        (["batches", "--mine", "--account", "0x11", "--rpc", "http://127.0.0.1:1"], "not answer"),
    ],
)
def test_reading__wrong_chain__one_line(words: list[str], reason: str) -> None:
    done = run(tallystick, *words)

    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and reason in line


class DriverError(Exception):
    """As a library's."""


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (TallystickError("a\n  b"), 1, "error: a; b\n"),
        (OSError("disk"), 1, "error: disk\n"),
        (sqlite3.OperationalError("locked"), 1, "error: locked\n"),
        (KeyError("x"), 70, "error: unexpected KeyError: 'x'; TALLYSTICK_DEBUG=1 shows where"),
        (DriverError("odd"), 70, "error: unexpected DriverError: odd;"),
    ],
)
def test_invoke__failure__one_line_and_its_code(error: Exception, code: int, told: str) -> None:
    @click.command(cls=ConsoleCommand)
    def fails() -> None:
        raise error

    done = run(fails)

    assert done.exit_code == code
    assert done.stderr.startswith(told) and done.stderr.count("\n") == 1


def test_invoke__bug_with_debug__is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSTICK_DEBUG", "1")

    @click.command(cls=ConsoleCommand)
    def fails() -> None:
        raise KeyError("x")

    assert isinstance(run(fails).exception, KeyError)


def test_url_in__names_of_networks__the_url_at_the_end() -> None:
    assert url_in("https://a.example/b") == "https://a.example/b"
    assert url_in("ethereum:sepolia:https://a.example") == "https://a.example"
    assert url_in("ethereum:local:HTTP://a.example") == "HTTP://a.example"
    assert url_in("ethereum:local:foundry") is None
    assert url_in("ethereum:local") is None


@pytest.mark.parametrize(
    "url",
    [
        *("ws://a.example/key", "a.example:8545/key", "localhost:8545", "ipc:///tmp/key", "a/b"),
        *("http:/a.example", "http//a.example/key", "127.0.0.1"),
    ],
)
def test_url_in__url_that_cannot_be_used__is_one(url: str) -> None:
    """Ape would show it whole, or start a chain of its own."""
    assert url_in(f"ethereum:local:{url}") == url


@pytest.mark.parametrize("network", ["ethereum:local:", "ethereum:local: "])
def test_url_in__variable_that_is_not_set__is_refused(network: str) -> None:
    with pytest.raises(CommandError, match="ends with nothing"):
        url_in(network)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{}", b"[1]", b'{"version": 1}', b"\x00" * 9])
@pytest.mark.parametrize("line", ["receipt check", "probe --log l.jsonl", "opengradient evidence"])
def test_command__file_of_garbage__one_line(line: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "garbage"
    path.write_bytes(content)
    more = ["--leaf", "0"] if "evidence" in line else []

    done = run(tallystick, *line.split(), str(path), *more)

    assert done.exit_code == 1, done.stderr
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


def test_every_command__named__once() -> None:
    names = [named.name for named in every_command()]

    assert len(names) == len(set(names)) > 60
    assert isinstance(every_command()[0], Named)
