"""Where the registry keeps what: slots of its storage, and what their words mean.

Reading words costs a thousandth of calling views; a test holds them against the views.
"""

from functools import lru_cache

from tallystick.protocol.abi_words import address, uint
from tallystick.protocol.enums import Cause, State
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.totals import Totals

NETWORKS, ARCHIVE, CREDITS, KEYS = 2, 3, 4, 5
"""Slots of the registry's mappings; the two before them are EIP-712's."""
MEMBERS_ACTIVE, MEMBERS_BURNED, STANDINGS = 3, 4, 6
"""Slots of the committee's variables: its keyring's and EIP-712's before them, accounts between."""
BITS = 51
"""Of a counter."""
_MASK = (1 << BITS) - 1
STAKE_BITS = 128


@lru_cache(maxsize=1 << 16)
def mapped(key: bytes, slot: int) -> int:
    """Return the slot of a mapping's value."""
    return int.from_bytes(keccak256(key + uint(slot)), "big")


def counts_slot(network: bytes) -> int:
    """Of committed and the graded counters; losses lie in the next."""
    return mapped(network, NETWORKS)


def swept_slot(network: bytes) -> int:
    return counts_slot(network) + 3


def lane_slot(network: bytes, operator: bytes) -> int:
    """Of the lane; its words lie behind it, by slot."""
    return mapped(address(operator), counts_slot(network) + 5)


def credit_slot(asset: bytes, account: bytes) -> int:
    return mapped(address(account), mapped(address(asset), CREDITS))


def key_slot(operator: bytes) -> int:
    return mapped(address(operator), KEYS)


def archive_slot(batch_id: bytes) -> int:
    return int.from_bytes(keccak256(batch_id + uint(ARCHIVE)), "big")


def standing_slot(member: int) -> int:
    return mapped(uint(member), STANDINGS)


def balance_slot(account: bytes) -> int:
    """Of a token of OpenZeppelin's: its balances are its first variable."""
    return mapped(address(account), 0)


def counts_word(totals: Totals) -> int:
    return (
        totals.committed
        | totals.unchallenged << BITS
        | totals.audited << 2 * BITS
        | totals.enclave << 3 * BITS
        | totals.proven << 4 * BITS
    )


def losses_word(totals: Totals) -> int:
    return totals.rejected | totals.unresolved << BITS | totals.burned << 2 * BITS


def totals_of(counts: int, losses: int) -> Totals:
    """Return what a network's two words say."""
    counters = [counts >> place * BITS & _MASK for place in range(5)]
    return Totals(*counters, losses & _MASK, losses >> BITS & _MASK, losses >> 2 * BITS)


def lane_word(stake: int, opened: int, next_index: int, admitted: bool, closed: bool) -> int:
    return stake | opened << 128 | next_index << 176 | admitted << 224 | closed << 232


def archive_word(
    state: State, grade: int, lapsed: bool, cause: Cause, leaf: int, count: int, committed_at: int
) -> int:
    return (
        state
        | grade << 8
        | lapsed << 16
        | cause << 24
        | leaf << 32
        | count << 64
        | committed_at << 96
    )
