"""Custom errors of the contracts, decoded to name and arguments."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple

from tallystick.chain.abi import PACKAGED, contract, signature_hash
from tallystick.errors import ContractError as ContractError
from tallystick.protocol.enclave import Approval
from tallystick.protocol.enums import Cause, DisputeKind, Grade, Ruling, State

_REVERT_DATA = re.compile(r"(?:revert(?:ed)?:? *)?0x([0-9a-f]{8}(?:[0-9a-f]{64})*)", re.IGNORECASE)
"""A selector and words; "0x" alone says nothing."""
_NAMES = ("data", "return", "result", "output", "originalError", "error", "cause", "info")
"""Where nodes, and gateways between, put it."""
_ENUMS = {
    "enum Approval": Approval,
    "enum Cause": Cause,
    "enum DisputeKind": DisputeKind,
    "enum Grade": Grade,
    "enum Ruling": Ruling,
    "enum State": State,
}


def decode_revert(data: bytes) -> ContractError:
    """Return what revert data says, as an exception to raise.

    >>> str(decode_revert(bytes.fromhex("e58369d1") + (5).to_bytes(32) + (9).to_bytes(32)))
    'TooEarly(timestamp=5, from=9)'
    """
    if not data:
        return ContractError("Reverted", {"reason": "no data: malformed input or out of gas"})
    entry = _errors().get(data[:4])
    if entry is None:
        return ContractError("UnknownError", {"data": data}, data)
    names = [argument["name"] for argument in entry["inputs"]]
    try:
        values = decode([collapse_if_tuple(argument) for argument in entry["inputs"]], data[4:])
    except DecodingError:
        return ContractError("UnknownError", {"data": data}, data)
    kinds = [_ENUMS.get(argument.get("internalType", "")) for argument in entry["inputs"]]
    named = {
        name: kind(value).name if kind else value
        for name, kind, value in zip(names, kinds, values, strict=True)
    }
    return ContractError(entry["name"], named, data)


def refused(error: Exception) -> Exception:
    """Return the decoded revert behind a node's error; the error itself where there is none."""
    told = [getattr(error, "data", None), getattr(error, "rpc_response", None)]
    if told[0] == "0x":
        return decode_revert(b"")
    data = next((found for one in told if (found := revert_data(one)) is not None), None)
    return error if data is None else decode_revert(data)


def revert_data(told: Any) -> bytes | None:
    """Return the revert data in what a node says, however deep it is in there; None: there is none.

    Args:
        told: an error's data, an error or an answer, as it was decoded from JSON.

    >>> revert_data({"message": "reverted", "data": {"data": "0xe58369d1"}}).hex()
    'e58369d1'
    >>> revert_data("Reverted 0xe58369d1").hex()
    'e58369d1'
    """
    if isinstance(told, str):
        found = _REVERT_DATA.fullmatch(told.strip())
        return bytes.fromhex(found[1]) if found else None
    parts: Iterable[Any] = ()
    if isinstance(told, Mapping):
        # What is called so comes first: a transaction's input may stand beside it.
        known = [told[name] for name in _NAMES if name in told]
        parts = [*known, *(told[name] for name in told if name not in _NAMES)]
    elif isinstance(told, list | tuple):
        parts = told
    return next((data for one in parts if (data := revert_data(one)) is not None), None)


@cache
def _errors() -> dict[bytes, dict[str, Any]]:
    """Errors of the contracts, and Solidity's own two, by selector."""
    builtin: list[dict[str, Any]] = [
        {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
        {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
    ]
    entries = builtin + [
        entry for name in PACKAGED for entry in contract(name).abi if entry["type"] == "error"
    ]
    return {signature_hash(entry)[:4]: entry for entry in entries}
