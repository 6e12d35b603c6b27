"""Seats: bought by the key, listed for the next epoch, frozen when it begins, and gone in time.

enroll   next epoch only, once | more | nobody who fails to come again | barred | account for good
leave    not before exitDelay after the last epoch | held | closed | fees come along
"""

import pytest

from tallystick.protocol.pool import EPOCH, epoch_of
from tests.support.chain import Chain, reverts
from tests.support.pool import CREDIT, EXIT_DELAY, SEAT_STAKE, Pool, deploy


@pytest.fixture
def empty(chain: Chain) -> Pool:
    pool = deploy(chain)
    for member in range(3):
        pool.fund(chain.accounts[member])
    return pool


def test_enroll__three_keys__their_seats_tile_the_next_epochs_list(
    chain: Chain, empty: Pool
) -> None:
    epoch = epoch_of(chain.now) + 1
    for member, seats in enumerate((5, 1, 7)):
        empty.enroll(member, seats)

    assert empty.read("headerOf", epoch) == (13, 3)
    found = [empty.read("entryAt", epoch, entry) for entry in range(4)]
    assert [one[1:] for one in found] == [(0, 5), (5, 1), (6, 7), (0, 0)]
    assert [bytes.fromhex(one[0][2:]) for one in found[:3]] == chain.accounts[:3]
    assert empty.credit(chain.accounts[2]) == CREDIT - 7 * SEAT_STAKE


def test_enroll__twice_in_an_epoch__reverts(chain: Chain, empty: Pool) -> None:
    empty.enroll(0, 5)

    with reverts("AlreadyEnrolled", key=chain.accounts[0], epoch=epoch_of(chain.now) + 1):
        empty.enroll(0, 1)


def test_enroll__once_the_epoch_has_begun__its_list_stays(chain: Chain, empty: Pool) -> None:
    empty.enroll(0, 5)
    empty.next_epoch()
    begun = epoch_of(chain.now)
    empty.enroll(0, 4)
    empty.enroll(1, 2)

    assert empty.read("headerOf", begun) == (5, 1)
    assert empty.read("entryAt", begun, 0)[1:] == (0, 5)
    assert empty.read("headerOf", begun + 1) == (11, 2)


def test_enroll__an_epoch_let_go_by__in_no_list_until_it_comes_again(
    chain: Chain, empty: Pool
) -> None:
    empty.enroll(0, 5)
    empty.next_epoch()
    empty.next_epoch()
    now = epoch_of(chain.now)

    assert empty.read("headerOf", now) == (0, 0)
    empty.enroll(0, 0)
    assert empty.read("headerOf", now + 1) == (5, 1)


def test_enroll__ring_used_again__old_entries_are_not_of_the_new_list(
    chain: Chain, empty: Pool
) -> None:
    for member in range(3):
        empty.enroll(member, 2)
    for _ in range(4):
        empty.next_epoch()
    empty.enroll(0, 0)
    epoch = epoch_of(chain.now) + 1

    assert empty.read("headerOf", epoch) == (2, 1)
    assert empty.read("entryAt", epoch, 1) == ("0x" + "00" * 20, 0, 0)
    with reverts("EpochGone"):
        empty.read("entryAt", epoch - 4, 0)


@pytest.mark.parametrize("ahead", [2, 3])
def test_entry_at__epoch_to_come__is_not_there(chain: Chain, empty: Pool, ahead: int) -> None:
    with reverts("EpochGone"):
        empty.read("entryAt", epoch_of(chain.now) + ahead, 0)


def test_enroll__without_seats_or_credit__reverts(chain: Chain, empty: Pool) -> None:
    with reverts("NothingEnrolled", key=chain.accounts[0]):
        empty.enroll(0, 0)
    with reverts("InsufficientCredit", account=chain.accounts[5], credit=0, needed=SEAT_STAKE):
        empty.enroll(5, 1)
    with reverts("SeatsOutOfRange"):
        empty.enroll(0, 2**24)


def test_enroll__more_seats_than_any_number_holds__reverts(chain: Chain, empty: Pool) -> None:
    empty.enroll(0, 5)
    empty.next_epoch()

    with reverts("SeatsOutOfRange", key=chain.accounts[0], seats=2**256 - 1):
        empty.send(chain.accounts[0], "enroll", 2**256 - 1, bytes(20))


def test_enroll__account__is_fixed_the_first_time(chain: Chain, empty: Pool) -> None:
    key, account = chain.accounts[0], chain.accounts[7]
    with reverts("NotAccount"):
        empty.send(key, "enroll", 1, bytes(20))
    empty.enroll(0, 5, account)
    empty.next_epoch()

    with reverts("NotAccount", account=key):
        empty.send(key, "enroll", 0, key)
    empty.send(key, "enroll", 0, bytes(20))


def test_close__by_the_account__enrolls_no_more(chain: Chain, empty: Pool) -> None:
    key, account = chain.accounts[0], chain.accounts[7]
    empty.enroll(0, 5, account)
    with reverts("NotAccount", account=key):
        empty.send(key, "close", key)

    empty.send(account, "close", key)

    empty.next_epoch()
    with reverts("KeyBarred", key=key):
        empty.enroll(0, 1, account)
    with reverts("KeyBarred"):
        empty.send(account, "close", key)


def test_exit__after_the_delay__stake_goes_to_the_accounts_credit(
    chain: Chain, empty: Pool
) -> None:
    key, account = chain.accounts[0], chain.accounts[7]
    mined = empty.enroll(0, 5, account)
    due = (epoch_of(mined.timestamp) + 2) * EPOCH + EXIT_DELAY
    with reverts("NotAccount"):
        empty.send(key, "leave", key)
    chain.at(due - 1)
    with reverts("StakeHeld", key=key, timestamp=due - 1, until=due):
        empty.send(account, "leave", key)

    chain.at(due)
    empty.send(account, "leave", key)

    assert empty.credit(account) == 5 * SEAT_STAKE
    assert empty.read("memberOf", key)[0] == 0
    with reverts("NothingEnrolled"):
        empty.send(account, "leave", key)


def test_exit__enrolled_again__waits_from_the_last_epoch(chain: Chain, empty: Pool) -> None:
    first = empty.enroll(0, 5)
    empty.next_epoch()
    empty.enroll(0, 0)
    chain.at((epoch_of(first.timestamp) + 2) * EPOCH + EXIT_DELAY)

    with reverts("StakeHeld"):
        empty.send(chain.accounts[0], "leave", chain.accounts[0])


def test_withdraw__credit__leaves_once(chain: Chain, empty: Pool) -> None:
    account = chain.accounts[1]
    empty.send(account, "withdraw", CREDIT)

    assert chain.balance(bytes(20), empty.address) == 2 * CREDIT
    with reverts("InsufficientCredit", credit=0, needed=1):
        empty.send(account, "withdraw", 1)


def test_deposit__other_coins_than_said__reverts(chain: Chain, empty: Pool) -> None:
    with reverts("AmountMismatch", sent=2, needed=3):
        empty.send(chain.accounts[0], "deposit", chain.accounts[0], 3, value=2)


def test_receive__coins_of_anybody__refused(chain: Chain, empty: Pool) -> None:
    from tallystick.chain.call import Call

    with reverts("AmountMismatch"):
        chain.send_call(chain.accounts[0], Call(empty.address, b"", 5, "receive"))


def test_defund__an_epoch_after_notice__all_of_it_back(chain: Chain, empty: Pool) -> None:
    operator = chain.accounts[1]
    empty.send(operator, "fund", 500)
    with reverts("NoticeNotDue"):
        empty.send(operator, "defund")
    noticed = empty.send(operator, "notice")
    chain.at(noticed.timestamp + EPOCH - 1)
    with reverts("NoticeNotDue", due=noticed.timestamp + EPOCH):
        empty.send(operator, "defund")

    chain.at(noticed.timestamp + EPOCH)
    empty.send(operator, "defund")

    assert empty.read("escrowOf", operator) == (0, 0)
    assert empty.credit(operator) == CREDIT


def test_fund__after_notice__withdraws_it(chain: Chain, empty: Pool) -> None:
    operator = chain.accounts[1]
    empty.send(operator, "fund", 500)
    noticed = empty.send(operator, "notice")
    empty.send(operator, "fund", 1)
    chain.at(noticed.timestamp + EPOCH)

    with reverts("NoticeNotDue"):
        empty.send(operator, "defund")


def test_sweep__nothing_burned__reverts(chain: Chain, empty: Pool) -> None:
    with reverts("NothingBurned"):
        empty.send(chain.accounts[0], "sweep")
