"""A committee at its address: its terms, its members and what they have staked."""

from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from web3 import Web3
from web3.types import BlockIdentifier

from tallystick.chain.call import Call, encode_call
from tallystick.chain.view import read_view
from tallystick.eip712 import Domain
from tallystick.errors import TallystickError
from tallystick.hexes import checksummed, from_hex
from tallystick.keys import MAX_KEYS, Key


class PanelError(TallystickError, RuntimeError):
    """Not a committee, or not one of its members."""


@dataclass(frozen=True, slots=True)
class Terms:
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


@dataclass(frozen=True, slots=True)
class Seat:
    """A member and what it has staked."""

    member: int
    """Place, from zero."""
    account: bytes
    key: Key
    """That signs; see tallystick.keys."""
    stake: int
    exit_at: int
    """Unix seconds; zero: not leaving."""
    counts: bool
    """Whether its signature does now."""


class Panel:
    """One deployed committee.

    Args:
        w3: connected.
        address: 20 bytes.
    """

    def __init__(self, w3: Web3, address: bytes) -> None:
        if not w3.eth.get_code(Web3.to_checksum_address(address)):
            raise PanelError(f"no contract is at {checksummed(address)}")
        self.w3, self.address = w3, address

    @property
    def domain(self) -> Domain:
        """What members sign under."""
        return Domain(self.w3.eth.chain_id, self.address)

    def call(self, name: str, *args: Any, value: int = 0) -> Call:
        """Return a call of a function, to be sent; arguments in the order of the ABI."""
        return encode_call("Committee", self.address, name, *args, value=value)

    def read(self, name: str, *args: Any, block: BlockIdentifier = "latest") -> Any:
        """Return what a view answers, as of read_view."""
        return read_view(self.w3, "Committee", self.address, name, *args, block=block)

    def terms(self) -> Terms:
        """Return the terms."""
        asset, threshold, min_drawn, seed_delay, exit_delay, min_stake, arbiter = self.read("terms")
        return Terms(
            from_hex(asset),
            threshold,
            min_drawn,
            seed_delay,
            exit_delay,
            min_stake,
            from_hex(arbiter),
        )

    def seats(self, block: BlockIdentifier = "latest") -> list[Seat]:
        """Return the members, in the order of their places."""
        counted = int(self.read("active", block=block))
        seats = (self._seat(member, counted, block) for member in range(MAX_KEYS))
        # Places beyond the last member are empty.
        return list(takewhile(lambda seat: seat.key, seats))

    def place_of(self, account: bytes) -> int:
        """Return the first place of an account, by stake or by signature; PanelError if none."""
        for seat in self.seats():
            if account in (seat.account, seat.key):
                return seat.member
        raise PanelError(f"{checksummed(account)} is no member of {checksummed(self.address)}")

    def _seat(self, member: int, counted: int, block: BlockIdentifier) -> Seat:
        account, key = self.read("memberAt", member, block=block)
        stake, exit_at = self.read("standingOf", member, block=block)
        counts = bool(counted >> member & 1)
        return Seat(member, from_hex(account), bytes(key), stake, exit_at, counts)
