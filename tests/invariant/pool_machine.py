"""The compiled pool beside its model, over a registry that has one of its own."""

import random
from functools import partial
from typing import Any

from tallystick.chain.call import encode_call
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.batch import NO_DISPUTE
from tallystick.protocol.pool import case_id
from tallystick.protocol.rules import Rules
from tallystick.protocol.sampling import draw
from tests.invariant import model as plain
from tests.invariant.machine import ACCOUNTS, CHAIN_ID, DEPOSIT, OWNER, STAKE, Machine
from tests.invariant.networks import networks
from tests.invariant.pool_compare import PoolComparison
from tests.invariant.pool_contract import KEYS, PoolContract
from tests.invariant.pool_model import EPOCH, CaseKey, PoolModel, Record, Terms
from tests.invariant.pool_networks import (
    BY_REPLAY,
    FOREIGN,
    OTHER_SPEC,
    QUICK,
    SLOW,
    pool_networks,
)
from tests.invariant.world import PLENTY

DAY = 24 * 3600
SPEC = b"s" * 32
SEAT_STAKE, FEE, RULE_FEE = 100, 3, 7
ESCROW = 5_000
MEMBERS = 14
"""Keys that have seats, while there are others to come after them."""
LEAVES = 40
"""At most; an audit draws 16."""


class PoolMachine(Machine):
    """One run: registry, committee and pool deployed, members enrolled."""

    def __init__(self, choose: random.Random, code: bytes | None = None) -> None:
        """`code`: the pool's creation code, if not the package's."""
        self._pool_code = code
        super().__init__(choose)

    def _rules(self) -> list[Rules]:
        self.world.keep_hashes()
        for key in KEYS:
            self.world.give(key, PLENTY)
        assets = self.assets
        asset = self.choose.choice([ZERO_ADDRESS, assets.plain, assets.fee, assets.refusing])
        terms = Terms(asset, self.resolver, SEAT_STAKE, 72, 9, 16, 8, 40 * DAY, FEE, RULE_FEE)
        self.pool = PoolContract(
            self.world, OWNER, self.registry, CHAIN_ID, terms, SPEC, self._pool_code
        )
        other_asset = assets.plain if asset != assets.plain else ZERO_ADDRESS
        return [
            *networks(self.resolver, self.refuser, self.committee.address, assets),
            *pool_networks(self.pool.address, self.resolver, self.refuser, asset, other_asset),
        ]

    def _spec(self, network: int) -> bytes:
        return bytes(32) if network == OTHER_SPEC else SPEC

    def _chosen(self) -> list[int]:
        return [QUICK, SLOW, QUICK, SLOW, BY_REPLAY, self.choose.choice(FOREIGN)]

    def _found(self) -> None:
        self.pool_model = PoolModel(
            self.model, self.pool.address, self.pool.terms, foreign={OTHER_SPEC}
        )
        self.pool_checks = PoolComparison(self)
        self.most_leaves = LEAVES
        self.case_ids: dict[CaseKey, bytes] = {}
        """Of all cases there ever were."""
        self.donated = 0
        """Units that the pool has got without owing them to anybody."""
        super()._found()
        asset = self.pool.terms.asset
        for account in ACCOUNTS:
            if asset != ZERO_ADDRESS:
                spender, most = self.pool.address, 2**256 - 1
                self.token(account, asset, b"approve(address,uint256)", spender, most)
            self.deposit(account, asset, 20 * DEPOSIT)
            for network in self.playing:
                self.stake(account, network, 20 * STAKE)
            self.pool_deposit(account, account, 2 * ESCROW)
            self.fund(account, ESCROW)
        for number, key in enumerate(KEYS[:MEMBERS]):
            self.pool_deposit(ACCOUNTS[number % len(ACCOUNTS)], key, 60 * SEAT_STAKE)
            account = key if number % 3 == 0 else ACCOUNTS[number % len(ACCOUNTS)]
            self.enroll(key, self.choose.randint(4, 14), account)
        self.world.wait((self.now // EPOCH + 1) * EPOCH)

    # The EVM

    def address_of(self, source: str) -> bytes:
        return self.pool.address if source == "Pool" else super().address_of(source)

    def send(self, sender: bytes, data: bytes, value: int = 0, to: bytes | None = None) -> bytes:
        self.pool_checks.before()
        answer = super().send(sender, data, value, to)
        self.pool_checks.seen(self.world.logs(self.pool.address))
        return answer

    def pool_call(self, name: str, *args: Any) -> bytes:
        return encode_call("Pool", self.pool.address, name, *args).data

    # Resolvers

    def attests(self, attestor: bytes, claim: plain.Claim, says: int) -> int:
        if attestor != self.pool.address:
            return says
        return int(self.pool_model.record_of(claim) is not None)

    def rules_on(self, arbiter: bytes, says: int) -> int:
        return says if arbiter != self.pool.address else 0

    # Statements

    def drawn(self, claim: plain.Claim, seed_block: int) -> frozenset[int]:
        terms, batch_id = self.pool.terms, self.batch_of(claim).id()
        return frozenset(draw(self.pool.seed(seed_block), batch_id, terms.min_drawn, claim.count))

    def case_id(self, claim: plain.Claim, key: CaseKey) -> bytes:
        """The id of a case, as somebody names it who makes this claim."""
        dispute = self.pre_image(claim).dispute if key[2] else NO_DISPUTE
        return case_id(self.batch_of(claim).id(), key[1], dispute)

    def record_abi(self, record: Record | None) -> tuple[bytes, list[bytes]]:
        return self.pool.record(record).abi()

    # One action in both worlds

    def pool_both(
        self, action: str, plain_action: Any, sender: bytes, name: str, *args: Any, **more: Any
    ) -> bool:
        """Make an action of the pool; see `both`."""
        return self.both(action, plain_action, sender, name, *args, source="Pool", **more)

    def pool_deposit(self, sender: bytes, to: bytes, amount: int, coins: int | None = None) -> None:
        asset = self.pool.terms.asset
        native = asset == ZERO_ADDRESS
        if coins is None:
            coins = amount if native else 0
        holds = 0 if native else self.holds[asset][sender]

        def paid() -> None:
            if not native:
                self.holds[asset][sender] -= amount

        self.pool_both(
            "deposit into the pool",
            partial(self.pool_model.deposit, sender, to, amount, holds, coins),
            *(sender, "deposit", to, amount),
            value=coins,
            then=paid,
        )

    def enroll(self, key: bytes, more: int, account: bytes) -> None:
        self.pool_both(
            "enroll",
            lambda: self.pool_model.enroll(key, more, account, self.now),
            *(key, "enroll", more, account),
        )

    def fund(self, operator: bytes, amount: int) -> None:
        self.pool_both(
            "fund", lambda: self.pool_model.fund(operator, amount), operator, "fund", amount
        )
