"""What an attack must not do: take anything from somebody honest."""

import contextlib
from collections.abc import Iterable, Iterator

from tallystick.chain.pool import Standing
from tests.support.pool import SEAT_STAKE, Pool


def worth(pool: Pool, account: bytes) -> int:
    """Units of an account that is its own key: credit, fees, stake and escrow."""
    seats, _, _, _, earned, _ = pool.read("memberOf", account)
    escrow, _ = pool.read("escrowOf", account)
    return int(pool.credit(account) + earned + seats * SEAT_STAKE + escrow)


@contextlib.contextmanager
def unharmed(pool: Pool, accounts: Iterable[bytes]) -> Iterator[None]:
    """Expect that none of the accounts loses a unit, or is convicted."""
    before = {account: worth(pool, account) for account in accounts}
    assert before
    yield
    for account, then in before.items():
        assert worth(pool, account) >= then
        assert pool.read("memberOf", account)[3] != Standing.CONVICTED
