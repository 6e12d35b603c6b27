"""Resolvers deployed by the deploy command, each listed by its code."""

import json
from pathlib import Path

import pytest
import yaml
from web3 import Web3

from tallystick.chain.abi import contract
from tallystick.chain.committee import Committee, CommitteeTerms
from tallystick.chain.standard_input import standard_input
from tallystick.chain.verification import Compiled, differences
from tallystick.data.resolvers.code import code_name
from tallystick.protocol.hexes import from_hex
from tests.integration.conftest import Commands
from tests.support.chain import Chain

ENDORSER = "0x" + "11" * 20
FILES = {
    "enclave": {"endorsers": [ENDORSER], "threshold": 1},
    "enclave-http": {"endorsers": [ENDORSER], "threshold": 1, "named": True},
    "opengradient-item": {"endorsers": [ENDORSER], "threshold": 1, "max_age": 3600},
}


@pytest.fixture
def registry(chain: Chain, commands: Commands) -> None:
    commands.json("deploy", account=0)


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("replay", "Replay"),
        ("replay-game", "ReplayGame"),
        *zip(FILES, ("Enclave", "EnclaveHttp", "OpenGradientItem"), strict=True),
    ],
)
def test_deploy__resolver__is_recorded_and_listed(
    chain: Chain, commands: Commands, registry: None, tmp_path: Path, option: str, name: str
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


def test_deploy__proof_verifier__answers_for_the_attestor_and_grade_named(
    chain: Chain, commands: Commands, registry: None
) -> None:
    attestor = commands.json("deploy", "--replay", account=0)["address"]
    line = ["--proof-verifier", attestor, "--grade", "audited"]

    first = commands.json("deploy", *line, account=0)
    again = commands.json("deploy", *line, account=0)
    checked = commands.json("deploy", *line, "--check", account=0)

    assert (first["new"], again["new"], checked["agrees"]) == (True, False, True)
    address = Web3.to_checksum_address(first["address"])
    found = chain.w3.eth.contract(address, abi=contract("ProofVerifier").abi)
    assert found.functions.proofSystem().call() == "op/tallystick-audited"
    assert found.functions.ATTESTOR().call() == Web3.to_checksum_address(attestor)
    assert "go together" in commands.run("deploy", *line[:2], account=0).stderr


def test_deploy_check__before_and_after__tells_what_is_on_chain(
    chain: Chain, commands: Commands, registry: None, tmp_path: Path
) -> None:
    path = tmp_path / "resolver.yaml"
    path.write_text(yaml.safe_dump(FILES["enclave"]))

    before = commands.error("deploy", "--enclave", path, "--check", account=0)
    deployed = commands.json("deploy", "--enclave", path, account=0)
    after = commands.json("deploy", "--enclave", path, "--check", account=0)

    assert "there is no code" in before
    assert (after["address"], after["agrees"]) == (deployed["address"], True)
    found = json.loads(Path(deployed["standard_input"]).read_text())
    assert found == standard_input("Enclave").content
    assert ENDORSER[2:] in deployed["constructor_arguments"]


def test_differences__changed_code__named_and_immutables_passed_over() -> None:
    compiled = Compiled(b"create", b"a\0\0b", ((1, 2),))

    assert differences(compiled, b"create", b"axyb") == []
    assert differences(compiled, b"other", b"axyc") == [
        "the packaged creation code is not what the sources compile to",
        "the code on chain is not what the sources compile to",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"endorsers": []}, "endorsers is no list"),
        ({"endorsers": [17]}, "needed: hex in quotes"),
        ({"endorsers": ["0x" + "11" * 32]}, "endorser 0 is 32 bytes"),
        ({"endorsers": ["0x" + "00" * 20]}, "endorser 0 is the zero address"),
        ({"threshold": 0}, "threshold is 0"),
        ({"threshold": None}, "threshold is None"),
    ],
)
def test_deploy__malformed_endorsers__are_one_line(
    commands: Commands, registry: None, tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    path = tmp_path / "enclave.yaml"
    path.write_text(yaml.safe_dump({**FILES["enclave"], **change}))

    assert reason in commands.error("deploy", "--enclave", path, account=0)


COMMITTEE = {
    "threshold": 1,
    "min_drawn": 3,
    "seed_delay": 2,
    "exit_delay": 86400,
    "min_stake": 1000,
    "members": [{"account": ENDORSER}, {"account": ENDORSER, "key": "0x" + "22" * 20}],
}


def test_deploy__committee__has_the_terms_of_its_file(
    chain: Chain, commands: Commands, registry: None, resolver: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "committee.yaml"
    path.write_text(yaml.safe_dump({**COMMITTEE, "arbiter": "0x" + resolver.hex()}))

    deployed = commands.json("deploy", "--committee", path, account=0)

    committee = Committee(chain.w3, from_hex(deployed["address"]))
    assert committee.terms() == CommitteeTerms(bytes(20), 1, 3, 2, 86400, 1000, resolver)
    assert [member.key for member in committee.members()] == [b"\x11" * 20, b"\x22" * 20]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"min_drawn": 0}, "min_drawn is 0; needed: a whole number from 1 to 256"),
        ({"min_drawn": 257}, "min_drawn is 257"),
        ({"seed_delay": 1025}, "seed_delay is 1025"),
        ({"min_stake": 0}, "min_stake is 0"),
        ({"threshold": 3}, "threshold is 3 of 2 members"),
        ({"members": []}, "threshold is 1 of 0 members"),
        ({"members": [{"account": ENDORSER}] * 2}, "member 1 has the key of another one"),
        ({"members": [{"account": ENDORSER, "key": "0x11"}]}, "key of member 0 is 1 bytes"),
        ({"arbiter": "0x11"}, "arbiter"),
        ({"drawn": 3}, "unknown key drawn; did you mean min_drawn?"),
    ],
)
def test_deploy__committee_that_would_be_refused__is_one_line(
    commands: Commands, registry: None, tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    path = tmp_path / "committee.yaml"
    path.write_text(yaml.safe_dump({**COMMITTEE, **change}))

    assert reason in commands.error("deploy", "--committee", path, account=0)


def test_deploy__two_at_once__is_a_usage_error(commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / "enclave.yaml"
    path.write_text(yaml.safe_dump(FILES["enclave"]))

    result = commands.run("deploy", "--replay", "--enclave", path, account=0)

    assert result.exit_code == 2 and "one contract at a time" in result.stderr
