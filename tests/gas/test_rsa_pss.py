"""Enclaves' signatures cost what the snapshot says, to the gas, and RSA-2048 within its ceiling.

`python -m tests.gas.test_rsa_pss` writes the snapshot anew.
"""

import json
from pathlib import Path

import pytest

from tallystick.chain.abi import contract
from tests.gas.rsa_pss import CEILING, ceiling, measure
from tests.support.builds import manifest

SNAPSHOT = Path(__file__).with_name("rsa_pss.json")
DEPLOYED = ["Committee", "Enclave", "EnclaveHttp", "OpenGradientItem"]


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return measure()


def test_figures__all__are_the_snapshots(figures: dict[str, float]) -> None:
    assert figures == json.loads(SNAPSHOT.read_text())


def test_figures__rsa_2048__within_the_ceiling(figures: dict[str, float]) -> None:
    limited = {name: figures[name] for name in figures if ceiling(name)}

    assert CEILING == 120_000
    assert list(limited) == [
        "verify, RSA-2048",
        "attest a batch, RSA-2048",
        "attest an item, RSA-2048",
    ]
    assert max(limited.values()) <= CEILING


@pytest.mark.parametrize("name", DEPLOYED)
def test_code__is_within_eip_170(name: str) -> None:
    runtime = manifest()[name]["runtimeBytecode"]["bytecode"].removeprefix("0x")

    assert len(runtime) // 2 <= 24_576


@pytest.mark.parametrize("name", DEPLOYED)
def test_packaged_contract__is_what_the_compiler_gives(name: str) -> None:
    built, packaged = manifest()[name], contract(name)

    assert list(packaged.abi) == built["abi"]
    assert packaged.bytecode.hex() == built["deploymentBytecode"]["bytecode"].removeprefix("0x")


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(measure(), indent=2) + "\n")
