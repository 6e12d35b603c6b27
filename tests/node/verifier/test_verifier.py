"""What a verifier does about a batch, round by round, on a real chain; all in one process.

audits      good batches, by k of n, through a shared folder or each other's nodes, once
wrong       challenged once, ruled on, reward claimed; found among 1 %
withheld    demanded once, timed out; data that come late are looked at
faults      order, deadline and repeats convicted; what nobody asked for, or is not there, demanded
others'     challenges ruled on or lapsed, demands timed out
"""

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import CreditError
from tallystick.actions.open_batch import demand
from tallystick.chain.committee import Committee
from tallystick.node.verifier.findings import FindingKind
from tallystick.node.verifier.process import serve_statements
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import Cause, Grade, Ruling, State
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.inference import Inference
from tallystick.storage.batch_store import BatchStore
from tests.node.verifier.stage import (
    BOND,
    GRIEFER,
    OPERATOR,
    VERIFIERS,
    LiveChain,
    Stage,
    reveal,
    rounds,
    stage,
)
from tests.support.story import REQUESTERS, Committed, fund, keep

POOR = 9
"""An account that has put nothing into the registry."""


def kinds(*verifiers: Verifier) -> dict[str, int]:
    """Moves made, by kind."""
    found: dict[str, int] = {}
    for verifier in verifiers:
        for kind, _, count in verifier.journal.made():
            found[kind] = found.get(kind, 0) + count
    return found


def all_of(staged: Stage, **changes: Any) -> list[Verifier]:
    return [staged.verifier(number, **changes) for number in VERIFIERS]


def found_kind(verifier: Verifier, batch: Committed) -> str:
    found = verifier.journal.finding(batch.id)
    assert found is not None
    return found.kind


# Audits


def test_tick__good_batch__attested_once(staged: Stage) -> None:
    batch = staged.commit(50)
    first, second, third = all_of(staged)

    first.tick()
    assert first.journal.finding(batch.id) is None  # The seed's block is to come.
    staged.seeded()
    rounds(first)
    assert staged.record(batch).grade is Grade.UNCHALLENGED
    rounds(second, third)

    assert staged.record(batch).grade is Grade.AUDITED
    assert kinds(first, second, third) == {"attest": 1}
    assert 15 <= first.journal.finding(batch.id).executed <= 24 + 16


def test_tick__folderless__signatures_come_from_peers(staged: Stage) -> None:
    batch = staged.commit(40)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    first = staged.verifier(VERIFIERS[0], share_folder="")
    peers = [f"http://127.0.0.1:{port}", "http://127.0.0.1:1"]
    second = staged.verifier(VERIFIERS[1], share_folder="", share_peers=peers)
    serve_statements(first, "127.0.0.1", port)
    staged.seeded()

    rounds(second)
    assert staged.record(batch).grade is Grade.UNCHALLENGED
    rounds(first, second)

    assert staged.record(batch).grade is Grade.AUDITED
    assert kinds(second) == {"attest": 1}


def test_tick__threshold_of_one__attested_alone(staged: Stage) -> None:
    batch = staged.commit(1)
    staged.seeded()
    first, second = all_of(staged)[:2]

    rounds(first, second)

    assert staged.record(batch).grade is Grade.AUDITED


def test_tick__no_member__audits_nothing(staged: Stage) -> None:
    batch = staged.commit(10)
    staged.seeded()
    verifier = staged.verifier(GRIEFER)

    rounds(verifier)

    assert found_kind(verifier, batch) == FindingKind.GOOD
    assert verifier.journal.audits() == 0


# Wrong


def test_tick__one_in_a_hundred_wrong__challenged_once_and_rejected(staged: Stage) -> None:
    batch = staged.commit(300, wrong=[7, 130, 222])
    credit = staged.network.credit(staged.chain.accounts[VERIFIERS[0]])
    verifiers = all_of(staged, drawn=300, claim_above=credit)
    staged.seeded()

    rounds(*verifiers)

    record = staged.record(batch)
    assert (record.state, record.cause) == (State.REJECTED, Cause.RULING)
    assert record.leaf_index in (7, 130, 222)
    assert found_kind(verifiers[0], batch) == FindingKind.WRONG
    made = kinds(*verifiers)
    assert (made["challenge"], made["resolve"]) == (1, 1)
    # The bond is back, and the reward has left the registry.
    assert made["withdraw"] == 1
    assert staged.network.credit(staged.chain.accounts[VERIFIERS[0]]) == credit


def test_tick__only_says__sends_nothing(staged: Stage) -> None:
    staged.commit(50, wrong=[1])
    staged.commit(20, kept=False)
    staged.commit(20)
    staged.seeded()
    before = staged.sent(VERIFIERS[0])
    verifier = staged.verifier(dry_run=True, drawn=50)

    rounds(verifier)

    assert kinds(verifier) == {"challenge": 1, "demand": 1}
    assert staged.sent(VERIFIERS[0]) == before


def test_tick__lapsed_challenge__not_challenged_again(staged: Stage) -> None:
    batch = staged.commit(50, wrong=[1])
    staged.seeded()
    verifier = staged.verifier(drawn=50)

    rounds(verifier)
    assert staged.record(batch).state is State.DISPUTED
    staged.later(2 * 3600 + 100)
    rounds(verifier)

    record = staged.record(batch)
    assert (record.state, record.lapsed) == (State.OPEN, True)
    assert kinds(verifier) == {"challenge": 1, "lapse": 1}


def test_tick__journal_lost_after_a_lapse__not_challenged_again(staged: Stage) -> None:
    batch = staged.commit(50, wrong=[1])
    staged.seeded()
    rounds(staged.verifier(drawn=50))
    staged.later(2 * 3600 + 100)
    rounds(staged.verifier())
    assert staged.record(batch).lapsed

    born = staged.verifier(name="another folder", drawn=50)
    rounds(born)

    assert found_kind(born, batch) == FindingKind.WRONG
    assert kinds(born) == {}


@pytest.mark.parametrize("limit", [{"spending_cap_per_day": BOND - 1}, {"gas_price_cap": 1}])
def test_tick__over_a_limit__sends_nothing_until_it_is_raised(
    staged: Stage, limit: dict[str, int]
) -> None:
    batch = staged.commit(50, wrong=[1])
    staged.seeded()
    before = staged.sent(VERIFIERS[0])

    rounds(staged.verifier(drawn=50, **limit))
    assert staged.sent(VERIFIERS[0]) == before

    rounds(staged.verifier(drawn=50))
    assert staged.record(batch).state is State.DISPUTED


def test_tick__spent_for_the_day__goes_on_the_day_after(staged: Stage) -> None:
    first, second = staged.commit(50, wrong=[1]), staged.commit(50, wrong=[1])
    staged.seeded()
    verifier = staged.verifier(drawn=50, spending_cap_per_day=BOND * 3 // 2)

    rounds(verifier)

    disputed = [staged.record(one).state is State.DISPUTED for one in (first, second)]
    assert sorted(disputed) == [False, True]
    spent = verifier.outbox.spent(verifier.watch.now)
    assert BOND < spent[bytes(20)] < BOND * 3 // 2
    staged.later(3600)
    rounds(verifier)
    assert kinds(verifier)["challenge"] == 1
    assert verifier.outbox.spent(verifier.watch.now + 90_000) == {}


def test_tick__no_credit_for_a_bond__told_and_challenged_once_there_is(staged: Stage) -> None:
    batch = staged.commit(50, wrong=[1])
    staged.seeded()
    verifier = staged.verifier(POOR, drawn=50, look_every=600.0)

    with capture_logs() as told:
        rounds(verifier)
    assert [one["event"] for one in told if one["log_level"] == "warning"] == [
        "no credit for a bond"
    ]
    assert kinds(verifier) == {}
    fund(staged.chain, ZERO_ADDRESS, staged.chain.accounts[POOR], BOND)
    rounds(verifier)

    assert staged.record(batch).state is State.DISPUTED
    assert kinds(verifier) == {"challenge": 1}


def test_call__no_credit__says_how_much_there_is_and_how_much_is_needed(staged: Stage) -> None:
    batch = staged.commit(50)
    watch = staged.verifier(POOR).watch
    watch.sync()

    with pytest.raises(CreditError, match="has credit 0; the demand bond is") as raised:
        watch.call(lambda view: demand(view, watch.registry, batch.id, 3, with_bytes=False))

    error = raised.value
    assert (error.sender, error.credit, error.needed) == (checksummed(watch.address), 0, BOND // 10)


# Withheld


def test_tick__no_data__demanded_once_then_timed_out(staged: Stage) -> None:
    batch = staged.commit(30, kept=False)
    verifier = staged.verifier()
    staged.seeded()

    rounds(verifier)
    assert staged.record(batch).state is State.DISPUTED
    staged.later(3700)
    rounds(verifier)

    record = staged.record(batch)
    assert (record.state, record.cause) == (State.REJECTED, Cause.TIMEOUT)
    assert kinds(verifier) == {"demand": 1, "timeout": 1}


def test_tick__data_come_late__looked_at_then(staged: Stage) -> None:
    batch = staged.commit(30, kept=False)
    verifier = staged.verifier(missing_after=600.0)
    staged.seeded()

    rounds(verifier)
    assert found_kind(verifier, batch) == FindingKind.WITHHELD
    keep(staged.store, batch)
    rounds(verifier)

    assert found_kind(verifier, batch) == FindingKind.GOOD
    assert kinds(verifier) == {}


def test_tick__withheld_and_wrong__convicted_by_what_was_revealed(staged: Stage) -> None:
    batch = staged.commit(30, wrong=range(30), kept=False)
    staged.seeded()
    verifiers = all_of(staged)

    rounds(*verifiers)
    index = staged.record(batch).dispute.leaf_index
    reveal(staged, batch)
    rounds(*verifiers)

    record = staged.record(batch)
    assert (record.cause, record.leaf_index) == (Cause.RULING, index)
    assert found_kind(verifiers[0], batch) == FindingKind.WRONG
    assert kinds(*verifiers)["challenge"] == 1


def test_tick__withheld_and_right__revealed_leaf_is_no_audit(staged: Stage) -> None:
    batch = staged.commit(30, kept=False)
    staged.seeded()
    verifiers = all_of(staged)

    rounds(*verifiers)
    reveal(staged, batch)
    rounds(*verifiers)

    assert found_kind(verifiers[0], batch) == FindingKind.WITHHELD
    assert [one.journal.audits() for one in verifiers] == [0, 0, 0]
    assert set(kinds(*verifiers)) == {"demand"}


def test_tick__model_from_a_store__pulled(staged: Stage) -> None:
    from tallystick.demo.digits.model import FILE, RUNNER
    from tallystick.storage.models.store import ModelStore

    kept = staged.folder / "kept"
    pushed = ModelStore(str(kept)).push(FILE, staged.spec_hash)
    assert pushed
    source = {"id": "0x" + staged.network.model_id.hex(), "runner": RUNNER}
    batch = staged.commit(30, wrong=[4])
    staged.seeded()
    missing = staged.verifier(
        VERIFIERS[1], models=[source], model_stores=[str(staged.folder / "no")]
    )
    verifier = staged.verifier(models=[source], model_stores=[str(kept)], drawn=30)

    rounds(missing, verifier)

    assert missing.journal.finding(batch.id) is None
    assert missing.failures
    assert found_kind(verifier, batch) == FindingKind.WRONG


def test_tick__two_demands_allowed__another_leaf_the_second_time(staged: Stage) -> None:
    batch = staged.commit(30, kept=False)
    staged.seeded()
    verifier = staged.verifier(demands_per_batch=2)
    indices = []

    for _ in range(3):
        rounds(verifier)
        record = staged.record(batch)
        if record.dispute is not None:
            indices.append(record.dispute.leaf_index)
            reveal(staged, batch)

    assert len(set(indices)) == len(indices) == 2
    assert kinds(verifier) == {"demand": 2}


# Faults


def test_tick__out_of_order__convicted(staged: Stage) -> None:
    def swapped(leaves: list[Inference]) -> list[Inference]:
        first, second, *rest = leaves
        pair = replace(first, nonce=second.nonce), replace(second, nonce=first.nonce)
        return [*pair, *rest]

    assert_convicted(staged, swapped, Cause.ORDER)


def test_tick__deadline_out_of_range__convicted(staged: Stage) -> None:
    def late(leaves: list[Inference]) -> list[Inference]:
        return [*leaves[:-1], replace(leaves[-1], deadline=leaves[-1].deadline + 10**6)]

    assert_convicted(staged, late, Cause.DEADLINE)


def test_tick__counted_before__convicted(staged: Stage) -> None:
    first = staged.commit(10)

    def again(leaves: list[Inference]) -> list[Inference]:
        return [replace(leaves[0], nonce=first.inferences[3].nonce), *leaves[1:]]

    batch = assert_convicted(staged, again, Cause.REPEAT)
    assert staged.record(first).state is State.OPEN
    assert staged.record(batch).leaf_index == 0


def test_tick__out_of_order_behind_an_unsigned_leaf__convicted_at_once(staged: Stage) -> None:
    def both(leaves: list[Inference]) -> list[Inference]:
        return [replace(leaves[0], requester=REQUESTERS[0], nonce=1), *leaves[1:]]

    batch = staged.commit(10, shape=both, kept=False)
    _forged(staged, batch)
    staged.seeded()
    verifier = staged.verifier()

    rounds(verifier)

    record = staged.record(batch)
    assert (record.cause, record.leaf_index) == (Cause.ORDER, 1)
    assert kinds(verifier) == {"faultOrder": 1}


def test_tick__out_of_order_and_short__convicted_at_once(staged: Stage) -> None:
    def swapped(leaves: list[Inference]) -> list[Inference]:
        first, second, *rest = leaves
        pair = replace(first, nonce=second.nonce), replace(second, nonce=first.nonce)
        return [*pair, *rest]

    assert_convicted(staged, swapped, Cause.ORDER, claimed=14)


def assert_convicted(
    staged: Stage,
    shape: Callable[[list[Inference]], list[Inference]],
    cause: Cause,
    claimed: int | None = None,
) -> Committed:
    batch = staged.commit(10, claimed=claimed, shape=shape)
    staged.seeded()
    verifier = staged.verifier()
    rounds(verifier)
    assert staged.record(batch).cause is cause
    assert sum(kinds(verifier).values()) == 1
    return batch


def test_tick__requester_did_not_sign__that_leaf_demanded(staged: Stage) -> None:
    def signed_for(leaves: list[Inference]) -> list[Inference]:
        # Of a requester whose signature over another input is kept.
        return [*leaves[:-1], replace(leaves[-1], requester=REQUESTERS[0], nonce=1)]

    batch = staged.commit(10, shape=signed_for, kept=False)
    records = BatchData.load(_forged(staged, batch), staged.record(batch)).records
    assert records[-1].signature
    assert_demanded(staged, batch, 9)


def test_tick__unsolicited_nonce_of_another_place__that_leaf_demanded(staged: Stage) -> None:
    def skipped(leaves: list[Inference]) -> list[Inference]:
        return [*leaves[:-1], replace(leaves[-1], nonce=leaves[-1].nonce + 1)]

    assert_demanded(staged, staged.commit(10, shape=skipped), 9)


def test_tick__fewer_leaves_than_counted__a_missing_one_demanded(staged: Stage) -> None:
    assert_demanded(staged, staged.commit(10, claimed=14), 10)


def test_tick__more_leaves_than_any_proof_can_show__the_first_demanded(staged: Stage) -> None:
    assert_demanded(staged, staged.commit(10, claimed=5), 0)


def test_tick__leaves_beyond_those_counted__left_alone(staged: Stage) -> None:
    batch = staged.commit(10, claimed=9)
    staged.seeded()
    verifier = staged.verifier()

    rounds(verifier)

    assert found_kind(verifier, batch) == FindingKind.OVERFULL
    assert kinds(verifier) == {}


@pytest.mark.parametrize("claimed", [10, 14])
def test_tick__demands_never__no_bond_is_paid(staged: Stage, claimed: int) -> None:
    def skipped(leaves: list[Inference]) -> list[Inference]:
        return [*leaves[:-1], replace(leaves[-1], nonce=leaves[-1].nonce + 1)]

    batch = staged.commit(10, shape=skipped, claimed=claimed)
    staged.seeded()
    verifier = staged.verifier(demands="never")

    rounds(verifier)

    expected = FindingKind.UNSIGNED if claimed == 10 else FindingKind.SHORT
    assert found_kind(verifier, batch) == expected
    assert staged.record(batch).state is State.OPEN
    assert kinds(verifier) == {}


def assert_demanded(staged: Stage, batch: Committed, index: int) -> None:
    staged.seeded()
    verifier = staged.verifier()
    rounds(verifier)
    dispute = staged.record(batch).dispute
    assert dispute is not None
    assert (dispute.leaf_index, kinds(verifier)) == (index, {"demand": 1})


def _forged(staged: Stage, batch: Committed) -> BatchStore:
    from tallystick.protocol.record import InferenceRecord

    records = [
        InferenceRecord(
            one.input_hash,
            one.output_hash,
            one.requester,
            one.nonce,
            one.deadline,
            signature=bytes([1] * 64 + [27]) if one.solicited else b"",
            input=data,
            output=output,
        )
        for one, data, output in zip(batch.inferences, batch.inputs, batch.outputs, strict=True)
    ]
    store = BatchStore(str(staged.store))
    store.put(batch.batch.model_id, batch.batch.operator, records)
    return store


# Others' disputes


def griefed(staged: Stage, batch: Committed, index: int = 2) -> None:
    arguments = batch.batch.abi(), batch.stamp.pack(), batch.opening(index)
    staged.chain.send(staged.chain.accounts[GRIEFER], "challenge", *arguments)


def test_tick__good_leaf_challenged__upheld_by_the_committee(staged: Stage) -> None:
    batch = staged.commit(30)
    griefed(staged, batch)
    staged.seeded()
    verifiers = all_of(staged)

    rounds(*verifiers)

    record = staged.record(batch)
    assert (record.state, record.grade) == (State.OPEN, Grade.AUDITED)
    assert kinds(*verifiers)["resolve"] == 1


def test_tick__one_member__cannot_rule_and_lets_it_lapse(staged: Stage) -> None:
    batch = staged.commit(30)
    griefed(staged, batch)
    staged.seeded()
    verifier = staged.verifier()

    rounds(verifier)
    assert staged.record(batch).state is State.DISPUTED
    staged.later(2 * 3600 + 100)
    rounds(verifier)

    assert staged.record(batch).lapsed
    assert kinds(verifier) == {"lapse": 1}


def test_tick__anothers_demand_unanswered__timed_out(staged: Stage) -> None:
    batch = staged.commit(30)
    arguments = batch.batch.abi(), batch.stamp.pack(), 5, False
    staged.chain.send(staged.chain.accounts[GRIEFER], "demand", *arguments)
    verifier = staged.verifier()
    staged.later(3700)

    rounds(verifier)

    assert staged.record(batch).cause is Cause.TIMEOUT


def test_state__two_verdicts_on_one_leaf__the_first_stays(staged: Stage) -> None:
    from tallystick.protocol.committee import Verdict

    (membership, _) = staged.verifier().watch.memberships
    first = membership.state(Verdict(bytes(32), 1, bytes(32), Ruling.UPHELD))
    second = membership.state(Verdict(bytes(32), 1, bytes(32), Ruling.REJECTED))
    assert first is not None
    assert second == first


def test_tick__own_batches__left_alone(staged: Stage) -> None:
    batch = staged.commit(30, wrong=[1])
    staged.seeded()
    verifier = staged.verifier(OPERATOR)

    rounds(verifier)

    assert verifier.journal.finding(batch.id) is None


def test_tick__audited_and_disproved__signers_lose_their_stake(
    shared_chain: LiveChain, tmp_path: Path
) -> None:
    with shared_chain.isolated():
        arbiter = bytes.fromhex(shared_chain.deploy("MockResolver").address[2:])
        staged = stage(shared_chain, tmp_path, arbiter=arbiter)
        batch = staged.commit(20)
        staged.seeded()
        rounds(*all_of(staged)[:2])
        assert staged.record(batch).grade is Grade.AUDITED
        pre_image = staged.record(batch).pre_image.abi()
        evidence = int(Ruling.REJECTED).to_bytes(32, "big")
        staged.chain.send(
            staged.chain.accounts[GRIEFER], "disprove", pre_image, batch.opening(3), evidence
        )

        # One who signed does not convict itself.
        signer, bystander = staged.verifier(), staged.verifier(GRIEFER)
        rounds(signer)
        assert "convict" not in kinds(signer)
        rounds(bystander)

        assert kinds(bystander) == {"convict": 1}
        committee = Committee(staged.chain.w3, staged.committee.address)
        assert [member.stake > 0 for member in committee.members()] == [False, False, True]
