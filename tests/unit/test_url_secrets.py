"""URLs that cannot be used, on commands of each kind: one line, nothing secret of them shown."""

from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from tallystick.ape.main import cli as ape_tallystick
from tallystick.cli.main import main as tallystick

SECRET = "Sekr1t"
ID, ADDRESS = "0x" + "11" * 32, "0x" + "22" * 20
URLS = [
    f"ws://127.0.0.1:8545/{SECRET}",
    f"wss://me:{SECRET}@rpc.example/",
    f"127.0.0.1:8545/{SECRET}",
    f"localhost:1/{SECRET}",
    f"ipc:///tmp/{SECRET}",
    f"file:///{SECRET}",
    f"http:/127.0.0.1/{SECRET}",
    f"http//127.0.0.1/{SECRET}",
    f"http:///{SECRET}",
    f"http://127.0.0.1:99x/{SECRET}",
    f"http://127.0.0.1:0/{SECRET}",
    f"http://127.0.0.1:70000/{SECRET}",
    f"http://127.0.0.1:1:2/{SECRET}",
    f"HTTP://[::1/{SECRET}",
    f"http://me:{SECRET}/x@127.0.0.1:1",
    f"http://me:{SECRET}@",
    f"http://ho st/{SECRET}",
    f"http://127.0.0.1:\uff11/{SECRET}",
    "",
    " ",
]
SENDING = [
    f"key set {ADDRESS}",
    "finalize --all",
    f"stake deposit {ID} 1",
    f"sweep {ID}",
    f"demand {ID} --leaf 1",
    f"network admit {ID} {ADDRESS}",
    f"committee exit {ADDRESS}",
]
READING = ["tally", "batches", f"extract {ADDRESS}"]


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TALLYSTICK_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def run(root: click.Group, line: str, *words: str) -> Result:
    done = CliRunner(mix_stderr=False).invoke(root, [*line.split(), *words])
    assert SECRET not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("line", SENDING)
def test_sending__url_that_cannot_be_used__one_line_without_secrets(line: str, url: str) -> None:
    place = ["--network", f"ethereum:local:{url}", "--registry", ADDRESS, "--account", "TEST::1"]

    done = run(ape_tallystick, line, *place)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(("error: RPC URL is", "error: --network ends with nothing"))
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("line", READING)
def test_reading__url_that_cannot_be_used__one_line_without_secrets(line: str, url: str) -> None:
    done = run(tallystick, line, "--rpc", url)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: RPC URL is") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["reconcile", "serve"])
@pytest.mark.parametrize("start", ["", "x=", "=", "-1="])
def test_by_chain__names_none__the_url_is_not_shown(command: str, start: str) -> None:
    done = run(tallystick, command, "--rpc", f"{start}http://rpc.example/{SECRET}")

    assert done.exit_code == 2 and "names no chain" in done.stderr


@pytest.mark.parametrize(
    "store",
    [
        f"https://me:{SECRET}@127.0.0.1:1/x",
        f"http://127.0.0.1:1/x?sig={SECRET}",
        f"http://127.0.0.1:99x/x?sig={SECRET}",
        f"http://[::1/?{SECRET}",
        f"s4://me:{SECRET}@bucket/",
        f"ftp://me:{SECRET}@127.0.0.1:1/",
    ],
)
def test_store__cannot_be_used__one_line_without_secrets(store: str, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.write_text("a model")

    done = run(tallystick, "model push", str(model), "--store", store)

    assert done.exit_code == 1 and done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1 and "unexpected" not in done.stderr


@pytest.mark.parametrize("role", ["operator", "verifier"])
@pytest.mark.parametrize("url", URLS)
def test_settings__url_that_cannot_be_used__one_line_without_secrets(
    role: str, url: str, tmp_path: Path
) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(yaml.safe_dump({"common": {"rpc": url, "data": str(tmp_path)}}))

    done = run(ape_tallystick, f"node {role}", "--settings", str(file))

    assert done.exit_code == 1, done.stderr
    assert done.stderr.count("\n") == 1 and "unexpected" not in done.stderr
