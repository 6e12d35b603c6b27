"""Arbius: solutions, and what became of those that were contested. docs/networks/arbius.md."""

from tallystick.networks.adapter import Adapter, ContractKind, Judged, Place, Rows
from tallystick.networks.events import event
from tallystick.networks.verdicts import Verdict, first_of, judged

TASK = event(
    "event TaskSubmitted(bytes32 indexed id, bytes32 indexed model, uint256 fee, "
    "address indexed sender)"
)
SOLUTION = event("event SolutionSubmitted(address indexed addr, bytes32 indexed task)")
CLAIMED = event("event SolutionClaimed(address indexed addr, bytes32 indexed task)")
CONTESTED = event("event ContestationSubmitted(address indexed addr, bytes32 indexed task)")
VOTE = event("event ContestationVote(address indexed addr, bytes32 indexed task, bool yea)")
FINISH = event(
    "event ContestationVoteFinish(bytes32 indexed id, uint32 indexed start_idx, uint32 end_idx)"
)
INITIALIZED = event("event Initialized(uint8 version)")

WEIGHTED_SINCE = 6
"""Version of the engine since which a master contester's vote counts for many."""
OPEN: Verdict = ("unchecked", "claim delay not over, or not claimed")
UNCONTESTED: Verdict = ("unchecked", "uncontested")
OWN: Verdict = ("unchecked", "uncontested, the solver's own task or one without a fee")
VOTING: Verdict = ("unchecked", "contested, the vote is not finished")
UPHELD: Verdict = ("chain-checked", "contested and upheld")
LOST: Verdict = ("rejected", "contested and lost")
WEIGHTED: Verdict = ("unseen", "contested, decided by weighted votes that no event tells")
NO_TASK: Verdict = ("unseen", "no task of it was found")

_Task = tuple[int, bytes, str]


def judge(rows: Rows) -> Judged:
    """Give each solution a verdict; an uncontested one was checked by nobody."""
    solutions = first_of(rows.tables["SolutionSubmitted"], "task")
    tasks = {
        key: (int(fee, 16), sender)
        for key, fee, sender in zip(
            _keys(rows, "TaskSubmitted", "id"),
            rows.tables["TaskSubmitted"]["fee"].to_pylist(),
            rows.tables["TaskSubmitted"]["sender"].to_pylist(),
            strict=True,
        )
    }
    claimed, contested = (
        set(_keys(rows, "SolutionClaimed")),
        set(_keys(rows, "ContestationSubmitted")),
    )
    outcomes = _outcomes(rows)
    solvers: set[str] = set()
    chosen: list[Verdict] = []
    for row in solutions.to_pylist():
        key = row["chain_id"], row["address"], row["task"]
        solvers.add(row["addr"])
        if key in contested:
            chosen.append(outcomes.get(key, VOTING))
        elif key not in tasks:
            chosen.append(NO_TASK)
        elif key in claimed:
            fee, sender = tasks[key]
            chosen.append(OWN if fee == 0 or sender == row["addr"] else UNCONTESTED)
        else:
            chosen.append(OPEN)
    measures = {
        "tasks": len(tasks),
        "solvers": len(solvers),
        "contested": len(contested),
        "submitted_again": len(rows.tables["SolutionSubmitted"]) - len(solutions),
    }
    return Judged(judged(solutions, chosen), measures)


def _keys(rows: Rows, name: str, column: str = "task") -> list[_Task]:
    """Return chain, contract and task of each row."""
    names = ("chain_id", "address", column)
    return list(zip(*(rows.tables[name][one].to_pylist() for one in names), strict=True))


def _outcomes(rows: Rows) -> dict[_Task, Verdict]:
    """Return the verdict of each contest whose vote is finished.

    A tie is the solver's. Since version 6 votes are weighted, and events tell neither the weights
    nor the result; the version is the last one that the proxy was initialized with.
    """
    votes: dict[_Task, int] = {}
    yeas = rows.tables["ContestationVote"]["yea"].to_pylist()
    for key, yea in zip(_keys(rows, "ContestationVote"), yeas, strict=True):
        votes[key] = votes.get(key, 0) + (1 if yea else -1)
    versions = rows.tables["Initialized"].to_pylist()
    found: dict[_Task, Verdict] = {}
    finished = rows.tables["ContestationVoteFinish"].to_pylist()
    for key, row in zip(_keys(rows, "ContestationVoteFinish", "id"), finished, strict=True):
        earlier = [
            one["version"]
            for one in versions
            if (one["chain_id"], one["address"]) == key[:2]
            and (one["block_number"], one["log_index"]) < (row["block_number"], row["log_index"])
        ]
        # Without any version seen, it may be the newest.
        weighted = max(earlier, default=WEIGHTED_SINCE) >= WEIGHTED_SINCE
        found.setdefault(key, WEIGHTED if weighted else LOST if votes.get(key, 0) > 0 else UPHELD)
    return found


ADAPTER = Adapter(
    name="arbius",
    title="Arbius",
    unit="task",
    claimed="solutions, one a task",
    checked="nothing here; contests were decided by validators who ran the model again",
    judge=judge,
    cautions=(
        "Uncontested is not verified: nobody need have looked.",
        "Miners submit tasks of their own for emissions; those, and free ones, are apart.",
        "Since version 6 only master contesters contest, and their votes weigh more.",
    ),
    kinds=(ContractKind((TASK, SOLUTION, CLAIMED, CONTESTED, VOTE, FINISH, INITIALIZED)),),
    places=(Place(42161, bytes.fromhex("9b51Ef044d3486A1fB0A2D55A6e0CeeAdd323E66")),),
)
