"""A committee's commands: stake, draw, audit, rule, convict, leave."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from tallystick.chain.localnet import MNEMONIC
from tallystick.protocol.batch import Dispute
from tallystick.protocol.enums import Cause, DisputeKind, Grade, Ruling, State
from tallystick.protocol.events import BatchDemanded
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import Inference
from tallystick.protocol.signature import sign
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.committee import EXIT_DELAY, MIN_STAKE, Committee, found
from tests.support.story import RULES, Committed, Network, keep, register

Account.enable_unaudited_hdwallet_features()
MEMBERS = 3
CHALLENGER = 6


@pytest.fixture
def judges(chain: Chain) -> Committee:
    """Two of three; the arbiter. Of the same members, all of whom have staked."""
    return found(chain, 2, MEMBERS, keys=chain.accounts[:MEMBERS])


@pytest.fixture
def committee(chain: Chain, judges: Committee) -> Committee:
    """Two of three; audits. Members are the first accounts, nobody has staked yet."""
    return found(
        chain,
        2,
        MEMBERS,
        keys=chain.accounts[:MEMBERS],
        arbiter=judges.address,
        staked=False,
    )


@pytest.fixture
def address(committee: Committee) -> str:
    return "0x" + committee.address.hex()


@pytest.fixture
def audited(
    chain: Chain, committee: Committee, judges: Committee, monkeypatch: pytest.MonkeyPatch
) -> Network:
    """A network whose attestor is the one committee, and whose arbiter is the other."""
    monkeypatch.setenv("TALLYSTICK_REGISTRY", "0x" + chain.registry.address.hex())
    attestors = (committee.address, bytes(20), bytes(20))
    network = register(chain, chain.accounts[4], RULES, arbiter=judges.address, attestors=attestors)
    network.join(chain.accounts[5])
    return network


@pytest.fixture
def batch(chain: Chain, audited: Network, tmp_path: Path) -> Committed:
    committed = audited.commit(chain.accounts[5], count=8)
    keep(tmp_path / "batches", committed)
    chain.mine(4)
    return committed


class Bench:
    """Members at their commands."""

    def __init__(self, commands: Commands, address: str, judges: str, folder: Path) -> None:
        self.commands, self.address, self.folder = commands, address, folder
        self.committees = {"audit": address, "verdict": judges}
        self.kept = ["--store", folder / "batches"]

    def stake(self, members: int = MEMBERS) -> None:
        for member in range(members):
            self.commands.json("committee stake", self.address, MIN_STAKE, account=member)

    def recomputed(self, answers: dict[int, bytes]) -> Path:
        path = self.folder / "answers.jsonl"
        lines = [{"leaf": leaf, "output": to_hex(output)} for leaf, output in answers.items()]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    def sign(self, what: str, batch: Committed, answers: Path, member: int) -> Path:
        out = self.folder / f"{what}-{member}.json"
        self.commands.json(
            f"committee {what}",
            *[
                self.committees[what],
                to_hex(batch.id),
                *self.kept,
                "--recomputed",
                answers,
                "--out",
                out,
            ],
            account=member,
        )
        return out

    def evidence(self, what: str, batch: Committed, answers: Path) -> Path:
        """Of two members."""
        files = [self.sign(what, batch, answers, member) for member in (0, 1)]
        out = self.folder / f"{what}.hex"
        assert self.commands.json("committee merge", *files, "--out", out)["enough"] is True
        return out


@pytest.fixture
def bench(commands: Commands, address: str, judges: Committee, tmp_path: Path) -> Bench:
    return Bench(commands, address, to_hex(judges.address), tmp_path)


def right(batch: Committed) -> dict[int, bytes]:
    return dict(enumerate(batch.outputs))


def test_committee_stake__members__count_when_they_have_enough(
    commands: Commands, bench: Bench, address: str
) -> None:
    bench.stake(2)

    rows = commands.json("committee show", address)

    assert [row["counts"] for row in rows] == [True, True, False]
    assert [row["stake"] for row in rows] == [MIN_STAKE, MIN_STAKE, 0]


def test_committee_draw__batch__names_leaves_with_inputs(
    commands: Commands, bench: Bench, address: str, batch: Committed
) -> None:
    rows = commands.json("committee draw", address, to_hex(batch.id), *bench.kept)

    assert 1 <= len(rows) <= 3
    assert all(row["input"] == to_hex(batch.inputs[row["leaf"]]) for row in rows)


def test_committee_audit__good_batch__is_audited_by_merged_signatures(
    chain: Chain, commands: Commands, bench: Bench, batch: Committed
) -> None:
    bench.stake()
    evidence = bench.evidence("audit", batch, bench.recomputed(right(batch)))

    commands.json(
        "attest", to_hex(batch.id), "--grade", "audited", "--evidence", evidence, account=7
    )

    assert batch.status().grade is Grade.AUDITED


def test_committee_audit__wrong_or_missing_output__signs_nothing(
    commands: Commands, bench: Bench, address: str, batch: Committed, tmp_path: Path
) -> None:
    drawn = [
        row["leaf"]
        for row in commands.json("committee draw", address, to_hex(batch.id), *bench.kept)
    ]
    wrong = bench.recomputed({**right(batch), drawn[0]: b"other"})
    out = tmp_path / "out.json"
    line: list[Any] = [address, to_hex(batch.id), *bench.kept, "--out", out, "--recomputed"]

    text = commands.error("committee audit", *line, wrong, account=0)
    assert f"wrong outputs at drawn leaves {drawn[0]}" in text
    assert f"ape tallystick challenge {to_hex(batch.id)} --leaf {drawn[0]}" in text
    other = next(leaf for leaf in range(8) if leaf not in drawn)
    not_drawn = bench.recomputed({**right(batch), other: b"other"})
    text = commands.error("committee audit", *line, not_drawn, account=0)
    assert f"wrong outputs at leaves {other}, not drawn; nothing was signed" in text
    assert not out.exists()
    beyond = bench.recomputed({**right(batch), 8: b"other"})
    text = commands.error("committee audit", *line, beyond, account=0)
    assert "the batch has 8" in text
    text = commands.error("committee audit", *line, bench.recomputed({}), account=0)
    assert "no output was recomputed" in text
    text = commands.error("committee audit", *line, bench.recomputed(right(batch)), account=8)
    assert "is no member" in text
    assert not out.exists()


def test_committee_audit__leaf_that_nobody_could_reveal__signs_nothing(
    chain: Chain, commands: Commands, bench: Bench, audited: Network, tmp_path: Path
) -> None:
    def elsewhere(leaves: list[Inference]) -> list[Inference]:
        return [*leaves[:-1], replace(leaves[-1], nonce=1 << 40)]

    bench.stake()
    batch = audited.commit(chain.accounts[5], count=8, shape=elsewhere)
    keep(tmp_path / "batches", batch)
    chain.mine(4)
    answers, out = bench.recomputed(right(batch)), tmp_path / "audit.json"
    line = [bench.address, to_hex(batch.id), *bench.kept, "--recomputed", answers, "--out", out]

    text = commands.error("committee audit", *line, account=0)

    assert "leaf 7 breaks a rule, nonce: nonce is" in text
    assert not out.exists()


def test_committee_audit__malformed_line__is_named(
    commands: Commands, bench: Bench, address: str, batch: Committed, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"leaf": 0, "output": "0x00"}\n{"leaf": 1}\n')
    line = [
        address,
        to_hex(batch.id),
        *bench.kept,
        "--out",
        tmp_path / "o",
        "--recomputed",
        answers,
    ]

    assert "answers.jsonl: line 2" in commands.error("committee audit", *line, account=0)


def test_committee_verdict__wrong_leaf__rejects_and_convicts_the_auditors(
    chain: Chain, commands: Commands, bench: Bench, batch: Committed, audited: Network
) -> None:
    bench.stake()
    # They sign an audit of a batch whose leaves are all wrong by what is found out later.
    statement = bench.sign("audit", batch, bench.recomputed(right(batch)), 0)
    drawn = commands.json("committee draw", bench.address, to_hex(batch.id), *bench.kept)
    leaf = drawn[0]["leaf"]
    audited.fund(chain.accounts[CHALLENGER])
    commands.json("challenge", to_hex(batch.id), "--leaf", leaf, *bench.kept, account=CHALLENGER)
    wrong = bench.recomputed({leaf: b"other"})
    evidence = bench.evidence("verdict", batch, wrong)
    commands.json("resolve", to_hex(batch.id), *bench.kept, "--evidence", evidence, account=7)
    found = chain.registry.archived(batch.id)
    assert (found.state, found.cause, found.leaf_index) == (State.REJECTED, Cause.RULING, leaf)

    tried = commands.json("committee convict", statement, "--dry-run", account=7)
    assert tried["dry_run"] and tried["way"] == "archive"
    done = commands.json("committee convict", statement, account=7)
    assert (done["way"], done["members"]) == ("archive", [0])

    rows = commands.json("committee show", bench.address)
    assert [row["stake"] for row in rows] == [0, MIN_STAKE, MIN_STAKE]
    assert [row["counts"] for row in rows] == [False, True, True]
    burn = bytes.fromhex("00" * 18 + "dead")
    before = chain.balance(bytes(20), burn)
    commands.json("committee sweep", bench.address, account=7)
    assert chain.balance(bytes(20), burn) == before + MIN_STAKE
    totals = audited.totals()
    assert commands.json("sweep", to_hex(audited.id), account=7)["amount"] == totals.burned > 0
    assert chain.balance(bytes(20), burn) == before + MIN_STAKE + totals.burned


def rejection(judges: Committee, batch: Committed, leaf: int, members: list[int]) -> str:
    """The judges' evidence that a leaf is wrong; their keys are the first accounts'."""
    from eth_account import Account

    keys = [
        Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{n}").key for n in range(3)
    ]
    judges.signs = [lambda digest, key=key: sign(digest, bytes(key)) for key in keys]
    return to_hex(judges.verdict(batch.id, leaf, batch.tree.leaf(leaf), Ruling.REJECTED, members))


class TestConvictByTheArbiter:
    """Of a batch that timed out before anybody could have it ruled on."""

    @pytest.fixture
    def statement(self, chain: Chain, bench: Bench, batch: Committed, audited: Network) -> Path:
        bench.stake()
        statement = bench.sign("audit", batch, bench.recomputed(right(batch)), 0)
        demander = chain.accounts[CHALLENGER]
        audited.fund(demander)
        asked = chain.send(demander, "demand", batch.batch.abi(), batch.stamp.pack(), 0, False)
        due = asked.event(BatchDemanded).due
        dispute = Dispute(DisputeKind.DEMAND, False, demander, 0, due, bytes(32))
        chain.at(due + 1)
        chain.send(demander, "timeout", batch.pre_image(dispute))
        return statement

    def leaves(self, bench: Bench, batch: Committed) -> tuple[int, int]:
        """One that was drawn, and one that was not."""
        rows = bench.commands.json("committee draw", bench.address, to_hex(batch.id), *bench.kept)
        drawn = [row["leaf"] for row in rows]
        return drawn[0], next(leaf for leaf in range(8) if leaf not in drawn)

    def test_evidence__burns_the_signers_stake(
        self, bench: Bench, batch: Committed, judges: Committee, statement: Path
    ) -> None:
        leaf, _ = self.leaves(bench, batch)
        evidence = rejection(judges, batch, leaf, [0, 1])
        line = [statement, *bench.kept, "--leaf", leaf, "--evidence", evidence]

        tried = bench.commands.json("committee convict", *line, "--dry-run", account=7)
        done = bench.commands.json("committee convict", *line, account=7)

        assert tried["dry_run"] and (tried["way"], tried["leaf_index"]) == ("arbiter", leaf)
        assert (done["way"], done["leaf_index"], done["members"]) == ("arbiter", leaf, [0])
        rows = bench.commands.json("committee show", bench.address)
        assert [row["stake"] for row in rows] == [0, MIN_STAKE, MIN_STAKE]

    def test_no_evidence__says_what_is_needed(self, bench: Bench, statement: Path) -> None:
        text = bench.commands.error("committee convict", statement, *bench.kept, account=7)

        assert "rejected by a timeout, which convicts nobody; needed: --leaf and --evid" in text

    def test_leaf_that_was_not_drawn__is_refused(
        self, bench: Bench, batch: Committed, judges: Committee, statement: Path
    ) -> None:
        _, spared = self.leaves(bench, batch)
        evidence = rejection(judges, batch, spared, [0, 1])
        line = [statement, *bench.kept, "--leaf", spared, "--evidence", evidence]

        text = bench.commands.error("committee convict", *line, account=7)

        assert f"leaf {spared} was not drawn" in text

    def test_evidence_that_does_not_convince__is_the_arbiters_error(
        self, bench: Bench, batch: Committed, judges: Committee, statement: Path
    ) -> None:
        leaf, _ = self.leaves(bench, batch)
        evidence = rejection(judges, batch, leaf, [0])
        line = [statement, *bench.kept, "--leaf", leaf, "--evidence", evidence]

        assert "TooFewSigners" in bench.commands.error("committee convict", *line, account=7)

    def test_verdict__is_refused(
        self, bench: Bench, batch: Committed, judges: Committee, statement: Path
    ) -> None:
        said = json.loads(statement.read_text())
        said |= {"kind": "verdict", "leaf_index": 0, "leaf": said["seed"], "ruling": "upheld"}
        del said["seed"], said["committed_at"]
        statement.write_text(json.dumps(said))

        text = bench.commands.error("committee convict", statement, account=7)

        assert "holds a verdict; needed: an audit" in text


def test_committee_audit__network_of_another_arbiter__signs_nothing(
    chain: Chain,
    commands: Commands,
    bench: Bench,
    committee: Committee,
    audited: Network,
    tmp_path: Path,
) -> None:
    resolver = bytes.fromhex(chain.deploy("MockResolver").address[2:])
    attestors = (committee.address, bytes(20), bytes(20))
    network = register(chain, chain.accounts[4], RULES, 3, arbiter=resolver, attestors=attestors)
    network.join(chain.accounts[5])
    batch = network.commit(chain.accounts[5], count=8)
    keep(tmp_path / "batches", batch)
    chain.mine(4)
    line = [bench.address, to_hex(batch.id), *bench.kept, "--out", tmp_path / "out.json"]

    text = commands.error(
        "committee audit", *line, "--recomputed", bench.recomputed(right(batch)), account=0
    )

    assert "the committee audits only networks of" in text
    assert not (tmp_path / "out.json").exists()


def test_committee_merge__different_statements__are_refused(
    chain: Chain, commands: Commands, bench: Bench, batch: Committed, audited: Network
) -> None:
    other = audited.commit(chain.accounts[5], count=8, slot=1)
    keep(bench.folder / "batches", other)
    chain.mine(4)
    answers = bench.recomputed(right(batch))
    one, two = bench.sign("audit", batch, answers, 0), bench.folder / "two.json"
    bench.sign("audit", other, answers, 1).rename(two)

    text = commands.error("committee merge", one, two, "--out", bench.folder / "e")

    assert "different statements" in text


def test_committee_exit__after_its_delay__pays_out(
    chain: Chain, commands: Commands, bench: Bench
) -> None:
    bench.stake(1)
    commands.json("committee exit", bench.address, account=0)
    assert "ExitNotDue" in commands.error("committee pay-out", bench.address, account=0)
    chain.at(chain.now + EXIT_DELAY + 1).mine()
    before = chain.balance(bytes(20), chain.accounts[0])

    commands.json("committee pay-out", bench.address, "--member", 0, account=7)

    assert chain.balance(bytes(20), chain.accounts[0]) == before + MIN_STAKE


def test_committee_show__no_contract_there__is_one_line(commands: Commands) -> None:
    assert "no contract is at" in commands.error("committee show", "0x" + "11" * 20)
