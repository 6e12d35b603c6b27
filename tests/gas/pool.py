"""Gas of a pool's moves: whole transactions, distinct signers, slots of lists used before."""

import contextlib

from tallystick.protocol.batch import Dispute
from tallystick.protocol.enums import Ruling
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.pool import Record, Seats
from tests.gas.budget import Budget
from tests.support.chain import Chain
from tests.support.pool import SEED_DELAY, deploy
from tests.support.story import Committed, register

COUNT = 1000
"""Inferences of a batch; depth 10."""
MEMBERS = 120
"""Keys of one seat each."""
PANELS = (9, 15)
RING = 4
SEED = keccak256(b"seed")
PEERS = "Committee 95,000 to resolve Rejected, 1 signature"

CEILINGS = {
    9: (165_000, 118_000, 236_000, 339_000),
    15: (205_000, 136_000, 317_000, 458_000),
}
"""Of audit, appeal, Upheld and Rejected, by the size of the panel; seeds 300 blocks old."""
DESIGNED = {
    9: (170_200, 130_000, 220_200, 305_200),
    15: (210_200, 150_000, 295_200, 405_200),
}
"""Estimates of the design; docs/pool.md tells where the difference goes."""

ENROLL = {
    "pool enroll again": Budget(45_000, "EigenLayer registers at 200,000 and more"),
    "pool enroll again, first of its epoch": Budget(62_100, "the same"),
    "pool enroll the first time": Budget(90_000, "the same"),
}


def names(panel: int) -> tuple[str, ...]:
    """Names of a panel's figures, in the order of its ceilings."""
    audit, reject = (panel + 1) // 2, -(-3 * (2 * panel + 1) // 5)
    return (
        f"pool audit by {audit} of {panel}",
        f"pool appeal, depth 10, {audit} signers held",
        f"pool ruled Upheld by {panel + 1} of {2 * panel + 1}",
        f"pool ruled Rejected by {reject} of {2 * panel + 1}, {audit} convicted",
    )


BUDGETS = ENROLL | {
    name: Budget(ceiling, f"designed for {designed:,}; {PEERS}")
    for panel in PANELS
    for name, ceiling, designed in zip(names(panel), CEILINGS[panel], DESIGNED[panel], strict=True)
}


def figures(chain: Chain) -> dict[str, float]:
    """Return gas by move, in the order of the budgets."""
    with chain.isolated():
        found = dict(zip(ENROLL, _enroll(chain), strict=True))
    for panel in PANELS:
        with chain.isolated():
            found |= zip(names(panel), _Moves(chain, panel).gas(), strict=True)
    return {name: found[name] for name in BUDGETS}


def _enroll(chain: Chain) -> tuple[int, int, int]:
    pool = deploy(chain)
    for member in range(4):
        pool.fund(pool.member(member))
    for _ in range(RING):
        for member in range(3):
            pool.enroll(member, 1)
        pool.next_epoch()
    first = pool.enroll(0, 0).gas_used
    again = pool.enroll(1, 0).gas_used
    return again, first, pool.enroll(3, 1).gas_used


class _TooFew(Exception):
    """Too few keys of a panel hold one place."""


class _Moves:
    """A pool of many keys, and a network that it audits and judges."""

    def __init__(self, chain: Chain, panel: int) -> None:
        self.chain = chain
        self.pool = pool = deploy(chain, panel=panel, min_seats=8 * panel)
        _, owner, self.operator, self.challenger = chain.accounts[:4]
        for number in range(10, 10 + MEMBERS):
            pool.fund(pool.member(number))
            pool.enroll(number, 1)
        pool.next_epoch()
        places = (pool.address, bytes(20), bytes(20))
        self.network = register(
            chain, owner, arbiter=pool.address, attestors=places, stake_per_inference=10
        )
        self.network.join(self.operator)
        self.network.fund(self.challenger)
        for account in (self.operator, self.challenger, chain.accounts[9]):
            pool.fund(account)
        pool.send(self.operator, "fund", 200_000)
        # Earnings, losses and credits are not new.
        self._paid()

    def gas(self) -> tuple[int, ...]:
        """Return what each move costs, in the order of its names."""
        for seconds in range(1, 50):
            with self.chain.isolated(), contextlib.suppress(_TooFew):
                self.chain.at(self.chain.now + seconds).mine()
                return self._moves()
        raise AssertionError("no panel has enough keys of one place")

    def _moves(self) -> tuple[int, ...]:
        batch = self._commit()
        record, audit = self._audit(batch)
        index = self.pool.drawn(batch, record)[0]
        dispute, _ = batch.challenge(self.challenger, index)
        appeal = self.pool.appeal(self.challenger, batch, index, record, batch.pre_image(dispute))
        # A block's hash is another each time; an old one's is read from the chain's history.
        self.pool.plant_seed(appeal.block_number + SEED_DELAY, SEED)
        rulings = []
        quorums = self.pool.quorums
        for ruling, places in ((Ruling.UPHELD, quorums.uphold), (Ruling.REJECTED, quorums.reject)):
            with self.chain.isolated():
                rulings.append(self._ruled(batch, index, ruling, dispute, record, places))
        return audit, appeal.gas_used, *rulings

    def _paid(self) -> None:
        """Have audits be paid, a batch be lost, and its auditors' stake be burned, once."""
        good = self._commit(1)
        self.pool.plant_seed(good.stamp.committed_block + SEED_DELAY, SEED)
        self.pool.audit(good, self.pool.audited(good)[1])
        bad = self.network.commit(
            self.operator, 2, slot=2, shape=lambda leaves: list(reversed(leaves))
        )
        self.pool.plant_seed(bad.stamp.committed_block + SEED_DELAY, SEED)
        record, signed = self.pool.audited(bad, self.pool.quorums.audit)
        self.pool.audit(bad, signed)
        self.chain.send(
            self.challenger, "faultOrder", bad.pre_image(), bad.opening(0), bad.opening(1)
        )
        self.pool.send(self.challenger, "convict", bad.batch.abi(), record.abi())
        self.convicted = record.keys

    def _commit(self, slot: int = 0, count: int = COUNT) -> Committed:
        return self.network.commit(self.operator, count, slot)

    def _convicted(self, entries: list[Seats]) -> list[int]:
        return [number for number, one in enumerate(entries) if one.key in self.convicted]

    def _audit(self, batch: Committed) -> tuple[Record, int]:
        self.pool.plant_seed(batch.stamp.committed_block + SEED_DELAY, SEED)
        places = self.pool.quorums.audit
        but = self._convicted(self.pool.list_of(batch))
        record, signed = self.pool.audited(batch, places, but, alone=True)
        if len(signed) != places:
            raise _TooFew
        return record, self.pool.audit(batch, signed).gas_used

    def _ruled(
        self,
        batch: Committed,
        index: int,
        ruling: Ruling,
        dispute: Dispute,
        record: Record,
        places: int,
    ) -> int:
        signed = self.pool.verdict(
            batch, index, ruling, dispute, places, barred=record.keys + self.convicted, alone=True
        )
        if len(signed) != places:
            raise _TooFew
        pre_image = batch.pre_image(dispute)
        return self.pool.ruled(batch, index, ruling, signed, record, pre_image).gas_used
