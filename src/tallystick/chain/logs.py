"""The registry's events over a range of blocks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
from tallystick.chain.rpc.errors import BehindError, BusyError
from tallystick.chain.rpc.provider import rpc_error
from tallystick.errors import TallystickError
from tallystick.protocol.events import (
    CARGO,
    EVENTS,
    Event,
    KeySet,
    LaneEvent,
    NetworkEvent,
    Position,
    from_abi_values,
)
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.progress import Progress
from tallystick.protocol.scope import DIRECTORY, Scope

FIRST_RANGE = 10_000
"""Blocks asked for at first; halved when a node refuses, doubled when it does not."""

_PATIENCE = 16
"""Answers after a refusal until as many blocks are asked for again."""


class LogError(TallystickError, RuntimeError):
    """A node answered with logs that cannot be the range's."""


class BlockRange:
    """Number of blocks that a node is asked for at once: halved when it refuses, else doubled.

    Args:
        blocks: to begin with.
    """

    def __init__(self, blocks: int = FIRST_RANGE) -> None:
        self.blocks = blocks
        self.longest = 0
        """The most that the node has given."""
        self._limit, self._patience = 0, 0
        """What it refused, if anything, and for how many answers more that is not asked again."""

    def accepted(self, blocks: int) -> None:
        """Go on behind so many blocks, whose logs the node gave."""
        self.longest, self._patience = max(self.longest, blocks), self._patience - 1
        if blocks == self.blocks and (2 * blocks < self._limit or self._patience < 0):
            self.blocks *= 2

    def refused(self, blocks: int) -> None:
        """Ask for half of so many blocks, which the node refused, or failed to answer."""
        self._limit, self._patience, self.blocks = blocks, _PATIENCE, blocks // 2


Filter = list[list[str] | None]
"""Of eth_getLogs: by place of the topic, those that will do as hex text; None: any."""


def topics(cargo: bool = False) -> list[str]:
    """Return the first topics of the registry's events as hex text.

    Args:
        cargo: with those that only carry data: BytesRevealed and EvidenceAccepted.
    """
    return _topics(lambda kind: cargo or kind.__name__ not in CARGO)


def filters(scope: Scope, cargo: bool = False) -> list[Filter]:
    """Return the filters that together give a scope's logs; they may give a few others too.

    Args:
        scope: what is read.
        cargo: of the whole registry, with events that only carry data; of a part, see
            cargo_filter.
    """
    if scope.is_whole:
        return [[topics(cargo)]]
    networks, operators = _ids(scope.networks), _ids(scope.operators)
    if operators is None:
        return [[_topics(lambda kind: issubclass(kind, NetworkEvent)), networks]]
    directory = _topics(lambda kind: kind in DIRECTORY)
    keys, lanes = _topics(lambda kind: kind is KeySet), _topics(_is_of_lane)
    if not operators:
        return [[directory, networks]]
    if networks is None:
        return [[directory], [keys, operators], [lanes, None, operators]]
    # An operator's address as a topic is no network's id: one filter does for both.
    return [[directory + keys, networks + operators], [lanes, networks, operators]]


def cargo_filter(batch_ids: Iterable[bytes]) -> Filter:
    """Return the filter of the events that carry data of these batches."""
    carrying = _topics(lambda kind: kind.__name__ in CARGO)
    return [carrying, sorted(to_hex(one) for one in batch_ids)]


def topic_of(kind: type[Event]) -> bytes:
    """Return the first topic of an event's logs, 32 bytes.

    >>> topic_of(EVENTS["Deposited"]).hex()[:8]
    '8752a472'
    """
    return next(topic for topic, entry in _events().items() if entry["name"] == kind.__name__)


def topic_number(kind: type[Event], argument: str) -> int:
    """Return which of its logs' topics an event's argument is; 0 is the event itself.

    Args:
        kind: of the event.
        argument: by its name in the ABI; indexed.

    >>> topic_number(EVENTS["BatchCommitted"], "batchId")
    3
    """
    entry = _events()[topic_of(kind)]
    indexed = [one["name"] for one in entry["inputs"] if one["indexed"]]
    return indexed.index(argument) + 1


def read_events(
    w3: Web3, address: bytes, first: int, last: int, progress: Progress | None = None
) -> Iterator[Event]:
    """Yield the registry's events of a block range, ordered by block and log index, each once.

    Those that only carry data are left out: what bytes and evidence weigh, nobody has to fetch.

    Args:
        w3: connected.
        address: the registry's, 20 bytes.
        first: first block, included.
        last: last block, included.
        progress: called with blocks done and blocks in all.

    Raises:
        LogError: a log outside the range, of another contract, or not what the ABI says.
    """
    for log in read_logs(w3, address, first, last, [[topics()]], progress):
        yield decode_log(log)


def read_logs(
    w3: Web3,
    address: bytes,
    first: int,
    last: int,
    wanted: Sequence[Filter],
    progress: Progress | None = None,
    size: BlockRange | None = None,
) -> Iterator[Any]:
    """Yield the registry's logs as the node gives them; see read_events for order and errors.

    Args:
        w3: connected.
        address: the registry's, 20 bytes.
        first: first block, included.
        last: last block, included.
        wanted: filters; a log that several of them give comes once.
        progress: called with blocks done and blocks in all.
        size: of the ranges that are asked for; None: found out anew.
    """
    size, start = size or BlockRange(), first
    while start <= last:
        end = min(start + size.blocks - 1, last)
        try:
            logs = [log for one in wanted for log in _get_logs(w3, address, start, end, one)]
        except (Web3Exception, ValueError, OSError) as error:
            # A node that limits rates, or has no such block yet, has nothing against the range.
            if start == end or isinstance(rpc_error(error), BusyError | BehindError):
                raise
            size.refused(end - start + 1)
            continue
        yield from _ordered(logs, address, start, end, wanted)
        if progress:
            progress(end - first + 1, last - first + 1)
        size.accepted(end - start + 1)
        start = end + 1


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
        raise LogError(f"log {position.order} (block, log) is of no event that the registry has")
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


def _get_logs(w3: Web3, address: bytes, start: int, end: int, wanted: Filter) -> Any:
    query: Any = {
        "address": Web3.to_checksum_address(address),
        "fromBlock": start,
        "toBlock": end,
        "topics": wanted,
    }
    return w3.eth.get_logs(query)


def _ordered(
    logs: Any, address: bytes, start: int, end: int, wanted: Sequence[Filter]
) -> Iterator[Any]:
    unique = {(log["blockNumber"], log["logIndex"]): log for log in logs if not log.get("removed")}
    for key in sorted(unique):
        log = unique[key]
        if not start <= key[0] <= end or bytes.fromhex(log["address"][2:]) != address:
            raise LogError(f"asked for blocks {start} to {end} of {to_hex(address)}; got log {key}")
        if not any(_fits(log, one) for one in wanted):
            raise LogError(f"log {key} (block, log) has topics that were not asked for")
        yield log


def _fits(log: Any, wanted: Filter) -> bool:
    found = [to_hex(bytes(topic)) for topic in log["topics"]]
    return len(found) >= len(wanted) and all(
        ids is None or topic in ids for ids, topic in zip(wanted, found, strict=False)
    )


def _topics(wanted: Callable[[type[Event]], bool]) -> list[str]:
    known = ((topic, EVENTS.get(entry["name"])) for topic, entry in _events().items())
    return [to_hex(topic) for topic, kind in known if kind is not None and wanted(kind)]


def _is_of_lane(kind: type[Event]) -> bool:
    return issubclass(kind, LaneEvent)


def _ids(ids: frozenset[bytes] | None) -> list[str] | None:
    """Return ids as topics, 32 bytes each."""
    return None if ids is None else sorted(to_hex(one.rjust(32, b"\0")) for one in ids)


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
