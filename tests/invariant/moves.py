"""Random moves, chosen so that most could happen and many do."""

import random
from collections.abc import Callable

from tallystick.enums import Grade, State
from tallystick.inference import Inference
from tallystick.keccak import keccak256
from tallystick.words import ZERO32, ZERO_ADDRESS
from tests.invariant import model as plain
from tests.invariant.machine import ACCOUNTS, OWNER, REQUESTERS, SLOTS, Machine

Move = Callable[[Machine], object]


def wait(machine: Machine) -> None:
    """Let time pass, often to the second at which something changes."""
    edges = [
        edge + shift
        for batch in machine.batches[-12:]
        for edge in (batch.due, batch.closes_at, batch.closes_at + plain.HOUR)
        for shift in (-1, 0, 1)
        if edge + shift > machine.now
    ]
    if edges and machine.choose.random() < 0.7:
        machine.now = min(edges) if machine.choose.random() < 0.6 else machine.choose.choice(edges)
    else:
        machine.now += machine.choose.choice([1, 10, 300, 2500])
    machine.block += 1
    machine._block()


def withdraw(machine: Machine) -> None:
    account, asset = (
        machine.choose.choice(ACCOUNTS),
        machine.choose.choice([ZERO_ADDRESS, machine.token]),
    )
    amount = machine.choose.choice([1, 50, machine.model.credits[asset, account] + 1])
    machine.both(
        "withdraw",
        lambda: machine.model.withdraw(account, asset, amount),
        lambda: machine.call(account, "withdraw", asset, account, amount),
    )


def deposit(machine: Machine) -> None:
    asset = machine.choose.choice([ZERO_ADDRESS, machine.token])
    machine.deposit(machine.choose.choice(ACCOUNTS), asset, machine.choose.randrange(300))


def stake(machine: Machine) -> None:
    network = machine.choose.randrange(len(machine.rules))
    machine.stake(machine.choose.choice(ACCOUNTS), network, machine.choose.choice([1, 90, 5000]))


def unstake(machine: Machine) -> None:
    account, network = machine.choose.choice(ACCOUNTS), machine.choose.randrange(4)
    amount = machine.choose.choice([1, 20, 500])
    machine.both(
        "unstake",
        lambda: machine.model.unstake(account, network, amount),
        lambda: machine.call(account, "unstake", machine.networks[network], amount),
    )


def sweep(machine: Machine) -> None:
    network = machine.choose.randrange(4)
    machine.both(
        "sweep",
        lambda: machine.model.sweep(network),
        lambda: machine.call(OWNER, "sweep", machine.networks[network]),
    )


def admit(machine: Machine) -> None:
    sender = OWNER if machine.choose.random() < 0.9 else ACCOUNTS[0]
    machine.admit(sender, machine.choose.randrange(4), machine.choose.choice(ACCOUNTS))


def close(machine: Machine) -> None:
    network, operator = machine.choose.randrange(4), machine.choose.choice(ACCOUNTS)
    sender = OWNER if machine.choose.random() < 0.9 else ACCOUNTS[0]
    machine.both(
        "close",
        lambda: machine.model.close(sender, network, operator),
        lambda: machine.call(sender, "close", machine.networks[network], operator),
    )


def leaves(machine: Machine, network: int, operator: bytes, index: int) -> list[Inference]:
    """One to six leaves, sometimes with a fault."""
    choose = machine.choose
    solicited = machine.rules[network].solicited or choose.random() < 0.3
    window = machine.rules[network].challenge_window
    found = []
    for place in range(choose.randint(1, 6)):
        requester, nonce = ZERO_ADDRESS, index << 20 | place
        if solicited and choose.random() < 0.95:
            requester, nonce = choose.choice(sorted(REQUESTERS)), choose.randrange(40)
        deadline = machine.now + choose.randint(1, window // 2)
        if choose.random() < 0.04:
            deadline = machine.now + window
        data = b"%d" % choose.randrange(9)
        found.append(
            Inference(
                machine.models[network],
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


def commit(machine: Machine) -> None:
    choose, model = machine.choose, machine.model
    network, operator = choose.randrange(4), choose.choice(ACCOUNTS[:2])
    lane = model.lanes[network, operator]
    index = lane.next_index + (choose.random() < 0.04)
    slot = choose.randrange(SLOTS)
    inferences = leaves(machine, network, operator, index)
    commit_deadline = min(leaf.deadline for leaf in inferences)
    if choose.random() < 0.03:
        commit_deadline = machine.now - 1
    replaced = lane.slots.get(slot)
    if choose.random() < 0.05 and machine.batches:
        replaced = choose.choice(machine.batches)
    closes_at = machine.now + machine.rules[network].challenge_window
    batch = plain.Batch(
        network,
        operator,
        index,
        slot,
        inferences,
        commit_deadline,
        machine.now,
        machine.block,
        closes_at,
    )
    replaced_words = (
        (machine.batch_of(replaced).id(), machine.stamp(replaced).pack())
        if replaced
        else (ZERO32, ZERO32)
    )
    commitment = (
        machine.networks[network],
        machine.models[network],
        machine.tree(batch).root,
        index,
        slot,
        batch.count,
        commit_deadline,
        *replaced_words,
    )
    many = choose.random() < 0.3
    if machine.both(
        "commit",
        lambda: model.commit(batch, index, replaced),
        lambda: machine.call(
            operator, "commitMany" if many else "commit", [commitment] if many else commitment
        ),
    ):
        machine.batches.append(batch)


def some(machine: Machine) -> plain.Batch | None:
    """A batch, mostly one of the latest, disputed ones more often than not."""
    if not machine.batches:
        return None
    recent = machine.batches[-10:]
    disputed = [batch for batch in recent if batch.state is State.DISPUTED]
    if disputed and machine.choose.random() < 0.5:
        return machine.choose.choice(disputed)
    return machine.choose.choice(recent if machine.choose.random() < 0.9 else machine.batches)


def on_batch(move: Callable[[Machine, plain.Batch], object]) -> Move:
    """A move that needs a batch."""

    def moving(machine: Machine) -> None:
        batch = some(machine)
        if batch is not None:
            move(machine, batch)

    moving.__name__ = move.__name__
    return moving


def open_words(machine: Machine, batch: plain.Batch) -> tuple[object, bytes]:
    return machine.batch_of(batch).abi(), machine.stamp(batch).pack()


def answer(machine: Machine, highest: int) -> int:
    return machine.choose.choice([*range(highest + 1), highest, highest])


@on_batch
def attest(machine: Machine, batch: plain.Batch) -> None:
    grade = machine.choose.choice([Grade.AUDITED, Grade.ENCLAVE, Grade.PROVEN])
    says = answer(machine, 1)
    machine.both(
        "attest",
        lambda: machine.model.attest(batch, grade, says, machine.now),
        lambda: machine.call(
            ACCOUNTS[3], "attest", *open_words(machine, batch), int(grade), says.to_bytes(32, "big")
        ),
    )


@on_batch
def challenge(machine: Machine, batch: plain.Batch) -> None:
    party, place = machine.choose.choice(ACCOUNTS), machine.choose.randrange(batch.count)
    words, opening = open_words(machine, batch), machine.opening(batch, place)
    machine.both(
        "challenge",
        lambda: machine.model.challenge(party, batch, place, machine.now),
        lambda: machine.call(party, "challenge", *words, opening),
    )


@on_batch
def demand(machine: Machine, batch: plain.Batch) -> None:
    party, place = machine.choose.choice(ACCOUNTS), machine.choose.randrange(batch.count)
    place += machine.choose.random() < 0.05
    with_bytes, words = machine.choose.random() < 0.4, open_words(machine, batch)
    machine.both(
        "demand",
        lambda: machine.model.demand(party, batch, place, with_bytes, machine.now),
        lambda: machine.call(party, "demand", *words, place, with_bytes),
    )


@on_batch
def reveal(machine: Machine, batch: plain.Batch) -> None:
    choose = machine.choose
    place = batch.place if batch.state is State.DISPUTED else 0
    if choose.random() < 0.05:
        place = choose.randrange(batch.count)
    leaf = batch.leaves[place]
    key = REQUESTERS.get(leaf.requester)
    signed, right = choose.random() < 0.95, choose.random() < 0.95
    signature = leaf.request().sign(machine.domain, key) if key and signed else b""
    data = next(b"%d" % n for n in range(9) if keccak256(b"%d" % n) == leaf.input_hash)
    sent = (data, b"out " + data) if right else (data, b"")
    pre_image, opening = machine.pre_image(batch).abi(), machine.opening(batch, place)
    machine.both(
        "reveal",
        lambda: machine.model.reveal(batch, place, signed, right, machine.now),
        lambda: machine.call(ACCOUNTS[2], "reveal", pre_image, opening, signature, *sent),
    )


@on_batch
def timeout(machine: Machine, batch: plain.Batch) -> None:
    pre_image = machine.pre_image(batch).abi()
    machine.both(
        "timeout",
        lambda: machine.model.timeout(batch, machine.now),
        lambda: machine.call(ACCOUNTS[2], "timeout", pre_image),
    )


@on_batch
def resolve(machine: Machine, batch: plain.Batch) -> None:
    place = batch.place if batch.state is State.DISPUTED else 0
    says = answer(machine, 2)
    pre_image, leaf = machine.pre_image(batch).abi(), batch.leaves[place].abi_leaf()
    machine.both(
        "resolve",
        lambda: machine.model.resolve(batch, place, says, machine.now),
        lambda: machine.call(ACCOUNTS[2], "resolve", pre_image, leaf, says.to_bytes(32, "big")),
    )


@on_batch
def lapse(machine: Machine, batch: plain.Batch) -> None:
    pre_image = machine.pre_image(batch).abi()
    machine.both(
        "lapse",
        lambda: machine.model.lapse(batch, machine.now),
        lambda: machine.call(ACCOUNTS[2], "lapse", pre_image),
    )


@on_batch
def disprove(machine: Machine, batch: plain.Batch) -> None:
    place, says = machine.choose.randrange(batch.count), machine.choose.choice([0, 1, 1, 1, 2])
    prover = machine.choose.choice(ACCOUNTS)
    pre_image, opening = machine.pre_image(batch).abi(), machine.opening(batch, place)
    machine.both(
        "disprove",
        lambda: machine.model.disprove(prover, batch, says),
        lambda: machine.call(prover, "disprove", pre_image, opening, says.to_bytes(32, "big")),
    )


@on_batch
def fault_order(machine: Machine, batch: plain.Batch) -> None:
    keys = [leaf.key for leaf in batch.leaves]
    pairs = [(a, b) for b in range(len(keys)) for a in range(b) if keys[a] >= keys[b]]
    if pairs and machine.choose.random() < 0.9:
        place, other = machine.choose.choice(pairs)
    else:
        place, other = (machine.choose.randrange(batch.count) for _ in range(2))
    prover, pre_image = machine.choose.choice(ACCOUNTS), machine.pre_image(batch).abi()
    openings = machine.opening(batch, place), machine.opening(batch, other)
    machine.both(
        "faultOrder",
        lambda: machine.model.fault_order(prover, batch, place, other),
        lambda: machine.call(prover, "faultOrder", pre_image, *openings),
    )


@on_batch
def fault_repeat(machine: Machine, batch: plain.Batch) -> None:
    keys = {leaf.key: place for place, leaf in enumerate(batch.leaves)}
    repeats = [
        (keys[leaf.key], earlier, other)
        for earlier in machine.batches[-30:]
        for other, leaf in enumerate(earlier.leaves)
        if leaf.key in keys and earlier is not batch
    ]
    if repeats and machine.choose.random() < 0.8:
        place, earlier, other = machine.choose.choice(repeats)
    else:
        place, earlier, other = 0, machine.choose.choice(machine.batches), 0
    prover = machine.choose.choice(ACCOUNTS)
    arguments = (
        machine.pre_image(batch).abi(),
        machine.opening(batch, place),
        machine.pre_image(earlier).abi(),
        machine.opening(earlier, other),
    )
    machine.both(
        "faultRepeat",
        lambda: machine.model.fault_repeat(prover, batch, place, earlier, other),
        lambda: machine.call(prover, "faultRepeat", *arguments),
    )


@on_batch
def fault_deadline(machine: Machine, batch: plain.Batch) -> None:
    place, prover = machine.choose.randrange(batch.count), machine.choose.choice(ACCOUNTS)
    pre_image, opening = machine.pre_image(batch).abi(), machine.opening(batch, place)
    machine.both(
        "faultDeadline",
        lambda: machine.model.fault_deadline(prover, batch, place),
        lambda: machine.call(prover, "faultDeadline", pre_image, opening),
    )


@on_batch
def finalize(machine: Machine, batch: plain.Batch) -> None:
    ref = machine.batch_of(batch).id(), machine.stamp(batch).pack()
    lane = machine.networks[batch.network], batch.operator
    machine.both(
        "finalize",
        lambda: machine.model.finalize(batch, machine.now),
        lambda: machine.call(ACCOUNTS[2], "finalize", [ref], *lane),
    )


@on_batch
def archive(machine: Machine, batch: plain.Batch) -> None:
    ref = machine.batch_of(batch).id(), machine.stamp(batch).pack()
    lane = machine.networks[batch.network], batch.operator
    machine.both(
        "archive",
        lambda: machine.model.archive(batch),
        lambda: machine.call(ACCOUNTS[2], "archive", *lane, ref),
    )


WEIGHTS: dict[Move, int] = {
    wait: 18,
    commit: 26,
    attest: 6,
    challenge: 8,
    demand: 8,
    reveal: 7,
    timeout: 4,
    resolve: 6,
    lapse: 4,
    disprove: 4,
    fault_order: 3,
    fault_repeat: 6,
    fault_deadline: 3,
    finalize: 8,
    archive: 3,
    deposit: 3,
    withdraw: 3,
    stake: 5,
    unstake: 3,
    sweep: 2,
    admit: 4,
    close: 1,
}


def step(machine: Machine) -> None:
    """Make one random move."""
    (move,) = machine.choose.choices(list(WEIGHTS), list(WEIGHTS.values()))
    move(machine)


def walk(seed: int, steps: int, compare_every: int = 20) -> Machine:
    """Make many random moves from one seed, comparing everything now and then and at the end."""
    machine = Machine(random.Random(seed))
    for number in range(steps):
        step(machine)
        if number % compare_every == 0:
            machine.compare()
    machine.compare()
    machine.compare_events()
    return machine
