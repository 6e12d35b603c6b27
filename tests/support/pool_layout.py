"""Where the pool keeps what: slots of its storage, and what their words mean."""

from tallystick.protocol.abi_words import address, uint
from tests.support.layout import mapped

HEADERS, LISTS, MEMBERS, RECORDS, CASES, ESCROWS, CREDITS, BURNED = range(2, 10)
"""Slots of the pool's variables; the two before them are EIP-712's."""
RING = 4
SEAT_BITS = 24


def header_slot(epoch: int) -> int:
    return mapped(uint(epoch), HEADERS)


def entry_slot(epoch: int, entry: int) -> int:
    return mapped(uint(entry), mapped(uint(epoch % RING), LISTS))


def member_slot(key: bytes) -> int:
    """Of seats, epochs, standing and fees; the account lies in the next."""
    return mapped(address(key), MEMBERS)


def record_slot(batch_id: bytes) -> int:
    return mapped(batch_id, RECORDS)


def case_slot(case_id: bytes) -> int:
    return mapped(case_id, CASES)


def escrow_slot(operator: bytes) -> int:
    return mapped(address(operator), ESCROWS)


def credit_slot(account: bytes) -> int:
    return mapped(address(account), CREDITS)


def header_word(seats: int, entries: int) -> int:
    return seats | entries << 40


def entry_word(key: bytes, first: int, seats: int) -> int:
    return int.from_bytes(key, "big") | first << 160 | seats << 200


def member_word(seats: int, last_epoch: int, held_until: int, standing: int, earned: int) -> int:
    return seats | last_epoch << 24 | held_until << 48 | standing << 88 | earned << 96


def case_word(payer: bytes, seed_block: int, epoch: int, challenged: bool) -> int:
    return int.from_bytes(payer, "big") | seed_block << 160 | epoch << 200 | challenged << 224


def escrow_word(balance: int, notice_at: int) -> int:
    return balance | notice_at << 128
