"""What ships with the package is what the compiler gives."""

import json
from pathlib import Path

import pytest

from tallystick.chain.abi import PACKAGED, contract
from tallystick.chain.standard_input import standard_input
from tallystick.chain.verification import compile_standard_input, differences
from tallystick.data.resolvers.code import known
from tallystick.data.resolvers.kinds import KINDS
from tests.support.builds import manifest
from tools import package_abi


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_contract__is_what_the_compiler_gives(name: str) -> None:
    built, packaged = manifest()[name], contract(name)

    assert list(packaged.abi) == built["abi"]
    assert packaged.bytecode.hex() == built["deploymentBytecode"]["bytecode"].removeprefix("0x")


def test_packaged_sources__are_those_of_the_contracts_as_built() -> None:
    assert json.loads(package_abi.SOURCES.read_text()) == package_abi.sources()


@pytest.mark.parametrize("name", PACKAGED)
def test_standard_input__compiled_elsewhere__gives_the_packaged_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where no source can be read that the input lacks

    compiled = compile_standard_input(standard_input(name))

    runtime = manifest()[name]["runtimeBytecode"]["bytecode"].removeprefix("0x")
    assert differences(compiled, contract(name).bytecode, bytes.fromhex(runtime)) == []


@pytest.mark.parametrize("name", [*PACKAGED, *KINDS])
def test_code__is_within_eip_170(name: str) -> None:
    runtime = manifest()[name]["runtimeBytecode"]["bytecode"].removeprefix("0x")

    assert len(runtime) // 2 <= 24_576


def test_known_resolvers__are_of_the_contracts_as_built() -> None:
    assert json.loads(package_abi.KNOWN.read_text()) == package_abi.known()
    assert known()[0] == package_abi.KNOWN_VERSION
