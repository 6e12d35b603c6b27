"""The registry's events, one value type each, named and ordered as in the contract's interface.

Source: contracts/interfaces/ITallystickEvents.sol. Decoding raw logs is the chain modules' work.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_type_hints

from tallystick.errors import FieldError, UnknownEventError
from tallystick.protocol.abi_words import check_bytes
from tallystick.protocol.batch import Stamp
from tallystick.protocol.enums import Cause, Grade, Outcome
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.inference import Leaf
from tallystick.protocol.rules import Rules

Address = Annotated[bytes, 20]
Bytes32 = Annotated[bytes, 32]


@dataclass(frozen=True, slots=True)
class Position:
    """The place of a log on its chain."""

    block_number: int
    log_index: int
    """In its block."""
    tx_hash: Bytes32
    address: Address
    """The contract that emitted it."""

    @property
    def order(self) -> tuple[int, int]:
        """The key by which logs of one contract ascend strictly."""
        return self.block_number, self.log_index


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events."""

    position: Position


@dataclass(frozen=True, slots=True)
class NetworkEvent(Event):
    """Base of events in a network."""

    network_id: Bytes32


@dataclass(frozen=True, slots=True)
class LaneEvent(NetworkEvent):
    """Base of events in a lane."""

    operator: Address


@dataclass(frozen=True, slots=True)
class BatchEvent(LaneEvent):
    """Base of events of a batch."""

    batch_id: Bytes32


@dataclass(frozen=True, slots=True)
class NetworkRegistered(NetworkEvent):
    """A network exists, with these rules for good."""

    owner: Address
    parent: Bytes32
    salt: Bytes32
    rules: Rules
    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class OperatorAdmitted(LaneEvent):
    """The owner admitted the operator, or opened a closed lane again."""


@dataclass(frozen=True, slots=True)
class OperatorClosed(LaneEvent):
    """The owner closed the lane to new commits."""


@dataclass(frozen=True, slots=True)
class ModelRegistered(NetworkEvent):
    """A model exists in the network."""

    registrant: Address
    model_id: Bytes32
    content_hash: Bytes32
    spec_hash: Bytes32
    parent: Bytes32
    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class Deposited(Event):
    """The account's credit grew by what the registry received."""

    asset: Address
    account: Address
    amount: int


@dataclass(frozen=True, slots=True)
class Withdrawn(Event):
    """The account's credit shrank and the registry paid `to`."""

    asset: Address
    account: Address
    to: Address
    amount: int


@dataclass(frozen=True, slots=True)
class KeySet(Event):
    """The key, and none before it, may commit for the operator; zero: no key may."""

    operator: Address
    key: Address


@dataclass(frozen=True, slots=True)
class Staked(LaneEvent):
    """Credit of the operator became stake of its lane."""

    amount: int


@dataclass(frozen=True, slots=True)
class Unstaked(LaneEvent):
    """Stake of the lane became credit of the operator."""

    amount: int


@dataclass(frozen=True, slots=True)
class Swept(NetworkEvent):
    """Value that the network had burned left the registry."""

    asset: Address
    amount: int


@dataclass(frozen=True, slots=True)
class BatchCommitted(BatchEvent):
    """A batch is open; the batch whose slot it took, if any, is final."""

    model_id: Bytes32
    root: Bytes32
    index: int
    commit_deadline: int
    stamp: Stamp
    finalized_id: Bytes32
    """Zero: the slot held no batch that was still open."""
    outcome: Outcome
    finalized_count: int


@dataclass(frozen=True, slots=True)
class BatchAttested(BatchEvent):
    """Evidence raised the batch's grade."""

    grade: Grade


@dataclass(frozen=True, slots=True)
class EvidenceAccepted(Event):
    """The evidence that raised a batch's grade, in its attestor's encoding."""

    batch_id: Bytes32
    grade: Grade
    evidence: bytes


@dataclass(frozen=True, slots=True)
class BatchChallenged(BatchEvent):
    """A leaf is challenged; challengeBond left the challenger's credit."""

    challenger: Address
    leaf_index: int
    leaf: Bytes32
    due: int


@dataclass(frozen=True, slots=True)
class BatchDemanded(BatchEvent):
    """A leaf is demanded; demandBond left the demander's credit."""

    demander: Address
    leaf_index: int
    with_bytes: bool
    due: int


@dataclass(frozen=True, slots=True)
class LeafRevealed(BatchEvent):
    """The demand is answered; the bond is the operator's credit."""

    leaf_index: int
    leaf: Leaf
    closes_at: int
    bond: int
    proof: tuple[Bytes32, ...]
    """Siblings from the leaf up."""


@dataclass(frozen=True, slots=True)
class BytesRevealed(Event):
    """A demand for bytes is answered with these."""

    batch_id: Bytes32
    leaf_index: int
    input: bytes
    output: bytes


@dataclass(frozen=True, slots=True)
class ChallengeUpheld(BatchEvent):
    """The arbiter ruled for the operator."""

    closes_at: int
    credited: int
    burned: int


@dataclass(frozen=True, slots=True)
class ChallengeLapsed(BatchEvent):
    """The arbiter did not rule in time; the batch will count as unresolved."""

    closes_at: int
    challenger: Address
    returned: int
    burned: int


@dataclass(frozen=True, slots=True)
class BatchRejected(BatchEvent):
    """The batch is rejected and archived; the lane's stake shrank by reward + burned."""

    cause: Cause
    leaf_index: int
    count: int
    payee: Address
    reward: int
    burned: int
    bond_owner: Address
    bond: int


@dataclass(frozen=True, slots=True)
class BatchFinalized(BatchEvent):
    """The batch is final: the outcome's counter grew by `count`."""

    outcome: Outcome
    count: int


@dataclass(frozen=True, slots=True)
class BatchArchived(BatchEvent):
    """A final batch is archived."""


EVENTS: Mapping[str, type[Event]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            NetworkRegistered,
            OperatorAdmitted,
            OperatorClosed,
            ModelRegistered,
            Deposited,
            Withdrawn,
            KeySet,
            Staked,
            Unstaked,
            Swept,
            BatchCommitted,
            EvidenceAccepted,
            BatchAttested,
            BatchChallenged,
            BatchDemanded,
            LeafRevealed,
            BytesRevealed,
            ChallengeUpheld,
            ChallengeLapsed,
            BatchRejected,
            BatchFinalized,
            BatchArchived,
        )
    }
)
"""Each event's class by its name in the ABI."""

CARGO = frozenset({EvidenceAccepted.__name__, BytesRevealed.__name__})
"""Events that carry data and move nothing: whoever counts does not fetch them."""


def from_abi_values(name: str, args: Mapping[str, Any], position: Position) -> Event:
    """Return the event that decoded ABI values describe.

    Args:
        name: the event's in the ABI.
        args: values by the parameters' names in the ABI; addresses and hashes as bytes or hex
            text, enums as integers, a stamp as 32 bytes, rules and leaves as tuples or by field
            name.
        position: where the log stands.

    Raises:
        UnknownEventError: no event is called so.
        FieldError: a value is missing, or of another length than the ABI's.

    >>> position = Position(block_number=1, log_index=0, tx_hash=bytes(32), address=bytes(20))
    >>> values = {"asset": "0x" + "00" * 20, "account": bytes(20), "amount": 5}
    >>> from_abi_values("Deposited", values, position).amount
    5
    """
    if name not in _READERS:
        raise UnknownEventError(name)
    values = {}
    for field, parameter, read in _READERS[name]:
        if parameter not in args:
            raise FieldError(f"{name}.{parameter}", "missing", "a value")
        values[field] = read(args[parameter])
    return EVENTS[name](position=position, **values)


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


def _read_bytes(length: int, field: str, value: Any) -> bytes:
    plain = from_hex(value, length, field) if isinstance(value, str) else bytes(value)
    check_bytes(field, plain, length)
    return plain


def _read_leaf(value: Any) -> Leaf:
    given = [value[_camel(name)] for name in Leaf._fields] if isinstance(value, Mapping) else value
    if len(given) != len(Leaf._fields):
        raise FieldError("leaf", f"{len(given)} values", f"{len(Leaf._fields)}")
    requester, nonce, deadline, *hashes = given
    names = Leaf._fields[3:]
    read = (_read_bytes(32, name, one) for name, one in zip(names, hashes, strict=True))
    return Leaf(_read_bytes(20, "requester", requester), int(nonce), int(deadline), *read)


def _read_hashes(field: str, value: Any) -> tuple[bytes, ...]:
    return tuple(_read_bytes(32, field, one) for one in value)


def _read_rules(value: Any) -> Rules:
    names = [field.name for field in fields(Rules)]
    given = [value[_camel(name)] for name in names] if isinstance(value, Mapping) else list(value)
    if len(given) != len(names):
        raise FieldError("rules", f"{len(given)} values", f"{len(names)}")
    by_name = dict(zip(names, given, strict=True))
    for name in ("asset", "arbiter"):
        by_name[name] = _read_bytes(20, name, by_name[name])
    by_name["attestors"] = tuple(
        _read_bytes(20, "attestors", attestor) for attestor in by_name["attestors"]
    )
    return Rules(**by_name)


def _reader(field: str, hint: Any) -> Callable[[Any], Any]:
    if hint is Rules:
        return _read_rules
    if hint is Leaf:
        return _read_leaf
    if hint == tuple[Bytes32, ...]:
        return partial(_read_hashes, field)
    if hint is Stamp:
        return lambda value: Stamp.unpack(_read_bytes(32, field, value))
    if get_args(hint):
        return partial(_read_bytes, get_args(hint)[1], field)
    if issubclass(hint, IntEnum | int | str | bytes):
        return hint  # type: ignore[no-any-return]
    raise TypeError(f"no reader for {hint}")


def _readers(kind: type[Event]) -> list[tuple[str, str, Callable[[Any], Any]]]:
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind) if field.name != "position"]
    return [(name, _camel(name), _reader(name, hints[name])) for name in names]


_READERS = {name: _readers(kind) for name, kind in EVENTS.items()}
