"""What people do about an audited batch."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tallystick.protocol.batch import Dispute
from tallystick.protocol.committee import Audit
from tallystick.protocol.enums import DisputeKind, Ruling
from tallystick.protocol.events import BatchDemanded
from tallystick.protocol.inference import Inference
from tallystick.protocol.sampling import draw
from tests.support.chain import Chain, Mined
from tests.support.committee import DRAWN, Committee
from tests.support.story import Committed, Network, register

Shape = Callable[[list[Inference]], list[Inference]]

FAR = 2**40
"""A deadline that no rules allow."""


def network_of(
    chain: Chain, owner: bytes, committee: Committee, arbiter: bytes, salt: int = 5, **changes: Any
) -> Network:
    """A network that a committee audits."""
    places = (committee.address, bytes(20), bytes(20))
    return register(chain, owner, salt=salt, arbiter=arbiter, attestors=places, **changes)


def attest(chain: Chain, batch: Committed, evidence: bytes) -> Mined:
    reference = batch.batch.abi(), batch.stamp.pack()
    return chain.send(chain.accounts[9], "attest", *reference, 1, evidence)


def rejection(judge: Committee, batch: Committed, index: int) -> bytes:
    """The judges' evidence that a leaf is wrong."""
    return judge.verdict(batch.id, index, batch.tree.leaf(index), Ruling.REJECTED, [0, 1])


def disprove(chain: Chain, batch: Committed, judge: Committee, index: int) -> Mined:
    arguments = batch.pre_image(), batch.opening(index), rejection(judge, batch, index)
    return chain.send(chain.accounts[9], "disprove", *arguments)


def fault_order(batch: Committed, first: int, second: int) -> Mined:
    chain = batch.chain
    openings = batch.opening(first), batch.opening(second)
    return chain.send(chain.accounts[9], "faultOrder", batch.pre_image(), *openings)


def fault_deadline(batch: Committed, index: int) -> Mined:
    chain = batch.chain
    return chain.send(chain.accounts[9], "faultDeadline", batch.pre_image(), batch.opening(index))


def time_out(batch: Committed, demander: bytes) -> Mined:
    """A demand that nobody answers."""
    chain = batch.chain
    asked = chain.send(demander, "demand", batch.batch.abi(), batch.stamp.pack(), 0, False)
    due = asked.event(BatchDemanded).due
    dispute = Dispute(DisputeKind.DEMAND, False, demander, 0, due, bytes(32))
    chain.at(due + 1)
    return chain.send(demander, "timeout", batch.pre_image(dispute))


def drawn_of(audit: Audit, batch: Committed) -> list[int]:
    return draw(audit.seed, audit.batch_id, DRAWN, batch.batch.count)


def spared_of(audit: Audit, batch: Committed) -> int:
    """A leaf that was not drawn."""
    drawn = drawn_of(audit, batch)
    return next(index for index in range(batch.batch.count) if index not in drawn)


def swapped(first: int) -> Shape:
    """Leaves out of order: this one, and the one after it."""

    def shape(leaves: list[Inference]) -> list[Inference]:
        leaves[first], leaves[first + 1] = leaves[first + 1], leaves[first]
        return leaves

    return shape


def late(leaves: list[Inference]) -> list[Inference]:
    """The last leaf's deadline is out of range."""
    return [*leaves[:-1], replace(leaves[-1], deadline=FAR)]
