"""Counters at the ends of their fields, and bytes at the end of a transaction

├── lane's open inferences: 2^48 - 1, index: 2^44 - 1, network's committed: 2^51 - 1
│   ├── one more: reverts at commit, by name; what is open still ends
│   └── no carry: neighbours stay as they were, by every way that a batch ends
└── maxBytes: 90,000 fit into one reveal, rules with one more are refused
"""

import os
from dataclasses import replace

import pytest

from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import ARCHIVE_DELAY, Batch
from tallystick.protocol.enums import Outcome
from tallystick.protocol.events import BatchCommitted, BytesRevealed
from tallystick.protocol.inference import hash_leaves
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import Tree
from tallystick.protocol.totals import Totals
from tests.contracts.tallystick.test_disputes import challenged, demanded
from tests.support.chain import Chain, reverts
from tests.support.layout import counts_slot, losses_word
from tests.support.storage import set_counter, set_lane, write_word
from tests.support.story import Committed, Network, fund, register

MOST_OPEN = 2**48 - 1
MOST_COMMITTED = 2**51 - 1
HIGHEST_INDEX = 2**44 - 1
FULL = 1 << 20
REJECTED = (2).to_bytes(32, "big")
UPHELD = (1).to_bytes(32, "big")


@pytest.fixture
def cheap(chain: Chain, network_owner: bytes, operator: bytes, resolver: bytes) -> Network:
    """A network where a unit backs an inference; the operator has more than any lane needs."""
    network = register(
        chain,
        network_owner,
        salt=5,
        arbiter=resolver,
        attestors=(resolver, resolver, resolver),
        stake_per_inference=1,
    )
    fund(chain, bytes(20), operator, 2**49)
    chain.send(operator, "stake", network.id, 2**49)
    return network


class TestLane:
    def test_open_inferences__at_their_highest__are_taken(
        self, chain: Chain, cheap: Network, operator: bytes
    ) -> None:
        set_lane(chain, cheap, operator, open_inferences=MOST_OPEN - 5)

        cheap.commit(operator, count=5)

        assert cheap.lane(operator).open_inferences == MOST_OPEN

    @pytest.mark.parametrize("count", [6, 1000])
    def test_open_inferences__above__reverts(
        self, chain: Chain, cheap: Network, operator: bytes, count: int
    ) -> None:
        before = set_lane(chain, cheap, operator, open_inferences=MOST_OPEN - 5)

        with reverts("LaneFull", openInferences=MOST_OPEN - 5 + count, highest=MOST_OPEN):
            cheap.commit(operator, count=count)

        assert cheap.lane(operator) == before

    def test_open_inferences__full__commit_over_a_finalizable_batch__is_taken(
        self, chain: Chain, cheap: Network, operator: bytes
    ) -> None:
        before = cheap.commit(operator, count=5)
        set_lane(chain, cheap, operator, open_inferences=MOST_OPEN)
        chain.at(before.closes_at + ARCHIVE_DELAY).mine()

        cheap.commit(operator, count=5, over=before)

        assert cheap.lane(operator).open_inferences == MOST_OPEN

    def test_index__at_its_highest__is_the_last(
        self, chain: Chain, cheap: Network, operator: bytes
    ) -> None:
        set_lane(chain, cheap, operator, next_index=HIGHEST_INDEX)

        cheap.commit(operator, count=1)

        assert cheap.lane(operator).next_index == HIGHEST_INDEX + 1
        with reverts("BatchIndexOutOfRange", index=HIGHEST_INDEX + 1, highest=HIGHEST_INDEX):
            arguments = cheap.commitment(
                cheap.inferences(operator, 1, 0, chain.now + 900), HIGHEST_INDEX + 1, 7
            )
            chain.send(operator, "commit", arguments)

    def test_wrap__2_to_the_28_full_batches__does_not_free_the_stake(
        self,
        chain: Chain,
        network_owner: bytes,
        operator: bytes,
        other_operator: bytes,
        resolver: bytes,
    ) -> None:
        """Whoever passed 48 bits of open inferences had nothing locked, and took all coins."""
        victim = register(chain, network_owner, arbiter=resolver)
        victim.join(other_operator, stake=10**19)
        thief = register(
            chain,
            operator,
            salt=9,
            arbiter=resolver,
            stake_per_inference=1,
            challenge_bond=1,
            demand_bond=0,
            challenge_window=365 * 24 * 3600,
            response_window=1,
            ruling_window=1,
        )
        fund(chain, bytes(20), operator, 1 << 48)
        chain.send(operator, "stake", thief.id, 1 << 48)
        batches = 2**28 - 1
        set_lane(chain, thief, operator, open_inferences=batches * FULL, next_index=batches)

        with reverts("LaneFull", openInferences=1 << 48, highest=MOST_OPEN):
            leaves = thief.inferences(operator, 1, 0, chain.now + 900)
            arguments = thief.commitment(leaves, batches, 5, count=FULL)
            chain.send(operator, "commit", arguments)
        with reverts("InsufficientStake", stake=1 << 48):
            chain.send(operator, "unstake", thief.id, 1 << 48)
        assert thief.lane(operator).stake == 1 << 48


class TestNetwork:
    def test_committed__at_its_highest__is_taken(
        self, chain: Chain, cheap: Network, operator: bytes
    ) -> None:
        set_counter(chain, cheap, 0, MOST_COMMITTED - 5)

        cheap.commit(operator, count=5)

        assert cheap.totals().committed == MOST_COMMITTED

    def test_committed__above__reverts(self, chain: Chain, cheap: Network, operator: bytes) -> None:
        set_counter(chain, cheap, 0, MOST_COMMITTED - 5)

        with reverts("NetworkFull", committed=MOST_COMMITTED - 5, highest=MOST_COMMITTED):
            cheap.commit(operator, count=6)

    def test_full__what_is_open__still_ends(
        self, chain: Chain, cheap: Network, operator: bytes, challenger: bytes
    ) -> None:
        batch, other = (cheap.commit(operator, count=5, slot=slot) for slot in (0, 1))
        set_counter(chain, cheap, 0, MOST_COMMITTED)

        chain.send(challenger, "disprove", batch.pre_image(), batch.opening(0), REJECTED)
        chain.at(other.closes_at)
        chain.send(challenger, "finalize", [other.ref], cheap.id, operator)

        totals = cheap.totals()
        assert (totals.committed, totals.rejected, totals.unchallenged) == (MOST_COMMITTED, 5, 5)

    @pytest.mark.parametrize("over", [False, True], ids=["finalize", "commit over"])
    @pytest.mark.parametrize("outcome", Outcome)
    def test_counters__near_their_ends__do_not_carry(
        self,
        chain: Chain,
        cheap: Network,
        operator: bytes,
        challenger: bytes,
        outcome: Outcome,
        over: bool,
    ) -> None:
        """Every counter but the one that moves stays as it was."""
        batch = cheap.commit(operator, count=5)
        if outcome is Outcome.UNRESOLVED:
            batch = lapsed(chain, batch, challenger)
        elif outcome is not Outcome.UNCHALLENGED:
            evidence = (int(outcome), UPHELD)
            chain.send(challenger, "attest", batch.batch.abi(), batch.stamp.pack(), *evidence)
        highest = MOST_COMMITTED - 6
        for place in range(7):
            set_counter(chain, cheap, place, highest)
        before = cheap.totals()

        chain.at(batch.closes_at + ARCHIVE_DELAY).mine()
        if over:
            cheap.commit(operator, count=1, over=batch)
        else:
            chain.send(challenger, "finalize", [batch.ref], cheap.id, operator)

        moved = outcome.name.lower()
        for name in ("unchallenged", "audited", "enclave", "proven", "rejected", "unresolved"):
            assert getattr(cheap.totals(), name) == highest + 5 * (name == moved)
        assert cheap.totals().committed == highest + over
        assert cheap.totals().burned == before.burned

    def test_burned__near_its_end__does_not_carry(
        self, chain: Chain, cheap: Network, operator: bytes, challenger: bytes
    ) -> None:
        """154 bits, behind rejected and unresolved."""
        batch = cheap.commit(operator, count=5)
        burned = 2**154 - 99
        write_word(chain, counts_slot(cheap.id) + 1, losses_word(Totals(burned=burned)))
        assert cheap.totals().burned == burned

        chain.send(challenger, "disprove", batch.pre_image(), batch.opening(0), REJECTED)

        totals = cheap.totals()
        assert (totals.rejected, totals.unresolved, totals.burned) == (5, 0, burned + 3)


def lapsed(chain: Chain, batch: Committed, challenger: bytes) -> Committed:
    """Challenge a batch, and let the challenge lapse."""
    dispute = challenged(chain, batch, challenger)
    chain.at(dispute.due + 1)
    reopened = chain.send(challenger, "lapse", batch.pre_image(dispute)).events[-1]
    stamp = batch.stamp.closing_at(reopened.closes_at)
    return Committed(chain, batch.batch, stamp, batch.inferences, batch.tree, batch.mined)


class TestForfeit:
    """Stake covers what is open; were it short all the same, the batch would still be rejected."""

    def test_stake_short__takes_what_there_is(
        self, chain: Chain, cheap: Network, operator: bytes, challenger: bytes
    ) -> None:
        batch = cheap.commit(operator, count=5)
        set_lane(chain, cheap, operator, stake=3)
        before = cheap.credit(challenger)

        mined = chain.send(challenger, "disprove", batch.pre_image(), batch.opening(0), REJECTED)

        event = mined.events[-1]
        assert (event.reward, event.burned) == (1, 2)
        assert cheap.credit(challenger) == before + 1
        assert cheap.lane(operator).stake == 0
        assert cheap.totals().rejected == 5 and cheap.totals().burned == 2

    def test_open_short__clamps_at_zero(
        self, chain: Chain, cheap: Network, operator: bytes, challenger: bytes
    ) -> None:
        batch = cheap.commit(operator, count=5)
        before = set_lane(chain, cheap, operator, open_inferences=2)

        chain.send(challenger, "disprove", batch.pre_image(), batch.opening(0), REJECTED)

        lane = cheap.lane(operator)
        assert (lane.open_inferences, lane.stake) == (0, before.stake - 5)
        assert lane.next_index == before.next_index


class TestMaxBytes:
    @pytest.mark.parametrize("count", [1, FULL])
    def test_reveal__90_000_bytes__fit_into_a_transaction(
        self,
        chain: Chain,
        network_owner: bytes,
        operator: bytes,
        challenger: bytes,
        resolver: bytes,
        count: int,
    ) -> None:
        """Below 95,000 bytes of arguments (Nitro) and 2^24 gas, in the deepest tree too."""
        network = register(chain, network_owner, salt=4, arbiter=resolver, max_bytes=90_000)
        network.join(operator, stake=11 * FULL)
        big, answer = os.urandom(89_000), os.urandom(1000)
        leaf = replace(
            network.inferences(operator, 1, 0, chain.now + 900)[0],
            input_hash=keccak256(big),
            output_hash=keccak256(answer),
        )
        root, proof = leaf.leaf(), []
        for _ in range((count - 1).bit_length()):
            proof.append(b"\1" * 32)
            root = keccak256(root + proof[-1])
        arguments = network.commitment([leaf], 0, root=root, count=count)
        event = chain.send(operator, "commit", arguments).event(BatchCommitted)
        tree = Tree.from_leaves(hash_leaves([leaf]))
        batch = Batch(network.id, operator, 0, event.model_id, root, count, event.commit_deadline)
        held = Committed(chain, batch, event.stamp, [leaf], tree, None)
        dispute = demanded(chain, held, challenger, with_bytes=True)
        opening = (leaf.abi_leaf(), 0, proof)
        call = chain.registry.call("reveal", held.pre_image(dispute), opening, b"", big, answer)

        mined = chain.send_call(operator, call)

        assert len(call.data) < 95_000
        assert mined.gas_used < 2**24
        shown = mined.event(BytesRevealed)
        assert (shown.input, shown.output) == (big, answer)

    @pytest.mark.parametrize("max_bytes", [90_001, 1_000_000, 2**32 - 1])
    def test_register_network__more__reverts(
        self, chain: Chain, network: Network, network_owner: bytes, max_bytes: int
    ) -> None:
        rules = replace(network.rules, max_bytes=max_bytes).abi()

        with reverts("MaxBytesOutOfRange", maxBytes=max_bytes, highest=90_000):
            chain.send(network_owner, "registerNetwork", b"s" * 32, rules, ZERO32, "", "")
