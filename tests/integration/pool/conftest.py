"""A pool of twelve keys at their commands, a network that it audits and judges, and a batch."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from web3 import Web3

from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.pool import Quorums
from tests.integration.conftest import Commands
from tests.support.builds import abi
from tests.support.chain import Chain
from tests.support.keyfile import Keyfiles
from tests.support.pool import (
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

    def appealed(self, pool: Pool, batch: Committed, leaves: Iterable[int]) -> int:
        """Open cases on drawn leaves until a panel has enough places left to reject; its leaf."""
        words = ["appeal", to_hex(pool.address), to_hex(batch.id), *self.kept]
        for leaf in leaves:
            opened = self.run(*words, "--leaf", leaf, by=CHALLENGER)
            assert opened["fee"] == (QUORUMS.judges + 1) * RULE_FEE and not opened["challenged"]
            self.chain.mine(SEED_DELAY + 1)
            panel = self.panel(pool, batch, "--leaf", leaf)
            if sum(len(row["places"]) for row in panel if row["counts"]) >= QUORUMS.reject:
                return leaf
        raise AssertionError("whoever signed holds too many places")

    def judges(self, pool: Pool, batch: Committed, leaf: int, counts: bool = True) -> list[str]:
        """Keys on a case's panel that have a say, or have none."""
        panel = self.panel(pool, batch, "--leaf", leaf)
        return [row["key"] for row in panel if row["counts"] is counts]


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


def batch_state(chain: Chain, batch: Committed) -> BatchState:
    return chain.ledger().batches[batch.id]


def file_of(folder: Path, **changes: Any) -> Path:
    path = folder / "pool.yaml"
    found = {name: value for name, value in {**TERMS, **changes}.items() if value is not None}
    path.write_text(yaml.safe_dump(found))
    return path
