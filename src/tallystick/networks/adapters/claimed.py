"""Networks of which only claims are public, each counted once. docs/networks/claimed.md."""

from collections.abc import Callable

import pyarrow.compute as pc

from tallystick.data.decode.columns import Layout
from tallystick.networks.adapter import Adapter, ContractKind, Judged, Place, Rows
from tallystick.networks.events import event
from tallystick.networks.verdicts import UNCHECKED, first_of, judged


def each_once(claim: Layout, *keys: str, people: tuple[str, ...] = ()) -> Callable[[Rows], Judged]:
    """Return a judge that counts an event once for each value of its keys.

    Args:
        claim: the event.
        keys: columns that say which claim it is; none: each event is one.
        people: columns whose distinct values are measured.
    """

    def judge(rows: Rows) -> Judged:
        table = rows.tables[claim.name]
        claims = first_of(table, *keys) if keys else table
        measures = {name: len(pc.unique(claims[name])) for name in people}
        if keys:
            measures["claimed_again"] = len(table) - len(claims)
        return Judged(judged(claims, [UNCHECKED] * len(claims)), measures)

    return judge


def _address(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _adapter(
    name: str,
    title: str,
    unit: str,
    claimed: str,
    caution: str,
    places: tuple[Place, ...],
    claim: Layout,
    *keys: str,
    people: tuple[str, ...] = (),
) -> Adapter:
    """Return an adapter of one event."""
    return Adapter(
        name,
        title,
        unit,
        claimed,
        "nothing",
        each_once(claim, *keys, people=people),
        (caution,),
        (ContractKind((claim,)),),
        places,
    )


SESSION = event(
    "event SessionOpened(address indexed user, bytes32 indexed sessionId, "
    "address indexed providerId)"
)
CALLBACK = event(
    "event AICallbackResult(address indexed account, uint256 indexed requestId, address invoker, "
    "bytes output)"
)
SUBMISSION = event("event SolutionSubmission(address indexed miner, uint256 indexed inferId)")
RESPONSE = event("event Response(uint256 indexed taskId, address indexed responder)")
CHECKPOINT = event(
    "event UsageCheckpoint(address indexed validator, bytes32 merkleRoot, uint32 userCount, "
    "uint256 totalConsumedWei, uint256 totalConsumedUsdMicros, uint256 timestamp)"
)
FULFILLED = event(
    "event RequestFulfilled(uint256 indexed requestId, address indexed prover, "
    "bytes32 requestDigest)"
)
FINALIZED = event("event TaskFinalize(bytes32 indexed taskid, bytes results)")
PHASE = event("event JobPhaseUpdated(uint256 indexed jobId, uint8 oldPhase, uint8 phase)")

ADAPTERS = (
    _adapter(
        "morpheus",
        "Morpheus",
        "session",
        "sessions opened",
        "A session is time with a provider, not an inference.",
        (Place(8453, _address("6aBE1d282f72B474E54527D93b979A4f64d3030a")),),
        SESSION,
        "session_id",
        people=("user", "provider_id"),
    ),
    _adapter(
        "ora",
        "ORA onchain AI oracle",
        "inference",
        "results called back, the first of each request",
        "The contract that disputes would go to is not public; a second result corrects the first.",
        (Place(1, _address("0A0f4321214BB6C7811dD8a71cF587bdaF03f0A0")),),
        CALLBACK,
        "request_id",
        people=("invoker",),
    ),
    _adapter(
        "eternal-ai",
        "Eternal AI",
        "inference",
        "solutions submitted, one an inference",
        "One miner answers each inference, and nobody runs it again.",
        (
            Place(1, _address("b2a51f4a3F3A6a0bF653763Bf50830219dc5e62D")),
            Place(8453, _address("a1d2f74c345ff1d97b8fc72e061903cd84c66f69")),
            Place(42161, _address("EEad45d48174A95AC107db16F59703FabB4CFD77")),
            Place(222671, _address("1dBCe689414f3b2993fE9FfaB6E197aeE23bDAF2")),
        ),
        SUBMISSION,
        "infer_id",
        people=("miner",),
    ),
    _adapter(
        "dria",
        "Dria oracle",
        "response",
        "responses to tasks",
        "Scorers are on a list of the owner's; the oracle may be dormant.",
        (Place(8453, _address("17b6d1eddcd5f9ca19bb2ffed2f3deb6bd74bd20")),),
        RESPONSE,
        "task_id",
        "responder",
        people=("responder",),
    ),
    _adapter(
        "verathos",
        "Verathos (Bittensor subnet 96)",
        "checkpoint of usage",
        "checkpoints of what users have consumed",
        "A checkpoint sums dollars, not inferences; proofs are off chain.",
        (Place(964, _address("21155aa55dfb6BbF01565abb69E1e70D7ED17798")),),
        CHECKPOINT,
        people=("validator",),
    ),
    _adapter(
        "boundless",
        "Boundless",
        "proof request",
        "requests fulfilled",
        "Proved programs need not be models: images of models would have to be listed.",
        (Place(8453, _address("fd152dadc5183870710fe54f939eae3ab9f0fe82")),),
        FULFILLED,
        "request_id",
        people=("prover",),
    ),
    _adapter(
        "iexec",
        "iExec",
        "task",
        "tasks finalized",
        "Tasks are any program, with or without an enclave.",
        (Place(42161, _address("098bFCb1E50ebcA0BaA92C12eA0c3F045A1aD9f0")),),
        FINALIZED,
        "taskid",
    ),
    _adapter(
        "virtuals",
        "Virtuals agent commerce (ERC-8183)",
        "job",
        "jobs that have entered a phase",
        "An evaluator whom both sides agree on judges a job.",
        (Place(8453, _address("a6C9BA866992cfD7fd6460ba912bfa405adA9df0")),),
        PHASE,
        "job_id",
    ),
)
