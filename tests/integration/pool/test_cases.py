"""Appeals, rulings, and what they convict."""

from pathlib import Path

import pytest
from web3 import Web3

from tallystick.protocol.batch import Dispute
from tallystick.protocol.enums import State
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.pool import epoch_of
from tests.integration.conftest import Kill
from tests.integration.pool.conftest import (
    ANYBODY,
    CHALLENGER,
    OPERATOR,
    QUORUMS,
    SEATS,
    Bench,
    batch_state,
    right,
)
from tests.support.chain import Chain
from tests.support.pool import (
    CREDIT,
    HISTORY_BLOCKS,
    RULE_FEE,
    SEAT_STAKE,
    SEED_DELAY,
    Pool,
)
from tests.support.story import Committed, Network, keep


def next_in_pool(bench: Bench, batch: Committed) -> list[str]:
    """Commands of the pool that `batch` names."""
    found = bench.commands.json("batch", to_hex(batch.id))["next"]
    return [name.removeprefix("pool ") for name in found if name.startswith("pool ")]


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
        assert next_in_pool(bench, batch) == ["audit"]
        self.challenged(chain, network, batch)
        filled.fund(chain.accounts[CHALLENGER])
        assert next_in_pool(bench, batch) == ["audit", "appeal"]

        opened = bench.run(*self.words(filled, batch, bench), by=CHALLENGER)
        assert opened["challenged"] is True
        assert "is open already" in bench.error(*self.words(filled, batch, bench), by=CHALLENGER)
        assert "ruled" not in next_in_pool(bench, batch)
        chain.mine(SEED_DELAY + 1)
        assert next_in_pool(bench, batch) == ["audit", "appeal", "ruled"]
        keys = [row["key"] for row in bench.panel(filled, batch, "--leaf", 3)]
        answers = {3: output or batch.outputs[3]}
        statements = bench.sign(filled, batch, answers, keys, 3)
        assert "places of 19 signed; needed" in bench.error("ruled", statements[0], *bench.kept)
        done = bench.run("ruled", *statements, *bench.kept)

        assert (done["ruling"], done["places"]) == (ruling, 19)
        assert batch_state(chain, batch).state is state
        after = [] if state is State.REJECTED else ["audit"]
        assert next_in_pool(bench, batch) == after
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
    ) -> None:
        self.challenged(chain, network, batch)
        payer, address = chain.accounts[CHALLENGER], to_hex(filled.address)
        filled.fund(payer)
        case = bench.run(*self.words(filled, batch, bench), by=CHALLENGER)["case_id"]
        (row,) = bench.commands.json("pool cases", address, to_hex(batch.id))
        filled.mine_to(row["seed_block"] + HISTORY_BLOCKS - 1)
        assert "too early" in bench.error("expire", address, case)
        chain.mine()

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

    assert next_in_pool(bench, batch) == ["appeal", "convict"]
    tried = bench.run("convict", address, to_hex(batch.id), "--dry-run")
    done = bench.run("convict", address, to_hex(batch.id))

    stake = len(record.keys) * SEATS * SEAT_STAKE
    assert tried["finders_share"] == done["finders_share"]
    assert done["burned"] + done["finders_share"] == stake
    assert filled.credit(chain.accounts[ANYBODY]) == done["finders_share"]
    assert next_in_pool(bench, batch) == ["appeal", "sweep"]
    # Nobody has recorded where this pool begins.
    assert bench.run("sweep", address)["amount"] == done["burned"]
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
