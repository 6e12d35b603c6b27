"""Networks and models: immutable rules, and the ids that follow from what they name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tallystick.errors import RulesError
from tallystick.protocol.abi_words import (
    ZERO32,
    ZERO_ADDRESS,
    address,
    check_bytes,
    check_uint,
    uint,
)
from tallystick.protocol.address_text import AddressText
from tallystick.protocol.hexes import checksummed, from_hex
from tallystick.protocol.keccak import keccak256

MAX_WINDOW = 365 * 24 * 3600
"""Longest window of a network's rules, in seconds."""
MAX_BYTES = 90_000
"""Most bytes of input and output that a network may let be demanded: a transaction carries them."""
LIFE_RESPONSES, LIFE_RULINGS = 16, 4
"""Response and ruling windows that a batch may live beyond its challenge window."""
REWARD_BONDS = 16
"""A reward is at most this many challenge bonds."""

_WIDTHS = {
    "stake_per_inference": 96,
    "challenge_bond": 96,
    "demand_bond": 96,
    "max_bytes": 32,
    "challenge_window": 32,
    "response_window": 32,
    "ruling_window": 32,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Immutable rules of a network. Amounts in units of `asset`, windows in seconds.

    Source: `Rules` in contracts/interfaces/Types.sol; the fields are in its order.

    >>> rules = Rules(challenge_window=3600, response_window=600, ruling_window=1200)
    >>> rules.check()
    """

    asset: bytes = ZERO_ADDRESS
    """ERC-20, or zero for the native coin."""
    attestors: tuple[bytes, bytes, bytes] = (ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS)
    """Attestors of Audited, Enclave, Proven; zero: the grade is not to be had."""
    arbiter: bytes = ZERO_ADDRESS
    """Zero: no challenge."""
    stake_per_inference: int = 0
    challenge_bond: int = 0
    demand_bond: int = 0
    max_bytes: int = 0
    """Input and output bytes together that a demand may ask for, at most MAX_BYTES; zero: none."""
    challenge_window: int = 0
    response_window: int = 0
    ruling_window: int = 0
    permissionless: bool = False
    """Anyone may be operator and register models."""
    solicited: bool = False
    """Every inference needs a requester's signature."""

    def __post_init__(self) -> None:
        check_bytes("asset", self.asset, 20)
        check_bytes("arbiter", self.arbiter, 20)
        if len(self.attestors) != 3:
            raise RulesError([f"attestors has {len(self.attestors)} addresses; needed: 3"])
        for attestor in self.attestors:
            check_bytes("attestors", attestor, 20)
        for field, bits in _WIDTHS.items():
            check_uint(field, getattr(self, field), bits)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Rules":
        """Return the rules that a YAML or JSON file describes, checked.

        Args:
            mapping: fields by name, addresses as hex text; a missing field is zero or false.

        Raises:
            RulesError: a field is unknown or malformed, or the contract would refuse the rules.

        >>> Rules.from_mapping({"challenge_window": 60, "response_window": 30, "ruling_window": 1})
        ... # doctest: +ELLIPSIS
        Rules(asset=b'...', ..., challenge_window=60, response_window=30, ruling_window=1, ...)
        """
        try:
            parsed = _RulesFile.model_validate(mapping)
        except ValidationError as error:
            raise RulesError(
                [
                    f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}"
                    for e in error.errors(include_url=False)
                ]
            ) from error
        given = parsed.model_dump()
        given["asset"], given["arbiter"] = from_hex(parsed.asset), from_hex(parsed.arbiter)
        given["attestors"] = tuple(from_hex(attestor) for attestor in parsed.attestors)
        rules = cls(**given)
        rules.check()
        return rules

    @classmethod
    def from_abi(cls, values: Sequence[Any]) -> "Rules":
        """Return the rules that a contract answered: fields in order, addresses as hex text."""
        asset, attestors, arbiter, *rest = values
        return cls(
            from_hex(asset, 20, "asset"),
            tuple(from_hex(attestor, 20, "attestors") for attestor in attestors),  # type: ignore[arg-type]
            from_hex(arbiter, 20, "arbiter"),
            *rest,
        )

    def to_mapping(self) -> dict[str, Any]:
        """Return the fields by name, addresses as checksummed text; from_mapping's reverse."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["asset"], values["arbiter"] = checksummed(self.asset), checksummed(self.arbiter)
        values["attestors"] = [checksummed(attestor) for attestor in self.attestors]
        return values

    def check(self) -> None:
        """Raise RulesError with every reason for which registerNetwork would refuse the rules.

        Whether the asset has code only the chain can tell.
        """
        reasons = []
        for field in ("challenge_window", "response_window", "ruling_window"):
            window = getattr(self, field)
            if not 0 < window <= MAX_WINDOW:
                reasons.append(f"{field} is {window} s; needed: 1 to {MAX_WINDOW} s (a year)")
        if self.response_window > self.half_window:
            reasons.append(
                f"response_window is {self.response_window} s; needed: at most half of "
                f"challenge_window, {self.half_window} s"
            )
        if self.arbiter != ZERO_ADDRESS and self.challenge_bond == 0:
            reasons.append("challenge_bond is 0; needed: more than 0 with an arbiter")
        if self.max_bytes > MAX_BYTES:
            reasons.append(
                f"max_bytes is {self.max_bytes}; needed: at most {MAX_BYTES}, so that one "
                "transaction can reveal a leaf with its bytes"
            )
        if reasons:
            raise RulesError(reasons)

    @property
    def half_window(self) -> int:
        """Half the challenge window, in seconds.

        The longest response window, and how long after its batch's commit a deadline may lie.
        """
        return self.challenge_window // 2

    def latest_deadline(self, committed_at: int) -> int:
        """Return the latest deadline, in Unix seconds, of a leaf that is committed then.

        Source: faultDeadline of the registry.

        >>> Rules(challenge_window=3601).latest_deadline(1000)
        2800
        """
        return committed_at + self.half_window

    @property
    def lapse_after(self) -> int:
        """Seconds after its commit beyond which a dispute that reopens a batch marks it lapsed.

        Source: RulesLib.

        >>> Rules(challenge_window=3600, response_window=600, ruling_window=1200).lapse_after
        18000
        """
        disputes = LIFE_RESPONSES * self.response_window + LIFE_RULINGS * self.ruling_window
        return self.challenge_window + disputes

    @property
    def life(self) -> int:
        """Seconds after its commit by which every batch is over that did not lapse.

        Source: lifeOf of the registry.

        >>> Rules(challenge_window=3600, response_window=600, ruling_window=1200).life
        19800
        """
        return self.lapse_after + self.response_window + self.ruling_window

    def abi(self) -> tuple[Any, ...]:
        """Return the tuple that the contract's functions take, addresses as 20 bytes."""
        return tuple(
            list(value) if isinstance(value, tuple) else value
            for value in (getattr(self, field.name) for field in fields(self))
        )

    def encode(self) -> bytes:
        """Return abi.encode(rules): 14 words."""
        return b"".join(
            (
                address(self.asset),
                *(address(attestor) for attestor in self.attestors),
                address(self.arbiter),
                *(uint(getattr(self, field)) for field in _WIDTHS),
                uint(self.permissionless),
                uint(self.solicited),
            )
        )

    def reward(self, slash: int) -> int:
        """Return what of a slash goes to whoever brought the rejection; the rest is burned.

        >>> Rules(challenge_bond=20).reward(1000)
        320
        """
        return min(slash // 2, REWARD_BONDS * self.challenge_bond)


_ZERO_HEX = "0x" + "00" * 20


class _RulesFile(BaseModel):
    """Rules as people write them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    asset: AddressText = _ZERO_HEX
    attestors: Annotated[list[AddressText], Field(min_length=3, max_length=3)] = [_ZERO_HEX] * 3
    arbiter: AddressText = _ZERO_HEX
    stake_per_inference: Annotated[int, Field(ge=0, lt=2**96)] = 0
    challenge_bond: Annotated[int, Field(ge=0, lt=2**96)] = 0
    demand_bond: Annotated[int, Field(ge=0, lt=2**96)] = 0
    max_bytes: Annotated[int, Field(ge=0, lt=2**32)] = 0
    challenge_window: Annotated[int, Field(ge=0, lt=2**32)] = 0
    response_window: Annotated[int, Field(ge=0, lt=2**32)] = 0
    ruling_window: Annotated[int, Field(ge=0, lt=2**32)] = 0
    permissionless: bool = False
    solicited: bool = False


def network_id(chain_id: int, registry: bytes, owner: bytes, salt: bytes, rules: Rules) -> bytes:
    """Return the id that registerNetwork gives: keccak256(abi.encode of these).

    Args:
        chain_id: of the chain that the registry is on.
        registry: its address, 20 bytes.
        owner: sender of registerNetwork, 20 bytes.
        salt: 32 bytes that tell apart networks of one owner with equal rules.
        rules: the network's.
    """
    check_bytes("registry", registry, 20)
    check_bytes("owner", owner, 20)
    check_bytes("salt", salt, 32)
    head = uint(chain_id) + address(registry) + address(owner) + salt
    return keccak256(head + rules.encode())


def model_id(
    network: bytes,
    registrant: bytes,
    content_hash: bytes,
    spec_hash: bytes,
    parent: bytes = ZERO32,
) -> bytes:
    """Return the id that registerModel gives: keccak256(abi.encode of these).

    Args:
        network: the network's id, 32 bytes.
        registrant: sender of registerModel, 20 bytes.
        content_hash: keccak256 of the model's content, as its spec says.
        spec_hash: keccak256 of the spec.
        parent: the model that this one is a new version of, or zero.
    """
    check_bytes("registrant", registrant, 20)
    for field, value in (
        ("network", network),
        ("content_hash", content_hash),
        ("spec_hash", spec_hash),
        ("parent", parent),
    ):
        check_bytes(field, value, 32)
    return keccak256(network + address(registrant) + content_hash + spec_hash + parent)
