"""Members' stake: in, out, and never twice."""

from typing import Any

import pytest
from web3.contract import Contract
from web3.contract.contract import ContractFunction

from tests.support.builds import abi
from tests.support.chain import Chain, Mined, reverts
from tests.support.committee import EXIT_DELAY, MIN_STAKE, Committee, found


def test_stake__by_another_account__reverts(
    chain: Chain, committee: Committee, stranger: bytes
) -> None:
    with reverts("NotMemberAccount", member=0, caller=stranger):
        chain.transact(stranger, committee.contract.functions.stake(0, 1), value=1)


def test_stake__of_no_member__reverts(chain: Chain, committee: Committee, stranger: bytes) -> None:
    with reverts("NotMemberAccount", member=3, caller=stranger):
        chain.transact(stranger, committee.contract.functions.stake(3, 1), value=1)


def test_stake__other_coins_than_said__reverts(chain: Chain, committee: Committee) -> None:
    with reverts("StakeAmountMismatch", sent=1, needed=2):
        chain.transact(chain.accounts[0], committee.contract.functions.stake(0, 2), value=1)


def test_stake__coins_sent_to_a_committee_on_a_token__reverts(chain: Chain) -> None:
    token = chain.deploy("MockToken")
    committee = found(chain, 1, 1, asset=bytes.fromhex(token.address[2:]), staked=False)

    with reverts("StakeAmountMismatch", sent=3, needed=0):
        chain.transact(chain.accounts[0], committee.contract.functions.stake(0, 0), value=3)


def test_stake__a_token_twice__adds_up(chain: Chain) -> None:
    token = chain.deploy("MockToken")
    committee = found(chain, 1, 1, asset=bytes.fromhex(token.address[2:]), staked=False)
    account = chain.accounts[0]
    chain.transact(account, token.functions.mint(chain.w3.to_checksum_address(account), 99))
    chain.transact(account, token.functions.approve(committee.contract.address, 99))

    for amount in (7, 92):
        chain.transact(account, committee.contract.functions.stake(0, amount))

    assert committee.stakes() == [99]


def test_stake__in_and_out__is_told_by_its_events(chain: Chain, committee: Committee) -> None:
    account, functions = chain.accounts[1], committee.contract.functions
    staked = chain.transact(account, functions.stake(1, 5), value=5)
    left = chain.transact(account, functions.requestExit(1))
    chain.at(left.timestamp + EXIT_DELAY)
    chain.transact(account, functions.payOut(1))

    events = committee.contract.events
    (log,) = events.MemberStaked().get_logs(from_block=staked.block_number)
    assert dict(log["args"]) == {"member": 1, "amount": 5, "active": True}
    (log,) = events.MemberLeft().get_logs(from_block=0)
    assert dict(log["args"]) == {"member": 1, "exitAt": left.timestamp + EXIT_DELAY}
    (log,) = events.MemberPaid().get_logs(from_block=0)
    assert dict(log["args"]) == {"member": 1, "amount": MIN_STAKE + 5}


def test_pay_out__before_leaving_and_before_the_delay__reverts(
    chain: Chain, committee: Committee
) -> None:
    pay_out = committee.contract.functions.payOut(1)
    with reverts("ExitNotDue", member=1, timestamp=chain.now + 1, exitAt=0):
        chain.transact(chain.accounts[1], pay_out)
    left = chain.transact(chain.accounts[1], committee.contract.functions.requestExit(1))

    chain.at(left.timestamp + EXIT_DELAY - 1)
    with reverts("ExitNotDue", exitAt=left.timestamp + EXIT_DELAY):
        chain.transact(chain.accounts[1], pay_out)


def test_pay_out__after_the_delay_by_anyone__pays_the_member(
    chain: Chain, committee: Committee, stranger: bytes
) -> None:
    left = chain.transact(chain.accounts[1], committee.contract.functions.requestExit(1))
    before = chain.balance(bytes(20), chain.accounts[1])

    chain.at(left.timestamp + EXIT_DELAY)
    chain.transact(stranger, committee.contract.functions.payOut(1))

    assert chain.balance(bytes(20), chain.accounts[1]) - before == MIN_STAKE
    assert committee.contract.functions.standingOf(1).call() == (0, 0)


def test_pay_out__account_refuses_coins__reverts_and_keeps_them(
    chain: Chain, committee: Committee
) -> None:
    account, functions = chain.accounts[1], committee.contract.functions
    left = chain.transact(account, functions.requestExit(1))
    refusing = "0x60006000fd"
    chain.w3.provider.make_request(
        "anvil_setCode", [chain.w3.to_checksum_address(account), refusing]
    )
    chain.at(left.timestamp + EXIT_DELAY)

    with reverts("PaymentFailed", to=account, amount=MIN_STAKE):
        chain.transact(chain.accounts[9], functions.payOut(1))
    assert functions.standingOf(1).call()[0] == MIN_STAKE


def test_leaving__staking_or_leaving_again__reverts(chain: Chain, committee: Committee) -> None:
    functions = committee.contract.functions
    chain.transact(chain.accounts[1], functions.requestExit(1))

    with reverts("MemberLeaving", member=1):
        chain.transact(chain.accounts[1], functions.requestExit(1))
    with reverts("MemberLeaving", member=1):
        chain.transact(chain.accounts[1], functions.stake(1, 1), value=1)


def test_sweep__nothing_burned__reverts(
    chain: Chain, committee: Committee, stranger: bytes
) -> None:
    with reverts("NothingBurned"):
        chain.transact(stranger, committee.contract.functions.sweep())


@pytest.fixture
def hooked(chain: Chain) -> tuple[Contract, Contract, Committee]:
    """A committee on a token that calls back, whose only member is a contract."""
    token = chain.deploy("ReentrantToken")
    member = chain.deploy("Forwarder")
    asset = bytes.fromhex(token.address[2:])
    committee = found(chain, 1, 1, asset=asset, staked=False, accounts=[member.address])
    chain.transact(chain.accounts[9], token.functions.mint(member.address, 10 * MIN_STAKE))
    does(chain, member, token, token.functions.approve(committee.contract.address, 10 * MIN_STAKE))
    return token, member, committee


def data_of(function: ContractFunction) -> bytes:
    return bytes.fromhex(function._encode_transaction_data()[2:])


def does(chain: Chain, member: Contract, contract: Contract, *functions: ContractFunction) -> Mined:
    calls = [data_of(function) for function in functions]
    return chain.transact(chain.accounts[9], member.functions.forward(contract.address, calls))


@pytest.mark.parametrize(
    "name", ["requestExit", "stake", "payOut", "sweep", "convict", "convictOnEvidence"]
)
def test_stake__token_calls_back__changes_nothing(
    chain: Chain, hooked: tuple[Any, ...], name: str
) -> None:
    """An exit within a stake would leave the member counted when its stake is out."""
    token, member, committee = hooked
    functions = committee.contract.functions
    batch = (bytes(32), "0x" + "00" * 20, 0, bytes(32), bytes(32), 1, 0)
    audit = (bytes(32), 0, bytes(32), True)
    opening = (("0x" + "00" * 20, 0, 0, bytes(32), bytes(32), bytes(32)), 0, [])
    again = {
        "requestExit": functions.requestExit(0),
        "stake": functions.stake(0, 1),
        "payOut": functions.payOut(0),
        "sweep": functions.sweep(),
        "convict": functions.convict(batch, audit, b""),
        "convictOnEvidence": functions.convictOnEvidence(batch, audit, b"", opening, b""),
    }[name]
    back = member.functions.forward(committee.contract.address, [data_of(again)])
    chain.transact(chain.accounts[9], token.functions.arm(member.address, data_of(back)))

    with reverts("ReentrancyGuardReentrantCall"):
        does(chain, member, committee.contract, functions.stake(0, MIN_STAKE))
    assert committee.active() == 0
    assert functions.standingOf(0).call() == (0, 0)


def test_pay_out__token_calls_back__pays_once(chain: Chain, hooked: tuple[Any, ...]) -> None:
    token, member, committee = hooked
    functions = committee.contract.functions
    does(chain, member, committee.contract, functions.stake(0, MIN_STAKE), functions.requestExit(0))
    chain.at(chain.now + EXIT_DELAY).mine()
    chain.transact(
        chain.accounts[9],
        token.functions.arm(committee.contract.address, data_of(functions.payOut(0))),
    )

    with reverts("ReentrancyGuardReentrantCall"):
        chain.transact(chain.accounts[9], functions.payOut(0))
    assert token.functions.balanceOf(committee.contract.address).call() == MIN_STAKE


def test_stake__token_with_a_fee__counts_what_arrived(chain: Chain) -> None:
    token = chain.deploy("FeeToken")
    asset = bytes.fromhex(token.address[2:])
    committee = found(chain, 1, 1, asset=asset, staked=False)
    owner = chain.accounts[0]
    mint = chain.w3.eth.contract(token.address, abi=abi("FeeToken")).functions
    account = chain.w3.to_checksum_address(owner)
    chain.transact(owner, mint.mint(account, 10 * MIN_STAKE))
    chain.transact(owner, mint.approve(committee.contract.address, 10 * MIN_STAKE))

    chain.transact(owner, committee.contract.functions.stake(0, MIN_STAKE))

    (stake, _) = committee.contract.functions.standingOf(0).call()
    assert 0 < stake < MIN_STAKE
    assert token.functions.balanceOf(committee.contract.address).call() == stake
    assert committee.active() == 0
