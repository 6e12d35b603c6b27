"""Rules are for good: what can never work is named before they are, and refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tallystick import connect
from tallystick.actions.preflight import RulesWarning, preflight
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.rules import Rules
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.committee import found
from tests.support.story import Network

NOBODY = b"\x66" * 20
RULES = Rules(
    stake_per_inference=10,
    challenge_bond=20,
    challenge_window=7 * 86400,
    response_window=86400,
    ruling_window=86400,
    permissionless=True,
)


def never(chain: Chain, **changes: Any) -> list[str]:
    rules = replace(RULES, **changes)
    return [str(one) for one in preflight(chain.registry, rules) if one.never_works]


def attested(attestor: bytes, place: int = 0) -> tuple[bytes, ...]:
    return tuple(attestor if one == place else ZERO_ADDRESS for one in range(3))


def committee(chain: Chain, **terms: Any) -> bytes:
    return bytes(found(chain, 2, 3, **terms).address)


def test_preflight__committee_that_fits__nothing_can_never_work(chain: Chain) -> None:
    assert never(chain, attestors=attested(committee(chain))) == []


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"exit_delay": RULES.life - 1}, f"exit delay is {RULES.life - 1} s; needed for audited"),
        ({"arbiter": True}, "audits only networks of the arbiter"),
        ({"core": True}, "is a committee of the registry"),
    ],
)
def test_preflight__committee_that_can_never_audit__is_named(
    chain: Chain, resolver: bytes, terms: dict[str, Any], said: str
) -> None:
    # Only an address with code is taken.
    terms = {name: resolver if value is True else value for name, value in terms.items()}
    (fault, none) = never(chain, attestors=attested(committee(chain, **terms)))

    assert fault.startswith("attestors[0] ") and said in fault
    assert "no grade can be had" in none


@pytest.mark.parametrize("place", [0, 1, 2])
def test_preflight__attestor_without_code__is_named(chain: Chain, place: int) -> None:
    fault, none = never(chain, attestors=attested(NOBODY, place))

    assert fault.startswith(f"attestors[{place}] {checksummed(NOBODY)} has no code")
    assert "no grade" in none


def test_preflight__one_of_two_attestors_has_no_code__that_one_alone(
    chain: Chain, resolver: bytes
) -> None:
    (fault,) = never(chain, attestors=(NOBODY, resolver, ZERO_ADDRESS))

    assert fault.startswith("attestors[0]")


def test_preflight__arbiter_asset_and_roles__are_named(chain: Chain, resolver: bytes) -> None:
    token = bytes.fromhex(chain.deploy("MockToken").address[2:])
    good = attested(resolver)

    assert never(chain, attestors=good, asset=token) == []
    assert "asset" in never(chain, attestors=good, asset=NOBODY)[0]
    assert "is no ERC-20" in never(chain, attestors=good, asset=resolver)[0]
    assert "arbiter" in never(chain, attestors=good, arbiter=NOBODY)[0]
    assert "is the arbiter too" in never(chain, attestors=good, arbiter=resolver)[0]


def test_preflight__replay_game__needs_five_response_windows_and_its_registry(
    chain: Chain, resolver: bytes
) -> None:
    def game(core: bytes) -> bytes:
        return bytes.fromhex(chain.deploy("ReplayGame", checksummed(core)).address[2:])

    good, own = attested(resolver), game(chain.registry.address)
    windows = {"response_window": 3600, "ruling_window": 5 * 3600}

    assert never(chain, attestors=good, arbiter=own, **windows) == []
    (short,) = never(chain, attestors=good, arbiter=own, **windows | {"ruling_window": 17_999})
    assert short.startswith("ruling_window is 17999 s: the arbiter ")
    assert "less than 5 response windows, 18000 s" in short
    (foreign,) = never(chain, attestors=good, arbiter=game(resolver), **windows)
    assert "is a replay game of the registry" in foreign


def written(folder: Path, rules: Rules) -> Path:
    path = folder / "network.yaml"
    path.write_text(yaml.safe_dump({"name": "N", "rules": rules.to_mapping()}))
    return path


def test_network_create__can_never_work__refused_unless_insisted(
    chain: Chain, commands: Commands, network: Network, tmp_path: Path
) -> None:
    path = written(tmp_path, replace(RULES, attestors=attested(NOBODY), arbiter=NOBODY))
    before = chain.w3.eth.block_number

    text = commands.error("network create", path, account=1)

    for said in ("attestors[0]", "no grade can be had", "arbiter 0x", "--yes"):
        assert said in text
    dry = commands.run("network create", path, "--dry-run", account=1)
    assert dry.exit_code == 0 and dry.stderr.count("can never work: ") == 3
    assert chain.w3.eth.block_number == before
    assert commands.json("network create", path, "--yes", account=1)["move"] == "registerNetwork"


def test_create_network__by_the_api__the_same_as_warnings(chain: Chain, network: Network) -> None:
    registry = connect(
        str(chain.w3.provider.endpoint_uri),  # type: ignore[attr-defined]
        key=b"\x01" * 32,
        registry=chain.registry.address,
    )
    account = registry.account
    assert account is not None
    chain.w3.provider.make_request("anvil_setBalance", [checksummed(account), hex(10**18)])  # type: ignore[arg-type]

    with pytest.warns(RulesWarning) as told:
        registry.create_network("N", replace(RULES, attestors=attested(NOBODY)))

    said = [str(one.message) for one in told if one.category is RulesWarning]
    assert said[0].startswith("can never work: attestors[0]")
    assert "no arbiter: nobody can be convicted of a wrong answer" in said
