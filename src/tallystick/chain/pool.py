"""A pool at its address: its terms, lists of seats, members, escrows, records and cases."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from eth_abi.exceptions import DecodingError
from web3 import Web3
from web3.types import BlockIdentifier

from tallystick.chain.call import Call, encode_call
from tallystick.chain.view import read_view, read_views
from tallystick.errors import ContractError, FieldError
from tallystick.errors import PoolError as PoolError
from tallystick.protocol.abi_words import ZERO_ADDRESS, check_bytes
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import checksummed, from_hex
from tallystick.protocol.pool import EPOCH, Quorums, Seats, domain_of

HISTORY = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")
"""Contract of EIP-2935, which knows the hashes of the last 8,191 blocks."""
HISTORY_BLOCKS = 8191


class Standing(IntEnum):
    """A key's, in a pool."""

    FREE = 0
    """Never enrolled."""
    ACTIVE = 1
    CLOSED = 2
    """Enrols no more."""
    CONVICTED = 3


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """A pool's, fixed at deployment; see PoolTerms of the contract, whose order this is."""

    asset: bytes
    """20 bytes; zero: the native coin."""
    spec: bytes
    """specHash of the models that are audited, 32 bytes."""
    replay: bytes
    """Objective arbiter of that spec, 20 bytes; zero: none."""
    seat_stake: int
    """Units of the asset that a seat costs."""
    min_seats: int
    panel: int
    """Places of an audit's panel, n."""
    min_drawn: int
    """Leaves."""
    seed_delay: int
    """Blocks."""
    exit_delay: int
    """Seconds."""
    fee_per_leaf: int
    """Units of the asset, for each place and drawn leaf."""
    rule_fee: int
    """Units of the asset, for each place that rules."""

    @property
    def quorums(self) -> Quorums:
        """Numbers of places that follow from the panel."""
        return Quorums.of(self.panel)

    @property
    def case_fee(self) -> int:
        """Units of the asset that a case takes from its payer's credit: (m + 1) ruleFee."""
        return (self.quorums.judges + 1) * self.rule_fee

    def audit_fee(self, count: int) -> int:
        """Return what each place, and the sender, earn by an audit, in units of the asset.

        Args:
            count: inferences of the batch.
        """
        return self.fee_per_leaf * min(self.min_drawn, count)

    def abi(self) -> tuple[Any, ...]:
        """Return `PoolTerms` of the contract."""
        return astuple(self)

    def leaves_at(self, member: "PoolMember") -> int:
        """Return from when on a member's stake can leave, in Unix seconds."""
        return max((member.last_epoch + 1) * EPOCH + self.exit_delay, member.held_until)

    def check(self) -> None:
        """Raise FieldError for the first term that the constructor would refuse."""
        for name, length in (("asset", 20), ("spec", 32), ("replay", 20)):
            check_bytes(name, getattr(self, name), length)
        # The panel first: how many seats are needed follows from it.
        Quorums.of(self.panel)
        for name, lowest, highest in (
            ("seat_stake", 1, 2**96 - 1),
            ("min_seats", 8 * self.panel, 2**40 - 1),
            ("min_drawn", 16, 256),
            ("seed_delay", 8, 1024),
            ("exit_delay", 2 * EPOCH, 2**32 - 1),
            ("fee_per_leaf", 0, 2**96 - 1),
            ("rule_fee", 0, 2**96 - 1),
        ):
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise FieldError(name, value, f"{lowest} to {highest}{_WHY.get(name, '')}")


_WHY = {
    "min_seats": ", 8 for each place of the panel or more",
    "exit_delay": " seconds, two epochs or more",
}


class PoolHeader(NamedTuple):
    """Size of an epoch's list."""

    seats: int
    entries: int


@dataclass(frozen=True, slots=True)
class PoolMember:
    """A key's seats and standing."""

    key: bytes
    seats: int
    last_epoch: int
    """The last whose list holds them."""
    held_until: int
    """Unix seconds; a case is about what it signed."""
    standing: Standing
    earned: int
    """Units of the asset."""
    account: bytes
    """Where money goes, 20 bytes; zero for a key that never enrolled."""


class PoolEscrow(NamedTuple):
    """An operator's, which pays the auditors of its batches."""

    balance: int
    """Units of the asset."""
    notice_at: int
    """Unix seconds; zero: none was given."""


@dataclass(frozen=True, slots=True)
class PoolCase:
    """A ruling that is asked for."""

    id: bytes
    payer: bytes
    """Of the panel's fees, 20 bytes."""
    seed_block: int
    epoch: int
    """Of the list that the panel is drawn from."""
    challenged: bool
    """Whether the registry had a challenge on the leaf."""


class Pool:
    """One deployed pool. Every read names its block; "latest" moves on between two reads.

    Args:
        w3: connected.
        address: 20 bytes.

    Raises:
        PoolError: there is no contract at the address.
    """

    def __init__(self, w3: Web3, address: bytes) -> None:
        if not w3.eth.get_code(Web3.to_checksum_address(address)):
            raise PoolError(f"no contract is at {checksummed(address)}")
        self.w3, self.address = w3, address
        self._terms: PoolTerms | None = None

    @property
    def domain(self) -> Domain:
        """The EIP-712 domain of what members sign."""
        return domain_of(self.w3.eth.chain_id, self.address)

    def call(self, name: str, *args: Any, value: int = 0) -> Call:
        """Return a call of a function, to be sent; arguments in the order of the ABI."""
        return encode_call("Pool", self.address, name, *args, value=value)

    def read(self, name: str, *args: Any, block: BlockIdentifier = "latest") -> Any:
        """Return what a view answers; see read_view for errors."""
        return read_view(self.w3, "Pool", self.address, name, *args, block=block)

    def core(self) -> bytes:
        """Return the address of the registry whose batches are audited, 20 bytes."""
        return from_hex(self.read("CORE"))

    def terms(self) -> PoolTerms:
        """Return the terms; they never change, so that they are read once."""
        if self._terms is None:
            try:
                asset, spec, replay, *numbers = self.read("terms")
            except (ContractError, DecodingError) as error:
                raise PoolError(
                    f"{checksummed(self.address)} answers no terms of a pool"
                ) from error
            self._terms = PoolTerms(from_hex(asset), bytes(spec), from_hex(replay), *numbers)
        return self._terms

    def header(self, epoch: int, block: BlockIdentifier = "latest") -> PoolHeader:
        """Return the size of an epoch's list; zero where nobody enrolled."""
        return PoolHeader(*self.read("headerOf", epoch, block=block))

    def entries(self, epoch: int, block: int | None = None) -> list[Seats]:
        """Return an epoch's list, in few requests.

        Args:
            epoch: the next one, the one that is, or one of the two before.
            block: number, at whose end it is read; None: the latest.

        Raises:
            ContractError: the list is not kept any more.
        """
        number = self.w3.eth.block_number if block is None else block
        header = self.header(epoch, number)
        # Of an empty list too, one: whether it is empty or gone, the header alone doesn't tell.
        asked = [(epoch, entry) for entry in range(max(header.entries, 1))]
        found = read_views(self.w3, "Pool", self.address, "entryAt", asked, number)
        del found[header.entries :]
        return [Seats(from_hex(key), first, seats) for key, first, seats in found]

    def member(self, key: bytes, block: BlockIdentifier = "latest") -> PoolMember:
        """Return a key's seats and standing; all zero for one that never enrolled."""
        return _member(key, self.read("memberOf", key, block=block))

    def members(self, keys: list[bytes], block: int | None = None) -> list[PoolMember]:
        """Return the seats and standings of many keys, in few requests.

        Args:
            keys: 20 bytes each.
            block: number, at whose end they are read; None: the latest.
        """
        number = self.w3.eth.block_number if block is None else block
        asked = [(key,) for key in keys]
        found = read_views(self.w3, "Pool", self.address, "memberOf", asked, number)
        return [_member(key, values) for key, values in zip(keys, found, strict=True)]

    def escrow(self, operator: bytes, block: BlockIdentifier = "latest") -> PoolEscrow:
        """Return an operator's escrow."""
        return PoolEscrow(*self.read("escrowOf", operator, block=block))

    def credit(self, account: bytes, block: BlockIdentifier = "latest") -> int:
        """Return an account's credit, in units of the asset."""
        return int(self.read("creditOf", account, block=block))

    def record(self, batch_id: bytes, block: BlockIdentifier = "latest") -> bytes | None:
        """Return the hash of a batch's record, 32 bytes; None: it has none."""
        found = bytes(self.read("recordOf", batch_id, block=block))
        return found if any(found) else None

    def case(self, case_id: bytes, block: BlockIdentifier = "latest") -> PoolCase | None:
        """Return an open case; None where there is none of this id."""
        payer, seed_block, epoch, challenged = self.read("caseOf", case_id, block=block)
        if from_hex(payer) == ZERO_ADDRESS:
            return None
        return PoolCase(case_id, from_hex(payer), seed_block, epoch, challenged)

    def seed(self, number: int) -> bytes:
        """Return the hash of a block, 32 bytes, if the contract can have it too.

        Raises:
            PoolError: the block is to come, or too old for the chain to know its hash.
        """
        # The transaction is in a block after the latest, so that one's hash is known to it.
        head = self.w3.eth.block_number
        if number > head:
            raise PoolError(
                f"too early: block {number} is the seed; the latest is {head}, "
                f"{number - head} blocks before it"
            )
        if head + 1 - number > HISTORY_BLOCKS:
            raise PoolError(
                f"too late: block {number} is the seed, and the chain keeps the hashes of "
                f"{HISTORY_BLOCKS} blocks; the latest is {head}"
            )
        return bytes(self.w3.eth.get_block(number)["hash"])


def _member(key: bytes, values: Sequence[Any]) -> PoolMember:
    """Return what memberOf answers for a key."""
    seats, last_epoch, held_until, standing, earned, account = values
    return PoolMember(
        key, seats, last_epoch, held_until, Standing(standing), earned, from_hex(account)
    )
