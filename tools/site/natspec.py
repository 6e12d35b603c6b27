"""What the compiler has of a contract's NatSpec, from Ape's file of compiled contracts."""

import json
from functools import cache
from pathlib import Path
from typing import Any

BUILD = Path(__file__).parents[2] / ".build/__local__.json"


@cache
def contracts() -> dict[str, Any]:
    """Return what was compiled, by name.

    Raises:
        SystemExit: nothing was.
    """
    if not BUILD.exists():
        raise SystemExit(f"{BUILD} is missing; run `make compile`")
    found: dict[str, Any] = json.loads(BUILD.read_text())["contractTypes"]
    return found


def types(inputs: list[dict[str, Any]]) -> str:
    """Return parameters' types as signatures have them."""
    return ",".join(_type(one) for one in inputs)


def section(contract: dict[str, Any], entry: dict[str, Any]) -> str:
    """Return one function's, event's or error's part of a page."""
    kind, name = entry["type"], entry["name"]
    signature = f"{name}({types(entry['inputs'])})"
    group = {"function": "methods", "event": "events", "error": "errors"}[kind]
    user = contract["userdoc"].get(group, {}).get(signature, {})
    dev = contract["devdoc"].get(group, {}).get(signature, {})
    if kind == "error":
        user, dev = (one[0] if one else {} for one in (user, dev))
    parts = [f"### {name}\n", f"    {_declared(entry)}\n"]
    parts += [f"{text}\n" for text in (user.get("notice"), dev.get("details")) if text]
    told = dev.get("params", {})
    listed = [f"- `{one}`: {text}" for one, text in told.items()]
    listed += [
        f"- returns {'' if one.startswith('_') else f'`{one}`: '}{text}"
        for one, text in dev.get("returns", {}).items()
    ]
    return "\n".join([*parts, *listed, *([""] if listed else [])])


def _declared(entry: dict[str, Any]) -> str:
    inputs = ", ".join(_parameter(one) for one in entry["inputs"])
    text = f"{entry['type']} {entry['name']}({inputs})"
    if entry["type"] != "function":
        return text
    if entry["stateMutability"] != "nonpayable":
        text += f" {entry['stateMutability']}"
    outputs = ", ".join(_parameter(one) for one in entry["outputs"])
    return f"{text} returns ({outputs})" if outputs else text


def _parameter(one: dict[str, Any]) -> str:
    shown = one.get("internalType", one["type"]).split(" ")[-1].split(".")[-1]
    marked = f"{shown} indexed" if one.get("indexed") else shown
    return f"{marked} {one.get('name') or ''}".strip()


def _type(one: dict[str, Any]) -> str:
    if not one["type"].startswith("tuple"):
        return str(one["type"])
    return f"({types(one['components'])}){one['type'].removeprefix('tuple')}"
