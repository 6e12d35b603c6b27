"""Custom errors of the contracts, decoded to name and arguments."""

from functools import cache
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple

from tallystick.chain.abi import contract, signature_hash
from tallystick.enclave import Approval
from tallystick.enums import Cause, DisputeKind, Grade, Ruling, State
from tallystick.errors import TallystickError

_ENUMS = {
    "enum Approval": Approval,
    "enum Cause": Cause,
    "enum DisputeKind": DisputeKind,
    "enum Grade": Grade,
    "enum Ruling": Ruling,
    "enum State": State,
}


class ContractError(TallystickError, RuntimeError):
    """A contract refused a call.

    `name` is the custom error's, `args_by_name` what it says; `data` the whole revert data.
    """

    def __init__(self, name: str, args_by_name: dict[str, Any], data: bytes = b"") -> None:
        self.name, self.args_by_name, self.data = name, args_by_name, data
        shown = ", ".join(f"{key}={_shown(value)}" for key, value in args_by_name.items())
        super().__init__(f"{name}({shown})")


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
    data = getattr(error, "data", None)
    if isinstance(data, str) and data.startswith("0x"):
        return decode_revert(bytes.fromhex(data[2:]))
    return error


@cache
def _errors() -> dict[bytes, dict[str, Any]]:
    """Errors of the contracts, and Solidity's own two, by selector."""
    builtin: list[dict[str, Any]] = [
        {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
        {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
    ]
    entries = builtin + [
        entry
        for name in ("Tallystick", "Committee", "Enclave", "OpenGradientItem")
        for entry in contract(name).abi
        if entry["type"] == "error"
    ]
    return {signature_hash(entry)[:4]: entry for entry in entries}


def _shown(value: Any) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
