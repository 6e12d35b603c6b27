"""A committee at its address: its terms, its members and what they have staked."""

from dataclasses import astuple, dataclass
from itertools import takewhile
from typing import Any

from web3 import Web3
from web3.types import BlockIdentifier

from tallystick.chain.call import Call, encode_call
from tallystick.chain.view import read_view
from tallystick.errors import CommitteeError as CommitteeError
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import checksummed, from_hex
from tallystick.protocol.keys import MAX_KEYS, Key


@dataclass(frozen=True, slots=True)
class CommitteeTerms:
    """A committee's, fixed at deployment; see CommitteeTerms of the contract."""

    asset: bytes
    threshold: int
    min_drawn: int
    seed_delay: int
    """Blocks."""
    exit_delay: int
    """Seconds."""
    min_stake: int
    """Units of the asset."""
    arbiter: bytes
    """Of every network that is audited; zero: only networks without one."""

    def abi(self) -> tuple[Any, ...]:
        """Return `CommitteeTerms` of the contract."""
        return astuple(self)


@dataclass(frozen=True, slots=True)
class CommitteeMember:
    """A member and what it has staked."""

    index: int
    """Place, from zero."""
    account: bytes
    key: Key
    """That signs; see tallystick.protocol.keys."""
    stake: int
    exit_at: int
    """Unix seconds; zero: not leaving."""
    counts: bool
    """Whether its signature does now."""


class Committee:
    """One deployed committee.

    Args:
        w3: connected.
        address: 20 bytes.
    """

    def __init__(self, w3: Web3, address: bytes) -> None:
        if not w3.eth.get_code(Web3.to_checksum_address(address)):
            raise CommitteeError(f"no contract is at {checksummed(address)}")
        self.w3, self.address = w3, address

    @property
    def domain(self) -> Domain:
        """The EIP-712 domain of what members sign."""
        return Domain(self.w3.eth.chain_id, self.address)

    def call(self, name: str, *args: Any, value: int = 0) -> Call:
        """Return a call of a function, to be sent; arguments in the order of the ABI."""
        return encode_call("Committee", self.address, name, *args, value=value)

    def read(self, name: str, *args: Any, block: BlockIdentifier = "latest") -> Any:
        """Return what a view answers; see read_view for errors."""
        return read_view(self.w3, "Committee", self.address, name, *args, block=block)

    def terms(self) -> CommitteeTerms:
        """Return the terms."""
        asset, threshold, min_drawn, seed_delay, exit_delay, min_stake, arbiter = self.read("terms")
        return CommitteeTerms(
            from_hex(asset),
            threshold,
            min_drawn,
            seed_delay,
            exit_delay,
            min_stake,
            from_hex(arbiter),
        )

    def members(self, block: BlockIdentifier = "latest") -> list[CommitteeMember]:
        """Return the members, in the order of their places."""
        counted = int(self.read("active", block=block))
        members = (self._member(member, counted, block) for member in range(MAX_KEYS))
        # Places beyond the last member are empty.
        return list(takewhile(lambda member: member.key, members))

    def place_of(self, account: bytes) -> int:
        """Return the first place of an account or key; CommitteeError if there is none."""
        for member in self.members():
            if account in (member.account, member.key):
                return member.index
        raise CommitteeError(f"{checksummed(account)} is no member of {checksummed(self.address)}")

    def _member(self, member: int, counted: int, block: BlockIdentifier) -> CommitteeMember:
        account, key = self.read("memberAt", member, block=block)
        stake, exit_at = self.read("standingOf", member, block=block)
        counts = bool(counted >> member & 1)
        return CommitteeMember(member, from_hex(account), bytes(key), stake, exit_at, counts)
