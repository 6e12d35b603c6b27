"""A verifier's budget: so much in 24 hours, at so much a gas."""

from dataclasses import dataclass

from web3 import Web3

from tallystick.chain.fees import Fees, GasPrice
from tallystick.errors import TallystickError
from tallystick.node.verifier.journal import VerifierJournal
from tallystick.protocol.abi_words import ZERO_ADDRESS

DAY = 24 * 3600


class MoneyError(TallystickError, RuntimeError):
    """A move would cost more than the node may spend; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits, and what the journal says was spent.

    Bonds count when they are put up, whether or not they come back; gas at the most that it can
    cost until the transaction is mined, then at what it cost. Each asset counts on its own against
    the same number: gas and bonds in the native coin together, bonds in a token in its units.
    """

    journal: VerifierJournal
    cap: int
    """Units of an asset in 24 hours."""
    gas_price_cap: int
    """Wei."""

    def fees(self, w3: Web3) -> Fees:
        """Return what to offer now; MoneyError when the chain asks for more than the cap."""
        price = GasPrice.now(w3)
        if sum(price) > self.gas_price_cap:
            raise MoneyError(
                f"gas costs {sum(price)} wei; the cap is {self.gas_price_cap} (gas_price_cap)"
            )
        fees = price.fees()
        return Fees(min(fees.most, self.gas_price_cap), fees.priority)

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
