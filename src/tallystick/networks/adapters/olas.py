"""Olas mech marketplace: deliveries, and who asked for them. docs/networks/olas.md."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from tallystick.networks.adapter import Adapter, ContractKind, Judged, Place, Rows
from tallystick.networks.events import event
from tallystick.networks.verdicts import Verdict, judged

REQUEST = event(
    "event MarketplaceRequest(address indexed priorityMech, address indexed requester, "
    "uint256 numRequests, bytes32[] requestIds, bytes[] requestDatas)"
)
DELIVERY = event(
    "event MarketplaceDelivery(address indexed deliveryMech, address[] requesters, "
    "uint256 numDeliveries, bytes32[] requestIds, bool[] deliveredRequests)"
)
SIGNED = event(
    "event MarketplaceDeliveryWithSignatures(address indexed deliveryMech, "
    "address indexed requester, uint256 numDeliveries, bytes32[] requestIds)"
)
ON_REQUEST: Verdict = ("unchecked", "delivered on a request")
ON_SIGNATURE: Verdict = ("unchecked", "delivered in bulk, on signatures of the requester")
NO_REQUEST: Verdict = ("unseen", "no request of it was found")
_TRUE = bytes(31) + b"\x01"

Delivery = tuple[bytes, str, dict[str, Any], Verdict]
"""Request id, requester, row of the event, and the verdict where a request was seen."""


def judge(rows: Rows) -> Judged:
    """Count each request that was delivered once; nobody checks an answer."""
    asked = {
        (row["chain_id"], row["address"], one)
        for row in rows.tables["MarketplaceRequest"].to_pylist()
        for one in row["request_ids"]
    }
    counted: set[tuple[int, bytes, bytes]] = set()
    kept: list[dict[str, Any]] = []
    chosen: list[Verdict] = []
    requesters: set[str] = set()
    repeated = 0
    for request_id, requester, row, verdict in _deliveries(rows):
        key = row["chain_id"], row["address"], request_id
        if key in counted:
            repeated += 1
            continue
        counted.add(key)
        requesters.add(requester)
        kept.append(row)
        chosen.append(NO_REQUEST if verdict == ON_REQUEST and key not in asked else verdict)
    days, chains = ([row[name] for row in kept] for name in ("day", "chain_id"))
    claims = pa.table(
        {"day": pa.array(days, pa.date32()), "chain_id": pa.array(chains, pa.int64())}
    )
    measures = {
        "requests": len(asked),
        "requesters": len(requesters),
        "delivered_again": repeated,
    }
    return Judged(judged(claims, chosen), measures)


def _deliveries(rows: Rows) -> Iterator[Delivery]:
    """Yield what was delivered, but for requests that a mech came too late for."""
    for row in rows.tables["MarketplaceDelivery"].to_pylist():
        requesters = [word[12:].hex() for word in row["requesters"]]
        done = row["delivered_requests"]
        for place, request_id in enumerate(row["request_ids"]):
            if done[place : place + 1] == [_TRUE]:
                requester = requesters[place] if place < len(requesters) else ""
                yield request_id, f"0x{requester}", row, ON_REQUEST
    for row in rows.tables["MarketplaceDeliveryWithSignatures"].to_pylist():
        for request_id in row["request_ids"]:
            yield request_id, row["requester"], row, ON_SIGNATURE


ADAPTER = Adapter(
    name="olas",
    title="Olas mech marketplace",
    unit="request",
    claimed="requests that a mech has delivered on, each once",
    checked="nothing: nobody looks at an answer",
    judge=judge,
    cautions=(
        "A mech may ask itself: few requesters behind many requests say so.",
        "Answers lie on IPFS, and may be gone.",
        "Off-chain deliveries are settled late and in bulk.",
    ),
    kinds=(ContractKind((REQUEST, DELIVERY, SIGNED)),),
    places=(
        Place(100, bytes.fromhex("735FAAb1c4Ec41128c367AFb5c3baC73509f70bB"), 38_661_963),
        Place(8453, bytes.fromhex("f24eE42edA0fc9b33B7D41B06Ee8ccD2Ef7C5020"), 26_642_705),
        Place(137, bytes.fromhex("343F2B005cF6D70bA610CD9F1F1927049414B582"), 81_028_558),
        Place(10, bytes.fromhex("46C0D07F55d4F9B5Eed2Fc9680B5953e5fd7b461"), 145_788_454),
    ),
)
