"""Members' stake: in, out, and never twice."""

import pytest

from tests.support.builds import abi
from tests.support.chain import reverts
from tests.support.committee import EXIT_DELAY, MIN_STAKE, found


def test_stake__by_another_account__reverts(chain, panel, stranger):
    with reverts("NotMemberAccount", member=0, caller=stranger):
        chain.transact(stranger, panel.contract.functions.stake(0, 1), value=1)


def test_stake__of_no_member__reverts(chain, panel, stranger):
    with reverts("NotMemberAccount", member=3, caller=stranger):
        chain.transact(stranger, panel.contract.functions.stake(3, 1), value=1)


def test_stake__other_coins_than_said__reverts(chain, panel):
    with reverts("StakeAmountMismatch", sent=1, needed=2):
        chain.transact(chain.accounts[0], panel.contract.functions.stake(0, 2), value=1)


def test_pay_out__before_leaving_and_before_the_delay__reverts(chain, panel):
    pay_out = panel.contract.functions.payOut(1)
    with reverts("ExitNotDue", exitAt=0):
        chain.transact(chain.accounts[1], pay_out)
    left = chain.transact(chain.accounts[1], panel.contract.functions.requestExit(1))

    chain.at(left.timestamp + EXIT_DELAY - 1)
    with reverts("ExitNotDue", exitAt=left.timestamp + EXIT_DELAY):
        chain.transact(chain.accounts[1], pay_out)


def test_pay_out__after_the_delay_by_anyone__pays_the_member(chain, panel, stranger):
    left = chain.transact(chain.accounts[1], panel.contract.functions.requestExit(1))
    before = chain.balance(bytes(20), chain.accounts[1])

    chain.at(left.timestamp + EXIT_DELAY)
    chain.transact(stranger, panel.contract.functions.payOut(1))

    assert chain.balance(bytes(20), chain.accounts[1]) - before == MIN_STAKE
    assert panel.contract.functions.standingOf(1).call() == (0, 0)


def test_leaving__staking_or_leaving_again__reverts(chain, panel):
    functions = panel.contract.functions
    chain.transact(chain.accounts[1], functions.requestExit(1))

    with reverts("MemberLeaving", member=1):
        chain.transact(chain.accounts[1], functions.requestExit(1))
    with reverts("MemberLeaving", member=1):
        chain.transact(chain.accounts[1], functions.stake(1, 1), value=1)


def test_sweep__nothing_burned__reverts(chain, panel, stranger):
    with reverts("NothingBurned"):
        chain.transact(stranger, panel.contract.functions.sweep())


@pytest.fixture
def hooked(chain):
    """A committee on a token that calls back, whose only member is a contract."""
    token = chain.deploy("ReentrantToken")
    member = chain.deploy("Forwarder")
    asset = bytes.fromhex(token.address[2:])
    panel = found(chain, 1, 1, asset=asset, staked=False, accounts=[member.address])
    chain.transact(chain.accounts[9], token.functions.mint(member.address, 10 * MIN_STAKE))
    does(chain, member, token, token.functions.approve(panel.contract.address, 10 * MIN_STAKE))
    return token, member, panel


def data_of(function):
    return bytes.fromhex(function._encode_transaction_data()[2:])


def does(chain, member, contract, *functions):
    calls = [data_of(function) for function in functions]
    return chain.transact(chain.accounts[9], member.functions.forward(contract.address, calls))


@pytest.mark.parametrize("name", ["requestExit", "stake", "payOut", "sweep", "convict"])
def test_stake__token_calls_back__changes_nothing(chain, hooked, name):
    """An exit within a stake would leave the member counted when its stake is out."""
    token, member, panel = hooked
    functions = panel.contract.functions
    batch = (bytes(32), "0x" + "00" * 20, 0, bytes(32), bytes(32), 1, 0)
    again = {
        "requestExit": functions.requestExit(0),
        "stake": functions.stake(0, 1),
        "payOut": functions.payOut(0),
        "sweep": functions.sweep(),
        "convict": functions.convict(batch, (bytes(32), 0, bytes(32), True), b""),
    }[name]
    back = member.functions.forward(panel.contract.address, [data_of(again)])
    chain.transact(chain.accounts[9], token.functions.arm(member.address, data_of(back)))

    with reverts("ReentrancyGuardReentrantCall"):
        does(chain, member, panel.contract, functions.stake(0, MIN_STAKE))
    assert panel.active() == 0
    assert functions.standingOf(0).call() == (0, 0)


def test_pay_out__token_calls_back__pays_once(chain, hooked):
    token, member, panel = hooked
    functions = panel.contract.functions
    does(chain, member, panel.contract, functions.stake(0, MIN_STAKE), functions.requestExit(0))
    chain.at(chain.now + EXIT_DELAY).mine()
    chain.transact(
        chain.accounts[9], token.functions.arm(panel.contract.address, data_of(functions.payOut(0)))
    )

    with reverts("ReentrancyGuardReentrantCall"):
        chain.transact(chain.accounts[9], functions.payOut(0))
    assert token.functions.balanceOf(panel.contract.address).call() == MIN_STAKE


def test_stake__token_with_a_fee__counts_what_arrived(chain):
    token = chain.deploy("FeeToken")
    asset = bytes.fromhex(token.address[2:])
    panel = found(chain, 1, 1, asset=asset, staked=False)
    owner = chain.accounts[0]
    mint = chain.w3.eth.contract(token.address, abi=abi("FeeToken")).functions
    account = chain.w3.to_checksum_address(owner)
    chain.transact(owner, mint.mint(account, 10 * MIN_STAKE))
    chain.transact(owner, mint.approve(panel.contract.address, 10 * MIN_STAKE))

    chain.transact(owner, panel.contract.functions.stake(0, MIN_STAKE))

    (stake, _) = panel.contract.functions.standingOf(0).call()
    assert 0 < stake < MIN_STAKE
    assert token.functions.balanceOf(panel.contract.address).call() == stake
    assert panel.active() == 0
