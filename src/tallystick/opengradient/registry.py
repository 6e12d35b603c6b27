"""Validity of enclaves' keys, from the TEE registry's raw logs, and the keys themselves.

A key counts from its registration on, while it isn't disabled and a measurement of its TEE type is
approved. Events don't tell which measurement a key's enclave has; when one is revoked, the registry
disables its keys one by one, and says so.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from numpy.typing import NDArray

from tallystick.chain.rpc.errors import UnavailableError
from tallystick.data.decode.columns import Field, Layout
from tallystick.data.extract.dataset import ContractKey
from tallystick.data.extract.rpc import Nodes, RpcNode
from tallystick.opengradient.errors import AuditError
from tallystick.opengradient.relay import layout, of_event
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.storage.durable import replace_file

_TEE = Field("tee_id", 1, 0, "hash")
_MEASUREMENT = (Field("pcr_hash", 1, 0, "hash"), Field("tee_type", 2, 0, "integer"))

REGISTERED = layout(
    "TEERegistered(bytes32,address,uint8)",
    1,
    _TEE,
    Field("owner", 2, 0, "address"),
    Field("tee_type", None, 0, "integer"),
)
ENABLED = layout("TEEEnabled(bytes32)", 0, _TEE)
DISABLED = layout("TEEDisabled(bytes32)", 0, _TEE)
APPROVED = layout(
    "PCRApproved(bytes32,uint8,string)", 1, *_MEASUREMENT, Field("version", None, 0, "string")
)
REVOKED = layout("PCRRevoked(bytes32,uint8)", 0, *_MEASUREMENT)
CHANGES = (REGISTERED, ENABLED, DISABLED, APPROVED, REVOKED)
"""Events that change which keys are valid."""

HEARTBEAT = layout(
    "HeartbeatReceived(bytes32,uint256)", 1, _TEE, Field("timestamp", None, 0, "large")
)

GET_KEY = keccak256(b"getTEEPublicKey(bytes32)")[:4]
KEYS_VERSION = 1
_AT_ONCE = 50

Changes = list[tuple[int, bool]]
"""(Unix seconds, whether it is on from then on), in the order of the chain."""


@dataclass(frozen=True, slots=True)
class Validity:
    """The times at which each registered key was valid."""

    keys: Mapping[bytes, Changes]
    """By TEE id, 32 bytes: registered or enabled, and disabled."""
    types: Mapping[bytes, int]
    """TEE type by TEE id."""
    approvals: Mapping[int, Changes]
    """By TEE type: whether any measurement of it is approved."""

    @classmethod
    def of(cls, logs: pa.Table) -> "Validity":
        """Return it from the registry's raw logs, of the schema LOGS.

        Raises:
            DecodeError: a log is not what its event's ABI says.
        """
        keys: dict[bytes, Changes] = {}
        types: dict[bytes, int] = {}
        for event, row in _ordered(logs, REGISTERED, ENABLED, DISABLED):
            tee_id = from_hex(row["tee_id"])
            if event is REGISTERED:
                types[tee_id] = row["tee_type"]
            # What is said of a key that was never registered is not kept.
            if tee_id in types:
                keys.setdefault(tee_id, []).append((row["block_time"], event is not DISABLED))
        approvals: dict[int, Changes] = {}
        standing: dict[int, set[str]] = {}
        for event, row in _ordered(logs, APPROVED, REVOKED):
            of_type = standing.setdefault(row["tee_type"], set())
            change = of_type.add if event is APPROVED else of_type.discard
            change(row["pcr_hash"])
            approvals.setdefault(row["tee_type"], []).append((row["block_time"], bool(of_type)))
        return cls(keys, types, approvals)

    def valid(self, tee_id: bytes, timestamps: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether a key was valid at each time, in Unix seconds; an unknown one never."""
        if tee_id not in self.keys:
            return np.zeros(len(timestamps), np.bool_)
        approvals = self.approvals.get(self.types[tee_id], [])
        return _on(self.keys[tee_id], timestamps) & _on(approvals, timestamps)


def _on(changes: Changes, timestamps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the state at each time; of several changes in one second the last one counts."""
    times = np.array([time for time, _ in changes], np.int64)
    states = np.array([False, *(on for _, on in changes)], np.bool_)
    return states[np.searchsorted(times, timestamps, side="right")]


def _ordered(logs: pa.Table, *events: Layout) -> Iterable[tuple[Layout, dict[str, Any]]]:
    rows = [(event, row) for event in events for row in of_event(logs, event).to_pylist()]
    return sorted(rows, key=lambda one: (one[1]["block_number"], one[1]["log_index"]))


class Keys:
    """Enclaves' public keys in a file: SubjectPublicKeyInfo in DER by TEE id.

    An id is its key's hash, so whoever answers needn't be trusted.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[bytes, bytes]:
        """Return the keys by TEE id; AuditError when the file is of another format version."""
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        version = found.get("version") if isinstance(found, dict) else None
        if wrong := unknown_version("list of enclaves' keys", version, KEYS_VERSION):
            raise AuditError(f"{self._path}: {wrong}")
        return {from_hex(tee_id, 32): from_hex(key) for tee_id, key in found["keys"].items()}

    def fetch(self, registry: ContractKey, urls: Sequence[str], tee_ids: Iterable[bytes]) -> int:
        """Ask the registry for the keys that are not here yet; return how many came.

        Raises:
            ExtractError: no node gives keys that hash to their ids.
            AuditError: the file is of another format version.
        """
        known = self.read()
        missing = sorted(set(tee_ids) - set(known))
        if not missing:
            return 0
        fetched = asyncio.run(_fetch(registry, urls, missing))
        known |= fetched
        keys = {to_hex(tee_id): to_hex(key) for tee_id, key in sorted(known.items())}
        body = {"version": KEYS_VERSION, "keys": keys}
        replace_file(self._path, (json.dumps(body, indent=1) + "\n").encode())
        return len(fetched)


async def _fetch(
    registry: ContractKey, urls: Sequence[str], tee_ids: Sequence[bytes]
) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    async with httpx.AsyncClient(timeout=60) as client:
        nodes = Nodes([RpcNode(url, client) for url in urls])
        for start in range(0, len(tee_ids), _AT_ONCE):
            part = tee_ids[start : start + _AT_ONCE]

            async def ask(node: RpcNode, part: Sequence[bytes] = part) -> dict[bytes, bytes]:
                to = to_hex(registry.address)
                params = [[{"to": to, "data": to_hex(GET_KEY + one)}, "latest"] for one in part]
                answers = await node.calls(str, "eth_call", params)
                keys = (
                    _key(node.name, one, answer) for one, answer in zip(part, answers, strict=True)
                )
                return {keccak256(key): key for key in keys if key}

            found |= await nodes.at_one(ask)
    return found


def _key(node: str, tee_id: bytes, answer: str) -> bytes:
    """Return what a node answers; empty when the registry keeps the key no longer."""
    try:
        (key,) = decode(["bytes"], from_hex(answer))
    except (DecodingError, ValueError, OverflowError) as error:
        raise UnavailableError(f"{node} gives no key of TEE {to_hex(tee_id)}: {error}") from error
    if key and keccak256(key) != tee_id:
        raise UnavailableError(f"{node} gives another key than that of TEE {to_hex(tee_id)}")
    return bytes(key)
