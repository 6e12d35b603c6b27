"""Actions of a committee's members, and of those who convict them."""

from typing import Any

from tallystick.protocol.enums import Grade, Ruling, State
from tests.invariant import committee_model
from tests.invariant import model as plain
from tests.invariant.actions import attest_by
from tests.invariant.choices import Action, in_window, on_batch, place_of, sound
from tests.invariant.claims import forged_batch
from tests.invariant.committee_contract import KEYS, MIN_STAKE
from tests.invariant.evidence import is_committee
from tests.invariant.machine import ACCOUNTS, Machine


def member_of(machine: Machine) -> int:
    """A member's place; now and then one beyond the last."""
    return machine.choose.randrange(len(KEYS) + (machine.choose.random() < 0.05))


def account_of(machine: Machine, member: int) -> bytes:
    """The member's account; now and then another."""
    accounts = machine.committee_model.accounts
    if member < len(accounts) and machine.choose.random() < 0.9:
        return accounts[member]
    return machine.choose.choice(ACCOUNTS)


def auditable(machine: Machine, batch: plain.Batch) -> bool:
    attestor = machine.model.rules_of(batch.network).attestors[0]
    drawn = machine.world.block > batch.block + machine.committee_model.terms.seed_delay
    return in_window(machine, batch) and is_committee(machine, attestor) and drawn


@on_batch(auditable)
def audit(machine: Machine, batch: plain.Batch) -> None:
    attest_by(machine, batch, Grade.AUDITED)


def stake_member(machine: Machine) -> None:
    member = member_of(machine)
    gone = [
        place
        for place, standing in enumerate(machine.committee_model.standings)
        if place not in machine.committee_model.active and not standing.exit_at
    ]
    if gone and machine.choose.random() < 0.7:
        member = machine.choose.choice(gone)
    sender = account_of(machine, member)
    amount = coins = machine.choose.choice([1, MIN_STAKE - 1, *[MIN_STAKE] * 5, 3000])
    if machine.choose.random() < 0.05:
        amount = machine.choose.choice([amount + 1, plain.MAX_STAKE])
    machine.both(
        "stake of a member",
        lambda: machine.committee_model.stake(sender, member, amount, coins),
        sender,
        "stake",
        member,
        amount,
        value=coins,
        source="Committee",
    )


def request_exit(machine: Machine) -> None:
    member = member_of(machine)
    sender = account_of(machine, member)
    machine.both(
        "requestExit",
        lambda: machine.committee_model.request_exit(sender, member, machine.now),
        sender,
        "requestExit",
        member,
        source="Committee",
    )


def pay_out(machine: Machine) -> None:
    member = member_of(machine)
    due = [one.exit_at for one in machine.committee_model.standings if one.exit_at > machine.now]
    if due and machine.choose.random() < 0.3:
        machine.world.wait(min(due) - (machine.choose.random() < 0.3))
        member = min(
            range(len(KEYS)), key=lambda m: machine.committee_model.standings[m].exit_at or 2**40
        )
    machine.both(
        "payOut",
        lambda: machine.committee_model.pay_out(member, machine.now),
        ACCOUNTS[3],
        "payOut",
        member,
        source="Committee",
    )


def sweep_burned(machine: Machine) -> None:
    machine.both(
        "sweep of the committee",
        lambda: machine.committee_model.sweep(),
        ACCOUNTS[3],
        "sweep",
        source="Committee",
    )


def audited(
    machine: Machine,
) -> tuple[committee_model.Audit, committee_model.Signed, plain.Batch] | None:
    """A signed audit, mostly of a batch that was rejected since, and a batch, mostly the same."""
    choose, made = machine.choose, machine.committee.made
    over = [one for one in machine.batches[-40:] if one.state is State.REJECTED]
    if over and choose.random() < 0.4:
        # Signed for nobody but the one who convicts.
        batch = choose.choice(over)
        audit = machine.committee.statement(choose, batch, batch, machine.world.block)
        return audit, machine.committee.signers(choose, machine.committee_model.active), batch
    if not made:
        return None
    made = made[-30:]
    rejected = [one for one in made if one[0].batch.state is State.REJECTED]
    audit, signed = choose.choice(rejected if rejected and choose.random() < 0.7 else made)
    batch = audit.batch
    if choose.random() < 0.05 and machine.batches:
        batch = choose.choice(machine.batches)
    if choose.random() < 0.1:
        signed = machine.committee.signers(choose, machine.committee_model.active)
    return audit, signed, batch


def told(machine: Machine, batch: plain.Batch) -> tuple[Any, bool]:
    """The batch as somebody gives it, and whether that is right."""
    claim = batch.claim()
    given = machine.choose.random() >= 0.04
    if not given:
        claim = forged_batch(machine, claim)
    return machine.batch_of(claim).abi(), given


def convict(machine: Machine) -> None:
    chosen = audited(machine)
    if chosen is None:
        return
    audit, signed, batch = chosen
    stated_id = machine.id(audit.batch)
    drawn = machine.committee.drawn(audit, stated_id, batch.count)
    words, given = told(machine, batch)
    machine.both(
        "convict",
        lambda: machine.committee_model.convict(batch, given, audit, signed, drawn),
        ACCOUNTS[3],
        "convict",
        words,
        machine.committee.audit(audit, stated_id).abi(),
        machine.committee.sign_audit(audit, stated_id, signed),
        source="Committee",
    )


def convict_on_evidence(machine: Machine) -> None:
    chosen = audited(machine)
    if chosen is None:
        return
    audit, signed, batch = chosen
    stated_id = machine.id(audit.batch)
    drawn = machine.committee.drawn(audit, stated_id, batch.count)
    words, given = told(machine, batch)
    known = sorted(drawn & set(range(len(batch.leaves))))
    place = place_of(machine, batch)
    if known and machine.choose.random() < 0.8:
        place = machine.choose.choice(known)
    good, says = sound(machine), machine.choose.choice([*Ruling, Ruling.REJECTED])
    machine.both(
        "convictOnEvidence",
        lambda: machine.committee_model.convict_on_evidence(
            batch, given, audit, signed, place, good, says, drawn
        ),
        ACCOUNTS[3],
        "convictOnEvidence",
        words,
        machine.committee.audit(audit, stated_id).abi(),
        machine.committee.sign_audit(audit, stated_id, signed),
        machine.opening(batch, place, good),
        int(says).to_bytes(32, "big"),
        source="Committee",
    )


AUDITS: dict[Action, int] = {
    audit: 8,
    stake_member: 6,
    request_exit: 1,
    pay_out: 3,
    sweep_burned: 1,
    convict: 3,
    convict_on_evidence: 2,
}
"""How often each is tried."""
