"""What resolvers are shown, and what they make of it."""

from tallystick.enums import Ruling
from tests.invariant import model as plain
from tests.invariant.machine import Machine


def is_jury(machine: Machine, resolver: bytes) -> bool:
    return resolver == machine.jury.address


def audit_of(machine: Machine, batch: plain.Batch) -> tuple[bytes, plain.Asked]:
    """Evidence of an audit, and what the committee makes of it."""
    choose, jury = machine.choose, machine.jury
    if choose.random() < 0.03:

        def garbled() -> None:
            raise plain.Refused("Reverted")

        return choose.choice([b"", bytes(100)]), garbled
    other = choose.choice(machine.batches) if machine.batches else batch
    audit = jury.statement(choose, batch, other, machine.world.block)
    signed = jury.signers(choose, machine.panel.active)
    jury.made.append((audit, signed))
    evidence = jury.audit_evidence(audit, machine.id(audit.batch), signed)
    return evidence, lambda: machine.panel.attest(batch, audit, signed, machine.world.block)


def verdict_of(
    machine: Machine, batch: plain.Batch, place: int, says: int
) -> tuple[bytes, plain.Asked]:
    """Evidence of a ruling, and what the arbiter makes of it."""
    choose = machine.choose
    if not is_jury(machine, machine.model.rules_of(batch.network).arbiter):
        return says.to_bytes(32, "big"), None
    signed, right = machine.jury.signers(choose, machine.panel.active), choose.random() < 0.9
    stated = place if right else place + 1
    evidence = machine.jury.verdict_evidence(
        machine.id(batch), stated, batch.leaves[place].leaf(), Ruling(says), signed
    )
    return evidence, lambda: machine.panel.rule(right, signed)
