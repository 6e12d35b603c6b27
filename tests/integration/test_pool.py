"""A pool's commands: terms, seats, escrows, audits, cases, convictions, and how each is refused."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from web3 import Web3

from tallystick.protocol.batch import Dispute
from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.pool import EPOCH, Quorums, epoch_of
from tests.integration.conftest import Commands, Kill
from tests.support.builds import abi
from tests.support.chain import Chain
from tests.support.keyfile import Keyfiles
from tests.support.pool import (
    CREDIT,
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
    leaf = bench.appealed(pool, batch, [row["leaf"] for row in drawn])
    judges = bench.judges(pool, batch, leaf)
    assert not set(signers) & set(judges)
    rows = commands.json("pool cases", address, to_hex(batch.id))
    assert rows[-1]["leaf"] == leaf and rows[-1]["challenged"] is False
    barred = bench.judges(pool, batch, leaf, counts=False)[0]
    answers = ["--leaf", leaf, "--recomputed", bench.recomputed(right(batch)), "--out", "unwritten"]
    by = pool.members[from_hex(barred)]
    text = bench.error("sign", address, to_hex(batch.id), *bench.kept, *answers, by=by)
    assert f"key {barred} has signed the audit, and has no say on it" in text
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


class TestMoney:
    """Credit, seats and escrows."""

    def test_deposit__for_another__is_its_credit(
        self, chain: Chain, bench: Bench, pool: Pool
    ) -> None:
        other = chain.accounts[1]

        bench.run("deposit", to_hex(pool.address), "5 gwei", "--to", to_hex(other))

        assert pool.credit(other) == 5 * 10**9

    def test_deposit__token__is_approved_first(self, chain: Chain, bench: Bench) -> None:
        token = chain.deploy("MockToken")
        anybody = Web3.to_checksum_address(chain.accounts[ANYBODY])
        chain.transact(chain.accounts[ANYBODY], token.functions.mint(anybody, 1_000))
        registry = Web3.to_checksum_address(chain.registry.address)
        made = chain.deploy("Pool", registry, terms(asset=token.address)).address

        text = bench.error("deposit", made, 1_001)
        assert f"{anybody} holds 1000 of the asset; needed: 1001" in text
        tried = bench.run("deposit", made, 700, "--dry-run")
        bench.run("deposit", made, 700)

        assert (tried["move"], tried["amount"]) == ("approve", 700)
        assert pool_at(chain, from_hex(made)).credit(chain.accounts[ANYBODY]) == 700
        assert token.functions.balanceOf(made).call() == 700

    def test_credit__too_little__is_refused_with_what_it_is(
        self, chain: Chain, bench: Bench, pool: Pool
    ) -> None:
        address = to_hex(pool.address)
        pool.fund(chain.accounts[ANYBODY], 100)

        for words in (["withdraw", 101], ["fund", 101]):
            text = bench.error(words[0], address, words[1])
            assert "has credit 100 in the pool; the amount is 101; add some with" in text
        text = bench.error("enroll", address, 3)
        assert f"the stake of 3 seats is {3 * SEAT_STAKE}" in text
        assert pool.credit(chain.accounts[ANYBODY]) == 100

    def test_enroll__first_time__fixes_the_account(
        self, chain: Chain, bench: Bench, pool: Pool
    ) -> None:
        address, key, account = to_hex(pool.address), chain.accounts[ANYBODY], chain.accounts[1]
        pool.fund(key)

        assert "has no seats; needed: a number" in bench.error("enroll", address)
        tried = bench.run("enroll", address, 2, "--to", to_hex(account), "--dry-run")
        assert pool.read("memberOf", key)[0] == 0
        done = bench.run("enroll", address, 2, "--to", to_hex(account))
        assert (tried["paid"], done["paid"]) == (2 * SEAT_STAKE, 2 * SEAT_STAKE)
        assert "enrolled for epoch" in bench.error("enroll", address, 1)

        pool.next_epoch()
        text = bench.error("enroll", address, 1, "--to", to_hex(key))
        assert f"is {Web3.to_checksum_address(account)}, fixed when it first" in text
        assert bench.run("enroll", address)["seats"] == 2
        assert "would have 16777217 seats" in bench_after(pool, bench, 2**24 - 1)

    def test_close__by_its_account__and_nobody_else(
        self, chain: Chain, bench: Bench, pool: Pool
    ) -> None:
        address, key = to_hex(pool.address), to_hex(pool.member(3))
        assert "has never enrolled" in bench.error("close", address, "--key", key)
        pool.fund(pool.member(3))
        pool.enroll(3, 2, chain.accounts[1])

        for name in ("close", "leave"):
            text = bench.error(name, address, "--key", key, by=3)
            assert f"is {Web3.to_checksum_address(chain.accounts[1])};" in text
        bench.run("close", address, "--key", key, by=1)
        assert "is closed already" in bench.error("close", address, "--key", key, by=1)
        pool.next_epoch()
        assert "is closed, and never enrols" in bench.error("enroll", address, by=3)

    def test_fund__after_notice__withdraws_it(self, chain: Chain, bench: Bench, pool: Pool) -> None:
        address, operator = to_hex(pool.address), chain.accounts[ANYBODY]
        pool.fund(operator)
        assert "has no escrow" in bench.error("notice", address)
        assert "no notice was given" in bench.error("defund", address)
        bench.run("fund", address, 10)
        bench.run("notice", address)

        assert bench.run("fund", address, 5)["withdraws_notice"] is True

        assert "no notice was given" in bench.error("defund", address)
        assert pool.read("escrowOf", operator) == (15, 0)

    def test_address_without_a_pool__is_one_line(
        self, chain: Chain, bench: Bench, commands: Commands
    ) -> None:
        registry = to_hex(chain.registry.address)

        assert "no contract is at" in commands.error("pool show", "0x" + "11" * 20)
        assert "answers no terms of a pool" in commands.error("pool show", registry)
        assert "answers no terms of a pool" in bench.error("deposit", registry, 1)


def bench_after(pool: Pool, bench: Bench, seats: int) -> str:
    """Refusal of so many seats in the next epoch."""
    pool.next_epoch()
    return bench.error("enroll", to_hex(pool.address), seats)


class TestSign:
    """A key's word on an audit."""

    def words(self, pool: Pool, batch: Committed, bench: Bench, **answers: Any) -> list[object]:
        run = bench.recomputed(answers.get("run", right(batch)))
        out = bench.folder / "out.json"
        kept = [*bench.kept, "--recomputed", run, "--out", out]
        return ["sign", to_hex(pool.address), to_hex(batch.id), *kept]

    def test_wrong_or_missing_output__signs_nothing(
        self, commands: Commands, bench: Bench, filled: Pool, batch: Committed
    ) -> None:
        drawn = commands.json("pool draw", to_hex(filled.address), to_hex(batch.id), *bench.kept)[
            0
        ]["leaf"]

        text = bench.error(
            *self.words(filled, batch, bench, run={**right(batch), drawn: b"other"}), by=20
        )
        assert f"wrong outputs at drawn leaves {drawn}; nothing was signed" in text
        text = bench.error(*self.words(filled, batch, bench, run={}), by=20)
        assert "no output was recomputed" in text
        assert not (bench.folder / "out.json").exists()

    def test_key_without_a_place__signs_nothing(
        self, chain: Chain, bench: Bench, filled: Pool, batch: Committed
    ) -> None:
        text = bench.error(*self.words(filled, batch, bench), by=ANYBODY)

        assert f"key {Web3.to_checksum_address(chain.accounts[ANYBODY])} holds no place" in text

    def test_dry_run__tells_places_and_writes_nothing(
        self, bench: Bench, filled: Pool, batch: Committed
    ) -> None:
        row = bench.panel(filled, batch)[0]
        number = filled.members[from_hex(row["key"])]

        told = bench.run(*self.words(filled, batch, bench), "--dry-run", by=number)

        assert told["places"] == row["places"] and told["kind"] == "audit"
        assert not (bench.folder / "out.json").exists()

    def test_seed_to_come__is_too_early(
        self, chain: Chain, bench: Bench, filled: Pool, network: Network, tmp_path: Path
    ) -> None:
        young = network.commit(chain.accounts[OPERATOR], count=20)
        keep(tmp_path / "batches", young)

        text = bench.error(*self.words(filled, young, bench), by=20)

        assert "too early: block" in text and "is the seed; the latest is" in text

    def test_network_of_another_arbiter__signs_nothing(
        self, chain: Chain, bench: Bench, filled: Pool, resolver: bytes, tmp_path: Path
    ) -> None:
        places = (filled.address, bytes(20), bytes(20))
        foreign = register(chain, chain.accounts[4], RULES, 9, arbiter=resolver, attestors=places)
        foreign.join(chain.accounts[OPERATOR])
        batch = foreign.commit(chain.accounts[OPERATOR], count=20)
        keep(tmp_path / "batches", batch)
        chain.mine(SEED_DELAY + 1)

        text = bench.error(*self.words(filled, batch, bench), by=20)

        assert "the pool audits only where it rules itself" in text

    def test_no_case_on_the_leaf__says_what_opens_one(
        self, bench: Bench, filled: Pool, batch: Committed
    ) -> None:
        text = bench.error(*self.words(filled, batch, bench), "--leaf", 3, by=20)

        assert "no case is open on leaf 3" in text and "pool appeal` opens one" in text


class TestAudit:
    """What enough places signed."""

    @pytest.fixture
    def statements(self, bench: Bench, filled: Pool, batch: Committed) -> list[Path]:
        """Of every key on the panel."""
        keys = [row["key"] for row in bench.panel(filled, batch)]
        return bench.sign(filled, batch, right(batch), keys)

    def test_whole_panel__is_paid_once(
        self, bench: Bench, filled: Pool, batch: Committed, statements: list[Path]
    ) -> None:
        tried = bench.run("audit", *statements, "--dry-run")
        done = bench.run("audit", *statements)

        assert tried["from_escrow"] == done["from_escrow"] == 10 * FEE * MIN_DRAWN
        assert (done["places"], done["needed"]) == (9, 5)
        assert batch.status().grade is Grade.AUDITED
        assert "has an audit on record already" in bench.error("audit", *statements)

    def test_disputed_batch__is_stored_and_attested_later(
        self,
        chain: Chain,
        bench: Bench,
        network: Network,
        batch: Committed,
        statements: list[Path],
    ) -> None:
        network.fund(chain.accounts[CHALLENGER])
        batch.demand(chain.accounts[CHALLENGER], 2)

        done = bench.run("audit", *statements)

        assert done["raises_grade"] is False
        target, commands = to_hex(batch.id), bench.commands
        commands.json("reveal", target, *bench.kept, account=OPERATOR)
        words = ["--grade", "audited", "--evidence", "0x"]
        commands.json("attest", target, *words, account=ANYBODY)
        assert batch_state(chain, batch).grade is Grade.AUDITED

    def test_killed_once_it_was_mined__succeeds_once(
        self, bench: Bench, batch: Committed, statements: list[Path], kill: Kill
    ) -> None:
        kill("pool audit", *statements, account=ANYBODY)

        again = bench.run("audit", *statements)

        assert again["sent_by_an_earlier_run"] is True and again["places"] == 9
        assert "on record already" in bench.error("audit", *statements)

    def test_too_few_places__are_counted(
        self, bench: Bench, filled: Pool, batch: Committed, statements: list[Path]
    ) -> None:
        text = bench.error("audit", statements[0])

        assert "places of 9 signed; needed: 5" in text

    def test_what_is_not_good__is_named(
        self, bench: Bench, filled: Pool, batch: Committed, statements: list[Path]
    ) -> None:
        first = json.loads(statements[0].read_text())
        (key,) = first["signatures"]

        def changed(**changes: Any) -> Path:
            path = bench.folder / "changed.json"
            path.write_text(json.dumps({**first, **changes}))
            return path

        forged = changed(signatures={key: "0x" + "11" * 64 + "1b"})
        text = bench.error("audit", forged, *statements[1:])
        assert f"the signature of key {key} is not over this statement" in text
        foreign = changed(signatures={"0x" + "11" * 20: "0x" + "11" * 65})
        assert "holds no place of this panel" in bench.error("audit", foreign, *statements[1:])
        other = changed(seed="0x" + "22" * 32)
        assert "different statements" in bench.error("audit", other, statements[1])
        assert "it was signed on another fork" in bench.error("audit", other)
        elsewhere = changed(chain_id=1)
        assert "are of chain 1; this is chain" in bench.error("audit", elsewhere)
        unread = changed(signatures={key: "0x11"})
        assert "changed.json: audit.signatures" in bench.error("audit", unread)
        assert "holds an audit; needed: a verdict" in bench.error("ruled", statements[0])

    def test_operator_without_an_escrow__says_what_it_costs(
        self, chain: Chain, bench: Bench, filled: Pool, network: Network
    ) -> None:
        network.join(chain.accounts[3])
        batch = network.commit(chain.accounts[3], count=40)
        keep(bench.folder / "batches", batch)
        chain.mine(SEED_DELAY + 1)
        keys = [row["key"] for row in bench.panel(filled, batch)]

        text = bench.error("audit", *bench.sign(filled, batch, right(batch), keys))

        assert f"is 0; the audit costs {10 * FEE * MIN_DRAWN}" in text

    def test_window_that_is_over__is_too_late(
        self, chain: Chain, bench: Bench, batch: Committed, statements: list[Path]
    ) -> None:
        chain.at(batch.closes_at + 1).mine()

        assert "too late" in bench.error("audit", *statements)


class TestCases:
    """Appeals, rulings and what they convict."""

    def challenged(self, chain: Chain, network: Network, batch: Committed) -> Dispute:
        network.fund(chain.accounts[CHALLENGER])
        return batch.challenge(chain.accounts[CHALLENGER], 3)[0]

    def words(self, pool: Pool, batch: Committed, bench: Bench, leaf: int = 3) -> list[object]:
        return ["appeal", to_hex(pool.address), to_hex(batch.id), "--leaf", leaf, *bench.kept]

    @pytest.mark.parametrize(
        ("output", "state", "ruling"),
        [(None, State.OPEN, "upheld"), (b"other", State.REJECTED, "rejected")],
    )
    def test_challenged_leaf__is_ruled_on_by_the_whole_panel(
        self,
        chain: Chain,
        bench: Bench,
        filled: Pool,
        network: Network,
        batch: Committed,
        output: bytes | None,
        state: State,
        ruling: str,
    ) -> None:
        self.challenged(chain, network, batch)
        filled.fund(chain.accounts[CHALLENGER])

        opened = bench.run(*self.words(filled, batch, bench), by=CHALLENGER)
        assert opened["challenged"] is True
        assert "is open already" in bench.error(*self.words(filled, batch, bench), by=CHALLENGER)
        chain.mine(SEED_DELAY + 1)
        keys = [row["key"] for row in bench.panel(filled, batch, "--leaf", 3)]
        answers = {3: output or batch.outputs[3]}
        statements = bench.sign(filled, batch, answers, keys, 3)
        assert "places of 19 signed; needed" in bench.error("ruled", statements[0], *bench.kept)
        done = bench.run("ruled", *statements, *bench.kept)

        assert (done["ruling"], done["places"]) == (ruling, 19)
        assert batch_state(chain, batch).state is state
        assert "no case is open" in bench.error("ruled", *statements, *bench.kept)

    def test_appeal__that_would_be_refused__is_one_line(
        self,
        chain: Chain,
        bench: Bench,
        filled: Pool,
        network: Network,
        batch: Committed,
    ) -> None:
        text = bench.error(*self.words(filled, batch, bench), by=CHALLENGER)
        assert "is not challenged, and no audit on record drew it; `ape tallystick" in text
        dispute = self.challenged(chain, network, batch)
        text = bench.error(*self.words(filled, batch, bench), by=CHALLENGER)
        assert f"has credit 0 in the pool; the fee of a case is {20 * RULE_FEE}" in text
        assert "needed: 0 to 39" in bench.error(*self.words(filled, batch, bench, 40))
        filled.fund(chain.accounts[CHALLENGER])
        chain.at(dispute.due + 1).mine()
        text = bench.error(*self.words(filled, batch, bench), by=CHALLENGER)
        assert "too late" in text and "the time to rule on the challenge" in text

    def test_appeal__nobody_came_this_epoch__the_pool_is_too_small(
        self, chain: Chain, bench: Bench, filled: Pool, network: Network, batch: Committed
    ) -> None:
        filled.next_epoch()
        late = network.commit(chain.accounts[OPERATOR], count=20, slot=1)
        keep(bench.folder / "batches", late)
        network.fund(chain.accounts[CHALLENGER])
        late.challenge(chain.accounts[CHALLENGER], 3)
        filled.fund(chain.accounts[CHALLENGER])

        text = bench.error(*self.words(filled, late, bench), by=CHALLENGER)

        assert "the pool is too small: epoch" in text and "has 0 seats; needed: 72" in text

    def test_ruled__slot_that_another_batch_took__only_by_the_payer(
        self, chain: Chain, bench: Bench, filled: Pool, network: Network, batch: Committed
    ) -> None:
        operator, address = chain.accounts[OPERATOR], to_hex(filled.address)
        signers = bench.audited(filled, batch)
        drawn = bench.commands.json("pool draw", address, to_hex(batch.id), *bench.kept)
        chain.at(batch.stamp.free_from).mine()
        network.commit(operator, count=20, over=batch)
        filled.fund(chain.accounts[CHALLENGER])
        leaf = bench.appealed(filled, batch, [row["leaf"] for row in drawn])
        judges = bench.judges(filled, batch, leaf)
        statements = bench.sign(filled, batch, {leaf: b"other"}, judges, leaf)

        text = bench.error("ruled", *statements, *bench.kept)
        done = bench.run("ruled", *statements, *bench.kept, by=CHALLENGER)

        payer = Web3.to_checksum_address(chain.accounts[CHALLENGER])
        assert f"only who paid the case, {payer}, can have it rejected" in text
        assert sorted(done["convicts"]) == sorted(signers)
        assert all(filled.read("memberOf", from_hex(key))[0] == 0 for key in signers)

    def test_expire__seed_that_can_be_had__is_too_early(
        self, chain: Chain, bench: Bench, filled: Pool, network: Network, batch: Committed
    ) -> None:
        self.challenged(chain, network, batch)
        filled.fund(chain.accounts[CHALLENGER])
        case = bench.run(*self.words(filled, batch, bench), by=CHALLENGER)["case_id"]
        address = to_hex(filled.address)

        assert "is open" in bench.error("expire", address, "0x" + "11" * 32)
        text = bench.error("expire", address, case)
        assert "too early" in text and "its hash can be had until block" in text

    def test_killed_once_it_was_mined__each_succeeds_once(
        self,
        chain: Chain,
        bench: Bench,
        filled: Pool,
        network: Network,
        batch: Committed,
        kill: Kill,
    ) -> None:
        self.challenged(chain, network, batch)
        filled.fund(chain.accounts[CHALLENGER])
        line, *words = self.words(filled, batch, bench)
        kill(f"pool {line}", *words, account=CHALLENGER)
        assert bench.run("appeal", *words, by=CHALLENGER)["sent_by_an_earlier_run"] is True
        assert filled.credit(chain.accounts[CHALLENGER]) == CREDIT - 20 * RULE_FEE
        chain.mine(SEED_DELAY + 1)
        keys = [row["key"] for row in bench.panel(filled, batch, "--leaf", 3)]
        statements = bench.sign(filled, batch, right(batch), keys, 3)
        kill("pool ruled", *statements, *bench.kept, account=ANYBODY)

        again = bench.run("ruled", *statements, *bench.kept)

        assert again["sent_by_an_earlier_run"] is True and again["ruling"] == "upheld"
        assert "no case is open" in bench.error("ruled", *statements, *bench.kept)

    def test_expire__seed_that_is_gone__gives_the_fee_back(
        self,
        chain: Chain,
        bench: Bench,
        filled: Pool,
        network: Network,
        batch: Committed,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.challenged(chain, network, batch)
        payer, address = chain.accounts[CHALLENGER], to_hex(filled.address)
        filled.fund(payer)
        case = bench.run(*self.words(filled, batch, bench), by=CHALLENGER)["case_id"]
        (row,) = bench.commands.json("pool cases", address, to_hex(batch.id))
        # As after 8,191 blocks, which would take anvil minutes.
        filled.plant_seed(row["seed_block"], bytes(32))
        monkeypatch.setattr("tallystick.actions.pool.cases.HISTORY_BLOCKS", 256)

        done = bench.run("expire", address, case)

        assert (row["case_id"], done["fee"]) == (case, 20 * RULE_FEE)
        assert filled.credit(payer) == CREDIT


def test_convict__leaves_out_of_order__burns_who_signed(
    chain: Chain, bench: Bench, filled: Pool, network: Network, tmp_path: Path
) -> None:
    address, operator = to_hex(filled.address), chain.accounts[OPERATOR]
    batch = network.commit(operator, count=40, shape=lambda leaves: leaves[::-1])
    batch.inputs.reverse()
    batch.outputs.reverse()
    keep(tmp_path / "batches", batch)
    filled.lists[epoch_of(batch.stamp.committed_at)] = filled.lists[max(filled.lists)]
    record, signed = filled.audited(batch, places=QUORUMS.audit)
    filled.audit(batch, signed)
    assert "is open; needed: rejected" in bench.error("convict", address, to_hex(batch.id))
    bench.commands.json("fault", to_hex(batch.id), *bench.kept, account=CHALLENGER)

    tried = bench.run("convict", address, to_hex(batch.id), "--dry-run")
    done = bench.run("convict", address, to_hex(batch.id))

    stake = len(record.keys) * SEATS * SEAT_STAKE
    assert tried["finders_share"] == done["finders_share"]
    assert done["burned"] + done["finders_share"] == stake
    assert filled.credit(chain.accounts[ANYBODY]) == done["finders_share"]
    assert "no signer of the audit has stake" in bench.error("convict", address, to_hex(batch.id))
    other = network.commit(operator, count=20, slot=1)
    assert "has no audit on record" in bench.error("convict", address, to_hex(other.id))
    keep(tmp_path / "batches", other)
    chain.mine(SEED_DELAY + 1)
    # Its places are drawn all the same: until somebody convicted holds one.
    for slot in range(2, 9):
        out = [row for row in bench.panel(filled, other) if not row["counts"]]
        if out:
            break
        other = network.commit(operator, count=20, slot=slot)
        keep(tmp_path / "batches", other)
        chain.mine(SEED_DELAY + 1)
    words = [address, to_hex(other.id), *bench.kept, "--out", "unwritten", "--recomputed"]
    by = filled.members[from_hex(out[0]["key"])]
    text = bench.error("sign", *words, bench.recomputed(right(other)), by=by)
    assert "is convicted: its places count no more" in text


def test_network_create__pool_that_rules_too__is_no_fault(
    chain: Chain, bench: Bench, pool: Pool, tmp_path: Path
) -> None:
    address, registry = to_hex(pool.address), to_hex(chain.registry.address)
    rules: dict[str, Any] = {
        "attestors": [address, "0x" + "00" * 20, "0x" + "00" * 20],
        "arbiter": address,
        "challenge_bond": 1,
        "challenge_window": "1d",
        "response_window": "10m",
        "ruling_window": "10m",
    }
    path = tmp_path / "network.yaml"

    def written(**changes: Any) -> Path:
        path.write_text(yaml.safe_dump({"name": "n", "rules": {**rules, **changes}}))
        return path

    text = bench.commands.run("network create", written(arbiter="0x" + "00" * 20), account=4)
    assert "the pool audits only where it is the arbiter too" in text.stderr
    text = bench.commands.run("network create", written(asset=registry), account=4)
    assert "is a pool in the asset 0x0000" in text.stderr
    text = bench.commands.run("network create", written(challenge_window="15d"), account=4)
    assert "the pool's exit delay is 1209600 s; needed: at least" in text.stderr
    assert bench.commands.json("network create", written(), account=4)["network_id"]
