"""Random actions of a batch's life, chosen so that most could happen and many do."""

from tallystick.protocol.enums import DisputeKind, Grade, State
from tallystick.protocol.keccak import keccak256
from tests.invariant import model as plain
from tests.invariant.choices import (
    Action,
    answer,
    answerable,
    archivable,
    challenged,
    demanded,
    disordered,
    faults_of_order,
    finalizable,
    in_window,
    misdated,
    on_batch,
    pending,
    place_of,
    repeating,
    repeats_in,
    rulable,
    sound,
)
from tests.invariant.claims import open_words, said, said_open
from tests.invariant.commits import admit, close, commit, set_key
from tests.invariant.evidence import audit_of, is_committee, verdict_of
from tests.invariant.machine import ACCOUNTS, Machine
from tests.invariant.money import deposit, stake, sweep, unstake, withdraw
from tests.invariant.teller import REQUESTERS


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
        until = min(edges) if machine.choose.random() < 0.6 else machine.choose.choice(edges)
    else:
        until = machine.now + machine.choose.choice([1, 10, 300, 2500])
    machine.world.wait(until)


@on_batch(in_window)
def attest(machine: Machine, batch: plain.Batch) -> None:
    attest_by(machine, batch, machine.choose.choice([Grade.AUDITED, Grade.ENCLAVE, Grade.PROVEN]))


def attest_by(machine: Machine, batch: plain.Batch, grade: Grade) -> None:
    attestor = machine.model.rules_of(batch.network).attestors[grade - 1]
    by_committee = is_committee(machine, attestor)
    says, claim = answer(machine, 1), said_open(machine, batch)
    says = machine.attests(attestor, claim, says)
    evidence, asked = says.to_bytes(32, "big"), None
    if by_committee:
        says = 1
        evidence, asked = audit_of(machine, batch)
    machine.both(
        "audit" if by_committee else "attest",
        lambda: machine.model.attest(claim, grade, says, machine.now, asked),
        ACCOUNTS[3],
        "attest",
        *open_words(machine, claim),
        int(grade),
        evidence,
        dirt=claim.dirt,
    )


@on_batch(in_window)
def challenge(machine: Machine, batch: plain.Batch) -> None:
    party, place, good = machine.someone(), place_of(machine, batch), sound(machine)
    challenge_of(machine, party, said_open(machine, batch), place, good)


def challenge_of(
    machine: Machine, party: bytes, claim: plain.Claim, place: int, good: bool
) -> bool:
    return machine.both(
        "challenge",
        lambda: machine.model.challenge(party, claim, place, good, machine.now),
        party,
        "challenge",
        *open_words(machine, claim),
        machine.opening(claim.batch, place, good),
        dirt=claim.dirt,
    )


@on_batch(in_window)
def demand(machine: Machine, batch: plain.Batch) -> None:
    party, place = machine.someone(), machine.choose.randrange(len(batch.leaves))
    if machine.choose.random() < 0.05:
        place = machine.choose.choice([batch.count - 1, batch.count, 2**256 - 1])
    with_bytes, claim = machine.choose.random() < 0.4, said_open(machine, batch)
    demand_of(machine, party, claim, place, with_bytes)


def demand_of(
    machine: Machine, party: bytes, claim: plain.Claim, place: int, with_bytes: bool
) -> bool:
    return machine.both(
        "demand",
        lambda: machine.model.demand(party, claim, place, with_bytes, machine.now),
        party,
        "demand",
        *open_words(machine, claim),
        place,
        with_bytes,
        dirt=claim.dirt,
    )


@on_batch(answerable)
def reveal(machine: Machine, batch: plain.Batch) -> None:
    choose = machine.choose
    place = batch.place if batch.state is State.DISPUTED else 0
    if choose.random() < 0.05 or place >= len(batch.leaves):
        place = place_of(machine, batch)
    signed, right = choose.random() < 0.95, choose.random() < 0.95
    reveal_of(machine, said(machine, batch), place, sound(machine), signed, right)


def reveal_of(
    machine: Machine,
    claim: plain.Claim,
    place: int,
    good: bool = True,
    signed: bool = True,
    right: bool = True,
) -> bool:
    leaf = claim.batch.leaves[place]
    key = REQUESTERS.get(leaf.requester)
    signature = machine.signature(leaf) if key and signed else b""
    data = next(b"%d" % n for n in range(9) if keccak256(b"%d" % n) == leaf.input_hash)
    sent = (data, b"out " + data) if right else (data, b"")
    return machine.both(
        "reveal",
        lambda: machine.model.reveal(claim, place, good, signed, right, machine.now),
        ACCOUNTS[2],
        "reveal",
        machine.pre_image(claim).abi(),
        machine.opening(claim.batch, place, good),
        signature,
        *sent,
        dirt=claim.dirt,
    )


@on_batch(demanded)
def timeout(machine: Machine, batch: plain.Batch) -> None:
    end_of_demand(machine, said(machine, batch))


def end_of_demand(machine: Machine, claim: plain.Claim) -> bool:
    return machine.both(
        "timeout",
        lambda: machine.model.timeout(claim, machine.now),
        ACCOUNTS[2],
        "timeout",
        machine.pre_image(claim).abi(),
        dirt=claim.dirt,
    )


@on_batch(rulable)
def resolve(machine: Machine, batch: plain.Batch) -> None:
    place = batch.place if batch.state is State.DISPUTED else 0
    if place >= len(batch.leaves) or machine.choose.random() < 0.03:
        place = place_of(machine, batch)
    resolve_of(machine, said(machine, batch), place, answer(machine, 2))


def resolve_of(machine: Machine, claim: plain.Claim, place: int, says: int) -> bool:
    says = machine.rules_on(machine.model.rules_of(claim.batch.network).arbiter, says)
    evidence, asked = verdict_of(machine, claim.batch, place, says)
    return machine.both(
        "resolve",
        lambda: machine.model.resolve(claim, place, says, machine.now, asked),
        ACCOUNTS[2],
        "resolve",
        machine.pre_image(claim).abi(),
        claim.batch.leaves[place].abi_leaf(),
        evidence,
        dirt=claim.dirt,
    )


@on_batch(challenged)
def lapse(machine: Machine, batch: plain.Batch) -> None:
    end_of_challenge(machine, said(machine, batch))


def end_of_challenge(machine: Machine, claim: plain.Claim) -> bool:
    return machine.both(
        "lapse",
        lambda: machine.model.lapse(claim, machine.now),
        ACCOUNTS[2],
        "lapse",
        machine.pre_image(claim).abi(),
        dirt=claim.dirt,
    )


@on_batch(pending)
def disprove(machine: Machine, batch: plain.Batch) -> None:
    choose = machine.choose
    place, says = place_of(machine, batch), choose.choice([0, 1, 1, 1, 2])
    if batch.kind is DisputeKind.CHALLENGE and choose.random() < 0.5:
        place = batch.place
    disprove_of(machine, machine.someone(), said(machine, batch), place, sound(machine), says)


def disprove_of(
    machine: Machine, prover: bytes, claim: plain.Claim, place: int, good: bool, says: int
) -> bool:
    says = machine.rules_on(machine.model.rules_of(claim.batch.network).arbiter, says)
    evidence, asked = verdict_of(machine, claim.batch, place, says)
    return machine.both(
        "disprove",
        lambda: machine.model.disprove(prover, claim, place, good, says, asked),
        prover,
        "disprove",
        machine.pre_image(claim).abi(),
        machine.opening(claim.batch, place, good),
        evidence,
        dirt=claim.dirt,
    )


@on_batch(disordered)
def fault_order(machine: Machine, batch: plain.Batch) -> None:
    pairs = faults_of_order(batch)
    if pairs and machine.choose.random() < 0.9:
        place, other = machine.choose.choice(pairs)
    else:
        place, other = place_of(machine, batch), place_of(machine, batch)
    prover, claim = machine.someone(), said(machine, batch)
    machine.both(
        "faultOrder",
        lambda: machine.model.fault_order(prover, claim, place, other),
        prover,
        "faultOrder",
        machine.pre_image(claim).abi(),
        machine.opening(batch, place),
        machine.opening(batch, other),
        dirt=claim.dirt,
    )


@on_batch(repeating)
def fault_repeat(machine: Machine, batch: plain.Batch) -> None:
    repeats = repeats_in(machine, batch)
    if repeats and machine.choose.random() < 0.8:
        place, earlier, other = machine.choose.choice(repeats)
        if machine.choose.random() < 0.1:
            batch, earlier, place, other = earlier, batch, other, place
    elif machine.batches:
        place, earlier, other = 0, machine.choose.choice(machine.batches), 0
    else:
        return
    prover, claim, before = machine.someone(), said(machine, batch), earlier.claim()
    machine.both(
        "faultRepeat",
        lambda: machine.model.fault_repeat(prover, claim, place, before, other),
        prover,
        "faultRepeat",
        machine.pre_image(claim).abi(),
        machine.opening(batch, place),
        machine.pre_image(before).abi(),
        machine.opening(earlier, other),
        dirt=claim.dirt,
    )


@on_batch(misdated)
def fault_deadline(machine: Machine, batch: plain.Batch) -> None:
    place, prover = place_of(machine, batch), machine.someone()
    good, claim = sound(machine), said(machine, batch)
    machine.both(
        "faultDeadline",
        lambda: machine.model.fault_deadline(prover, claim, place, good),
        prover,
        "faultDeadline",
        machine.pre_image(claim).abi(),
        machine.opening(batch, place, good),
        dirt=claim.dirt,
    )


@on_batch(finalizable)
def finalize(machine: Machine, batch: plain.Batch) -> None:
    choose = machine.choose
    network, operator = batch.network, batch.operator
    claims = [said_open(machine, batch, dirt=False)]
    if choose.random() < 0.2:
        mine = [
            other
            for other in machine.batches
            if (other.network, other.operator) == (network, operator)
        ]
        claims += [said_open(machine, other, dirt=False) for other in mine[-3:]]
    elif choose.random() < 0.05:
        claims = []
    finalize_of(machine, claims, network, operator)


def finalize_of(machine: Machine, claims: list[plain.Claim], network: int, operator: bytes) -> bool:
    return machine.both(
        "finalize",
        lambda: machine.model.finalize(claims, network, operator, machine.now),
        ACCOUNTS[2],
        "finalize",
        [machine.ref(claim) for claim in claims],
        machine.id_of(network),
        operator,
    )


@on_batch(archivable)
def archive(machine: Machine, batch: plain.Batch) -> None:
    claim = said_open(machine, batch, dirt=False)
    machine.both(
        "archive",
        lambda: machine.model.archive(claim),
        ACCOUNTS[2],
        "archive",
        machine.id_of(batch.network),
        batch.operator,
        machine.ref(claim),
    )


ORDINARY: dict[Action, int] = {
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
    withdraw: 4,
    stake: 5,
    unstake: 4,
    sweep: 3,
    admit: 4,
    close: 1,
    set_key: 2,
}
"""How often each is tried."""
