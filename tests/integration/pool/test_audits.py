"""Audits of a pool: what a key signs, and what enough places signed."""

import json
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from tallystick.protocol.enums import Grade
from tallystick.protocol.hexes import from_hex, to_hex
from tests.integration.conftest import Commands, Kill
from tests.integration.pool.conftest import (
    ANYBODY,
    CHALLENGER,
    OPERATOR,
    Bench,
    batch_state,
    right,
)
from tests.support.chain import Chain
from tests.support.pool import (
    FEE,
    MIN_DRAWN,
    SEED_DELAY,
    Pool,
)
from tests.support.story import RULES, Committed, Network, keep, register


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
