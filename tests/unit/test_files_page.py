"""docs/files.md: each example is read by what reads such files; each template is complete."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tallystick.ape.committee_file import read_committee
from tallystick.ape.endorsers_file import read_endorsers
from tallystick.ape.pool_file import read_pool
from tallystick.cli.main import main
from tallystick.cli.recomputed import read_recomputed
from tallystick.cli.targets import Evidence
from tallystick.data.probe.endpoints import read_endpoints
from tallystick.networks.networks_file import NetworksFile
from tallystick.node.settings import Settings
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.panel_statement import PanelStatement
from tallystick.protocol.statement import Statement
from tallystick.replay.model import SPEC_ID
from tallystick.storage.network_file import NetworkFile
from tallystick.storage.receipt_files import checked
from tallystick.storage.record_files import read_records
from tests.support.builds import ROOT

PAGE = (ROOT / "docs/files.md").read_text()
EXAMPLES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAGE, re.M | re.S))
READERS: dict[str, Callable[[Path], Any]] = {
    "inferences.jsonl": lambda path: len(read_records(path)) == 2,
    "receipts.jsonl": lambda path: len(list(checked(path))) == 1,
    "recomputed.jsonl": lambda path: sorted(read_recomputed(path)) == [3, 5],
    "audit.json": lambda path: Statement.read(path).signatures == {0: b"\0"},
    "evidence.hex": lambda path: Evidence().convert(str(path), None, None)[-1:] == b"\1",
    "network.yaml": lambda path: NetworkFile.read(path).rules.demand_bond == 10**15,
    "pool.yaml": lambda path: read_pool(path).rule_fee == 10**14,
    "pool-audit.json": lambda path: (
        list(PanelStatement.read(path).signatures) == [bytes(19) + b"\2"]
    ),
    "committee.yaml": lambda path: read_committee(path)[0][4:6] == (14 * 86400, 10**18),
    "endorsers.yaml": lambda path: (
        read_endorsers(path, "max_age", "named")[2:] == (7 * 86400, False)
    ),
    "networks.yaml": lambda path: len(NetworksFile.read(path).networks) == 2,
    "endpoints.yaml": lambda path: read_endpoints(path)[0].chain_id == 1,
}


def test_page__every_example__has_a_reader() -> None:
    assert set(EXAMPLES) == set(READERS)


@pytest.mark.parametrize("name", sorted(READERS))
def test_page__example__is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(EXAMPLES[name])

    assert READERS[name](path)


def test_network_template__as_printed__is_read(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(CliRunner().invoke(main, ["network", "template"]).stdout)

    rules = NetworkFile.read(path).rules

    assert (rules.stake_per_inference, rules.challenge_window) == (10**12, 3600)


def uncommented(text: str) -> str:
    """A template with each field that is commented out taken in."""
    return re.sub(r"^(\s*)# (\s*)([a-z_]+:|- \")", r"\1\2\3", text, flags=re.M)


def test_network_template__every_field__is_named(tmp_path: Path) -> None:
    text = CliRunner().invoke(main, ["network", "template"]).stdout
    path = tmp_path / "network.yaml"
    path.write_text(uncommented(text).replace('"0x..."', f'"0x{"11" * 20}"'))
    path.write_text(
        path.read_text().replace(f'parent: "0x{"11" * 20}"', f'parent: "0x{"11" * 32}"')
    )
    path.write_text(path.read_text().replace("challenge_bond: 0 ", "challenge_bond: 1 "))

    found = NetworkFile.read(path)

    assert found.parent == from_hex("11" * 32)
    assert found.rules.arbiter == found.rules.asset == from_hex("11" * 20)
    assert found.rules.max_bytes == 4096


def test_pool_template__as_printed_and_with_every_field__is_read(tmp_path: Path) -> None:
    text = CliRunner().invoke(main, ["pool", "template"]).stdout
    path = tmp_path / "pool.yaml"
    path.write_text(text)

    printed = read_pool(path)
    path.write_text(uncommented(text).replace('"0x..."', f'"0x{"11" * 20}"'))
    whole = read_pool(path)

    assert (printed.panel, printed.asset, printed.spec) == (15, bytes(20), SPEC_ID)
    assert whole.asset == whole.replay == b"\x11" * 20


@pytest.mark.parametrize("role", ["operator", "verifier"])
def test_node_template__as_printed__is_read(role: str, tmp_path: Path) -> None:
    path = tmp_path / "node.yaml"
    path.write_text(CliRunner().invoke(main, ["node", "template", role]).stdout)

    settings = Settings.load(path)

    if role == "operator":
        assert settings.need_operator().commit_every == 600
        assert settings.need_operator().prune_after == 30 * 86400
    else:
        assert settings.need_verifier().spending_cap_per_day == 10**18
        assert settings.need_verifier().gas_price_cap == 200 * 10**9


@pytest.mark.parametrize("role", ["operator", "verifier"])
def test_node_template__commented_fields__are_fields(role: str, tmp_path: Path) -> None:
    path = tmp_path / "node.yaml"
    text = uncommented(CliRunner().invoke(main, ["node", "template", role]).stdout)
    text = re.sub(r'^(  networks: \[)"0x..."', rf'\1"0x{"11" * 32}"', text, flags=re.M)
    path.write_text(text.replace('"0x..."', f'"0x{"11" * 20}"'))

    Settings.load(path)
