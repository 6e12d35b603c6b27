"""Whole replay games: who wins, by which move, and that no other move ends one.

wrong operator      a lie in any tensor, the input's root, the output's hash: convicted
honest operator     any other roots, chunk or proof: keeps its stake, gets half the bond
silence             of either side, at every turn; never opened
clocks              the last second of each turn, and the next
moves               out of turn, by others, of another leaf, model, roots, chunk; after the end
rule                outside of a game's end, without a game
"""

from dataclasses import replace

import pytest

from tallystick.protocol.enums import Cause
from tallystick.protocol.events import BatchRejected, ChallengeUpheld
from tallystick.protocol.keccak import keccak256
from tallystick.replay.game import NONE
from tallystick.replay.opening import path_to
from tests.support.chain import Chain, reverts
from tests.support.replay_game import element as element_at
from tests.support.replay_play import (
    DATA,
    NET,
    RULING,
    WINDOW,
    Table,
    convicted,
    finish,
    found,
    trace,
    upheld,
)
from tests.support.story import RULES

TRUE = trace()
LIES = {
    "first step": {1: 2559},
    "convolution": {2: 1100},
    "recall": {3: 5},
    "concat": {4: 3839},
    "sum": {6: 0},
    "output": {7: 9},
    "two tensors": {2: 1, 5: 1279},
}


@pytest.fixture
def table(chain: Chain, network_owner: bytes, operator: bytes, challenger: bytes) -> Table:
    return found(chain, network_owner, operator, challenger)


@pytest.mark.parametrize("lies", LIES.values(), ids=LIES)
def test_game__wrong_tensor__is_convicted_in_four_moves(
    table: Table, operator: bytes, challenger: bytes, lies: dict[int, int]
) -> None:
    theirs = trace(lies)
    credit = table.network.credit(challenger)
    match = table.challenge(table.commit(operator, theirs, count=4), challenger, 2)

    match.until(4, theirs, TRUE)
    assert match.state["tensor"] == min(lies)
    mined = finish(match, theirs, TRUE)

    convicted(table, mined, challenger, 4)
    slash = 4 * RULES.stake_per_inference
    assert table.network.credit(challenger) == credit + slash // 2
    assert match.state["phase"] == 0


def test_game__trace_of_another_input__is_convicted_by_the_input(
    table: Table, operator: bytes, challenger: bytes
) -> None:
    theirs = trace(data=bytes(len(DATA)))
    match = table.challenge(table.commit(operator, theirs), challenger)
    match.until(2, theirs, TRUE)

    with reverts("TensorMismatch", tensor=0):
        match.choose(0, path_to(theirs.trees[0].levels[0], 0))
    with reverts("TensorMismatch", tensor=0):
        match.prove_bytes("proveOutput", TRUE.trees[-1].data)
    for other in (bytes(len(DATA)), DATA[:-1], b""):
        with reverts("HashMismatch"):
            match.prove_bytes("proveInput", other)

    convicted(table, match.prove_bytes("proveInput", DATA), challenger)


def test_game__output_of_no_trace__is_convicted_by_the_output(
    table: Table, operator: bytes, challenger: bytes
) -> None:
    batch = table.commit(operator, TRUE, output_hash=keccak256(bytes(10)))
    match = table.challenge(batch, challenger)
    match.until(2, TRUE, TRUE)
    assert match.state["tensor"] == NONE

    with reverts("TensorMismatch", tensor=NONE):
        match.choose(0, ())
    with reverts("TensorMismatch", tensor=NONE):
        match.prove_bytes("proveInput", DATA)
    for other in (bytes(10), TRUE.trees[-1].data + b"\0", b""):
        with reverts("HashMismatch"):
            match.prove_bytes("proveOutput", other)

    mined = match.prove_bytes("proveOutput", TRUE.trees[-1].data)
    convicted(table, mined, challenger)


@pytest.mark.parametrize("lies", LIES.values(), ids=LIES)
def test_game__honest_operator__keeps_its_stake_whatever_is_claimed(
    table: Table, operator: bytes, challenger: bytes, lies: dict[int, int]
) -> None:
    ours = trace(lies)
    match = table.challenge(table.commit(operator, TRUE), challenger)
    match.until(4, TRUE, ours)

    state = match.state
    shown = TRUE.show(state["tensor"], state["chunk"])
    for offset in range(0, len(shown), 97):
        place = 1024 * state["chunk"] + offset
        element = element_at(TRUE, state["tensor"] - 1, place)
        with reverts("NotWrong"):
            match.prove(TRUE, TRUE.roots, shown, offset, element)
    # What the challenger's own trace would show is under none of the operator's roots.
    offset, element = ours.prove(state["tensor"], state["chunk"], shown)
    with reverts("NotWrong"):
        match.prove(ours, TRUE.roots, shown, offset, element)
    with reverts("RootsMismatch"):
        match.prove(ours, ours.roots, shown, offset, element)
    with reverts("ChunkMismatch"):
        own = ours.show(state["tensor"], state["chunk"])
        match.prove(ours, TRUE.roots, own, offset, element)

    table.chain.at(state["due"] + 1)
    upheld(table, match.claim(operator))


def test_game__honest_operator_whose_input_or_output_is_doubted__keeps_its_stake(
    table: Table, operator: bytes, challenger: bytes
) -> None:
    for theirs, name, right in (
        (trace(data=bytes(len(DATA))), "proveInput", DATA),
        (TRUE, "proveOutput", TRUE.trees[-1].data),
    ):
        with table.chain.isolated():
            match = table.challenge(table.commit(operator, TRUE), challenger)
            match.until(2, TRUE, theirs)
            with reverts("NotWrong"):
                match.prove_bytes(name, right)
            table.chain.at(match.state["due"] + 1)
            upheld(table, match.claim())


THEIRS = trace(LIES["convolution"])
OPERATORS = (1, 3)


@pytest.mark.parametrize("phase", range(5))
def test_claim__of_silence__is_for_the_other_side(
    table: Table, operator: bytes, challenger: bytes, stranger: bytes, phase: int
) -> None:
    match = table.challenge(table.commit(operator, THEIRS), challenger)
    match.until(phase, THEIRS, TRUE)
    due = match.state["due"] if phase else match.dispute.due - 4 * WINDOW - WINDOW // 2
    if phase == 0:
        assert due == match.since + RULING - 4 * WINDOW - WINDOW // 2

    table.chain.at(due)
    with reverts("ClaimTooEarly", due=due):
        match.claim(stranger)
    table.chain.at(due + 1)
    mined = match.claim(stranger)

    if phase in OPERATORS:
        convicted(table, mined, challenger)
    else:
        upheld(table, mined)
    with reverts("NoChallenge"):
        match.claim(stranger)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("phase", range(5))
def test_move__in_the_last_second__counts_and_not_in_the_next(
    table: Table, operator: bytes, challenger: bytes, phase: int, late: bool
) -> None:
    match = table.challenge(table.commit(operator, THEIRS), challenger)
    match.until(phase, THEIRS, TRUE)
    due = match.state["due"] if phase else match.dispute.due - 4 * WINDOW - WINDOW // 2
    tensor = match.state["tensor"]
    moves = (
        lambda: match.open(TRUE),
        lambda: match.answer(THEIRS, TRUE),
        lambda: match.choose(*TRUE.choose(tensor, THEIRS.trees[tensor].levels[0])),
        lambda: match.show(THEIRS.show(tensor, match.state["chunk"])),
        lambda: finish(match, THEIRS, TRUE),
    )

    table.chain.at(due + late)
    if late:
        with reverts("MoveTooLate", due=due):
            moves[phase]()
        return
    mined = moves[phase]()
    if phase < 4:
        assert match.state["due"] == due + WINDOW
        assert match.state["phase"] == phase + 1
    else:
        convicted(table, mined, challenger)


def test_game__all_moves_in_their_last_second__ends_before_the_challenge_lapses(
    table: Table, operator: bytes, challenger: bytes
) -> None:
    match = table.challenge(table.commit(operator, TRUE), challenger)
    due = match.dispute.due - 4 * WINDOW - WINDOW // 2
    table.chain.at(due)
    match.open(THEIRS)
    table.chain.at(due + WINDOW)
    match.answer(TRUE, THEIRS)
    table.chain.at(due + 2 * WINDOW)
    match.choose(*THEIRS.choose(2, TRUE.trees[2].levels[0]))
    table.chain.at(due + 3 * WINDOW)
    match.show(TRUE.show(2, match.state["chunk"]))
    assert match.state["due"] == due + 4 * WINDOW == match.dispute.due - WINDOW // 2

    table.chain.at(due + 4 * WINDOW + 1)
    upheld(table, match.claim(operator))


def test_move__out_of_turn__reverts(table: Table, operator: bytes, challenger: bytes) -> None:
    match = table.challenge(table.commit(operator, THEIRS), challenger)
    shown = THEIRS.show(2, 1)
    moves = {
        0: lambda: match.open(TRUE),
        1: lambda: match.answer(THEIRS, TRUE),
        2: lambda: match.choose(*TRUE.choose(2, THEIRS.trees[2].levels[0])),
        3: lambda: match.show(shown),
        4: lambda: match.prove(TRUE, THEIRS.roots, shown, *TRUE.prove(2, 1, shown)),
        5: lambda: match.prove_bytes("proveInput", DATA),
        6: lambda: match.prove_bytes("proveOutput", TRUE.trees[-1].data),
    }
    turns = (0, 1, 2, 3, 4, 2, 2)
    for phase in range(5):
        assert match.state["phase"] == phase
        for number, move in moves.items():
            if turns[number] != phase:
                with reverts("PhaseMismatch", phase=phase, needed=turns[number]):
                    move()
        mined = moves[phase]()
    convicted(table, mined, challenger)
    for move in moves.values():
        with reverts("NoChallenge"):
            move()


def test_open__by_another_or_of_another_thing__reverts(
    table: Table, operator: bytes, challenger: bytes, stranger: bytes
) -> None:
    batch = table.commit(operator, THEIRS, count=2)
    match = table.challenge(batch, challenger)
    steps, root = TRUE.program()
    other = NET.with_record(0, in_h=4, out_h=4)
    for sender in (stranger, operator):
        with reverts("NotChallenger"):
            match.open(TRUE, sender)
    for changes, error in (
        ({"leaf": batch.opening(1)[0]}, "LeafNotChallenged"),
        ({"model": table.model(TRUE, registrant="0x" + stranger.hex())}, "ModelMismatch"),
        ({"model": table.model(TRUE, parent=b"p" * 32)}, "ModelMismatch"),
        ({"model": table.model(TRUE, program=(steps, bytes(32)))}, "ModelMismatch"),
        ({"model": table.model(TRUE, program=(other.steps, root))}, "ModelMismatch"),
        ({"model": table.model(TRUE, program=(steps[:-40], root))}, "ModelMismatch"),
        ({"model": table.model(TRUE, program=(steps[:-1], root))}, "StepsMalformed"),
        ({"model": table.model(TRUE, program=(b"", root))}, "StepsMalformed"),
        ({"roots": TRUE.roots[:-32]}, "RootsMismatch"),
        ({"roots": TRUE.roots + bytes(32)}, "RootsMismatch"),
        ({"roots": b""}, "RootsMismatch"),
        ({"pre_image": batch.pre_image()}, "NoChallenge"),
        ({"pre_image": batch.pre_image(replace(match.dispute, party=stranger))}, "NoChallenge"),
        ({"pre_image": batch.pre_image(replace(match.dispute, due=1))}, "NoChallenge"),
    ):
        with reverts(error):
            match.open(TRUE, **changes)
    match.open(TRUE)


def test_answer__of_another_thing__reverts(
    table: Table, operator: bytes, challenger: bytes
) -> None:
    batch = table.commit(operator, THEIRS, count=2)
    match = table.challenge(batch, challenger)
    match.open(TRUE)
    steps, root = TRUE.program()
    hashes = THEIRS.trees[2].levels[0]
    for changes, error in (
        ({"leaf": batch.opening(1)[0]}, "LeafNotChallenged"),
        ({"program": (steps[:-40], root)}, "ProgramMismatch"),
        ({"program": (steps, bytes(32))}, "ProgramMismatch"),
        ({"theirs": THEIRS.roots}, "RootsMismatch"),
        ({"theirs": b""}, "RootsMismatch"),
        ({"roots": TRUE.roots}, "RootsMismatch"),
        ({"roots": THEIRS.roots[:-32]}, "RootsMismatch"),
        ({"roots": b""}, "RootsMismatch"),
        ({"hashes": TRUE.trees[2].levels[0]}, "HashesMismatch"),
        ({"hashes": THEIRS.trees[1].levels[0]}, "HashesMismatch"),
        ({"hashes": hashes[:-32]}, "HashesMismatch"),
        ({"hashes": hashes[:-1]}, "HashesMismatch"),
        ({"hashes": hashes + bytes(32)}, "HashesMismatch"),
        # One hash that is the root itself is no list of two chunks' hashes.
        ({"hashes": THEIRS.trees[2].root}, "HashesMismatch"),
        ({"hashes": b""}, "HashesMismatch"),
    ):
        with reverts(error):
            match.answer(THEIRS, TRUE, **changes)
    match.answer(THEIRS, TRUE)


def test_choose_show_prove__of_another_thing__reverts(
    table: Table, operator: bytes, challenger: bytes, stranger: bytes
) -> None:
    batch = table.commit(operator, THEIRS, count=2)
    match = table.challenge(batch, challenger)
    match.until(2, THEIRS, TRUE)
    hashes = THEIRS.trees[2].levels[0]
    for sender in (stranger, operator):
        with reverts("NotChallenger"):
            match.choose(1, path_to(hashes, 1), sender)
    for chunk, nodes, error in (
        (2, path_to(hashes, 1), "ChunkOutOfRange"),
        (2**32 + 1, path_to(hashes, 1), "ChunkOutOfRange"),
        (1, (), "NodeMissing"),
        (1, (TRUE.trees[2].levels[0],), "NodeMismatch"),
        (1, (hashes, hashes), "NodesLeft"),
    ):
        with reverts(error):
            match.choose(chunk, nodes)
    match.choose(1, path_to(hashes, 1))

    shown = THEIRS.show(2, 1)
    for data in (TRUE.show(2, 1), THEIRS.show(2, 0), shown[:-1], shown + b"\0", b""):
        with reverts("ChunkMismatch"):
            match.show(data)
    match.show(shown)

    steps, root = TRUE.program()
    offset, right = TRUE.prove(2, 1, shown)
    for changes, error in (
        ({"leaf": batch.opening(1)[0]}, "LeafNotChallenged"),
        ({"program": (steps, bytes(32))}, "ProgramMismatch"),
        ({"roots": TRUE.roots}, "RootsMismatch"),
        ({"shown": TRUE.show(2, 1)}, "ChunkMismatch"),
        ({"offset": len(shown)}, "ElementOutOfRange"),
        ({"offset": 2**255}, "ElementOutOfRange"),
        ({"proof": ((), (), ())}, "NodeMissing"),
        ({"proof": (right.tensor[::-1], right.source, right.rows)}, "NodeMismatch"),
        # Another element, of the same pixel: as shown.
        ({"offset": offset - 1, "proof": element_at(TRUE, 1, 1023 + offset).abi()}, "NotWrong"),
    ):
        with reverts(error):
            match.prove(TRUE, THEIRS.roots, shown, offset, right, **changes)
    convicted(table, match.prove(TRUE, THEIRS.roots, shown, offset, right), challenger, 2)


@pytest.mark.parametrize(
    "root",
    [bytes(32), keccak256(b"nothing"), keccak256(bytes(32 * 7))],
    ids=["zero", "none", "few"],
)
def test_game__trace_root_of_no_roots__is_convicted_by_silence(
    table: Table, operator: bytes, challenger: bytes, root: bytes
) -> None:
    match = table.challenge(table.commit(operator, TRUE, trace_root=root), challenger)
    match.open(TRUE)
    with reverts("RootsMismatch"):
        match.answer(TRUE, TRUE)
    with reverts("RootsMismatch"):
        match.answer(TRUE, TRUE, roots=bytes(32 * 7))

    table.chain.at(match.state["due"] + 1)
    convicted(table, match.claim(), challenger)


def test_game__tensor_root_of_no_tensor__is_convicted_by_silence(
    table: Table, operator: bytes, challenger: bytes
) -> None:
    roots = TRUE.roots[:64] + keccak256(b"none") + TRUE.roots[96:]
    match = table.challenge(table.commit(operator, TRUE, trace_root=keccak256(roots)), challenger)
    match.open(TRUE)
    for hashes in (b"none", TRUE.trees[2].levels[0], b""):
        with reverts("HashesMismatch"):
            match.answer(TRUE, TRUE, roots=roots, hashes=hashes)

    table.chain.at(match.state["due"] + 1)
    convicted(table, match.claim(), challenger)


def test_rule__while_a_game_is_won__knows_nothing_of_it(
    table: Table, operator: bytes, challenger: bytes, stranger: bytes
) -> None:
    """A won game is no evidence: its reward can't be taken by disprove."""
    batch = table.commit(operator, THEIRS)
    match = table.challenge(batch, challenger)
    match.until(4, THEIRS, TRUE)
    for evidence in (b"", table.disproof(TRUE), table.disproof(TRUE, DATA)):
        with reverts("NotDisproved"):
            table.chain.send(stranger, "disprove", match.pre_image, batch.opening(0), evidence)
        with reverts("NotRuled"):
            table.chain.send(stranger, "resolve", match.pre_image, match.leaf, evidence)
    convicted(table, finish(match, THEIRS, TRUE), challenger)


def test_rule__zero_trace_root__is_disproved_without_a_game(
    table: Table, operator: bytes, stranger: bytes
) -> None:
    batch = table.commit(operator, TRUE, trace_root=bytes(32))
    with reverts("ModelMismatch"):
        evidence = table.disproof(TRUE, parent=b"p" * 32)
        table.chain.send(stranger, "disprove", batch.pre_image(), batch.opening(0), evidence)

    mined = table.chain.send(
        stranger, "disprove", batch.pre_image(), batch.opening(0), table.disproof(TRUE)
    )
    assert mined.event(BatchRejected).cause is Cause.DISPROOF


def test_rule__input_of_another_length__is_disproved_without_a_game(
    table: Table, operator: bytes, stranger: bytes
) -> None:
    batch = table.commit(operator, TRUE, input_hash=keccak256(DATA[:-1]))
    for data in (DATA, b""):
        with reverts("NotDisproved"):
            evidence = table.disproof(TRUE, data)
            table.chain.send(stranger, "disprove", batch.pre_image(), batch.opening(0), evidence)

    evidence = table.disproof(TRUE, DATA[:-1])
    mined = table.chain.send(stranger, "disprove", batch.pre_image(), batch.opening(0), evidence)
    assert mined.event(BatchRejected).cause is Cause.DISPROOF


def test_game__upheld__may_be_played_again_by_another(
    table: Table, operator: bytes, challenger: bytes
) -> None:
    """A friend's challenge that is lost on purpose shields nothing."""
    batch = table.commit(operator, THEIRS)
    match = table.challenge(batch, challenger)
    match.until(2, THEIRS, TRUE)
    table.chain.at(match.state["due"] + 1)
    event = match.claim().event(ChallengeUpheld)

    batch.stamp = replace(batch.stamp, closes_at=event.closes_at)
    again = table.challenge(batch, challenger)
    again.until(4, THEIRS, TRUE)
    convicted(table, finish(again, THEIRS, TRUE), challenger)


def test_game__of_a_network_with_short_windows_or_another_arbiter__is_refused(
    chain: Chain, network_owner: bytes, operator: bytes, challenger: bytes, resolver: bytes
) -> None:
    for number, (rules, error) in enumerate(
        (
            ({"ruling_window": RULING - 1}, "WindowsTooShort"),
            ({"arbiter": resolver}, "NetworkForeign"),
        )
    ):
        table = found(chain, network_owner, operator, challenger, salt=number, **rules)
        match = table.challenge(table.commit(operator, THEIRS), challenger)
        with reverts(error):
            match.open(TRUE)
        chain.at(match.dispute.due - 1)
        with reverts(error):
            match.claim()


def test_deploy__for_no_registry__is_refused(chain: Chain) -> None:
    with reverts("CoreWithoutCode"):
        chain.deploy("ReplayGame", "0x" + "77" * 20)
