"""Where a registry is and since when: named, else recorded; for commands and nodes alike."""

from pathlib import Path

import pytest
from eth_account import Account

from tallystick.chain import deployments
from tallystick.chain.deployments import Deployment, DeploymentError, locate
from tallystick.chain.signer import KeySigner
from tallystick.cli.session import Session
from tallystick.node.errors import SettingsError
from tallystick.node.rpc import locate as locate_for_node
from tallystick.node.settings import Common, Settings
from tallystick.node.verifier.assembly import assemble
from tallystick.protocol.hexes import checksummed
from tests.support.chain import Chain


@pytest.fixture
def recorded(chain: Chain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deployment:
    """The registry, recorded in a folder that TALLYSTICK_DEPLOYMENTS alone names."""
    monkeypatch.chdir(tmp_path)
    block = chain.deployed["blockNumber"]
    entry = Deployment("Tallystick", checksummed(chain.registry.address), block, "", "")
    deployments.record(chain.w3.eth.chain_id, entry)
    return entry


def test_locate__recorded__all_find_it_there(chain: Chain, recorded: Deployment) -> None:
    found = locate(chain.w3)
    assert found.registry.address == chain.registry.address
    assert found.first_block == recorded.block
    assert Session(chain.w3).registry.address == chain.registry.address
    registry, first = locate_for_node(chain.w3, Common())
    assert (registry.address, first) == (chain.registry.address, recorded.block)


def test_assemble__verifier__honours_the_folder_of_deployments(
    chain: Chain, recorded: Deployment, tmp_path: Path
) -> None:
    settings = Settings(common={"data": str(tmp_path / "node")}, verifier={})
    signer = KeySigner(Account.create())

    verifier = assemble(settings, chain.w3, signer)

    assert verifier.watch.registry.address == chain.registry.address


def test_locate__named__with_the_block_that_is_given_recorded_or_unknown(
    chain: Chain, recorded: Deployment
) -> None:
    address = chain.registry.address
    assert locate(chain.w3, address, 1).first_block == 1
    assert locate(chain.w3, address).first_block == recorded.block
    deployments.record(chain.w3.eth.chain_id, Deployment("Tallystick", recorded.address, 0, "", ""))
    assert locate(chain.w3, address).first_block is None


def test_locate__nothing_there__says_where_and_what_to_do(
    chain: Chain, recorded: Deployment
) -> None:
    nowhere = b"\x11" * 20
    said = f"chain 31337 has no contract at {checksummed(nowhere)}"
    with pytest.raises(DeploymentError, match=said):
        locate(chain.w3, nowhere)
    with pytest.raises(SettingsError, match=f"common.registry: {said}"):
        locate_for_node(chain.w3, Common(registry=nowhere))


def test_locate__nothing_recorded__names_the_file(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TALLYSTICK_DEPLOYMENTS", str(tmp_path / "empty"))
    with pytest.raises(DeploymentError, match=r"no Tallystick is recorded in .*empty/31337\.json"):
        locate(chain.w3)
