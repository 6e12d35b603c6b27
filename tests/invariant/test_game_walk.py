"""The compiled replay game over its registry against a plain model, by random moves.

walk     leaves right and wrong; one side careful, or none; every move was made, and refused
faults   a model that differs from the rules in one point is found out
"""

from collections.abc import Callable

import pytest

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.invariant import game_model
from tests.invariant.game_machine import DONE, OfInputs, OfOutputs, OfRight, OfTensors

WALK = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
MACHINES = (OfRight, OfTensors, OfInputs, OfOutputs)
ALWAYS = {"NoChallenge", "PhaseMismatch"}
REASONS = {
    "open": ALWAYS | {"NotChallenger"},
    "answer": ALWAYS | {"RootsMismatch", "HashesMismatch"},
    "choose": ALWAYS,
    "show": ALWAYS,
    "proveElement": ALWAYS | {"NotWrong", "ElementOutOfRange"},
    "proveInput": ALWAYS,
    "proveOutput": ALWAYS | {"NotWrong"},
    "claim": {"NoChallenge", "ClaimTooEarly"},
}
"""What a move was refused for at least; tests/contracts/replay/test_game.py has them all."""


@pytest.fixture(scope="module")
def walked() -> dict[str, int]:
    DONE.clear()
    for machine in MACHINES:
        run_state_machine_as_test(machine, settings=WALK)
    return dict(DONE)


@pytest.mark.parametrize("move", REASONS)
def test_walk__every_move__was_made_and_was_refused(walked: dict[str, int], move: str) -> None:
    assert walked.get(move, 0) >= 1
    met = {name.partition(": ")[2] for name in walked if name.startswith(f"{move}: ")}
    assert met >= REASONS[move]


Fault = Callable[[pytest.MonkeyPatch], object]


def a_second_more(patch: pytest.MonkeyPatch) -> None:
    until = game_model.GameModel.until.fget
    assert until is not None
    patch.setattr(game_model.GameModel, "until", property(lambda self: until(self) + 1))


def opened_by_anyone(patch: pytest.MonkeyPatch) -> None:
    opening = game_model.GameModel.open
    patch.setattr(
        game_model.GameModel,
        "open",
        lambda self, now, challenger, theirs: opening(self, now, True, theirs),
    )


def silent_challengers_win(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(game_model, "OPERATORS", (1, 2, 3))


def the_output_is_never_looked_at(patch: pytest.MonkeyPatch) -> None:
    nothing = property(lambda self: b"", lambda self, given: None)
    patch.setattr(game_model.GameModel, "answered", nothing, raising=False)


FAULTS: list[Fault] = [
    a_second_more,
    opened_by_anyone,
    silent_challengers_win,
    the_output_is_never_looked_at,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_walk__fault_planted_in_the_games_model__is_found(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)

    with pytest.raises(AssertionError):
        for machine in MACHINES:
            run_state_machine_as_test(machine, settings=settings(WALK, max_examples=100))
