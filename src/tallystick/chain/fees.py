"""Fees and gas limits of transactions."""

from dataclasses import dataclass
from typing import NamedTuple

from web3 import Web3
from web3.exceptions import Web3Exception

MOST_GAS = 1 << 24
"""Of one transaction (EIP-7825)."""


@dataclass(frozen=True, slots=True)
class Fees:
    """Fees that a transaction offers, in wei a gas."""

    most: int
    """Base fee and priority fee together, at most."""
    priority: int

    def outbidding(self, offered: "Fees") -> "Fees":
        """Return these fees, raised to what nodes take in place of a transaction that offered less.

        >>> Fees(most=10, priority=1).outbidding(Fees(most=80, priority=1))
        Fees(most=91, priority=2)
        """
        # Nodes want a tenth more at least.
        return Fees(
            max(self.most, offered.most * 9 // 8 + 1),
            max(self.priority, offered.priority * 9 // 8 + 1),
        )


class GasPrice(NamedTuple):
    """Prices that a chain asks for, in wei a gas."""

    base: int
    """See base_fee."""
    priority: int

    @classmethod
    def now(cls, w3: Web3) -> "GasPrice":
        """Return what the chain asks for at its latest block."""
        return cls(base_fee(w3), int(w3.eth.max_priority_fee))

    def fees(self) -> Fees:
        """Return what to offer: enough for base fees that double until it is mined.

        >>> GasPrice(base=10, priority=1).fees()
        Fees(most=21, priority=1)
        """
        return Fees(2 * self.base + self.priority, self.priority)


def base_fee(w3: Web3) -> int:
    """Return the base fee, in wei a gas; 0 on a chain without.

    It is the latest block's, or the next one's where that is known to be higher.
    """
    found = int(w3.eth.get_block("latest").get("baseFeePerGas", 0))
    try:
        return max(found, int(w3.eth.get_block("pending").get("baseFeePerGas") or 0))
    except Web3Exception:
        return found


def gas_limit(estimated: int) -> int:
    """Return how much gas to allow: a fifth more than estimated, as the state may have moved.

    It is not more than a transaction may have, unless more was estimated.

    >>> gas_limit(100_000), gas_limit(16_500_000)
    (120000, 16777216)
    """
    allowed = estimated * 6 // 5
    return allowed if estimated > MOST_GAS else min(allowed, MOST_GAS)
