"""deploy --pool FILE: recorded, checked, refused; and a network whose rules name the pool."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from web3 import Web3

from tallystick.protocol.hexes import to_hex
from tests.integration.conftest import Commands
from tests.integration.pool.conftest import (
    TERMS,
    Bench,
    file_of,
)
from tests.support.chain import Chain
from tests.support.pool import (
    EXIT_DELAY,
    Pool,
)


class TestDeploy:
    """deploy --pool FILE."""

    def test_terms_of_a_file__twice__deployed_once_and_recorded(
        self, chain: Chain, commands: Commands, tmp_path: Path
    ) -> None:
        path = file_of(tmp_path)

        tried = commands.json("deploy", "--pool", path, "--dry-run", account=0)
        first = commands.json("deploy", "--pool", path, account=0)
        again = commands.json("deploy", "--pool", path, account=0)
        checked = commands.json("deploy", "--pool", path, "--check", account=0)

        assert (tried["deployed"], first["new"], again["new"]) == (False, True, False)
        assert tried["address"] == first["address"] == again["address"] == checked["address"]
        assert checked["agrees"]
        recorded = json.loads(Path(first["recorded"]).read_text())["deployments"]
        assert [one["address"] for one in recorded if one["name"] == "Pool"] == [first["address"]]
        shown = commands.json("pool show", first["address"])
        assert shown["registry"] == Web3.to_checksum_address(chain.registry.address)
        assert (shown["panel"], shown["judges"], shown["places_to_reject"]) == (9, 19, 12)
        assert (shown["exit_delay"], shown["spec"]) == (EXIT_DELAY, TERMS["spec"])
        assert (shown["seats"], shown["draws"]) == (0, False)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"panel": 10}, "line 5: panel is 10; needed: an odd number from 9 to 31"),
            ({"asset": "0x" + "11" * 20}, "asset is 0x1111"),
            ({"replay": "0x" + "22" * 20}, "where no contract is"),
        ],
    )
    def test_terms_that_would_be_refused__are_one_line(
        self, commands: Commands, tmp_path: Path, change: dict[str, Any], reason: str
    ) -> None:
        path = file_of(tmp_path, **change)

        assert reason in commands.error("deploy", "--pool", path, account=0)

    def test_chain_without_history__is_refused(
        self, chain: Chain, commands: Commands, tmp_path: Path
    ) -> None:
        history = "0x0000F90827F1C53a10cb7A02335B175320002935"
        chain.w3.provider.make_request("anvil_setCode", [history, "0x"])  # type: ignore[arg-type]

        text = commands.error("deploy", "--pool", file_of(tmp_path), account=0)

        assert "no history contract of EIP-2935" in text


def test_network_create__pool_that_rules_too__is_no_fault(
    chain: Chain, bench: Bench, pool: Pool, tmp_path: Path
) -> None:
    address, registry = to_hex(pool.address), to_hex(chain.registry.address)
    rules: dict[str, Any] = {
        "attestors": [address, "0x" + "00" * 20, "0x" + "00" * 20],
        "arbiter": address,
        "challenge_bond": 1,
        "challenge_window": "1d",
        "response_window": "10m",
        "ruling_window": "10m",
    }
    path = tmp_path / "network.yaml"

    def written(**changes: Any) -> Path:
        path.write_text(yaml.safe_dump({"name": "n", "rules": {**rules, **changes}}))
        return path

    text = bench.commands.run("network create", written(arbiter="0x" + "00" * 20), account=4)
    assert "the pool audits only where it is the arbiter too" in text.stderr
    text = bench.commands.run("network create", written(asset=registry), account=4)
    assert "is a pool in the asset 0x0000" in text.stderr
    text = bench.commands.run("network create", written(challenge_window="15d"), account=4)
    assert "the pool's exit delay is 1209600 s; needed: at least" in text.stderr
    assert bench.commands.json("network create", written(), account=4)["network_id"]
