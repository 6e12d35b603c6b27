"""Assets that misbehave: with hooks, with a fee, that refuse to be burned or sent."""

from dataclasses import dataclass
from typing import Any

import pytest

from tallystick.chain.call import Call
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.enums import Cause, Ruling
from tallystick.protocol.events import BatchRejected
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.pool import NO_RECORD, Quorums, Record
from tests.contracts.pool.conftest import MANY
from tests.contracts.pool.harm import unharmed
from tests.support.chain import Chain, reverts
from tests.support.pool import SEAT_STAKE, Pool, batch_model, deploy
from tests.support.story import Committed, Network, register

PANEL = Quorums.of(9)
MINTED = 100_000
NOBODY = "0x" + "00" * 20
REENTER = 5
"""Mode of a resolver that calls back; it takes no coins."""


@dataclass
class Paid:
    """A pool in a token, and a network that it audits and judges."""

    pool: Pool
    token: Any
    network: Network

    def call(self, sender: bytes, name: str, *arguments: Any) -> None:
        """Call the token."""
        function = getattr(self.token.functions, name)
        self.pool.chain.transact(sender, function(*arguments))

    def holds(self, account: bytes) -> int:
        return int(self.token.functions.balanceOf(account).call())

    def arm(self, target: Any, call: bytes) -> None:
        """Have the token call back on each transfer."""
        self.call(self.pool.chain.accounts[9], "arm", target, call)

    def refuse(self) -> None:
        """Have the token refuse each transfer: what it calls back fails."""
        self.arm(self.token.address, b"\xff" * 4)


def paid(chain: Chain, name: str, owner: bytes, operator: bytes) -> Paid:
    token = chain.deploy(name)
    asset = bytes.fromhex(token.address[2:])
    pool = deploy(chain, asset=token.address)
    accounts = [*(pool.member(member) for member in range(len(MANY))), pool.member(99)]
    for member, account in enumerate(accounts):
        chain.transact(account, token.functions.mint(account, MINTED))
        chain.transact(account, token.functions.approve(pool.contract.address, 2**256 - 1))
        pool.send(account, "deposit", account, MINTED)
        if member < len(MANY):
            pool.enroll(member, MANY[member])
    pool.next_epoch()
    places = (pool.address, bytes(20), bytes(20))
    network = register(chain, owner, salt=8, arbiter=pool.address, attestors=places, asset=asset)
    network.join(operator)
    network.fund(accounts[-1])
    pool.send(operator, "fund", 10_000)
    return Paid(pool, token, network)


@pytest.fixture
def hooked(chain: Chain, network_owner: bytes, operator: bytes) -> Paid:
    return paid(chain, "ReentrantToken", network_owner, operator)


def pairs(leaves: list[Inference]) -> list[Inference]:
    """Leaves out of order."""
    return [leaves[place ^ 1] for place in range(len(leaves))]


def audited(pool: Pool, batch: Committed) -> Record:
    record, signed = pool.audited(batch, places=PANEL.audit)
    pool.audit(batch, signed)
    return record


def moves(paid: Paid, batch: Committed) -> list[tuple[Any, ...]]:
    """Every function that changes anything, with arguments that can be read."""
    pre_image, key = batch.pre_image(), paid.pool.member(0)
    record = NO_RECORD.abi()
    return [
        ("deposit", key, 0),
        ("withdraw", 0),
        ("sweep",),
        ("enroll", 0, key),
        ("close", key),
        ("leave", key),
        ("collect", key),
        ("fund", 0),
        ("notice",),
        ("defund",),
        ("audit", pre_image, batch_model(batch, paid.pool.chain), b""),
        ("appeal", pre_image, batch.opening(0), record),
        ("ruled", pre_image, batch.opening(0), 1, b"", record),
        ("expire", ZERO32),
        ("convict", batch.batch.abi(), record),
    ]


class TestHooks:
    def test_call_back_while_money_moves__every_function_that_changes_anything_is_locked(
        self, chain: Chain, hooked: Paid, operator: bytes
    ) -> None:
        pool, batch = hooked.pool, hooked.network.commit(operator, count=40)
        account = pool.member(1)
        changing = {
            one["name"]
            for one in pool.contract.abi
            if one["type"] == "function" and one["stateMutability"] in ("nonpayable", "payable")
        }
        assert changing == {name for name, *_ in moves(hooked, batch)}
        honest = [one.key for one in pool.list_of(batch)[:3]]
        for name, *arguments in moves(hooked, batch):
            call = getattr(pool.contract.functions, name)(*arguments)._encode_transaction_data()
            hooked.arm(pool.contract.address, bytes.fromhex(call[2:]))
            with unharmed(pool, honest):
                with reverts("ReentrancyGuardReentrantCall"):
                    pool.send(account, "withdraw", 5)
                with reverts("ReentrancyGuardReentrantCall"):
                    pool.send(account, "deposit", account, 0)
        hooked.arm(NOBODY, b"")
        before = hooked.holds(account)
        pool.send(account, "withdraw", 5)
        assert hooked.holds(account) - before == 5

    def test_call_back_while_stake_is_burned__nothing_is_swept_twice(
        self, chain: Chain, hooked: Paid, operator: bytes
    ) -> None:
        pool = hooked.pool
        batch = hooked.network.commit(operator, count=40, shape=pairs)
        record = audited(pool, batch)
        finder = chain.accounts[9]
        openings = batch.opening(0), batch.opening(1)
        chain.send(finder, "faultOrder", batch.pre_image(), *openings)
        pool.send(finder, "convict", batch.batch.abi(), record.abi())
        call = pool.contract.functions.sweep()._encode_transaction_data()
        hooked.arm(pool.contract.address, bytes.fromhex(call[2:]))
        with reverts("ReentrancyGuardReentrantCall"):
            pool.send(finder, "sweep")
        hooked.arm(NOBODY, b"")
        held = hooked.holds(pool.address)

        pool.send(finder, "sweep")

        stake = len(record.keys) * 2 * SEAT_STAKE
        assert held - hooked.holds(pool.address) == stake - len(record.keys) * (
            2 * SEAT_STAKE // 16
        )
        with reverts("NothingBurned"):
            pool.send(finder, "sweep")

    def test_view_in_the_middle_of_a_ruling__says_undecided_of_any_other_leaf(
        self, chain: Chain, hooked: Paid, operator: bytes
    ) -> None:
        """A hook that carries the running verdict to another leaf, or batch, finds none."""
        pool, payer = hooked.pool, hooked.pool.member(99)
        batch = hooked.network.commit(operator, count=40)
        other = hooked.network.commit(operator, slot=1, count=40)
        standing = batch.pre_image(batch.demand(payer))
        pool.appeal(payer, batch, 3, pre_image=standing)
        signed = pool.verdict(batch, 3, Ruling.REJECTED)
        call = chain.registry.call("disprove", other.pre_image(), other.opening(3), b"")
        hooked.arm(chain.w3.to_checksum_address(chain.registry.address), call.data)

        mined = pool.ruled(batch, 3, Ruling.REJECTED, signed, pre_image=standing)

        assert mined.event(BatchRejected).batch_id == batch.id
        assert other.status().state.name == "OPEN"


class TestRefusals:
    def test_reward_cannot_be_sent__rejected_and_convicted_all_the_same(
        self, chain: Chain, hooked: Paid, operator: bytes
    ) -> None:
        pool, payer = hooked.pool, hooked.pool.member(99)
        batch = hooked.network.commit(operator, count=40)
        record = audited(pool, batch)
        index = pool.drawn(batch, record)[0]
        pool.appeal(payer, batch, index, record)
        signed = pool.verdict(batch, index, Ruling.REJECTED, barred=record.keys)
        hooked.refuse()
        others = {one.key for one in pool.list_of(batch)} - set(record.keys)
        with unharmed(pool, [*others, payer]):
            mined = pool.ruled(batch, index, Ruling.REJECTED, signed, record)

        rejected = mined.event(BatchRejected)
        assert rejected.cause is Cause.DISPROOF and rejected.reward > 0
        assert all(pool.read("memberOf", key)[0] == 0 for key in record.keys)
        kept = chain.registry.read("creditOf", hooked.network.rules.asset, pool.address)
        assert kept == rejected.reward

    def test_burn_address_is_refused__conviction_stands_and_others_are_paid(
        self, chain: Chain, network_owner: bytes, operator: bytes
    ) -> None:
        refusing = paid(chain, "BurnRefusingToken", network_owner, operator)
        pool = refusing.pool
        batch = refusing.network.commit(operator, count=40, shape=pairs)
        record = audited(pool, batch)
        finder, account = chain.accounts[9], pool.member(99)
        openings = batch.opening(0), batch.opening(1)
        chain.send(finder, "faultOrder", batch.pre_image(), *openings)
        pool.send(finder, "convict", batch.batch.abi(), record.abi())
        # The token's own error, of which the package knows nothing.
        with reverts("UnknownError", data=keccak256(b"BurnRefused()")[:4]):
            pool.send(finder, "sweep")

        credit, before = pool.credit(account), refusing.holds(account)
        pool.send(account, "withdraw", credit)

        assert refusing.holds(account) - before == credit > 0

    def test_account_takes_no_coins__its_withdrawal_alone_fails(
        self, chain: Chain, pool: Pool
    ) -> None:
        call = pool.contract.functions.withdraw(500)._encode_transaction_data()
        refuser = chain.deploy("HostileResolver", REENTER, pool.contract.address, call)
        account = bytes.fromhex(refuser.address[2:])
        pool.send(chain.accounts[3], "deposit", account, 500, value=500)
        with unharmed(pool, chain.accounts[:9]), reverts("PaymentFailed", to=account, amount=500):
            chain.send_call(chain.accounts[3], Call(account, b"", 0, "withdraw"))
        assert pool.credit(account) == 500


class TestFee:
    def test_deposit__credit_is_what_arrived_and_the_pool_owes_no_more_than_it_has(
        self, chain: Chain, network_owner: bytes, operator: bytes
    ) -> None:
        taxed = paid(chain, "FeeToken", network_owner, operator)
        pool = taxed.pool
        arrived = MINTED - MINTED // 100
        members = [pool.member(member) for member in range(len(MANY))]
        keys = [*members, pool.member(99)]
        credits = sum(pool.credit(key) for key in keys)
        stakes = sum(pool.read("memberOf", key)[0] for key in keys) * SEAT_STAKE
        escrow = pool.read("escrowOf", operator)[0]
        assert taxed.holds(pool.address) == credits + stakes + escrow == arrived * len(keys)

        for key in keys:
            pool.send(key, "withdraw", pool.credit(key))

        assert taxed.holds(pool.address) == stakes + escrow

    def test_deposit__more_than_the_sender_has__nobody_is_credited(
        self, chain: Chain, hooked: Paid
    ) -> None:
        account = hooked.pool.member(1)
        before = hooked.pool.credit(account)
        with reverts("UnknownError"):
            hooked.pool.send(account, "deposit", account, MINTED)
        with reverts("AmountMismatch", sent=1, needed=0):
            hooked.pool.send(account, "deposit", account, 1, value=1)
        assert hooked.pool.credit(account) == before
