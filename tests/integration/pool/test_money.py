"""Credit, seats and escrows, and how each is refused."""

from web3 import Web3

from tallystick.protocol.hexes import from_hex, to_hex
from tests.integration.conftest import Commands
from tests.integration.pool.conftest import (
    ANYBODY,
    Bench,
    pool_at,
)
from tests.support.chain import Chain
from tests.support.pool import (
    SEAT_STAKE,
    Pool,
    terms,
)


class TestMoney:
    """Credit, seats and escrows."""

    def test_deposit__for_another__is_its_credit(
        self, chain: Chain, bench: Bench, pool: Pool
    ) -> None:
        other = chain.accounts[1]

        bench.run("deposit", to_hex(pool.address), "5 gwei", "--to", to_hex(other))

        assert pool.credit(other) == 5 * 10**9

    def test_deposit__token__is_approved_first(self, chain: Chain, bench: Bench) -> None:
        token = chain.deploy("MockToken")
        anybody = Web3.to_checksum_address(chain.accounts[ANYBODY])
        chain.transact(chain.accounts[ANYBODY], token.functions.mint(anybody, 1_000))
        registry = Web3.to_checksum_address(chain.registry.address)
        made = chain.deploy("Pool", registry, terms(asset=token.address)).address

        text = bench.error("deposit", made, 1_001)
        assert f"{anybody} holds 1000 of the asset; needed: 1001" in text
        tried = bench.run("deposit", made, 700, "--dry-run")
        bench.run("deposit", made, 700)

        assert (tried["move"], tried["amount"]) == ("approve", 700)
        assert pool_at(chain, from_hex(made)).credit(chain.accounts[ANYBODY]) == 700
        assert token.functions.balanceOf(made).call() == 700

    def test_credit__too_little__is_refused_with_what_it_is(
        self, chain: Chain, bench: Bench, pool: Pool
    ) -> None:
        address = to_hex(pool.address)
        pool.fund(chain.accounts[ANYBODY], 100)

        for words in (["withdraw", 101], ["fund", 101]):
            text = bench.error(words[0], address, words[1])
            assert "has credit 100 in the pool; the amount is 101; add some with" in text
        text = bench.error("enroll", address, 3)
        assert f"the stake of 3 seats is {3 * SEAT_STAKE}" in text
        assert pool.credit(chain.accounts[ANYBODY]) == 100

    def test_enroll__first_time__fixes_the_account(
        self, chain: Chain, bench: Bench, pool: Pool
    ) -> None:
        address, key, account = to_hex(pool.address), chain.accounts[ANYBODY], chain.accounts[1]
        pool.fund(key)

        assert "has no seats; needed: a number" in bench.error("enroll", address)
        tried = bench.run("enroll", address, 2, "--to", to_hex(account), "--dry-run")
        assert pool.read("memberOf", key)[0] == 0
        done = bench.run("enroll", address, 2, "--to", to_hex(account))
        assert (tried["paid"], done["paid"]) == (2 * SEAT_STAKE, 2 * SEAT_STAKE)
        assert "enrolled for epoch" in bench.error("enroll", address, 1)

        pool.next_epoch()
        text = bench.error("enroll", address, 1, "--to", to_hex(key))
        assert f"is {Web3.to_checksum_address(account)}, fixed when it first" in text
        assert bench.run("enroll", address)["seats"] == 2
        pool.next_epoch()
        text = bench.error("enroll", address, 2**24 - 1)
        assert "would have 16777217 seats; needed: at most 16777215" in text

    def test_close__by_its_account__and_nobody_else(
        self, chain: Chain, bench: Bench, pool: Pool
    ) -> None:
        address, key = to_hex(pool.address), to_hex(pool.member(3))
        assert "has never enrolled" in bench.error("close", address, "--key", key)
        pool.fund(pool.member(3))
        pool.enroll(3, 2, chain.accounts[1])

        for name in ("close", "leave"):
            text = bench.error(name, address, "--key", key, by=3)
            assert f"is {Web3.to_checksum_address(chain.accounts[1])};" in text
        bench.run("close", address, "--key", key, by=1)
        assert "is closed already" in bench.error("close", address, "--key", key, by=1)
        pool.next_epoch()
        assert "is closed, and never enrols" in bench.error("enroll", address, by=3)

    def test_fund__after_notice__withdraws_it(self, chain: Chain, bench: Bench, pool: Pool) -> None:
        address, operator = to_hex(pool.address), chain.accounts[ANYBODY]
        pool.fund(operator)
        assert "has no escrow" in bench.error("notice", address)
        assert "no notice was given" in bench.error("defund", address)
        bench.run("fund", address, 10)
        bench.run("notice", address)

        assert bench.run("fund", address, 5)["withdraws_notice"] is True

        assert "no notice was given" in bench.error("defund", address)
        assert pool.read("escrowOf", operator) == (15, 0)

    def test_address_without_a_pool__is_one_line(
        self, chain: Chain, bench: Bench, commands: Commands
    ) -> None:
        registry = to_hex(chain.registry.address)

        assert "no contract is at" in commands.error("pool show", "0x" + "11" * 20)
        assert "answers no terms of a pool" in commands.error("pool show", registry)
        assert "answers no terms of a pool" in bench.error("deposit", registry, 1)
