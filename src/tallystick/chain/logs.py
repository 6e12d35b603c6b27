"""The core's events over a range of blocks."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from eth_abi.codec import ABIDecoder
from eth_abi.decoding import StringDecoder
from eth_abi.exceptions import DecodingError
from eth_abi.registry import BaseEquals
from eth_abi.registry import registry as default_registry
from eth_utils.abi import collapse_if_tuple
from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.abi import contract, signature_hash
from tallystick.errors import TallystickError
from tallystick.events import CARGO, EVENTS, Event, Position, from_abi_values
from tallystick.hexes import to_hex
from tallystick.progress import Progress

FIRST_RANGE = 10_000
"""Blocks asked for at first; halved when a node refuses, doubled when it does not."""


class LogError(TallystickError, RuntimeError):
    """A node answered with logs that cannot be the range's."""


def topics(cargo: bool = False) -> list[str]:
    """Return the first topics of the core's events as hex text.

    Args:
        cargo: with those that only carry data: BytesRevealed and EvidenceAccepted.
    """
    return [
        to_hex(topic)
        for topic, entry in _events().items()
        if entry["name"] in EVENTS and (cargo or entry["name"] not in CARGO)
    ]


def topic_of(kind: type[Event]) -> bytes:
    """Return the first topic of an event's logs, 32 bytes.

    >>> topic_of(EVENTS["Deposited"]).hex()[:8]
    '8752a472'
    """
    return next(topic for topic, entry in _events().items() if entry["name"] == kind.__name__)


def read_events(
    w3: Web3, address: bytes, first: int, last: int, progress: Progress | None = None
) -> Iterator[Event]:
    """Yield the core's events of a block range, ordered by block and log index, each once.

    Those that only carry data are left out: what bytes and evidence weigh, nobody has to fetch.

    Args:
        w3: connected.
        address: the core's, 20 bytes.
        first: first block, included.
        last: last block, included.
        progress: called with blocks done and blocks in all.

    Raises:
        LogError: a log outside the range, of another contract, or not what the ABI says.
    """
    for log in read_logs(w3, address, first, last, progress):
        yield decode_log(log)


def read_logs(
    w3: Web3,
    address: bytes,
    first: int,
    last: int,
    progress: Progress | None = None,
    cargo: bool = False,
) -> Iterator[Any]:
    """Yield the core's logs as the node gives them; order and errors as of read_events.

    Args:
        w3: connected.
        address: the core's, 20 bytes.
        first: first block, included.
        last: last block, included.
        progress: called with blocks done and blocks in all.
        cargo: with the logs of events that only carry data.
    """
    wanted: Any = [topics(cargo)]
    size, start = FIRST_RANGE, first
    while start <= last:
        end = min(start + size - 1, last)
        try:
            logs = w3.eth.get_logs(
                {
                    "address": Web3.to_checksum_address(address),
                    "fromBlock": start,
                    "toBlock": end,
                    "topics": wanted,
                }
            )
        except (Web3Exception, ValueError, OSError):
            if size == 1:
                raise
            size //= 2
            continue
        yield from _ordered(logs, address, start, end)
        if progress:
            progress(end - first + 1, last - first + 1)
        start, size = end + 1, size * 2


def decode_log(log: Any) -> Event:
    """Return the event of one log as a node gives it; LogError if it is not what the ABI says."""
    position = Position(
        log["blockNumber"],
        log["logIndex"],
        bytes(log["transactionHash"]),
        bytes.fromhex(log["address"][2:]),
    )
    found = [bytes(topic) for topic in log["topics"]]
    entry = _events().get(found[0]) if found else None
    if entry is None:
        raise LogError(f"log {position.order} (block, log) is of no event that the core has")
    try:
        values = _values(entry, found[1:], bytes(log["data"]))
        return from_abi_values(entry["name"], values, position)
    except (DecodingError, ValueError) as error:
        raise LogError(f"{entry['name']} at {position.order} (block, log): {error}") from error


def _values(entry: dict[str, Any], found: list[bytes], data: bytes) -> dict[str, Any]:
    indexed = [argument for argument in entry["inputs"] if argument["indexed"]]
    plain = [argument for argument in entry["inputs"] if not argument["indexed"]]
    values = {
        argument["name"]: _decoder().decode([argument["type"]], topic)[0]
        for argument, topic in zip(indexed, found, strict=True)
    }
    types = [collapse_if_tuple(argument) for argument in plain]
    for argument, value in zip(plain, _decoder().decode(types, data), strict=True):
        values[argument["name"]] = value
    return values


def _ordered(logs: Any, address: bytes, start: int, end: int) -> Iterator[Any]:
    unique = {(log["blockNumber"], log["logIndex"]): log for log in logs if not log.get("removed")}
    for key in sorted(unique):
        log = unique[key]
        if not start <= key[0] <= end or bytes.fromhex(log["address"][2:]) != address:
            raise LogError(f"asked for blocks {start} to {end} of {to_hex(address)}; got log {key}")
        yield log


@cache
def _decoder() -> ABIDecoder:
    """Return a decoder that replaces what is no UTF-8.

    Whoever registers a network chooses its name's bytes; they must not stop the reading of events.
    """
    registry = default_registry.copy()  # type: ignore[no-untyped-call]
    text = StringDecoder(handle_string_errors="replace")  # type: ignore[no-untyped-call]
    plain = BaseEquals("string", with_sub=False)  # type: ignore[no-untyped-call]
    registry.unregister_decoder("string")
    registry.register_decoder(plain, text, label="string")
    return ABIDecoder(registry)


@cache
def _events() -> dict[bytes, dict[str, Any]]:
    entries = [entry for entry in contract("Tallystick").abi if entry["type"] == "event"]
    return {signature_hash(entry): entry for entry in entries}
