"""A shield of disputes: an operator demands of itself again in the transaction that reveals.

While it lasts nobody else can dispute the batch. It lasts until members who signed a false audit
could be out, but by then the batch has outlasted its life and counts as unresolved.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tallystick.chain.call import Call
from tallystick.protocol.batch import Dispute
from tallystick.protocol.committee import Audit
from tallystick.protocol.enums import DisputeKind, Grade
from tallystick.protocol.events import BatchDemanded, LeafRevealed
from tests.contracts.committee.acts import attest, disprove, drawn_of, network_of
from tests.support.chain import Chain, Mined, reverts
from tests.support.committee import MIN_STAKE, Committee, found
from tests.support.story import RULES, Committed, Network

HOUR = RULES.response_window


class Shield:
    """Somebody's contract, with credit for two bonds, and the batch that it keeps disputed."""

    def __init__(self, chain: Chain, batch: Committed) -> None:
        self.chain, self.batch, self.stamp = chain, batch, batch.stamp
        self.contract = chain.deploy("Forwarder")
        self.address = bytes.fromhex(self.contract.address[2:])
        self.due, self.rounds = 0, 0
        bonds = 2 * RULES.demand_bond
        self._do(chain.registry.call("deposit", bytes(20), bonds), value=bonds)

    def raise_it(self) -> None:
        reference = self.batch.batch.abi(), self.stamp.pack()
        mined = self._do(self.chain.registry.call("demand", *reference, 0, False))
        self.due = mined.event(BatchDemanded).due

    def renew(self, funds: Callable[[], None]) -> None:
        """Reveal in the last second, and demand again in the same transaction."""
        funds()
        left = self.stamp.closes_at + HOUR - self.due
        after = replace(self.stamp, closes_at=self.due + max(left, HOUR))
        demand = "demand", self.batch.batch.abi(), after.pack(), 0, False
        self.chain.at(self.due)
        mined = self._do(self._reveal(), self.chain.registry.call(*demand))
        assert mined.event(LeafRevealed).closes_at == after.closes_at
        self.stamp, self.due = after, mined.event(BatchDemanded).due
        self.rounds += 1

    def lower(self) -> None:
        self.chain.at(self.due)
        mined = self._do(self._reveal())
        self.stamp = replace(self.stamp, closes_at=mined.event(LeafRevealed).closes_at)

    def _reveal(self) -> Call:
        dispute = Dispute(DisputeKind.DEMAND, False, self.address, 0, self.due, bytes(32))
        opened = self.batch.pre_image(dispute, self.stamp), self.batch.opening(0)
        return self.chain.registry.call("reveal", *opened, b"", b"", b"")

    def _do(self, *calls: Call, value: int = 0) -> Mined:
        address = self.chain.w3.to_checksum_address(self.chain.registry.address)
        forward = self.contract.functions.forward(address, [call.data for call in calls])
        return self.chain.transact(self.chain.accounts[7], forward, value=value)


@pytest.fixture
def committee(chain: Chain, judge: Committee) -> Committee:
    """With the least exit delay that its network takes."""
    return found(chain, threshold=1, members=2, exit_delay=RULES.life, arbiter=judge.address)


@pytest.fixture
def network(
    chain: Chain, network_owner: bytes, operator: bytes, committee: Committee, judge: Committee
) -> Network:
    network = network_of(chain, network_owner, committee, judge.address)
    network.join(operator)
    return network


@pytest.fixture
def shielded(
    chain: Chain, network: Network, operator: bytes, committee: Committee
) -> tuple[Committed, Audit, dict[int, bytes], Shield, int]:
    """A batch attested by member 0, who leaves in the same second as it may, and its shield."""
    batch = network.commit(operator, count=40)
    audit = committee.audit(batch)
    signatures = committee.signed(audit, [0])
    attest(chain, batch, audit.evidence(signatures))
    assert batch.status().grade is Grade.AUDITED
    left = chain.transact(chain.accounts[0], committee.contract.functions.requestExit(0))
    shield = Shield(chain, batch)
    shield.raise_it()
    return batch, audit, signatures, shield, left.timestamp + RULES.life


def top_up(chain: Chain, shield: Shield) -> Callable[[], None]:
    """Each answered demand's bond goes to the operator; the shield needs another."""

    def pay() -> None:
        bond = RULES.demand_bond
        shield._do(chain.registry.call("deposit", bytes(20), bond), value=bond)

    return pay


def test_until_the_member_is_out__batch_does_not_count(
    chain: Chain,
    network: Network,
    operator: bytes,
    committee: Committee,
    judge: Committee,
    challenger: bytes,
    shielded: tuple[Any, ...],
) -> None:
    batch, audit, _, shield, exit_at = shielded
    index = drawn_of(audit, batch)[0]
    while shield.due < exit_at:
        with reverts("PreImageMismatch"):
            reference = batch.batch.abi(), shield.stamp.pack()
            chain.send(challenger, "challenge", *reference, batch.opening(index))
        shield.renew(top_up(chain, shield))
    assert shield.rounds > 17
    chain.at(exit_at)
    chain.transact(chain.accounts[9], committee.contract.functions.payOut(0))
    shield.lower()

    chain.at(shield.stamp.closes_at)
    chain.send(operator, "finalize", [(batch.id, shield.stamp.pack())], network.id, operator)

    totals = network.totals()
    assert (totals.audited, totals.unresolved) == (0, 40)


@pytest.mark.parametrize("rounds", [1, 16, 23])
def test_shorter__challenge_comes_in_time_and_convicts(
    chain: Chain,
    network: Network,
    committee: Committee,
    judge: Committee,
    shielded: tuple[Any, ...],
    rounds: int,
) -> None:
    batch, audit, signatures, shield, exit_at = shielded
    for _ in range(rounds):
        shield.renew(top_up(chain, shield))
    shield.lower()
    lapsed = chain.registry.status(network.id, batch.batch.operator, batch.id, shield.stamp).lapsed
    assert not lapsed and shield.stamp.closes_at < exit_at

    # The very last second in which a dispute may begin.
    chain.at(shield.stamp.closes_at - 1)
    disprove(chain, replace(batch, stamp=shield.stamp), judge, drawn_of(audit, batch)[0])
    committee.convict(batch, audit, signatures)

    assert committee.stakes() == [0, MIN_STAKE]
