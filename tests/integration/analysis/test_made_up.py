"""Networks that one person makes up, beside an honest one, from the chain to the page's answers.

audited    committee of one, without an arbiter | with an arbiter of its own | of another registry
enclave    one endorser | named endorsers in storage that no constructor wrote | two of three,
           deployed as the list asks, with Replay: models that it runs, models that it doesn't
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tallystick.chain.deploy import create2_address, creation_code, deployment
from tallystick.chain.localnet import localnet
from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live
from tallystick.data.extract.dataset import Dataset
from tallystick.data.resolvers.identify import read_resolvers
from tallystick.data.totals.ranking import NONE_RANKED
from tallystick.protocol.abi_words import ZERO32, uint
from tallystick.protocol.enclave import sign_batch
from tallystick.protocol.enums import Grade
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.signature import account_of
from tallystick.replay.model import SPEC_ID
from tests.integration.analysis.conftest import GENESIS, Console
from tests.support.builds import abi
from tests.support.chain import Chain
from tests.support.committee import found
from tests.support.enclave import ENDORSER_KEYS, MEASUREMENT, Endorsed
from tests.support.keys import held_account
from tests.support.story import Committed, Network, register

NOBODY = bytes(20)
ENDORSERS = [account_of(key) for key in ENDORSER_KEYS]


@dataclass
class Made:
    """What was made up, read into a data folder."""

    chain: Chain
    console: Console
    networks: dict[str, Network]
    enclave: Endorsed
    """Deployed as the list asks."""
    forged: Endorsed
    forged_grade: Grade


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with localnet(timestamp=GENESIS) as w3:
        yield _make(Chain(w3), tmp_path_factory.mktemp("made") / "data")


@pytest.fixture(scope="module")
def measured(made: Made) -> dict[str, dict[str, Any]]:
    """The row of each network, by what it is called here."""
    rows = {row["network_id"]: row for row in made.console.json("measures")}
    return {name: rows[to_hex(network.id)] for name, network in made.networks.items()}


@pytest.fixture(scope="module")
def answered(made: Made) -> Iterator[tuple[dict[str, Any], dict[str, dict[str, Any]]]]:
    """What the API answers: all of it, and the row of each network."""
    with TestClient(create_app(Live(made.console.folder))) as client:
        whole = client.get("/api/v1/networks").json()
        rows = {row["network_id"]: row for row in whole["rows"]}
        yield whole, {name: rows[to_hex(one.id)] for name, one in made.networks.items()}


def _make(chain: Chain, folder: Path) -> Made:
    replay = _at(chain, creation_code("Replay"))
    honest, key = _enclave(chain, ENDORSERS, 2), held_account()
    operator, owner = chain.accounts[2], chain.accounts[1]
    honest.approve()
    honest.endorse(key, operator)
    alone, judge = found(chain, 1, 1), found(chain, 1, 1)
    judged = found(chain, 1, 1, arbiter=judge.address)
    forged = _forge(chain, honest, operator)
    single = _enclave(chain, ENDORSERS[:1], 1)
    elsewhere = found(chain, 1, 1, core=replay, staked=False)
    networks: dict[str, Network] = {}

    def network(name: str, attestors: tuple[bytes, bytes], arbiter: bytes, spec: bytes) -> Network:
        bond = 101 if arbiter != NOBODY else 0
        made = register(
            chain,
            owner,
            salt=len(networks),
            attestors=(*attestors, NOBODY),
            arbiter=arbiter,
            stake_per_inference=1000,
            challenge_bond=bond,
        )
        mined = chain.send(owner, "registerModel", made.id, b"c" * 32, spec, ZERO32, "run", "")
        networks[name] = replace(made, model_id=mined.event(ModelRegistered).model_id)
        networks[name].join(operator)
        return networks[name]

    def attested(batch: Committed, grade: Grade, evidence: bytes) -> None:
        chain.send(operator, "attest", batch.batch.abi(), batch.stamp.pack(), int(grade), evidence)

    def enclaved(name: str, resolver: Endorsed, spec: bytes = SPEC_ID) -> Committed:
        batch = network(name, (NOBODY, resolver.address), replay, spec).commit(operator, 4)
        if resolver is not single:
            attested(
                batch, Grade.ENCLAVE, sign_batch(resolver.domain, batch.batch, key.key, key.sign)
            )
        return batch

    batches = {}
    for name, committee, arbiter in (("alone", alone, NOBODY), ("judged", judged, judge.address)):
        batches[name] = network(name, (committee.address, NOBODY), arbiter, SPEC_ID).commit(
            operator, 9
        )
        audit = committee.audit(batches[name])
        attested(batches[name], Grade.AUDITED, committee.evidence(audit, [0]))
    network("elsewhere", (elsewhere.address, NOBODY), replay, SPEC_ID)
    batches |= {
        "honest": enclaved("honest", honest),
        "foreign model": enclaved("foreign model", honest, b"f" * 32),
        "single": enclaved("single", single),
        "forged": enclaved("forged", forged),
    }
    grade = batches["forged"].status().grade
    chain.at(max(batch.closes_at for batch in batches.values()))
    for name, batch in batches.items():
        chain.send(operator, "finalize", [batch.ref], networks[name].id, operator)
    console = Console(folder)
    url = str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    console.json("extract", to_hex(chain.registry.address), "--rpc", url, "--depth", "0")
    return Made(chain, console, networks, honest, forged, grade)


def _at(chain: Chain, code: bytes) -> bytes:
    """Deploy by the deterministic deployer; return where."""
    chain.send_call(chain.accounts[0], deployment(code))
    return create2_address(code)


def _enclave(chain: Chain, endorsers: list[bytes], threshold: int) -> Endorsed:
    return _endorsed(chain, _at(chain, creation_code("Enclave", endorsers, threshold)))


def _endorsed(chain: Chain, at: bytes) -> Endorsed:
    where = chain.w3.to_checksum_address(at)
    return Endorsed(chain, chain.w3.eth.contract(where, abi=abi("Enclave")))


def _forge(chain: Chain, honest: Endorsed, operator: bytes) -> Endorsed:
    """Install an honest resolver's runtime code with storage that no endorser signed for.

    Its views name the honest endorsers, and it accepts a key that they never saw: here all that
    they did sign elsewhere is copied, as if it were the cheat's own key.
    """
    w3, source = chain.w3, chain.w3.to_checksum_address(honest.address)
    keys = [uint(place) for place in range(3)] + [MEASUREMENT, held_account().id]
    init = b""
    for mapping in range(8):
        for key in keys:
            first = int.from_bytes(keccak256(key + uint(mapping)), "big")
            for slot in (first, first + 1, first + 2):
                value = bytes(w3.eth.get_storage_at(source, slot)).rjust(32, b"\0")
                if any(value):
                    init += b"\x7f" + value + b"\x7f" + uint(slot) + b"\x55"
    runtime = bytes(w3.eth.get_code(source))
    size, start = len(runtime).to_bytes(2, "big"), (len(init) + 13).to_bytes(2, "big")
    # codecopy(0, start, size); return(0, size)
    init += b"\x61" + size + b"\x80\x61" + start + b"\x5f\x39\x5f\xf3"
    init = init.ljust(int.from_bytes(start, "big"), b"\0") + runtime
    sent = w3.eth.send_transaction(
        {"from": w3.to_checksum_address(operator), "data": init, "gas": 16_000_000}
    )
    receipt = w3.eth.wait_for_transaction_receipt(sent)
    assert receipt["status"] == 1
    return _endorsed(chain, bytes.fromhex(str(receipt["contractAddress"])[2:]))


@pytest.mark.parametrize("name", ["alone", "judged"])
def test_measures__committee_of_one__is_self_declared_and_its_fakes_cost_gas_only(
    measured: dict[str, dict[str, Any]], name: str
) -> None:
    row = measured[name]

    assert (row["verified"], row["known_verified"], row["resolvers"]) == (9, 0, "self-declared")
    assert row["backed"] and row["convictable"] is False
    assert "Committee, self-declared" in row["unranked_because"]
    assert row["price_of_a_fake"] == row["price_audited"] == "gas only"
    assert row["price_unchallenged"] == "gas only"
    assert row["price_audited_because"].startswith("one member of the network's own committee")


def test_identify__committee_of_another_core__is_self_declared(
    made: Made, measured: dict[str, dict[str, Any]]
) -> None:
    row = measured["elsewhere"]

    assert (row["standing_audited"], row["standing_arbiter"]) == ("self-declared", "known")
    # Replay can convict what it audits; a signer's stake is out of reach.
    assert row["price_audited"] == "500" and "not counted" not in row["price_audited_because"]


def test_identify__forged_storage__attests_and_is_self_declared(
    made: Made, measured: dict[str, dict[str, Any]]
) -> None:
    contract = made.forged.contract.functions
    assert [bytes(contract.endorserAt(place).call()) for place in range(3)] == ENDORSERS
    assert made.forged_grade is Grade.ENCLAVE

    row = measured["forged"]

    assert (row["standing_enclave"], row["known_verified"]) == ("self-declared", 0)
    assert "does not follow from its code and terms" in row["unranked_because"]


def test_identify__one_endorser__is_self_declared(measured: dict[str, dict[str, Any]]) -> None:
    assert "1 of 1 endorsers" in measured["single"]["unranked_because"]


def test_measures__enclave_with_stake_and_replay__is_known_and_has_a_price(
    made: Made, measured: dict[str, dict[str, Any]]
) -> None:
    row = measured["honest"]

    assert (row["resolvers"], row["known_verified"]) == ("known", 4)
    assert row["unranked_because"] is None
    assert row["price_of_a_fake"] == row["price_enclave"] == row["price_unchallenged"] == "500"
    assert row["price_enclave_because"].startswith("2 of 3 endorsers")
    data = Dataset(made.console.folder)
    facts = read_resolvers(data, *data.registries())
    terms = facts[to_hex(made.enclave.address)]["terms"]
    assert terms == {"endorsers": [to_hex(key) for key in ENDORSERS], "threshold": 2}


def test_measures__model_that_replay_cannot_run__has_no_rank(
    measured: dict[str, dict[str, Any]],
) -> None:
    row = measured["foreign model"]

    assert (row["resolvers"], row["known_verified"]) == ("known", 4)
    assert "cannot run" in row["unranked_because"] and row["price_enclave"] == "gas only"


def test_networks__made_up_and_honest__only_the_honest_one_is_ranked(
    answered: tuple[dict[str, Any], dict[str, dict[str, Any]]],
) -> None:
    whole, rows = answered

    assert {name: row["rank"] for name, row in rows.items()} == dict.fromkeys(rows) | {"honest": 1}
    assert whole["rows"][0] == rows["honest"]
    assert (whole["ranked"], whole["none_ranked"]) == (1, "")
    codes = {one["code"] for one in rows["alone"]["cautions"]}
    assert {"resolvers", "no-conviction", "one-operator"} <= codes
    assert "endorsers" in {one["code"] for one in rows["honest"]["cautions"]}


def test_registration__known_enclave__names_its_endorsers(made: Made) -> None:
    network = made.networks["honest"]
    base = f"31337/{to_hex(made.chain.registry.address)}/{to_hex(network.id)}"
    with TestClient(create_app(Live(made.console.folder))) as client:
        words = client.get(f"/api/v1/networks/{base}/registration").json()["in_words"]
        made_of = client.get(f"/api/v1/networks/{base}/numbers/known_verified").json()

    (said,) = [one for one in words if one.startswith("Enclave is given by the known resolver")]
    assert all(to_hex(key) in said for key in ENDORSERS) and "any 2 of these 3" in said
    assert made_of["value"] == "4" == str(sum(int(part["value"]) for part in made_of["parts"]))


def test_networks__not_looked_up__stand_apart_and_none_is_ranked(
    made: Made, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(made.console.folder, folder)
    for path in (folder / "resolvers").iterdir():
        path.unlink()
    with TestClient(create_app(Live(folder))) as client:
        whole = client.get("/api/v1/networks").json()

    assert {row["resolvers"] for row in whole["rows"]} == {"unidentified"}
    assert {row["price_unchallenged"] for row in whole["rows"]} == {"gas only", "unknown"}
    assert whole["none_ranked"] == NONE_RANKED
