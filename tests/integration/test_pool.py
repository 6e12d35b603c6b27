"""A pool's commands: terms, seats, escrows, audits, cases, convictions, and how each is refused."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from web3 import Web3

from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.pool import EPOCH, Quorums, epoch_of
from tests.integration.conftest import Commands
from tests.support.builds import abi
from tests.support.chain import Chain
from tests.support.keyfile import Keyfiles
from tests.support.pool import (
    EXIT_DELAY,
    FEE,
    MIN_DRAWN,
    RULE_FEE,
    SEAT_STAKE,
    SEED_DELAY,
    SPEC,
    Pool,
    key_of,
    terms,
)
from tests.support.story import RULES, Committed, Network, keep, register

KEYS = range(20, 32)
SEATS = 10
OPERATOR, ANYBODY, CHALLENGER = 5, 7, 6
QUORUMS = Quorums.of(9)
ETHER = 10**18
TERMS: dict[str, Any] = {
    "spec": to_hex(SPEC),
    "seat_stake": SEAT_STAKE,
    "min_seats": 72,
    "panel": 9,
    "min_drawn": MIN_DRAWN,
    "seed_delay": SEED_DELAY,
    "exit_delay": "14d",
    "fee_per_leaf": FEE,
    "rule_fee": RULE_FEE,
}


@pytest.fixture(autouse=True)
def registry(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSTICK_REGISTRY", "0x" + chain.registry.address.hex())
    monkeypatch.setenv("TALLYSTICK_PASSPHRASE", "secret")


class Bench:
    """Keys of a pool at their commands; numbers from ten on have keyfiles."""

    def __init__(self, chain: Chain, commands: Commands, folder: Path) -> None:
        self.chain, self.commands, self.folder = chain, commands, folder
        self._files = Keyfiles(folder / "ape")
        self.kept = ["--store", folder / "batches"]

    def account(self, number: int) -> list[object]:
        if number < 10:
            return ["--account", f"TEST::{number}"]
        path = self._files.folder / "accounts" / f"{number}.json"
        if not path.exists():
            self._files.write(str(number), key_of(number), "secret")
        return ["--account", path]

    def run(self, line: str, *args: object, by: int = ANYBODY) -> Any:
        return self.commands.json(f"pool {line}", *args, *self.account(by))

    def error(self, line: str, *args: object, by: int = ANYBODY) -> str:
        return self.commands.error(f"pool {line}", *args, *self.account(by))

    def recomputed(self, answers: dict[int, bytes]) -> Path:
        path = self.folder / "answers.jsonl"
        lines = [{"leaf": leaf, "output": to_hex(output)} for leaf, output in answers.items()]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    def sign(
        self,
        pool: Pool,
        batch: Committed,
        answers: dict[int, bytes],
        keys: Iterable[str],
        leaf: int | None = None,
    ) -> list[Path]:
        """A statement of each key."""
        number_of = {to_hex(key): number for key, number in pool.members.items()}
        found, case = [], [] if leaf is None else ["--leaf", leaf]
        for key in keys:
            number, out = number_of[key.lower()], self.folder / f"{leaf}-{key}.json"
            path = self.recomputed(answers)
            words = [to_hex(pool.address), to_hex(batch.id), *self.kept, *case]
            self.run("sign", *words, "--recomputed", path, "--out", out, by=number)
            found.append(out)
        return found

    def panel(self, pool: Pool, batch: Committed, *case: object) -> list[dict[str, Any]]:
        return list(self.commands.json("pool panel", to_hex(pool.address), to_hex(batch.id), *case))

    def audited(self, pool: Pool, batch: Committed) -> list[str]:
        """Have as few keys as will do audit a batch; returns them."""
        signers: list[str] = []
        places = 0
        for row in sorted(self.panel(pool, batch), key=lambda row: -len(row["places"])):
            if places < QUORUMS.audit:
                signers.append(row["key"])
                places += len(row["places"])
        self.run("audit", *self.sign(pool, batch, right(batch), signers))
        return signers


@pytest.fixture
def bench(chain: Chain, commands: Commands, tmp_path: Path) -> Bench:
    return Bench(chain, commands, tmp_path)


def pool_at(chain: Chain, address: bytes) -> Pool:
    contract = chain.w3.eth.contract(Web3.to_checksum_address(address), abi=abi("Pool"))
    return Pool(chain, contract, 9)


@pytest.fixture
def pool(chain: Chain) -> Pool:
    """Nobody is in it."""
    contract = chain.deploy("Pool", Web3.to_checksum_address(chain.registry.address), terms())
    return pool_at(chain, from_hex(contract.address))


@pytest.fixture
def filled(pool: Pool) -> Pool:
    """Twelve keys of ten seats each; their epoch has begun."""
    for number in KEYS:
        pool.fund(pool.member(number))
        pool.enroll(number, SEATS)
    pool.next_epoch()
    return pool


@pytest.fixture
def network(chain: Chain, pool: Pool) -> Network:
    """Audited and judged by the pool."""
    places = (pool.address, bytes(20), bytes(20))
    made = register(chain, chain.accounts[4], RULES, arbiter=pool.address, attestors=places)
    operator = chain.accounts[OPERATOR]
    made.join(operator)
    pool.fund(operator)
    pool.send(operator, "fund", 10_000)
    return made


@pytest.fixture
def batch(chain: Chain, filled: Pool, network: Network, tmp_path: Path) -> Committed:
    """Of 40 leaves; its seed is known."""
    committed = network.commit(chain.accounts[OPERATOR], count=40)
    keep(tmp_path / "batches", committed)
    chain.mine(SEED_DELAY + 1)
    return committed


def right(batch: Committed) -> dict[int, bytes]:
    return dict(enumerate(batch.outputs))


def file_of(folder: Path, **changes: Any) -> Path:
    path = folder / "pool.yaml"
    found = {name: value for name, value in {**TERMS, **changes}.items() if value is not None}
    path.write_text(yaml.safe_dump(found))
    return path


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
            ({"panel": 33}, "panel is 33"),
            ({"min_seats": 71}, "min_seats is 71; needed: 72 to"),
            ({"min_drawn": 15}, "min_drawn is 15; needed: 16 to 256"),
            ({"min_drawn": 257}, "min_drawn is 257"),
            ({"seed_delay": 7}, "seed_delay is 7; needed: 8 to 1024"),
            ({"exit_delay": "13d"}, "exit_delay is 1123200; needed: 1209600 to"),
            ({"seat_stake": 0}, "seat_stake is 0; needed: 1 to"),
            ({"rule_fee": 2**96}, "rule_fee is 79228162514264337593543950336"),
            ({"spec": "0x11"}, "spec is 1 bytes; needed: 32 bytes"),
            ({"spec": 17}, "spec is 17; needed: hex text in quotes"),
            ({"panel": "nine"}, "panel is 'nine'; needed: a whole number"),
            ({"fee_per_leaf": None}, "fee_per_leaf missing"),
            ({"seats": 9}, "unknown key seats"),
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


def test_pool__from_deployment_to_the_last_withdrawal(
    chain: Chain, bench: Bench, commands: Commands, tmp_path: Path
) -> None:
    address = commands.json("deploy", "--pool", file_of(tmp_path), account=0)["address"]
    pool = pool_at(chain, from_hex(address))

    # Seats.
    for number in KEYS:
        pool.member(number)
        bench.run("deposit", address, f"{SEATS * SEAT_STAKE + 1_000} wei", by=number)
        done = bench.run("enroll", address, SEATS, by=number)
        assert (done["seats"], done["paid"]) == (SEATS, SEATS * SEAT_STAKE)
    shown = commands.json("pool show", address)
    assert (shown["seats"], shown["next_seats"], shown["next_keys"]) == (0, 120, 12)
    pool.next_epoch()
    assert commands.json("pool show", address)["draws"] is True
    rows = commands.json("pool members", address)
    assert [row["seats"] for row in rows] == [SEATS] * 12
    assert commands.json("pool members", address, "--next") == []

    # An audit, paid by the operator's escrow.
    places = (pool.address, bytes(20), bytes(20))
    network = register(chain, chain.accounts[4], RULES, arbiter=pool.address, attestors=places)
    network.join(chain.accounts[OPERATOR])
    bench.run("deposit", address, 20_000, by=OPERATOR)
    assert bench.run("fund", address, 15_000, by=OPERATOR)["escrow"] == 15_000
    batch = network.commit(chain.accounts[OPERATOR], count=40)
    keep(tmp_path / "batches", batch)
    chain.mine(SEED_DELAY + 1)
    drawn = commands.json("pool draw", address, to_hex(batch.id), *bench.kept)
    assert all(row["input"] == to_hex(batch.inputs[row["leaf"]]) for row in drawn)
    signers = bench.audited(pool, batch)
    assert batch.status().grade is Grade.AUDITED
    escrow = commands.json("pool show", address, "--of", operator_of(chain))
    paid = 15_000 - escrow["escrow"]
    assert paid % (FEE * MIN_DRAWN) == 0 and paid >= (QUORUMS.audit + 1) * FEE * MIN_DRAWN

    # A case on a leaf that the audit drew; who signed has no say in it.
    bench.run("deposit", address, 10_000, by=CHALLENGER)
    for row in drawn:
        leaf = row["leaf"]
        opened = bench.run(
            "appeal", address, to_hex(batch.id), "--leaf", leaf, *bench.kept, by=CHALLENGER
        )
        assert opened["fee"] == (QUORUMS.judges + 1) * RULE_FEE and not opened["challenged"]
        chain.mine(SEED_DELAY + 1)
        panel = bench.panel(pool, batch, "--leaf", leaf)
        judges = [row["key"] for row in panel if row["counts"]]
        if sum(len(row["places"]) for row in panel if row["counts"]) >= QUORUMS.reject:
            break
    assert not set(signers) & set(judges)
    open_ids = [row["case_id"] for row in commands.json("pool cases", address, to_hex(batch.id))]
    assert opened["case_id"] in open_ids
    statements = bench.sign(pool, batch, {leaf: b"other"}, judges, leaf)
    tried = bench.run("ruled", *statements, *bench.kept, "--dry-run")
    done = bench.run("ruled", *statements, *bench.kept)
    stake = len(signers) * SEATS * SEAT_STAKE
    assert tried["dry_run"] and tried["burned"] == done["burned"] == stake - stake // 16
    assert sorted(done["convicts"]) == sorted(signers) and done["ruling"] == "rejected"
    found = chain.registry.archived(batch.id)
    assert (found.state, found.cause, found.leaf_index) == (State.REJECTED, Cause.DISPROOF, leaf)
    assert "has stake left" in bench.error("convict", address, to_hex(batch.id))
    convicted = commands.json("pool show", address, "--of", signers[0])
    assert (convicted["standing"], convicted["seats"]) == ("convicted", 0)
    assert bench.run("sweep", address)["amount"] == stake - stake // 16
    assert "nothing was burned" in bench.error("sweep", address)

    # The way out: of an honest key, and of the escrow.
    honest = next(n for key, n in pool.members.items() if to_hex(key) in map(str.lower, judges))
    held = bench.error("leave", address, by=honest)
    assert "too early" in held and "its exit delay" in held
    assert bench.run("collect", address, by=honest)["fees"] > 0
    assert "earned nothing" in bench.error("collect", address, by=honest)
    due = bench.run("notice", address, by=OPERATOR)["due"]
    assert "another notice would put that off" in bench.error("notice", address, by=OPERATOR)
    assert "too early" in bench.error("defund", address, by=OPERATOR)
    chain.at(due + 60).mine()
    assert bench.run("defund", address, by=OPERATOR)["amount"] == escrow["escrow"]
    chain.at((epoch_of(chain.now) + 1) * EPOCH + EXIT_DELAY).mine()
    assert bench.run("leave", address, by=honest)["stake"] == SEATS * SEAT_STAKE
    credit = commands.json("pool show", address, "--of", to_hex(pool.member(honest)))["credit"]
    assert credit > SEATS * SEAT_STAKE
    bench.run("withdraw", address, credit, by=honest)
    assert pool.credit(pool.member(honest)) == 0


def operator_of(chain: Chain) -> str:
    return to_hex(chain.accounts[OPERATOR])
