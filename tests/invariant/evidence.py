"""What resolvers are shown, and what they make of it."""

from tallystick.protocol.enums import Ruling
from tests.invariant import model as plain
from tests.invariant.machine import Machine


def is_committee(machine: Machine, resolver: bytes) -> bool:
    return resolver == machine.committee.address


def audit_of(machine: Machine, batch: plain.Batch) -> tuple[bytes, plain.Asked]:
    """Evidence of an audit, and what the committee makes of it."""
    choose, committee = machine.choose, machine.committee
    if choose.random() < 0.03:

        def garbled() -> None:
            raise plain.Refused("Reverted")

        return choose.choice([b"", bytes(100)]), garbled
    other = choose.choice(machine.batches) if machine.batches else batch
    audit = committee.statement(choose, batch, other, machine.world.block)
    signed = committee.signers(choose, machine.committee_model.active)
    committee.made.append((audit, signed))
    evidence = committee.audit_evidence(audit, machine.id(audit.batch), signed)
    return evidence, lambda: machine.committee_model.attest(
        batch, audit, signed, machine.world.block
    )


def verdict_of(
    machine: Machine, batch: plain.Batch, place: int, says: int
) -> tuple[bytes, plain.Asked]:
    """Evidence of a ruling, and what the arbiter makes of it."""
    choose = machine.choose
    if not is_committee(machine, machine.model.rules_of(batch.network).arbiter):
        return says.to_bytes(32, "big"), None
    signed, right = (
        machine.committee.signers(choose, machine.committee_model.active),
        choose.random() < 0.9,
    )
    stated = place if right else place + 1
    evidence = machine.committee.verdict_evidence(
        machine.id(batch), stated, batch.leaves[place].leaf(), Ruling(says), signed
    )
    return evidence, lambda: machine.committee_model.rule(right, signed)
