"""Batches that nobody has committed yet, with faults now and then."""

from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tests.invariant import model as plain
from tests.invariant.machine import Machine
from tests.invariant.teller import REQUESTERS

MAX_NONCE = 2**64 - 1


def leaves(machine: Machine, network: int, operator: bytes, index: int) -> list[Inference]:
    """One leaf or several, sometimes with a fault."""
    choose = machine.choose
    rules = machine.model.rules_of(network)
    solicited = rules.solicited or choose.random() < 0.3
    window = rules.challenge_window
    found = []
    for place in range(choose.randint(1, machine.most_leaves)):
        requester, nonce = ZERO_ADDRESS, (index << 20 | place) & MAX_NONCE
        if solicited and choose.random() < 0.95:
            requester, nonce = choose.choice(sorted(REQUESTERS)), choose.randrange(20)
        deadline = machine.now + choose.randint(1, max(window // 2, 1))
        if choose.random() < 0.04:
            deadline = machine.now + window
        data = b"%d" % choose.randrange(9)
        found.append(
            Inference(
                machine.model_of(network),
                operator,
                requester,
                nonce,
                deadline,
                keccak256(data),
                keccak256(b"out " + data),
            )
        )
    found.sort(key=lambda leaf: leaf.key)
    if len(found) > 1 and choose.random() < 0.12:
        found[0], found[-1] = found[-1], found[0]
    return found


def count_of(machine: Machine, network: int, known: int) -> int:
    """As many as there are leaves; now and then up to and beyond the most there may be."""
    wide = machine.edges or machine.model.rules_of(network).stake_per_inference in (0, 2**96 - 1)
    if wide and machine.choose.random() < 0.5:
        highest = plain.MAX_COUNT
        return machine.choose.choice([highest, highest - 1, highest // 2, highest, known + 1000])
    return known


def fresh(machine: Machine, network: int, operator: bytes, index: int, slot: int) -> plain.Batch:
    """A batch that nobody has committed."""
    inferences = leaves(machine, network, operator, index)
    commit_deadline = min(leaf.deadline for leaf in inferences)
    if machine.choose.random() < 0.03:
        commit_deadline = machine.now - 1
    return plain.Batch(
        network,
        operator,
        index,
        slot,
        inferences,
        count_of(machine, network, len(inferences)),
        commit_deadline,
        machine.now,
        machine.world.block,
        machine.now + machine.model.rules_of(network).challenge_window,
    )
