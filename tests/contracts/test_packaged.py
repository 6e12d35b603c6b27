"""What ships with the package is what the compiler gives."""

import json

import pytest

from tallystick.chain.abi import contract
from tallystick.resolvers.code import known
from tallystick.resolvers.kinds import KINDS
from tests.support.builds import manifest
from tools import package_abi


@pytest.mark.parametrize("name", package_abi.PACKAGED)
def test_packaged_contract__is_what_the_compiler_gives(name: str) -> None:
    built, packaged = manifest()[name], contract(name)

    assert list(packaged.abi) == built["abi"]
    assert packaged.bytecode.hex() == built["deploymentBytecode"]["bytecode"].removeprefix("0x")


@pytest.mark.parametrize("name", [*package_abi.PACKAGED, *KINDS])
def test_code__is_within_eip_170(name: str) -> None:
    runtime = manifest()[name]["runtimeBytecode"]["bytecode"].removeprefix("0x")

    assert len(runtime) // 2 <= 24_576


def test_known_resolvers__are_of_the_contracts_as_built() -> None:
    assert json.loads(package_abi.KNOWN.read_text()) == package_abi.known()
    assert known()[0] == package_abi.KNOWN_VERSION
