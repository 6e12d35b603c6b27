"""Arbius: uncontested is unchecked; what a vote decided is told only where events tell it."""

from dataclasses import dataclass

import pytest

from tests.integration.networks.conftest import Follower
from tests.support.chain import Chain
from tests.support.standins import Standin

SOLVER, USER, CONTESTER, VOTER = ("0x" + digit * 40 for digit in "1234")


@dataclass
class Arbius:
    """The stand-in, a task at a time."""

    contract: Standin
    tasks: int = 0

    def solve(self, fee: int = 5, sender: str = USER) -> bytes:
        """A task with a solution."""
        self.tasks += 1
        task = self.tasks.to_bytes(32, "big")
        self.contract.send("submitTask", task, fee, sender)
        self.contract.send("submitSolution", task, SOLVER)
        return task

    def contest(self, *votes: bool) -> bytes:
        """A solution that was contested, and voted on by others."""
        task = self.solve()
        self.contract.send("contest", task, CONTESTER)
        for yea in votes:
            self.contract.send("vote", task, VOTER, yea)
        return task

    def finish(self, task: bytes) -> None:
        self.contract.send("finish", task, 0, 5)


@pytest.fixture
def arbius(chain: Chain) -> Arbius:
    found = Arbius(Standin(chain, "Arbius"))
    found.contract.send("initialize", 5)
    return found


def test_follow__uncontested__is_unchecked_and_own_tasks_are_apart(
    arbius: Arbius, follower: Follower
) -> None:
    arbius.solve()
    for task in (arbius.solve(), arbius.solve(fee=0), arbius.solve(sender=SOLVER)):
        arbius.contract.send("claimSolution", task, SOLVER)

    state = follower.run("arbius", arbius.contract)

    assert follower.verdicts("arbius") == {
        ("unchecked", "claim delay not over, or not claimed"): 1,
        ("unchecked", "uncontested"): 1,
        ("unchecked", "uncontested, the solver's own task or one without a fee"): 2,
    }
    assert state.measures == {"tasks": 4, "solvers": 1, "contested": 0, "submitted_again": 0}


def test_follow__vote_finished__upheld_or_lost_by_heads_and_a_tie_is_the_solvers(
    arbius: Arbius, follower: Follower
) -> None:
    for task in (arbius.contest(True), arbius.contest(False), arbius.contest(False, False)):
        arbius.finish(task)
    arbius.contest(True)

    follower.run("arbius", arbius.contract)

    assert follower.verdicts("arbius") == {
        ("rejected", "contested and lost"): 1,
        ("chain-checked", "contested and upheld"): 2,
        ("unchecked", "contested, the vote is not finished"): 1,
    }


def test_follow__finished_since_votes_are_weighted__is_unseen(
    arbius: Arbius, follower: Follower
) -> None:
    arbius.finish(arbius.contest(False))
    arbius.contract.send("initialize", 6)
    arbius.finish(arbius.contest(False))

    follower.run("arbius", arbius.contract)

    assert follower.verdicts("arbius") == {
        ("chain-checked", "contested and upheld"): 1,
        ("unseen", "contested, decided by weighted votes that no event tells"): 1,
    }


def test_follow__version_never_told__a_vote_is_unseen(chain: Chain, follower: Follower) -> None:
    arbius = Arbius(Standin(chain, "Arbius"))
    arbius.finish(arbius.contest(False))

    follower.run("arbius", arbius.contract)

    assert [verdict for verdict, _ in follower.verdicts("arbius")] == ["unseen"]


def test_follow__second_solution_and_unknown_task__one_claim_each(
    arbius: Arbius, follower: Follower
) -> None:
    arbius.contract.send("submitSolution", arbius.solve(), VOTER)
    arbius.contract.send("submitSolution", b"x" * 32, SOLVER)

    state = follower.run("arbius", arbius.contract)

    assert follower.verdicts("arbius") == {
        ("unchecked", "claim delay not over, or not claimed"): 1,
        ("unseen", "no task of it was found"): 1,
    }
    assert state.measures["submitted_again"] == 1
