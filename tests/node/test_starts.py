"""Starts of nodes: each says what it is, or refuses in one line.

operator  account, lane, stake, models, store, open batches | folder in use, port in use, a runner
          that cannot be loaded, metrics' port
verifier  member n of m, or no committee; bonds it can afford | no member, folder in use, a runner,
          a network that nobody registered
"""

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml
from click.testing import CliRunner

from tallystick.chain.localnet import localnet
from tallystick.node.errors import SettingsError
from tallystick.node.introduction import held
from tallystick.node.settings import Settings
from tallystick.node.verifier import introduction
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.hexes import checksummed, to_hex
from tests.node.operator.conftest import OPERATOR, Scene, staged
from tests.node.verifier.stage import BOND, GRIEFER, VERIFIERS, LiveChain, Stage, stage
from tests.support.operator_process import running


@pytest.fixture(scope="module")
def shared_chain() -> Iterator[LiveChain]:
    with localnet() as w3:
        yield LiveChain(w3)


@pytest.fixture
def scene(shared_chain: LiveChain, tmp_path: Path) -> Iterator[Scene]:
    with staged(shared_chain, tmp_path) as found:
        yield found


@pytest.fixture
def committee(shared_chain: LiveChain, tmp_path: Path) -> Iterator[Stage]:
    with shared_chain.isolated():
        yield stage(shared_chain, tmp_path)


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A node started in this process takes over its logging."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def refusal(role: str, settings: dict[str, Any], folder: Path) -> str:
    """The one line with which a node refuses to start."""
    from tallystick.ape.main import cli

    file = folder / "refused.yaml"
    file.write_text(yaml.safe_dump(settings))
    result = CliRunner(mix_stderr=False).invoke(cli, ["node", role, "--settings", str(file)])
    assert result.exit_code == 1, (result.stdout, result.stderr, result.exception)
    (line,) = [
        line for line in result.stderr.splitlines() if not line.startswith('{"') and line.strip()
    ]
    return line


def operator_settings(scene: Scene, account: int = OPERATOR, **operator: Any) -> dict[str, Any]:
    settings = scene.settings(**operator)
    settings["common"] |= {"account": f"TEST::{account}", "data": str(scene.folder / "data")}
    settings["operator"]["port"] = 0
    return settings


def verifier_settings(staged: Stage, account: int = VERIFIERS[0], **changes: Any) -> dict[str, Any]:
    settings = staged.settings("refused", **changes)
    settings["common"]["account"] = f"TEST::{account}"
    return settings


def test_operator__started__says_what_it_is_and_has_its_folder_alone(scene: Scene) -> None:
    with running(scene.node(store="")) as node:
        (said,) = [json.loads(line) for line in node.events("operator")]
        (open_batches,) = node.events("open batches that could all be revealed in time")
        (listening,) = node.events("listening")
        settings = operator_settings(scene)
        settings["common"]["data"] = str(node.folder)
        line = refusal("operator", settings, scene.folder)

    rules, lane = scene.network.rules, scene.network.lane(scene.operator)
    assert said["account"] == said["operator"] == checksummed(scene.operator)
    assert said["chain_id"] == 31337 and said["confirmations"] == 0
    assert said["registry"] == checksummed(scene.chain.registry.address)
    assert said["network"] == to_hex(scene.network.id)
    assert said["free_stake"] == lane.stake
    assert said["covers_inferences"] == lane.stake // rules.stake_per_inference
    assert said["challenge_bonds"] == scene.network.credit(scene.operator) // rules.challenge_bond
    (served,) = said["models"]
    assert served["id"] == to_hex(scene.model_id) and served["name"] == "digits"
    assert served["spec"].startswith("0x") or served["spec"] == "QI8-1"
    assert said["store"].endswith("/batches")
    assert json.loads(open_batches)["batches"] > 0
    assert node.url.endswith(str(json.loads(listening)["port"]))
    # And a second one on the same folder refuses.
    assert line.startswith("error: common.data: another process uses ")
    assert line.endswith("operator.shared: true in each")


def test_operator__port_in_use__one_line(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = operator_settings(scene, port=port)
        settings["operator"]["port"] = port
        line = refusal("operator", settings, scene.folder)
        settings["operator"]["port"] = 0
        settings["common"]["metrics_port"] = port
        metrics = refusal("operator", settings, scene.folder)

    assert line.startswith(f"error: 127.0.0.1:{port} cannot be listened on")
    assert metrics.startswith(f"error: common.metrics_port: 127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    "runner",
    ["nowhere:run", "json:nothing", ":", "json:", "qi9", "qi8", "breaking:run", "json:__name__"],
)
def test_operator__runner_that_cannot_be_loaded__one_line(
    scene: Scene, runner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scene.folder / "breaking.py").write_text("raise KeyError('no GPU\\nhere')")
    monkeypatch.syspath_prepend(str(scene.folder))
    settings = operator_settings(scene)
    settings["operator"]["models"][0]["runner"] = runner

    line = refusal("operator", settings, scene.folder)

    assert line.startswith(f"error: runner {runner} cannot load ")


def test_operator__account_that_is_not_its_key__one_line(scene: Scene) -> None:
    settings = operator_settings(scene, account=9, operator=to_hex(scene.operator))

    assert refusal("operator", settings, scene.folder).startswith("error: operator.operator: ")


def checked(staged: Stage, verifier: Verifier, **changes: Any) -> None:
    introduction.check(Settings(**staged.settings("checked", **changes)), verifier)


class Log:
    facts: dict[str, Any]

    def info(self, event: str, **facts: Any) -> None:
        assert event == "started"
        self.facts = facts


def introduced(
    staged: Stage, verifier: Verifier, monkeypatch: pytest.MonkeyPatch, **changes: Any
) -> dict[str, Any]:
    log = Log()
    monkeypatch.setattr(introduction, "_LOG", log)
    introduction.introduce(Settings(**staged.settings("told", **changes)), verifier)
    return log.facts


def test_verifier__member__says_which_and_what_it_can_afford(
    committee: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"networks": [to_hex(committee.network.id)]}
    verifier = committee.verifier(VERIFIERS[1], **changes)
    checked(committee, verifier, **changes)

    said = introduced(committee, verifier, monkeypatch, **changes)

    assert [one["seat"] for one in said["committees"]] == ["member 2 of 3"] * 2
    assert all(one["threshold"] == 2 and one["counts"] for one in said["committees"])
    (network,) = said["networks"]
    assert network["credit"] == 10 * BOND
    assert network["challenge_bonds"] == 10 and network["demand_bonds"] == 100
    assert [one["id"] for one in said["models"]] == [to_hex(committee.network.model_id)]


def test_verifier__no_committee__says_so(committee: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = committee.verifier(GRIEFER, committees=[])
    checked(committee, verifier, committees=[])

    said = introduced(committee, verifier, monkeypatch, committees=[])

    assert said["committees"] == "no committee" and said["networks"] == "all"


def test_verifier__no_member_of_its_committee__one_line(committee: Stage, tmp_path: Path) -> None:
    line = refusal("verifier", verifier_settings(committee, GRIEFER), tmp_path)

    account = checksummed(committee.chain.accounts[GRIEFER])
    assert line.startswith(f"error: verifier.committees: account {account} is none of the 3 ")


def test_verifier__data_folder_in_use__one_line(committee: Stage, tmp_path: Path) -> None:
    settings = verifier_settings(committee)
    verifier = committee.verifier(VERIFIERS[0], name="refused")
    with held(verifier.home):
        line = refusal("verifier", settings, tmp_path)

    assert line == f"error: common.data: another process uses {verifier.home}"


def test_verifier__runner_that_cannot_be_loaded__one_line(committee: Stage, tmp_path: Path) -> None:
    settings = verifier_settings(committee)
    for change in ({"runner": "nowhere:run"}, {"comparison": "nowhere:same"}, {"runner": "qi9"}):
        changed = [settings["verifier"]["models"][0] | change]
        line = refusal(
            "verifier",
            settings | {"verifier": settings["verifier"] | {"models": changed}},
            tmp_path,
        )
        assert line.startswith("error: ") and next(iter(change.values())) in line


def test_check__network_or_file_that_is_not__refused(committee: Stage) -> None:
    verifier = committee.verifier()
    with pytest.raises(SettingsError, match="no network 0x0101"):
        checked(committee, verifier, networks=["0x" + "01" * 32])
    nowhere = {"id": "0x" + "02" * 32, "runner": "qi8"}
    with pytest.raises(SettingsError, match="needed: file or model_stores"):
        checked(committee, verifier, models=[nowhere])


def test_held__shared_by_some__refused_to_one_that_does_not_share(tmp_path: Path) -> None:
    with (
        held(tmp_path, shared=True),
        held(tmp_path, shared=True),
        pytest.raises(SettingsError, match="another process uses"),
    ):
        held(tmp_path)
    held(tmp_path).close()


def test_held__folder_that_cannot_be_made__one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        held(tmp_path / "file" / "folder")
