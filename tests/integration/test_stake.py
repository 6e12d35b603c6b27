"""Stake in a token: approval, deposit, and the way out."""

from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.story import Network, register

OPERATOR = 2


def test_stake__token__goes_in_and_out(
    chain: Chain, commands: Commands, network: Network, operator: bytes
) -> None:
    token = chain.deploy("MockToken")
    asset = bytes.fromhex(token.address[2:])
    backed = "0x" + register(chain, chain.accounts[1], asset=asset).id.hex()
    chain.transact(operator, token.functions.mint(chain.w3.to_checksum_address(operator), 500))

    commands.json("stake deposit", backed, 500, account=OPERATOR)
    assert commands.json("stake show", backed, "0x" + operator.hex())["stake"] == 500
    commands.json("stake withdraw", backed, 200, account=OPERATOR)

    assert chain.balance(asset, operator) == 200
    assert chain.balance(asset, chain.registry.address) == 300
