"""Resolvers deployed by the deploy command, each listed by its code."""

from pathlib import Path

import pytest
import yaml
from web3 import Web3

from tallystick.resolvers.code import code_name
from tests.integration.conftest import Commands
from tests.support.chain import Chain

ENDORSER = "0x" + "11" * 20
FILES = {
    "enclave": {"endorsers": [ENDORSER], "threshold": 1},
    "opengradient-item": {"endorsers": [ENDORSER], "threshold": 1, "max_age": 3600},
}


@pytest.fixture
def core(chain: Chain, commands: Commands) -> None:
    commands.json("deploy", account=0)


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("replay", "Replay"),
        ("rsa-pss", None),
        *zip(FILES, ("Enclave", "OpenGradientItem"), strict=True),
    ],
)
def test_deploy__resolver__is_recorded_and_listed(
    chain: Chain, commands: Commands, core: None, tmp_path: Path, option: str, name: str | None
) -> None:
    line: list[object] = [f"--{option}"]
    if option in FILES:
        path = tmp_path / "resolver.yaml"
        path.write_text(yaml.safe_dump(FILES[option]))
        line.append(path)

    first = commands.json("deploy", *line, account=0)
    again = commands.json("deploy", *line, account=0)

    assert (first["new"], again["new"]) == (True, False)
    assert first["address"] == again["address"]
    code = bytes(chain.w3.eth.get_code(Web3.to_checksum_address(first["address"])))
    assert code_name(code) == name and len(code) > 1000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"endorsers": []}, "endorsers is no list"),
        ({"endorsers": [17]}, "needed: hex in quotes"),
        ({"threshold": 0}, "threshold is 0"),
        ({"threshold": None}, "threshold is None"),
    ],
)
def test_deploy__malformed_endorsers__are_one_line(
    commands: Commands, core: None, tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    path = tmp_path / "enclave.yaml"
    path.write_text(yaml.safe_dump({**FILES["enclave"], **change}))

    assert reason in commands.error("deploy", "--enclave", path, account=0)


def test_deploy__two_at_once__is_a_usage_error(commands: Commands) -> None:
    result = commands.run("deploy", "--replay", "--rsa-pss", account=0)

    assert result.exit_code == 2 and "one contract at a time" in result.stderr
