"""ERC-8004 validations, at whatever address: opinions. docs/networks/erc8004.md."""

from tallystick.networks.adapter import Adapter, ContractKind, Judged, Place, Rows
from tallystick.networks.events import event
from tallystick.networks.verdicts import Verdict, first_of, judged

REQUEST = event(
    "event ValidationRequest(address indexed validatorAddress, uint256 indexed agentId, "
    "string requestURI, bytes32 indexed requestHash)"
)
RESPONSE = event(
    "event ValidationResponse(address indexed validatorAddress, uint256 indexed agentId, "
    "bytes32 indexed requestHash, uint8 response, string responseURI, bytes32 responseHash, "
    "string tag)"
)
SILENT: Verdict = ("unchecked", "no response")
_SAME = ("validator_address", "agent_id", "request_hash")

_Key = tuple[int, bytes, str, str, str]


def judge(rows: Rows) -> Judged:
    """Count each request once, with the last response of the validator that was asked."""
    requests = first_of(rows.tables["ValidationRequest"], *_SAME)
    last: dict[_Key, int] = {}
    for row in rows.tables["ValidationResponse"].to_pylist():
        last[row["chain_id"], row["address"], *(row[name] for name in _SAME)] = row["response"]
    chosen: list[Verdict] = []
    answered = 0
    agents: set[tuple[object, ...]] = set()
    for row in requests.to_pylist():
        agents.add((row["chain_id"], row["address"], row["agent_id"]))
        response = last.get((row["chain_id"], row["address"], *(row[name] for name in _SAME)))
        answered += response is not None
        chosen.append(SILENT if response is None else ("opinion", _told(response)))
    measures = {
        "agents": len(agents),
        "validators": len(set(requests["validator_address"].to_pylist())),
        "registries": len(set(requests["address"].to_pylist())),
        "responses_without_request": len(last) - answered,
    }
    return Judged(judged(requests, chosen), measures)


def _told(response: int) -> str:
    if response > 100:
        return "response above 100, which the standard does not know"
    return f"response {response}" if response in (0, 100) else "response 1 to 99"


ADAPTER = Adapter(
    name="erc8004",
    title="ERC-8004 validations",
    unit="opinion",
    claimed="validation requests, at whatever registry",
    checked="nothing: a response is the word of a validator whom the agent's owner chose",
    judge=judge,
    cautions=(
        "The agent's owner chooses the validator: an opinion verifies nothing.",
        "Anybody can deploy a registry; all are counted.",
    ),
    kinds=(ContractKind((REQUEST, RESPONSE)),),
    # From the identity registry's deployment on: no agent is older.
    places=(Place(8453, None, 41_663_783), Place(42220, None, 58_396_724)),
)
