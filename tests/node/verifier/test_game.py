"""A network that a replay game judges: a verifier's node challenges wrong leaves and plays.

wrong leaf   its output, its traceRoot, its input's root: convicted, by four moves at most
alone        what needs no game is disproved without a bond
silence      of the operator's, at each of its turns: claimed
right leaf   left alone; a challenge that its account made by hand is not played
crashes      what the journal knew may be lost between any two moves; kill -9 at any time
obstacles    no time, no money, a model too large: no bond is put up
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tallystick.chain.fees import GasPrice
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.enums import Cause, State
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.replay.game import GAME_SPEC_ID, GameTrace
from tallystick.replay.model import Model
from tests.node.verifier.killing import kill_until
from tests.node.verifier.stage import OPERATOR, VERIFIERS, Stage, mined, rounds
from tests.support.plain_qi8 import dense
from tests.support.replay import random_net
from tests.support.replay_game import model_of
from tests.support.replay_play import DATA, MODEL, WINDOW, Match, Table, found, trace
from tests.support.story import RULES, Committed, keep

TRUE = trace()
OWNER, VERIFIER = 1, VERIFIERS[0]


@pytest.fixture
def table(staged: Stage) -> Table:
    accounts = staged.chain.accounts
    return found(staged.chain, *(accounts[one] for one in (OWNER, OPERATOR, VERIFIER)))


def commit(staged: Stage, table: Table, own: GameTrace, **changes: Any) -> Committed:
    batch = table.commit(staged.chain.accounts[OPERATOR], own, 3, **changes)
    if "input_hash" in changes:
        batch.inputs = [b"short"] * 3
    if "output_hash" in changes:
        batch.outputs = [TRUE.trees[-1].data[::-1]] * 3
    keep(staged.store, batch)
    return batch


def node(
    staged: Stage, table: Table, name: str = "", model: Model = MODEL, **changes: Any
) -> Verifier:
    settings = sources(staged, table, model) | changes
    return staged.verifier(VERIFIER, name, **settings)


def sources(staged: Stage, table: Table, model: Model = MODEL) -> dict[str, Any]:
    file = staged.folder / "net.qi8"
    file.write_bytes(model.to_bytes())
    source = {"id": "0x" + table.network.model_id.hex(), "file": str(file), "runner": "qi8"}
    return {"models": [source], "committees": []}


def answer(match: Match, theirs: GameTrace, ours: GameTrace = TRUE) -> None:
    """Make the move that is the operator's, if it is."""
    state = match.state
    if state["phase"] == 1:
        match.answer(theirs, ours)
    elif state["phase"] == 3:
        match.show(theirs.show(state["tensor"], state["chunk"]))


def played(
    staged: Stage,
    table: Table,
    batch: Committed,
    theirs: GameTrace,
    one: Verifier,
    ours: GameTrace = TRUE,
) -> Any:
    """Have both sides play until the batch is over; returns what the chain says of it."""
    for _ in range(8):
        rounds(one, count=1)
        record = staged.record(batch)
        if record.state is State.REJECTED:
            break
        if record.dispute is not None:
            answer(table.standing(batch), theirs, ours)
    return record


def moves(one: Verifier) -> list[str]:
    """What it sent, in the order of the alphabet; each was mined, and once."""
    assert all(status == "mined" and count == 1 for _, status, count in one.journal.made())
    return [name for name, _, _ in one.journal.made()]


def untold(tensor: int) -> GameTrace:
    """A trace with a lie that nothing follows from: the output is right."""
    trees = list(TRUE.trees)
    lie = trace({tensor: 3}).trees[tensor].data
    tensors = [lie if place == tensor else tree.data for place, tree in enumerate(trees)]
    return GameTrace.of_tensors(MODEL, tensors)


@pytest.mark.parametrize(
    "theirs",
    [trace({2: 1100}), trace({7: 9}), untold(4)],
    ids=["convolution", "output", "traceRoot alone"],
)
def test_tick__wrong_leaf__convicted_in_four_moves(
    staged: Stage, table: Table, theirs: GameTrace
) -> None:
    batch = commit(staged, table, theirs)
    one = node(staged, table)

    record = played(staged, table, batch, theirs, one)

    assert (record.state, record.cause) == (State.REJECTED, Cause.RULING)
    assert moves(one) == ["challenge", "choose", "open", "proveElement"]
    assert table.network.totals().rejected == 3


def test_tick__model_that_no_transaction_holds__convicted_in_four_moves(staged: Stage) -> None:
    net = random_net([dense(4096, 256, zw=128, zy=90), dense(256, 10, zw=128, zy=90)], seed=6)
    model, data = model_of(net), bytes(range(256)) * 16
    assert len(model.rows) > 1 << 20
    true = GameTrace.of(model, data)
    tensors = [tree.data for tree in true.trees]
    tensors[1] = tensors[1][:200] + bytes([tensors[1][200] ^ 1]) + tensors[1][201:]
    theirs = GameTrace.of_tensors(model, tensors)
    people = (staged.chain.accounts[one] for one in (OWNER, OPERATOR, VERIFIER))
    table = found(staged.chain, *people, model=model, data=data)
    batch = commit(staged, table, theirs)
    one = node(staged, table, model=model)

    record = played(staged, table, batch, theirs, one, true)

    assert (record.state, record.cause) == (State.REJECTED, Cause.RULING)
    assert moves(one) == ["challenge", "choose", "open", "proveElement"]


def test_tick__trace_of_another_input__convicted_by_the_input(staged: Stage, table: Table) -> None:
    theirs = trace(data=bytes(len(DATA)))
    batch = commit(staged, table, theirs)
    one = node(staged, table)

    record = played(staged, table, batch, theirs, one)

    assert record.cause is Cause.RULING
    assert moves(one) == ["challenge", "open", "proveInput"]


def test_tick__output_of_no_trace__convicted_by_the_output(staged: Stage, table: Table) -> None:
    batch = commit(staged, table, TRUE, output_hash=keccak256(TRUE.trees[-1].data[::-1]))
    one = node(staged, table)

    record = played(staged, table, batch, TRUE, one)

    assert record.cause is Cause.RULING
    assert moves(one) == ["challenge", "open", "proveOutput"]


@pytest.mark.parametrize(
    "changes", [{"trace_root": ZERO32}, {"input_hash": keccak256(b"short")}], ids=["trace", "input"]
)
def test_tick__wrong_without_a_game__disproved(
    staged: Stage, table: Table, changes: dict[str, bytes]
) -> None:
    batch = commit(staged, table, TRUE, **changes)
    one = node(staged, table)

    rounds(one)

    assert staged.record(batch).cause is Cause.DISPROOF
    assert moves(one) == ["disprove"]


@pytest.mark.parametrize("answers", [0, 1])
def test_tick__operator_is_silent__claimed_when_its_time_is_over(
    staged: Stage, table: Table, answers: int
) -> None:
    theirs = trace({2: 1100})
    batch = commit(staged, table, theirs)
    one = node(staged, table)
    rounds(one, count=3)
    for _ in range(answers):
        answer(table.standing(batch), theirs)
        rounds(one, count=2)
    staged.later(WINDOW - 60)
    rounds(one)
    assert staged.record(batch).state is State.DISPUTED

    staged.later(120)
    rounds(one)

    assert staged.record(batch).cause is Cause.RULING
    assert moves(one)[:2] == ["challenge", "choose"] if answers else ["challenge", "claim"]
    assert "claim" in moves(one)


def test_tick__right_leaf__left_alone(staged: Stage, table: Table) -> None:
    batch = commit(staged, table, TRUE)
    one = node(staged, table)

    rounds(one)

    assert one.journal.finding(batch.id).kind == "good"
    assert (staged.record(batch).state, moves(one)) == (State.OPEN, [])


def test_tick__challenged_by_hand_without_cause__not_played(staged: Stage, table: Table) -> None:
    batch = commit(staged, table, TRUE)
    match = table.challenge(batch, staged.chain.accounts[VERIFIER])
    one = node(staged, table)

    rounds(one)

    assert (match.state["phase"], moves(one)) == (0, [])


def test_tick__journal_lost_between_moves__goes_on_where_the_chain_is(
    staged: Stage, table: Table
) -> None:
    theirs = trace({4: 3839})
    batch = commit(staged, table, theirs)
    made: list[str] = []
    for number in range(8):
        one = node(staged, table, f"life {number}")
        rounds(one, count=2)
        made += moves(one)
        if staged.record(batch).state is State.REJECTED:
            break
        answer(table.standing(batch), theirs)

    assert staged.record(batch).cause is Cause.RULING
    assert sorted(made) == ["challenge", "choose", "open", "proveElement"]


def test_kill__at_random_times__each_move_once(staged: Stage, table: Table) -> None:
    theirs = trace({6: 0})
    batch = commit(staged, table, theirs)
    before = staged.sent(VERIFIER)

    def over() -> bool:
        record = staged.record(batch)
        if record.dispute is not None:
            answer(table.standing(batch), theirs)
        return record.state is State.REJECTED

    kill_until(over, staged, numbers=(VERIFIER,), **sources(staged, table))

    assert staged.record(batch).cause is Cause.RULING
    assert staged.sent(VERIFIER) - before == 4


def test_tick__other_batches_take_long__a_game_does_not_wait_for_them(
    staged: Stage, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = trace({2: 1100})
    batch = commit(staged, table, theirs)
    one = node(staged, table)
    rounds(one, count=3)
    answer(table.standing(batch), theirs)
    phases: list[int] = []

    def look(open_batch: Any) -> None:
        mined(one)
        phases.append(table.standing(batch).state["phase"])

    monkeypatch.setattr(one._inspector, "found", look)
    one.tick()

    assert phases == [3]


@pytest.fixture
def obstructed(staged: Stage) -> Callable[..., tuple[Verifier, Committed]]:
    """A node after some rounds before a wrong leaf; rules and settings by name."""

    def run(rules: dict[str, int], **changes: Any) -> tuple[Verifier, Committed]:
        accounts = staged.chain.accounts
        table = found(
            staged.chain, *(accounts[one] for one in (OWNER, OPERATOR, VERIFIER)), salt=9, **rules
        )
        batch = commit(staged, table, trace({2: 1100}))
        one = node(staged, table, **changes)
        rounds(one)
        return one, batch

    return run


def test_tick__windows_too_short_for_a_game__no_bond_is_put_up(
    staged: Stage, obstructed: Callable[..., tuple[Verifier, Committed]]
) -> None:
    one, batch = obstructed({"ruling_window": 5 * WINDOW - 1})

    assert one.journal.finding(batch.id).kind == "wrong"
    assert (staged.record(batch).state, moves(one)) == (State.OPEN, [])


def test_tick__game_of_another_registry__no_bond_is_put_up(
    staged: Stage, obstructed: Callable[..., tuple[Verifier, Committed]]
) -> None:
    elsewhere = staged.chain.deploy("ReplayGame", checksummed(staged.committee.address))
    one, batch = obstructed({"arbiter": bytes.fromhex(elsewhere.address[2:])})

    assert one.journal.finding(batch.id).kind == "wrong"
    assert (staged.record(batch).state, moves(one)) == (State.OPEN, [])


def test_tick__committee_is_the_arbiter__rules_on_a_wrong_trace(staged: Stage) -> None:
    assert staged.judges is not None
    judges = staged.judges.address
    people = (staged.chain.accounts[one] for one in (OWNER, OPERATOR, VERIFIER))
    table = found(staged.chain, *people, arbiter=judges)
    batch = commit(staged, table, untold(4))
    settings = sources(staged, table) | {"committees": [to_hex(judges)]}
    members = [staged.verifier(number, **settings) for number in VERIFIERS]

    rounds(*members, count=8)

    assert staged.record(batch).cause is Cause.RULING


def test_tick__budget_holds_the_bond_and_not_the_moves__no_bond_is_put_up(
    staged: Stage, obstructed: Callable[..., tuple[Verifier, Committed]]
) -> None:
    # The challenge alone takes less than half of it.
    cap = RULES.challenge_bond + 250_000 * GasPrice.now(staged.chain.w3).fees().most
    one, batch = obstructed({}, spending_cap_per_day=cap)

    assert (staged.record(batch).state, moves(one)) == (State.OPEN, [])


def test_tick__largest_element_fits_no_transaction__no_bond_is_put_up(
    staged: Stage,
    obstructed: Callable[..., tuple[Verifier, Committed]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tallystick.replay.provable.MAX_TRANSACTION", 4_000)
    one, batch = obstructed({})

    assert (staged.record(batch).state, moves(one)) == (State.OPEN, [])


def test_rerun__another_model__not_run(staged: Stage, table: Table) -> None:
    batch = commit(staged, table, trace({2: 1100}))
    settings = sources(staged, table)
    rows = bytearray(MODEL.rows)
    rows[-1] ^= 1
    Path(settings["models"][0]["file"]).write_bytes(replace(MODEL, rows=bytes(rows)).to_bytes())
    one = staged.verifier(VERIFIER, **settings)

    one.tick()

    assert one.failures == 1
    assert one.journal.finding(batch.id) is None
    assert staged.chain.ledger().models[table.network.model_id].spec_hash == GAME_SPEC_ID
