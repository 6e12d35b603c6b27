"""What a verifier may put up: so much in 24 hours, at so much a gas."""

from dataclasses import dataclass

from web3 import Web3

from tallystick.errors import TallystickError
from tallystick.node.verifier.journal import Journal
from tallystick.words import ZERO_ADDRESS

DAY = 24 * 3600


class MoneyError(TallystickError, RuntimeError):
    """A move would cost more than the node may spend; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction offers, in wei a gas."""

    most: int
    priority: int


@dataclass(frozen=True, slots=True)
class Purse:
    """Limits, and what the journal says was spent.

    Bonds count when they are put up, whether or not they come back; gas at the most that it can
    cost until the transaction is mined, then at what it cost. Each asset counts on its own against
    the same number: gas and bonds in the native coin together, bonds in a token in its units.
    """

    journal: Journal
    cap: int
    """Units of an asset in 24 hours."""
    gas_price_cap: int
    """Wei."""

    def fees(self, w3: Web3) -> Fees:
        """Return what to offer now; MoneyError when the chain asks for more than the cap."""
        base = int(w3.eth.get_block("latest").get("baseFeePerGas", 0))
        priority = int(w3.eth.max_priority_fee)
        if base + priority > self.gas_price_cap:
            raise MoneyError(
                f"gas costs {base + priority} wei; the cap is {self.gas_price_cap} (gas_price_cap)"
            )
        return Fees(min(2 * base + priority, self.gas_price_cap), priority)

    def spent(self, now: int) -> dict[bytes, int]:
        """Return what the last 24 hours took, by asset; `now` in Unix seconds of the chain."""
        return self.journal.spent(now - DAY)

    def check(self, now: int, asset: bytes, bond: int, gas_cost: int) -> None:
        """Raise MoneyError unless this much more may be put up."""
        spent = self.spent(now)
        wanted = {asset: bond}
        wanted[ZERO_ADDRESS] = wanted.get(ZERO_ADDRESS, 0) + gas_cost
        for each, amount in wanted.items():
            before = spent.get(each, 0)
            if amount and before + amount > self.cap:
                raise MoneyError(
                    f"{amount} more of asset 0x{each.hex()} after {before} in 24 hours is over "
                    f"the cap of {self.cap} (spending_cap_per_day)"
                )
