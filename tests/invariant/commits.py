"""Who may commit, and commits: one or several, by the operator, its key or a stranger."""

from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tests.invariant import model as plain
from tests.invariant.batches import fresh
from tests.invariant.choices import network_of
from tests.invariant.claims import forged
from tests.invariant.machine import ACCOUNTS, OWNER, SLOTS, Machine


def admit(machine: Machine) -> None:
    sender = machine.sender(OWNER if machine.choose.random() < 0.9 else ACCOUNTS[0])
    machine.admit(sender, network_of(machine), machine.choose.choice(ACCOUNTS))


def close(machine: Machine) -> None:
    network, operator = network_of(machine), machine.choose.choice(ACCOUNTS)
    sender = machine.sender(OWNER if machine.choose.random() < 0.9 else ACCOUNTS[0])
    machine.both(
        "close",
        lambda: machine.model.close(sender, network, operator),
        sender,
        "close",
        machine.id_of(network),
        operator,
    )


def set_key(machine: Machine) -> None:
    operator = machine.someone()
    key = machine.choose.choice([*ACCOUNTS, ZERO_ADDRESS, OWNER])
    machine.both("setKey", lambda: machine.model.set_key(operator, key), operator, "setKey", key)


def commitment(machine: Machine, operator: bytes, ahead: int = 0) -> tuple[plain.Batch, ...]:
    """A batch, and what is said of the one that it replaces."""
    choose = machine.choose
    network = network_of(machine)
    known = network != plain.UNKNOWN and (network, operator) in machine.model.lanes
    lane = machine.model.lanes[network, operator] if known else plain.Lane()
    index = lane.next_index + (choose.random() < 0.04) + ahead
    slot = choose.randrange(SLOTS)
    if choose.random() < 0.02:
        slot = 2**32 - 1
    batch = fresh(machine, network, operator, index, slot)
    held = lane.slots.get(slot)
    if choose.random() < 0.05 and machine.batches:
        held = choose.choice(machine.batches)
    replaced = held.claim().undisputed() if held else None
    if replaced and choose.random() < 0.05:
        replaced = forged(machine, replaced, stamp_only=True)
    return batch, replaced


def commitment_abi(
    machine: Machine, batch: plain.Batch, replaced: plain.Claim | None, count: int, model: bytes
) -> tuple[object, ...]:
    return (
        machine.id_of(batch.network),
        model,
        machine.sprig(batch).root,
        batch.index,
        batch.slot,
        count,
        batch.commit_deadline,
        *(machine.ref(replaced) if replaced else (ZERO32, ZERO32)),
    )


def commit(machine: Machine) -> None:
    """One batch or several, by the operator, its key or a stranger."""
    choose = machine.choose
    operator = machine.sender(choose.choice(ACCOUNTS[:2]))
    way = choose.choices(["commit", "commitMany", "commitFor"], [60, 20, 20])[0]
    many = 1
    if way != "commit":
        many = choose.choices([1, 2, 3, 0], [60, 25, 10, 5])[0]
    made, commits, encoded = [], [], []
    for number in range(many):
        batch, replaced = commitment(
            machine, operator, ahead=number if choose.random() < 0.5 else 0
        )
        model, known = machine.model_of(batch.network), True
        if choose.random() < 0.02:
            others = [other for other in machine.models if other != model]
            model, known = choose.choice([ZERO32, *others]), False
        count = batch.count
        if choose.random() < 0.02:
            count = batch.count = choose.choice([0, plain.MAX_COUNT + 1, 2**32 - 1])
            machine.trim(batch)
        made.append(batch)
        commits.append((batch, replaced, known))
        encoded.append(commitment_abi(machine, batch, replaced, count, model))

    def keep() -> None:
        machine.batches.extend(made)

    if way == "commit":
        machine.both(
            way, lambda: machine.model.commit_all(commits), operator, way, encoded[0], then=keep
        )
    elif way == "commitMany":
        machine.both(
            way, lambda: machine.model.commit_all(commits), operator, way, encoded, then=keep
        )
    else:
        keys = [machine.model.keys[operator], operator, choose.choice(ACCOUNTS)]
        sender = machine.sender(choose.choice([key for key in keys if key != ZERO_ADDRESS]))
        machine.both(
            way,
            lambda: machine.model.commit_for(sender, operator, commits),
            sender,
            way,
            operator,
            encoded,
            then=keep,
        )
