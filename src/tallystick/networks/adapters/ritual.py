"""Ritual Chain: calls of the LLM precompile, as the chain settled them. docs/networks/ritual.md."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from tallystick.networks.adapter import Adapter, ContractKind, Judged, Place, Rows
from tallystick.networks.decoded import ORDER
from tallystick.networks.events import event
from tallystick.networks.verdicts import Verdict, first_of, judged
from tallystick.protocol.hexes import from_hex

ADDED = event(
    "event JobAdded(address indexed executor, bytes32 indexed jobId, "
    "address indexed precompileAddress, uint256 commitBlock, bytes precompileInput, "
    "address senderAddress, bytes32 previousBlockHash, uint256 previousBlockNumber, "
    "uint256 previousBlockTimestamp, uint256 ttl, uint256 createdAt)"
)
BEFORE = event(
    "event JobAdded(address indexed executor, bytes32 indexed jobId, "
    "address indexed precompileAddress, uint256 commitBlock, bytes precompileInput, "
    "bytes32 previousBlockHash, uint256 previousBlockNumber, uint256 previousBlockTimestamp, "
    "uint256 ttl, uint256 createdAt)"
)._replace(name="JobAddedBefore")
"""Its form in October 2025, without a sender.

Only its topic was published. The types are those of today's less one, which is the topic's
pre-image; which values are indexed, and the order of the numbers, is taken from today's.
"""
REMOVED = event(
    "event JobRemoved(address indexed executor, bytes32 indexed jobId, bool indexed completed)"
)
LLM = "0x0000000000000000000000000000000000000802"
"""The precompile."""
ENVELOPE = ("bytes", "bytes")
OUTPUT = ("bool", "bytes", "bytes", "string", "(string,string,string)")
"""hasError, completion, metadata, error message, history; the envelope holds it second."""

_OF_BOTH = ["day", "block_number", "log_index", "chain_id", "address"]
_OF_BOTH += ["executor", "job_id", "precompile_address", "precompile_input"]

OPEN: Verdict = ("unchecked", "not settled yet")
DROPPED: Verdict = ("rejected", "not completed")
FAILED: Verdict = ("rejected", "settled with an executor's error")
SETTLED: Verdict = ("chain-checked", "settled by the validators")
NO_RECORD: Verdict = ("unseen", "settled, but the record of the call was not to be had")
UNREADABLE: Verdict = ("unseen", "settled, but its output is of an unknown form")


def judge(rows: Rows) -> Judged:
    """Give each LLM job a verdict; of a settled call the output says whether it was answered."""
    forms = [rows.tables[one.name] for one in (ADDED, BEFORE)]
    added = pa.concat_tables([one.select(_OF_BOTH) for one in forms]).sort_by(ORDER)
    jobs = first_of(added.filter(pc.equal(added["precompile_address"], LLM)), "job_id")
    of_llm = pc.equal(forms[0]["precompile_address"], LLM)
    removed = {
        (row["chain_id"], row["address"], row["job_id"]): row
        for row in rows.tables["JobRemoved"].to_pylist()
    }
    records = _Records(rows)
    proofs = 0
    chosen: list[Verdict] = []
    for row in jobs.to_pylist():
        end = removed.get((row["chain_id"], row["address"], row["job_id"]))
        if end is None or not end["completed"]:
            chosen.append(OPEN if end is None else DROPPED)
            continue
        calls = records.of(end["transaction_hash"], row["precompile_input"])
        proofs += sum(bool(str(one.get("proof") or "0x")[2:]) for one in calls)
        chosen.append(_verdict(calls))
    measures = {
        "executors": len(set(jobs["executor"].to_pylist())),
        "senders": len(set(forms[0].filter(of_llm)["sender_address"].to_pylist())),
        "proofs_not_checked": proofs,
    }
    return Judged(judged(jobs, chosen), measures)


def _verdict(calls: Sequence[Mapping[str, Any]]) -> Verdict:
    if not calls:
        return NO_RECORD
    failures = [_failed(str(one.get("output") or "")) for one in calls]
    if True in failures:
        return FAILED
    return UNREADABLE if None in failures else SETTLED


def _failed(output: str) -> bool | None:
    """Return whether an executor's output is an error; None where it cannot be read."""
    with suppress(ValueError, OverflowError, DecodingError):
        data = from_hex(output)
        for unwrap in (True, False):
            with suppress(DecodingError, ValueError, OverflowError):
                inner = decode(ENVELOPE, data)[1] if unwrap else data
                return bool(decode(OUTPUT, inner)[0])
    return None


class _Records:
    """Records of special calls, by the transaction that settled them."""

    def __init__(self, rows: Rows) -> None:
        columns = (rows.calls[name].to_pylist() for name in ("transaction_hash", "extra"))
        self._extras = {
            "0x" + key.hex(): json.loads(extra) for key, extra in zip(*columns, strict=True)
        }

    def of(self, settlement: str, asked: bytes) -> list[Mapping[str, Any]]:
        """Return the records of a job's call; none where the transaction is not here.

        The user's transaction holds them; the settlement names it as its origin. Of several LLM
        calls those with the job's input are its own; where none says so, any may be.
        """
        extra = self._extras.get(settlement, {})
        origin = self._extras.get(str(extra.get("originTx")).lower(), {})
        calls = extra.get("spcCalls") or origin.get("spcCalls") or []
        found: list[Mapping[str, Any]] = [
            one
            for one in (calls if isinstance(calls, list) else ())
            if isinstance(one, dict) and str(one.get("address")).lower() == LLM
        ]
        own = [one for one in found if str(one.get("input")).lower() == "0x" + asked.hex()]
        return own or found


ADAPTER = Adapter(
    name="ritual",
    title="Ritual Chain",
    unit="LLM call",
    claimed="jobs added for the LLM precompile",
    checked="the output that the chain recorded is decoded: an executor's error is no inference",
    judge=judge,
    cautions=(
        "Validators settle calls; the executor's proof is not checked here, for its message is not "
        "published.",
        "ONNX runs in every validator without an event, and is not counted.",
        "Jobs of the form of October 2025 name no sender, and are not among the senders.",
    ),
    kinds=(
        ContractKind(
            (ADDED, BEFORE, REMOVED),
            calls=("JobRemoved",),
            fields=("originTx", "settlementTx", "spcCalls"),
            linked="originTx",
        ),
    ),
    places=(Place(1979, bytes.fromhex("C069FFCa0389f44eCA2C626e55491b0ab045AEF5")),),
)
